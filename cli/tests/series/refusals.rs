//! What is refused by its name and place, and would otherwise be taken for something else.

use super::{Folder, TIMED};

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                     observation = [[1.0]]\nobservation_noise = [[1.0]]\n";
const POISSON: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n[emission]\n\
                       kind = \"poisson\"\nrates = [[1.0], [5.0]]\n";
const PAIR: &str = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                    observation = [[1.0], [0.5]]\nobservation_noise = [[1.0, 0.0], [0.0, 1.0]]\n";

pub fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&[
        ("level.toml", LEVEL),
        ("poisson.toml", POISSON),
        ("pair.toml", PAIR),
        ("timed.toml", TIMED),
    ]);
    files
        .iter()
        .for_each(|(name, text)| folder.write(name, text));
    folder
}

pub fn of<'a>(verb: &'a str, model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[verb, "--model", model][..], more].concat()
}

#[test]
fn nothing_left_to_estimate() {
    let folder = folder(&[("y.csv", "y\n1\n4\n0\n3\n6\n1\n0\n")]);
    let summary = |hold| of("summary", "poisson.toml", &["y.csv", "--hold", hold]);
    folder.refused(
        &summary("rates,transition,initial"),
        &["nothing is left to estimate"],
    );
    folder.refused(&summary(""), &["--hold", "empty name"]);
    folder.refused(&summary("rates,"), &["--hold rates,", "empty name"]);
    folder.refused(&summary("rates[1"), &["--hold rates[1", "bracket"]);
    let (out, _) = folder.good(&summary("rates[1,1],transition"));
    let row = |name: &str| out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(row("rates[1,1]").contains("held"), "{out}");
    assert!(!row("rates[2,1]").contains("held"), "{out}");
}

/// An exposure or an input that cannot be used is found by file, line and column.
#[test]
fn inputs_have_their_places() {
    let counts = |third: &str| format!("y,e\n1,1\n2,1.5\n3,{third}\n4,1\n2,1\n0,2\n1,1\n");
    let folder = folder(&[
        ("a.csv", &counts("1")),
        ("zero.csv", &counts("0")),
        ("none.csv", &counts("NA")),
    ]);
    let fit = |data: &[&'static str], more: &[&'static str]| {
        let out = ["--out", "x.toml", "--force"];
        [&["fit"][..], data, more, &out].concat()
    };
    let exposed = ["--kind", "poisson", "--exposure", "e", "--n-states", "1"];
    folder.good(&fit(&["a.csv"], &exposed));
    std::fs::copy(folder.path().join("x.toml"), folder.path().join("p.toml")).unwrap();
    let zero = [
        "zero.csv, line 4",
        "column e",
        "found 0",
        "an exposure above 0",
    ];
    let none = ["none.csv, line 4", "column e", "missing"];
    folder.refused(&fit(&["a.csv", "zero.csv"], &exposed), &zero);
    folder.refused(&fit(&["a.csv", "none.csv"], &exposed), &none);
    let of_file = |data| of("fit", "p.toml", &["a.csv", data, "--out", "y.toml"]);
    folder.refused(&of_file("zero.csv"), &zero);
    for (file, said) in [("zero.csv", &zero[..]), ("none.csv", &none)] {
        for verb in ["filter", "smooth", "score", "summary", "compare"] {
            folder.refused(&of(verb, "p.toml", &[file]), said);
        }
        folder.refused(&of("compare", "p.toml", &[file, "--certify"]), said);
        folder.refused(&of("compare", "p.toml", &["--model", "p.toml", file]), said);
    }
    for how in [
        &["--kind", "linear-gaussian", "--inputs", "e"][..],
        &["--kind", "linear-regression", "--inputs", "e"],
        &["--kind", "poisson", "--transition-inputs", "e"],
    ] {
        let all = fit(&["a.csv", "none.csv"], how);
        folder.refused(&all, &["none.csv, line 4", "column e"]);
        assert!(!folder.run(&all).2.contains("--pseudo-count"), "{how:?}");
    }
    let structural = [
        "fit",
        "none.csv",
        "--component",
        "level,regression",
        "--inputs",
        "e",
    ];
    let all = [&structural[..], &["--out", "x.toml", "--force"]].concat();
    folder.refused(&all, &["none.csv, line 4, column e"]);
}

#[test]
fn times_of_rows_to_come_are_those_of_their_own_table() {
    let folder = folder(&[
        (
            "days.csv",
            "when,y\n2024-01-01,1\n2024-01-03,2\n2024-01-04,1\n",
        ),
        ("back.csv", "when,y\n2024-01-02,1\n2024-01-01T12:00:00,2\n"),
        ("g.csv", "when\n2024-01-02\n"),
        ("slip.csv", "when,y\n2024-01-02,1\n2024-13-01,2\n"),
    ]);
    let forecast = of("forecast", "timed.toml", &["days.csv", "--given", "g.csv"]);
    let said = [
        "g.csv, line 2, column when",
        "2024-01-02",
        "2024-01-04 or after",
    ];
    folder.refused(&forecast, &said);
    for verb in ["score", "filter", "smooth"] {
        folder.refused(
            &of(verb, "timed.toml", &["back.csv"]),
            &[
                "back.csv, line 3, column when",
                "2024-01-01T12:00:00",
                "2024-01-02 or after",
            ],
        );
    }
    folder.refused(
        &of("score", "timed.toml", &["slip.csv"]),
        &[
            "slip.csv, line 3, column when",
            "`2024-13-01`",
            "a date such as 2024-03-01",
        ],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_output_is_named() {
    let folder = folder(&[("y.csv", "y\n1\n4\n0\n3\n6\n1\n0\n2\n3\n1\n")]);
    for verb in [
        "smooth",
        "decode",
        "forecast",
        "sample",
        "score",
        "residuals",
        "filter",
        "summary",
    ] {
        let data = if verb == "sample" {
            &[][..]
        } else {
            &["y.csv"]
        };
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let done = folder
            .command(&of(verb, "poisson.toml", data))
            .stdout(full)
            .output()
            .unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{verb}: {err}");
        assert!(
            err.contains("could not write standard output"),
            "{verb}: {err}"
        );
    }
}

#[test]
fn negative_numbers_are_values_of_options() {
    let folder = folder(&[("y.csv", "y\n1\n4\n0\n3\n")]);
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "poisson",
        "--n-states",
        "1",
        "--out",
        "x.toml",
    ];
    for (arguments, said) in [
        (
            of("filter", "poisson.toml", &["y.csv", "--alarm", "-0.1"]),
            "--alarm",
        ),
        (
            [&fit[..], &["--pseudo-count", "-1"]].concat(),
            "--pseudo-count is -1",
        ),
        ([&fit[..], &["--seed", "-1"]].concat(), "--seed"),
        (
            of("sample", "poisson.toml", &["--length", "-5"]),
            "--length",
        ),
        (
            of(
                "forecast",
                "poisson.toml",
                &["y.csv", "--quantiles", "-0.5"],
            ),
            "--quantiles holds -0.5",
        ),
    ] {
        folder.refused(&arguments, &[said]);
        let err = folder.run(&arguments).2;
        assert!(!err.contains("unexpected argument"), "{err}");
    }
}

#[test]
fn what_would_say_nothing_is_refused() {
    let folder = folder(&[
        ("y.csv", "y\n1\n4\n0\n3\n2\n1\n"),
        ("none.csv", "y\nNA\nNA\n"),
        ("spaces.csv", "y\n1\n   \n4\n \t \n"),
        ("y.jsonl", "{\"y\":1}\n{\"y\":2}\n"),
        ("learned.toml", &format!("learned = [\"X\"]\n{LEVEL}")),
        (
            "both.toml",
            "kind = \"structural\"\ncomponents = [\"level\"]\n[fixed]\nlevel = 1.0\n[values]\nlevel = 2.0\nirregular = 1.0\n",
        ),
    ]);
    let level = ["fit", "y.csv", "--component", "level", "--out", "x.toml"];
    let fixed = |values: &[&'static str]| [&level[..], values].concat();
    folder.refused(
        &fixed(&["--fix", "level=0", "--fix", "level=1"]),
        &["--fix level=1", "fixed already"],
    );
    folder.refused(
        &fixed(&["--fix", "level=0", "--fix", "irregular=0"]),
        &["every variance", "no observation has a likelihood"],
    );
    folder.refused(
        &["model", "check", "both.toml"],
        &["level", "[fixed]", "[values]"],
    );
    folder.refused(
        &["model", "check", "learned.toml"],
        &["learned", "\"X\"", "process_noise"],
    );
    folder.refused(
        &of("compare", "poisson.toml", &["y.csv", "--by", "bic"]),
        &["--by"],
    );
    folder.refused(
        &of("forecast", "poisson.toml", &["y.csv", "--every", "1000"]),
        &["--every is 1000", "6 rows"],
    );
    folder.refused(
        &of("score", "level.toml", &["y.jsonl", "--delimiter", ";"]),
        &["--delimiter", "y.jsonl"],
    );
    folder.refused(
        &of("score", "level.toml", &["y.jsonl", "--header", "yes"]),
        &["--header", "y.jsonl"],
    );
    folder.refused(
        &of("smooth", "level.toml", &["y.csv", "--out", "-"]),
        &["- names no file"],
    );
    let many = [
        "fit",
        "y.csv",
        "--kind",
        "poisson",
        "--n-states",
        "7",
        "--out",
        "x.toml",
    ];
    folder.refused(&many, &["--n-states is 7", "6 observations"]);
    folder.refused(
        &of("residuals", "level.toml", &["none.csv"]),
        &["none.csv", "no row has a residual"],
    );
    let (out, err) = folder.good(&of("filter", "level.toml", &["spaces.csv"]));
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(err.contains("spaces.csv: 1 blank line was"), "{err}");
    folder.refused(&of("score", "level.toml", &["."]), &[". is a folder"]);
    folder.refused(
        &of("filter", "poisson.toml", &["--learn", "rmle", "y.csv"]),
        &["--learn=rmle"],
    );
}

/// A first cell that begins with a sign is a slip of the pen, not the name of a column: its row would vanish.
#[test]
fn a_slip_in_the_first_row_is_no_header() {
    let folder = folder(&[]);
    for cell in ["<0.01", "$5", "€5", "(5)", ">100", "½"] {
        folder.write("y.csv", &format!("{cell}\n6\n7\n"));
        folder.refused(
            &of("filter", "level.toml", &["y.csv"]),
            &["y.csv, line 1", cell],
        );
    }
    folder.write("named.csv", "°C\n6\n7\n");
    let (out, _) = folder.good(&of("filter", "level.toml", &["named.csv"]));
    assert_eq!(out.lines().count(), 2);
}

#[test]
fn text_behind_a_closing_quote() {
    let folder = folder(&[
        ("good.csv", "y\n\"12\"\n\"3\" \n4\n"),
        ("bad.csv", "y\n4\n\"1\"2\n3\n"),
        ("pair.csv", "x,y\n\"1\",\"2\"\n3,\"4\"5\n"),
    ]);
    let filter = |data| of("filter", "level.toml", &[data]);
    let (out, _) = folder.good(&filter("good.csv"));
    assert_eq!(out.lines().count(), 3);
    folder.refused(&filter("bad.csv"), &["bad.csv, line 3", "quote"]);
    let pair = of("filter", "pair.toml", &["pair.csv"]);
    folder.refused(&pair, &["pair.csv, line 3", "quote"]);
}

/// Times of no zone are not those of UTC, and days keep no microseconds.
#[test]
fn times_that_cannot_be_compared() {
    let folder = folder(&[
        (
            "zones.csv",
            "t,y\n2024-06-01T12:00Z,1\n2024-06-01T12:30,2\n",
        ),
        (
            "fine.csv",
            "when,y\n2024-06-01T12:00:00.001,1\n2024-06-01T12:00:00.003,2\n",
        ),
        (
            "seconds.csv",
            "when,y\n2024-06-01T12:00:00,1\n2024-06-01T12:00:01,2\n",
        ),
    ]);
    folder.refused(
        &of("filter", "level.toml", &["zones.csv", "--time", "t"]),
        &["zones.csv, line 3", "zone"],
    );
    folder.refused(
        &of("score", "timed.toml", &["fine.csv"]),
        &["fine.csv, line 3, column when", "write numbers"],
    );
    folder.good(&of("score", "timed.toml", &["seconds.csv"]));
    for (name, text) in [
        (
            "mixed.csv",
            "when,y\n2020-01-01T00:00:00,1\n2020-01-01T01:00:00+01:00,2\n",
        ),
        (
            "mixed.jsonl",
            "{\"when\":\"2020-01-01T00:00Z\",\"y\":1}\n{\"when\":\"2020-01-01T01:00\",\"y\":2}\n",
        ),
    ] {
        folder.write(name, text);
        folder.refused(
            &of("score", "timed.toml", &[name]),
            &[name, "when", "with a zone if that has one"],
        );
    }
}

/// The symbols of a fit are those of its alphabet, in its order.
#[test]
fn another_alphabet_than_that_of_the_fit() {
    let folder = folder(&[("c.csv", "c\nleft\nright\nleft\nright\nright\n")]);
    let fit = [
        "fit",
        "c.csv",
        "--kind",
        "categorical",
        "--n-states",
        "1",
        "--alphabet",
        "left,right",
        "--out",
        "c.toml",
    ];
    folder.good(&fit);
    let score = |alphabet| of("score", "c.toml", &["c.csv", "--alphabet", alphabet]);
    folder.good(&score("left,right"));
    folder.refused(
        &score("right,left"),
        &["c.toml", "left,right", "right,left"],
    );
}

#[test]
fn nothing_seen_and_files_of_another_kind() {
    let folder = folder(&[("none.csv", "y\nNA\nNA\n"), ("y.csv", "y\n1\n2\n")]);
    folder.refused(
        &of("score", "level.toml", &["none.csv"]),
        &["none.csv", "no row has an observation"],
    );
    for (verb, more) in [
        ("sample", &["--length", "3", "--out", "y.npy"][..]),
        ("filter", &["y.csv", "--out", "y.png"]),
        ("smooth", &["y.csv", "--out", "y.tsv"]),
        ("residuals", &["y.csv", "--out", "y.npz"]),
    ] {
        folder.refused(&of(verb, "level.toml", more), &[".csv or .jsonl"]);
    }
    let compare = of("compare", "poisson.toml", &["y.csv", "--from", "2"]);
    folder.refused(&compare, &["--from", "several models"]);
    let compare = of("compare", "poisson.toml", &["y.csv", "--orders", "1..3"]);
    folder.refused(&compare, &["--orders", "continuous-time"]);
}

/// Two arrays written to one file, of which numpy reads the first alone.
#[test]
fn a_second_array_in_a_file() {
    let folder = folder(&[]);
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
    let padded = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded.len() as u16).to_le_bytes());
    bytes.extend(padded.as_bytes());
    bytes.extend([1.0_f64, 2.0].iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(folder.path().join("one.npy"), &bytes).unwrap();
    folder.good(&of("score", "level.toml", &["one.npy"]));
    std::fs::write(folder.path().join("two.npy"), bytes.repeat(2)).unwrap();
    folder.refused(
        &of("score", "level.toml", &["two.npy"]),
        &["two.npy", "more bytes than the header says"],
    );
}

/// A missing row has no nats: what is said of an observation is of those that were seen, as `score` says it.
#[test]
fn nats_are_of_the_observations_that_were_seen() {
    let folder = folder(&[("y.csv", "y\n1\nNA\n2\n")]);
    let (_, said) = folder.good(&of("filter", "level.toml", &["y.csv"]));
    let score = folder.json(&of("score", "level.toml", &["y.csv", "--json"]));
    let each = score["per_observation"].as_f64().unwrap();
    let expected = format!("3 observations, 1 missing: {each:.4} nats per observation");
    assert!(
        said.replace('−', "-").contains(&expected),
        "{said}\n{expected}"
    );
}

/// An output that its inputs give exactly, and a column of which nothing was seen.
#[test]
fn what_a_fit_cannot_learn_of() {
    let rows = |of: &dyn Fn(u32) -> String| (1..10).map(of).collect::<String>();
    let folder = folder(&[
        (
            "flat.csv",
            &format!("y,x\n{}", rows(&|x| format!("3,{x}\n"))),
        ),
        (
            "line.csv",
            &format!(
                "y,x,z\n{}",
                rows(&|x| format!("{},{x},{}\n", 2 * x + 1, x * x % 7))
            ),
        ),
        (
            "spikes.csv",
            &format!(
                "a,b,c\n{}",
                rows(&|x| format!("{},NA,{}\n", x % 3, x * x % 4))
            ),
        ),
    ]);
    let out = ["--out", "x.toml", "--force"];
    let regression = |data, inputs| {
        let of = ["fit", data, "--kind", "linear-regression", "--columns", "y"];
        let states = ["--inputs", inputs, "--n-states", "2"];
        [&of[..], &states[..], &out[..]].concat()
    };
    let flat = regression("flat.csv", "x");
    folder.refused(&flat, &["the column y does not vary", "--pseudo-count"]);
    let line = regression("line.csv", "x,z");
    folder.refused(&line, &["y, x: each row is given by its inputs exactly"]);
    let plds = ["fit", "spikes.csv", "--kind", "plds", "--n-states", "1"];
    let plds = [&plds[..], &out[..]].concat();
    folder.refused(&plds, &["the column b has no observation", "leave it out"]);
}

/// Where ln p does not curve down there is no maximum, and nothing to be short of.
#[test]
fn what_a_summary_cannot_say() {
    let values = "kind = \"structural\"\ncomponents = [\"level\", \"ar:1\"]\n[fixed]\n\"ar.1\" = 0.5\n[values]\n\
                  irregular = 1.0\nlevel = 1.0\nar = 1.0\n";
    let large = (0..60u32).map(|t| format!("{}\n", 900 + t * t % 97 - 4 * t));
    let folder = folder(&[
        ("two.toml", values),
        ("y.csv", &format!("y\n{}", large.collect::<String>())),
        ("none.csv", "y\nNA\nNA\nNA\n"),
    ]);
    let summary = |model, data| of("summary", model, &[data]);
    let (out, err) = folder.good(&summary("two.toml", "y.csv"));
    assert!(!out.contains("shortfall"), "{out}");
    assert!(err.contains("not at a maximum"), "{err}");
    folder.refused(
        &summary("two.toml", "none.csv"),
        &["observations: found none"],
    );
    for model in ["level.toml", "poisson.toml"] {
        folder.refused(&summary(model, "none.csv"), &["no observation"]);
    }
}

/// A row that no state can have made is found in its file, by every command.
#[test]
fn impossible_rows_have_their_places() {
    let chain = "kind = \"hmm\"\ninitial = [1.0, 0.0]\ntransition = [[0.9, 0.1], [0.0, 1.0]]\n[emission]\n\
                 kind = \"categorical\"\nprobabilities = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]\n";
    let folder = folder(&[
        ("chain.toml", chain),
        ("a.csv", "s\n0\n1\n2\n2\n"),
        ("b.csv", "s\n0\n1\n2\n0\n1\n"),
    ]);
    let place = ["b.csv, line 5: observation 4"];
    folder.refused(&of("compare", "chain.toml", &["b.csv"]), &place);
    folder.refused(
        &of("compare", "chain.toml", &["b.csv", "--certify"]),
        &place,
    );
    folder.refused(&of("summary", "chain.toml", &["a.csv", "b.csv"]), &place);
    folder.refused(
        &of("fit", "chain.toml", &["a.csv", "b.csv", "--out", "x.toml"]),
        &place,
    );
}

/// Settings of the library are called as the options that set them.
#[test]
fn settings_are_called_as_their_options() {
    let folder = folder(&[("y.csv", "y\n1\n4\n0\n3\n6\n1\n0\n")]);
    let summary =
        |more: &[&'static str]| of("summary", "poisson.toml", &[&["y.csv"], more].concat());
    folder.refused(
        &summary(&["--level", "2"]),
        &["--level is 2, expected a probability"],
    );
    folder.refused(
        &summary(&["--hold", "nothing"]),
        &["--hold is nothing, expected initial[1]"],
    );
    let certify = |more: &[&'static str]| {
        of(
            "compare",
            "poisson.toml",
            &[&["y.csv", "--certify"], more].concat(),
        )
    };
    folder.refused(
        &certify(&["--particles", "1"]),
        &["--particles is 1, expected"],
    );
    folder.refused(&certify(&["--delta", "2"]), &["--delta is 2, expected"]);
    folder.refused(
        &["fit", "y.csv", "--out", "x.toml"],
        &["--kind", "--component", "--model"],
    );
    let floor = [
        "fit",
        "y.csv",
        "--kind",
        "poisson",
        "--variance-floor",
        "0.1",
        "--out",
        "x.toml",
    ];
    folder.refused(&floor, &["has no use for --variance-floor"]);
    let (out, _) = folder.good(&of("residuals", "poisson.toml", &["y.csv", "--lags", "7"]));
    assert!(out.contains("needs more of them than --lags"), "{out}");
}

/// y = x + x²/5 has two modes, of which the filter follows one.
#[test]
fn a_bound_far_below_ln_p_is_said() {
    let model = "kind = \"sin-quadratic\"\nq = 0.1\nr = 0.2\nm0 = 0.1\nv0 = 0.5\n";
    let mut state: f64 = 0.1;
    let y: Vec<f64> = super::noise(160)
        .chunks(2)
        .map(|e| {
            state = 0.9 * state + 0.8 * state.sin() + 2.0 * e[0];
            state + 0.2 * state * state + 0.3 * e[1]
        })
        .collect();
    let folder = folder(&[("sin.toml", model), ("y.csv", &super::table("y", &[&y]))]);
    let score = folder.json(&of("score", "sin.toml", &["y.csv", "--json"]));
    let note = score["note"].as_str().unwrap_or_default();
    assert!(
        note.contains("nats on a grid") && note.contains("above the bound"),
        "{score}"
    );
}

/// Options that would change nothing.
#[test]
fn a_column_twice_and_a_seed_of_nothing() {
    let folder = folder(&[("y.csv", "y,x\n1,2\n4,1\n0,3\n")]);
    for (verb, columns) in [("filter", "y,y"), ("filter", "y,1"), ("compare", "x,x")] {
        folder.refused(
            &of(verb, "pair.toml", &["y.csv", "--columns", columns]),
            &["y.csv", "a second time", "--columns"],
        );
    }
    folder.good(&of("filter", "pair.toml", &["y.csv", "--columns", "x,y"]));
    let one = ["y.csv", "--columns", "y", "--seed", "3"];
    let with = |verb, more: &[&'static str]| of(verb, "poisson.toml", &[&one[..], more].concat());
    folder.refused(&with("forecast", &[]), &["--seed", "--samples"]);
    folder.good(&with("forecast", &["--samples", "2"]));
    let middle = with("residuals", &["--method", "mid-quantile"]);
    folder.refused(&middle, &["--seed", "mid-quantile"]);
    folder.good(&with("residuals", &[]));
}

/// The number of an observation is that of its row, whichever part of a fit refuses it.
#[test]
fn an_exposure_of_zero_has_the_number_of_its_row() {
    let folder = folder(&[
        ("first.csv", "h,y\n0,2\n1,3\n2,4\n1,1\n"),
        ("second.csv", "h,y\n1,2\n0,3\n2,4\n1,1\n"),
        ("fourth.csv", "h,y\n1,2\n2,3\n2,4\n0,1\n"),
    ]);
    for kind in ["poisson", "negative-binomial"] {
        for (file, line, number) in [
            ("first.csv", 2, 1),
            ("second.csv", 3, 2),
            ("fourth.csv", 5, 4),
        ] {
            let fit = [
                "fit",
                file,
                "--kind",
                kind,
                "--exposure",
                "h",
                "--n-states",
                "1",
                "--out",
                "x.toml",
            ];
            let place = format!("{file}, line {line}, column h: observation {number},");
            folder.refused(&fit, &[&place, "an exposure above 0"]);
        }
    }
}
