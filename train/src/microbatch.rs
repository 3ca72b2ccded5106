//! A microbatch: rows of a batch that go through the network together, and their part of the gradient.
//!
//! The objective is a mean over the batch, so its gradient is the sum of the gradients of the microbatches, each
//! weighted by its fraction of the rows (gradient accumulation):
//!
//! ```text
//! L = 1/B Σ_b L_b = Σ_parts (B_part/B) · (1/B_part Σ_{b in part} L_b)
//! ```
//!
//! A row has the same noise in a microbatch as in the whole batch ([`NoiseKey::row`]): only rounding differs.

use std::ops::Range;

use anyhow::{Context, Result};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use scotopic::inference::{
    FixedBelief, NaturalGradient, Perception, RecordOptions, Stimulus, reattach, unroll,
};
use scotopic::noise::{NoiseKey, NoiseSource};
use scotopic::posterior::{AnyPosterior, Posterior};
use scotopic_models::Network;

use crate::config::LearningGradient;
use crate::films::stimulus;
use crate::gradients::ParameterGradients;

/// One window of truncated backpropagation through time; the same for all microbatches of a batch.
#[derive(Debug, Clone)]
pub(crate) struct BpttWindow {
    /// The rule of inference at this iteration.
    pub rule: NaturalGradient,
    /// Inference times before the first window, without a gradient.
    pub settling: Range<usize>,
    /// Inference times.
    pub times: Range<usize>,
    /// The noise of the whole batch.
    pub noise: NoiseKey,
    /// The steps over which the objective is a mean.
    pub record: RecordOptions,
    /// Weight of the KL term.
    pub beta: f64,
    /// Which gradient.
    pub gradient: LearningGradient,
    /// Factor on the objective before it is differentiated.
    pub scale: f64,
    /// Rows of the whole batch.
    pub batch: usize,
}

/// Rows of a batch on one device, with their belief after the last window.
#[derive(Debug)]
pub(crate) struct Microbatch {
    rows: Range<usize>,
    stimulus: Stimulus,
    reached: Option<AnyPosterior>,
}

/// The contribution of some rows, on their device, without autodiff.
#[derive(Debug)]
pub(crate) struct PartialGradient {
    /// Their contribution to the gradient of the batch's objective.
    pub gradients: ParameterGradients,
    /// Their contribution to the batch's means, `[2]`: reconstruction and KL.
    pub terms: Tensor<1>,
}

impl Microbatch {
    /// Rows `rows` of a batch with their `pixels`, `width` numbers each frame, before any inference.
    pub fn new(rows: Range<usize>, pixels: Vec<f32>, width: usize, device: &Device) -> Self {
        Self {
            stimulus: stimulus(pixels, rows.len(), width, device),
            rows,
            reached: None,
        }
    }

    /// Infers over one window, from where the last one ended, and differentiates through it.
    ///
    /// # Errors
    /// If the window holds no step.
    pub fn learn(&mut self, model: &Network, window: &BpttWindow) -> Result<PartialGradient> {
        let rows = self.rows.len();
        let share = rows as f64 / window.batch as f64;
        let noise = window.noise.row(self.rows.start as u32);
        let perception = model.perception(window.rule.clone());
        let rest = perception.rest(rows);
        let through = window.gradient == LearningGradient::ThroughInference;
        let reached = match self.reached.take() {
            None if !window.settling.is_empty() => Some(self.settled(model, window, &noise)),
            reached => reached,
        };
        let start = match reached {
            None => rest,
            Some(belief) if through => reattach(&belief, &rest),
            Some(belief) => rest.with_components(belief.components()),
        };
        let still = (!through).then(|| model.clone().no_grad());
        let inferring = still
            .as_ref()
            .map(|still| still.perception(window.rule.clone()));
        let fixed = inferring.as_deref().map(|inferring| FixedBelief {
            learned: &*perception,
            inferring,
        });
        let learning: &dyn Perception<Belief = AnyPosterior> = match &fixed {
            None => &*perception,
            Some(fixed) => fixed,
        };
        let seen = learning
            .objective(
                &self.stimulus,
                start,
                window.times.clone(),
                &noise,
                window.record,
                window.beta,
            )
            .context("inference.steps is 0")?;
        drop(inferring);
        drop(perception);
        let gradients = (seen.value * (window.scale * share)).backward();
        self.reached = Some(seen.state);
        Ok(PartialGradient {
            gradients: ParameterGradients::of(model, &gradients),
            terms: seen.terms.inner() * share,
        })
    }

    /// The belief after the steps that nothing is learned from.
    fn settled(
        &self,
        model: &Network,
        window: &BpttWindow,
        noise: &dyn NoiseSource,
    ) -> AnyPosterior {
        let still = model.clone().no_grad();
        let perception = still.perception(window.rule.clone());
        let rest = perception.rest(self.rows.len());
        let times = window.settling.clone();
        unroll(
            &*perception,
            &self.stimulus,
            rest,
            times,
            noise,
            RecordOptions::FINAL,
        )
        .state
    }
}

impl PartialGradient {
    /// The sum of both contributions.
    pub fn plus(self, other: Self) -> Self {
        Self {
            gradients: self.gradients.plus(other.gradients),
            terms: self.terms + other.terms,
        }
    }

    /// The same on another device, given without autodiff.
    pub fn onto(self, device: &Device) -> Self {
        Self {
            gradients: self.gradients.to_device(device),
            terms: self.terms.to_device(device),
        }
    }
}

/// Cuts `rows` into `parts` consecutive ranges as equal as possible, longer ones first.
pub(crate) fn cut(rows: Range<usize>, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let (each, more) = (rows.len() / parts, rows.len() % parts);
    (0..parts).map(move |p| {
        let start = rows.start + p * each + p.min(more);
        start..start + each + usize::from(p < more)
    })
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // lists of ranges of rows, and some have one
mod tests {
    use super::cut;

    #[test]
    fn cuts_are_as_equal_as_possible_and_leave_nothing_out() {
        assert_eq!(
            cut(3..13, 4).collect::<Vec<_>>(),
            [3..6, 6..9, 9..11, 11..13]
        );
        assert_eq!(cut(0..3, 3).collect::<Vec<_>>(), [0..1, 1..2, 2..3]);
        assert_eq!(cut(0..5, 1).collect::<Vec<_>>(), [0..5]);
    }
}
