//! A network as the transition.

use burn::tensor::Tensor;
use scotopic::filtering::Result;
use scotopic::noise::{NoiseKey, uniform};

use super::{check, coordinates, entries, half, size};
use crate::filtering::model::{DiagonalNormal, TensorStateSpace};
use crate::filtering::theta::{Theta, apply, constant};

/// A residual network moves the state, and part of it is seen,
///
/// ```text
/// x_1 ~ N(0, I),   x_t = x_{t−1} + W₂ tanh(W₁ x_{t−1} + b₁) + b₂ + N(0, diag q),   y_t = H x_t + N(0, diag r),
/// θ = (W₁ [h, n], b₁ [h], W₂ [n, h], b₂ [n], ln q [n], ln r [m]),   H [m, n] fixed.
/// ```
///
/// ```
/// use scotopic_models::filtering::{NeuralTransition, TensorStateSpace};
/// let model = NeuralTransition::new(8, [0.1, 0.1], [1.0, 0.0], [0.2], 0)?;
/// assert_eq!(model.parameters().len(), 16 + 8 + 16 + 2 + 2 + 1);
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NeuralTransition {
    theta: Vec<f64>,
    n: usize,
    m: usize,
    hidden: usize,
    h: Vec<f64>,
}

impl NeuralTransition {
    /// A network of `hidden` units that starts as the identity (W₂ = b₂ = 0, W₁ and b₁ from `seed`); q `[n]` and
    /// r `[m]` variances, H `[m · n]` row by row.
    ///
    /// # Errors
    /// As [`Linear::new`](super::Linear::new).
    pub fn new(
        hidden: usize,
        q: impl AsRef<[f64]>,
        h: impl AsRef<[f64]>,
        r: impl AsRef<[f64]>,
        seed: u64,
    ) -> Result<Self> {
        let (q, h, r) = (q.as_ref(), h.as_ref(), r.as_ref());
        let (n, m) = (q.len(), r.len());
        size("H", h.len(), m * n)?;
        check("q", q, true)?;
        check("H", h, false)?;
        check("r", r, true)?;
        let key = NoiseKey::new(seed);
        // Uniform with the variance 1/n that keeps that of the input.
        let spread = (12.0 / n as f64).sqrt();
        let draw = |k: usize| spread * (f64::from(uniform(key.words(k as u32, 0)[0])) - 0.5);
        let logs = |v: &[f64]| v.iter().map(|x| x.ln()).collect::<Vec<_>>();
        let mut theta: Vec<f64> = (0..hidden * n + hidden).map(draw).collect();
        theta.resize(2 * hidden * n + hidden + n, 0.0);
        theta.extend(logs(q).into_iter().chain(logs(r)));
        Ok(Self {
            theta,
            n,
            m,
            hidden,
            h: h.to_vec(),
        })
    }

    /// The same with other parameters `[P]`.
    ///
    /// # Errors
    /// As [`Linear::new`](super::Linear::new).
    pub fn with_parameters(mut self, theta: &[f64]) -> Result<Self> {
        size("θ", theta.len(), self.theta.len())?;
        check("θ", theta, false)?;
        self.theta = theta.to_vec();
        Ok(self)
    }
}

impl TensorStateSpace for NeuralTransition {
    fn dim(&self) -> usize {
        self.n
    }

    fn observed(&self) -> usize {
        self.m
    }

    fn parameters(&self) -> Vec<f64> {
        self.theta.clone()
    }

    fn parameter_names(&self) -> Vec<String> {
        let (n, h) = (self.n, self.hidden);
        let first = entries("W1", [h, n]).chain(coordinates("b1", h));
        let second = entries("W2", [n, h]).chain(coordinates("b2", n));
        let noise = coordinates("ln q", n).chain(coordinates("ln r", self.m));
        first.chain(second).chain(noise).collect()
    }

    fn initial(&self, theta: &Theta) -> DiagonalNormal {
        let zero = constant(&vec![0.0; self.n], [1, self.n], &theta.0.device());
        DiagonalNormal {
            mean: zero.clone(),
            log_deviation: zero,
        }
    }

    fn transition(&self, theta: &Theta, previous: Tensor<2>) -> DiagonalNormal {
        let (n, h) = (self.n, self.hidden);
        let (b1, w2) = (h * n, h * n + h);
        let (b2, q) = (w2 + n * h, w2 + n * h + n);
        let mut mean = previous.clone() + theta.vector(b2..q);
        if h > 0 {
            let inner = apply(theta.matrix(0, [h, n]), previous) + theta.vector(b1..w2);
            mean = mean + apply(theta.matrix(w2, [n, h]), inner.tanh());
        }
        DiagonalNormal {
            mean,
            log_deviation: half(theta.vector(q..q + n)),
        }
    }

    fn log_likelihood(&self, theta: &Theta, y: Tensor<2>, x: Tensor<2>) -> Tensor<1> {
        let p = self.theta.len();
        let h = constant(&self.h, [1, self.m, self.n], &theta.0.device());
        let seen = DiagonalNormal {
            mean: apply(h, x),
            log_deviation: half(theta.vector(p - self.m..p)),
        };
        seen.log_density(y)
    }
}
