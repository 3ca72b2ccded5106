//! Exact counts against the Poisson distribution.

use scotopic::noise::NoiseKey;
use scotopic::ops::poisson_counts;

use super::STANDARD_ERRORS;
use crate::devices::Place;
use crate::numbers::{moments, read};

/// Rates on both sides of the change from arrivals to transformed rejection (12), and up to the
/// largest that is promised.
const RATES: [f64; 13] = [
    0.01, 0.1, 0.5, 1.0, 4.0, 11.9, 12.1, 20.0, 100.0, 1e3, 1e4, 1e5, 1e6,
];
const DRAWS: usize = 200_000;

/// The classic rule for χ²: no bin expects fewer than five draws.
const FEWEST_EXPECTED: f64 = 5.0;

/// The normal quantile of 1 − 10⁻⁶: χ² may exceed its own 1 − 10⁻⁶ quantile in one of a million runs.
const NORMAL_QUANTILE: f64 = 4.753_424;

fn draw(rate: f64, key: NoiseKey) -> (f64, Vec<f64>) {
    let u = rate.ln() as f32;
    let place = Place::processor();
    let counts = poisson_counts(place.tensor(&vec![f64::from(u); DRAWS], [DRAWS]), key);
    // The rate that was asked for is that of the rounded log-rate.
    (f64::from(u).exp(), read(counts))
}

/// ln k! : summed up to 256, Stirling's series beyond (next term below 10⁻²⁰).
fn ln_factorial(k: u64) -> f64 {
    if k <= 256 {
        return (2..=k).map(|i| (i as f64).ln()).sum();
    }
    let k = k as f64;
    let inverse = 1.0 / k;
    let series = inverse / 12.0 - inverse.powi(3) / 360.0 + inverse.powi(5) / 1260.0;
    k * k.ln() - k + 0.5 * (std::f64::consts::TAU * k).ln() + series
}

fn probability(k: u64, rate: f64) -> f64 {
    (k as f64 * rate.ln() - rate - ln_factorial(k)).exp()
}

/// The 1 − 10⁻⁶ quantile of χ², by the approximation of Wilson and Hilferty (good to 1 % here).
fn quantile(degrees: f64) -> f64 {
    let a = 2.0 / (9.0 * degrees);
    degrees * (1.0 - a + NORMAL_QUANTILE * a.sqrt()).powi(3)
}

/// χ² of counts against Poisson(rate) and its degrees of freedom: neighbouring counts are put together
/// until a bin expects enough; both tails belong to the outermost bins.
fn chi_square(rate: f64, counts: &[f64]) -> (f64, f64) {
    let n = counts.len() as f64;
    let spread = 8.0 * rate.sqrt() + 8.0;
    let (low, high) = ((rate - spread).max(0.0) as u64, (rate + spread) as u64);
    let mut observed = vec![0.0; (high - low + 1) as usize];
    for &count in counts {
        let k = count.clamp(low as f64, high as f64) as u64;
        observed[(k - low) as usize] += 1.0;
    }
    let mut bins: Vec<[f64; 2]> = Vec::new();
    let mut open = [0.0; 2];
    let mut left = n;
    for (k, seen) in (low..=high).zip(observed) {
        let expected = n * probability(k, rate);
        open = [open[0] + seen, open[1] + expected];
        left -= expected;
        // Close a bin only where enough is left for another.
        if open[1] >= FEWEST_EXPECTED && left >= FEWEST_EXPECTED {
            bins.push(std::mem::take(&mut open));
        }
    }
    // What is left open holds the upper tail.
    let expected_so_far: f64 = bins.iter().map(|bin| bin[1]).sum();
    bins.push([open[0], n - expected_so_far]);
    let statistic = bins
        .iter()
        .map(|[seen, expected]| (seen - expected).powi(2) / expected);
    (statistic.sum(), bins.len() as f64 - 1.0)
}

#[test]
fn counts_have_the_poisson_distribution() {
    for (i, rate) in RATES.into_iter().enumerate() {
        let (rate, counts) = draw(rate, NoiseKey::new(100).stream(i as u32));
        assert!(
            counts.iter().all(|k| *k >= 0.0 && k.fract() == 0.0),
            "rate {rate}: whole numbers"
        );
        let (statistic, degrees) = chi_square(rate, &counts);
        println!(
            "rate {rate}: χ² {statistic:.1} of {:.1}, {degrees} degrees",
            quantile(degrees)
        );
        assert!(degrees >= 1.0, "rate {rate}: nothing was compared");
        assert!(
            statistic < quantile(degrees),
            "rate {rate}: χ² {statistic} with {degrees} degrees"
        );
    }
}

/// The test above must be able to fail: counts of a rate one per cent off do not pass it.
#[test]
fn a_wrong_rate_is_noticed() {
    for rate in [4.0, 100.0, 1e5] {
        let (rate, counts) = draw(rate, NoiseKey::new(101));
        let (statistic, degrees) = chi_square(rate * 1.02, &counts);
        assert!(
            statistic > quantile(degrees),
            "rate {rate}: χ² {statistic} with {degrees} degrees"
        );
    }
}

#[test]
fn mean_and_variance() {
    let n = DRAWS as f64;
    for (i, rate) in RATES.into_iter().enumerate() {
        let (rate, counts) = draw(rate, NoiseKey::new(102).stream(i as u32));
        let (mean, variance) = moments(&counts);
        let error = (rate / n).sqrt();
        assert!(
            (mean - rate).abs() < STANDARD_ERRORS * error,
            "rate {rate}: mean {mean}"
        );
        // Var s² = (μ₄ − σ⁴)/n with μ₄ = λ + 3λ².
        let error = ((rate + 2.0 * rate * rate) / n).sqrt();
        assert!(
            (variance - rate).abs() < STANDARD_ERRORS * error,
            "rate {rate}: variance {variance}"
        );
    }
}

#[test]
fn streams_steps_seeds_and_neighbours_are_uncorrelated() {
    let key = NoiseKey::new(103);
    let of = |key| draw(3.0, key).1;
    let base = of(key);
    let shifted = |by: usize| base[by..].iter().chain(&base[..by]).copied().collect();
    let others: [(&str, Vec<f64>); 6] = [
        ("stream", of(key.stream(1))),
        ("next time", of(key.stream(1 << 8))),
        ("step", of(key.step(1))),
        ("seed", of(NoiseKey::new(104))),
        ("high half of the seed", of(NoiseKey::new(103 + (1 << 32)))),
        ("neighbour", shifted(1)),
    ];
    for (name, other) in others {
        let (mean_a, var_a) = moments(&base);
        let (mean_b, var_b) = moments(&other);
        let products = base
            .iter()
            .zip(&other)
            .map(|(a, b)| (a - mean_a) * (b - mean_b));
        let r = products.sum::<f64>() / DRAWS as f64 / (var_a * var_b).sqrt();
        assert!(
            r.abs() < STANDARD_ERRORS / (DRAWS as f64).sqrt(),
            "{name}: correlation {r}"
        );
        assert_ne!(base, other, "{name}");
    }
}
