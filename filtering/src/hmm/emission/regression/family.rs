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

impl Family for Logistic {
    const EXPECTED: &'static str = "a choice: 0 or 1";

    fn is_possible(y: f64) -> bool {
        y == 0.0 || y == 1.0
    }

    fn log_likelihood(y: f64, eta: f64, _: f64, _: f64) -> f64 {
        // −ln(1 + e^−|η|) has all digits on either side.
        let along = if y > 0.5 { eta } else { -eta };
        along.min(0.0) - (-along.abs()).exp().ln_1p()
    }

    fn curvature(y: f64, eta: f64, _: f64) -> (f64, f64) {
        /// tanh(η/2)/2η = ¼ − η²/48 + …: below this η the first term is all that a double keeps.
        const SMALL: f64 = 1e-7;
        let omega = match eta.abs() < SMALL {
            true => 0.25,
            false => (0.5 * eta).tanh() / (2.0 * eta),
        };
        (omega, y - sigmoid(eta))
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
