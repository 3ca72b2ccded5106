//! Noise that a fit of a free linear-Gaussian model loses: the fit is repeated, and what it writes can be used.

use super::{Folder, noise, table};

/// Two columns of one state and one noise: 2a − b is seen without any.
#[test]
fn a_combination_of_columns_without_noise_is_found() {
    let (e, x) = (noise(160), noise(241));
    let mut state = 0.0;
    let states: Vec<f64> = x[81..]
        .iter()
        .map(|x| {
            state = 0.9 * state + x;
            state
        })
        .collect();
    let column = |of: &dyn Fn(usize) -> f64| (0..160).map(of).collect::<Vec<f64>>();
    let a = column(&|t| states[t] + e[t]);
    let b = column(&|t| states[t] + 2.0 * e[t]);
    for unit in [1e-6, 1e6] {
        let b: Vec<f64> = b.iter().map(|b| b * unit).collect();
        let folder = Folder::with(&[("y.csv", &table("a,b", &[&a, &b]))]);
        let fit = [
            "fit",
            "y.csv",
            "--kind",
            "linear-gaussian",
            "--n-states",
            "1",
            "--out",
            "m.toml",
        ];
        let (out, _) = folder.good(&fit);
        assert!(
            out.contains("a combination of columns 1, 2 collapsed"),
            "{out}"
        );
        assert!(!out.contains("raise --max-iterations"), "{out}");
        folder.good(&["summary", "--model", "m.toml", "y.csv"]);
    }
}

/// Counts of parameters beside numbers, and names of parameters that there are not.
#[test]
fn what_cannot_be_told_is_not_ranked() {
    let y = noise(30);
    let folder = Folder::with(&[("y.csv", &table("y", &[&y]))]);
    let fit = ["fit", "y.csv", "--kind", "slds", "--n-states", "4"];
    let (out, _) = folder.good(&[&fit[..], &["--out", "m.toml"]].concat());
    assert!(out.contains("for 30 numbers: not ranked"), "{out}");
    // One start, that of autoregressions of the smoothed states, is enough.
    let fit = ["fit", "y.csv", "--kind", "slds", "--restarts", "1"];
    folder.good(&[&fit[..], &["--out", "one.toml"]].concat());
    let fit = [
        "fit",
        "y.csv",
        "--kind",
        "linear-gaussian",
        "--learn",
        "F,G",
        "--out",
        "l.toml",
    ];
    assert_eq!(folder.run(&fit).0, Some(2));
}
