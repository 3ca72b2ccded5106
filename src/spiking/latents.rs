//! Poisson latents as the fused network takes them.
//!
//! With D = ∂L/∂u' behind a refinement `s = −η∇, u' = u'(u, s, ηH)`, `∇ = eᵇ − Φᵀe + β_in(u − u_p)`:
//!
//! ```text
//! q = ηD·∂u'/∂s                     = ∂L/∂(Φᵀe)         ∂L/∂η = ΣD·∂u'/∂s·s/η,  ∂L/∂eᵇ = −Σq
//! D ← D·∂u'/∂u − β_in q                                 ∂L/∂u_p += β_in q
//! ```
//!
//! An exact expectation is taken at E z = λ, whose slope is λ too, with ½ΣλH for the spread: Var z = λ.

use super::network::SpikingNetwork;
use super::potential::{Row, Slopes, refine};
use super::scores::{divergence, divergence_slopes, dot, rates};
use super::slopes::{Step, add_multiple, add_product, through_step};
use crate::fused::{
    Dictionary, Gradient, Latents, Refinement, RefinementBack, Sampled, SampledMut, parts,
    parts_mut,
};
use crate::noise::NoiseKey;
use crate::ops::relaxed_poisson::lanes::{Elements, Request};
use crate::ops::relaxed_poisson::processor::sample_task;
use crate::ops::scalar;

impl Latents for SpikingNetwork {
    /// u.
    const COMPONENTS: usize = 1;
    /// −η∇ and the slopes of u'.
    const KEPT: usize = 4;

    fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    fn inner_iterations(&self) -> usize {
        self.rule.inner_iterations
    }

    fn draw(&self, key: NoiseKey, first_row: usize, u: &[f32], sampled: SampledMut<'_>) {
        let SampledMut { seen: z, slope } = sampled;
        let (k, wide) = (self.dictionary.latents, self.dictionary.wide_latents());
        let floor = self.rule.rate_floor;
        let whole = key.first_element(&[u.len() / wide, k]);
        let request = Request::new(key, whole, self.rule.relaxation, true);
        let mut draw = |u: &[f32]| {
            let elements = Elements {
                u,
                z,
                slope,
                width: k,
                pitch: wide,
                first: (first_row * k) as u32,
            };
            sample_task(elements, request);
        };
        if floor == 0.0 {
            return draw(u);
        }
        // ln(e^u + floor); the published rule has it, and it is not what runs in the innermost loop otherwise.
        let rates: Vec<f32> = u.iter().map(|u| scalar::exp(*u)).collect();
        let raised: Vec<f32> = rates.iter().map(|r| scalar::ln(r + floor)).collect();
        draw(&raised);
        for (slope, rate) in slope.iter_mut().zip(&rates) {
            *slope *= rate / (rate + floor);
        }
    }

    fn score_at(&self, key: NoiseKey, first_row: usize, u: &[f32], sampled: SampledMut<'_>) {
        if self.spread.is_none() {
            return self.draw(key, first_row, u, sampled);
        }
        rates(u, sampled.seen, sampled.slope);
    }

    fn spread(&self, rates: &[f32]) -> f32 {
        match &self.spread {
            None => 0.0,
            Some(curvature) => 0.5 * dot(curvature, &rates[..self.dictionary.latents]),
        }
    }

    fn spread_backward(
        &self,
        weight: f32,
        rates: &[f32],
        by_rates: &mut [f32],
        gradient: &mut Gradient,
    ) {
        if let Some(curvature) = &self.spread {
            let k = self.dictionary.latents;
            add_multiple(&mut by_rates[..k], 0.5 * weight, curvature);
            add_multiple(&mut gradient.spread[..k], 0.5 * weight, &rates[..k]);
        }
    }

    fn refine(&self, row: Refinement<'_>) {
        let k = self.dictionary.latents;
        let [step, by_u, by_step, by_curvature] =
            parts_mut(row.kept, self.dictionary.wide_latents());
        let row = Row {
            u: &row.state[..k],
            prior: &row.prior[..k],
            pulled: &row.pulled[..k],
            next: &mut row.next[..k],
            slopes: Some(Slopes {
                step: &mut step[..k],
                by_u: &mut by_u[..k],
                by_step: &mut by_step[..k],
                by_curvature: &mut by_curvature[..k],
            }),
        };
        refine(self, row);
    }

    fn divergence(&self, u: &[f32], prior: &[f32]) -> f32 {
        let k = self.dictionary.latents;
        divergence(&u[..k], &prior[..k], self.rule.kl)
    }

    fn draw_backward(
        &self,
        _u: &[f32],
        sampled: Sampled<'_>,
        by_seen: &[f32],
        by_u: &mut [f32],
        _gradient: &mut Gradient,
    ) {
        let k = self.dictionary.latents;
        add_product(&mut by_u[..k], &by_seen[..k], &sampled.slope[..k]);
    }

    fn divergence_backward(
        &self,
        weight: f32,
        u: &[f32],
        prior: &[f32],
        by_u: &mut [f32],
        by_prior: &mut [f32],
    ) {
        let k = self.dictionary.latents;
        divergence_slopes(
            &u[..k],
            &prior[..k],
            self.rule.kl,
            weight,
            &mut by_u[..k],
            &mut by_prior[..k],
        );
    }

    fn refine_backward(&self, row: RefinementBack<'_>, gradient: &mut Gradient) {
        let k = self.dictionary.latents;
        let [taken, by_u, by_step, by_curvature] = parts(row.kept, self.dictionary.wide_latents());
        let leak = self.rule.leak.beta() as f32;
        let sum = through_step(
            Step {
                by_potential: &mut row.by_state[..k],
                by_prior: &mut row.by_prior[..k],
                q: &mut row.by_pulled[..k],
                taken,
                by_u,
                by_step,
                by_curvature,
                homeostasis_gradient: &mut gradient.homeostasis,
                curvature_gradient: &mut gradient.curvature,
            },
            self.curvature.as_deref(),
            [self.step_size, leak],
        );
        // ∂L/∂η = Σ D·∂u'/∂s·s/η, and q has an η of its own.
        gradient.step_sizes[0] += f64::from(sum) / f64::from(self.step_size).powi(2);
    }
}
