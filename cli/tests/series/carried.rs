//! What a model file says beside the model, where filters are saved, written and compared.

use super::Folder;

const FAIR: &str = "initial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"categorical\"\nprobabilities = [[0.9, 0.1]]\n";
const POISSON: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n[emission]\n\
                       kind = \"poisson\"\nrates = [[2.0], [9.0]]\n";

fn folder() -> Folder {
    let of = |alphabet: &str| format!("kind = \"hmm\"\n{alphabet}{FAIR}");
    Folder::with(&[
        ("an.toml", &of("alphabet = [\"1\", \"0\"]\n")),
        ("an01.toml", &of("alphabet = [\"0\", \"1\"]\n")),
        ("plain.toml", &of("")),
        ("an.csv", "c\n1\n1\n1\n0\n"),
        ("poisson.toml", POISSON),
        ("p1.csv", "1\n2\n3\n4\n5\n"),
        ("p2.csv", "3\n7\n"),
        ("t1.csv", "t,y\n1,1\n2,2\n"),
        ("t2.csv", "t,y\n3,1\n4,2\n"),
    ])
}

/// ln p of three symbols of 0.9 and one of 0.1.
fn once() -> f64 {
    3.0 * 0.9_f64.ln() + 0.1_f64.ln()
}

/// ln p of a model on an.csv.
fn score(folder: &Folder, model: &str, more: &[&str]) -> f64 {
    let all = [&["score", "--model", model, "an.csv", "--json"], more].concat();
    folder.json(&all)["log_evidence"].as_f64().unwrap()
}

/// The running sum at the end of what a filter writes.
fn last_elbo(lines: &str) -> f64 {
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    last["elbo"].as_f64().unwrap()
}

#[test]
fn a_saved_filter_has_its_symbols() {
    let folder = folder();
    for (model, more) in [("an.toml", &[][..]), ("plain.toml", &["--alphabet", "1,0"])] {
        let first = [
            &[
                "filter", "--model", model, "an.csv", "--save", "ss", "--every", "0",
            ],
            more,
        ]
        .concat();
        folder.good(&first);
        let (lines, _) = folder.good(&["filter", "--resume", "ss", "an.csv"]);
        assert!((last_elbo(&lines) - 2.0 * once()).abs() < 1e-12, "{lines}");
        let same = ["filter", "--resume", "ss", "an.csv", "--alphabet", "1,0"];
        assert_eq!(folder.good(&same).0, lines);
        folder.refused(
            &["filter", "--resume", "ss", "an.csv", "--alphabet", "0,1"],
            &["ss was saved with --alphabet 1,0", "0,1"],
        );
    }
    // A filter that was given no symbols takes numbers, as before.
    folder.good(&["filter", "--model", "plain.toml", "an.csv", "--save", "ss"]);
    let (lines, _) = folder.good(&["filter", "--resume", "ss", "an.csv"]);
    let zeros = 0.9_f64.ln() + 3.0 * 0.1_f64.ln();
    assert!((last_elbo(&lines) - 2.0 * zeros).abs() < 1e-12, "{lines}");
}

#[test]
fn models_of_other_symbols_are_not_compared() {
    let folder = folder();
    assert!((score(&folder, "an.toml", &[]) - once()).abs() < 1e-12);
    let compare = |models: [&'static str; 2], more: &[&'static str]| {
        let models = ["--model", models[0], "--model", models[1]];
        [&["compare", "an.csv", "--json"], &models[..], more].concat()
    };
    let said = ["an.toml has the alphabet 1,0", "an01.toml has 0,1"];
    folder.refused(&compare(["an.toml", "an01.toml"], &[]), &said);
    let said = ["plain.toml has the alphabet none", "an.toml has 1,0"];
    folder.refused(&compare(["plain.toml", "an.toml"], &[]), &said);
    let told = folder.json(&compare(["plain.toml", "an.toml"], &["--alphabet", "1,0"]));
    for row in told["rows"].as_array().unwrap() {
        assert!(
            (row["log_evidence"].as_f64().unwrap() - once()).abs() < 1e-12,
            "{row}"
        );
    }
}

#[test]
fn a_filtered_model_keeps_what_its_file_says() {
    let folder = folder();
    let filter = |model, out, more: &[&'static str]| {
        let all = [
            "filter",
            "--model",
            model,
            "an.csv",
            "--every",
            "0",
            "--model-out",
            out,
        ];
        folder.good(&[&all[..], more].concat());
        std::fs::read_to_string(folder.path().join(out)).unwrap()
    };
    let text = filter("an.toml", "am.toml", &["--learn"]);
    assert!(text.contains("alphabet = [\"1\", \"0\"]"), "{text}");
    // So few observations change no parameter.
    assert!((score(&folder, "am.toml", &[]) - once()).abs() < 1e-12);
    folder.good(&[
        "filter", "--model", "an.toml", "an.csv", "--save", "ss", "--every", "0",
    ]);
    let resumed = [
        "filter",
        "--resume",
        "ss",
        "an.csv",
        "--every",
        "0",
        "--model-out",
        "ar.toml",
    ];
    folder.good(&resumed);
    assert!((score(&folder, "ar.toml", &[]) - once()).abs() < 1e-12);
    // What is said of a fit is true as long as its parameters are.
    let level = "kind = \"linear-gaussian\"\nfree_parameters = 2\nlearned = [\"Q\", \"R\"]\ncolumns = [\"x\", \"y\"]\n\
                 initial_mean = [0.0]\ninitial_covariance = [[1.0]]\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                 observation = [[1.0], [0.5]]\n\
                 observation_noise = [[1.0, 0.0], [0.0, 1.0]]\n";
    folder.write("level.toml", level);
    folder.write("an.csv", "x,y\n1,2\n2,3\n");
    let text = filter("level.toml", "kept.toml", &[]);
    for line in [
        "free_parameters = 2",
        "learned = [\"Q\", \"R\"]",
        "columns = [\"x\", \"y\"]",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let text = filter(
        "level.toml",
        "changed.toml",
        &["--learn", "--columns", "y,x"],
    );
    assert!(text.contains("columns = [\"y\", \"x\"]"), "{text}");
    // The number is of the parameters that the fit chose; which of them are learned stays.
    assert!(!text.contains("free_parameters"), "{text}");
    assert!(text.contains("learned = [\"Q\", \"R\"]"), "{text}");
}

#[test]
fn lines_are_continued_under_their_own_header() {
    let folder = folder();
    let begin = |more: &[&'static str]| {
        let all = [
            "filter",
            "--model",
            "poisson.toml",
            "p1.csv",
            "--out",
            "oo.csv",
            "--save",
            "ss",
        ];
        folder.good(&[&all[..], more].concat());
    };
    let resume = |more: &[&'static str]| {
        let all = ["filter", "--resume", "ss", "p2.csv", "--out", "oo.csv"];
        [&all[..], more].concat()
    };
    let alarm = ["--alarm", "0.05"];
    begin(&alarm);
    folder.refused(&resume(&[]), &["another header", "tail,alarm", "--force"]);
    folder.good(&resume(&alarm));
    begin(&[]);
    folder.refused(&resume(&alarm), &["another header", "tail,alarm"]);
    folder.good(&resume(&[]));
    let text = std::fs::read_to_string(folder.path().join("oo.csv")).unwrap();
    assert_eq!(text.lines().count(), 8);
    assert!(
        text.lines().all(|line| line.split(',').count() == 6),
        "{text}"
    );
    folder.good(&[
        "filter",
        "--model",
        "poisson.toml",
        "t1.csv",
        "--columns",
        "y",
        "--out",
        "oo.csv",
        "--save",
        "ss",
    ]);
    let timed = [
        "filter", "--resume", "ss", "t2.csv", "--time", "t", "--out", "oo.csv",
    ];
    folder.refused(&timed, &["another header", "time"]);
    folder.good(&[&timed[..], &["--force"]].concat());
}

/// Nanoseconds since 1970 have more digits than a double.
#[test]
fn long_times_keep_their_digits() {
    let folder = folder();
    let row = |t: u64| format!("{{\"t\":17000000000000000{t:02},\"y\":{t}}}\n");
    folder.write("ns.jsonl", &[0, 1, 2].map(row).concat());
    folder.write("next.jsonl", &[3, 4].map(row).concat());
    let filter = [
        "filter",
        "--time",
        "t",
        "--model",
        "poisson.toml",
        "ns.jsonl",
        "--save",
        "ss",
    ];
    let (lines, _) = folder.good(&filter);
    for (t, line) in lines.lines().enumerate() {
        let time = format!("\"time\":\"17000000000000000{t:02}\"");
        assert!(line.contains(&time), "{line}");
    }
    folder.good(&["filter", "--time", "t", "--resume", "ss", "next.jsonl"]);
    let repeated = ["filter", "--time", "t", "--resume", "ss", "ns.jsonl"];
    folder.refused(
        &repeated,
        &["found the time 1700000000000000000", "1700000000000000002"],
    );
    let ahead = [
        "forecast",
        "--time",
        "t",
        "--model",
        "poisson.toml",
        "ns.jsonl",
        "--ahead",
        "2",
    ];
    let (lines, _) = folder.good(&ahead);
    for time in ["1700000000000000003", "1700000000000000004"] {
        assert!(lines.contains(&format!("\"time\":\"{time}\"")), "{lines}");
    }
    folder.write("back.jsonl", &[1, 0].map(row).concat());
    let back = [
        "score",
        "--time",
        "t",
        "--model",
        "poisson.toml",
        "back.jsonl",
    ];
    folder.refused(
        &back,
        &[
            "back.jsonl, line 2, column t",
            "1700000000000000000",
            "sort the rows",
        ],
    );
}
