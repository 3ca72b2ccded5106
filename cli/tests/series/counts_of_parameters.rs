//! The number of free parameters: `fit`, `summary` and `compare` count the same.

use super::{Folder, noise, table};

/// A row of `fit`, `summary` and `compare` of one model: parameters and BIC of each.
#[track_caller]
fn all_agree(folder: &Folder, model: &str, data: &[&str], fit: &serde_json::Value) {
    let fit = &fit["fits"][0];
    let (count, bic) = (&fit["parameters"], fit["bic"].as_f64().unwrap());
    let json = |command: &[&str]| folder.json(&[command, data, &["--json"]].concat());
    let summary = json(&["summary", "--model", model]);
    let compare = json(&["compare", "--model", model, "--model", model]);
    let compare = &compare["rows"][0];
    assert_eq!(&summary["free_parameters"], count, "summary of {model}");
    assert_eq!(&compare["parameters"], count, "compare of {model}");
    for (told, by) in [(&summary["bic"], "summary"), (&compare["bic"], "compare")] {
        let told = told.as_f64().unwrap();
        // ln p is summed in another order.
        assert!(
            (told - bic).abs() < 1e-6 * bic.abs(),
            "{by} of {model}: {told} {bic}"
        );
    }
}

fn folder() -> Folder {
    let (x, e) = (noise(300), noise(600)[300..].to_vec());
    let u = noise(900)[600..].to_vec();
    let mut level = 0.0;
    let walk = x.iter().zip(&e).map(|(x, e)| {
        level = 0.9 * level + x;
        level + 0.5 * e
    });
    let walk: Vec<f64> = walk.collect();
    let counts: Vec<f64> = x.iter().map(|x| (4.0 * x + 4.0).floor()).collect();
    Folder::with(&[("d.csv", &table("y,count,u", &[&walk, &counts, &u]))])
}

#[test]
fn fits_from_the_data() {
    let folder = folder();
    for (column, how) in [
        ("count", &["--kind", "poisson", "--n-states", "2"][..]),
        (
            "y",
            &[
                "--kind",
                "linear-gaussian",
                "--n-states",
                "1",
                "--restarts",
                "2",
            ],
        ),
        (
            "y",
            &[
                "--kind",
                "linear-gaussian",
                "--n-states",
                "1",
                "--restarts",
                "2",
                "--learn",
                "F,Q,R",
            ],
        ),
        (
            "y",
            &[
                "--kind",
                "linear-gaussian",
                "--n-states",
                "1",
                "--restarts",
                "1",
                "--inputs",
                "u",
            ],
        ),
        ("y", &["--component", "level,ar:1", "--restarts", "2"]),
        ("y", &["--component", "level,cycle", "--restarts", "2"]),
    ] {
        let fit = [
            "fit",
            "d.csv",
            "--columns",
            column,
            "--out",
            "m.toml",
            "--force",
            "--json",
        ];
        let fitted = folder.json(&[&fit[..], how].concat());
        all_agree(&folder, "m.toml", &["d.csv", "--columns", column], &fitted);
    }
}

/// From left to right through three states: two transitions and three rates are free, and no zero of A or of the start.
#[test]
fn what_is_impossible_is_no_parameter() {
    let folder = folder();
    let chain = "kind = \"hmm\"\ninitial = [1.0, 0.0, 0.0]\n\
                 transition = [[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]]\n\
                 [emission]\nkind = \"poisson\"\nrates = [[1.0], [3.0], [6.0]]\n";
    folder.write("start.toml", chain);
    let data = ["d.csv", "--columns", "count"];
    let json = |command: &[&str]| folder.json(&[command, &data, &["--json"]].concat());
    let fitted = json(&["fit", "--model", "start.toml", "--out", "m.toml"]);
    assert_eq!(fitted["fits"][0]["parameters"], 2 + 3);
    all_agree(&folder, "m.toml", &data, &fitted);
    // Nor is it in a file that no fit has written.
    assert_eq!(
        json(&["summary", "--model", "start.toml"])["free_parameters"],
        2 + 3
    );
    // What is held by name is taken off.
    let held = json(&["summary", "--model", "start.toml", "--hold", "transition"]);
    assert_eq!(held["free_parameters"], 3);
}

/// What is learned of a file is written with it: the next fit learns no more.
#[test]
fn what_is_learned_stays() {
    let folder = folder();
    let level = "kind = \"linear-gaussian\"\nlearned = [\"Q\", \"R\"]\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\n\
                 observation = [[1.0]]\nobservation_noise = [[1.0]]\ninitial_mean = [0.0]\ninitial_covariance = [[1.0]]\n";
    folder.write("start.toml", level);
    let data = ["d.csv", "--columns", "y"];
    let fit = |from: &str, to: &str| {
        let fit = ["fit", "--model", from, "--out", to, "--json"];
        folder.json(&[&fit[..], &data].concat())
    };
    let fitted = fit("start.toml", "m.toml");
    assert_eq!(fitted["fits"][0]["parameters"], 2);
    all_agree(&folder, "m.toml", &data, &fitted);
    let again = fit("m.toml", "n.toml");
    assert_eq!(again["fits"][0]["parameters"], 2);
    let text = std::fs::read_to_string(folder.path().join("n.toml")).unwrap();
    assert!(text.contains("transition = [[0.9]]"), "{text}");
    folder.good(&["model", "check", "n.toml"]);
    folder.write(
        "odd.toml",
        &level.replace("learned", "free_parameters = -1\nlearned"),
    );
    folder.refused(&["model", "check", "odd.toml"], &["free_parameters is -1"]);
}

/// Of a start that follows the rest, b and d move with the origin of the states: one of them is told. F, b, Q, d and R are five numbers.
#[test]
fn a_bias_and_an_offset_are_one_level() {
    let folder = folder();
    let times: Vec<f64> = (0..300).map(f64::from).collect();
    let text = std::fs::read_to_string(folder.path().join("d.csv")).unwrap();
    let rows = text.lines().skip(1).zip(&times);
    let rows: String = rows
        .map(|(row, t)| format!("{t},{}\n", row.split(',').next().unwrap()))
        .collect();
    folder.write("t.csv", &format!("when,y\n{rows}"));
    let rest = "bias = [0.1]\nobservation = [[1.0]]\noffset = [0.2]\nobservation_noise = [[0.5]]\n\
                learned = [\"F\", \"b\", \"Q\", \"d\", \"R\"]\n";
    let start = "kind = \"linear-gaussian\"\n";
    folder.write(
        "discrete.toml",
        &format!("{start}transition = [[0.8]]\nprocess_noise = [[0.5]]\n{rest}"),
    );
    folder.write(
        "continuous.toml",
        &format!("{start}time = \"when\"\ndrift = [[-0.2]]\ndiffusion = [[0.5]]\n{rest}"),
    );
    for model in ["discrete.toml", "continuous.toml"] {
        let data = ["t.csv", "--columns", "y"];
        let json = |command: &[&str]| folder.json(&[command, &data, &["--json"]].concat());
        // Before the fit it is counted by the file.
        assert_eq!(json(&["summary", "--model", model])["free_parameters"], 4);
        let fitted = json(&["fit", "--model", model, "--out", "m.toml", "--force"]);
        assert_eq!(fitted["fits"][0]["parameters"], 4, "{model}");
        all_agree(&folder, "m.toml", &data, &fitted);
    }
}
