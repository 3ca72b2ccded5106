//! Regressions against independent numbers: `tests/golden/regressions.py`, numpy and statsmodels 0.14.

use scotopic_filtering::hmm::{BatchEm, Hmm, Learnable};
use scotopic_filtering::{AnyModel, SummarySettings};

use super::{Case, numbers, rows};

#[test]
fn the_evidence_is_that_of_an_independent_recursion() {
    for case in Case::all() {
        let found = case.truth().log_evidence(&case.data[0]).unwrap();
        let expected = case.golden["at_truth"].as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-8,
            "{:?}: {found} and {expected}",
            case.kind
        );
    }
}

#[test]
fn one_state_is_the_regression_of_statsmodels() {
    for case in Case::all() {
        let fit = Hmm::fit_states(case.kind, 1, &case.data, &case.settings).unwrap();
        let expected = case.number("one", "log_evidence");
        assert!(
            fit.converged && (fit.log_evidence - expected).abs() < 1e-6,
            "{:?}",
            case.kind
        );
        let model = AnyModel::Hmm(fit.model.clone());
        let summary = model
            .summary(&case.data, &SummarySettings::default())
            .unwrap();
        let golden = &case.golden["one"];
        for (i, (w, se)) in numbers(&golden["weights"])
            .iter()
            .zip(numbers(&golden["standard_errors"]))
            .enumerate()
        {
            let name = format!("weights[1,{}]", i + 1);
            let found = summary.estimates.iter().find(|e| e.name == name).unwrap();
            // The gradient promises 1e-8 nats an observation: √(2 · 1e-8 · 1500) of a standard error at most, and far less here.
            assert!(
                (found.value - w).abs() < 1e-4 * se,
                "{:?} {name}: {} and {w}",
                case.kind,
                found.value
            );
            // Central differences of steps of a hundredth of a standard error.
            let error = found.standard_error.unwrap();
            assert!(
                (error / se - 1.0).abs() < 1e-4,
                "{:?} {name}: {error} and {se}",
                case.kind
            );
        }
    }
}

#[test]
fn fits_reach_the_optimum_and_recover_the_weights() {
    for case in Case::all() {
        let states = case.truth().states();
        let fit = Hmm::fit_states(case.kind, states, &case.data, &case.settings).unwrap();
        let expected = case.number("fit", "log_evidence");
        assert!(fit.converged, "{:?}", case.kind);
        assert!(
            (fit.log_evidence - expected).abs() < 1e-4,
            "{:?}: {} and {expected}",
            case.kind,
            fit.log_evidence
        );
        // States in the order of the truth, which their weights tell.
        let truth = case.truth();
        let (found, real) = (
            fit.model.emission().state_parameters(),
            truth.emission().state_parameters(),
        );
        let m = found.len() / states;
        let distance = |i: usize, j: usize| -> f64 {
            (0..m)
                .map(|k| (found[i * m + k] - real[j * m + k]).powi(2))
                .sum()
        };
        let order: Vec<usize> = (0..states)
            .map(|j| {
                (0..states)
                    .min_by(|a, b| distance(*a, j).total_cmp(&distance(*b, j)))
                    .unwrap()
            })
            .collect();
        let model = AnyModel::Hmm(fit.model.relabelled(&order).unwrap());
        let summary = model
            .summary(&case.data, &SummarySettings::default())
            .unwrap();
        for (j, row) in rows(&case.golden["weights"]).iter().enumerate() {
            for (i, w) in row.iter().enumerate() {
                let name = format!("weights[{},{}]", j + 1, i + 1);
                let found = summary.estimates.iter().find(|e| e.name == name).unwrap();
                let error = found.standard_error.unwrap();
                assert!(
                    (found.value - w).abs() < 2.0 * error,
                    "{:?} {name}: {} ± {error}, and {w}",
                    case.kind,
                    found.value
                );
            }
        }
    }
}

#[test]
fn steps_of_em_never_lower_the_evidence_and_lead_to_the_same_optimum() {
    for case in Case::all() {
        let em = BatchEm {
            max_iterations: 3000,
            tolerance: 1e-12,
            ..BatchEm::default()
        };
        let fit = case.truth().fit(&case.data, &em).unwrap();
        // Rounding of a sum of 1500 terms.
        let falls = fit.trace.windows(2).filter(|w| w[1] < w[0] - 1e-9).count();
        assert_eq!(falls, 0, "{:?}", case.kind);
        let expected = case.number("fit", "log_evidence");
        assert!(
            (fit.log_evidence() - expected).abs() < 1e-5,
            "{:?}: {} and {expected}",
            case.kind,
            fit.log_evidence()
        );
    }
}

/// Σ_t γ_t ∂ ln p/∂θ, by differences of the expected log-likelihood for one state.
#[test]
fn scores_are_the_slopes_of_the_evidence() {
    for case in Case::all() {
        let emission = case.truth().emission().relabelled_to_first();
        let model = Hmm::new(vec![1.0], vec![vec![1.0]], emission).unwrap();
        let expected = model.expectations(&case.data).unwrap();
        let q = model.emission().parameters_len();
        let mut score = vec![0.0; q];
        model.emission().score(&expected.emission, &mut score);
        for i in 0..q {
            let h = 1e-5;
            let at = |d: f64| {
                let mut step = vec![0.0; q];
                step[i] = d;
                let emission = model.emission().ascended(&step).unwrap();
                let moved = Hmm::new(vec![1.0], vec![vec![1.0]], emission).unwrap();
                moved.log_evidence(&case.data[0]).unwrap()
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            assert!(
                (score[i] - slope).abs() < 1e-6 * (1.0 + slope.abs()) * 10.0,
                "{:?} {i}: {} and {slope}",
                case.kind,
                score[i]
            );
        }
    }
}

trait First {
    fn relabelled_to_first(&self) -> Self;
}

impl<E: scotopic_filtering::hmm::Emission> First for E {
    fn relabelled_to_first(&self) -> Self {
        self.relabelled(&[0])
    }
}
