//! The same numbers on every device.

use scotopic::noise::NoiseKey;
use scotopic::ops::{poisson_counts, relaxed_poisson};

use crate::devices::{Place, others};
use crate::numbers::read;
use crate::toy::numbers;

/// An arrival within one rounding of time 1 may fall on either side of it, and a candidate within one
/// rounding of acceptance be accepted or not.
const DIFFERING_COUNTS: f64 = 1e-4;

/// From this log-rate on (3000 spikes per step) the last bit of the rate itself, which depends on whether a
/// device fuses a·b + c, moves some counts by one; by as much as f32 knows the rate, 4 units of 2⁻²⁴.
const RATE_ROUNDS: f64 = 8.0;
const RATE_ROUNDING: f64 = 2.4e-7;

/// Sums of up to some hundred terms whose last bits depend on whether a device fuses a·b + c; relative
/// to 1 + z. The slope multiplies each term by t/τ.
const RELAXED: f64 = 1e-5;
const SLOPE: f64 = 2e-5;

const N: usize = 1 << 14;
const KEY: NoiseKey = NoiseKey::new(400).step(17).stream(3);

/// Log-rates from rare spikes to 10⁶ by arrivals, rejection and Gaussian limit.
fn log_rates() -> Vec<f64> {
    numbers(401, N, -6.0, 1e6f64.ln())
}

fn counts(place: &Place) -> Vec<f64> {
    read(poisson_counts(place.tensor::<1>(&log_rates(), [N]), KEY))
}

/// z and dz/du; without the rates of the Gaussian limit, whose cosine is the device's own.
fn relaxed(place: &Place, temperature: f32) -> [Vec<f64>; 2] {
    let u: Vec<f64> = log_rates().into_iter().filter(|u| *u < 5.0).collect();
    let u = place.autodiff().tensor::<1>(&u, [u.len()]).require_grad();
    let z = relaxed_poisson(u.clone(), temperature, KEY);
    let slope = u.grad(&z.clone().sum().backward());
    [read(z), read(slope.expect("a gradient"))]
}

#[test]
fn the_same_counts() {
    let expected = counts(&Place::processor());
    for place in others() {
        let ours = counts(place);
        let pairs = log_rates().into_iter().zip(ours.iter().zip(&expected));
        let differs = |(u, (a, b)): &(f64, (&f64, &f64))| {
            let allowed = if *u < RATE_ROUNDS {
                0.0
            } else {
                1.0 + RATE_ROUNDING * u.exp()
            };
            (**a - **b).abs() > allowed
        };
        let differing = pairs.filter(differs).count();
        println!("{}: {differing} of {N} counts differ", place.name);
        let share = differing as f64 / N as f64;
        assert!(
            share <= DIFFERING_COUNTS,
            "{}: {differing} of {N} counts",
            place.name
        );
    }
}

#[test]
fn the_same_relaxed_samples() {
    for temperature in [0.5f32, 0.05] {
        let expected = relaxed(&Place::processor(), temperature);
        for place in others() {
            let ours = relaxed(place, temperature);
            for ((what, bound), (ours, expected)) in [("z", RELAXED), ("slope", SLOPE)]
                .into_iter()
                .zip(ours.iter().zip(&expected))
            {
                let off = ours
                    .iter()
                    .zip(expected)
                    .map(|(a, b)| (a - b).abs() / (1.0 + b.abs()));
                let worst = off.fold(0.0, f64::max);
                println!("{}, τ {temperature}: {what} within {worst:e}", place.name);
                assert!(
                    worst <= bound,
                    "{}, τ {temperature}: {what} {worst:e}",
                    place.name
                );
            }
        }
    }
}

/// Single and double precision on the CPU draw the same spikes too.
#[test]
fn the_same_counts_in_double_precision() {
    let (single, double) = (counts(&Place::processor()), counts(&Place::reference()));
    let differing = single.iter().zip(&double).filter(|(a, b)| a != b).count();
    assert!(
        differing as f64 <= DIFFERING_COUNTS * N as f64,
        "{differing} of {N} counts"
    );
}
