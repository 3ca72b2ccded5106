//! As a model of any kind: files, forecasts, samples, paths, and what is refused.

use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::switching::{Slds, SldsFilter};
use scotopic_filtering::{
    AnyFilter, AnyLearning, AnyModel, Decoding, DiscreteResidual, Error, Filter as _,
    ForecastSettings, SampledStates, SummarySettings,
};
use serde_json::{Value, json};

use super::{close, three_regimes, with_holes};

fn any() -> AnyModel {
    AnyModel::Slds(Box::new(three_regimes(true)))
}

#[test]
fn a_file_has_what_is_shared_in_one_place() {
    for own in [false, true] {
        let model = three_regimes(own);
        let file = serde_json::to_value(&model).unwrap();
        assert_eq!(file.get("observation").is_some(), !own);
        assert_eq!(file["regimes"][0].get("observation").is_some(), own);
        assert_eq!(serde_json::from_value::<Slds>(file).unwrap(), model);
    }
}

/// A change of a file.
type Change = fn(&mut Value);

#[test]
fn what_is_wrong_in_a_file_is_named_by_its_key() {
    let file = serde_json::to_value(three_regimes(false)).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut file = file.clone();
        change(&mut file);
        serde_json::from_value::<Slds>(file)
            .unwrap_err()
            .to_string()
    };
    let cases: [(&str, Change); 11] = [
        (
            "regimes[1].process_noise",
            (|f| f["regimes"][1]["process_noise"] = json!([[1.0, 2.0], [2.0, 1.0]]))
                as fn(&mut Value),
        ),
        ("regimes[2].bias", |f| {
            f["regimes"][2]["bias"] = json!([1.0])
        }),
        ("transition[1]: found 2 entries", |f| {
            f["transition"][1] = json!([0.5, 0.5])
        }),
        ("transition[0]", |f| {
            f["transition"][0] = json!([0.5, 0.3, 0.3])
        }),
        ("initial: found 1", |f| f["initial"] = json!([1.0])),
        ("regimes[0].offset: found a second one", |f| {
            f["regimes"][0]["offset"] = json!([0.0, 0.0])
        }),
        ("observation_noise", |f| {
            f["observation_noise"] = json!([[1.0, 0.0], [0.0, -1.0]])
        }),
        ("observation: found none", |f| {
            f.as_object_mut().unwrap().remove("observation");
        }),
        ("regimes: found none", |f| f["regimes"] = json!([])),
        ("initial_covariance", |f| {
            f["initial_covariance"] = json!([[1.0, 0.0], [0.0, 0.0]])
        }),
        ("unknown field", |f| f["bias"] = json!([0.0, 0.0])),
    ];
    for (said, change) in cases {
        let found = changed(&|f| change(f));
        assert!(found.contains(said), "{said}: {found}");
    }
    // A start of its own cannot be said in a file.
    let model = three_regimes(true);
    let mut regimes = model.regimes().to_vec();
    let moved = regimes[0].initial_mean().add_scalar(1.0);
    regimes[2] = regimes[2]
        .clone()
        .with_initial(moved, regimes[2].initial_covariance().clone())
        .unwrap();
    let rows = model.transition().chunks(3).map(<[f64]>::to_vec).collect();
    let error = Slds::new(model.initial().to_vec(), rows, regimes).unwrap_err();
    assert!(error.to_string().contains("regimes[2]"), "{error}");
}

/// The moments of a forecast are those of a large sample that goes on from the belief: 40 000 of them, a standard error of half a hundredth
/// of a deviation.
#[test]
fn forecasts_have_the_moments_of_samples() {
    let y = with_holes(&three_regimes(true), 40, 2);
    let mut filter = AnyFilter::new(any(), "reversed").unwrap();
    for row in y.iter() {
        filter.update(row).unwrap();
    }
    let ahead = 4;
    let settings = ForecastSettings {
        ahead,
        ..ForecastSettings::default()
    };
    let forecast = filter.forecast(&settings).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let count = 40_000;
    let (mut sums, mut squares) = (vec![[0.0; 2]; ahead], vec![[0.0; 2]; ahead]);
    for _ in 0..count {
        let next = filter.simulate(ahead, &mut rng).unwrap();
        for (t, row) in next.iter().flatten().enumerate() {
            for i in 0..2 {
                sums[t][i] += row[i];
                squares[t][i] += row[i] * row[i];
            }
        }
    }
    for t in 0..ahead {
        for i in 0..2 {
            let mean = sums[t][i] / f64::from(count);
            let variance = squares[t][i] / f64::from(count) - mean * mean;
            let deviation = forecast.variance[t][i].sqrt();
            assert!((forecast.mean[t][i] - mean).abs() < 0.02 * deviation);
            assert!((variance / forecast.variance[t][i] - 1.0).abs() < 0.05);
        }
    }
}

/// The increment of an update is the logarithm of the density that was forecast, summed over a grid of one entry.
#[test]
fn the_forecast_is_the_density_that_is_scored() {
    let mut filter = AnyFilter::new(any(), "reversed").unwrap();
    for row in with_holes(&three_regimes(true), 12, 4).iter() {
        filter.update(row).unwrap();
    }
    let predictive = filter.predictive(1).unwrap();
    let step = 0.05;
    let (mut mass, mut mean) = (0.0, 0.0);
    for i in -400..400 {
        let y = f64::from(i) * step;
        let increment = filter
            .clone()
            .update(Some(&[y, f64::NAN]))
            .unwrap()
            .increment;
        mass += increment.exp() * step;
        mean += increment.exp() * step * y;
    }
    // The tails beyond 20, many deviations away, and a smooth density: the sum is the integral.
    close(mass, 1.0, 1e-9, "mass");
    close(mean, predictive[0].mean(), 1e-8, "mean");
}

#[test]
fn paths_are_decoded_with_their_evidence() {
    let model = three_regimes(false);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let made = model.sample(300, &mut rng).unwrap();
    let path = any_of(&model)
        .decode(&made.observations, Decoding::Viterbi)
        .unwrap();
    let right = path
        .states
        .iter()
        .zip(&made.regimes)
        .filter(|(a, b)| a == b)
        .count();
    // The most frequent regime alone would have half of them.
    assert!(right > 200, "{right} of 300");
    let joint = model
        .path_evidence(&made.observations, &path.states)
        .unwrap();
    assert_eq!(path.log_joint, joint);
    assert!(path.log_posterior <= 0.0);
    assert!(path.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
    // The path that made the data is no better than the best one, but for what q leaves out.
    let truth = model
        .path_evidence(&made.observations, &made.regimes)
        .unwrap();
    assert!(joint > truth - 10.0, "{joint} and {truth}");
    let each = any_of(&model)
        .decode(&made.observations, Decoding::Posterior)
        .unwrap();
    assert_eq!(each.states.len(), 300);
}

fn any_of(model: &Slds) -> AnyModel {
    AnyModel::Slds(Box::new(model.clone()))
}

#[test]
fn what_is_not_defined_is_refused_in_words() {
    let y = with_holes(&three_regimes(true), 20, 1);
    let refused = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    };
    refused(
        any()
            .summary(std::slice::from_ref(&y), &SummarySettings::default())
            .map(drop),
    );
    refused(AnyLearning::named(&any(), None).map(drop));
    refused(AnyFilter::new(any(), "diagonal").map(drop));
    let (states, _) = any()
        .sample(5, &mut Xoshiro256PlusPlus::seed_from_u64(1))
        .unwrap();
    assert!(matches!(states, SampledStates::Switching(s, x) if s.len() == 5 && x.len() == 5));
    let residuals = any()
        .residuals(&y, DiscreteResidual::default(), None)
        .unwrap();
    assert!(residuals.standardised[0][0].is_finite() && residuals.standardised[1][2].is_nan());
}

#[test]
fn a_snapshot_continues_and_a_damaged_one_is_refused() {
    let y = with_holes(&three_regimes(true), 20, 1);
    let mut filter = SldsFilter::new(three_regimes(true)).unwrap();
    for row in y.iter().take(10) {
        filter.update(row).unwrap();
    }
    let file = serde_json::to_value(&filter).unwrap();
    let mut again: SldsFilter = serde_json::from_value(file.clone()).unwrap();
    assert_eq!(again, filter);
    for row in y.iter().skip(10) {
        assert_eq!(again.update(row).unwrap(), filter.update(row).unwrap());
    }
    for (key, value) in [
        ("weights", json!([0.5, 0.6, 0.2])),
        ("weights", json!([1.0])),
        ("means", json!([0.0, 0.0])),
        ("covariances", json!(vec![-1.0; 12])),
    ] {
        let mut damaged = file.clone();
        damaged["belief"][key] = value;
        assert!(
            serde_json::from_value::<SldsFilter>(damaged).is_err(),
            "{key}"
        );
    }
    // An update that fails leaves the filter as it was.
    let before = filter.clone();
    assert!(filter.update(Some(&[1.0])).is_err());
    assert!(filter.update(Some(&[f64::INFINITY, 0.0])).is_err());
    assert!(filter.update(Some(&[1e200, 0.0])).is_err());
    assert_eq!(filter, before);
}
