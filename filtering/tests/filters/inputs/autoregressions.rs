//! Autoregressions against independent numbers (`tests/golden/autoregression.py`, numpy) and against what they are by definition.

use scotopic_filtering::hmm::{
    Autoregression, Covariates, DiagonalGaussian, Emission, EmissionKind, FitSettings, Hmm, Learn,
    Learnable,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{
    AnyFilter, AnyLearning, AnyModel, DiscreteResidual, Error, Filter, ForecastSettings, Law,
    Sequence, SummarySettings,
};
use serde_json::Value;

use super::{numbers, rows};

fn golden() -> [(&'static str, usize, Value); 2] {
    let all: Value =
        serde_json::from_str(include_str!("../../golden/autoregression.json")).unwrap();
    [("scalar", 2), ("vector", 1)].map(|(name, lags)| (name, lags, all[name].clone()))
}

fn matrices(value: &Value) -> Vec<Vec<Vec<f64>>> {
    value.as_array().unwrap().iter().map(rows).collect()
}

fn of(case: &Value, parameters: &Value) -> Hmm {
    let coefficients = parameters["coefficients"].as_array().unwrap();
    let emission = Autoregression::new(
        rows(&parameters["intercepts"]),
        coefficients.iter().map(matrices).collect(),
        matrices(&parameters["covariances"]),
    );
    let (initial, transition) = (numbers(&case["initial"]), rows(&case["transition"]));
    Hmm::new(initial, transition, emission.unwrap().into()).unwrap()
}

fn data(case: &Value, holes: bool) -> Sequence {
    let mut x = rows(&case["rows"]);
    if holes {
        for at in case["missing"].as_array().unwrap() {
            let at = numbers(at);
            x[at[0] as usize][at[1] as usize] = f64::NAN;
        }
    }
    Sequence::of_rows(x).unwrap()
}

fn settings(lags: usize) -> FitSettings {
    FitSettings {
        covariates: Covariates {
            lags,
            ..Covariates::default()
        },
        restarts: 4,
        ..FitSettings::default()
    }
}

/// b = 0.5, A = (0.6, −0.3), Σ = 0.49.
fn one_state() -> Hmm {
    let emission = Autoregression::new(
        vec![vec![0.5]],
        vec![vec![vec![vec![0.6]], vec![vec![-0.3]]]],
        vec![vec![vec![0.49]]],
    );
    Hmm::new(vec![1.0], vec![vec![1.0]], emission.unwrap().into()).unwrap()
}

/// Two states, one lag.
fn two_states() -> Hmm {
    let emission = Autoregression::new(
        vec![vec![0.2], vec![1.0]],
        vec![vec![vec![vec![0.9]]], vec![vec![vec![-0.4]]]],
        vec![vec![vec![0.25]], vec![vec![1.0]]],
    );
    let transition = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    Hmm::new(vec![0.5, 0.5], transition, emission.unwrap().into()).unwrap()
}

#[test]
fn evidence_and_marginals_are_those_of_an_independent_recursion() {
    for (name, _, case) in golden() {
        for (holes, suffix) in [(false, ""), (true, "_missing")] {
            let (model, data) = (of(&case, &case), data(&case, holes));
            let expected = case[format!("log_evidence{suffix}")].as_f64().unwrap();
            let smoothed = model.smooth(&data).unwrap();
            let found = smoothed.log_evidence();
            assert!(
                (found - expected).abs() < 1e-8,
                "{name}: {found} and {expected}"
            );
            let marginals = numbers(&case[format!("first_state{suffix}")]);
            for (n, expected) in marginals.iter().enumerate() {
                let found = smoothed.marginal(97 * n).unwrap()[0];
                assert!((found - expected).abs() < 1e-10, "{name}, {n}");
            }
        }
    }
}

#[test]
fn fits_reach_the_optimum_and_recover_the_coefficients() {
    for (name, lags, case) in golden() {
        let (kind, data) = (EmissionKind::Autoregression, [data(&case, false)]);
        let fit = Hmm::fit_states(kind, 2, &data, &settings(lags)).unwrap();
        let expected = case["fit"]["log_evidence"].as_f64().unwrap();
        assert!(
            fit.converged && (fit.log_evidence - expected).abs() < 1e-4,
            "{name}: {} and {expected}",
            fit.log_evidence
        );
        let truth = of(&case, &case);
        let real = truth.emission().state_parameters();
        let distance = |order: &[usize]| -> f64 {
            let found = fit.model.relabelled(order).unwrap();
            let found = found.emission().state_parameters();
            found.iter().zip(&real).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let order = match distance(&[0, 1]) < distance(&[1, 0]) {
            true => [0, 1],
            false => [1, 0],
        };
        let model = AnyModel::Hmm(fit.model.relabelled(&order).unwrap());
        let summary = model.summary(&data, &SummarySettings::default()).unwrap();
        let groups = truth.emission().parameter_groups();
        let (mut seen, mut off) = (0, Vec::new());
        for group in groups {
            let (name, value) = match group {
                scotopic_filtering::hmm::ParameterGroup::Number { name, value, .. }
                | scotopic_filtering::hmm::ParameterGroup::Positive { name, value } => {
                    (name, value)
                }
                other => panic!("{other:?}"),
            };
            let found = summary.estimates.iter().find(|e| e.name == name).unwrap();
            let error = found.standard_error.unwrap();
            seen += 1;
            if (found.value - value).abs() > 2.0 * error {
                off.push(format!("{name}: {} ± {error}, and {value}", found.value));
            }
        }
        // Of n intervals of 95 % as many are expected to miss as a twentieth of n; four standard errors none.
        assert!(seen > 6 && off.len() <= 1, "{name}: {off:?}");
    }
}

#[test]
fn partly_missing_rows_are_fitted_by_em_that_never_falls() {
    let (_, _, case) = golden().into_iter().next_back().unwrap();
    let data = [data(&case, true)];
    let em = scotopic_filtering::hmm::BatchEm {
        max_iterations: 30,
        ..Default::default()
    };
    let fit = of(&case, &case).fit(&data, &em).unwrap();
    assert!(
        fit.trace.is_sorted() && fit.iterations > 3,
        "{:?}",
        fit.trace
    );
    let quick = of(&case, &case).fit_from(&data, &settings(0)).unwrap();
    assert!(quick.converged && quick.log_evidence >= fit.log_evidence() - 1e-6);
}

#[test]
fn units_do_not_matter() {
    let (_, lags, case) = golden().into_iter().next().unwrap();
    let fitted = |unit: f64, offset: f64| {
        let x = rows(&case["rows"]).concat();
        let data = [Sequence::of_numbers(x.iter().map(|x| offset + unit * x)).unwrap()];
        let fit = Hmm::fit_states(EmissionKind::Autoregression, 2, &data, &settings(lags));
        let n = (x.len() - lags) as f64;
        fit.unwrap().log_evidence + n * unit.ln()
    };
    let expected = fitted(1.0, 0.0);
    for (unit, offset) in [(1e-5, 0.0), (1e9, 0.0), (1.0, 1e6), (1e-5, 10.0)] {
        let found = fitted(unit, offset);
        // Rows of 4 decimals on an offset of 10⁶ keep 10 digits of the variation.
        assert!(
            (found - expected).abs() < 1e-4,
            "{unit}, {offset}: {found} and {expected}"
        );
    }
}

#[test]
fn without_lags_of_weight_it_is_the_normal_emission() {
    let zero = vec![vec![vec![0.0; 2]; 2]];
    let (means, variances) = (
        vec![vec![0.0, 1.0], vec![2.0, -1.0]],
        vec![vec![1.0, 0.5], vec![0.3, 2.0]],
    );
    let coefficients = vec![zero.clone(), zero];
    let auto = Autoregression::diagonal(means.clone(), coefficients, variances.clone()).unwrap();
    let normal = DiagonalGaussian::new(means, variances).unwrap();
    let (initial, transition) = (vec![0.5, 0.5], vec![vec![0.8, 0.2], vec![0.3, 0.7]]);
    let auto = Hmm::new(initial.clone(), transition.clone(), auto).unwrap();
    let normal = Hmm::new(initial, transition, normal).unwrap();
    let x: Vec<[f64; 2]> = (0..20)
        .map(|t| [(t as f64).sin(), (1.7 * t as f64).cos()])
        .collect();
    let mut seen = Sequence::of_rows(&x).unwrap();
    let found = auto.log_evidence(&seen).unwrap();
    // The first row says nothing.
    let mut first = Sequence::new(2).unwrap();
    first.push(None).unwrap();
    for row in &x[1..] {
        first.push(Some(row)).unwrap();
    }
    assert!((found - normal.log_evidence(&first).unwrap()).abs() < 1e-12);
    // An observation that is missing silences the one after it too.
    seen.push(None).unwrap();
    seen.push(Some(&[1.0, 1.0])).unwrap();
    assert!((auto.log_evidence(&seen).unwrap() - found).abs() < 1e-12);
}

#[test]
fn forecasts_have_the_moments_of_the_recursion() {
    let mut filter = AnyFilter::new(AnyModel::Hmm(one_state()), "reversed").unwrap();
    for x in [1.0, 2.0] {
        filter.update(Some(&[x])).unwrap();
    }
    let ahead = ForecastSettings {
        ahead: 3,
        ..ForecastSettings::default()
    };
    let found = filter.forecast(&ahead).unwrap();
    let one = 0.5 + 0.6 * 2.0 - 0.3;
    let two = 0.5 + 0.6 * one - 0.3 * 2.0;
    let three = 0.5 + 0.6 * two - 0.3 * one;
    // ψ_1 = 0.6, ψ_2 = 0.6² − 0.3
    let spread = [1.0, 1.0 + 0.36, 1.0 + 0.36 + 0.06f64.powi(2)];
    for (h, mean) in [one, two, three].into_iter().enumerate() {
        assert!((found.mean[h][0] - mean).abs() < 1e-14);
        assert!((found.variance[h][0] - 0.49 * spread[h]).abs() < 1e-14);
    }
}

#[test]
fn forecasts_of_changing_states_have_the_moments_over_all_paths() {
    let model = two_states();
    let mut filter = AnyFilter::new(AnyModel::Hmm(model.clone()), "reversed").unwrap();
    for x in [1.0, 1.1, 0.4] {
        filter.update(Some(&[x])).unwrap();
    }
    let scotopic_filtering::Belief::Discrete(q) = filter.belief() else {
        panic!("states");
    };
    let (b, a, v) = ([0.2, 1.0], [0.9, -0.4], [0.25, 1.0]);
    let t = model.transition();
    let (mut mean, mut square) = (0.0, 0.0);
    for path in 0..16 {
        let s: Vec<usize> = (0..4).map(|i| path >> i & 1).collect();
        let p = q[s[0]] * t[s[0] * 2 + s[1]] * t[s[1] * 2 + s[2]] * t[s[2] * 2 + s[3]];
        let (mut m, mut c) = (0.4, 0.0);
        for s in &s[1..] {
            (m, c) = (b[*s] + a[*s] * m, a[*s] * a[*s] * c + v[*s]);
        }
        (mean, square) = (mean + p * m, square + p * (c + m * m));
    }
    let settings = ForecastSettings {
        ahead: 3,
        samples: 4000,
        ..ForecastSettings::default()
    };
    let found = filter.forecast(&settings).unwrap();
    assert!((found.mean[2][0] - mean).abs() < 1e-14);
    assert!((found.variance[2][0] - (square - mean * mean)).abs() < 1e-14);
    let drawn = found.samples.iter().map(|s| s.get(2).unwrap()[0]);
    let average = drawn.sum::<f64>() / 4000.0;
    // Four standard errors.
    assert!((average - mean).abs() < 4.0 * (found.variance[2][0] / 4000.0).sqrt());
}

#[test]
fn a_filter_remembers_what_it_needs_also_in_a_snapshot() {
    let model = AnyModel::Hmm(two_states());
    let AnyModel::Hmm(hmm) = &model else {
        panic!("hmm")
    };
    let (_, data) = hmm
        .sample(60, &mut Xoshiro256PlusPlus::seed_from_u64(3))
        .unwrap();
    assert_eq!(
        (data.width(), model.width(), model.inputs().len()),
        (1, 1, 0)
    );
    let mut filter = AnyFilter::new(model.clone(), "reversed").unwrap();
    assert!(
        filter
            .predictive(1)
            .unwrap_err()
            .to_string()
            .contains("missing")
    );
    for (t, row) in data.iter().enumerate() {
        if t == 30 {
            let saved = serde_json::to_string(&filter).unwrap();
            filter = serde_json::from_str(&saved).unwrap();
        }
        let before = filter.clone();
        assert!(filter.update(Some(&[1.0, 2.0])).is_err());
        assert_eq!(filter.observations(), before.observations());
        let law = before.predictive(1).ok().map(|laws| laws[0].clone());
        let step = filter.update(row).unwrap();
        if let Some(law) = law {
            let x = row.unwrap()[0];
            let part = |(w, law): &(f64, Law)| match law {
                Law::Normal { mean, variance } => {
                    let square = (x - mean).powi(2) / variance;
                    w * (-0.5 * square).exp() / (std::f64::consts::TAU * variance).sqrt()
                }
                other => panic!("{other:?}"),
            };
            let density: f64 = law.parts().iter().map(part).sum();
            assert!((density.ln() - step.increment).abs() < 1e-12);
        }
    }
    assert!((filter.elbo() - hmm.log_evidence(&data).unwrap()).abs() < 1e-11);
    // The rows that the emission sees give the same.
    let rows = data.with_lags(1).unwrap();
    assert_eq!(
        hmm.log_evidence(&rows).unwrap(),
        hmm.log_evidence(&data).unwrap()
    );
    let residuals = model
        .residuals(&data, DiscreteResidual::default(), None)
        .unwrap();
    assert!(residuals.standardised[0][0].is_nan());
    assert!(residuals.diagnostics[0].normality.p_value > 0.001);
}

#[test]
fn a_long_sample_has_the_variance_of_the_process() {
    let (_, x) = one_state()
        .sample(40_000, &mut Xoshiro256PlusPlus::seed_from_u64(8))
        .unwrap();
    let x: Vec<f64> = x.iter().flatten().map(|row| row[0]).collect();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    // b/(1 − a_1 − a_2), and (1 − a_2) σ²/((1 + a_2)((1 − a_2)² − a_1²)), within 5 %: seven standard errors
    assert!((mean - 0.5 / 0.7).abs() < 0.03, "{mean}");
    let expected = 1.3 * 0.49 / (0.7 * (1.3f64.powi(2) - 0.36));
    assert!(
        (variance / expected - 1.0).abs() < 0.05,
        "{variance} and {expected}"
    );
}

#[test]
fn it_learns_online() {
    let (_, data) = two_states()
        .sample(20_000, &mut Xoshiro256PlusPlus::seed_from_u64(4))
        .unwrap();
    let start = Autoregression::new(
        vec![vec![0.0], vec![0.5]],
        vec![vec![vec![vec![0.7]]], vec![vec![vec![0.0]]]],
        vec![vec![vec![0.4]], vec![vec![0.8]]],
    );
    let transition = vec![vec![0.8, 0.2], vec![0.2, 0.8]];
    let start = Hmm::new(vec![0.5, 0.5], transition, start.unwrap().into()).unwrap();
    for rule in ["block-online-em", "rmle"] {
        let model = AnyModel::Hmm(start.clone());
        let how = AnyLearning::named(&model, Some(rule)).unwrap();
        let mut filter = AnyFilter::learning(model, &how, "reversed").unwrap();
        for row in data.iter() {
            filter.update(row).unwrap();
        }
        let AnyModel::Hmm(learned) = filter.model() else {
            panic!("hmm")
        };
        let found = learned.emission().state_parameters();
        // Learning while filtering ends near the optimum: its gain still moves it.
        for (w, truth) in found.iter().zip([0.2, 0.9, 1.0, -0.4]) {
            assert!((w - truth).abs() < 0.1, "{rule}: {found:?}");
        }
    }
    let refused = start.learn_online(&Learn::OnlineEm(Default::default()));
    assert!(refused.is_err());
}

#[test]
fn what_cannot_be_is_named() {
    let ragged = Autoregression::new(
        vec![vec![0.0], vec![0.0]],
        vec![vec![vec![vec![0.5]]], vec![]],
        vec![vec![vec![1.0]]; 2],
    );
    let said = ragged.unwrap_err().to_string();
    assert!(said.contains("coefficients[1]"), "{said}");
    let none = Autoregression::new(vec![vec![0.0]], vec![vec![]], vec![vec![vec![1.0]]]);
    assert!(none.unwrap_err().to_string().contains("lags"));
    let wide = one_state().log_evidence(&Sequence::of_rows([[1.0, 2.0]]).unwrap());
    assert!(wide.unwrap_err().to_string().contains("1 entries"));
    // x_t = 2 x_{t−1}: no noise is left to be learned.
    let exact = [Sequence::of_numbers((0..40).map(|t| 2f64.powi(t % 20))).unwrap()];
    let exact = [exact[0].part(0, 20)];
    let fit = Hmm::fit_states(EmissionKind::Autoregression, 1, &exact, &settings(1));
    assert!(
        matches!(fit, Err(Error::Dependent { .. })),
        "a perfect regression"
    );
    let wrong = FitSettings {
        covariates: Covariates {
            lags: 2,
            ..Covariates::default()
        },
        ..FitSettings::default()
    };
    let fit = Hmm::fit_states(EmissionKind::DiagonalGaussian, 1, &exact, &wrong);
    assert!(fit.unwrap_err().to_string().contains("lags"));
    assert_eq!(one_state().emission().lags(), 2);
}
