//! The state after t observations, passed in and returned by value.

use burn::tensor::Tensor;
use scotopic::filtering::Step;

use super::ascent_state::AscentState;
use super::network::StateNetwork;
use super::pair::Pair;

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

/// q_t with the networks that are read in its coordinates, x = μ + σ∘v, and the pair that it is the half of.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// μ_t `[1, n]`.
    pub mean: Tensor<2>,
    /// σ_t `[1, n]`.
    pub deviation: Tensor<2>,
    /// σ_t ∘ T̂_t.
    pub value: StateNetwork,
    /// `Ŝ_t − E_{q_t}[Ŝ_t]`.
    pub score: Option<StateNetwork>,
    /// b_t, if there was a past.
    pub kernel: Option<BackwardKernel>,
}

impl Past {
    /// x of v.
    pub fn state(&self, v: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + self.deviation.clone() * v
    }

    /// v of x.
    pub fn standardised(&self, x: Tensor<2>) -> Tensor<2> {
        (x - self.mean.clone()) / self.deviation.clone()
    }
}

/// b_t(x_{t−1}|x_t) = N(E x_t + f + σ_{t−1}∘MLP(x_t), diag L), the MLP only where one was asked for.
#[derive(Debug, Clone)]
pub struct BackwardKernel {
    pub(super) pair: Pair,
    pub(super) mean: Tensor<2>,
    pub(super) deviation: Tensor<2>,
}

impl BackwardKernel {
    /// E `[n, n]`.
    pub fn slope(&self) -> Tensor<2> {
        let matrix = self.pair.parameters[2].clone();
        let by_input = matrix / self.pair.scale.clone().transpose();
        (by_input * self.deviation.clone()).transpose()
    }

    /// f `[1, n]`.
    pub fn offset(&self) -> Tensor<2> {
        let inner = self.pair.parameters[3].clone() * self.deviation.clone() + self.mean.clone();
        inner - self.pair.centre.clone().matmul(self.slope().transpose())
    }

    /// The diagonal of L, `[1, n]`.
    pub fn variance(&self) -> Tensor<2> {
        (self.pair.parameters[4].clone() * 2.0).exp() * self.deviation.clone().square()
    }

    /// `E[x_{t−1}|x_t]`: `[batch, n]` → `[batch, n]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let u = (x - self.pair.centre.clone()) / self.pair.scale.clone();
        match self.pair.kernel(u.clone()) {
            Some((v, _)) => self.mean.clone() + self.deviation.clone() * v,
            None => u.zeros_like() + self.mean.clone(),
        }
    }
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
