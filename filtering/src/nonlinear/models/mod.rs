//! Built-in models, with derivatives and scores written out.
//!
//! | model | transition | observation | file |
//! |---|---|---|---|
//! | [`Ar1Poisson`] | a x + noise | counts of rate exp(c + x) | `ar1_poisson.rs` |
//! | [`SinQuadratic`] | 0.9 x + 0.8 sin x + noise | x + 0.2 x² + noise | `sin_quadratic.rs` |
//! | [`StochasticVolatility`] | a x + noise | noise of variance β² exp x | `stochastic_volatility.rs` |
//! | [`DiagonalLinear`] | F x + noise, F diagonal | G x + noise, G diagonal | `diagonal_linear.rs` |
//! | [`AnyStateSpace`] | any of them, by name | | `any.rs` |

mod any;
mod ar1_poisson;
mod diagonal_linear;
mod sin_quadratic;
mod stochastic_volatility;

pub use any::AnyStateSpace;
pub use ar1_poisson::Ar1Poisson;
pub use diagonal_linear::DiagonalLinear;
pub use sin_quadratic::SinQuadratic;
pub use stochastic_volatility::StochasticVolatility;

use crate::{Error, Law, Predictive, Result};

/// Sizes, prior and noise of a model with one number for each: fields `m0`, `v0` and `q`.
macro_rules! one_dimension {
    () => {
        fn dim(&self) -> usize {
            1
        }
        fn observed(&self) -> usize {
            1
        }
        fn initial_mean(&self) -> &[f64] {
            &self.m0
        }
        fn initial_covariance(&self) -> &[f64] {
            &self.v0
        }
        fn noise(&self) -> &[f64] {
            &self.q
        }
    };
}
use one_dimension;

/// The distribution of y under x ~ N(mean, variance), `law` being that of y given x.
fn over_state(mean: &[f64], variance: &[f64], law: impl Fn(f64) -> Law) -> Option<Vec<Predictive>> {
    let predictive = Predictive::over_normal(mean[0], *variance.first()?, law);
    Some(vec![predictive.ok()?])
}

/// A finite number?
fn number(name: &str, value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::entry(name, &[], value, "a finite number"))
    }
}

/// A positive finite number?
fn positive(name: &str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::entry(name, &[], value, "a positive finite number"))
    }
}

/// ∂ ln N(r; 0, v) / ∂ ln v.
fn log_variance_score(residual: f64, variance: f64) -> f64 {
    0.5 * (residual * residual / variance - 1.0)
}

/// ln N(r; 0, v).
fn log_normal(residual: f64, variance: f64) -> f64 {
    -0.5 * (residual * residual / variance + (std::f64::consts::TAU * variance).ln())
}
