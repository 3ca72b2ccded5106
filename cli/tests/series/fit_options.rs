//! Options that a fit has no use for are refused.

use super::{Folder, noise, table};

const DRIVEN: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n\
                      transition_inputs = [\"u\"]\ntransition_weights = [[[0.0], [1.0]], [[0.0], [0.0]]]\n\
                      [emission]\nkind = \"poisson\"\nrates = [[1.0], [5.0]]\n";
const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[0.5]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";
const NONLINEAR: &str =
    "kind = \"stochastic-volatility\"\na = 0.95\nq = 0.1\nbeta = 0.6\nm0 = 0.0\nv0 = 1.0\n";

#[test]
fn by_kind() {
    let counts: Vec<f64> = noise(60).iter().map(|x| (3.0 * x + 3.0).floor()).collect();
    let plain = DRIVEN
        .lines()
        .filter(|line| !line.starts_with("transition_"));
    let plain: String = plain.map(|line| format!("{line}\n")).collect();
    let folder = Folder::with(&[
        ("d.csv", &table("y,u", &[&counts, &noise(60)])),
        ("driven.toml", DRIVEN),
        ("hmm.toml", &plain),
        ("level.toml", LEVEL),
        ("sv.toml", NONLINEAR),
    ]);
    let (restarts, tolerance) = (["--restarts", "2"], ["--tolerance", "0.1"]);
    let (pseudo, floor) = (["--pseudo-count", "1"], ["--variance-floor", "0.1"]);
    let (threads, seed, rule) = (["--threads", "1"], ["--seed", "1"], ["--rule", "rmle"]);
    let (learn, most) = (["--learn", "Q"], ["--max-iterations", "3"]);
    for (fit, options) in [
        (
            &["--component", "level"][..],
            &[tolerance, pseudo, floor][..],
        ),
        (&["--kind", "linear-gaussian"], &[tolerance, floor]),
        (
            &["--kind", "plds"],
            &[restarts, pseudo, floor, threads, seed, learn],
        ),
        (&["--kind", "poisson"], &[learn]),
        (&["--model", "hmm.toml"], &[restarts, threads, seed, learn]),
        (
            &["--model", "driven.toml"],
            &[restarts, pseudo, threads, seed, learn, rule],
        ),
        (
            &["--model", "level.toml"],
            &[restarts, tolerance, floor, threads, seed, rule],
        ),
        (
            &["--model", "sv.toml"],
            &[
                restarts, tolerance, pseudo, floor, threads, seed, learn, rule,
            ],
        ),
        (
            &["--model", "hmm.toml", "--rule", "rmle"],
            &[tolerance, pseudo, floor, most],
        ),
    ] {
        for option in options {
            let start = ["fit", "d.csv", "--columns", "y", "--out", "m.toml"];
            let all = [&start[..], fit, option].concat();
            folder.refused(
                &all,
                &[option[0], "has no use for", "a fit"].map(|s| match s {
                    "a fit" if fit.contains(&"--rule") => "passes",
                    s => s,
                }),
            );
            assert!(!folder.path().join("m.toml").exists());
        }
    }
    let passes = [
        "fit",
        "d.csv",
        "--columns",
        "y",
        "--model",
        "hmm.toml",
        "--out",
        "m.toml",
    ];
    folder.refused(&[&passes[..], &["--passes", "3"]].concat(), &["--rule"]);
}

/// The help names every form of a component.
#[test]
fn the_help_names_harmonics() {
    let (help, _) = Folder::with(&[]).good(&["fit", "--help"]);
    let words: Vec<&str> = help.split_whitespace().collect();
    let all = words.join(" ");
    assert!(
        all.contains("trigonometric:N, trigonometric:N:K (its first K harmonics), cycle"),
        "{all}"
    );
}
