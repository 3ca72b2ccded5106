//! Drawn noise against its theory.

use proptest::prelude::*;
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

const CHANNELS: usize = 40;
const BINS: usize = 5000;
/// 200 000 correlated samples: correlations are known to about 0.004.
const SAMPLING: f64 = 0.02;

fn kinds() -> Vec<Autocorrelation> {
    let mut all = vec![Autocorrelation::White];
    for smoothness in [0.0, 0.5, 1.0, 2.0] {
        all.push(Autocorrelation::SampledGaussian { smoothness });
    }
    for smoothness in [0.5, 1.0] {
        all.push(Autocorrelation::Gaussian { smoothness });
    }
    for order in [1, 2, 3] {
        all.push(Autocorrelation::Matern { length: 2.0, order });
    }
    all
}

#[test]
fn drawn_noise_has_its_autocorrelation() {
    for kind in kinds() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let noise = kind.sample(CHANNELS, BINS, &mut rng).unwrap();
        let rho = kind.at_lags(4);
        for (lag, &expected) in rho.iter().enumerate() {
            let mut sum = 0.0;
            for t in lag..BINS {
                sum += noise.column(t).dot(&noise.column(t - lag));
            }
            let found = sum / (CHANNELS * (BINS - lag)) as f64;
            assert!(
                (found - expected).abs() < SAMPLING,
                "{kind:?} lag {lag}: {found} {expected}"
            );
        }
    }
}

#[test]
fn every_sample_has_unit_variance_ends_included() {
    let smoothness = 1.0;
    let kind = Autocorrelation::SampledGaussian { smoothness };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
    let noise = kind.sample(100_000, 5, &mut rng).unwrap();
    for t in 0..5 {
        // The variance of 100 000 squares is known to 0.0045.
        let variance = noise.column(t).norm_squared() / 100_000.0;
        assert!((variance - 1.0).abs() < SAMPLING, "bin {t}: {variance}");
    }
}

#[test]
fn derivatives_have_the_variances_of_the_theory() {
    // s = 3 bins: differences of bins are nearly derivatives. Var c' = 1/(2s²), Var c'' = 3/(4s⁴).
    let s: f64 = 3.0;
    let kind = Autocorrelation::SampledGaussian { smoothness: s };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let noise = kind.sample(CHANNELS, BINS, &mut rng).unwrap();
    let count = (CHANNELS * (BINS - 2)) as f64;
    let (mut first, mut second) = (0.0, 0.0);
    for t in 1..BINS - 1 {
        let (a, b, c) = (noise.column(t - 1), noise.column(t), noise.column(t + 1));
        first += ((c - a) * 0.5).norm_squared() / count;
        second += (c - b * 2.0 + a).norm_squared() / count;
    }
    // Differences over a bin fall short of derivatives by about 1/(2 s²) = 6 %.
    let (expected_first, expected_second) = (1.0 / (2.0 * s * s), 3.0 / (4.0 * s.powi(4)));
    assert!(
        (first / expected_first - 1.0).abs() < 0.1,
        "{first} {expected_first}"
    );
    assert!(
        (second / expected_second - 1.0).abs() < 0.1,
        "{second} {expected_second}"
    );
}

#[test]
fn the_sampled_kernel_has_the_published_lag_one_correlation() {
    let rho = Autocorrelation::SampledGaussian { smoothness: 0.5 }.at_lags(1);
    assert!((rho[1] - 0.26).abs() < 0.005, "{rho:?}");
    // Matérn ½ and 3/2 in closed form.
    let exponential = Autocorrelation::Matern {
        length: 2.0,
        order: 1,
    }
    .at_lags(2);
    assert!((exponential[1] - (-0.5_f64).exp()).abs() < 1e-14);
    let smoother = Autocorrelation::Matern {
        length: 2.0,
        order: 2,
    }
    .at_lags(2);
    let z = 3.0_f64.sqrt() / 2.0;
    assert!((smoother[1] - (1.0 + z) * (-z).exp()).abs() < 1e-14);
    let smoothest = Autocorrelation::Matern {
        length: 2.0,
        order: 3,
    }
    .at_lags(2);
    let z = 5.0_f64.sqrt() / 2.0;
    assert!((smoothest[1] - (1.0 + z + z * z / 3.0) * (-z).exp()).abs() < 1e-14);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// An autocorrelation is positive definite, at most 1, and 1 at lag 0.
    #[test]
    fn autocorrelations_are_covariances(time in 0.2..2.0f64, order in 1..5usize) {
        for kind in [
            Autocorrelation::SampledGaussian { smoothness: time },
            Autocorrelation::Gaussian { smoothness: time },
            Autocorrelation::Matern { length: time, order },
        ] {
            let rho = kind.at_lags(8);
            prop_assert!((rho[0] - 1.0).abs() < 1e-12);
            prop_assert!(rho.iter().all(|r| r.abs() <= 1.0 + 1e-12));
            let matrix = DMatrix::from_fn(9, 9, |i, j| rho[i.abs_diff(j)]);
            prop_assert!(matrix.symmetric_eigenvalues().min() > -1e-9);
        }
    }
}

#[test]
fn bad_noise_is_named() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for (kind, word) in [
        (Autocorrelation::Gaussian { smoothness: 0.0 }, "smoothness"),
        (
            Autocorrelation::SampledGaussian { smoothness: -1.0 },
            "smoothness",
        ),
        (
            Autocorrelation::Matern {
                length: f64::NAN,
                order: 1,
            },
            "length",
        ),
        (
            Autocorrelation::Matern {
                length: 1.0,
                order: 0,
            },
            "order",
        ),
    ] {
        let error = kind.sample(1, 3, &mut rng).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
