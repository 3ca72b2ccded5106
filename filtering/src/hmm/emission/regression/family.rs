//! What y is given η: the families of generalised linear models.

use std::fmt::Debug;

use rand::{Rng, RngExt};

use crate::Law;
use crate::hmm::emission_rows::{draw_count, normal};

/// A law of y given the linear predictor η = β·x, with what EM needs of it (eq. F90).
///
/// ```text
///              ln p(y|η)                     mean μ        curvature ω
/// logistic     y η − ln(1 + e^η)             1/(1 + e^−η)  tanh(η/2)/2η
/// Poisson      y η + y ln e − e e^η − ln y!  e e^η         μ
/// linear       −½ (y − η)²/v − ½ ln 2πv      η             1            (of v ln p)
/// ```
///
/// for an exposure e. ω of the logistic regression is that of the bound of T. Jaakkola and M. Jordan (2000), which is
/// E[ω|y, η] of N. Polson, J. Scott and J. Windle's Pólya–Gamma variable (2013): a step to the maximum of the bound never lowers
/// ln p. ω of the Poisson regression is the information, and a step is one of Newton's, no longer than [`Family::LONGEST`].
pub trait Family: Clone + Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Whether it has a variance to be learned.
    const VARIANCE: bool = false;
    /// Whether y is a count that can have an exposure.
    const EXPOSURE: bool = false;
    /// The longest step, the root of the average of (Δη)² under ω.
    const LONGEST: f64 = f64::INFINITY;
    /// What y can be, for messages.
    const EXPECTED: &'static str;

    /// Whether y can be.
    fn is_possible(y: f64) -> bool;
    /// ln p(y|η).
    fn log_likelihood(y: f64, eta: f64, exposure: f64, variance: f64) -> f64;
    /// e^{ℓ_j − m} in place of η_j `[K]`, and m = max_j ℓ_j, nats, for variances `[K]`.
    fn likelihoods(y: f64, exposure: f64, variances: &[f64], eta: &mut [f64]) -> f64 {
        by_logarithms::<Self>(y, exposure, variances, eta)
    }
    /// ω, and y − μ.
    fn curvature(y: f64, eta: f64, exposure: f64) -> (f64, f64);
    /// η of a constant mean, from Σy, the number n of them and Σe.
    fn link(total: f64, n: f64, exposure: f64) -> f64;
    /// The law of y, as parts of a mixture.
    fn law(eta: f64, exposure: f64, variance: f64) -> Vec<(f64, Law)>;
    /// A y.
    fn draw<R: Rng + ?Sized>(eta: f64, exposure: f64, variance: f64, rng: &mut R) -> f64;
}

/// y ∈ {0, 1}.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Logistic;

/// y ∈ {0, 1, 2, …}, its rate with a logarithmic link.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LogLinear;

/// y ∈ ℝ with normal noise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Linear;

fn sigmoid(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

/// e^{ℓ_j − m} in place of η_j, and m = max_j ℓ_j; all 0 and −∞ where every ℓ_j is −∞.
fn by_logarithms<F: Family>(y: f64, exposure: f64, variances: &[f64], eta: &mut [f64]) -> f64 {
    for (l, variance) in eta.iter_mut().zip(variances) {
        *l = F::log_likelihood(y, *l, exposure, *variance);
    }
    let logs = eta;
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match top == f64::NEG_INFINITY {
        true => logs.fill(0.0),
        false => logs.iter_mut().for_each(|l| *l = (*l - top).exp()),
    }
    top
}

/// ln(1 + e) for e from 0 to 1, with all digits of a small e:
///
/// ```text
/// ln(1 + e) = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …),   s = e/(2 + e)
/// ```
///
/// above √2 − 1 of (1 + e)/2, and ln 2 more, so that |s| ≤ 0.1716 and eleven terms are all that a double keeps. Other than that of
/// the C library it has no branch and no call, so that those of several states are computed side by side.
#[inline]
fn log_one_plus(e: f64) -> f64 {
    let halve = e > std::f64::consts::SQRT_2 - 1.0;
    let (over, under, more) = match halve {
        true => (e - 1.0, e + 3.0, std::f64::consts::LN_2),
        false => (e, e + 2.0, 0.0),
    };
    let s = over / under;
    let (z, two_s) = (s * s, s + s);
    let z2 = z * z;
    let z4 = z2 * z2;
    // 1/3 + z/5 + …, in pairs, so that few of them wait for others.
    let low = (1.0 / 3.0 + z / 5.0) + z2 * (1.0 / 7.0 + z / 9.0);
    let middle = (1.0 / 11.0 + z / 13.0) + z2 * (1.0 / 15.0 + z / 17.0);
    let high = 1.0 / 19.0 + z / 21.0;
    let rest = low + z4 * (middle + z4 * high);
    more + (two_s + two_s * (z * rest))
}

impl Family for Logistic {
    const EXPECTED: &'static str = "a choice: 0 or 1";

    fn is_possible(y: f64) -> bool {
        y == 0.0 || y == 1.0
    }

    fn log_likelihood(y: f64, eta: f64, _: f64, _: f64) -> f64 {
        // −ln(1 + e^−|η|) has all digits on either side.
        let along = if y > 0.5 { eta } else { -eta };
        along.min(0.0) - log_one_plus((-along.abs()).exp())
    }

    /// p(y|η) itself, over the largest: that is the state of the largest η on the side of y, and only its logarithm is taken.
    fn likelihoods(y: f64, exposure: f64, variances: &[f64], eta: &mut [f64]) -> f64 {
        /// Beyond it e^η has no longer all digits of a double.
        const FAR: f64 = -700.0;
        let side = if y > 0.5 { 1.0 } else { -1.0 };
        let along = eta.iter().map(|eta| side * eta);
        let top = along.fold(f64::NEG_INFINITY, f64::max);
        if top < FAR {
            return by_logarithms::<Self>(y, exposure, variances, eta);
        }
        let (mut best, mut small) = (1.0, 0.0);
        for eta in eta.iter_mut() {
            let along = side * *eta;
            let e = (-along.abs()).exp();
            let p = if along < 0.0 { e } else { 1.0 } / (1.0 + e);
            if along == top {
                (best, small) = (p, e);
            }
            *eta = p;
        }
        eta.iter_mut().for_each(|p| *p /= best);
        top.min(0.0) - log_one_plus(small)
    }

    fn curvature(y: f64, eta: f64, _: f64) -> (f64, f64) {
        /// tanh(η/2)/2η = ¼ − η²/48 + …: below this η the first term is all that a double keeps.
        const SMALL: f64 = 1e-7;
        let size = eta.abs();
        // e^−|η| − 1, of which both are made: tanh(|η|/2) = −t/(2 + t), 1/(1 + e^−|η|) = 1/(2 + t).
        let t = (-size).exp_m1();
        let omega = match size < SMALL {
            true => 0.25,
            false => -t / ((2.0 + t) * 2.0 * size),
        };
        let over = 1.0 / (2.0 + t);
        let mean = if eta < 0.0 { (1.0 + t) * over } else { over };
        (omega, y - mean)
    }

    fn link(total: f64, n: f64, _: f64) -> f64 {
        ((total + 0.5) / (n - total + 0.5)).ln()
    }

    fn law(eta: f64, _: f64, _: f64) -> Vec<(f64, Law)> {
        vec![
            (sigmoid(-eta), Law::Symbol(0.0)),
            (sigmoid(eta), Law::Symbol(1.0)),
        ]
    }

    fn draw<R: Rng + ?Sized>(eta: f64, _: f64, _: f64, rng: &mut R) -> f64 {
        f64::from(u8::from(rng.random::<f64>() < sigmoid(eta)))
    }
}

impl Family for LogLinear {
    const EXPOSURE: bool = true;
    const LONGEST: f64 = 1.0;
    const EXPECTED: &'static str = "a count: 0, 1, 2, …";

    fn is_possible(y: f64) -> bool {
        y >= 0.0 && y.fract() == 0.0
    }

    fn log_likelihood(y: f64, eta: f64, exposure: f64, _: f64) -> f64 {
        let log_rate = eta + exposure.ln();
        y * log_rate - log_rate.exp() - libm::lgamma(y + 1.0)
    }

    fn curvature(y: f64, eta: f64, exposure: f64) -> (f64, f64) {
        let mean = exposure * eta.exp();
        (mean, y - mean)
    }

    fn link(total: f64, _: f64, exposure: f64) -> f64 {
        /// Of counts that are all 0.
        const LEAST: f64 = 1e-10;
        (total.max(LEAST) / exposure).ln()
    }

    fn law(eta: f64, exposure: f64, _: f64) -> Vec<(f64, Law)> {
        let rate = exposure * eta.exp();
        vec![(1.0, Law::Poisson { rate })]
    }

    fn draw<R: Rng + ?Sized>(eta: f64, exposure: f64, _: f64, rng: &mut R) -> f64 {
        draw_count(exposure * eta.exp(), rng)
    }
}

impl Family for Linear {
    const VARIANCE: bool = true;
    const EXPECTED: &'static str = "a finite number";

    fn is_possible(y: f64) -> bool {
        y.is_finite()
    }

    fn log_likelihood(y: f64, eta: f64, _: f64, variance: f64) -> f64 {
        -0.5 * ((y - eta).powi(2) / variance + (std::f64::consts::TAU * variance).ln())
    }

    fn curvature(y: f64, eta: f64, _: f64) -> (f64, f64) {
        (1.0, y - eta)
    }

    fn link(total: f64, n: f64, _: f64) -> f64 {
        total / n
    }

    fn law(eta: f64, _: f64, variance: f64) -> Vec<(f64, Law)> {
        vec![(
            1.0,
            Law::Normal {
                mean: eta,
                variance,
            },
        )]
    }

    fn draw<R: Rng + ?Sized>(eta: f64, _: f64, variance: f64, rng: &mut R) -> f64 {
        eta + variance.sqrt() * normal(rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_has_all_digits() {
        let steps = (0..=2000).map(|k| f64::from(k) / 2000.0);
        let small = (1..=300).map(|k| 10f64.powi(-k));
        for e in steps.chain(small) {
            let (own, libm) = (log_one_plus(e), e.ln_1p());
            // Three units of the last place: the C library is within one.
            let room = 3.0 * f64::EPSILON * libm;
            assert!((own - libm).abs() <= room, "{e}: {own} {libm}");
        }
    }

    #[test]
    fn likelihoods_are_those_of_the_logarithms() {
        let rows = [
            [0.3, -2.0, 5.0],
            [-40.0, -39.0, -41.0],
            [-800.0, -790.0, -900.0],
            [700.0, -700.0, 0.0],
            [-699.0, 30.0, 30.0],
            [0.0, 0.0, 0.0],
        ];
        for (row, y) in rows.iter().flat_map(|row| [(row, 0.0), (row, 1.0)]) {
            let (mut own, mut logs) = (*row, *row);
            let top = Logistic::likelihoods(y, 1.0, &[1.0; 3], &mut own);
            let by = by_logarithms::<Logistic>(y, 1.0, &[1.0; 3], &mut logs);
            assert!((top - by).abs() <= 1e-15 * by.abs(), "{top} {by}");
            for (own, by) in own.iter().zip(&logs) {
                // A logarithm of size 800 keeps its exponential to 800 units of the last place.
                assert!((own - by).abs() <= 2e-13 * by, "{own} {by}");
            }
        }
    }
}
