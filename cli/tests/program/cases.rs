//! Inputs that once gave a wrong number in silence, each with its right value or its right message.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{command, folder, scotopic};

const GAUSS: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                     [emission]\nkind = \"diagonal-gaussian\"\nmeans = [[0.0], [3.0]]\nvariances = [[1.0], [1.0]]\n";
const GAUSS_OF_TWO: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n[emission]\n\
                            kind = \"diagonal-gaussian\"\nmeans = [[0.0, 0.0], [3.0, 1.0]]\nvariances = [[1.0, 1.0], [1.0, 1.0]]\n";
const POISSON: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                       [emission]\nkind = \"poisson\"\nrates = [[2.0], [9.0]]\n";
const VALUES: [&str; 12] = [
    "0.126", "-0.132", "0.64", "0.105", "-0.536", "0.362", "4.304", "3.947", "2.296", "1.735",
    "2.377", "3.041",
];

/// Filters `text` by `model`: the observations, and the log evidence after the last.
fn filtered(folder: &Path, model: &str, name: &str, text: &str, more: &[&str]) -> (usize, f64) {
    fs::write(folder.join("model.toml"), model).unwrap();
    fs::write(folder.join(name), text).unwrap();
    let args = [&["filter", "--model", "model.toml", name, "--quiet"], more].concat();
    let out = scotopic(folder, &args).good();
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    (out.lines().count(), last["elbo"].as_f64().unwrap())
}

/// The message of a filter that refuses `text`.
fn refused(folder: &Path, model: &str, name: &str, text: &str, more: &[&str]) -> String {
    fs::write(folder.join("model.toml"), model).unwrap();
    fs::write(folder.join(name), text).unwrap();
    let args = [
        &["filter", "--model", "model.toml", name, "--every", "0"],
        more,
    ]
    .concat();
    let done = scotopic(folder, &args);
    assert!(matches!(done.code, Some(1 | 2)), "{done:?}");
    done.err
}

#[test]
fn no_first_row_vanishes() {
    let folder = folder();
    let stamped = |header: &str| {
        let rows = VALUES.iter().enumerate();
        header.to_owned()
            + &rows
                .map(|(n, v)| format!("2024-01-{:02},pier,{v}\n", n + 1))
                .collect::<String>()
    };
    let close = |(n, elbo): (usize, f64), expected: f64| {
        assert!(
            n == 12 && (elbo - expected).abs() < 1e-3,
            "{n} rows, {elbo}"
        );
    };
    let csv = |text: &str, more: &[&str]| filtered(folder.path(), GAUSS, "y.csv", text, more);
    close(csv(&stamped(""), &["--columns", "3"]), -18.008);
    close(
        csv(&stamped("day,place,level\n"), &["--columns", "level"]),
        -18.008,
    );
    close(
        csv(
            &stamped("day,place,level\n"),
            &["--columns", "level", "--time", "day"],
        ),
        -18.008,
    );
    let pandas: String = VALUES
        .iter()
        .enumerate()
        .map(|(n, v)| format!("{n},{v}\n"))
        .collect();
    close(csv(&format!(",0\n{pandas}"), &["--columns", "2"]), -18.008);
    assert_eq!(csv("N/A\n1.0\n2.0\n", &[]).0, 3);
}

#[test]
fn a_time_is_written_beside_the_belief() {
    let folder = folder();
    fs::write(folder.path().join("model.toml"), GAUSS).unwrap();
    fs::write(
        folder.path().join("y.csv"),
        "day,y\n2024-01-01,0.1\n2024-01-02,2.9\n",
    )
    .unwrap();
    let lines = |format: &str| {
        let args = [
            "filter",
            "--model",
            "model.toml",
            "y.csv",
            "--time",
            "day",
            "--quiet",
            "--out-format",
            format,
        ];
        scotopic(folder.path(), &args).good()
    };
    let second: Value = serde_json::from_str(lines("jsonl").lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["time"], "2024-01-02");
    let table = lines("csv");
    assert!(table.lines().next().unwrap().ends_with(",time"));
    assert!(table.lines().nth(2).unwrap().ends_with(",2024-01-02"));
}

#[test]
fn lines_rows_and_files_are_the_right_ones() {
    let folder = folder();
    let said = refused(folder.path(), GAUSS, "y.csv", "y\r\n1\r\nx\r\n2\r\n", &[]);
    assert!(said.contains("line 3"), "{said}");
    fs::write(folder.path().join("ca.csv"), "o\n0\n1\n0\n").unwrap();
    fs::write(folder.path().join("cb.csv"), "o\n0\nNA\nNA\n1\n-3\n").unwrap();
    let said = scotopic(
        folder.path(),
        &[
            "fit",
            "ca.csv",
            "cb.csv",
            "--kind",
            "categorical",
            "--out",
            "x.toml",
        ],
    )
    .bad(1);
    assert!(
        said.contains("cb.csv, line 6 (row 5)") && said.contains("-3"),
        "{said}"
    );
    assert!(!said.contains("pseudo-count"), "{said}");
    assert!(!folder.path().join("x.toml").exists());
}

#[test]
fn json_lines_are_what_they_say() {
    let folder = folder();
    let two = |name: &str, text: &str| filtered(folder.path(), GAUSS_OF_TWO, name, text, &[]);
    let (rows, elbo) = two("yx.jsonl", "{\"y\":1,\"x\":5}\n{\"y\":2,\"x\":6}\n");
    assert_eq!((rows, elbo), two("yx.csv", "y,x\n1,5\n2,6\n"));
    assert!((elbo + 27.469).abs() < 1e-3, "{elbo}");
    assert_eq!(two("null.jsonl", "null\n[1.0, 2.0]\n[2.0, 3.0]\n").0, 3);
    let one = |name: &str, text: &str| filtered(folder.path(), GAUSS, name, text, &[]);
    // The nearest double, to the last bit.
    let number = "94.90308541619743\n";
    assert_eq!(
        one("one.csv", number).1.to_bits(),
        one("one.jsonl", number).1.to_bits()
    );
}

/// A series that takes a while to write, in `folder`, and the arguments that filter it.
fn long(folder: &Path) -> [&'static str; 4] {
    fs::write(folder.join("poisson.toml"), POISSON).unwrap();
    let rows: String = (0..4000).map(|n| format!("{}\n", n % 11)).collect();
    fs::write(folder.join("long.csv"), rows).unwrap();
    ["filter", "--model", "poisson.toml", "long.csv"]
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_and_a_full_disk_lose_no_state() {
    let folder = folder();
    let args = long(folder.path());
    let mut whole = args.to_vec();
    whole.extend(["--every", "0", "--save", "whole.filter"]);
    scotopic(folder.path(), &whole).good();
    let mut child = command(
        folder.path(),
        &[&args[..], &["--save", "closed.filter"]].concat(),
    )
    .stdin(Stdio::null())
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let state = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(
        state("closed.filter") == state("whole.filter"),
        "the file was not filtered to its end"
    );
    if Path::new("/dev/full").exists() {
        let done = command(
            folder.path(),
            &[&args[..], &["--save", "full.filter"]].concat(),
        )
        .stdin(Stdio::null())
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains("could not write standard output"), "{said}");
        assert!(folder.path().join("full.filter").exists());
    }
}

#[test]
#[cfg(unix)]
fn a_signal_ends_a_filter_that_waits_for_data() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = folder();
        fs::write(folder.path().join("poisson.toml"), POISSON).unwrap();
        let args = [
            "filter",
            "--model",
            "poisson.toml",
            "--save",
            "s.filter",
            "-",
        ];
        let mut child = command(folder.path(), &args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"3\n8\n").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..2 {
            assert!(output.read_line(&mut String::new()).unwrap() > 0);
        }
        let asked = Instant::now();
        let kill = format!("kill -{signal} {}", child.id());
        assert!(
            std::process::Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        let done = child.wait_with_output().unwrap();
        // Its input is still open. Generous: the limit is for a machine that does other things.
        assert!(
            asked.elapsed() < Duration::from_secs(10),
            "it waited for its input"
        );
        drop(input);
        assert_eq!(done.status.code(), Some(code));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            said.contains(&format!("SIG{signal} after 2 observations; saved s.filter")),
            "{said}"
        );
        fs::write(folder.path().join("more.csv"), "3\n").unwrap();
        let out = scotopic(
            folder.path(),
            &["filter", "--resume", "s.filter", "more.csv", "--quiet"],
        )
        .good();
        assert!(out.starts_with("{\"t\":3,"), "{out}");
    }
}

/// A kill leaves more lines than the snapshot has counted, and half a line: both go when the filter is resumed.
#[test]
fn resumed_results_are_as_if_never_stopped() {
    let folder = folder();
    let args = long(folder.path());
    for out in ["o.jsonl", "o.csv"] {
        let whole = [&args[..], &["--quiet", "--out", "whole"]].concat();
        let format = ["--out-format", &out[2..]];
        scotopic(folder.path(), &[&whole[..], &format].concat()).good();
        let expected = fs::read_to_string(folder.path().join("whole")).unwrap();
        let rows: Vec<String> = (0..4000).map(|n| format!("{}\n", n % 11)).collect();
        fs::write(folder.path().join("a.csv"), rows[..1500].concat()).unwrap();
        fs::write(folder.path().join("b.csv"), rows[1500..].concat()).unwrap();
        let begin = [
            "filter",
            "--model",
            "poisson.toml",
            "a.csv",
            "--quiet",
            "--out",
            out,
            "--save",
            "s.filter",
        ];
        scotopic(folder.path(), &begin).good();
        let path = folder.path().join(out);
        let header = usize::from(out.ends_with("csv"));
        let later: Vec<&str> = expected
            .split_inclusive('\n')
            .skip(1500 + header)
            .take(2)
            .collect();
        let torn = fs::read_to_string(&path).unwrap() + later[0] + &later[1][..later[1].len() / 2];
        fs::write(&path, torn).unwrap();
        let go_on = [
            "filter", "--resume", "s.filter", "b.csv", "--quiet", "--out", out,
        ];
        scotopic(folder.path(), &go_on).good();
        assert!(fs::read_to_string(&path).unwrap() == expected, "{out}");
        // Anything else is not continued by accident.
        fs::write(&path, "my notes\n").unwrap();
        let said = scotopic(folder.path(), &go_on).bad(1);
        assert!(said.contains("--force") && said.contains(out), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "my notes\n");
        scotopic(folder.path(), &[&go_on[..], &["--force"]].concat()).good();
    }
}

/// Bytes are levels of 255, in training and in inference alike.
#[test]
fn pixels_of_bytes_mean_the_same_everywhere() {
    let folder = folder();
    let header = |descr: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (60, 8, 8), }}")
    };
    let write = |name: &str, descr: &str, values: Vec<u8>| {
        let header = header(descr);
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        fs::write(folder.path().join(name), bytes).unwrap();
    };
    let levels: Vec<u8> = (0..60 * 64u32)
        .map(|n| ((n * n * 7 + n / 64 * 31) % 256) as u8)
        .collect();
    write("u1.npy", "|u1", levels.clone());
    write(
        "f4.npy",
        "<f4",
        levels
            .iter()
            .flat_map(|&v| (f32::from(v) / 255.0).to_le_bytes())
            .collect(),
    );
    write(
        "i8.npy",
        "<i8",
        levels
            .iter()
            .flat_map(|&v| i64::from(v).to_le_bytes())
            .collect(),
    );
    write(
        "bad.npy",
        "<i2",
        levels
            .iter()
            .flat_map(|&v| (i16::from(v) * 3).to_le_bytes())
            .collect(),
    );
    let sets = [
        "data.source=npy",
        "data.train=u1.npy",
        "data.validation_count=12",
        "train.iterations=10",
        "model.latents=8",
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let train: Vec<&str> = [
        "train", "--preset", "smoke", "--device", "flex", "--data", ".", "--out", "run", "-q",
    ]
    .into_iter()
    .chain(sets)
    .collect();
    scotopic(folder.path(), &train).good();
    let energy = |input: &str| {
        let args = [
            "infer", "run", "--input", input, "--out", "seen", "--device", "flex", "--json",
        ];
        let value = scotopic(folder.path(), &args).json();
        fs::remove_dir_all(folder.path().join("seen")).unwrap();
        value["free_energy_last"].as_f64().unwrap()
    };
    let of_bytes = energy("u1.npy");
    assert_eq!(of_bytes, energy("f4.npy"));
    assert_eq!(of_bytes, energy("i8.npy"));
    let args = [
        "infer", "run", "--input", "bad.npy", "--out", "seen", "--device", "flex",
    ];
    let said = scotopic(folder.path(), &args).bad(1);
    assert!(
        said.contains("bad.npy") && said.contains("from 0 to 255"),
        "{said}"
    );
}
