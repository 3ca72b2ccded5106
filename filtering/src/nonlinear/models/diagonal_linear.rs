//! Independent scalars: the linear-Gaussian setting of Campbell et al. 2021, figure 1.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{log_normal, number, positive};
use crate::nonlinear::model::check_parameters;
use crate::nonlinear::{Simulate, StateSpace};
use crate::{Error, Moments, Predictive, Result};

/// A linear-Gaussian model of n coordinates with nothing off any diagonal,
///
/// ```text
/// x_1 ~ N(m_0, P_0),   x_t = F x_{t−1} + N(0, Q),   y_t = G x_t + N(0, R),   θ = (diag F, diag G).
/// ```
///
/// Its evidence is a sum over coordinates, and so is every statistic: [`DiagonalLinear::coordinates`] gives the
/// n scalar models, to be filtered side by side by [`IndependentCoordinates`](crate::nonlinear::IndependentCoordinates) in time n and not n³.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct DiagonalLinear {
    f: Vec<f64>,
    g: Vec<f64>,
    q: Vec<f64>,
    r: Vec<f64>,
    m0: Vec<f64>,
    p0: Vec<f64>,
    noise: Vec<f64>,
    initial: Vec<f64>,
}

impl DiagonalLinear {
    /// The model of these diagonals, `[n]` each; m_0 = 0 and P_0 = I.
    ///
    /// # Errors
    /// [`Error::Size`] for diagonals of different lengths or none, [`Error::Entry`] for a number that is not
    /// finite or a variance that is not positive.
    pub fn new(f: Vec<f64>, g: Vec<f64>, q: Vec<f64>, r: Vec<f64>) -> Result<Self> {
        let n = f.len();
        Self::whole(f, g, q, r, vec![0.0; n], vec![1.0; n])
    }

    /// The same with m_0 `[n]` and the diagonal of P_0 `[n]`.
    ///
    /// # Errors
    /// As [`DiagonalLinear::new`].
    pub fn with_initial(self, m0: Vec<f64>, p0: Vec<f64>) -> Result<Self> {
        Self::whole(self.f, self.g, self.q, self.r, m0, p0)
    }

    fn whole(
        f: Vec<f64>,
        g: Vec<f64>,
        q: Vec<f64>,
        r: Vec<f64>,
        m0: Vec<f64>,
        p0: Vec<f64>,
    ) -> Result<Self> {
        let n = f.len();
        if n == 0 {
            return Err(Error::size("f", 0, "at least one coordinate"));
        }
        let parts = [
            ("f", &f),
            ("g", &g),
            ("q", &q),
            ("r", &r),
            ("m0", &m0),
            ("p0", &p0),
        ];
        for (name, values) in parts {
            if values.len() != n {
                return Err(Error::size(name, values.len(), n));
            }
            for &value in values {
                number(name, value)?;
                if matches!(name, "q" | "r" | "p0") {
                    positive(name, value)?;
                }
            }
        }
        let (noise, initial) = (diagonal(&q), diagonal(&p0));
        Ok(Self {
            f,
            g,
            q,
            r,
            m0,
            p0,
            noise,
            initial,
        })
    }

    /// diag F `[n]`.
    pub fn f(&self) -> &[f64] {
        &self.f
    }

    /// diag G `[n]`.
    pub fn g(&self) -> &[f64] {
        &self.g
    }

    /// The scalar models that it is made of.
    pub fn coordinates(&self) -> Vec<DiagonalLinear> {
        let one = |k: usize| DiagonalLinear {
            f: vec![self.f[k]],
            g: vec![self.g[k]],
            q: vec![self.q[k]],
            r: vec![self.r[k]],
            m0: vec![self.m0[k]],
            p0: vec![self.p0[k]],
            noise: vec![self.q[k]],
            initial: vec![self.p0[k]],
        };
        (0..self.f.len()).map(one).collect()
    }
}

fn diagonal(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mut matrix = vec![0.0; n * n];
    for (i, value) in values.iter().enumerate() {
        matrix[i * n + i] = *value;
    }
    matrix
}

impl StateSpace for DiagonalLinear {
    fn dim(&self) -> usize {
        self.f.len()
    }

    fn observed(&self) -> usize {
        self.f.len()
    }

    fn initial_mean(&self) -> &[f64] {
        &self.m0
    }

    fn initial_covariance(&self) -> &[f64] {
        &self.initial
    }

    fn noise(&self) -> &[f64] {
        &self.noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        for ((into, f), x) in into.iter_mut().zip(&self.f).zip(state) {
            *into = f * x;
        }
    }

    fn mean_slope(&self, _state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        let n = self.f.len();
        for (i, f) in self.f.iter().enumerate() {
            into[i * n + i] = *f;
        }
    }

    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        mean.iter_mut()
            .zip(&self.g)
            .zip(state)
            .for_each(|((m, g), x)| *m = g * x);
        variance.copy_from_slice(&self.r);
        true
    }

    fn signal(&self, mean: &[f64], covariance: &[f64]) -> Option<Moments> {
        let n = mean.len();
        let variance = |(i, g): (usize, &f64)| g * g * covariance[i * n + i];
        Some(Moments {
            mean: self.g.iter().zip(mean).map(|(g, m)| g * m).collect(),
            variance: self.g.iter().enumerate().map(variance).collect(),
        })
    }

    fn predictive(&self, mean: &[f64], covariance: &[f64]) -> Option<Vec<Predictive>> {
        let n = self.g.len();
        let entry = |i: usize| {
            let g = self.g[i];
            let variance = g * g * covariance[i * (n + 1)] + self.r[i];
            Predictive::normal(g * mean[i], variance).ok()
        };
        (0..n).map(entry).collect()
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let terms = observation
            .iter()
            .zip(state)
            .zip(self.g.iter().zip(&self.r));
        terms
            .map(|((y, x), (g, r))| log_normal(y - g * x, *r))
            .sum()
    }

    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let n = self.f.len();
        hessian.fill(0.0);
        let mut value = 0.0;
        for i in 0..n {
            let (g, r) = (self.g[i], self.r[i]);
            let residual = observation[i] - g * state[i];
            value += log_normal(residual, r);
            gradient[i] = g * residual / r;
            hessian[i * n + i] = -g * g / r;
        }
        value
    }

    fn parameters_len(&self) -> usize {
        2 * self.f.len()
    }

    fn parameter_names(&self) -> Vec<String> {
        let n = self.f.len();
        let name = |letter: &'static str| (0..n).map(move |i| format!("{letter}[{i}]"));
        name("F").chain(name("G")).collect()
    }

    fn parameters(&self, into: &mut [f64]) {
        let n = self.f.len();
        into[..n].copy_from_slice(&self.f);
        into[n..].copy_from_slice(&self.g);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        let n = self.f.len();
        check_parameters(theta, 2 * n)?;
        self.f.copy_from_slice(&theta[..n]);
        self.g.copy_from_slice(&theta[n..]);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let n = self.f.len();
        for i in 0..n {
            into[i] = (state[i] - self.f[i] * previous[i]) * previous[i] / self.q[i];
        }
        into[n..].fill(0.0);
    }

    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        let n = self.f.len();
        into[..n].fill(0.0);
        for i in 0..n {
            into[n + i] = (observation[i] - self.g[i] * state[i]) * state[i] / self.r[i];
        }
    }
}

impl Simulate for DiagonalLinear {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        for (i, into) in into.iter_mut().enumerate() {
            let noise: f64 = StandardNormal.sample(rng);
            *into = self.g[i] * state[i] + self.r[i].sqrt() * noise;
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    f: Vec<f64>,
    g: Vec<f64>,
    q: Vec<f64>,
    r: Vec<f64>,
    m0: Vec<f64>,
    p0: Vec<f64>,
}

impl TryFrom<Parts> for DiagonalLinear {
    type Error = Error;
    fn try_from(p: Parts) -> Result<Self> {
        Self::whole(p.f, p.g, p.q, p.r, p.m0, p.p0)
    }
}

impl From<DiagonalLinear> for Parts {
    fn from(m: DiagonalLinear) -> Self {
        Self {
            f: m.f,
            g: m.g,
            q: m.q,
            r: m.r,
            m0: m.m0,
            p0: m.p0,
        }
    }
}
