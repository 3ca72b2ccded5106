//! `scotopic config`

use std::collections::BTreeSet;
use std::fs;

use scotopic_datasets::StimulusConfig;
use scotopic_train::config::{PRESETS, RunConfig, resolve};
use toml::{Table, Value};

use super::support::{alone, folder, scotopic};

#[test]
fn every_preset_is_listed_and_reads_back() {
    let list = alone(&["config", "show"]).good();
    assert_eq!(list.lines().count(), PRESETS.len());
    for preset in PRESETS {
        assert!(
            list.lines()
                .any(|line| line.split_whitespace().next() == Some(preset.name)),
            "{list}"
        );
        let shown = alone(&["config", "show", preset.name]).good();
        let config: RunConfig = toml::from_str(&shown).unwrap();
        assert_eq!(
            config,
            resolve(preset.name, None, &[]).unwrap(),
            "{}",
            preset.name
        );
        // What is shown is a configuration: it is valid, and over any preset it is the same run.
        let folder = folder();
        fs::write(folder.path().join("shown.toml"), &shown).unwrap();
        scotopic(folder.path(), &["config", "check", "shown.toml"]).good();
        let over = scotopic(
            folder.path(),
            &["config", "show", "smoke", "--config", "shown.toml"],
        )
        .good();
        assert_eq!(over, shown, "{}", preset.name);
    }
}

#[test]
fn config_show_applies_file_then_options() {
    let folder = folder();
    fs::write(
        folder.path().join("mine.toml"),
        "seed = 5\n[train]\nbatch = 7\niterations = 11\n",
    )
    .unwrap();
    let args = [
        "config",
        "show",
        "smoke",
        "--config",
        "mine.toml",
        "--set",
        "train.batch_size=9",
        "--set",
        "train.ema=0.5",
    ];
    let config: RunConfig = toml::from_str(&scotopic(folder.path(), &args).good()).unwrap();
    let expected = (5, 9, 11, 0.5);
    assert_eq!(
        (
            config.seed,
            config.train.batch_size,
            config.train.iterations,
            config.train.ema
        ),
        expected
    );
}

#[test]
fn config_check_tells_good_from_bad() {
    let folder = folder();
    let check = |text: &str| {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        scotopic(
            folder.path(),
            &["config", "check", "c.toml", "--preset", "smoke"],
        )
    };
    assert!(
        check("[train]\niterations = 5\n")
            .good()
            .contains("c.toml is a valid configuration")
    );
    for (text, expected) in [
        (
            "[train]\niteratons = 5\n",
            "did you mean `train.iterations`?",
        ),
        (
            "[trian]\niterations = 5\n",
            "did you mean `train.iterations`?",
        ),
        ("[train]\nbatch = 0\n", "train.batch_size = 0"),
        ("[train]\nbatch = \"many\"\n", "train"),
        ("[train\n", "not valid TOML"),
        ("[data]\nsource = \"npy\"\n", "field `train`"),
        (
            "[data]\nsource = \"idx\"\nsize = 12\n",
            "unknown key `data.size`",
        ),
    ] {
        let error = check(text).bad(2);
        assert!(
            error.contains(expected),
            "{text}: expected `{expected}`: {error}"
        );
    }
    assert!(
        scotopic(folder.path(), &["config", "check", "nowhere.toml"])
            .bad(2)
            .contains("nowhere.toml")
    );
}

/// The dotted names of all values in a table.
fn leaves(table: &Table, prefix: &str, names: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => leaves(inner, &format!("{prefix}{key}."), names),
            _ => drop(names.insert(format!("{prefix}{key}"))),
        }
    }
}

/// The commented tables of a part of the text, which begins with the rest of its title.
fn blocks(part: &str) -> Vec<Table> {
    let uncommented = |block: &str| -> String {
        let lines = block.lines();
        lines
            .map(|line| format!("{}\n", line.trim_start_matches('#')))
            .collect()
    };
    let blocks = part.trim_end().split("\n\n").skip(1).map(uncommented);
    blocks
        .map(|block| block.parse().unwrap_or_else(|e| panic!("{e}: {block}")))
        .collect()
}

#[test]
fn config_keys_explains_every_key() {
    let text = alone(&["config", "keys"]).good();
    let (first, sources) = text
        .split_once("# Keys of [data] by source")
        .expect("a part on the sources");
    let (sources, stimuli) = sources
        .split_once("# Keys of a stimulus")
        .expect("a part on stimuli");
    let (first, others) = first
        .split_once("# Keys that only other models need")
        .expect("a part on other models");
    let mut explained = BTreeSet::new();
    for table in blocks(others) {
        leaves(&table, "", &mut explained);
    }
    leaves(&first.parse().unwrap(), "", &mut explained);
    let mut found = BTreeSet::new();
    for table in blocks(sources) {
        found.insert(table["data"]["source"].as_str().unwrap().to_string());
        leaves(&table, "", &mut explained);
    }
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "cifar",
            "dead-leaves",
            "idx",
            "images",
            "moving-dead-leaves",
            "moving-digits",
            "moving-images",
            "npy",
            "omniglot"
        ]
    );
    let expected: Vec<Table> = StimulusConfig::all()
        .iter()
        .map(|stimulus| Table::try_from(stimulus).unwrap())
        .collect();
    assert_eq!(blocks(stimuli), expected);
    for preset in PRESETS {
        let mut all = BTreeSet::new();
        leaves(
            &Table::try_from(resolve(preset.name, None, &[]).unwrap()).unwrap(),
            "",
            &mut all,
        );
        for key in all {
            assert!(
                explained.contains(&key),
                "{key} of {} is not in `config keys`",
                preset.name
            );
        }
    }
}
