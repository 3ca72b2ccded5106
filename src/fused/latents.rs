//! What a family of latents adds to a dictionary.

use super::dictionary::Dictionary;
use super::gradient::Gradient;
use crate::noise::NoiseKey;

/// How the latents of a family are drawn, and how a pulled-back error moves their state.
///
/// Everything over latents is in rows of padded length. A row of state is `[component, latent]`, and what is kept of a
/// refinement `[array, latent]`: [`parts`] takes them apart.
pub(crate) trait Latents: Sync {
    /// Numbers that describe the belief about one latent.
    const COMPONENTS: usize;
    /// Arrays `[latent]` that backward needs of a refinement, beside states and samples.
    const KEPT: usize;

    /// The decoder.
    fn dictionary(&self) -> &Dictionary;

    /// N, at least 1.
    fn inner_iterations(&self) -> usize;

    /// Draws a sample of each row of `state`; the first is row `first_row` of its batch.
    fn draw(&self, key: NoiseKey, first_row: usize, state: &[f32], sampled: SampledMut<'_>);

    /// What a step is scored at, of each row of `state`: a fresh sample, or the mean where the expectation is exact.
    fn score_at(&self, key: NoiseKey, first_row: usize, state: &[f32], sampled: SampledMut<'_>) {
        self.draw(key, first_row, state, sampled);
    }

    /// ½ tr(Cov\[z\]·ΦᵀΣ⁻¹Φ) of one row, in nats, where the expectation is exact; `seen` is from
    /// [`score_at`](Self::score_at).
    fn spread(&self, _seen: &[f32]) -> f32 {
        0.0
    }

    /// Adds `weight` times its derivatives.
    fn spread_backward(
        &self,
        _weight: f32,
        _seen: &[f32],
        _by_seen: &mut [f32],
        _gradient: &mut Gradient,
    ) {
    }

    /// The state of one row after a refinement.
    fn refine(&self, row: Refinement<'_>);

    /// KL of one row's state from that of its prior, in nats.
    fn divergence(&self, state: &[f32], prior: &[f32]) -> f32;

    /// Adds to `by_state` what a sample of one row (or the mean) passes on of `by_seen`, the derivative by what the decoder
    /// saw.
    fn draw_backward(
        &self,
        state: &[f32],
        sampled: Sampled<'_>,
        by_seen: &[f32],
        by_state: &mut [f32],
        gradient: &mut Gradient,
    );

    /// Adds `weight·∂KL/∂state` to `by_state` and puts `weight·∂KL/∂prior` into `by_prior`, of one row.
    fn divergence_backward(
        &self,
        weight: f32,
        state: &[f32],
        prior: &[f32],
        by_state: &mut [f32],
        by_prior: &mut [f32],
    );

    /// Takes the derivative by the state of one row from behind a refinement to before it, without what passes through
    /// the pulled-back error, and puts the derivative by that where it belongs.
    fn refine_backward(&self, row: RefinementBack<'_>, gradient: &mut Gradient);
}

/// Samples: a(z) as the decoder sees it, and one number more per latent for backward, `[row, latent]`: dz/du of spikes,
/// z − μ of latents with a location.
#[derive(Clone, Copy)]
pub(crate) struct Sampled<'a> {
    pub(crate) seen: &'a [f32],
    pub(crate) slope: &'a [f32],
}

/// Where samples go.
pub(crate) struct SampledMut<'a> {
    pub(crate) seen: &'a mut [f32],
    pub(crate) slope: &'a mut [f32],
}

/// One row of a refinement.
pub(crate) struct Refinement<'a> {
    /// The state before it.
    pub(crate) state: &'a [f32],
    /// The state at the beginning of the step.
    pub(crate) prior: &'a [f32],
    /// The sample that drives it.
    pub(crate) sampled: Sampled<'a>,
    /// Φᵀe of that sample.
    pub(crate) pulled: &'a [f32],
    /// The state after it.
    pub(crate) next: &'a mut [f32],
    /// What is kept for backward.
    pub(crate) kept: &'a mut [f32],
}

/// One row of a refinement, backwards.
pub(crate) struct RefinementBack<'a> {
    /// As forward.
    pub(crate) state: &'a [f32],
    /// As forward.
    pub(crate) prior: &'a [f32],
    /// As forward.
    pub(crate) sampled: Sampled<'a>,
    /// What forward kept.
    pub(crate) kept: &'a [f32],
    /// The derivative by the state, behind the refinement and then before it.
    pub(crate) by_state: &'a mut [f32],
    /// That by the state at the beginning of the step, so far.
    pub(crate) by_prior: &'a mut [f32],
    /// That by Φᵀe.
    pub(crate) by_pulled: &'a mut [f32],
}

/// The arrays of a row, each of `wide` numbers.
#[inline(always)]
pub(crate) fn parts<const N: usize>(row: &[f32], wide: usize) -> [&[f32]; N] {
    let mut rest = row.chunks_exact(wide.max(1));
    std::array::from_fn(|_| rest.next().unwrap_or_default())
}

/// The same to write on.
#[inline(always)]
pub(crate) fn parts_mut<const N: usize>(row: &mut [f32], wide: usize) -> [&mut [f32]; N] {
    let mut rest = row.chunks_exact_mut(wide.max(1));
    std::array::from_fn(|_| rest.next().unwrap_or_default())
}
