//! Free linear-Gaussian models at their maximum likelihood.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{GaussianFit, GaussianFitted, Learned, LinearGaussian};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use super::structural::nile;

fn ends(fit: &GaussianFitted) -> f64 {
    *fit.log_evidence.last().unwrap()
}

/// F, Q and R alone.
fn dynamics_and_noises() -> Learned {
    Learned {
        bias: false,
        control: false,
        observation: false,
        offset: false,
        direct: false,
        initial: false,
        ..Learned::default()
    }
}

fn settings() -> GaussianFit {
    GaussianFit {
        max_iterations: 500,
        ..GaussianFit::default()
    }
}

/// Seven thousand steps of EM to −635.100 took 4.6 s, and had not arrived.
#[test]
fn it_ends_where_em_does_not_arrive() {
    let data = [nile()];
    let guess = LinearGaussian::initial_guess(1, &data).unwrap();
    let found = guess.maximum_likelihood(&data, &settings()).unwrap();
    assert!(found.converged, "{found:?}");
    assert!(ends(&found) > -635.1001, "{}", ends(&found));
    // Another step of EM gains nothing.
    let (next, before) = found.model.em_step(&data, &settings()).unwrap();
    let gain = next.log_evidence(&data[0]).unwrap() - before;
    assert!(gain < 1e-6, "{gain}");
}

#[test]
fn the_units_of_the_data_do_not_matter() {
    let base = [nile()];
    let fit = |data: &[Sequence]| {
        let guess = LinearGaussian::initial_guess(1, data).unwrap();
        guess.maximum_likelihood(data, &settings()).unwrap()
    };
    let expected = fit(&base);
    for k in [-8, -3, 4, 8] {
        let unit = 10f64.powi(k);
        let scaled = Sequence::of_numbers(base[0].iter().flatten().map(|y| y[0] * unit)).unwrap();
        let found = fit(&[scaled]);
        assert!(found.converged);
        let same = ends(&found) + 100.0 * unit.ln() - ends(&expected);
        // Both gradients end below 1e-4, which leaves 1e-6 nats at most.
        assert!(same.abs() < 1e-5, "{k}: {same}");
    }
}

/// The volume of the Nile returns to its mean; −637.476 is where the fit in 10⁸ m³ ends, other units ended up to 0.23 nats below.
#[test]
fn a_model_of_a_file_ends_at_the_same_maximum_in_any_units() {
    let fit = |unit: f64| {
        let data = [Sequence::of_numbers(nile().iter().flatten().map(|y| y[0] * unit)).unwrap()];
        let q = unit * unit;
        let file = serde_json::json!({
            "transition": [[0.9]], "process_noise": [[1469.2 * q]], "observation": [[1.0]],
            "observation_noise": [[15098.5 * q]], "offset": [919.35 * unit]
        });
        let start: LinearGaussian = serde_json::from_value(file).unwrap();
        let fit = GaussianFit {
            learned: dynamics_and_noises(),
            ..settings()
        };
        start.maximum_likelihood(&data, &fit).unwrap()
    };
    let here = fit(1.0);
    assert!(
        // scipy 1.17, of the density of all rows, the start stationary.
        here.converged && (ends(&here) + 637.039_199_959).abs() < 1e-5,
        "{}",
        ends(&here)
    );
    for unit in [1e-8, 1e-3, 1e3, 1e8, 2f64.powi(27), 2f64.powi(-20)] {
        let there = fit(unit);
        let same = ends(&there) + 100.0 * unit.ln() - ends(&here);
        // Both gradients end below 1e-4.
        assert!(there.converged && same.abs() < 1e-6, "{unit:e}: {same}");
        let f = |found: &GaussianFitted| found.model.transition()[(0, 0)];
        assert!((f(&there) - f(&here)).abs() < 1e-4, "{unit:e}");
    }
}

#[test]
fn what_is_held_stays_and_the_rest_is_at_its_best() {
    let data = [nile()];
    let start = LinearGaussian::from_rows(&[[1.0]], &[[1000.0]], &[[1.0]], &[[10_000.0]])
        .and_then(|m| {
            use scotopic_filtering::nalgebra::{DMatrix, DVector};
            m.with_initial(DVector::zeros(1), DMatrix::from_element(1, 1, 1e7))
        })
        .unwrap();
    let learned = Learned {
        process_noise: true,
        observation_noise: true,
        transition: false,
        bias: false,
        control: false,
        observation: false,
        offset: false,
        direct: false,
        initial: false,
        diagonal: false,
    };
    let fit = GaussianFit {
        learned,
        ..settings()
    };
    let found = start.maximum_likelihood(&data, &fit).unwrap();
    // The level of the Nile with P0 = 1e7, by statsmodels.
    assert!(
        found.converged && (ends(&found) + 641.585_578).abs() < 1e-5,
        "{found:?}"
    );
    assert!((found.model.observation_noise()[(0, 0)] / 15_099.68 - 1.0).abs() < 1e-3);
    assert!((found.model.process_noise()[(0, 0)] / 1468.50 - 1.0).abs() < 1e-3);
    assert_eq!(found.model.transition(), start.transition());
    assert_eq!(found.model.learned_parameters(&learned), 2);
}

#[test]
fn random_guesses_are_stationary_and_reproducible() {
    let data = [nile()];
    for states in 1..6 {
        let guess = |seed| {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            LinearGaussian::random_guess(states, &data, &mut rng).unwrap()
        };
        assert_eq!(guess(3), guess(3));
        assert_ne!(guess(3), guess(4));
        let model = guess(5);
        let f = model.transition();
        let left = f * f.transpose() + model.process_noise();
        // Unit variances: F Fᵀ + Q = I to rounding.
        let one = scotopic_filtering::nalgebra::DMatrix::identity(states, states);
        assert!((left - one).amax() < 1e-12);
    }
}

/// Nile with two states: ln p rises as R shrinks to nothing; a prior of a hundredth of an observation keeps it.
#[test]
fn a_pseudo_count_keeps_the_noise_from_collapse() {
    let data = [nile()];
    let guess = LinearGaussian::initial_guess(2, &data).unwrap();
    let noise = guess.observation_noise()[(0, 0)];
    let kept = GaussianFit {
        pseudo_count: 0.01,
        ..settings()
    };
    let found = guess.maximum_likelihood(&data, &kept).unwrap();
    assert!(found.converged, "{found:?}");
    assert!(
        found.model.observation_noise()[(0, 0)] > 1e-5 * noise,
        "{found:?}"
    );
}

/// Of numbers whose innovations hang together, y_t = 0.5 y_{t−1} + e_t + 0.6 e_{t−1}, no variance is noise: R goes to 0, where ln p is
/// that of least squares. A search that followed ln R without end did not return.
#[test]
fn noise_that_vanishes_ends_at_least_squares() {
    let (mut y, mut before) = (vec![0.0; 80], 0.0);
    for t in 1..80 {
        let e = (t as f64 * 0.618_033_988_749_895).fract()
            + (t as f64 * 0.414_213_562_373_095).fract()
            - 1.0;
        y[t] = 0.5 * y[t - 1] + e + 0.6 * before;
        before = e;
    }
    let data = [Sequence::of_numbers(y.iter().copied()).unwrap()];
    let file = serde_json::json!({
        "transition": [[0.3]], "process_noise": [[0.5]], "observation": [[1.0]], "observation_noise": [[0.5]],
        "initial_mean": [0.0], "initial_covariance": [[1.0]]
    });
    let start: LinearGaussian = serde_json::from_value(file).unwrap();
    let fit = GaussianFit {
        learned: dynamics_and_noises(),
        tolerance: 0.0,
        ..settings()
    };
    let found = start.maximum_likelihood(&data, &fit).unwrap();
    let pairs = || y.iter().zip(&y[1..]);
    let phi = pairs().map(|(a, b)| a * b).sum::<f64>() / pairs().map(|(a, _)| a * a).sum::<f64>();
    let n = (y.len() - 1) as f64;
    let q = pairs().map(|(a, b)| (b - phi * a).powi(2)).sum::<f64>() / n;
    let ln_2_pi = std::f64::consts::TAU.ln();
    let exact = -0.5 * (ln_2_pi + y[0] * y[0]) - 0.5 * n * (ln_2_pi + q.ln() + 1.0);
    // The gradient by ln R ends below 1e-4, and with it what is left to gain.
    assert!(
        (ends(&found) - exact).abs() < 1e-3,
        "{} {exact}",
        ends(&found)
    );
    assert!(found.converged && found.iterations < 500, "{found:?}");
    assert!(found.model.observation_noise()[(0, 0)] < 1e-3 * q);
}

/// A start that a file leaves out is the stationary distribution of whatever F, b and Q are: minimisation by scipy 1.17 of the density of
/// all rows, whose covariance is Q Fᵏ/(1 − F²) k rows apart, and R.
#[test]
fn a_start_that_is_left_out_stays_stationary() {
    let y = |t: f64| (0.7 * t).sin() + (0.31 * t * t).cos() + 2.0 * (0.05 * t).sin();
    let data = [Sequence::of_numbers((0..40).map(|t| y(f64::from(t)))).unwrap()];
    let file = |f: f64, q: f64| -> LinearGaussian {
        let model = serde_json::json!({"transition": [[f]], "process_noise": [[q]], "observation": [[1.0]], "observation_noise": [[0.5]]});
        serde_json::from_value(model).unwrap()
    };
    let found = |model: &LinearGaussian, bias: bool| {
        let fit = GaussianFit {
            learned: Learned {
                bias,
                ..dynamics_and_noises()
            },
            ..settings()
        };
        model.maximum_likelihood(&data, &fit).unwrap()
    };
    for (f, q) in [(0.3, 1.0), (0.95, 0.01), (-0.5, 2.0)] {
        let (without, with) = (found(&file(f, q), false), found(&file(f, q), true));
        assert!(
            (ends(&without) + 59.420_390_043_174_95).abs() < 1e-5,
            "{f} {}",
            ends(&without)
        );
        assert!(
            (ends(&with) + 55.541_640_811_058_8).abs() < 1e-5,
            "{f} {}",
            ends(&with)
        );
        assert!((without.model.transition()[(0, 0)] - 0.915_333_634).abs() < 1e-4);
        let (f, q) = (
            without.model.transition()[(0, 0)],
            without.model.process_noise()[(0, 0)],
        );
        let p0 = without.model.initial_covariance()[(0, 0)];
        assert!((p0 * (1.0 - f * f) / q - 1.0).abs() < 1e-9, "{p0}");
        // Steps of EM alone never lower ln p either.
        let em = file(f, q).fit(
            &data,
            &GaussianFit {
                learned: dynamics_and_noises(),
                ..settings()
            },
        );
        assert!(
            em.unwrap()
                .log_evidence
                .windows(2)
                .all(|w| w[1] >= w[0] - 1e-9)
        );
        // A file leaves it out again, and what it says is the same model.
        let written = serde_json::to_value(&without.model).unwrap();
        assert!(
            written.get("initial_covariance").is_none() && written.get("initial_mean").is_none()
        );
        assert_eq!(
            serde_json::from_value::<LinearGaussian>(written).unwrap(),
            without.model
        );
    }
}
