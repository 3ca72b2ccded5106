//! Smoothing of a whole sequence: the filter forward, then the reversed kernels backward.

use nalgebra::DMatrix;

use super::belief::Gaussian;
use super::diffuse;
use super::kalman::Kalman;
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use crate::{Result, Sequence};

/// The posterior of T states given T observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    pub(crate) filtered: Vec<Gaussian>,
    pub(crate) kernels: Vec<GaussianKernel>,
    pub(crate) smoothed: Vec<Gaussian>,
    pub(crate) cumulative: Vec<f64>,
}

impl Smoothed {
    /// N(m_{t|t}, P_{t|t}) of all t.
    pub fn filtered(&self) -> &[Gaussian] {
        &self.filtered
    }

    /// N(m_{t|T}, P_{t|T}) of all t.
    pub fn smoothed(&self) -> &[Gaussian] {
        &self.smoothed
    }

    /// The T − 1 backward kernels: the first is of x_1 given x_2. None of a diffuse start.
    pub fn kernels(&self) -> &[GaussianKernel] {
        &self.kernels
    }

    /// Cov(x_t, x_{t+1} | all observations) `[n, n]` of t = 1 … T − 1.
    pub fn cross_covariances(&self) -> impl ExactSizeIterator<Item = DMatrix<f64>> + '_ {
        let later = &self.smoothed[1.min(self.smoothed.len())..];
        self.kernels
            .iter()
            .zip(later)
            .map(|(kernel, later)| kernel.cross_covariance(later))
    }

    /// ln p(y_1 … y_T), in nats.
    pub fn log_evidence(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// ln p(y_1 … y_t) of all t, in nats.
    pub fn cumulative(&self) -> &[f64] {
        &self.cumulative
    }
}

impl LinearGaussian {
    /// ln p(y_1 … y_T), in nats; observations `[m]`.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) for observations of another width;
    /// [`Error::NotFinite`](crate::Error::NotFinite) where beliefs leave the range of numbers.
    pub fn log_evidence(&self, observations: &Sequence) -> Result<f64> {
        self.check_width(observations.width())?;
        let mut filter = Kalman::new(self.clone())?;
        for y in observations.iter() {
            filter.update(y)?;
        }
        Ok(filter.elbo())
    }

    /// Filters and smooths; observations `[m]`. The filter is [`Kalman`], bit for bit. Backwards,
    ///
    /// ```text
    /// m_{t−1|T} = E m_{t|T} + f,   P_{t−1|T} = L + E P_{t|T} Eᵀ,   Cov(x_{t−1}, x_t) = E P_{t|T}
    /// ```
    ///
    /// (H. E. Rauch, F. Tung, C. T. Striebel, "Maximum likelihood estimates of linear dynamic systems",
    /// 1965, with their gain as E). Of a diffuse start, where early kernels are improper, by square roots
    /// (`diffuse/smooth.rs`), without kernels. A state that no observation determines has an infinite variance, and its mean says nothing.
    ///
    /// # Errors
    /// As [`LinearGaussian::log_evidence`], and [`Error::NotPositiveDefinite`](crate::Error::NotPositiveDefinite)
    /// where a direction of a prediction has no variance.
    pub fn smooth(&self, observations: &Sequence) -> Result<Smoothed> {
        self.check_width(observations.width())?;
        let mut filter = Kalman::new(self.clone())?;
        let mut filtered = Vec::with_capacity(observations.len());
        let mut cumulative = Vec::with_capacity(observations.len());
        for y in observations.iter() {
            cumulative.push(filter.update(y)?.elbo);
            filtered.push(filter.belief());
        }
        if !self.diffuse().is_empty() {
            return Ok(Smoothed {
                smoothed: diffuse::smoothed(self, &self.rows(observations))?,
                filtered,
                kernels: Vec::new(),
                cumulative,
            });
        }
        let kernels = optimal_kernels(self, &filtered)?;
        Ok(Smoothed {
            smoothed: match filtered.last() {
                Some(last) => push_all(&kernels, last.clone()),
                None => Vec::new(),
            },
            filtered,
            kernels,
            cumulative,
        })
    }
}

/// The kernels between filtered beliefs that follow one another.
pub(crate) fn optimal_kernels(
    model: &LinearGaussian,
    filtered: &[Gaussian],
) -> Result<Vec<GaussianKernel>> {
    filtered[..filtered.len().saturating_sub(1)]
        .iter()
        .map(|belief| GaussianKernel::optimal(model, belief))
        .collect()
}

/// The beliefs about all states that a belief about the last one and the kernels imply, in order of time.
pub(crate) fn push_all(kernels: &[GaussianKernel], last: Gaussian) -> Vec<Gaussian> {
    let mut beliefs = vec![last];
    for kernel in kernels.iter().rev() {
        let earlier = kernel.push(&beliefs[beliefs.len() - 1]);
        beliefs.push(earlier);
    }
    beliefs.reverse();
    beliefs
}
