//! What is kept of many steps of inference, and what learning needs of them.

use burn::tensor::Tensor;

use super::generative::ScoredSample;
use crate::posterior::Posterior;

/// What an unroll keeps. The state after the last step is always there; everything else costs memory
/// that grows with time, so it is asked for.
///
/// ```
/// use scotopic::inference::RecordOptions;
/// let r = RecordOptions { every: 10, ..RecordOptions::GENERATED };
/// assert!(r.keeps(9, 25) && !r.keeps(10, 25) && r.keeps(24, 25)); // the last step always
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordOptions {
    /// Keep every this many steps (1: all), and the last.
    pub every: usize,
    /// Keep the spikes that drove the potential.
    pub spikes: bool,
    /// Keep the belief itself.
    pub states: bool,
    /// Draw, decode and score a fresh sample, and keep it with its free energy.
    pub generated: bool,
}

impl RecordOptions {
    /// Nothing but the final state.
    pub const FINAL: Self = Self {
        every: usize::MAX,
        spikes: false,
        states: false,
        generated: false,
    };
    /// A scored sample at every step: what learning needs.
    pub const GENERATED: Self = Self {
        every: 1,
        spikes: false,
        states: false,
        generated: true,
    };
    /// Everything at every step.
    pub const ALL: Self = Self {
        every: 1,
        spikes: true,
        states: true,
        generated: true,
    };

    /// Whether step `time` (from 0) of `steps` is kept.
    pub fn keeps(&self, time: usize, steps: usize) -> bool {
        time + 1 == steps || (time + 1).is_multiple_of(self.every.max(1))
    }
}

/// What was kept of one step.
#[derive(Debug, Clone)]
pub struct StepRecord<P: Posterior> {
    /// Inference time, from 0.
    pub time: usize,
    /// Spikes that drove the potential, `[batch, latent]`.
    pub spikes: Option<Tensor<2>>,
    /// The belief after the step.
    pub state: Option<P>,
    /// The scored sample.
    pub generated: Option<ScoredSample>,
}

/// The result of an unroll.
#[derive(Debug, Clone)]
pub struct Trajectory<P: Posterior> {
    /// The belief after the last step.
    pub state: P,
    /// What [`RecordOptions`] asked for, in order of time.
    pub records: Vec<StepRecord<P>>,
}

impl<P: Posterior> Trajectory<P> {
    /// The learning objective, `[1]`, in nats: the mean over kept steps and data of F with weight β.
    ///
    /// ```text
    /// L = 1/T Σ_t 1/B Σ_b [ −ln p(x_t|z_t) + β KL_t ]
    /// ```
    ///
    /// Returns `None` where no free energy was recorded.
    pub fn objective(&self, beta: f64) -> Option<Tensor<1>> {
        let terms: Vec<_> = self
            .records
            .iter()
            .filter_map(|m| Some(m.generated.as_ref()?.free_energy.means()))
            .collect();
        let steps = terms.len() as f64;
        // Not `/ steps`: burn 0.22.1 rounds the divisor to f32 in backward, also in f64.
        let mean = terms.into_iter().reduce(|a, b| a + b)? * (1.0 / steps);
        Some(mean.clone().narrow(0, 0, 1) + mean.narrow(0, 1, 1) * beta)
    }

    /// Means over kept steps and data of both terms, `[2]`: reconstruction and KL, in nats.
    pub fn mean_terms(&self) -> Option<Tensor<1>> {
        let terms: Vec<_> = self
            .records
            .iter()
            .filter_map(|m| Some(m.generated.as_ref()?.free_energy.means()))
            .collect();
        let steps = terms.len() as f64;
        Some(terms.into_iter().reduce(|a, b| a + b)? * (1.0 / steps))
    }
}

/// The mean free energy of an unroll.
#[derive(Debug, Clone)]
pub struct Objective<P: Posterior> {
    /// `1/T Σ_t 1/B Σ_b [ −ln p(x_t|z_t) + β KL_t ]`, `[1]`, in nats, differentiable.
    pub value: Tensor<1>,
    /// Both means without β, `[2]`, constants.
    pub terms: Tensor<1>,
    /// The belief after the last step, a constant.
    pub state: P,
}

/// Starts the next window of truncated backpropagation: `u₀ + stop(u − u₀)`, whose value is u and whose
/// gradient goes to the resting potential alone.
pub fn reattach<P: Posterior>(state: &P, rest: &P) -> P {
    let joined = state
        .components()
        .into_iter()
        .zip(rest.components())
        .map(|(u, u0)| u0.clone() + (u - u0).detach());
    // Of `rest`, which carries what else there is to a belief, an activation's gain, as it stands now.
    rest.with_components(joined.collect())
}
