//! The relaxed sample: its limit, its twin, its derivative, its mean.

use burn::tensor::{DType, Tensor};
use scotopic::noise::NoiseKey;
use scotopic::ops::{
    Indicator, Relaxation, poisson_counts, poisson_counts_with, relaxed_poisson,
    relaxed_poisson_with,
};

use super::{STANDARD_ERRORS, campbell};
use crate::devices::Place;
use crate::numbers::{moments, read};
use crate::toy::{Twin, numbers};

/// Terms below 10⁻⁷ are left out by the kernel; the tail of such terms adds up to λτ·10⁻⁷, below this
/// for λτ ≤ 12.
const TAIL: f64 = 1.5e-6;

/// f32 adds up to 300 terms of order one: as many half units in the last place at the worst.
const SUMMATION: f64 = 2e-5;

const SHAPE: [usize; 2] = [20, 15];
const KEY: NoiseKey = NoiseKey::new(200).step(4).stream(9);

/// z and dz/du of the kernel under `key`.
fn sample(
    place: &Place,
    u: &[f64],
    relaxation: impl Into<Relaxation>,
    key: NoiseKey,
) -> [Vec<f64>; 2] {
    let u = place.autodiff().tensor(u, [u.len()]).require_grad();
    let z = relaxed_poisson(u.clone(), relaxation, key);
    let slope = u.grad(&z.clone().sum().backward());
    [read(z), read(slope.expect("the sample was differentiated"))]
}

fn log_rates() -> Vec<f64> {
    numbers(201, SHAPE[0] * SHAPE[1], -4.0, 12f64.ln() - 1e-3)
}

/// Every indicator at every temperature.
fn relaxations(temperatures: [f32; 3]) -> impl Iterator<Item = (Indicator, f32)> {
    let all = Indicator::ALL.into_iter();
    all.flat_map(move |indicator| temperatures.map(|temperature| (indicator, temperature)))
}

fn twin(place: &Place) -> Twin<'_> {
    // Rate 12, τ = 1: the sum ends at t = 17.1, after about 206 ± 14 arrivals.
    Twin {
        key: KEY,
        place,
        shape: SHAPE,
        arrivals: 320,
    }
}

#[test]
fn kernel_and_twin_sum_the_same_arrivals() {
    for place in [Place::reference(), Place::processor()] {
        let (u, waits) = (log_rates(), twin(&place).exponentials(KEY));
        let square = || place.tensor::<2>(&u, SHAPE);
        let rounding = match place.precision {
            DType::F32 => SUMMATION,
            _ => 0.0,
        };
        for (indicator, temperature) in relaxations([1.0, 0.5, 0.05]) {
            let relaxation = Relaxation {
                temperature,
                indicator,
            };
            let z = read(relaxed_poisson(square(), relaxation, KEY));
            let expected = read(relaxed_poisson_with(
                square(),
                f64::from(temperature),
                indicator,
                waits.clone(),
            ));
            for (z, expected) in z.iter().zip(&expected) {
                let bound = (TAIL + rounding) * (1.0 + expected);
                assert!(
                    (z - expected).abs() < bound,
                    "{indicator:?}, τ {temperature}: {z} and {expected}"
                );
            }
        }
        let counts = read(poisson_counts(square(), KEY));
        assert_eq!(
            counts,
            read(poisson_counts_with(square(), waits)),
            "{}",
            place.title()
        );
        assert!(counts.iter().any(|&k| k > 5.0), "the counts are all small");
    }
}

#[test]
fn relaxed_samples_become_counts() {
    let place = Place::reference();
    let u = log_rates();
    let counts = read(poisson_counts(place.tensor(&u, [u.len()]), KEY));
    // An arrival this close to time 1 is still undecided at the smallest τ below.
    const UNDECIDED: f64 = 1e-3;
    // There σ(UNDECIDED/τ) differs from 0 or 1 by e^−33; the tail's terms are nearly as small.
    const DECIDED: f64 = 1e-6;
    let decided = |element: usize| {
        let arrivals = KEY.exponentials(element as u32).scan(0.0, |elapsed, wait| {
            *elapsed += f64::from(wait) * (-u[element]).exp();
            Some(*elapsed)
        });
        let mut near = arrivals.take_while(|t| *t < 2.0);
        near.all(|t| (t - 1.0).abs() > UNDECIDED)
    };
    let decided: Vec<bool> = (0..u.len()).map(decided).collect();
    let share = decided.iter().filter(|d| **d).count() as f64 / u.len() as f64;
    assert!(
        share > 0.95,
        "only {share} of the elements have no arrival near time 1"
    );

    let mut before = f64::INFINITY;
    for temperature in [1.0f32, 0.3, 0.1, 0.03, 0.01, 3e-5] {
        let [z, _] = sample(&place, &u, temperature, KEY);
        let apart = z.iter().zip(&counts).zip(&decided).filter(|(_, d)| **d);
        let worst = apart.map(|((z, k), _)| (z - k).abs()).fold(0.0, f64::max);
        assert!(
            worst < before,
            "τ {temperature}: {worst} is no closer than {before}"
        );
        before = worst;
    }
    assert!(before < DECIDED, "at the smallest τ: {before}");
}

#[test]
fn derivative_is_the_slope_of_the_sample() {
    // Where a term crosses the cut between the two points it adds 10⁻⁷/2h = 5e−5; the third derivative
    // adds h²·z‴/6, with z‴ up to 100 at the smallest τ here.
    const STRIDE: f64 = 1e-3;
    const TOLERANCE: f64 = 3e-4;
    let place = Place::reference();
    let u = log_rates();
    for (indicator, temperature) in relaxations([1.0, 0.5, 0.25]) {
        // Where an arrival crosses an end of f between the two points, t = 1 + τ at the most, a jump J of f'' adds up to
        // J·(t/τ)²·h/4.
        let jump = match indicator {
            Indicator::Linear => continue, // its f' jumps
            Indicator::Cubic => 1.5,
            Indicator::Cosine => std::f64::consts::PI.powi(2) / 8.0,
            Indicator::Sigmoid | Indicator::Quintic => 0.0,
        };
        let steepest = (1.0 + f64::from(temperature)) / f64::from(temperature);
        let corner = jump * steepest.powi(2) * STRIDE / 4.0;
        let relaxation = Relaxation {
            temperature,
            indicator,
        };
        let shifted = |by: f64| {
            let u: Vec<f64> = u.iter().map(|u| u + by).collect();
            sample(&place, &u, relaxation, KEY)[0].clone()
        };
        let (high, low) = (shifted(STRIDE), shifted(-STRIDE));
        let [_, slope] = sample(&place, &u, relaxation, KEY);
        for i in 0..u.len() {
            let difference = (high[i] - low[i]) / (2.0 * STRIDE);
            let bound = TOLERANCE * (1.0 + slope[i].abs()) + corner;
            assert!(
                (slope[i] - difference).abs() < bound,
                "{indicator:?}, τ {temperature}, u {}: {} and {difference}",
                u[i],
                slope[i]
            );
        }
    }
}

/// Campbell's theorem for mean and variance; and because the mean is proportional to λ = eᵘ, the mean
/// slope dz/du must be the mean itself: the pathwise gradient has no bias.
fn check_moments(log_rate: f64, relaxation: Relaxation, key: NoiseKey) {
    const DRAWS: usize = 100_000;
    let u = f64::from(log_rate as f32);
    let Relaxation {
        temperature,
        indicator,
    } = relaxation;
    let [z, slope] = sample(&Place::processor(), &vec![u; DRAWS], relaxation, key);
    let (expected, expected_variance) = campbell(u.exp(), indicator, f64::from(temperature));
    let n = DRAWS as f64;
    let title = format!("{indicator:?}, u {u}, τ {temperature}");
    let within = |name: &str, ours: f64, expected: f64, error: f64| {
        let off = (ours - expected).abs() / error;
        assert!(
            off < STANDARD_ERRORS,
            "{title}: {name} {ours}, expected {expected}: {off} errors"
        );
    };
    let (mean, variance) = moments(&z);
    within("mean", mean, expected, (expected_variance / n).sqrt());
    let fourth = z.iter().map(|z| (z - mean).powi(4)).sum::<f64>() / n;
    within(
        "variance",
        variance,
        expected_variance,
        ((fourth - variance * variance) / n).sqrt(),
    );
    let (mean_slope, slope_variance) = moments(&slope);
    within("slope", mean_slope, expected, (slope_variance / n).sqrt());
}

#[test]
fn moments_where_arrivals_are_summed() {
    for (i, (log_rate, temperature)) in [
        (-3.0, 1.0),
        (-1.0, 0.1),
        (0.0, 0.5),
        (1.5, 0.05),
        (3.0, 0.5),
    ]
    .into_iter()
    .enumerate()
    {
        for indicator in Indicator::ALL {
            let relaxation = Relaxation {
                temperature,
                indicator,
            };
            check_moments(log_rate, relaxation, NoiseKey::new(202).stream(i as u32));
        }
    }
}

/// More than 4096 expected terms: the Gaussian that the sum tends to.
#[test]
fn moments_in_the_gaussian_limit() {
    for (i, (log_rate, temperature)) in [(6.2, 0.5), (8.0, 1.0), (10.0, 0.05)]
        .into_iter()
        .enumerate()
    {
        for indicator in Indicator::ALL {
            let reach = f64::from(indicator.reach());
            let terms = f64::exp(log_rate + 2.5) * (1.0 + reach * f64::from(temperature));
            assert!(terms > 4096.0, "{log_rate} is summed");
            let relaxation = Relaxation {
                temperature,
                indicator,
            };
            let key = NoiseKey::new(203).stream(i as u32);
            check_moments(log_rate + 2.5, relaxation, key);
        }
    }
}

/// What the sigmoid does not have: at every τ up to 1 the mean is λ itself, to a thousandth.
#[test]
fn compact_indicators_are_unbiased() {
    const RATE: f64 = 20.0;
    // The standard error of the mean over λ is at most 1/√(λ·DRAWS) = 1.1e-4.
    const DRAWS: usize = 4_000_000;
    const UNBIASED: f64 = 1e-3;
    let place = Place::processor();
    let u = f64::from(RATE.ln() as f32);
    let draw = |indicator, temperature: f32| {
        let relaxation = Relaxation {
            temperature,
            indicator,
        };
        let u = place.tensor::<1>(&vec![u; DRAWS], [DRAWS]);
        let z = read(relaxed_poisson(u, relaxation, NoiseKey::new(204)));
        (moments(&z).0 / RATE - 1.0).abs()
    };
    for indicator in Indicator::ALL.into_iter().skip(1) {
        let bias = draw(indicator, 1.0);
        assert!(bias < UNBIASED, "{indicator:?}: {bias}");
    }
    let bias = draw(Indicator::Cubic, 0.5);
    assert!(bias < UNBIASED, "cubic, τ ½: {bias}");
    let bias = draw(Indicator::Sigmoid, 1.0);
    assert!((bias - 0.3133).abs() < UNBIASED, "sigmoid: {bias}");
}

#[test]
fn counts_are_constants_of_the_graph() {
    let place = Place::processor().autodiff();
    let u = place.tensor::<1>(&[0.0, 1.0, 3.0], [3]).require_grad();
    let weight = place.tensor::<1>(&[2.0; 3], [3]).require_grad();
    let counts: Tensor<1> = poisson_counts(u.clone(), KEY);
    let gradients = (counts.clone() * weight.clone()).sum().backward();
    assert_eq!(weight.grad(&gradients).map(read), Some(read(counts)));
    let through = u.grad(&gradients).map(read).unwrap_or_default();
    assert!(through.iter().all(|g| *g == 0.0), "{through:?}");
}
