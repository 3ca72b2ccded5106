//! Schemes written down in the middle of a series go on as if nothing had happened, and refuse what cannot be.

use scotopic_filtering::Result;
use scotopic_filtering::generalised::model::GenerativeModel;
use scotopic_filtering::generalised::predictive_coding::{
    Integrator, PredictiveCoding, PredictiveCodingSettings, RungeKutta45, Trigonometric,
};
use scotopic_filtering::generalised::{Gain, KalmanBucy, WhiteNoiseSystem};
use scotopic_filtering::nalgebra::DMatrix;

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
    for gain in [Gain::Riccati, Gain::Steady] {
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
        let settings = PredictiveCodingSettings {
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
    let filter = KalmanBucy::new(oscillator(), 0.05, Gain::Riccati)?;
    let text = serde_json::to_string(&filter).unwrap();
    refused::<KalmanBucy>(&text, "\"mean\":[0.0,0.0]", "\"mean\":[0.0]", "mean");
    refused::<KalmanBucy>(&text, "\"step\":0.05", "\"step\":-1.0", "dt");
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
