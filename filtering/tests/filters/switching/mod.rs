//! Switching linear dynamical systems: against enumeration of all paths (tests/golden/slds.py and here), the Kalman filter, a Gaussian hidden
//! Markov model, and simulated series.

mod exact;
mod fits;
mod golden;
mod kinds;

use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::switching::Slds;
use scotopic_filtering::{Sequence, log_sum_exp};

/// ln p by all Kᵀ paths, each by its own Kalman filter.
fn enumerated(model: &Slds, y: &Sequence) -> f64 {
    let (k, length) = (model.regimes_len(), y.len());
    let path = |number: usize| -> Vec<usize> {
        (0..length).map(|t| number / k.pow(t as u32) % k).collect()
    };
    let all = (0..k.pow(length as u32)).map(|i| model.path_evidence(y, &path(i)).unwrap());
    log_sum_exp(&all.collect::<Vec<_>>())
}

/// A state of two dimensions, seen as two numbers, with F, b and Q of its own in each of three regimes, and R of its own if `own`.
fn three_regimes(own: bool) -> Slds {
    let regime = |turn: f64, pace: f64, drift: f64, noise: f64| {
        let (sin, cos) = (pace * turn.sin(), pace * turn.cos());
        let r = if own { 0.2 + 0.3 * noise } else { 0.3 };
        let model = LinearGaussian::from_rows(
            &[[cos, -sin], [sin, cos]],
            &[[noise, 0.2 * noise], [0.2 * noise, 0.7 * noise]],
            &[[1.0, 0.2], [-0.3, 1.0]],
            &[[r, 0.1 * r], [0.1 * r, 0.5 * r]],
        );
        model
            .unwrap()
            .with_bias(
                DVector::from_vec(vec![drift, -drift]),
                DVector::from_vec(vec![0.5, -1.0]),
            )
            .and_then(|m| m.with_initial(DVector::zeros(2), DMatrix::identity(2, 2) * 1.5))
            .unwrap()
    };
    Slds::new(
        vec![0.5, 0.3, 0.2],
        vec![
            vec![0.9, 0.06, 0.04],
            vec![0.1, 0.85, 0.05],
            vec![0.05, 0.15, 0.8],
        ],
        vec![
            regime(0.3, 0.95, 0.0, 0.05),
            regime(-0.8, 0.9, 0.4, 0.3),
            regime(0.0, 0.5, -1.0, 1.0),
        ],
    )
    .unwrap()
}

/// Observations of `model`, with entries and rows missing here and there.
fn with_holes(model: &Slds, length: usize, seed: u64) -> Sequence {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let made = model.sample(length, &mut rng).unwrap().observations;
    let mut sequence = Sequence::new(made.width()).unwrap();
    for (t, row) in made.iter().enumerate() {
        let row = row.filter(|_| t % 9 != 5).map(|row| {
            let hole = |(i, y): (usize, &f64)| if t % 4 == 2 && i == 1 { f64::NAN } else { *y };
            row.iter().enumerate().map(hole).collect::<Vec<f64>>()
        });
        sequence.push(row.as_deref()).unwrap();
    }
    sequence
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let room = tolerance * (1.0 + expected.abs());
    assert!(
        (found - expected).abs() <= room,
        "{what}: {found} and {expected}"
    );
}
