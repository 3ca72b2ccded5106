//! Coordinates and their gradient against differences.

use super::*;
use crate::Sequence;

#[test]
fn the_gradient_is_the_slope_of_the_evidence() {
    let rows = (0..40).map(|t| {
        let t = f64::from(t);
        [
            3.0 + (0.4 * t).sin() + 0.3 * (t * t).cos(),
            1e3 * (0.3 * t).cos() + 50.0 * (2.0 * t * t).sin(),
        ]
    });
    let data = Sequence::of_rows(rows).unwrap();
    let guess = LinearGaussian::initial_guess(2, std::slice::from_ref(&data)).unwrap();
    let unit = DVector::from_vec(crate::data_spread::deviations(std::slice::from_ref(&data)));
    let state = DVector::from_vec(vec![0.3, 20.0]);
    let entries = Entries::new(&guess, Learned::default(), unit, state);
    let mut u = entries.coordinates().unwrap();
    assert_eq!(u.len(), 4 + 2 + 3 + 4 + 2 + 3 + 2 + 3);
    let back = entries.model(&u).unwrap();
    assert!((back.observation_noise() - guess.observation_noise()).amax() < 1e-9 * 1e6);
    for (k, u) in u.iter_mut().enumerate() {
        *u += 0.05 * (k as f64).sin();
    }
    let by = entries.model(&u).unwrap().gradient(&data).unwrap();
    let gradient = entries.gradient(&u, &by);
    for k in 0..u.len() {
        let at = |h: f64| {
            let mut moved = u.clone();
            moved[k] += h;
            entries.model(&moved).unwrap().log_evidence(&data).unwrap()
        };
        // Central differences: an error of third order, 1e-8 of gradients of some 10.
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        let room = 1e-5 * (1.0 + slope.abs());
        assert!(
            (gradient[k] - slope).abs() < room,
            "{k}: {} {slope}",
            gradient[k]
        );
    }
}

/// m0 and P0 of a stationary start follow F, b and Q.
#[test]
fn the_gradient_goes_through_a_stationary_start() {
    let row = |t: f64| [(0.4 * t).sin() + 0.3 * (t * t).cos(), (0.3 * t).cos()];
    let data = Sequence::of_rows((0..9).map(|t| row(f64::from(t)))).unwrap();
    let model = LinearGaussian::from_rows(
        &[[0.9, 0.2], [-0.1, 0.7]],
        &[[0.3, 0.1], [0.1, 0.2]],
        &[[1.0, 0.5], [0.0, 1.0]],
        &[[0.5, 0.2], [0.2, 0.6]],
    );
    let bias = (DVector::from_vec(vec![0.3, -0.2]), DVector::zeros(2));
    let model = model.unwrap().with_bias(bias.0, bias.1).unwrap();
    let model = model.with_stationary_start().unwrap();
    let learned = Learned {
        initial: false,
        ..Learned::default()
    };
    let one = DVector::from_element(2, 1.0);
    let entries = Entries::new(&model, learned, one.clone(), one);
    let u = entries.coordinates().unwrap();
    let by = entries.model(&u).unwrap().gradient(&data).unwrap();
    let gradient = entries.gradient(&u, &by);
    for k in 0..u.len() {
        let at = |h: f64| {
            let mut moved = u.clone();
            moved[k] += h;
            entries.model(&moved).unwrap().log_evidence(&data).unwrap()
        };
        // Central differences, as above.
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        let room = 1e-6 * (1.0 + slope.abs());
        assert!(
            (gradient[k] - slope).abs() < room,
            "{k}: {} {slope}",
            gradient[k]
        );
    }
}

/// Of Q = diag(1, 0) and R, which has one entry, two variances are there to estimate.
#[test]
fn a_variance_of_zero_is_no_parameter() {
    let model = LinearGaussian::from_rows(
        &[[1.0, 1.0], [0.0, 1.0]],
        &[[1.0, 0.0], [0.0, 0.0]],
        &[[1.0, 0.0]],
        &[[1.0]],
    );
    let learned = Learned {
        transition: false,
        bias: false,
        observation: false,
        offset: false,
        initial: false,
        ..Learned::default()
    };
    assert_eq!(model.unwrap().learned_parameters(&learned), 2);
}
