//! Flags that were renamed: the old name is parsed as the new one, and no help text shows it.

use clap::{CommandFactory, Parser};
use scotopic_cli::cli::Cli;

const RENAMED: [(&str, &str, &str, &str); 15] = [
    (
        "fit y.csv --kind poisson --out m.toml",
        "--states",
        "--n-states",
        "3",
    ),
    (
        "fit y.csv --kind poisson --out m.toml",
        "--iterations",
        "--max-iterations",
        "7",
    ),
    (
        "filter y.csv --model m.toml",
        "--states",
        "--true-states",
        "x.csv",
    ),
    (
        "filter y.csv --model m.toml",
        "--truth",
        "--true-states",
        "x.csv",
    ),
    (
        "filter y.csv --model m.toml",
        "--lines",
        "--out-format",
        "csv",
    ),
    (
        "filter y.csv --model m.toml --figure f.png",
        "--portrait",
        "--phase-plot",
        "2,3",
    ),
    (
        "compare y.csv --model m.toml",
        "--states",
        "--true-states",
        "x.csv",
    ),
    (
        "compare y.csv --model m.toml",
        "--start",
        "--init",
        "guess.toml",
    ),
    (
        "compare y.csv --model m.toml --init g.toml",
        "--truth",
        "--true-model",
        "true.toml",
    ),
    (
        "compare y.csv --model m.toml --init g.toml",
        "--updates",
        "--max-iterations",
        "7",
    ),
    ("analyse run --out o", "--what", "--analysis", "tuning"),
    ("analyse run --out o", "--count", "--max-images", "7"),
    ("show run", "--what", "--figure", "raster"),
    ("infer run --out o", "--count", "--max-images", "7"),
    ("evaluate run", "--count", "--max-images", "7"),
];

fn parsed(command: &str, flag: &str, value: &str) -> String {
    let words = ["scotopic"].into_iter().chain(command.split(' '));
    let cli = Cli::try_parse_from(words.chain([flag, value])).unwrap();
    format!("{cli:?}")
}

#[test]
fn old_flags_are_parsed_as_the_new_ones_and_hidden() {
    for (command, old, new, value) in RENAMED {
        assert_eq!(parsed(command, old, value), parsed(command, new, value));
        let name = command.split(' ').next().unwrap();
        let mut program = Cli::command();
        let help = program
            .find_subcommand_mut(name)
            .unwrap()
            .render_long_help();
        let help = help.to_string();
        assert!(help.contains(new), "{name}: {new} is not in the help");
        let shown = help.split([' ', '\n', ']', ',']).any(|word| word == old);
        assert!(!shown, "{name}: {old} is in the help");
    }
}
