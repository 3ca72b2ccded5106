//! Spike times as counts in bins.

use super::Folder;
use super::npz::{npy_of, npz, zip};

const POISSON: &str = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"poisson\"\n\
                       rates = [[1.0]]\n";

fn folder(arrays: &[(&str, &[f64])]) -> Folder {
    let folder = Folder::with(&[("m.toml", POISSON), ("t.txt", "0.001\n0.012\n0.024\n")]);
    std::fs::write(folder.path().join("s.npz"), npz(arrays)).unwrap();
    folder
}

fn filter<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [
        &["filter", "--model", "m.toml", data, "--bin", "10ms"],
        more,
    ]
    .concat()
}

/// A bin that the end of a recording cuts is no row, and neither are its spikes; where the end is not known that is said.
#[test]
fn bins_are_whole() {
    let folder = folder(&[("a", &[0.001, 0.012, 0.024])]);
    for data in ["t.txt", "s.npz"] {
        let rows = |more: &[&str], said: &[&str]| {
            let (out, err) = folder.good(&filter(data, more));
            said.iter()
                .for_each(|part| assert!(err.contains(part), "{part:?} is not in: {err}"));
            (out.lines().count(), err)
        };
        let cut = ["the part of a bin at the end is left out, 1 spike in it"];
        assert_eq!(rows(&["--spike-end", "25ms"], &cut).0, 2);
        let (count, err) = rows(&["--spike-end", "30ms"], &[]);
        assert!(count == 3 && !err.contains("bin"), "{err}");
        let open = ["the last bin is that of the last spike", "--spike-end"];
        assert_eq!(rows(&[], &open).0, 3);
        let short = filter(data, &["--spike-end", "24500us", "--bin", "30ms"]);
        let short: Vec<&str> = short.into_iter().filter(|s| *s != "10ms").collect();
        let first = short.iter().position(|s| *s == "--bin").unwrap();
        let short = [&short[..first], &short[first + 1..]].concat();
        folder.refused(&short, &[data, "shorter than a bin"]);
    }
    let trials = folder_of_trials(&[0.0, 1.0], &[0.025, 1.02]);
    let (out, err) = trials.good(&filter("s.npz", &[]));
    assert_eq!(out.lines().count(), 2 + 2);
    assert!(
        err.contains("of 1 of 2 trials is left out, 1 spike"),
        "{err}"
    );
}

fn folder_of_trials(starts: &[f64], stops: &[f64]) -> Folder {
    folder(&[
        ("a", &[0.001, 0.012, 0.024]),
        ("trial_start", starts),
        ("trial_stop", stops),
    ])
}

#[test]
fn what_is_wrong_with_an_npz_is_named() {
    let spikes = ("a", &[0.001, 0.012][..]);
    let file = folder(&[spikes]);
    let table = ["filter", "--model", "m.toml", "s.npz"];
    file.refused(
        &table,
        &[
            "s.npz",
            "--bin",
            "a matrix of rows is read from an npy file",
        ],
    );
    for option in [
        &["--missing", "-1"][..],
        &["--alphabet", "a,b"],
        &["--time", "1"],
        &["--header", "yes"],
    ] {
        file.refused(&filter("s.npz", option), &[option[0], "--bin"]);
        file.refused(&filter("t.txt", option), &[option[0], "--bin"]);
    }
    let mut bytes = npz(&[spikes]);
    let (at, _) = (bytes.windows(8).enumerate())
        .find(|(_, w)| *w == 0.012_f64.to_le_bytes())
        .unwrap();
    bytes[at] ^= 1;
    let damaged = folder(&[spikes]);
    std::fs::write(damaged.path().join("s.npz"), bytes).unwrap();
    damaged.refused(&filter("s.npz", &[]), &["s.npz", "array a", "checksum"]);
    let late = ("b", &[0.001, f64::INFINITY][..]);
    folder(&[spikes, late]).refused(&filter("s.npz", &[]), &["s.npz", "array b, entry 2", "inf"]);
    let starts = ("trial_starts", &[0.0, 1.0][..]);
    folder(&[spikes, starts]).refused(
        &filter("s.npz", &[]),
        &["s.npz", "array trial_starts", "expected trial_start"],
    );
    let overlapping = folder_of_trials(&[0.0, 0.01], &[0.02, 0.03]);
    overlapping.refused(
        &filter("s.npz", &[]),
        &["s.npz", "array trial_stop, trial 1", "overlap"],
    );
    let long = folder(&[spikes, ("trial_start", &[0.0, 0.5])]);
    long.refused(
        &filter("s.npz", &["--spike-end", "1s"]),
        &["s.npz", "--spike-end", "overlap"],
    );
    let alone = zip(&[("a", npy_of("()", &[0.5]))]);
    std::fs::write(file.path().join("s.npz"), alone).unwrap();
    file.refused(
        &filter("s.npz", &[]),
        &["s.npz", "array a", "a number alone"],
    );
}

/// A file of times has one number a line: other numbers of a table are no spikes.
#[test]
fn a_table_is_no_file_of_times() {
    let folder = folder(&[("a", &[0.001])]);
    for (text, said) in [
        ("time,unit\n1,25\n12,25\n19,31\n", "line 2: found `1,25`"),
        ("1\t25\n12\t25\n", "line 1: found `1\t25`"),
        ("1 25\n12 25\n", "line 1: found `1 25`"),
        ("0,5\n1,5\n", "line 1: found `0,5`"),
        ("0.5\n0,7\n", "line 2: found `0,7`"),
        ("[1, 12, 19]\n", "line 1: found `[1, 12, 19]`"),
        ("{\"t\": 0.5}\n", "line 1: found `{"),
    ] {
        folder.write("table.csv", text);
        for more in [&[][..], &["--columns", "1"]] {
            folder.refused(
                &filter("table.csv", more),
                &["table.csv", said, "spike time"],
            );
        }
    }
    // With a name, comments and blank lines.
    folder.write(
        "named.txt",
        "\u{feff}spike times\n# seconds\n0.001\n\n0.012\n",
    );
    let (out, _) = folder.good(&filter("named.txt", &["--spike-end", "20ms"]));
    assert_eq!(out.lines().count(), 2);
}
