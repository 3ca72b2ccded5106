//! Models with inputs beside models without, on the same observations.

use super::{Folder, noise, table};

#[test]
fn models_of_other_inputs_are_ranked_on_the_same_observations() {
    let (e, u, v) = (
        noise(120),
        noise(240)[120..].to_vec(),
        noise(360)[240..].to_vec(),
    );
    let y: Vec<f64> = e.iter().zip(&u).map(|(e, u)| 0.5 * e + 2.0 * u).collect();
    let level = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    let given =
        |name: &str, effect: &str| format!("{level}inputs = [\"{name}\"]\ndirect = [[{effect}]]\n");
    let folder = Folder::with(&[
        ("all.csv", &table("u,y,v", &[&u, &y, &v])),
        ("y.csv", &table("y", &[&y])),
        ("none.toml", level),
        ("u.toml", &given("u", "2.0")),
        ("v.toml", &given("v", "0.0")),
    ]);
    let compare = |more: &[&str]| {
        let all = [
            "compare",
            "all.csv",
            "--json",
            "--model",
            "none.toml",
            "--model",
            "u.toml",
        ];
        folder.json(&[&all[..], &["--model", "v.toml"], more].concat())
    };
    let told = compare(&[]);
    let rows = told["rows"].as_array().unwrap();
    let nats = |name: &str| {
        let row = rows.iter().find(|row| row["model"] == name).unwrap();
        row["log_evidence"].as_f64().unwrap()
    };
    assert_eq!(rows[0]["model"], "u.toml");
    // An input without effect changes nothing, and neither does a column that the model does not read.
    assert!((nats("v.toml") - nats("none.toml")).abs() < 1e-9); // rounding
    let alone = folder.json(&["score", "--model", "none.toml", "y.csv", "--json"]);
    assert_eq!(nats("none.toml"), alone["log_evidence"].as_f64().unwrap());
    let alone = folder.json(&[
        "score",
        "--model",
        "u.toml",
        "all.csv",
        "--columns",
        "y",
        "--json",
    ]);
    assert_eq!(nats("u.toml"), alone["log_evidence"].as_f64().unwrap());
    // Named columns are the same.
    assert_eq!(compare(&["--columns", "y"])["rows"], told["rows"]);
    let two = format!(
        "{}\n",
        level.replace("observation = [[1.0]]", "observation = [[1.0], [1.0]]")
    );
    folder.write(
        "two.toml",
        &two.replace(
            "observation_noise = [[1.0]]",
            "observation_noise = [[1.0, 0.0], [0.0, 1.0]]",
        ),
    );
    let wide = [
        "compare", "all.csv", "--model", "u.toml", "--model", "two.toml",
    ];
    folder.refused(&wide, &["u.toml predicts 1", "two.toml predicts 2"]);
}

#[test]
fn a_prequential_score_that_there_is_not_is_refused_in_words() {
    let level = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    let folder = Folder::with(&[
        ("all.csv", "u,y\n1,2\n2,3\n4,4\n"),
        ("none.toml", level),
        ("u.toml", &format!("{level}inputs = [\"u\"]\n")),
    ]);
    let by = [
        "compare",
        "all.csv",
        "--model",
        "none.toml",
        "--model",
        "u.toml",
        "--by",
        "prequential",
    ];
    folder.refused(&by, &["--by prequential: u.toml is given u", "evidence"]);
    let learn = [
        "filter",
        "--model",
        "u.toml",
        "all.csv",
        "--columns",
        "y",
        "--learn",
    ];
    folder.refused(&learn, &["cannot learn online", "scotopic fit"]);
    let hmm = "initial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n";
    let emission = "[emission]\nkind = \"poisson\"\nrates = [[1.0], [5.0]]\n";
    let driven = format!(
        "kind = \"hmm\"\n{hmm}transition_inputs = [\"u\"]\ntransition_weights = [[[0.0], [1.0]], [[0.0], [0.0]]]\n{emission}"
    );
    folder.write("d.toml", &driven);
    folder.write("p.toml", &format!("kind = \"hmm\"\n{hmm}{emission}"));
    let by = [
        "compare",
        "all.csv",
        "--model",
        "p.toml",
        "--model",
        "d.toml",
        "--by",
        "prequential",
    ];
    folder.refused(&by, &["--by prequential: d.toml is given u", "evidence"]);
    let learn = [
        "filter",
        "--model",
        "d.toml",
        "all.csv",
        "--columns",
        "y",
        "--learn",
    ];
    folder.refused(&learn, &["cannot learn online", "scotopic fit"]);
}

const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";

/// Models are ranked over several series by sums of what each series gives alone.
#[test]
fn several_series_add_up() {
    let other = LEVEL.replace("[[0.5]]", "[[0.9]]");
    let rows = noise(150);
    let folder = Folder::with(&[
        ("a.csv", &table("y", &[&rows[..60]])),
        ("b.csv", &table("y", &[&rows[60..]])),
        ("m.toml", LEVEL),
        ("n.toml", &other),
    ]);
    let compare = |files: &[&str], more: &[&str]| {
        let models = ["--model", "m.toml", "--model", "n.toml", "--json"];
        folder.json(&[&["compare"], files, &models[..], more].concat())
    };
    let told = |value: &serde_json::Value, model: &str, key: &str| {
        let rows = value["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["model"] == model).unwrap();
        row[key].as_f64().unwrap()
    };
    for more in [&[][..], &["--by", "prequential", "--from", "20"]] {
        let both = compare(&["a.csv", "b.csv"], more);
        let each = [compare(&["a.csv"], more), compare(&["b.csv"], more)];
        assert_eq!(both["series"], 2);
        assert_eq!(both["observations"], 150);
        for model in ["m.toml", "n.toml"] {
            let keys = ["log_evidence", "prequential"];
            for key in &keys[..if more.is_empty() { 1 } else { 2 }] {
                let sum: f64 = each.iter().map(|one| told(one, model, key)).sum();
                let found = told(&both, model, key);
                assert!((found - sum).abs() < 1e-9, "{key}: {found} {sum}"); // rounding
            }
            let mean = told(&both, model, "log_evidence") / 150.0;
            assert!((told(&both, model, "per_observation") - mean).abs() < 1e-12); // rounding
        }
    }
    let models = ["--model", "m.toml", "--model", "n.toml"];
    let (out, _) =
        folder.good(&[&["compare", "a.csv", "b.csv", "--out", "c"][..], &models].concat());
    assert!(out.contains("2 models, 150 rows of 2 series"), "{out}");
    assert!(folder.path().join("c/models.svg").exists());
    // What is of one series is refused for two.
    let one = ["compare", "a.csv", "b.csv", "--model", "m.toml"];
    folder.refused(&one, &["2 files are named", "give one", "several --model"]);
    folder.refused(
        &[&["compare", "a.csv", "b.csv", "--certify"][..], &models].concat(),
        &["2 files are named", "give one"],
    );
    let late = ["compare", "a.csv", "b.csv", "--from", "91"];
    let by = ["--by", "prequential"];
    folder.refused(
        &[&late[..], &models, &by].concat(),
        &["--from is 91", "the longest of 2 series has 90 rows"],
    );
}

/// Trials of one file are series too.
#[test]
fn trials_add_up() {
    let poisson = |rate: &str| {
        format!(
            "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\nrates = [[{rate}]]\n"
        )
    };
    let folder = Folder::with(&[("m.toml", &poisson("1.0")), ("n.toml", &poisson("0.5"))]);
    let arrays = [
        ("a", &[0.001, 0.012, 0.024, 1.001][..]),
        ("trial_start", &[0.0, 1.0]),
        ("trial_stop", &[0.03, 1.02]),
    ];
    std::fs::write(folder.path().join("s.npz"), super::npz::npz(&arrays)).unwrap();
    let all = [
        "compare", "s.npz", "--bin", "10ms", "--model", "m.toml", "--json",
    ];
    let told = folder.json(&[&all[..], &["--model", "n.toml"]].concat());
    assert_eq!(
        (&told["series"], &told["observations"]),
        (&2.into(), &5.into())
    );
    // Five bins of 1, 1, 1, 1 and 0 spikes: Σ n ln λ − λ.
    for (row, rate) in [(1, 1.0f64), (0, 0.5)] {
        let exact = 4.0 * rate.ln() - 5.0 * rate;
        let rows = told["rows"].as_array().unwrap();
        let name = ["n.toml", "m.toml"][row];
        let found = rows.iter().find(|row| row["model"] == name).unwrap();
        let found = found["log_evidence"].as_f64().unwrap();
        assert!((found - exact).abs() < 1e-12, "{name}: {found} {exact}"); // rounding
    }
    folder.refused(&all, &["s.npz has 2 trials", "--trial", "several --model"]);
}

/// Parameters that were fitted to the rows that are scored have seen them: the score says from which parameters learning begins.
#[test]
fn a_prequential_score_says_where_learning_begins() {
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&noise(150)])),
        ("m.toml", LEVEL),
        ("n.toml", &LEVEL.replace("[[0.5]]", "[[0.9]]")),
    ]);
    let compare = |more: &[&str]| {
        let all = ["compare", "y.csv", "--model", "m.toml", "--model", "n.toml"];
        folder.good(&[&all[..], more].concat()).0
    };
    for (from, said) in [
        (&["--from", "100"][..], "to rows 1 to 99 alone"),
        (&[], "give --from N"),
    ] {
        let by = [&["--by", "prequential"], from].concat();
        let text = compare(&by);
        let json: serde_json::Value =
            serde_json::from_str(&compare(&[&by[..], &["--json"]].concat())).unwrap();
        for told in [text.as_str(), json["note"].as_str().unwrap()] {
            assert!(told.contains("begins from the parameters in the files"));
            assert!(told.contains(said), "{told}");
        }
    }
    assert!(!compare(&[]).contains("prequential"));
}

/// What is of one model, or of one score, is refused of several.
#[test]
fn options_that_would_be_ignored() {
    let level = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    let folder = Folder::with(&[
        ("a.toml", level),
        ("b.toml", &level.replace("0.9", "0.5")),
        ("y.csv", "y\n1\n2\n0\n"),
        ("na.csv", "y\nNA\nNA\n"),
    ]);
    let compare = |data: &'static str, more: &[&'static str]| {
        let both = ["compare", data, "--model", "a.toml", "--model", "b.toml"];
        [&both[..], more].concat()
    };
    folder.good(&compare("y.csv", &[]));
    folder.refused(
        &compare("y.csv", &["--from", "2"]),
        &["--from", "--by prequential"],
    );
    folder.refused(
        &compare("y.csv", &["--orders", "1..3"]),
        &["--orders is for one model"],
    );
    folder.refused(
        &compare("na.csv", &[]),
        &["na.csv", "no row has an observation"],
    );
}
