//! What a filter learns, and what it says of it.

use super::{Folder, noise, table};

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";

/// A matrix of one entry, or a vector, of a model file.
fn value(text: &str, key: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{key} = ")));
    let line = line.unwrap_or_else(|| panic!("no {key} in {text}"));
    let number = line
        .split_once('=')
        .unwrap()
        .1
        .trim()
        .trim_matches(['[', ']']);
    number.parse().unwrap()
}

#[test]
fn every_rule_says_how_often_it_has_updated_the_parameters() {
    let y = noise(60);
    let counts: Vec<f64> = y.iter().map(|x| (2.0 * x + 2.0).floor()).collect();
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&y])),
        ("long.csv", &table("y", &[&noise(260)])),
        ("counts.csv", &table("y", &[&counts])),
        ("level.toml", LEVEL),
        (
            "sv.toml",
            "kind = \"stochastic-volatility\"\na = 0.95\nq = 0.1\nbeta = 0.6\nm0 = 0.0\nv0 = 1.0\n",
        ),
        (
            "ar.toml",
            "kind = \"ar1-poisson\"\na = 0.5\nc = 0.0\nq = 0.1\nm0 = 0.0\nv0 = 1.0\n",
        ),
        (
            "ou.toml",
            "kind = \"generalised\"\noutput_precision = 4.0\nmotion_precision = 4.0\nstart_variance = 1.0\n\
             output_log_variance = 1.0\n[equations]\nkind = \"ornstein_uhlenbeck\"\ntime_step = 0.1\n[embedding]\nstates = 2\n",
        ),
    ]);
    let never = "the parameters were never updated: the rule needs more observations than these";
    for (model, data, rule, said) in [
        ("level.toml", "y.csv", "--learn", never),
        ("level.toml", "y.csv", "--learn=online-em", never),
        ("level.toml", "y.csv", "--learn=rmle", never),
        (
            "level.toml",
            "long.csv",
            "--learn",
            "parameters updated 2 times",
        ),
        (
            "level.toml",
            "long.csv",
            "--learn=online-em",
            "parameters updated 2 times",
        ),
        (
            "level.toml",
            "long.csv",
            "--learn=rmle",
            "parameters updated 161 times",
        ),
        // The first observation is of an unknown state.
        ("sv.toml", "y.csv", "--learn", "parameters updated 59 times"),
        (
            "ar.toml",
            "counts.csv",
            "--learn",
            "parameters updated 59 times",
        ),
        ("ou.toml", "y.csv", "--learn", "parameters updated 60 times"),
    ] {
        let (_, err) = folder.good(&["filter", data, "--model", model, rule, "--every", "0"]);
        assert!(err.contains(said), "{model} {rule}: {err}");
    }
}

#[test]
fn only_what_a_file_names_is_learned() {
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&noise(400)])),
        ("level.toml", &format!("learned = [\"Q\", \"R\"]\n{LEVEL}")),
        ("start.toml", &format!("learned = [\"initial\"]\n{LEVEL}")),
        ("all.toml", LEVEL),
    ]);
    let learn = |model: &str, rule: &str| {
        let filter = [
            "filter",
            "y.csv",
            "--model",
            model,
            rule,
            "--every",
            "0",
            "--model-out",
            "out.toml",
        ];
        folder.good(&filter);
        std::fs::read_to_string(folder.path().join("out.toml")).unwrap()
    };
    for rule in ["--learn", "--learn=online-em", "--learn=rmle"] {
        let text = learn("level.toml", rule);
        assert!(text.contains("learned = [\"Q\", \"R\"]"), "{text}");
        assert_eq!(
            [value(&text, "transition"), value(&text, "observation")],
            [0.9, 1.0],
            "{text}"
        );
        assert!(value(&text, "process_noise") != 1.0 && value(&text, "observation_noise") != 1.0);
        // All of it without a word about that.
        let text = learn("all.toml", rule);
        assert!(
            !text.contains("learned") && value(&text, "observation") != 1.0,
            "{text}"
        );
    }
    // A filter that goes on after a break learns the same.
    folder.write("a.csv", &table("y", &[&noise(400)[..250]]));
    folder.write("b.csv", &table("y", &[&noise(400)[250..]]));
    folder.good(&[
        "filter",
        "a.csv",
        "--model",
        "level.toml",
        "--learn",
        "--every",
        "0",
        "--save",
        "s",
    ]);
    folder.good(&[
        "filter",
        "b.csv",
        "--resume",
        "s",
        "--every",
        "0",
        "--model-out",
        "two.toml",
    ]);
    let two = std::fs::read_to_string(folder.path().join("two.toml")).unwrap();
    assert_eq!(two, learn("level.toml", "--learn"));
    let nothing = ["filter", "y.csv", "--model", "start.toml", "--learn"];
    folder.refused(
        &nothing,
        &["learned = [\"initial\"]", "F, b, Q, H, d and R"],
    );
    // The prequential score is of parameters that are learned likewise.
    let prequential = |model: &str| {
        let by = [
            "compare",
            "y.csv",
            "--model",
            model,
            "--model",
            "all.toml",
            "--by",
            "prequential",
            "--json",
        ];
        let rows = folder.json(&by);
        let rows = rows["rows"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["model"] == model).unwrap();
        row["prequential"].as_f64().unwrap()
    };
    let filtered = folder
        .good(&[
            "filter",
            "y.csv",
            "--model",
            "level.toml",
            "--learn",
            "--out-format",
            "csv",
        ])
        .0;
    let last: f64 = filtered
        .lines()
        .last()
        .unwrap()
        .split(',')
        .nth(3)
        .unwrap()
        .parse()
        .unwrap();
    // The same increments, added up in another way: rounding.
    assert!((prequential("level.toml") - last).abs() < 1e-9);
}

#[test]
fn a_structural_model_is_fitted_and_not_learned_online() {
    let level =
        "kind = \"structural\"\ncomponents = [\"level\"]\n[values]\nlevel = 1.0\nirregular = 2.0\n";
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&noise(120)])),
        ("s.toml", level),
        ("level.toml", LEVEL),
    ]);
    folder.good(&["filter", "y.csv", "--model", "s.toml", "--every", "0"]);
    let learn = [
        "filter",
        "y.csv",
        "--model",
        "s.toml",
        "--learn",
        "--model-out",
        "x.toml",
    ];
    folder.refused(
        &learn,
        &["s.toml", "structural", "scotopic fit --model s.toml"],
    );
    assert!(!folder.path().join("x.toml").exists());
    let by = [
        "compare",
        "y.csv",
        "--model",
        "s.toml",
        "--model",
        "level.toml",
        "--by",
        "prequential",
    ];
    folder.refused(&by, &["--by prequential: s.toml is structural", "evidence"]);
}

#[test]
fn passes_of_a_rule_say_how_they_ended() {
    let counts: Vec<f64> = noise(300)
        .iter()
        .enumerate()
        .map(|(t, x)| {
            let rate = if t / 30 % 2 == 0 { 1.0 } else { 6.0 };
            (rate * (1.0 + 0.8 * x)).round()
        })
        .collect();
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&counts])),
        (
            "hmm.toml",
            "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n[emission]\nkind = \"poisson\"\n\
             rates = [[2.0], [9.0]]\n",
        ),
    ]);
    let fit = |more: &[&str]| {
        let all = [
            &["fit", "y.csv", "--out", "x.toml", "--force", "--json"][..],
            more,
        ]
        .concat();
        folder.json(&all)["fits"][0].clone()
    };
    let best = fit(&["--model", "hmm.toml"])["log_evidence"]
        .as_f64()
        .unwrap();
    let one = fit(&["--model", "hmm.toml", "--rule", "rmle", "--passes", "1"]);
    let ten = fit(&["--model", "hmm.toml", "--rule", "rmle"]);
    let of = |fit: &serde_json::Value| fit["log_evidence"].as_f64().unwrap();
    // A nat or two below, where the first pass ends tens of nats below.
    assert!((0.0..4.0).contains(&(best - of(&ten))), "{best} {ten}");
    assert!(of(&ten) > of(&one) + 1.0);
    assert!(
        one["warnings"]
            .to_string()
            .contains("more --passes would gain more"),
        "{one}"
    );
    assert!(
        !ten["warnings"].to_string().contains("would gain more"),
        "{ten}"
    );
    let from_data = [
        "fit",
        "y.csv",
        "--kind",
        "poisson",
        "--n-states",
        "2",
        "--rule",
        "rmle",
        "--out",
        "z.toml",
    ];
    folder.refused(&from_data, &["--rule", "--model"]);
}

#[test]
fn equations_in_continuous_time_are_fitted_by_passes() {
    let mut at = 0.0;
    let walk: Vec<f64> = noise(300)
        .iter()
        .map(|e| {
            at += -0.1 * at + 0.3 * e;
            at
        })
        .collect();
    let y: Vec<f64> = walk
        .iter()
        .zip(noise(600)[300..].iter())
        .map(|(x, e)| x + 0.5 * e)
        .collect();
    let model = "kind = \"generalised\"\noutput_precision = 100.0\nmotion_precision = 4.0\nstart_variance = 1.0\n\
                 output_log_variance = 4.0\n[equations]\nkind = \"ornstein_uhlenbeck\"\ntime_step = 0.1\n[embedding]\nstates = 2\n";
    let known = model.replace("output_log_variance = 4.0\n", "");
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&y])),
        ("ou.toml", model),
        ("known.toml", &known),
    ]);
    let score = |model: &str| {
        let told = folder.json(&["score", "y.csv", "--model", model, "--json"]);
        told["log_evidence"].as_f64().unwrap()
    };
    let fit = folder.json(&[
        "fit", "y.csv", "--model", "ou.toml", "--passes", "4", "--out", "f.toml", "--json",
    ]);
    let found = fit["fits"][0]["log_evidence"].as_f64().unwrap();
    // The number is that of the file that was written, and above the start.
    assert!((found - score("f.toml")).abs() < 1e-9 * found.abs());
    assert!(found > score("ou.toml") + 1.0, "{found}");
    assert_eq!(fit["fits"][0]["parameters"], 1);
    folder.refused(
        &["fit", "y.csv", "--model", "known.toml", "--out", "n.toml"],
        &["nothing to learn", "output_log_variance"],
    );
}

/// A level without a start in its file is diffuse, though no key says so.
#[test]
fn a_start_that_is_diffuse_for_want_of_another_is_called_so() {
    let walk = "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                observation_noise = [[1.0]]\n";
    let folder = Folder::with(&[("walk.toml", walk), ("y.csv", "y\n1\n2\n3\n")]);
    folder.refused(
        &["filter", "y.csv", "--model", "walk.toml", "--learn"],
        &[
            "diffuse",
            "for want of another",
            "give initial_mean and initial_covariance",
        ],
    );
}
