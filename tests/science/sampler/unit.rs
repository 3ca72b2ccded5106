//! Unit normal, Laplace and Gumbel numbers.

use burn::tensor::Tensor;
use scotopic::noise::{NoiseKey, uniform};
use scotopic::ops::{Law, unit_noise};

use super::STANDARD_ERRORS;
use crate::devices::{Place, on_every_device};
use crate::numbers::{moments, read};

const LAWS: [Law; 3] = [Law::Normal, Law::Laplace, Law::Gumbel];
const KEY: NoiseKey = NoiseKey::new(500).step(3).stream(8);
const DRAWS: usize = 200_000;

/// D√n exceeds this in one of a million samples of the law itself: 2·exp(−2x²) = 10⁻⁶ (Kolmogorov).
const KOLMOGOROV: f64 = 2.694;

/// f32, relative to 1 + |x|: a few roundings of ln, √ and cos on the way; devices have their own √, and fuse
/// a·b + c or not.
const SINGLE: f64 = 2e-6;

fn draw(place: &Place, law: Law, key: NoiseKey, n: usize) -> Vec<f64> {
    let like: Tensor<1> = place.tensor(&vec![f64::NAN; n], [n]);
    read(unit_noise(&like, law, key))
}

/// The formula of the law in f64 from the element's words.
fn formula(law: Law, key: NoiseKey, element: usize) -> f64 {
    let [a, b, ..] = key.words(element as u32, 0);
    let (a, b) = (f64::from(uniform(a)), f64::from(uniform(b)));
    match law {
        Law::Normal => (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos(),
        Law::Laplace => b.ln() - a.ln(),
        Law::Gumbel => -(-a.ln()).ln(),
    }
}

/// P(X ≤ x).
fn distribution(law: Law, x: f64) -> f64 {
    match law {
        Law::Normal => 0.5 * erfc(-x / std::f64::consts::SQRT_2),
        Law::Laplace if x < 0.0 => 0.5 * x.exp(),
        Law::Laplace => 1.0 - 0.5 * (-x).exp(),
        Law::Gumbel => (-(-x).exp()).exp(),
    }
}

/// The complementary error function: Simpson's rule on its integral, to 10⁻¹².
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    const STEPS: usize = 400;
    let h = 8.0 / STEPS as f64;
    let density = |i: usize| (-(x + h * i as f64).powi(2)).exp();
    let weight = |i: usize| match i {
        0 | STEPS => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let sum: f64 = (0..=STEPS).map(|i| weight(i) * density(i)).sum();
    sum * h / 3.0 * 2.0 / std::f64::consts::PI.sqrt()
}

/// √n times the largest distance between the empirical distribution and that of the law.
fn kolmogorov(law: Law, mut values: Vec<f64>, scale: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let distance = values.iter().enumerate().map(|(i, x)| {
        let p = distribution(law, x * scale);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    });
    distance.fold(0.0, f64::max) * n.sqrt()
}

#[test]
fn every_device_draws_by_the_formula() {
    // More than one task of the CPU's pool, and no multiple of anything.
    let n = 10_007;
    on_every_device(|place| {
        for law in LAWS {
            let ours = draw(place, law, KEY, n);
            let off = ours.iter().enumerate().map(|(i, x)| {
                let expected = formula(law, KEY, i);
                (x - expected).abs() / (1.0 + expected.abs())
            });
            let worst = off.fold(0.0, f64::max);
            println!("{}: {law:?} within {worst:e}", place.title());
            assert!(worst <= SINGLE, "{}: {law:?} {worst:e}", place.title());
        }
    });
}

#[test]
fn double_precision_is_the_same_numbers_widened() {
    for law in LAWS {
        let [single, double] =
            [Place::processor(), Place::reference()].map(|place| draw(&place, law, KEY, 5000));
        assert_eq!(single, double, "{law:?}");
    }
}

#[test]
fn numbers_follow_their_law() {
    for (i, law) in LAWS.into_iter().enumerate() {
        let key = NoiseKey::new(501).stream(i as u32);
        let values = draw(&Place::processor(), law, key, DRAWS);
        let distance = kolmogorov(law, values.clone(), 1.0);
        println!("{law:?}: D√n {distance}");
        assert!(distance < KOLMOGOROV, "{law:?}: D√n {distance}");
        // And the test notices a scale that is five per cent off.
        let distance = kolmogorov(law, values, 1.05);
        assert!(distance > KOLMOGOROV, "{law:?}: D√n {distance}");
    }
}

#[test]
fn mean_and_variance() {
    let n = DRAWS as f64;
    for (i, law) in LAWS.into_iter().enumerate() {
        let euler = 0.577_215_664_901_532_9;
        // Mean, variance and kurtosis, from tables.
        let (expected, expected_variance, kurtosis) = match law {
            Law::Normal => (0.0, 1.0, 3.0),
            Law::Laplace => (0.0, 2.0, 6.0),
            Law::Gumbel => (euler, std::f64::consts::PI.powi(2) / 6.0, 5.4),
        };
        let key = NoiseKey::new(502).stream(i as u32);
        let (mean, variance) = moments(&draw(&Place::processor(), law, key, DRAWS));
        let error = (expected_variance / n).sqrt();
        assert!(
            (mean - expected).abs() < STANDARD_ERRORS * error,
            "{law:?}: mean {mean}"
        );
        // Var s² = (kurtosis − 1)σ⁴/n.
        let error = expected_variance * ((kurtosis - 1.0) / n).sqrt();
        assert!(
            (variance - expected_variance).abs() < STANDARD_ERRORS * error,
            "{law:?}: variance {variance}"
        );
    }
}

#[test]
fn keys_and_neighbours_are_uncorrelated() {
    let place = Place::processor();
    let key = NoiseKey::new(503);
    let pairs = |a: &[f64], b: &[f64]| {
        let ((mean_a, var_a), (mean_b, var_b)) = (moments(a), moments(b));
        let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
        products.sum::<f64>() / a.len() as f64 / (var_a * var_b).sqrt()
    };
    for law in LAWS {
        let base = draw(&place, law, key, DRAWS);
        let shifted: Vec<f64> = base[1..].iter().chain(&base[..1]).copied().collect();
        let of = |key| draw(&place, law, key, DRAWS);
        for (name, other) in [
            ("stream", of(key.stream(1))),
            ("step", of(key.step(1))),
            ("seed", of(NoiseKey::new(504))),
            ("high half of the seed", of(NoiseKey::new(503 + (1 << 32)))),
            ("neighbour", shifted),
        ] {
            let r = pairs(&base, &other);
            let bound = STANDARD_ERRORS / (DRAWS as f64).sqrt();
            assert!(r.abs() < bound, "{law:?}, {name}: correlation {r}");
            assert_ne!(base, other, "{law:?}, {name}");
        }
    }
}

#[test]
fn noise_is_a_constant_of_the_graph() {
    on_every_device(|place| {
        let place = place.autodiff();
        let like = place
            .tensor::<2>(&[1.0, 2.0, 3.0, 4.0], [2, 2])
            .require_grad();
        for law in LAWS {
            let noise = unit_noise(&like, law, KEY);
            assert!(!noise.is_require_grad(), "{}: {law:?}", place.title());
            let gradients = (noise.clone() * like.clone()).sum().backward();
            let through = like.grad(&gradients).map(read);
            assert_eq!(through, Some(read(noise)), "{}: {law:?}", place.title());
        }
    });
}
