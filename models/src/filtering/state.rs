//! The state after t observations, passed in and returned by value.

use burn::tensor::Tensor;
use scotopic::filtering::Step;

use super::ascent_state::AscentState;
use super::pair::{BackwardKernel, Past};

/// What an [`AmortisedFilter`](super::AmortisedFilter) knows after t observations; constant in size.
#[derive(Debug, Clone)]
pub struct AmortisedState {
    pub(super) time: u64,
    pub(super) elbo: f64,
    pub(super) increment: f64,
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    pub(super) past: Option<Past>,
    pub(super) ascent: AscentState,
}

impl AmortisedState {
    /// μ_t `[n]`; before any observation, the mean of p(x_1).
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// σ_t² `[n]`.
    pub fn variance(&self) -> &[f64] {
        &self.variance
    }

    /// The newest kernel; none before the second observation.
    pub fn kernel(&self) -> Option<&BackwardKernel> {
        self.past.as_ref()?.kernel.as_ref()
    }

    /// T̂_t(x) ≈ ∇ₓV_t(x): `[batch, n]` → `[batch, n]`; none before the first observation.
    pub fn value_gradient(&self, x: Tensor<2>) -> Option<Tensor<2>> {
        let past = self.past.as_ref()?;
        Some(past.value.forward(past.standardised(x)) / past.deviation.clone())
    }

    /// `Ŝ_t(x) − E_{q_t}[Ŝ_t]`: `[batch, n]` → `[batch, P]`, where the score is carried.
    pub fn score_of(&self, x: Tensor<2>) -> Option<Tensor<2>> {
        let past = self.past.as_ref()?;
        let score = past.score.as_ref()?;
        Some(score.forward(past.standardised(x)))
    }

    /// `E_{q_t}[S_t]` `[P]`, an estimate of ∇_θ L_t = ∇_θ ln p(y_1 … y_t) where θ has not moved; zeros where the score
    /// is not carried.
    pub fn score(&self) -> &[f64] {
        &self.ascent.score
    }

    /// `E_{q_t}[S_t] − E_{q_{t−1}}[S_{t−1}]` `[P]`, what eq. F10 ascends.
    pub fn gradient(&self) -> &[f64] {
        &self.ascent.gradient
    }

    /// θ `[P]`.
    pub fn theta(&self) -> &[f64] {
        &self.ascent.theta
    }

    /// The number of observations t, missing ones included.
    pub fn observations(&self) -> u64 {
        self.time
    }

    /// An estimate of L_t in nats; its noise is that of M samples an observation, and none where V is flat.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// What the newest observation did to the bound.
    pub fn step(&self) -> Step {
        Step {
            increment: self.increment,
            elbo: self.elbo,
        }
    }
}
