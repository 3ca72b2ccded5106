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
