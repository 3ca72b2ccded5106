//! Backward in time.

use cubecl::prelude::*;

use super::form::Form;
use super::neuron::{Rule, divergence_slopes};
use super::product::product;
use super::total;

#[cube(launch)]
pub(super) fn spiking_backward_kernel(
    tape: &Tensor<f32>,
    drawn: &Tensor<f32>,
    errors: &Tensor<f32>,
    atoms: &Tensor<f32>,
    transposed: &Tensor<f32>,
    precision: &Tensor<f32>,
    curvature: &Tensor<f32>,
    spread: &Tensor<f32>,
    step_size: &Tensor<f32>,
    by_end: &Tensor<f32>,
    pulled: &mut Tensor<f32>,
    by_decoded: &mut Tensor<f32>,
    by_latents: &mut Tensor<f32>,
    by_precision: &mut Tensor<f32>,
    by_step_size: &mut Tensor<f32>,
    rule: Rule,
    steps: u32,
    #[comptime] form: Form,
) {
    let k = comptime!(form.latents);
    let m = comptime!(form.pixels);
    let rows = comptime!(form.rows);
    let inner = comptime!(form.inner_iterations);
    let own_k = comptime!(form.own_latents());
    let own_m = comptime!(form.own_pixels());
    let threads = comptime!(form.threads);
    let thread = UNIT_POS_X as usize;
    let batch = by_end.shape(0);
    let steps = steps as usize;
    let first_row = CUBE_POS * rows;
    if first_row >= batch {
        terminate!();
    }
    let eta = step_size[0];
    let of_latents = batch * k;
    let of_pixels = batch * m;
    let refinements = steps * inner;
    let kept = (refinements + 1) * of_latents;
    let one = refinements * of_latents;
    let fresh_slopes = kept + 5 * one;

    let mut latents_of = Shared::<[f32]>::new_slice(comptime!(rows * k));
    let mut pixels_of = Shared::<[f32]>::new_slice(comptime!(rows * m));
    let mut scratch = Shared::<[f32]>::new_slice(threads);
    let mut by_u = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_prior = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_cost = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_curvature = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_spread = Array::<f32>::new(comptime!(rows * own_k));
    let mut seen_latents = Array::<f32>::new(comptime!(rows * own_k));
    let mut seen_pixels = Array::<f32>::new(comptime!(rows * own_m));
    let mut by_pi = Array::<f32>::new(comptime!(rows * own_m));
    let mut by_eta = Array::<f32>::new(rows);

    for r in 0..rows {
        by_eta[r] = 0.0f32;
        let row = min(first_row + r, batch - 1);
        for c in 0..own_k {
            let latent = min(thread + c * threads, k - 1);
            by_u[r * own_k + c] = by_end[row * k + latent];
            by_prior[r * own_k + c] = 0.0f32;
            by_cost[r * own_k + c] = 0.0f32;
            by_curvature[r * own_k + c] = 0.0f32;
            by_spread[r * own_k + c] = 0.0f32;
        }
        for c in 0..own_m {
            by_pi[r * own_m + c] = 0.0f32;
        }
    }
    for ago in 0..steps {
        let time = steps - 1 - ago;
        // The fresh sample and the divergence.
        for r in 0..rows {
            let row = min(first_row + r, batch - 1);
            for c in 0..own_m {
                let pixel = thread + c * threads;
                if pixel < m {
                    let at = (refinements + time) * of_pixels + row * m + pixel;
                    let error = errors[at];
                    let residual = error / precision[pixel];
                    by_pi[r * own_m + c] += rule.weight * 0.5f32 * residual * residual;
                    let w = -rule.weight * error;
                    pixels_of[r * m + pixel] = w;
                    if first_row + r < batch {
                        by_decoded[at] = w;
                    }
                }
            }
        }
        sync_cube();
        product(&pixels_of, transposed, &mut seen_latents, rows, m, k, own_k);
        for r in 0..rows {
            let row = min(first_row + r, batch - 1);
            for c in 0..own_k {
                let i = r * own_k + c;
                let at = row * k + min(thread + c * threads, k - 1);
                let now = tape[(time + 1) * inner * of_latents + at];
                let prior = tape[time * inner * of_latents + at];
                let mut by_sample = seen_latents[i];
                if comptime!(form.exact) {
                    by_sample += 0.5f32 * rule.weight * spread[min(thread + c * threads, k - 1)];
                    let rate = drawn[(refinements + time) * of_latents + at];
                    by_spread[i] += 0.5f32 * rule.weight * rate;
                }
                let slopes = divergence_slopes(now, prior, comptime!(form.published));
                by_u[i] += by_sample * tape[fresh_slopes + time * of_latents + at]
                    + rule.kl_weight * slopes.by_u;
                by_prior[i] = rule.kl_weight * slopes.by_prior;
            }
        }
        for back in 0..inner {
            let moment = time * inner + (inner - 1 - back);
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_k {
                    let i = r * own_k + c;
                    let latent = thread + c * threads;
                    if latent < k {
                        let at = moment * of_latents + row * k + latent;
                        let by_next = by_u[i];
                        let q = eta * by_next * tape[kept + 2 * one + at];
                        by_cost[i] -= q;
                        by_prior[i] += rule.leak * q;
                        by_eta[r] += q * tape[kept + at];
                        let mut before = by_next * tape[kept + one + at] - rule.leak * q;
                        if comptime!(form.proximal) {
                            let through = by_next * tape[kept + 3 * one + at];
                            by_curvature[i] += through;
                            before += through * curvature[latent];
                        }
                        by_u[i] = before;
                        latents_of[r * k + latent] = q;
                        if first_row + r < batch {
                            pulled[at] = q;
                        }
                    }
                }
            }
            sync_cube();
            product(&latents_of, atoms, &mut seen_pixels, rows, k, m, own_m);
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_m {
                    let pixel = thread + c * threads;
                    if pixel < m {
                        let at = moment * of_pixels + row * m + pixel;
                        let by_error = seen_pixels[r * own_m + c];
                        by_pi[r * own_m + c] += by_error * errors[at] / precision[pixel];
                        let w = -precision[pixel] * by_error;
                        pixels_of[r * m + pixel] = w;
                        if first_row + r < batch {
                            by_decoded[at] = w;
                        }
                    }
                }
            }
            sync_cube();
            product(&pixels_of, transposed, &mut seen_latents, rows, m, k, own_k);
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_k {
                    let latent = min(thread + c * threads, k - 1);
                    let at = moment * of_latents + row * k + latent;
                    by_u[r * own_k + c] += seen_latents[r * own_k + c] * tape[kept + 4 * one + at];
                }
            }
        }
        for i in 0..comptime!(rows * own_k) {
            by_u[i] += by_prior[i];
        }
        // The step before writes the errors that this product reads.
        sync_cube();
    }
    for r in 0..rows {
        let by_step = total(&mut scratch, by_eta[r], threads);
        if first_row + r < batch {
            let row = first_row + r;
            if thread == 0 {
                by_step_size[row] = by_step;
            }
            for c in 0..own_k {
                let latent = thread + c * threads;
                if latent < k {
                    let at = row * k + latent;
                    by_latents[at] = by_u[r * own_k + c];
                    by_latents[of_latents + at] = by_cost[r * own_k + c];
                    by_latents[2 * of_latents + at] = by_curvature[r * own_k + c];
                    by_latents[3 * of_latents + at] = by_spread[r * own_k + c];
                }
            }
            for c in 0..own_m {
                let pixel = thread + c * threads;
                if pixel < m {
                    by_precision[row * m + pixel] = by_pi[r * own_m + c];
                }
            }
        }
    }
}
