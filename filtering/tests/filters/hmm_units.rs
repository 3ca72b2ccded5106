//! Fits of hidden Markov models in units of the data and of their inputs that are far from 1.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    DiagonalGaussian, DrivenHmm, EmissionKind, FitSettings, Hmm, Learnable, LinearRegression,
};

/// As far as each fit is from its maximum: its tolerance, 1e-8 nats an observation, and what the last steps leave.
const AS_FAR: f64 = 1e-4;

/// Two levels in turn, and what is as good as noise.
fn level(i: usize) -> f64 {
    let t = i as f64;
    (if (i / 15).is_multiple_of(2) { 0.0 } else { 3.0 }) + (7.0 * t + t * t).sin()
}

fn start(unit: f64) -> Hmm {
    let variance = 2.0 * unit * unit;
    let emission = DiagonalGaussian::new(
        vec![vec![-unit], vec![4.0 * unit]],
        vec![vec![variance], vec![variance]],
    );
    let transition = vec![vec![0.9, 0.1], vec![0.1, 0.9]];
    Hmm::new(vec![0.5, 0.5], transition, emission.unwrap().into()).unwrap()
}

#[test]
fn a_fit_of_gaussian_states_is_the_same_in_any_unit() {
    for unit in [1.0, 1e-12, 1e-3, 1e4, 1e8, 1e12] {
        let data = Sequence::of_numbers((0..60).map(|i| unit * level(i))).unwrap();
        let fit = start(unit)
            .fit_from(&[data], &FitSettings::default())
            .unwrap();
        let found = fit.log_evidence + 60.0 * unit.ln();
        assert!((found + 71.251).abs() < 1e-3, "unit {unit}: {found}");
        let means = fit.model.emission().state_parameters();
        for (mean, expected) in means.iter().zip([0.112, 2.891]) {
            assert!(
                (mean / unit - expected).abs() < 1e-3,
                "unit {unit}: {means:?}"
            );
        }
        assert!(fit.converged, "unit {unit}");
    }
}

#[test]
fn a_fit_with_driven_transitions_is_the_same_in_any_unit() {
    // The input is as good as noise, and high where the level changes.
    let cue = |i: usize| {
        let changes = if i.is_multiple_of(15) { 1.0 } else { 0.0 };
        changes + (3.0 * (i * i) as f64 + 1.0).cos()
    };
    let data = |unit: f64, of_input: f64| {
        let rows = (0..150).map(|i| [unit * level(i), of_input * cue(i)]);
        [Sequence::of_rows(rows).unwrap()]
    };
    let settings = FitSettings {
        restarts: 2,
        ..FitSettings::default()
    };
    let from = |unit: f64, of_input: f64| {
        let model = DrivenHmm::new(start(unit), vec!["cue".to_owned()]).unwrap();
        model.fit_from(&data(unit, of_input), &settings).unwrap()
    };
    let of_data = |unit: f64| {
        let (kind, cue) = (EmissionKind::DiagonalGaussian, ["cue".to_owned()]);
        DrivenHmm::fit_states(kind, 2, &cue, &data(unit, 1.0), &settings).unwrap()
    };
    let (one, best) = (from(1.0, 1.0), of_data(1.0));
    for (unit, of_input) in [
        (1e4, 1.0),
        (1e7, 1.0),
        (1e12, 1.0),
        (1e-12, 1.0),
        (1.0, 1e9),
        (1.0, 1e-9),
    ] {
        let there = from(unit, of_input);
        let found = there.log_evidence + 150.0 * unit.ln();
        assert!(
            (found - one.log_evidence).abs() < AS_FAR && there.converged,
            "unit {unit}, of the input {of_input}: {found} and {}",
            one.log_evidence
        );
    }
    for of_input in [1e160, 1e-170] {
        let model = DrivenHmm::new(start(1.0), vec!["cue".to_owned()]).unwrap();
        let refused = model.fit_from(&data(1.0, of_input), &settings).unwrap_err();
        assert!(
            refused.to_string().contains("cue with a deviation"),
            "{refused}"
        );
    }
    for unit in [1e6, 1e-6] {
        let found = of_data(unit).log_evidence + 150.0 * unit.ln();
        assert!(
            (found - best.log_evidence).abs() < AS_FAR,
            "unit {unit}: {found} and {}",
            best.log_evidence
        );
    }
}

/// Squares of these inputs are no numbers; their effects are.
#[test]
fn inputs_of_any_size_have_their_effect() {
    let data = |unit: f64| {
        let rows = (0..60).map(|i| {
            let x = (1.7 * i as f64).cos();
            [level(i) + 2.0 * x, unit * x]
        });
        [Sequence::of_rows(rows).unwrap()]
    };
    let settings = FitSettings {
        restarts: 3,
        ..FitSettings::default()
    };
    let fit = |unit: f64| {
        let kind = EmissionKind::LinearRegression;
        Hmm::fit_states(kind, 2, &data(unit), &settings).unwrap()
    };
    let one = fit(1.0);
    for unit in [1e-165, 1e-30, 1e30, 1e155] {
        let there = fit(unit);
        assert!(
            (there.log_evidence - one.log_evidence).abs() < AS_FAR,
            "unit {unit}: {} and {}",
            there.log_evidence,
            one.log_evidence
        );
    }
    let model = |unit: f64| -> Hmm {
        let weights = vec![vec![0.0, 0.5 / unit], vec![3.0, 0.5 / unit]];
        let line = LinearRegression::new(vec!["x".to_owned()], weights).unwrap();
        let emission = line.with_variances(vec![1.0, 1.0]).unwrap();
        let transition = vec![vec![0.9, 0.1], vec![0.1, 0.9]];
        Hmm::new(vec![0.5, 0.5], transition, emission.into()).unwrap()
    };
    let from = |unit: f64| model(unit).fit_from(&data(unit), &settings).unwrap();
    let expected = from(1.0).log_evidence;
    for unit in [1e-165, 1e155] {
        let found = from(unit).log_evidence;
        assert!(
            (found - expected).abs() < AS_FAR,
            "unit {unit}: {found} and {expected}"
        );
    }
}
