//! Forward in time.

use cubecl::prelude::*;

use super::form::Form;
use super::neuron::{Rule, divergence, refine, spikes};
use super::product::product;
use super::total;
use crate::ops::cube_numbers::exp_of;
use crate::ops::relaxed_poisson::cube::Draws;

#[cube(launch)]
pub(super) fn spiking_forward_kernel(
    images: &Tensor<f32>,
    start: &Tensor<f32>,
    atoms: &Tensor<f32>,
    transposed: &Tensor<f32>,
    precision: &Tensor<f32>,
    homeostasis: &Tensor<f32>,
    curvature: &Tensor<f32>,
    spread: &Tensor<f32>,
    step_size: &Tensor<f32>,
    tape: &mut Tensor<f32>,
    drawn: &mut Tensor<f32>,
    errors: &mut Tensor<f32>,
    sums: &mut Tensor<f32>,
    end: &mut Tensor<f32>,
    draws: Draws,
    rule: Rule,
    first_stream: u32,
    first_element: u32,
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
    let batch = start.shape(0);
    let steps = steps as usize;
    let first_row = CUBE_POS * rows;
    if first_row >= batch {
        terminate!();
    }
    let eta = step_size[0];
    let of_latents = batch * k;
    let of_pixels = batch * m;
    let refinements = steps * inner;
    // Where on the tape what is kept of the refinements begins, and the slopes of fresh samples.
    let kept = (refinements + 1) * of_latents;
    let fresh_slopes = kept + 5 * refinements * of_latents;

    let mut spikes_of = Shared::<[f32]>::new_slice(comptime!(rows * k));
    let mut errors_of = Shared::<[f32]>::new_slice(comptime!(rows * m));
    let mut scratch = Shared::<[f32]>::new_slice(threads);
    let mut u = Array::<f32>::new(comptime!(rows * own_k));
    let mut prior = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_latents = Array::<f32>::new(comptime!(rows * own_k));
    let mut by_pixels = Array::<f32>::new(comptime!(rows * own_m));
    let mut reconstruction = Array::<f32>::new(rows);
    let mut kl = Array::<f32>::new(rows);

    for r in 0..rows {
        reconstruction[r] = 0.0f32;
        kl[r] = 0.0f32;
        let row = min(first_row + r, batch - 1);
        for c in 0..own_k {
            let latent = thread + c * threads;
            let at = row * k + min(latent, k - 1);
            u[r * own_k + c] = start[at];
            if latent < k && first_row + r < batch {
                tape[at] = start[at];
            }
        }
    }
    for time in 0..steps {
        for i in 0..comptime!(rows * own_k) {
            prior[i] = u[i];
        }
        let stream = first_stream + (time as u32) * 256u32;
        for i in 0..inner {
            let moment = time * inner + i;
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_k {
                    let latent = thread + c * threads;
                    if latent < k {
                        let element = first_element + (row * k + latent) as u32;
                        let sample = spikes(
                            u[r * own_k + c],
                            element,
                            stream + i as u32 + 1u32,
                            &draws,
                            rule.rate_floor,
                            comptime!(form.kind),
                            comptime!(form.raised),
                        );
                        spikes_of[r * k + latent] = sample.z;
                        if first_row + r < batch {
                            let at = row * k + latent;
                            drawn[moment * of_latents + at] = sample.z;
                            tape[kept + (4 * refinements + moment) * of_latents + at] =
                                sample.slope;
                        }
                    }
                }
            }
            sync_cube();
            product(&spikes_of, atoms, &mut by_pixels, rows, k, m, own_m);
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_m {
                    let pixel = thread + c * threads;
                    if pixel < m {
                        let residual = images[row * m + pixel] - by_pixels[r * own_m + c];
                        let error = precision[pixel] * residual;
                        errors_of[r * m + pixel] = error;
                        if first_row + r < batch {
                            errors[moment * of_pixels + row * m + pixel] = error;
                        }
                    }
                }
            }
            sync_cube();
            product(&errors_of, transposed, &mut by_latents, rows, m, k, own_k);
            for r in 0..rows {
                let row = min(first_row + r, batch - 1);
                for c in 0..own_k {
                    let latent = thread + c * threads;
                    if latent < k {
                        let refined = refine(
                            u[r * own_k + c],
                            prior[r * own_k + c],
                            by_latents[r * own_k + c],
                            homeostasis[latent],
                            curvature[latent],
                            eta,
                            &rule,
                            comptime!(form.proximal),
                            comptime!(form.clamped),
                        );
                        u[r * own_k + c] = refined.next;
                        if first_row + r < batch {
                            let at = moment * of_latents + row * k + latent;
                            let one = refinements * of_latents;
                            tape[of_latents + at] = refined.next;
                            tape[kept + at] = refined.step;
                            tape[kept + one + at] = refined.by_u;
                            tape[kept + 2 * one + at] = refined.by_step;
                            tape[kept + 3 * one + at] = refined.by_curvature;
                        }
                    }
                }
            }
        }
        for r in 0..rows {
            let row = min(first_row + r, batch - 1);
            for c in 0..own_k {
                let latent = thread + c * threads;
                if latent < k {
                    let now = u[r * own_k + c];
                    let at = row * k + latent;
                    let mut z = exp_of(now);
                    let mut slope = z;
                    if comptime!(form.exact) {
                        reconstruction[r] += 0.5f32 * z * spread[latent];
                    } else {
                        let element = first_element + at as u32;
                        let sample = spikes(
                            now,
                            element,
                            stream,
                            &draws,
                            rule.rate_floor,
                            comptime!(form.kind),
                            comptime!(form.raised),
                        );
                        z = sample.z;
                        slope = sample.slope;
                    }
                    spikes_of[r * k + latent] = z;
                    kl[r] += divergence(now, prior[r * own_k + c], comptime!(form.published));
                    if first_row + r < batch {
                        drawn[(refinements + time) * of_latents + at] = z;
                        tape[fresh_slopes + time * of_latents + at] = slope;
                    }
                }
            }
        }
        sync_cube();
        product(&spikes_of, atoms, &mut by_pixels, rows, k, m, own_m);
        for r in 0..rows {
            let row = min(first_row + r, batch - 1);
            for c in 0..own_m {
                let pixel = thread + c * threads;
                if pixel < m {
                    let residual = images[row * m + pixel] - by_pixels[r * own_m + c];
                    let error = precision[pixel] * residual;
                    reconstruction[r] += 0.5f32 * residual * error;
                    if first_row + r < batch {
                        errors[(refinements + time) * of_pixels + row * m + pixel] = error;
                    }
                }
            }
        }
        // The next step writes the spikes that this product reads.
        sync_cube();
    }
    for r in 0..rows {
        let both = total(&mut scratch, reconstruction[r], threads);
        let divergence = total(&mut scratch, kl[r], threads);
        if first_row + r < batch {
            if thread == 0 {
                sums[(first_row + r) * 2] = both;
                sums[(first_row + r) * 2 + 1] = divergence;
            }
            for c in 0..own_k {
                let latent = thread + c * threads;
                if latent < k {
                    end[(first_row + r) * k + latent] = u[r * own_k + c];
                }
            }
        }
    }
}
