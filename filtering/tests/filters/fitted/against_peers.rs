//! Golden numbers of `tests/golden/fitted.py`: statsmodels 0.15.0, hmmlearn 0.3.3, scipy 1.17.1.

use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::{DiagonalGaussian, Hmm, Poisson};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{
    AnyModel, Belief, Decoding, Diagnostics, DiscreteResidual, ForecastSettings, Sequence,
    SummarySettings, TestResult,
};
use serde_json::Value;

/// Rounding of sums over a few hundred observations, relative to their size.
const ROUNDING: f64 = 1e-9;

fn golden(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../golden/fitted.json")).unwrap();
    all[name].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn states(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|s| s as usize).collect()
}

#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    let size = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() < ROUNDING * size,
        "{what}: {found} and not {expected}"
    );
}

#[track_caller]
fn all_close(found: impl IntoIterator<Item = f64>, expected: &[f64], what: &str) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (t, (a, b)) in found.iter().zip(expected).enumerate() {
        close(*a, *b, &format!("{what}, {t}"));
    }
}

fn tested(found: &Diagnostics, expected: &Value) {
    let check = |found: TestResult, name: &str| {
        let expected = numbers(&expected[name]);
        close(found.statistic, expected[0], name);
        close(found.p_value, expected[1], name);
    };
    check(found.independence, "ljung_box");
    check(found.normality, "jarque_bera");
    check(found.heteroscedasticity, "heteroscedasticity");
    close(found.skewness, expected["skew"].as_f64().unwrap(), "skew");
    close(
        found.kurtosis,
        expected["kurtosis"].as_f64().unwrap(),
        "kurtosis",
    );
}

fn level(q: f64, r: f64) -> AnyModel {
    let model = LinearGaussian::from_rows(&[[1.0]], &[[q]], &[[1.0]], &[[r]]).unwrap();
    let start = (
        DVector::from_element(1, 1000.0),
        DMatrix::from_element(1, 1, 1e5),
    );
    AnyModel::LinearGaussian(model.with_initial(start.0, start.1).unwrap())
}

#[test]
fn a_local_level_of_the_nile_is_smoothed_forecast_and_tested_as_by_statsmodels() {
    let g = golden("nile");
    let y = Sequence::of_numbers(numbers(&g["y"])).unwrap();
    let model = level(g["q"].as_f64().unwrap(), g["r"].as_f64().unwrap());
    let smoothed = model.smooth(&y).unwrap();
    close(smoothed.elbo(), g["log_evidence"].as_f64().unwrap(), "ln p");
    let belief = |t: usize| smoothed.belief(t).and_then(Belief::gaussian).unwrap();
    all_close(
        (0..100).map(|t| belief(t).mean[0]),
        &numbers(&g["smoothed_mean"]),
        "mean",
    );
    let variance = numbers(&g["smoothed_variance"]);
    all_close(
        (0..100).map(|t| belief(t).covariance[0]),
        &variance,
        "variance",
    );

    let settings = ForecastSettings {
        ahead: 10,
        quantiles: numbers(&g["levels"]),
        ..ForecastSettings::default()
    };
    let forecast = model.forecast(&y, &settings).unwrap();
    all_close(
        forecast.mean.concat(),
        &numbers(&g["forecast_mean"]),
        "forecast",
    );
    all_close(
        forecast.variance.concat(),
        &numbers(&g["forecast_variance"]),
        "variance",
    );
    for (found, expected) in forecast.quantiles.iter().zip(rows(&g["quantiles"])) {
        all_close(found.concat(), &expected, "quantile");
    }

    let residuals = model
        .residuals(&y, DiscreteResidual::default(), Some(10))
        .unwrap();
    all_close(
        residuals.standardised[0].clone(),
        &numbers(&g["residuals"]),
        "residual",
    );
    tested(&residuals.diagnostics[0], &g["tests"]);
}

/// Standard errors at the optimum, against the Hessian by complex steps through statsmodels' filter.
#[test]
fn standard_errors_of_the_nile_are_those_of_statsmodels() {
    /// Central differences at a hundredth of a standard error: a few times (0.01)²/12.
    const DIFFERENCES: f64 = 1e-5;
    let g = golden("nile");
    let y = Sequence::of_numbers(numbers(&g["y"])).unwrap();
    let (best, errors) = (numbers(&g["optimum"]), numbers(&g["standard_errors"]));
    let summary = level(best[0], best[1])
        .summary(&[y], &SummarySettings::default())
        .unwrap();
    assert!(summary.shortfall < 1e-6, "{}", summary.shortfall);
    for (name, expected) in [
        ("process_noise[1,1]", errors[0]),
        ("observation_noise[1,1]", errors[1]),
    ] {
        let found = summary.estimates.iter().find(|e| e.name == name).unwrap();
        let found = found.standard_error.unwrap();
        assert!(
            (found / expected - 1.0).abs() < DIFFERENCES,
            "{name}: {found}, {expected}"
        );
    }
}

#[test]
fn residuals_of_two_entries_are_those_of_each_given_the_past() {
    let g = golden("pair");
    let of = |name: &str| rows(&g[name]);
    let model = LinearGaussian::from_rows(
        &of("transition"),
        &of("process_noise"),
        &of("observation"),
        &of("observation_noise"),
    );
    let offset = DVector::from_vec(numbers(&g["offset"]));
    let model = model.unwrap().with_bias(DVector::zeros(2), offset).unwrap();
    let model = AnyModel::LinearGaussian(model);
    let y = Sequence::of_rows(of("y")).unwrap();
    let residuals = model
        .residuals(&y, DiscreteResidual::default(), Some(10))
        .unwrap();
    for (i, expected) in of("residuals").iter().enumerate() {
        all_close(residuals.standardised[i].clone(), expected, "residual");
        tested(&residuals.diagnostics[i], &g["tests"][i]);
    }
    let smoothed = model.smooth(&y).unwrap();
    for (t, expected) in of("smoothed_mean").iter().enumerate() {
        let belief = smoothed.belief(t).and_then(Belief::gaussian).unwrap();
        all_close(belief.mean.to_vec(), expected, "mean");
    }
}

fn counts() -> (AnyModel, Sequence, Value) {
    let g = golden("counts");
    let rates = Poisson::new(rows(&g["rates"])).unwrap();
    let model = Hmm::new(numbers(&g["initial"]), rows(&g["transition"]), rates.into()).unwrap();
    let y = Sequence::of_numbers(numbers(&g["y"])).unwrap();
    (AnyModel::Hmm(model), y, g)
}

#[test]
fn counts_are_smoothed_and_decoded_as_by_hmmlearn() {
    let (model, y, g) = counts();
    let smoothed = model.smooth(&y).unwrap();
    close(smoothed.elbo(), g["log_evidence"].as_f64().unwrap(), "ln p");
    for (t, expected) in rows(&g["marginals"]).iter().enumerate() {
        let Some(Belief::Discrete(found)) = smoothed.belief(t) else {
            panic!("no probabilities")
        };
        all_close(found.to_vec(), expected, "probability");
    }
    let path = model.decode(&y, Decoding::Viterbi).unwrap();
    assert_eq!(path.states, states(&g["viterbi"]));
    close(
        path.log_joint,
        g["log_joint"].as_f64().unwrap(),
        "ln p of the path",
    );
    close(
        path.log_posterior,
        path.log_joint - smoothed.elbo(),
        "ln p of the path given y",
    );
    let likely = model.decode(&y, Decoding::Posterior).unwrap();
    assert_eq!(likely.states, states(&g["posterior_path"]));
    assert!(likely.log_joint <= path.log_joint);
    let right = |p: &[f64]| p.iter().sum::<f64>();
    assert!(right(&likely.probabilities) >= right(&path.probabilities));
}

#[test]
fn counts_have_the_quantiles_and_residuals_of_their_distribution_function() {
    let (model, y, g) = counts();
    let settings = ForecastSettings {
        ahead: 5,
        quantiles: numbers(&g["levels"]),
        ..ForecastSettings::default()
    };
    let forecast = model.forecast(&y, &settings).unwrap();
    for (h, step) in g["forecast"].as_array().unwrap().iter().enumerate() {
        close(forecast.mean[h][0], step["mean"].as_f64().unwrap(), "mean");
        let found = forecast
            .quantiles
            .iter()
            .map(|q| q[h][0])
            .collect::<Vec<_>>();
        assert_eq!(found, numbers(&step["quantiles"]), "{h}");
    }
    let residuals = model
        .residuals(&y, DiscreteResidual::MidQuantile, None)
        .unwrap();
    all_close(
        residuals.standardised[0].clone(),
        &numbers(&g["mid_quantile"]),
        "residual",
    );
    // A seed says which randomised ones.
    let drawn = |seed| {
        model
            .residuals(&y, DiscreteResidual::Randomised(seed), None)
            .unwrap()
    };
    assert_eq!(drawn(1), drawn(1));
    assert!(drawn(1) != drawn(2));
}

#[test]
fn mixtures_of_normals_have_the_quantiles_and_residuals_of_scipy() {
    let g = golden("normals");
    let emission =
        DiagonalGaussian::new(vec![vec![25.0], vec![85.0]], vec![vec![300.0], vec![900.0]]);
    let model = Hmm::new(
        vec![0.6, 0.4],
        vec![vec![0.9, 0.1], vec![0.2, 0.8]],
        emission.unwrap().into(),
    );
    let model = AnyModel::Hmm(model.unwrap());
    let y = Sequence::of_numbers(numbers(&g["y"])).unwrap();
    let settings = ForecastSettings {
        ahead: 4,
        quantiles: numbers(&g["levels"]),
        ..ForecastSettings::default()
    };
    let forecast = model.forecast(&y, &settings).unwrap();
    for (h, expected) in rows(&g["quantiles"]).iter().enumerate() {
        all_close(
            forecast.quantiles.iter().map(|q| q[h][0]),
            expected,
            "quantile",
        );
    }
    let residuals = model
        .residuals(&y, DiscreteResidual::default(), Some(10))
        .unwrap();
    all_close(
        residuals.standardised[0].clone(),
        &numbers(&g["residuals"]),
        "residual",
    );
    tested(&residuals.diagnostics[0], &g["tests"]);
    let path = model.decode(&y, Decoding::Viterbi).unwrap();
    assert_eq!(path.states, states(&g["viterbi"]));
    close(
        path.log_joint,
        g["log_joint"].as_f64().unwrap(),
        "ln p of the path",
    );
}

/// Volts or nanovolts: what is said of the data is the same, in their units.
#[test]
fn units_change_nothing_but_the_units() {
    let y = numbers(&golden("nile")["y"]);
    let at = |unit: f64| {
        let model = LinearGaussian::from_rows(
            &[[1.0]],
            &[[1469.0 * unit * unit]],
            &[[1.0]],
            &[[15099.0 * unit * unit]],
        );
        let start = (
            DVector::from_element(1, 1000.0 * unit),
            DMatrix::from_element(1, 1, 1e5 * unit * unit),
        );
        let model =
            AnyModel::LinearGaussian(model.unwrap().with_initial(start.0, start.1).unwrap());
        (
            model,
            Sequence::of_numbers(y.iter().map(|y| y * unit)).unwrap(),
        )
    };
    let (model, data) = at(1.0);
    let settings = ForecastSettings::default();
    let (forecast, residuals, summary) = (
        model.forecast(&data, &settings).unwrap(),
        model
            .residuals(&data, DiscreteResidual::default(), None)
            .unwrap(),
        model
            .summary(std::slice::from_ref(&data), &SummarySettings::default())
            .unwrap(),
    );
    for unit in [1e-9, 1e7] {
        let (model, data) = at(unit);
        let again = model.forecast(&data, &settings).unwrap();
        for (a, b) in again.quantiles.iter().zip(&forecast.quantiles) {
            close(a[0][0] / unit, b[0][0], "quantile");
        }
        let again = model
            .residuals(&data, DiscreteResidual::default(), None)
            .unwrap();
        all_close(
            again.standardised[0].clone(),
            &residuals.standardised[0],
            "residual",
        );
        let again = model.summary(&[data], &SummarySettings::default()).unwrap();
        for (a, b) in again.estimates.iter().zip(&summary.estimates) {
            if let (Some(a), Some(b)) = (a.standard_error, b.standard_error) {
                // The steps of the differences are found anew.
                assert!((a / unit.powi(2) / b - 1.0).abs() < 1e-3, "{a} {b}");
            }
        }
    }
}

/// One coordinate as a diagonal-linear and as a linear-Gaussian model: the slope has one standard error.
#[test]
fn a_model_by_either_kind_has_the_same_errors() {
    use scotopic_filtering::nonlinear::models::DiagonalLinear;
    let y = Sequence::of_numbers(
        (0..150).map(|t| (f64::from(t) * 0.37).sin() + 0.3 * (f64::from(t * t)).cos()),
    );
    let y = y.unwrap();
    let one = |name: &str, model: AnyModel, hold: &str| {
        let hold = hold
            .split(',')
            .filter(|h| !h.is_empty())
            .map(str::to_owned)
            .collect();
        let settings = SummarySettings {
            hold,
            ..SummarySettings::default()
        };
        let summary = model.summary(std::slice::from_ref(&y), &settings).unwrap();
        let found = summary
            .estimates
            .into_iter()
            .find(|e| e.name.starts_with(name))
            .unwrap();
        (found.standard_error.unwrap(), summary.log_evidence)
    };
    let linear = LinearGaussian::from_rows(&[[0.8]], &[[0.2]], &[[1.5]], &[[0.1]]).unwrap();
    let diagonal = DiagonalLinear::new(vec![0.8], vec![1.5], vec![0.2], vec![0.1]).unwrap();
    let a = one(
        "transition",
        AnyModel::LinearGaussian(linear),
        "process,observation_noise",
    );
    let b = one("F", AnyModel::Nonlinear(diagonal.into()), "G");
    // The bound of a linear model is exact to the tolerance of its updates.
    assert!((a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
    assert!((a.0 / b.0 - 1.0).abs() < 1e-2, "{a:?} {b:?}");
}
