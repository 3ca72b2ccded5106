//! The kernels, in CubeCL.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn::tensor::Shape;
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::prelude::*;

use super::{SpikingSteps, SpikingUnroll, backward_sizes, forward_sizes};
use crate::ops::relaxed_poisson::cube::Draws;
use backward::spiking_backward_kernel;
use form::Form;
use forward::spiking_forward_kernel;
use neuron::RuleLaunch;

mod backward;
mod form;
mod forward;
mod neuron;
mod product;

pub(crate) use form::fits;

/// A bound that is none.
const NO_CEILING: f32 = 1.0e30;

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
        let form = Form::of([batch, pixels, latents], &steps);
        let [tape, drawn, errors, sums, end] =
            forward_sizes([batch, pixels, latents], &steps).map(|shape| empty(&images, shape));
        if batch > 0 {
            let client = images.client.clone();
            let (count, dim) = form.groups(batch);
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
        let form = Form::of([batch, pixels, latents], &steps);
        let [pulled, by_decoded, by_latents, by_precision, by_step_size] =
            backward_sizes([batch, pixels, latents], &steps).map(|shape| empty(&errors, shape));
        if batch > 0 {
            let client = errors.client.clone();
            let (count, dim) = form.groups(batch);
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
