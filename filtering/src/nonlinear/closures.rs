//! A model from two closures.

use super::StateSpace;
use super::model::{FIRST, check_parameters};
use super::noise::Noise;
use crate::error::check_finite;
use crate::math::square::quadratic_form;
use crate::{Error, Result};

/// x_t = f(θ, x_{t−1}) + N(0, Q) with ln g(θ, y, x), for quick models: every slope is a central difference, which
/// costs a few dozen calls a point and allocates. Where that is too slow, write a [`StateSpace`].
///
/// ```
/// use scotopic_filtering::nonlinear::{NonlinearFilter, Nonlinear, NonlinearConfig};
/// # fn main() -> scotopic_filtering::Result<()> {
/// // A pendulum seen through the sine of its angle.
/// let model = Nonlinear::new(
///     1,
///     |_, x, into| {
///         into[0] = x[0] + 0.1 * x[1];
///         into[1] = x[1] - 0.1 * x[0].sin();
///     },
///     vec![1e-4, 0.0, 0.0, 1e-3],
///     |_, y, x| -0.5 * (y[0] - x[0].sin()).powi(2) / 0.01,
/// )?;
/// let mut filter = NonlinearFilter::new(model, NonlinearConfig::default())?;
/// filter.update(Some(&[0.5]))?;
/// assert!((filter.mean()[0].sin() - 0.5).abs() < 0.1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Nonlinear<F, G> {
    width: usize,
    f: F,
    g: G,
    noise: Vec<f64>,
    precision: Vec<f64>,
    m0: Vec<f64>,
    p0: Vec<f64>,
    names: Vec<String>,
    theta: Vec<f64>,
}

impl<F, G> Nonlinear<F, G>
where
    F: Fn(&[f64], &[f64], &mut [f64]),
    G: Fn(&[f64], &[f64], &[f64]) -> f64,
{
    /// The model of f(θ, x, into `[n]`), Q `[n, n]` and ln g(θ, y, x), of observations of `width` numbers; no θ,
    /// and x_1 ~ N(0, I).
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::NotPositiveDefinite`] for a Q that is no covariance.
    pub fn new(width: usize, f: F, noise: Vec<f64>, g: G) -> Result<Self> {
        let n = noise.len().isqrt();
        let precision = Noise::new("process_noise", &noise, n)?.precision;
        let mut p0 = vec![0.0; n * n];
        p0.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
        Ok(Self {
            width,
            f,
            g,
            noise,
            precision,
            m0: vec![0.0; n],
            p0,
            names: Vec::new(),
            theta: Vec::new(),
        })
    }

    /// The same with x_1 ~ N(m_0 `[n]`, P_0 `[n, n]`).
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`] or [`Error::NotPositiveDefinite`] for what is no mean or covariance.
    pub fn with_initial(mut self, m0: Vec<f64>, p0: Vec<f64>) -> Result<Self> {
        let n = self.m0.len();
        if m0.len() != n {
            return Err(Error::size("initial_mean", m0.len(), n));
        }
        check_finite("initial_mean", 1, &m0)?;
        Noise::new("initial_covariance", &p0, n)?;
        (self.m0, self.p0) = (m0, p0);
        Ok(self)
    }

    /// The same with parameters that can be learned: what each is called, and θ.
    ///
    /// # Errors
    /// [`Error::Entry`] for a number that is not finite.
    pub fn with_parameters<'a>(
        mut self,
        theta: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Self> {
        let (names, theta): (Vec<_>, Vec<_>) = theta.into_iter().unzip();
        check_parameters(&theta, theta.len())?;
        self.names = names.into_iter().map(String::from).collect();
        self.theta = theta;
        Ok(self)
    }

    /// ∂/∂θ of anything by central differences.
    fn slopes(&self, into: &mut [f64], mut of: impl FnMut(&[f64]) -> f64) {
        let mut theta = self.theta.clone();
        for (p, into) in into.iter_mut().enumerate() {
            let h = FIRST * self.theta[p].abs().max(1.0);
            theta[p] = self.theta[p] + h;
            let up = of(&theta);
            theta[p] = self.theta[p] - h;
            let down = of(&theta);
            theta[p] = self.theta[p];
            *into = (up - down) / (2.0 * h);
        }
    }
}

impl<F, G> StateSpace for Nonlinear<F, G>
where
    F: Fn(&[f64], &[f64], &mut [f64]),
    G: Fn(&[f64], &[f64], &[f64]) -> f64,
{
    fn dim(&self) -> usize {
        self.m0.len()
    }

    fn observed(&self) -> usize {
        self.width
    }

    fn initial_mean(&self) -> &[f64] {
        &self.m0
    }

    fn initial_covariance(&self) -> &[f64] {
        &self.p0
    }

    fn noise(&self) -> &[f64] {
        &self.noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        (self.f)(&self.theta, state, into);
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        (self.g)(&self.theta, observation, state)
    }

    fn parameters_len(&self) -> usize {
        self.theta.len()
    }

    fn parameter_names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn parameters(&self, into: &mut [f64]) {
        into.copy_from_slice(&self.theta);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        check_parameters(theta, self.theta.len())?;
        self.theta.copy_from_slice(theta);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let mut r = vec![0.0; state.len()];
        self.slopes(into, |theta| {
            (self.f)(theta, previous, &mut r);
            r.iter_mut().zip(state).for_each(|(r, x)| *r = x - *r);
            -0.5 * quadratic_form(&self.precision, &r)
        });
    }

    fn observation_score(&self, observation: &[f64], state: &[f64], into: &mut [f64]) {
        self.slopes(into, |theta| (self.g)(theta, observation, state));
    }
}
