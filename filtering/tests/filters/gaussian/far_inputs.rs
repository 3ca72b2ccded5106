//! Regressions on inputs that are far from 0 beside their spread.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{StructuralModel, StructuralSettings};

const X: [f64; 10] = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0, 1.0, 2.0, 0.0, 1.0];
const Y: [f64; 10] = [1.2, 0.1, 2.3, 1.0, 0.2, 3.1, 0.8, 2.2, 0.1, 1.3];

fn model() -> StructuralModel {
    let model = StructuralModel::new("level,regression").unwrap();
    model.with_inputs(&["x".to_owned()]).unwrap()
}

fn rows(x: impl Fn(f64) -> f64) -> Sequence {
    Sequence::of_rows((0..10).map(|t| [Y[t], x(X[t])])).unwrap()
}

/// The places of the inputs, in units of X, and what is left of their spread there by rounding.
const PLACES: [(f64, f64, f64); 5] = [
    (0.0, 1.0, 1e-12),
    (1e5, 1.0, 1e-9),
    (-1e9, 1.0, 1e-6),
    (1e3, 1e-5, 1e-6),
    (0.0, 1e-150, 1e-12),
];

/// ln p is that of statsmodels for X (`UnobservedComponents(Y, "llevel", exog=X, mle_regression=False, use_exact_diffuse=True)` at 0.5 and 0.2,
/// without −½ ln 2π for the two observations that are spent): a mean changes nothing beside a diffuse level, and of s X in place of X it is less
/// by ln s.
#[test]
fn the_mean_of_an_input_costs_no_digits() {
    let exact = -8.700227039184487;
    for (mean, scale, rounding) in PLACES {
        let data = rows(|x| mean + scale * x);
        let found = model().log_likelihood(&[0.5, 0.2], std::slice::from_ref(&data));
        let found = found.unwrap().log_likelihood + scale.ln();
        assert!(
            (found - exact).abs() < 100.0 * rounding,
            "{mean}: {found} {exact}"
        );
        let told = model().coefficients(&[0.5, 0.2], &data).unwrap();
        // As smoothed by statsmodels.
        let (m, deviation) = (told[0].1 * scale, told[0].2 * scale);
        assert!(
            (m - 1.035538751724138).abs() < 100.0 * rounding,
            "{mean}: {m}"
        );
        let exact = 0.067204081083643f64.sqrt();
        assert!(
            (deviation - exact).abs() < 100.0 * rounding,
            "{mean}: {deviation}"
        );
    }
}

#[test]
fn a_fit_ends_at_the_same_maximum_wherever_the_input_is() {
    let y = |t: usize| {
        let t = t as f64;
        (1.3 * t).sin() + 0.2 * t.sqrt() * (0.05 * t).cos() + 2.0 * (t * t).cos()
    };
    let fit = |mean: f64, scale: f64| {
        let x = |t: usize| mean + scale * ((t * t) as f64).cos();
        let data = Sequence::of_rows((0..150).map(|t| [y(t), x(t)])).unwrap();
        model()
            .fit(&[data], &StructuralSettings::default())
            .unwrap()
    };
    let near = fit(0.0, 1.0);
    for (mean, scale, rounding) in &PLACES[1..] {
        let far = fit(*mean, *scale);
        assert!(far.converged, "{mean}");
        let (own, expected) = (far.log_likelihood + scale.ln(), near.log_likelihood);
        assert!(
            (own - expected).abs() < 1e3 * rounding,
            "{mean}: {own} {expected}"
        );
        for (a, b) in far.estimates.iter().zip(&near.estimates) {
            assert!((a - b).abs() < 1e-3 * b.abs(), "{mean}: {a} {b}");
        }
    }
}
