//! Spike trains of several units and trials in one npz.

use std::fs;

use super::npz::npz;
use super::support::{folder, scotopic};

const MODEL: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                     [emission]\nkind = \"poisson\"\nrates = [[0.5, 0.2], [2.0, 1.0]]\n";

#[test]
fn trials_are_series_and_units_are_columns() {
    let folder = folder();
    let run = |arguments: &[&str]| scotopic(folder.path(), arguments);
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("model.toml", MODEL.as_bytes());
    let (a, b) = (
        ("a", &[0.001, 0.012, 1.025][..]),
        ("b", &[0.013, 1.001, 1.002][..]),
    );
    let trials = [
        ("trial_start", &[0.0, 1.0][..]),
        ("trial_stop", &[0.03, 1.03][..]),
    ];
    write("session.npz", &npz(&[a, b, trials[0], trials[1]]));
    write("one.csv", b"a,b\n1,0\n1,1\n0,0\n");
    write("two.csv", b"a,b\n0,2\n0,0\n1,0\n");
    let beliefs = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let all = [&["filter", "--model", "model.toml"], arguments].concat();
        let lines = run(&all).good();
        let of_line =
            |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["belief"].clone();
        lines.lines().map(of_line).collect()
    };
    let spikes = ["session.npz", "--bin", "10ms"];
    let trains = beliefs(&spikes);
    assert_eq!(trains.len(), 6);
    assert!(trains.iter().all(serde_json::Value::is_array));
    assert_eq!(trains, beliefs(&["one.csv", "two.csv"]));
    assert_eq!(
        trains[3..],
        beliefs(&[&spikes[..], &["--trial", "2"]].concat())
    );
    let fit = |data: &[&str]| {
        let how = [
            "--kind",
            "poisson",
            "--n-states",
            "1",
            "--out",
            "fit.toml",
            "--force",
            "--json",
        ];
        let value = run(&[&["fit"], data, &how].concat()).json();
        (
            value["sequences"].clone(),
            value["fits"][0]["log_evidence"].clone(),
        )
    };
    assert_eq!(fit(&spikes), fit(&["one.csv", "two.csv"]));
    assert_eq!(fit(&[&spikes[..], &["--columns", "b"]].concat()).0, 2);
    for (arguments, code, said) in [
        (&["--trial", "3"][..], 1, "1 to 2"),
        (&["--spike-end", "20ms"], 1, "trial_stop"),
        (&["--learn"], 2, "--learn"),
        (&["--columns", "c"], 1, "`c`"),
    ] {
        let all = [&["filter", "--model", "model.toml"], &spikes[..], arguments].concat();
        let error = run(&all).bad(code);
        assert!(error.contains(said), "{error}");
    }
    let compared = run(&[
        "compare",
        "--model",
        "model.toml",
        "session.npz",
        "--bin",
        "10ms",
    ])
    .bad(1);
    assert!(compared.contains("--trial"), "{compared}");
}
