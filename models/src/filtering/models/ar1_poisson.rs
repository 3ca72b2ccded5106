//! Poisson counts with an AR(1) log-rate.

use burn::tensor::Tensor;
use scotopic::filtering::{Error, Result};

use super::{check, half};
use crate::filtering::model::{DiagonalNormal, TensorStateSpace, check_row, sum_rows};
use crate::filtering::theta::{Theta, constant};

/// A first-order autoregression seen through counts, that of
/// [`scotopic::filtering::nonlinear::models::Ar1Poisson`] on tensors:
///
/// ```text
/// x_1 ~ N(m0, v0),   x_t = a x_{t−1} + N(0, q),   y_t ~ Poisson(exp(c + x_t)),   θ = (a, c, ln q).
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ar1Poisson {
    theta: [f64; 3],
    m0: f64,
    v0: f64,
}

impl Ar1Poisson {
    /// The model of these numbers.
    ///
    /// # Errors
    /// [`Error::Entry`] for one that is not finite, or a variance that is not positive.
    pub fn new(a: f64, c: f64, q: f64, m0: f64, v0: f64) -> Result<Self> {
        for (name, value, positive) in [
            ("a", a, false),
            ("c", c, false),
            ("q", q, true),
            ("m0", m0, false),
            ("v0", v0, true),
        ] {
            check(name, &[value], positive)?;
        }
        let theta = [a, c, q.ln()];
        Ok(Self { theta, m0, v0 })
    }
}

impl TensorStateSpace for Ar1Poisson {
    fn dim(&self) -> usize {
        1
    }

    fn observed(&self) -> usize {
        1
    }

    fn parameters(&self) -> Vec<f64> {
        self.theta.to_vec()
    }

    fn parameter_names(&self) -> Vec<String> {
        ["a", "c", "ln q"].map(String::from).to_vec()
    }

    fn initial(&self, theta: &Theta) -> DiagonalNormal {
        let number = |v: f64| constant(&[v], [1, 1], &theta.0.device());
        DiagonalNormal {
            mean: number(self.m0),
            log_deviation: number(0.5 * self.v0.ln()),
        }
    }

    fn transition(&self, theta: &Theta, previous: Tensor<2>) -> DiagonalNormal {
        DiagonalNormal {
            mean: theta.vector(0..1) * previous,
            log_deviation: half(theta.vector(2..3)),
        }
    }

    fn log_likelihood(&self, theta: &Theta, y: Tensor<2>, x: Tensor<2>) -> Tensor<1> {
        let log_rate = theta.vector(1..2) + x;
        sum_rows(y * log_rate.clone() - log_rate.exp())
    }

    /// −ln y!, summed for small counts and by Stirling's series, right to 10⁻¹⁰, for large ones.
    fn log_base(&self, y: &[f64]) -> f64 {
        y.iter().map(|&y| -ln_factorial(y)).sum()
    }

    fn check(&self, y: &[f64]) -> Result<()> {
        check_row(y, 1)?;
        match y.iter().position(|&y| y < 0.0 || y.fract() != 0.0) {
            None => Ok(()),
            Some(entry) => Err(Error::Observation {
                index: 0,
                entry,
                found: y[entry].to_string(),
                expected: "a count, 0, 1, 2, …".to_string(),
            }),
        }
    }
}

fn ln_factorial(y: f64) -> f64 {
    if y < 64.0 {
        return (2..=y as u32).map(|k| f64::from(k).ln()).sum();
    }
    let inverse = 1.0 / y;
    0.5 * (std::f64::consts::TAU * y).ln()
        + y * (y.ln() - 1.0)
        + inverse * (1.0 / 12.0 - inverse * inverse / 360.0)
}

#[cfg(test)]
mod tests {
    use super::ln_factorial;

    #[test]
    fn the_series_meets_the_sum() {
        // ln 64! = ln 63! + ln 64; the next term of the series, 1/(1260 y⁵), is 7e-13.
        assert!((ln_factorial(64.0) - ln_factorial(63.0) - 64f64.ln()).abs() < 1e-11);
        assert_eq!(ln_factorial(0.0), 0.0);
    }
}
