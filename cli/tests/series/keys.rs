//! Errors in model files call keys as they are written.

use super::{Folder, TIMED};

#[track_caller]
fn refused(model: &str, said: &[&str], not: &[&str]) {
    let folder = Folder::with(&[("m.toml", model)]);
    let check = ["model", "check", "m.toml"];
    folder.refused(&check, said);
    let err = folder.run(&check).2;
    for part in not {
        assert!(!err.contains(part), "{part:?} is in: {err}");
    }
}

#[test]
fn rates_of_a_model_of_continuous_time() {
    let with = |key: &str, value: &str| {
        let changed = TIMED.lines().map(|line| match line.starts_with(key) {
            true => format!("{key} = {value}\n"),
            false => format!("{line}\n"),
        });
        changed.collect::<String>()
    };
    let not = ["transition", "process_noise"];
    refused(&with("drift", "[[nan]]"), &["drift[0][0]"], &not);
    refused(&with("drift", "[[0.1, 0.2]]"), &["drift"], &not);
    refused(&with("drift", "[[0.1], [0.1, 0.2]]"), &["drift[1]"], &not);
    refused(&with("diffusion", "[[-1.0]]"), &["diffusion"], &not);
    refused(&with("diffusion", "[[1.0, 0.5]]"), &["diffusion"], &not);
    refused(
        &TIMED.replace("time = \"when\"\n", ""),
        &["time", "drift"],
        &["unknown field"],
    );
}

#[test]
fn coefficients_of_an_autoregression() {
    let of = |intercept: &str, coefficient: &str| {
        format!(
            "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n[emission]\nkind = \"autoregression\"\n\
             intercepts = [[{intercept}]]\ncoefficients = [[[[0.5]], [[{coefficient}]]]]\ncovariances = [[[1.0]]]\n"
        )
    };
    refused(
        &of("0.0", "nan"),
        &["coefficients[0][1][0][0]"],
        &["weights"],
    );
    refused(&of("inf", "0.1"), &["intercepts[0][0]"], &["weights"]);
    let start = format!("{}start = [[1.0]]\n", of("0.0", "0.1"));
    refused(&start, &["start", "2, one a lag"], &[]);
}

#[test]
fn effects_of_inputs_that_are_not_named() {
    let level = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    for key in ["control", "direct"] {
        let model = format!("{level}{key} = [[1.0]]\n");
        refused(&model, &["inputs", key], &["unknown field"]);
        let timed = format!("{TIMED}{key} = [[1.0]]\n");
        refused(&timed, &["inputs", key], &["unknown field"]);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_no_model() {
    let folder = Folder::with(&[("y.csv", "1\n2\n")]);
    let mut mkfifo = std::process::Command::new("mkfifo");
    assert!(
        mkfifo
            .arg(folder.path().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    for (option, path) in [
        ("--model", "pipe"),
        ("--model", "/dev/zero"),
        ("--resume", "pipe"),
    ] {
        // Nobody writes to the pipe: whoever opens it waits for ever.
        folder.refused(
            &["filter", option, path, "y.csv"],
            &[path, "a pipe or a device"],
        );
    }
    folder.refused(
        &["fit", "y.csv", "--model", "pipe", "--out", "x.toml"],
        &["pipe"],
    );
    folder.refused(&["model", "check", "pipe"], &["pipe"]);
    // Data may come from one.
    folder.write(
        "level.toml",
        "kind = \"linear-gaussian\"\ntransition = [[1.0]]\nprocess_noise = [[1.0]]\n\
                  observation = [[1.0]]\nobservation_noise = [[1.0]]\n",
    );
    let score = [
        "score",
        "--model",
        "level.toml",
        "--format",
        "csv",
        "pipe",
        "--json",
    ];
    let reader = folder
        .command(&score)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    folder.write("pipe", "1\n2\n");
    let piped = reader.wait_with_output().unwrap();
    assert!(piped.status.success());
    let piped: serde_json::Value = serde_json::from_slice(&piped.stdout).unwrap();
    let file = folder.json(&["score", "--model", "level.toml", "y.csv", "--json"]);
    assert_eq!(piped["log_evidence"], file["log_evidence"]);
}

/// A key that is nearly one is told which, also where the key would make another model of it.
#[test]
fn the_nearest_key_is_named() {
    let hmm = "kind = \"hmm\"\ninitial = [1.0]\ntransition = [[1.0]]\n";
    let poisson = "[emission]\nkind = \"poisson\"\nrates = [[1.0]]\n";
    let level = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[0.1]]\nobservation = [[1.0]]\n\
                 observation_noise = [[1.0]]\n";
    for (model, said) in [
        (
            format!("{hmm}transition_input = [\"u\"]\n{poisson}"),
            "did you mean `transition_inputs`?",
        ),
        (
            format!("{hmm}transition_inputs = [\"u\"]\ntransition_weight = [[[0.0]]]\n{poisson}"),
            "did you mean `transition_weights`?",
        ),
        (
            format!("{hmm}{}", poisson.replace("rates", "rate")),
            "did you mean `rates`?",
        ),
        (
            format!("{level}input = [\"u\"]\n"),
            "did you mean `inputs`?",
        ),
        (
            format!("{level}inputs = [\"u\"]\ncontol = [[1.0]]\n"),
            "did you mean `control`?",
        ),
        (
            level.replace("process_noise", "process_nois"),
            "did you mean `process_noise`?",
        ),
    ] {
        refused(&model, &["unknown field", said], &[]);
    }
    refused(
        &format!("{hmm}{poisson}colour = 1\n"),
        &["unknown field `colour`"],
        &["did you mean"],
    );
}
