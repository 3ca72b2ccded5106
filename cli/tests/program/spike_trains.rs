//! Spike trains of several units and trials in one npz.

use std::fs;
use std::io::Write;

use super::support::{folder, scotopic};

/// A zip file of stored arrays, as `numpy.savez` writes it; checksums are left out.
fn npz(arrays: &[(&str, &[f64])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, values) in arrays {
        let name = format!("{name}.npy");
        let data = npy(values);
        let (at, size) = (out.len() as u32, (data.len() as u32).to_le_bytes());
        let length = (name.len() as u16).to_le_bytes();
        let common = [&[20, 0][..], &[0; 12], &size, &size, &length, &[0, 0]].concat();
        out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), &data].concat());
        let place = at.to_le_bytes();
        let entry = [
            &b"PK\x01\x02\x14\x00"[..],
            &common,
            &[0; 10],
            &place,
            name.as_bytes(),
        ];
        directory.extend(entry.concat());
    }
    let count = (arrays.len() as u16).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    let at = (out.len() as u32).to_le_bytes();
    out.extend(directory);
    let end = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &count,
        &count,
        &size,
        &at,
        &[0, 0],
    ];
    out.extend(end.concat());
    out
}

fn npy(values: &[f64]) -> Vec<u8> {
    let shape = values.len();
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape},), }}");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(118u16.to_le_bytes());
    out.extend(format!("{header:<117}\n").bytes());
    values
        .iter()
        .for_each(|v| out.write_all(&v.to_le_bytes()).unwrap());
    out
}

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
