use super::*;
use crate::gaussian::LinearGaussian;
use crate::hmm::{Categorical, DiagonalGaussian, Hmm, Poisson};

/// Central differences at a hundredth of a standard error.
const DIFFERENCES: f64 = 2e-5;

fn named<'a>(summary: &'a Summary, name: &str) -> &'a ParameterEstimate {
    let found = summary.estimates.iter().find(|e| e.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

/// Of n normal numbers se(mean) = √(v/n) and se(variance) = v √(2/n), in any units.
#[test]
fn independent_normal_numbers_have_the_errors_of_the_textbook() {
    for unit in [1e-6, 1.0, 1e9] {
        let y: Vec<f64> = (0..200)
            .map(|t| unit * ((t * 37 % 101) as f64 / 101.0).sqrt())
            .collect();
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let v = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
        let emission = DiagonalGaussian::new(vec![vec![mean]], vec![vec![v]]).unwrap();
        let model = Hmm::new(vec![1.0], vec![vec![1.0]], emission.into()).unwrap();
        let sequence = Sequence::of_numbers(y).unwrap();
        let summary = AnyModel::Hmm(model)
            .summary(&[sequence], &SummarySettings::default())
            .unwrap();
        let error = |name| named(&summary, name).standard_error.unwrap();
        assert!((error("means[1,1]") / (v / n).sqrt() - 1.0).abs() < DIFFERENCES);
        assert!((error("variances[1,1]") / (v * (2.0 / n).sqrt()) - 1.0).abs() < DIFFERENCES);
        // The slope at steps of a hundredth of a standard error: third derivatives add a few 1e-6 of one.
        assert!(summary.shortfall < 1e-6, "{}", summary.shortfall);
        let k = 2.0;
        assert_eq!(summary.free_parameters, 2);
        assert!((summary.bic - (k * n.ln() - 2.0 * summary.log_evidence)).abs() < 1e-9);
    }
}

/// Of n symbols se(p) = √(p(1 − p)/n); a symbol that never came is at the boundary.
#[test]
fn frequencies_have_the_errors_of_the_binomial() {
    let symbols = (0..300).map(|t| [0, 0, 1, 0, 2, 0, 0, 1, 0, 0][t % 10]);
    let emission = Categorical::new(vec![vec![0.7, 0.2, 0.1, 0.0]]).unwrap();
    let model = Hmm::new(vec![1.0], vec![vec![1.0]], emission.into()).unwrap();
    let sequence = Sequence::of_symbols(symbols).unwrap();
    let summary = AnyModel::Hmm(model)
        .summary(&[sequence], &SummarySettings::default())
        .unwrap();
    for (name, p) in [
        ("probabilities[1,1]", 0.7f64),
        ("probabilities[1,2]", 0.2),
        ("probabilities[1,3]", 0.1),
    ] {
        let found = named(&summary, name);
        let expected = (p * (1.0 - p) / 300.0).sqrt();
        assert!(
            (found.standard_error.unwrap() / expected - 1.0).abs() < DIFFERENCES,
            "{name}"
        );
        let [low, high] = found.interval.unwrap();
        assert!(0.0 < low && low < p && p < high && high < 1.0);
    }
    assert_eq!(named(&summary, "probabilities[1,4]").remark, Some(BOUNDARY));
    assert_eq!(named(&summary, "initial[1]").remark, Some(HELD));
    // A symbol that cannot be is no parameter.
    assert_eq!(summary.free_parameters, 2);
}

/// With F, Q and H all free in one dimension the scale of the state is not identified; that of R is.
#[test]
fn what_the_data_do_not_identify_has_no_error() {
    let model = LinearGaussian::from_rows(
        &[[0.5, 0.2], [0.1, 0.3]],
        &[[1.0, 0.2], [0.2, 2.0]],
        &[[1.0, 0.0]],
        &[[1.0]],
    );
    let y = (0..300).map(|t| ((t * t) as f64 * 0.37).sin() * 3.0);
    let sequence = Sequence::of_numbers(y).unwrap();
    let model = AnyModel::LinearGaussian(model.unwrap());
    let summary = model
        .summary(std::slice::from_ref(&sequence), &SummarySettings::default())
        .unwrap();
    assert_eq!(
        named(&summary, "process_noise[2,2]").remark,
        Some(UNIDENTIFIED)
    );
    let settings = SummarySettings {
        hold: vec![
            "process".to_owned(),
            "transition[1".to_owned(),
            "transition[2".to_owned(),
        ],
        ..SummarySettings::default()
    };
    let summary = model
        .summary(std::slice::from_ref(&sequence), &settings)
        .unwrap();
    assert!(
        named(&summary, "observation_noise[1,1]")
            .standard_error
            .is_some()
    );
    let settings = SummarySettings {
        hold: vec!["rates".to_owned()],
        ..SummarySettings::default()
    };
    let error = model
        .summary(&[sequence], &settings)
        .unwrap_err()
        .to_string();
    assert!(error.contains("process_noise[1,1]"), "{error}");
}

#[test]
fn more_parameters_than_an_information_has_room_for_are_refused() {
    // 65 · 64 transitions and as many rates.
    let k = 65;
    let rates = (0..k).map(|s| vec![1.0 + s as f64]).collect();
    let emission = Poisson::new(rates).unwrap();
    let even = vec![1.0 / k as f64; k];
    let model = Hmm::new(even.clone(), vec![even; k], emission.into()).unwrap();
    let data = [Sequence::of_numbers([3.0, 5.0, 4.0, 9.0]).unwrap()];
    let error = AnyModel::Hmm(model)
        .summary(&data, &SummarySettings::default())
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(error, Error::Size { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("4225") && said.contains("hold"), "{said}");
}

#[test]
fn nothing_is_said_of_parameters_where_nothing_was_seen() {
    let unseen = [Sequence::of_rows([[f64::NAN], [f64::NAN]]).unwrap()];
    let emission = Poisson::new(vec![vec![4.0]]).unwrap();
    let model = Hmm::new(vec![1.0], vec![vec![1.0]], emission.into()).unwrap();
    let walk = LinearGaussian::from_rows(&[[0.9]], &[[0.1]], &[[1.0]], &[[1.0]]).unwrap();
    for model in [AnyModel::Hmm(model), AnyModel::LinearGaussian(walk)] {
        let found = model.summary(&unseen, &SummarySettings::default());
        assert!(
            matches!(found, Err(Error::Size { .. })),
            "{}",
            model.described()
        );
    }
}

/// Counts of two levels that last: with both rates at their mean ln p rises whichever of them goes up.
#[test]
fn of_a_saddle_the_shortfall_is_no_number() {
    let emission = Poisson::new(vec![vec![5.0], vec![5.0]]).unwrap();
    let transition = vec![vec![0.9, 0.1], vec![0.1, 0.9]];
    let model = Hmm::new(vec![0.5, 0.5], transition, emission.into()).unwrap();
    let counts = [1.0, 1.0, 1.0, 9.0, 9.0, 9.0].repeat(4);
    let settings = SummarySettings {
        hold: vec!["transition".to_owned()],
        ..SummarySettings::default()
    };
    let summary = AnyModel::Hmm(model)
        .summary(&[Sequence::of_numbers(counts).unwrap()], &settings)
        .unwrap();
    assert!(summary.shortfall.is_nan());
}
