//! What can be typed, what comes back, and with which exit code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use scotopic_train::config::{PRESETS, RunConfig, resolve};
use toml::{Table, Value};

use super::support::{Done, folder, listing, scotopic, strings, tiny, trained};

/// Runs the program where it has no files.
fn alone(args: &[&str]) -> Done {
    scotopic(folder().path(), args)
}

/// Compares help texts with the stored ones; `UPDATE_SNAPSHOTS=1` stores them anew.
#[test]
fn help_texts_are_the_stored_ones() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|v| v == "1");
    let pages: [&[&str]; 19] = [
        &[],
        &["train"],
        &["evaluate"],
        &["infer"],
        &["show"],
        &["data"],
        &["data", "list"],
        &["data", "info"],
        &["data", "fetch"],
        &["data", "verify"],
        &["data", "prepare"],
        &["devices"],
        &["config"],
        &["config", "show"],
        &["config", "check"],
        &["config", "keys"],
        &["export"],
        &["completions"],
        &["-h"],
    ];
    let mut expected_names = BTreeSet::new();
    for page in pages {
        let short = page == ["-h"];
        let args = if short { page.to_vec() } else { [page, &["--help"]].concat() };
        let help = alone(&args).good();
        let name = match page {
            [] => "scotopic.txt".to_string(),
            ["-h"] => "scotopic-short.txt".to_string(),
            parts => format!("scotopic-{}.txt", parts.join("-")),
        };
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{name} is wider than 100 columns: {line}");
        }
        let path = snapshots.join(&name);
        if update {
            fs::create_dir_all(&snapshots).unwrap();
            fs::write(&path, &help).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(help, stored, "{name} differs; if it should, run the test with UPDATE_SNAPSHOTS=1");
        expected_names.insert(name);
    }
    for entry in fs::read_dir(&snapshots).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(expected_names.contains(&name), "{name} is a snapshot of no page");
    }
}

#[test]
fn version_is_that_of_the_package() {
    assert_eq!(alone(&["--version"]).good(), format!("scotopic {}\n", env!("CARGO_PKG_VERSION")));
}

/// Without a command there is nothing to do: the help, and the code of a request that makes no sense.
#[test]
fn without_a_command_it_shows_its_help() {
    let done = alone(&[]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("Usage: scotopic <COMMAND>"), "{}", done.err);
}

#[test]
fn requests_that_make_no_sense_are_2_and_name_what_was_meant() {
    let cases: [(&[&str], &str); 22] = [
        (&["trian"], "train"),
        (&["train", "--sed", "1"], "--se"),
        (&["train", "--seed", "-1"], "-1"),
        (&["train", "--preset", "smok"], "did you mean `smoke`?"),
        (&["train", "--preset", "publishedmnist"], "did you mean `published/mnist`?"),
        (&["train", "--set", "train.iteration=5"], "did you mean `train.iterations`?"),
        (&["train", "--set", "data.trian=5"], "did you mean `data.train`?"),
        (&["train", "--set", "beta=5"], "unknown key `beta`"),
        (&["train", "--set", "train.iterations"], "expected KEY=VALUE"),
        (&["train", "--set", "train.iterations=0"], "train.iterations = 0"),
        (&["train", "--set", "train.iterations=many"], "train"),
        (&["train", "--set", "data.source=idxx"], "dead-leaves"),
        (&["train", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["train", "--device", "gpu"], "expected auto, flex"),
        (&["train", "--device", "wgpu:x"], "not the number of a device"),
        (&["train", "--resume", "nowhere"], "nowhere is not the folder of a run"),
        (&["evaluate", "run", "--steps", "0"], "--steps"),
        (&["evaluate", "run", "--split", "all"], "train, validation, test"),
        (&["show", "run", "--what", "everything"], "dictionary"),
        (&["export", "run", "--out", "x", "--format", "onnx"], "safetensors, npz"),
        (&["config", "show", "mnsit"], "did you mean `mnist`?"),
        (&["data", "info", "minst"], "mnist"),
    ];
    for (args, expected) in cases {
        let error = alone(args).bad(2);
        assert!(error.contains(expected), "{args:?}: expected `{expected}`: {error}");
    }
}

/// A device that is not there, or not compiled in, is named with the reason; nothing else is taken instead.
#[test]
fn a_device_that_is_not_there_is_2() {
    for device in ["wgpu:99", "cuda:99"] {
        let folder = folder();
        let error = scotopic(folder.path(), &["train", "--preset", "smoke", "--device", device]).bad(2);
        let reasons = ["not compiled in", "99", "no graphics adapter", "libcuda", "no GPU"];
        assert!(reasons.iter().any(|r| error.contains(r)), "{device}: {error}");
        assert!(listing(folder.path()).is_empty(), "{device}");
    }
}

#[test]
fn what_is_not_there_is_1_and_named() {
    let cases: [&[&str]; 4] = [
        &["evaluate", "nowhere", "--device", "flex"],
        &["infer", "nowhere", "--input", "x.npy", "--out", "o", "--device", "flex"],
        &["show", "nowhere", "--device", "flex"],
        &["export", "nowhere", "--out", "o"],
    ];
    for args in cases {
        let folder = folder();
        let error = scotopic(folder.path(), args).bad(1);
        assert!(error.contains("nowhere") && error.contains("No such file"), "{args:?}: {error}");
        assert!(listing(folder.path()).is_empty(), "{args:?} left something behind");
    }
}

/// A cause is told once, not once for every layer that passed it on.
#[test]
fn no_message_says_the_same_twice() {
    let cases: [&[&str]; 4] = [
        &["evaluate", "nowhere", "--device", "flex"],
        &["data", "verify", "mnist"],
        &["train", "--preset", "mnist", "--device", "flex"],
        &["train", "--config", "nowhere.toml"],
    ];
    for args in cases {
        let done = alone(args);
        assert_eq!(done.err.matches("os error").count(), 1, "{args:?}: {}", done.err);
    }
}

#[test]
fn every_preset_is_listed_and_reads_back() {
    let list = alone(&["config", "show"]).good();
    assert_eq!(list.lines().count(), PRESETS.len());
    for preset in PRESETS {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(preset.name)), "{list}");
        let shown = alone(&["config", "show", preset.name]).good();
        let config: RunConfig = toml::from_str(&shown).unwrap();
        assert_eq!(config, resolve(preset.name, None, &[]).unwrap(), "{}", preset.name);
        // What is shown is a configuration: it is valid, and over any preset it is the same run.
        let folder = folder();
        fs::write(folder.path().join("shown.toml"), &shown).unwrap();
        scotopic(folder.path(), &["config", "check", "shown.toml"]).good();
        let over = scotopic(folder.path(), &["config", "show", "smoke", "--config", "shown.toml"]).good();
        assert_eq!(over, shown, "{}", preset.name);
    }
}

#[test]
fn config_show_applies_file_then_options() {
    let folder = folder();
    fs::write(folder.path().join("mine.toml"), "seed = 5\n[train]\nbatch = 7\niterations = 11\n").unwrap();
    let args = ["config", "show", "smoke", "--config", "mine.toml", "--set", "train.batch=9", "--set", "train.ema=0.5"];
    let config: RunConfig = toml::from_str(&scotopic(folder.path(), &args).good()).unwrap();
    let expected = (5, 9, 11, 0.5);
    assert_eq!((config.seed, config.train.batch, config.train.iterations, config.train.ema), expected);
}

#[test]
fn config_check_tells_good_from_bad() {
    let folder = folder();
    let check = |text: &str| {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        scotopic(folder.path(), &["config", "check", "c.toml", "--preset", "smoke"])
    };
    assert!(check("[train]\niterations = 5\n").good().contains("c.toml is a valid configuration"));
    for (text, expected) in [
        ("[train]\niteratons = 5\n", "did you mean `train.iterations`?"),
        ("[trian]\niterations = 5\n", "did you mean `train.iterations`?"),
        ("[train]\nbatch = 0\n", "train.batch = 0"),
        ("[train]\nbatch = \"many\"\n", "train"),
        ("[train\n", "not valid TOML"),
        ("[data]\nsource = \"npy\"\n", "data.train"),
        ("[data]\nsource = \"idx\"\nsize = 12\n", "unknown key `data.size`"),
    ] {
        let error = check(text).bad(2);
        assert!(error.contains(expected), "{text}: expected `{expected}`: {error}");
    }
    assert!(scotopic(folder.path(), &["config", "check", "nowhere.toml"]).bad(2).contains("nowhere.toml"));
}

/// The dotted names of all values in a table.
fn leaves(table: &Table, prefix: &str, names: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => leaves(inner, &format!("{prefix}{key}."), names),
            _ => drop(names.insert(format!("{prefix}{key}"))),
        }
    }
}

#[test]
fn config_keys_explains_every_key() {
    let text = alone(&["config", "keys"]).good();
    let (first, sources) = text.split_once("# Keys of [data] by source").expect("a part on the sources");
    let mut explained = BTreeSet::new();
    leaves(&first.parse().unwrap(), "", &mut explained);
    let mut found = BTreeSet::new();
    for block in sources.split("\n\n").skip(1) {
        let block: String = block.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let table: Table = block.parse().unwrap_or_else(|e| panic!("{e}: {block}"));
        found.insert(table["data"]["source"].as_str().unwrap().to_string());
        leaves(&table, "", &mut explained);
    }
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["dead-leaves", "idx", "images", "npy"]);
    for preset in PRESETS {
        let mut all = BTreeSet::new();
        leaves(&Table::try_from(resolve(preset.name, None, &[]).unwrap()).unwrap(), "", &mut all);
        for key in all {
            assert!(explained.contains(&key), "{key} of {} is not in `config keys`", preset.name);
        }
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = folder();
    let temporary = folder.path().join("tmp");
    let work = folder.path().join("work");
    fs::create_dir(&temporary).unwrap();
    fs::create_dir(&work).unwrap();
    for json in [false, true] {
        let args = tiny(if json { &["--dry-run", "--json"] } else { &["--dry-run"] });
        let output =
            super::support::command(&work, &strings(&args)).env("TMPDIR", &temporary).output().expect("it starts");
        let done = Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(done.err, "");
        if json {
            let value = done.json();
            assert_eq!((value["train_images"].as_u64(), value["latents"].as_u64()), (Some(160), Some(12)));
            // 12 atoms of 64 pixels, 64 σ, 12 resting potentials, 12 costs, 1 step size.
            assert_eq!(value["parameters"].as_u64(), Some(12 * 64 + 64 + 12 + 12 + 1));
            assert!(value["estimated_seconds"].as_f64().unwrap() > 0.0);
        } else {
            let text = done.good();
            assert!(text.contains("160 images of 8×8") && text.contains("nothing was written"), "{text}");
        }
        assert_eq!(listing(&work), Vec::<std::path::PathBuf>::new());
        assert_eq!(listing(&temporary), Vec::<std::path::PathBuf>::new());
    }
}

/// Off a terminal stderr stays empty: progress would only fill log files.
#[test]
fn off_a_terminal_it_is_quiet() {
    let folder = folder();
    let done = scotopic(folder.path(), &strings(&tiny(&["--out", "run", "--json"])));
    assert_eq!(done.err, "");
    let value = done.json();
    assert_eq!(value["iterations"].as_u64(), Some(30));
    assert_eq!(value["stopped_early"].as_bool(), Some(false));
    assert!(value["validation"]["r2"].is_f64());
    assert!(folder.path().join(value["best_model"].as_str().unwrap()).is_file());
    for args in [&["evaluate", "run", "--device", "flex"][..], &["evaluate", "run", "--device", "flex", "--json"]] {
        let done = scotopic(folder.path(), args);
        assert_eq!(done.err, "");
        assert!(!done.good().is_empty());
    }
}

#[test]
fn evaluate_gives_the_same_numbers_every_time() {
    let folder = folder();
    let run = trained(folder.path(), "run", &[]);
    let evaluate = |more: &[&str]| {
        scotopic(folder.path(), &[&["evaluate", "run", "--device", "flex", "--json"], more].concat()).json()
    };
    let first = evaluate(&[]);
    assert_eq!(first, evaluate(&[]));
    assert_eq!((first["images"].as_u64(), first["steps"].as_u64()), (Some(40), Some(4)));
    assert_eq!(evaluate(&["--steps", "7", "--count", "9"])["steps"].as_u64(), Some(7));
    assert_eq!(evaluate(&["--count", "9"])["images"].as_u64(), Some(9));
    assert_eq!(evaluate(&["--split", "train"])["images"].as_u64(), Some(160));
    assert_ne!(first, evaluate(&["--seed", "9"]), "another seed, other spikes");
    // The file and the folder are the same model.
    assert_eq!(first["objective"], evaluate(&["--batch", "100"])["objective"]);
    let file = run.join("best/model.safetensors");
    let by_file = scotopic(folder.path(), &["evaluate", file.to_str().unwrap(), "--device", "flex", "--json"]).json();
    assert_eq!(first, by_file);
    let error = scotopic(folder.path(), &["evaluate", "run", "--device", "flex", "--split", "test"]).bad(1);
    assert!(error.contains("no test set"), "{error}");
}

#[test]
fn devices_are_listed_with_reasons() {
    let text = alone(&["devices"]).good();
    let value = alone(&["devices", "--json"]).json();
    let found = value.as_array().unwrap();
    let names: Vec<&str> = found.iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["flex", "ndarray", "wgpu", "cuda"]);
    for device in found {
        let (name, detail) = (device["name"].as_str().unwrap(), device["detail"].as_str().unwrap());
        assert!(!detail.is_empty() && text.contains(name) && text.contains(detail), "{device}");
    }
    assert_eq!(found[0]["available"].as_bool(), Some(cfg!(feature = "flex")));
    assert_eq!(found[1]["available"].as_bool(), Some(cfg!(feature = "ndarray")));
    assert!(text.contains("--device auto takes"), "{text}");
}

#[test]
fn every_processor_backend_trains() {
    let folder = folder();
    let args = tiny(&["--out", "run"]).iter().map(|a| if a == "flex" { "ndarray".into() } else { a.clone() });
    let args: Vec<String> = args.collect();
    let done = scotopic(folder.path(), &strings(&args));
    if cfg!(feature = "ndarray") {
        assert!(done.good().contains("trained 30 iterations"));
    } else {
        assert!(done.bad(2).contains("not compiled in"));
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = alone(&["completions", shell]).good();
        for word in ["train", "evaluate", "infer", "show", "devices", "resume"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert!(alone(&["completions", "basic"]).bad(2).contains("bash"));
}
