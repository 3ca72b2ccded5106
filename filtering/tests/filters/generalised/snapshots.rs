//! Schemes written down in the middle of a series go on as if nothing had happened, and refuse what cannot be.

use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::Record;
use scotopic_filtering::generalised::dem::{Dem, DemConfig, DemFit, DemSnapshot, Published};
use scotopic_filtering::generalised::lap::{GeneralisedFiltering, GeneralisedFilteringSnapshot};
use scotopic_filtering::generalised::model::{
    AnyEquations, Equations, GaussianPrior, GenerativeModel, Linear, NoisePrecision,
};
use scotopic_filtering::generalised::predictive_coding::{
    Integrator, PredictiveCoding, PredictiveCodingConfig, RungeKutta45, Trigonometric,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{CovarianceMode, KalmanBucy, WhiteNoiseSystem};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::{Result, Sequence};

/// A wave with a slow part and a fast one.
fn seen(t: usize) -> f64 {
    let t = t as f64;
    (0.3 * t).sin() + 0.4 * (1.7 * t).cos()
}

fn oscillator() -> WhiteNoiseSystem {
    WhiteNoiseSystem {
        motion: DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -2.0, -0.4]),
        output: DMatrix::from_row_slice(1, 2, &[1.0, 0.0]),
        motion_noise: DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 0.5]),
        output_noise: DMatrix::from_element(1, 1, 0.05),
    }
}

#[test]
fn a_kalman_bucy_filter_goes_on_bit_for_bit() -> Result<()> {
    for gain in [CovarianceMode::Riccati, CovarianceMode::Steady] {
        let mut filter = KalmanBucy::new(oscillator(), 0.05, gain)?;
        for t in 0..30 {
            filter.update(&[seen(t)])?;
        }
        // As a value, not as text: the reader of text may round the last bit.
        let kept = serde_json::to_value(&filter).unwrap();
        let mut other: KalmanBucy = serde_json::from_value(kept).unwrap();
        assert_eq!(filter, other);
        for t in 30..80 {
            filter.update(&[seen(t)])?;
            other.update(&[seen(t)])?;
            assert_eq!(filter, other, "{gain:?}, sample {t}");
        }
    }
    Ok(())
}

#[test]
fn a_network_goes_on_bit_for_bit() -> Result<()> {
    for integrator in [
        Integrator::LocalLinearisation { steps: 2 },
        Integrator::RungeKutta(RungeKutta45::default()),
    ] {
        let settings = PredictiveCodingConfig {
            integrator,
            ..Default::default()
        };
        let model =
            GenerativeModel::single(Trigonometric { states: 1 }, &[], 2.0, 1.0, 1.0, &[0.5])?;
        let mut network = PredictiveCoding::new(model, settings)?;
        for t in 0..30 {
            network.update(&[seen(t)])?;
        }
        let kept = serde_json::to_value(&network).unwrap();
        let mut other: PredictiveCoding<Trigonometric> = serde_json::from_value(kept).unwrap();
        for t in 30..80 {
            network.update(&[seen(t)])?;
            other.update(&[seen(t)])?;
            let all = |n: &PredictiveCoding<Trigonometric>| {
                [n.states()[0], n.motion()[0], n.free_energy(), n.action()]
            };
            assert_eq!(
                all(&network),
                all(&other),
                "{integrator:?}, observation {t}"
            );
        }
    }
    Ok(())
}

/// Fails unless `text` with `from` replaced by `to` is refused with a message that holds `names`.
#[track_caller]
fn refused<T: serde::de::DeserializeOwned>(text: &str, from: &str, to: &str, names: &str) {
    assert!(text.contains(from), "{text}");
    match serde_json::from_str::<T>(&text.replace(from, to)) {
        Ok(_) => panic!("{to} in place of {from} is taken"),
        Err(e) => assert!(e.to_string().contains(names), "{e}"),
    }
}

#[test]
fn what_cannot_be_is_refused() -> Result<()> {
    let filter = KalmanBucy::new(oscillator(), 0.05, CovarianceMode::Riccati)?;
    let text = serde_json::to_string(&filter).unwrap();
    refused::<KalmanBucy>(&text, "\"mean\":[0.0,0.0]", "\"mean\":[0.0]", "mean");
    refused::<KalmanBucy>(&text, "\"step\":0.05", "\"step\":-1.0", "step");
    refused::<KalmanBucy>(
        &text,
        "[1.0,0.0,0.0,1.0]",
        "[-1.0,0.0,0.0,1.0]",
        "covariance",
    );
    refused::<KalmanBucy>(&text, "\"seen\":0", "\"seen\":0,\"more\":1", "more");

    let model = GenerativeModel::single(Trigonometric { states: 1 }, &[], 2.0, 1.0, 1.0, &[0.5])?;
    let network = PredictiveCoding::new(model, Default::default())?;
    let text = serde_json::to_string(&network).unwrap();
    type Network = PredictiveCoding<Trigonometric>;
    refused::<Network>(&text, "\"belief\":[0.5,0.0]", "\"belief\":[0.5]", "belief");
    refused::<Network>(
        &text,
        "\"smoothness\":0.7",
        "\"smoothness\":-0.7",
        "smoothness",
    );
    Ok(())
}

/// Two states and an unknown cause, four outputs; one parameter and both log-precisions open where they are to be learned.
fn convolution(open: bool) -> Result<GenerativeModel<AnyEquations>> {
    let linear = Linear::convolution();
    let theta = linear.defaults();
    let (start, e4) = ([0.0; 2], 4.0f64.exp());
    let equations = AnyEquations::Linear(linear);
    let mut model = GenerativeModel::single(equations, &theta, e4, e4, 1.0, &start)?;
    if open {
        let mut variances = vec![0.0; theta.len()];
        variances[2] = 0.1;
        model.levels[0].parameters = GaussianPrior::independent(&theta, &variances)?;
        model.levels[0].output = NoisePrecision::unknown(4, 4.0, 1.0);
        model.levels[0].motion = NoisePrecision::unknown(2, 4.0, 1.0);
    }
    Ok(model)
}

fn four(t: usize) -> Option<[f64; 4]> {
    let y = seen(t);
    (t % 9 != 4).then_some([0.2 * y, 0.1 * y, -0.1 * y, 0.05 * y - 0.2])
}

fn embedding() -> Embedding {
    Embedding {
        states: 4,
        causes: 2,
        smoothness: 0.5,
    }
}

fn series(bins: std::ops::Range<usize>) -> Result<Sequence> {
    let mut series = Sequence::new(4)?;
    for t in bins {
        series.push(four(t).as_ref().map(|y| &y[..]))?;
    }
    Ok(series)
}

/// What can be read of a scheme, to the bit.
fn belief<E: Equations>(dem: &Dem<E>) -> (Record, Vec<f64>, f64, u64) {
    let moving = dem.generalised_states().to_vec();
    (
        dem.record().clone(),
        moving,
        dem.free_energy(),
        dem.observations(),
    )
}

/// Saved before the first window is full, in the middle, within a gap, and after learning: the same numbers as without.
#[test]
fn dem_goes_on_bit_for_bit() -> Result<()> {
    for published in [Published::default(), Published::spm()] {
        for learned in [false, true] {
            let settings = DemConfig {
                embedding: embedding(),
                published,
                sweeps: 3,
                ..DemConfig::default()
            };
            let mut dem = Dem::new(convolution(learned)?, settings)?;
            if learned {
                let prior = dem.clone();
                dem.learn(&series(0..32)?, None)?;
                dem.restart();
                assert_ne!(prior, dem, "something was learned");
            }
            for t in 0..40 {
                dem.update(four(t).as_ref().map(|y| &y[..]))?;
                if ![2, 4, 17, 22, 23].contains(&t) {
                    continue;
                }
                let kept = serde_json::to_value(&dem).unwrap();
                let mut other: Dem<AnyEquations> = serde_json::from_value(kept).unwrap();
                let mut same = dem.clone();
                assert_eq!(belief(&same), belief(&other), "bin {t}");
                for t in t + 1..t + 30 {
                    let y = four(t);
                    same.update(y.as_ref().map(|y| &y[..]))?;
                    other.update(y.as_ref().map(|y| &y[..]))?;
                    assert_eq!(belief(&same), belief(&other), "bin {t}");
                }
                same.finish(|_| ())?;
                other.finish(|_| ())?;
                assert_eq!(belief(&same), belief(&other));
            }
        }
    }
    Ok(())
}

#[test]
fn generalised_filtering_goes_on_bit_for_bit() -> Result<()> {
    let settings = DemConfig {
        sweeps: 3,
        ..DemConfig::published(embedding())
    };
    let scheme = GeneralisedFiltering::new(convolution(true)?, settings)?;
    let kept = serde_json::to_value(&scheme).unwrap();
    let (mut scheme, mut other) = (
        scheme,
        serde_json::from_value::<GeneralisedFiltering<AnyEquations>>(kept).unwrap(),
    );
    // What comes after: beliefs, learning, and the stream with a free energy of its own.
    let data = series(0..32)?;
    assert_eq!(scheme.run(&data, None)?, other.run(&data, None)?);
    assert_eq!(scheme.learn(&data, None)?, other.learn(&data, None)?);
    let mut stream = scheme.into_stream();
    stream.restart();
    for t in 0..20 {
        stream.update(four(t).as_ref().map(|y| &y[..]))?;
    }
    let kept = serde_json::to_value(&stream).unwrap();
    let mut other: Dem<AnyEquations> = serde_json::from_value(kept).unwrap();
    for t in 20..40 {
        let y = four(t);
        stream.update(y.as_ref().map(|y| &y[..]))?;
        other.update(y.as_ref().map(|y| &y[..]))?;
        assert_eq!(belief(&stream), belief(&other), "bin {t}");
    }
    Ok(())
}

/// A posterior is a prior for the next series: it is where that begins, and two series tell more than one.
#[test]
fn what_was_learnt_is_the_prior_for_another_series() -> Result<()> {
    let settings = DemConfig {
        embedding: embedding(),
        ..DemConfig::default()
    };
    let model = convolution(true)?;
    let (first, second) = (series(0..32)?, series(32..64)?);
    let learned = Dem::new(model.clone(), settings.clone())?.learn(&first, None)?;
    let carried = learned.as_prior(model.clone())?;
    assert_eq!(
        carried.levels[0].parameters.mean.as_slice(),
        &learned.parameters[..]
    );
    assert_eq!(carried.levels[0].parameters.free(), [2]);
    assert_eq!(
        carried.levels[0].output.log_precision.mean[0],
        learned.log_precisions[0]
    );
    assert_eq!(
        carried.levels[0].motion.log_precision.covariance[(0, 0)],
        learned.log_precision_covariance[(1, 1)]
    );
    let again = Dem::new(carried, settings.clone())?.learn(&second, None)?;
    assert!(again.parameter_covariance[(2, 2)] < learned.parameter_covariance[(2, 2)]);
    for h in 0..2 {
        let spread = |l: &DemFit| l.log_precision_covariance[(h, h)];
        assert!(spread(&again) < spread(&learned), "log-precision {h}");
    }
    let filtered =
        GeneralisedFiltering::new(model.clone(), settings.clone())?.learn(&first, None)?;
    let carried = filtered.as_prior(model.clone())?;
    let again = GeneralisedFiltering::new(carried, settings)?.learn(&second, None)?;
    assert!(again.parameter_covariance[(2, 2)] < filtered.parameter_covariance[(2, 2)]);
    // Of another model.
    let error = learned.as_prior(convolution(false)?).unwrap_err();
    assert!(error.to_string().contains("log_precisions"), "{error}");
    Ok(())
}

#[test]
fn snapshots_of_the_published_schemes_that_cannot_be_are_refused() -> Result<()> {
    let settings = DemConfig {
        embedding: embedding(),
        ..DemConfig::default()
    };
    let mut dem = Dem::new(convolution(true)?, settings.clone())?;
    for t in 0..12 {
        dem.update(four(t).as_ref().map(|y| &y[..]))?;
    }
    let kept = serde_json::to_value(&dem).unwrap();
    let change = |place: &str, value: serde_json::Value| {
        let mut wrong = kept.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let error = serde_json::from_value::<Dem<AnyEquations>>(wrong).unwrap_err();
        error.to_string()
    };
    use serde_json::json;
    for (place, value, names) in [
        ("/parameters", json!([1.0]), "snapshot: parameters"),
        ("/log_precisions", json!([]), "snapshot: log_precisions"),
        ("/unknowns", json!([0.0, 1.0]), "snapshot: unknowns"),
        ("/rows", json!([]), "snapshot: rows"),
        ("/seen_rows", json!([true]), "snapshot: seen_rows"),
        ("/record/states", json!([0.0]), "record: states"),
        ("/formed", json!(99), "formed"),
        ("/seen", json!(-1), "-1"),
        ("/settings/rate", json!(0.0), "rate"),
        ("/model/levels/0/start", json!([0.0]), "start"),
        ("/free_energy", json!(null), "null"),
    ] {
        let said = change(place, value);
        assert!(said.contains(names), "{place}: {said}");
    }
    // What is no number in memory cannot be read from JSON; from another format it could.
    let mut snapshot = DemSnapshot::from(dem);
    snapshot.unknowns[1] = f64::NAN;
    let error = Dem::try_from(snapshot).unwrap_err().to_string();
    assert!(error.contains("unknowns[1]"), "{error}");

    let full = |model: &mut GenerativeModel<AnyEquations>| {
        model.levels[0].motion.components.clear();
        let correlated = DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]);
        model.levels[0].motion = NoisePrecision::known(correlated);
    };
    let mut model = convolution(false)?;
    full(&mut model);
    let flow = DemSnapshot::from(Dem::new(model, settings)?);
    let error = GeneralisedFiltering::try_from(GeneralisedFilteringSnapshot { flow }).unwrap_err();
    assert!(error.to_string().contains("diagonal"), "{error}");
    Ok(())
}
