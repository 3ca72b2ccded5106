//! The implicit step d + a(eᵈ − 1) = s against its own equation.

use burn::tensor::{DType, Tensor};
use scotopic::ops::implicit_step;

use crate::devices::{Place, on_every_device, others};
use crate::numbers::{Ledger, read};
use crate::toy::numbers;

/// Roundings of the terms d, aeᵈ, a and s that the last iteration may keep, on a CPU.
const ROUNDINGS: f64 = 2.0;

/// GPUs may be off by 3 + 2|d| units in the last place of eᵈ (WGSL), |d| ≤ 21 wherever eᵈ counts here.
const GPU_ROUNDINGS: f64 = 16.0;

/// Central differences: h² times a third derivative of order one, and 10⁻¹⁵ over h.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 1e-8;

/// The first term left out of d = s − a(eˢ − 1) + …, s up to 3 and a = 10⁻⁶, is a²e⁶·(1 + …).
const SECOND_ORDER: f64 = 1e-8;

/// Every s with every a, among them s = −a, where all inhibition is let go, and its neighbours.
fn grid() -> [Vec<f64>; 2] {
    let sizes: Vec<f64> = (-6..=3).map(|e| 10f64.powi(e)).collect();
    let middle = [2.0, 5.0, 7.0, 20.0, 50.0, 70.0, 150.0, 300.0, 500.0, 700.0];
    let positive = sizes.iter().chain(&middle).copied();
    let steps: Vec<f64> = positive.flat_map(|s| [s, -s]).chain([0.0]).collect();
    let gains: Vec<f64> = (-6..=6).map(|e| 10f64.powi(e)).chain([0.0]).collect();
    let near = |a: &f64| [0.9, 0.99, 1.0, 1.01, 1.1].map(|by| (-by * a, *a));
    let corners = gains.iter().flat_map(near);
    let pairs = gains.iter().flat_map(|a| steps.iter().map(|s| (*s, *a)));
    let pairs: Vec<(f64, f64)> = pairs.chain(corners).collect();
    // As f32 sees them, so that both precisions are asked the same.
    let round = |v: f64| f64::from(v as f32);
    [
        pairs.iter().map(|(s, _)| round(*s)).collect(),
        pairs.iter().map(|(_, a)| round(*a)).collect(),
    ]
}

fn solve(place: &Place, s: &[f64], a: &[f64]) -> Vec<f64> {
    let n = s.len();
    read(implicit_step::<1>(
        place.tensor(s, [n]),
        place.tensor(a, [n]),
    ))
}

fn unit(place: &Place) -> f64 {
    match place.precision {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

/// What rounding may leave of the equation at d: a unit of every term, eᵈ's enlarged by |d|.
fn allowed(d: f64, s: f64, a: f64) -> f64 {
    d.abs() + s.abs() + a + pull(a, d) * (1.0 + d.abs())
}

/// aeᵈ, without the 0·∞ of a large step that nothing inhibits.
fn pull(a: f64, d: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a * d.exp() }
}

fn check(place: &Place, roundings: f64) {
    let [s, a] = grid();
    let mut worst = 0.0f64;
    for ((&d, &s), &a) in solve(place, &s, &a).iter().zip(&s).zip(&a) {
        let pulled = if a == 0.0 { 0.0 } else { a * d.exp_m1() };
        let residual = (d + pulled - s).abs();
        let bound = unit(place) * allowed(d, s, a);
        let title = format!("{}: s {s}, a {a}: d {d}", place.title());
        assert!(
            residual <= roundings * bound,
            "{title}, residual {residual:e}"
        );
        worst = worst.max(if residual > 0.0 {
            residual / bound
        } else {
            0.0
        });
        // It has the sign of s and is never larger, up to what rounding may leave of it.
        let slack = roundings * bound / (1.0 + pull(a, d));
        assert!(
            (s.min(0.0) - slack..=s.max(0.0) + slack).contains(&d),
            "{title}"
        );
    }
    println!("{}: {worst:.2} of {roundings} roundings", place.title());
}

#[test]
fn solves_its_equation() {
    check(&Place::reference(), ROUNDINGS);
    on_every_device(|place| {
        let gpu = !["flex", "ndarray"].contains(&place.name);
        check(place, if gpu { GPU_ROUNDINGS } else { ROUNDINGS });
    });
}

#[test]
fn every_device_agrees_with_the_processor() {
    let [s, a] = grid();
    let expected = solve(&Place::processor(), &s, &a);
    for place in others() {
        let ours = solve(place, &s, &a);
        for (((&ours, &expected), &s), &a) in ours.iter().zip(&expected).zip(&s).zip(&a) {
            let slope = 1.0 + pull(a, expected);
            let bound = GPU_ROUNDINGS * unit(place) * allowed(expected, s, a) / slope;
            assert!(
                (ours - expected).abs() <= bound,
                "{}: s {s}, a {a}: {ours} and {expected}",
                place.title()
            );
        }
    }
}

#[test]
fn slopes() {
    let place = Place::reference();
    let n = 300;
    let s = numbers(901, n, -30.0, 30.0);
    let a: Vec<f64> = numbers(902, n, -6.0, 6.0).iter().map(|l| l.exp()).collect();
    let tracked = place.autodiff();
    let both = [&s, &a].map(|values| tracked.tensor::<1>(values, [n]).require_grad());
    let gradients = implicit_step(both[0].clone(), both[1].clone())
        .sum()
        .backward();
    let ours = both.map(|x| read(x.grad(&gradients).expect("a gradient")));

    let shifted = |values: &[f64], by: f64| values.iter().map(|v| v + by * v.abs()).collect();
    let difference = |high: Vec<f64>, low: Vec<f64>, at: &[f64]| -> Vec<f64> {
        let pairs = high.iter().zip(&low).zip(at);
        pairs
            .map(|((h, l), x)| (h - l) / (2.0 * STRIDE * x.abs()))
            .collect()
    };
    let by = |h: f64| -> [Vec<f64>; 2] {
        let (s_h, a_h): (Vec<f64>, Vec<f64>) = (shifted(&s, h), shifted(&a, h));
        [solve(&place, &s_h, &a), solve(&place, &s, &a_h)]
    };
    let ([by_s, by_a], [low_s, low_a]) = (by(STRIDE), by(-STRIDE));
    let mut ledger = Ledger::default();
    ledger.compare("by s", "slope", &ours[0], &difference(by_s, low_s, &s));
    ledger.compare("by a", "slope", &ours[1], &difference(by_a, low_a, &a));
    ledger.settle("implicit step", |_| FINITE_DIFFERENCE);
}

#[test]
fn slopes_on_every_device() {
    /// f32: a few roundings of 1 + aeᵈ, of which eᵈ's is up to 40 units on a GPU.
    const SINGLE: f64 = 1e-5;
    let n = 64;
    let s = numbers(903, n, -8.0, 8.0);
    let a: Vec<f64> = numbers(904, n, -3.0, 3.0).iter().map(|l| l.exp()).collect();
    let slopes = |place: &Place| {
        let place = place.autodiff();
        let both = [&s, &a].map(|values| place.tensor::<1>(values, [n]).require_grad());
        let step: Tensor<1> = implicit_step(both[0].clone(), both[1].clone());
        let gradients = step.sum().backward();
        both.map(|x| read(x.grad(&gradients).expect("a gradient")))
    };
    let expected = slopes(&Place::reference());
    on_every_device(|place| {
        let ours = slopes(place);
        let mut ledger = Ledger::default();
        ledger.compare("by s", "slope", &ours[0], &expected[0]);
        ledger.compare("by a", "slope", &ours[1], &expected[1]);
        ledger.settle(&place.title(), |_| SINGLE);
    });
}

#[test]
fn without_a_gain_it_is_the_explicit_step() {
    let place = Place::reference();
    let s = numbers(905, 100, -3.0, 3.0);
    assert_eq!(solve(&place, &s, &[0.0; 100]), s);
    let a = 1e-6;
    for (d, s) in solve(&place, &s, &[a; 100]).iter().zip(&s) {
        let first_order = s - a * s.exp_m1();
        assert!(
            (d - first_order).abs() < SECOND_ORDER,
            "{d} and {first_order}"
        );
        assert!(d != s, "the gain is not felt");
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    let places = [Place::reference()];
    let check = |place: &Place| {
        let d = solve(place, &[f64::NAN, 1.0, 1.0], &[1.0, f64::NAN, 1.0]);
        assert!(d[0].is_nan() && d[1].is_nan(), "{}: {d:?}", place.title());
        assert!(d[2].is_finite(), "{}: its neighbour {d:?}", place.title());
    };
    places.iter().for_each(check);
    on_every_device(check);
}
