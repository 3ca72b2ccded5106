//! The interface of a state-space model with Gaussian noise.

use rand::Rng;

use crate::sequence::check_row;
use crate::{Error, Moments, Predictive, Result};

/// Relative step of central differences of first order: the cube root of the rounding unit.
pub(crate) const FIRST: f64 = 6e-6;
/// The same for second differences: its fourth root.
const SECOND: f64 = 1.2e-4;

/// A state-space model with additive Gaussian noise (eq. F35),
///
/// ```text
/// x_1 ~ N(m_0, P_0),   x_t = f_θ(x_{t−1}) + N(0, Q_θ),   y_t ~ g_θ(·|x_t),   x ∈ ℝⁿ, y ∈ ℝᵐ, θ ∈ ℝᴾ.
/// ```
///
/// Slopes have defaults by central differences: right to nine digits or so for f and for ∇ln g, to six for
/// ∇²ln g, and they allocate. Write them out where the filter has to be fast.
pub trait StateSpace {
    /// The dimension n of the state.
    fn dim(&self) -> usize;

    /// The width m of an observation.
    fn observed(&self) -> usize;

    /// m_0 `[n]`.
    fn initial_mean(&self) -> &[f64];

    /// P_0 `[n, n]`.
    fn initial_covariance(&self) -> &[f64];

    /// Q `[n, n]`.
    fn noise(&self) -> &[f64];

    /// f_θ(x) `[n]`.
    fn mean(&self, state: &[f64], into: &mut [f64]);

    /// ∂f/∂x `[n, n]`, row i the slopes of fᵢ.
    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        let n = state.len();
        let (mut x, mut up, mut down) = (state.to_vec(), vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            let h = FIRST * state[j].abs().max(1.0);
            x[j] = state[j] + h;
            self.mean(&x, &mut up);
            x[j] = state[j] - h;
            self.mean(&x, &mut down);
            x[j] = state[j];
            for i in 0..n {
                into[i * n + j] = (up[i] - down[i]) / (2.0 * h);
            }
        }
    }

    /// f_θ(x) `[n]` and ∂f/∂x `[n, n]` together, for models that get the second from the first.
    fn mean_and_slope(&self, state: &[f64], mean: &mut [f64], slope: &mut [f64]) {
        self.mean(state, mean);
        self.mean_slope(state, slope);
    }

    /// ln g_θ(y|x), in nats.
    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64;

    /// ln g_θ(y|x), with its gradient `[n]` and its Hessian `[n, n]` in x.
    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        let n = state.len();
        let mut x = state.to_vec();
        let centre = self.log_likelihood(observation, state);
        for i in 0..n {
            let h = FIRST * state[i].abs().max(1.0);
            let mut at = |d: f64| {
                x[i] = state[i] + d;
                let value = self.log_likelihood(observation, &x);
                x[i] = state[i];
                value
            };
            gradient[i] = (at(h) - at(-h)) / (2.0 * h);
            let h = SECOND * state[i].abs().max(1.0);
            hessian[i * n + i] = (at(h) - 2.0 * centre + at(-h)) / (h * h);
        }
        for i in 0..n {
            for j in 0..i {
                let hi = SECOND * state[i].abs().max(1.0);
                let hj = SECOND * state[j].abs().max(1.0);
                let mut at = |a: f64, b: f64| {
                    x[i] = state[i] + a * hi;
                    x[j] = state[j] + b * hj;
                    let value = self.log_likelihood(observation, &x);
                    (x[i], x[j]) = (state[i], state[j]);
                    value
                };
                let mixed = at(1.0, 1.0) - at(1.0, -1.0) - at(-1.0, 1.0) + at(-1.0, -1.0);
                hessian[i * n + j] = mixed / (4.0 * hi * hj);
                hessian[j * n + i] = hessian[i * n + j];
            }
        }
        centre
    }

    /// E[y|x] `[m]` and Var[y|x] `[m]`; `false`, the default, where that is not said, and nothing is written.
    fn observation_moments(
        &self,
        _state: &[f64],
        _mean: &mut [f64],
        _variance: &mut [f64],
    ) -> bool {
        false
    }

    /// The distribution of each entry of y under x ~ N(mean `[n]`, covariance `[n, n]`); `None`, the default, where that is
    /// not said. Forecasts, residuals and alarms are made of it.
    fn predictive(&self, _mean: &[f64], _covariance: &[f64]) -> Option<Vec<Predictive>> {
        None
    }

    /// The noise-free part of y under N(mean `[n]`, covariance `[n, n]`) where y is linear in x; `None`, the default,
    /// elsewhere.
    fn signal(&self, _mean: &[f64], _covariance: &[f64]) -> Option<Moments> {
        None
    }

    /// Whether this can be an observation: by default, m finite numbers.
    ///
    /// # Errors
    /// [`Error::Observation`], said of observation 0.
    fn check(&self, observation: &[f64]) -> Result<()> {
        check_row(observation, self.observed())
    }

    /// The number P of parameters that can be learned; none by default.
    fn parameters_len(&self) -> usize {
        0
    }

    /// What each parameter is called.
    fn parameter_names(&self) -> Vec<String> {
        (0..self.parameters_len())
            .map(|p| format!("θ{p}"))
            .collect()
    }

    /// θ `[P]`, unconstrained: a variance is given by its logarithm.
    fn parameters(&self, _into: &mut [f64]) {}

    /// Replaces θ `[P]`; a refusal leaves the model as it was.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`] for what cannot be parameters of this model.
    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        check_parameters(theta, self.parameters_len())
    }

    /// ∇_θ ln p(x_t|x_{t−1}) `[P]`.
    fn transition_score(&self, _previous: &[f64], _state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
    }

    /// ∇_θ ln g(y_t|x_t) `[P]`.
    fn observation_score(&self, _observation: &[f64], _state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
    }

    /// ∇_θ ln p(x_1) `[P]`; zero where m_0 and P_0 do not depend on θ.
    fn initial_score(&self, _state: &[f64], into: &mut [f64]) {
        into.fill(0.0);
    }
}

/// A model that can make observations up.
pub trait Simulate: StateSpace {
    /// Draws y ~ g(·|x) `[m]`.
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]);
}

/// P finite numbers?
pub(crate) fn check_parameters(theta: &[f64], expected: usize) -> Result<()> {
    if theta.len() != expected {
        return Err(Error::size("parameters", theta.len(), expected));
    }
    match theta.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::entry(
            "parameters",
            &[at],
            theta[at],
            "a finite number",
        )),
    }
}
