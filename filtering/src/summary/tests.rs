use super::*;
use crate::gaussian::LinearGaussian;
use crate::hmm::{Categorical, DiagonalGaussian, EmissionKind, FitSettings, Hmm, Poisson};

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

/// A Q of one direction: its entries cannot be moved by themselves, and the others have the errors that they have beside it.
#[test]
fn a_singular_covariance_is_at_its_boundary() {
    let y = |t: i32| {
        let x = f64::from(t);
        let walk = (0.1 * x).sin() + 0.5 * (0.03 * x * x).cos();
        [
            walk + 0.3 * (x * x).sin(),
            2.0 * walk + 0.4 * (1.7 * x * x).sin(),
        ]
    };
    let data = [Sequence::of_rows((0..90).map(y)).unwrap()];
    for unit in [1e-6, 1.0, 1e7] {
        let q = [[0.1, 0.2 * unit], [0.2 * unit, 0.4 * unit * unit]];
        let r = [[0.1, 0.0], [0.0, 0.2 * unit * unit]];
        let f = [[0.9, 0.05 / unit], [0.0, 0.8]];
        let model = LinearGaussian::from_rows(&f, &q, &[[1.0, 0.0], [0.0, 1.0]], &r).unwrap();
        let scaled = data[0].mapped(|row| row[1] *= unit).unwrap();
        let model = AnyModel::LinearGaussian(model);
        let of = |hold: &[&str]| {
            let settings = SummarySettings {
                hold: hold.iter().map(ToString::to_string).collect(),
                ..SummarySettings::default()
            };
            model.summary(std::slice::from_ref(&scaled), &settings)
        };
        let (summary, held) = (of(&[]).unwrap(), of(&["process_noise"]).unwrap());
        for (own, other) in summary.estimates.iter().zip(&held.estimates) {
            match own.name.starts_with("process_noise") {
                true => assert_eq!(own.remark, Some(BOUNDARY), "{}", own.name),
                false => assert_eq!(own, other),
            }
        }
        // They were estimated all the same.
        assert_eq!(summary.free_parameters, held.free_parameters + 3);
    }
}

/// A trend of which the slope hardly moves: ln p is the same if it does not at all, and the other parameters have the errors of that.
#[test]
fn a_variance_next_to_nothing_is_at_its_boundary() {
    let data = [Sequence::of_numbers((0..80).map(|t| {
        let x = f64::from(t);
        0.5 * x + (0.7 * x * x).sin() + (0.2 * x).cos()
    }))
    .unwrap()];
    let summary = |slope: f64, covariance: f64| {
        let q = [[0.1, covariance], [covariance, slope]];
        let model =
            LinearGaussian::from_rows(&[[1.0, 1.0], [0.0, 1.0]], &q, &[[1.0, 0.0]], &[[0.5]])
                .and_then(|model| model.with_diffuse(&[true, true]))
                .unwrap();
        let model = AnyModel::LinearGaussian(model);
        model.summary(&data, &SummarySettings::default()).unwrap()
    };
    let none = summary(0.0, 0.0);
    for covariance in [0.0, -2e-8] {
        let tiny = summary(1e-14, covariance);
        assert_eq!(named(&tiny, "process_noise[2,2]").remark, Some(BOUNDARY));
        for name in ["process_noise[1,1]", "observation_noise[1,1]"] {
            let error = |summary| named(summary, name).standard_error.unwrap();
            // Central differences of two functions that differ by 1e-6 nats at most, beside a fall of 1e-4 at each step.
            assert!((error(&tiny) / error(&none) - 1.0).abs() < 1e-2, "{name}");
        }
    }
    // One that matters has an error.
    assert!(
        named(&summary(0.01, 0.0), "process_noise[2,2]")
            .standard_error
            .is_some()
    );
}

/// Numbers of thinner tails than the normal's, and counts of less variance than Poisson's: the law of highest likelihood is the limit at
/// infinity, and the errors of the others are those of the normal and of Poisson: √(v/n), σ/√(2n), √(μ/n).
#[test]
fn a_law_that_ends_in_its_limit_has_the_errors_of_the_limit() {
    let fitted = |kind: EmissionKind, data: &Sequence| {
        let data = std::slice::from_ref(data);
        let fit = Hmm::fit_states(kind, 1, data, &FitSettings::default()).unwrap();
        let model = AnyModel::Hmm(fit.model);
        model.summary(data, &SummarySettings::default()).unwrap()
    };
    // A law of 10⁵ degrees of freedom is normal to 10⁻⁵.
    let is = |summary: &Summary, name: &str, expected: f64| {
        let found = named(summary, name).standard_error.unwrap();
        assert!(
            (found / expected - 1.0).abs() < 5e-5,
            "{name}: {found} {expected}"
        );
    };
    let end = |summary: &Summary, name: &str| {
        let found = named(summary, name);
        assert_eq!((found.standard_error, found.interval), (None, None));
        assert_eq!(found.remark, Some(BOUNDARY), "{name}");
    };
    let y: Vec<f64> = (0..200)
        .map(|t| ((t * 37 % 101) as f64 / 101.0).sqrt())
        .collect();
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let v = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
    let summary = fitted(EmissionKind::StudentT, &Sequence::of_numbers(y).unwrap());
    is(&summary, "locations[1,1]", (v / n).sqrt());
    is(&summary, "scales[1,1]", (v / (2.0 * n)).sqrt());
    end(&summary, "freedoms[1,1]");
    // It was estimated.
    assert_eq!(summary.free_parameters, 3);
    let counts: Vec<f64> = (0..200).map(|t| [3.0, 4.0, 6.0, 5.0, 4.0][t % 5]).collect();
    let summary = fitted(
        EmissionKind::NegativeBinomial,
        &Sequence::of_numbers(counts).unwrap(),
    );
    is(&summary, "means[1,1]", (4.4f64 / 200.0).sqrt());
    end(&summary, "shapes[1,1]");
    assert!(summary.shortfall < 1e-6);
    // Counts of more variance have a shape inside.
    let wild: Vec<f64> = (0..200)
        .map(|t| [0.0, 9.0, 1.0, 5.0, 30.0][t % 5])
        .collect();
    let summary = fitted(
        EmissionKind::NegativeBinomial,
        &Sequence::of_numbers(wild).unwrap(),
    );
    assert!(named(&summary, "shapes[1,1]").standard_error.is_some());
}
