//! The kernels, in CubeCL.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn::tensor::Shape;
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::prelude::*;

use super::{SpikingSteps, SpikingUnroll, backward_sizes, forward_sizes};
use crate::ops::relaxed_poisson::cube::{Draws, kind};
use crate::posterior::KlForm;
use backward::spiking_backward_kernel;
use forward::{Form, spiking_forward_kernel};
use neuron::RuleLaunch;

mod backward;
mod forward;
mod neuron;
mod product;

/// Threads of a work group at most; each GPU has as many.
const MOST_THREADS: usize = 256;

/// Numbers that a work group shares: every GPU has as many (16 KiB).
const MOST_SHARED: usize = 4096;

/// Latents and pixels that a thread may own: what it holds of each lies in its registers.
const MOST_OWNED: usize = 8;

/// Work groups that keep a GPU busy. Of more rows several are taken together, and share what is read of Φ.
const BUSY: usize = 100;

/// The most rows of one work group.
const MOST_ROWS: usize = 4;

/// A bound that is none.
const NO_CEILING: f32 = 1.0e30;

/// Whether a work group can take rows of these sizes.
pub(crate) fn fits(pixels: usize, latents: usize) -> bool {
    let most = MOST_OWNED * MOST_THREADS;
    pixels + latents + MOST_THREADS <= MOST_SHARED && pixels.max(latents) <= most
}

/// Σ over the threads of a work group, for every thread.
#[cube]
fn total(scratch: &mut Shared<[f32]>, own: f32, #[comptime] threads: usize) -> f32 {
    scratch[UNIT_POS_X as usize] = own;
    sync_cube();
    let mut sum = 0.0f32;
    for thread in 0..threads {
        sum += scratch[thread];
    }
    sync_cube();
    sum
}

/// What a kernel is compiled for, of so many rows.
fn form(batch: usize, pixels: usize, latents: usize, steps: &SpikingSteps) -> Form {
    let shared = (MOST_SHARED - MOST_THREADS) / (pixels + latents);
    let owned = pixels.max(latents).div_ceil(MOST_THREADS);
    let rows = (batch / BUSY)
        .clamp(1, MOST_ROWS)
        .min(shared)
        .min(2 * MOST_OWNED / owned)
        .max(1);
    Form {
        rows,
        latents,
        pixels,
        threads: pixels.max(latents).min(MOST_THREADS),
        inner_iterations: steps.inner_iterations,
        kind: kind(steps.relaxation),
        raised: steps.rate_floor != 0.0,
        proximal: steps.proximal,
        clamped: steps.ceilings.is_some(),
        published: steps.kl == KlForm::Published,
        exact: steps.exact,
    }
}

fn rule(steps: &SpikingSteps) -> RuleLaunch {
    let [step_ceiling, ceiling] = steps
        .ceilings
        .map_or([NO_CEILING; 2], |both| both.map(|c| c.min(NO_CEILING)));
    let [weight, kl_weight] = steps.weights;
    RuleLaunch::new(
        steps.leak,
        step_ceiling,
        ceiling,
        steps.rate_floor,
        weight,
        kl_weight,
    )
}

/// One work group for some rows.
fn groups(batch: usize, form: Form) -> (CubeCount, CubeDim) {
    /// Work groups along one axis at most; each GPU has as many.
    const MOST_GROUPS: usize = 65_535;
    let count = batch.div_ceil(form.rows);
    let across = count.clamp(1, MOST_GROUPS);
    let count = CubeCount::Static(across as u32, count.div_ceil(across) as u32, 1);
    (count, CubeDim::new_1d(form.threads as u32))
}

fn empty(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, like.dtype)
}

type Five = (CubeTensor, CubeTensor, CubeTensor, CubeTensor, CubeTensor);

impl SpikingUnroll for CubeBackend {
    fn spiking_forward(
        images: FloatTensor<Self>,
        start: FloatTensor<Self>,
        atoms: FloatTensor<Self>,
        transposed: FloatTensor<Self>,
        precision: FloatTensor<Self>,
        homeostasis: FloatTensor<Self>,
        curvature: FloatTensor<Self>,
        spread: FloatTensor<Self>,
        step_size: FloatTensor<Self>,
        steps: SpikingSteps,
    ) -> Five {
        let ([batch, pixels], [_, latents]) = (images.shape().dims(), start.shape().dims::<2>());
        let form = form(batch, pixels, latents, &steps);
        let [tape, drawn, errors, sums, end] =
            forward_sizes([batch, pixels, latents], &steps).map(|shape| empty(&images, shape));
        if batch > 0 {
            let client = images.client.clone();
            let (count, dim) = groups(batch, form);
            let key = steps.key;
            spiking_forward_kernel::launch(
                &client,
                count,
                dim,
                into_contiguous(images).into_tensor_arg(),
                into_contiguous(start).into_tensor_arg(),
                into_contiguous(atoms).into_tensor_arg(),
                into_contiguous(transposed).into_tensor_arg(),
                into_contiguous(precision).into_tensor_arg(),
                into_contiguous(homeostasis).into_tensor_arg(),
                into_contiguous(curvature).into_tensor_arg(),
                into_contiguous(spread).into_tensor_arg(),
                into_contiguous(step_size).into_tensor_arg(),
                tape.clone().into_tensor_arg(),
                drawn.clone().into_tensor_arg(),
                errors.clone().into_tensor_arg(),
                sums.clone().into_tensor_arg(),
                end.clone().into_tensor_arg(),
                Draws::launched(steps.relaxation, key.seed, key.step),
                rule(&steps),
                key.stream.wrapping_add((steps.from as u32) << 8),
                key.first_element(&[batch, latents]),
                steps.steps as u32,
                form,
            );
        }
        (tape, drawn, errors, sums, end)
    }

    fn spiking_backward(
        tape: FloatTensor<Self>,
        drawn: FloatTensor<Self>,
        errors: FloatTensor<Self>,
        atoms: FloatTensor<Self>,
        transposed: FloatTensor<Self>,
        precision: FloatTensor<Self>,
        curvature: FloatTensor<Self>,
        spread: FloatTensor<Self>,
        step_size: FloatTensor<Self>,
        by_end: FloatTensor<Self>,
        steps: SpikingSteps,
    ) -> Five {
        let ([_, batch, pixels], [_, latents]) =
            (errors.shape().dims(), by_end.shape().dims::<2>());
        let form = form(batch, pixels, latents, &steps);
        let [pulled, by_decoded, by_latents, by_precision, by_step_size] =
            backward_sizes([batch, pixels, latents], &steps).map(|shape| empty(&errors, shape));
        if batch > 0 {
            let client = errors.client.clone();
            let (count, dim) = groups(batch, form);
            spiking_backward_kernel::launch(
                &client,
                count,
                dim,
                into_contiguous(tape).into_tensor_arg(),
                into_contiguous(drawn).into_tensor_arg(),
                into_contiguous(errors).into_tensor_arg(),
                into_contiguous(atoms).into_tensor_arg(),
                into_contiguous(transposed).into_tensor_arg(),
                into_contiguous(precision).into_tensor_arg(),
                into_contiguous(curvature).into_tensor_arg(),
                into_contiguous(spread).into_tensor_arg(),
                into_contiguous(step_size).into_tensor_arg(),
                into_contiguous(by_end).into_tensor_arg(),
                pulled.clone().into_tensor_arg(),
                by_decoded.clone().into_tensor_arg(),
                by_latents.clone().into_tensor_arg(),
                by_precision.clone().into_tensor_arg(),
                by_step_size.clone().into_tensor_arg(),
                rule(&steps),
                steps.steps as u32,
                form,
            );
        }
        (pulled, by_decoded, by_latents, by_precision, by_step_size)
    }
}
