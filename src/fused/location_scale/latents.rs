//! Gaussian and Laplace latents as [`Latents`].

use super::divergence::{divergence, divergence_backward};
use super::network::LocationScaleNetwork;
use super::sample::{Place, PlaceBack, place, place_backward};
use super::step::{Row, step};
use super::step_backward::{RowBack, step_backward};
use crate::fused::dictionary::Dictionary;
use crate::fused::gradient::Gradient;
use crate::fused::latents::{
    Latents, Refinement, RefinementBack, Sampled, SampledMut, parts, parts_mut,
};
use crate::noise::NoiseKey;
use crate::ops::unit_noise::processor::fill;

impl Latents for LocationScaleNetwork {
    /// μ and ξ.
    const COMPONENTS: usize = 2;
    /// See [`Row`].
    const KEPT: usize = 5;

    fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    fn inner_iterations(&self) -> usize {
        self.rule.inner_iterations
    }

    fn draw(&self, key: NoiseKey, first_row: usize, state: &[f32], sampled: SampledMut<'_>) {
        let (k, wide) = (self.dictionary.latents, self.dictionary.wide_latents());
        let rows = state.len() / (wide * Self::COMPONENTS);
        let whole = key.first_element(&[rows, k]);
        let samples = sampled.seen.chunks_exact_mut(wide);
        let samples = samples.zip(sampled.slope.chunks_exact_mut(wide));
        let states = state.chunks_exact(wide * Self::COMPONENTS);
        for (row, (state, (seen, excursion))) in states.zip(samples).enumerate() {
            let first = whole.wrapping_add(((first_row + row) * k) as u32);
            fill(&mut excursion[..k], first, self.rule.law.unit(), key);
            let [location, log_scale] = parts(state, wide);
            let row = Place {
                location,
                log_scale,
                gain: &self.gain,
                excursion,
                seen,
            };
            place(row, self.rule.relu);
        }
    }

    fn refine(&self, row: Refinement<'_>) {
        let wide = self.dictionary.wide_latents();
        let row = Row {
            state: parts(row.state, wide),
            prior: parts(row.prior, wide),
            excursion: row.sampled.slope,
            seen: row.sampled.seen,
            pulled: row.pulled,
            next: parts_mut(row.next, wide),
            kept: parts_mut(row.kept, wide),
        };
        step(self, row);
    }

    fn divergence(&self, state: &[f32], prior: &[f32]) -> f32 {
        let wide = self.dictionary.wide_latents();
        let (state, prior) = (parts(state, wide), parts(prior, wide));
        divergence(self.rule.law, self.dictionary.latents, state, prior)
    }

    fn draw_backward(
        &self,
        state: &[f32],
        sampled: Sampled<'_>,
        by_seen: &[f32],
        by_state: &mut [f32],
        gradient: &mut Gradient,
    ) {
        let wide = self.dictionary.wide_latents();
        let [location, _] = parts(state, wide);
        let [by_location, by_log_scale] = parts_mut(by_state, wide);
        let row = PlaceBack {
            location,
            gain: &self.gain,
            excursion: sampled.slope,
            seen: sampled.seen,
            by_seen,
            by_location,
            by_log_scale,
            gain_gradient: &mut gradient.gain,
        };
        place_backward(row, self.rule.relu);
    }

    fn divergence_backward(
        &self,
        weight: f32,
        state: &[f32],
        prior: &[f32],
        by_state: &mut [f32],
        by_prior: &mut [f32],
    ) {
        let wide = self.dictionary.wide_latents();
        let (by_state, by_prior) = (parts_mut(by_state, wide), parts_mut(by_prior, wide));
        let (state, prior) = (parts(state, wide), parts(prior, wide));
        divergence_backward(self.rule.law, weight, state, prior, by_state, by_prior);
    }

    fn refine_backward(&self, row: RefinementBack<'_>, gradient: &mut Gradient) {
        let wide = self.dictionary.wide_latents();
        let row = RowBack {
            state: parts(row.state, wide),
            prior: parts(row.prior, wide),
            excursion: row.sampled.slope,
            seen: row.sampled.seen,
            kept: parts(row.kept, wide),
            by_state: parts_mut(row.by_state, wide),
            by_prior: parts_mut(row.by_prior, wide),
            by_pulled: row.by_pulled,
            homeostasis_gradient: &mut gradient.homeostasis,
            curvature_gradient: &mut gradient.curvature,
            gain_gradient: &mut gradient.gain,
        };
        let by_step_sizes = step_backward(self, row);
        for (sum, by_step_size) in gradient.step_sizes.iter_mut().zip(by_step_sizes) {
            *sum += f64::from(by_step_size);
        }
    }
}
