//! T steps of spiking inference over a linear decoder, forward and backward, in one launch each: what
//! [`fused`](crate::fused) is on a CPU.
//!
//! One work group takes a few rows of the batch through all of time. The state of a neuron stays with the thread that
//! owns it; spikes and prediction errors, which every thread reads, lie in the memory that the group shares; Φ comes from
//! the cache of the device. A step composed of tensor operations launches some seventy kernels, whose launches take
//! longer than what they compute.
//!
//! Forward, for every inference step: prior u_p = u; N refinements with spikes z ~ q(·; u), e = π(x − Φz), u ← u'(u, s, ηH),
//! s = −η(eᵇ − Φᵀe + β_in(u − u_p)); a fresh sample z' that is scored, e' = π(x − Φz'). Backward is its mirror
//! ([`fused::backward`](crate::fused) has the formulas), and leaves the factors of ∂L/∂Φᵀ = Σ q eᵀ + z wᵀ + z' w'ᵀ.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::{Shape, Tensor};

mod cube;
mod steps;

pub(crate) use cube::fits;
pub use steps::SpikingSteps;

/// The backend side of spiking inference as one piece, on GPUs.
///
/// T is [`SpikingSteps::steps`], N the refinements of each; every sum is over the steps of the call.
#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "cube"))]
pub trait SpikingUnroll: Backend {
    /// From x `[batch, pixels]`, u `[batch, latent]`, Φᵀ `[latent, pixels]`, Φ `[pixels, latent]`, π `[pixels]`, eᵇ, ηH and H
    /// `[latent]` (the last two anything where they are not used), η `[1]`:
    ///
    /// 1. the tape, `[NT + 1 + 5NT + T, batch, latent]`: potentials before, and after every refinement; of every refinement
    ///    s, ∂u'/∂u, ∂u'/∂s, ∂u'/∂(ηH), dz/du; of every fresh sample dz'/du;
    /// 2. z and then z', `[NT + T, batch, latent]`;
    /// 3. e and then e', `[NT + T, batch, pixels]`;
    /// 4. ½‖x − Φz'‖²/σ² and KL, `[batch, 2]`;
    /// 5. the potential at the end, `[batch, latent]`.
    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    #[fusion(meta = forward_shapes)]
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
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );

    /// From the first three of those, the parameters, and the gradient by the potential at the end, `[batch, latent]`:
    ///
    /// 1. q, `[NT, batch, latent]`;
    /// 2. w and then w', `[NT + T, batch, pixels]`;
    /// 3. the gradients by the potential at the beginning, eᵇ, ηH and H, `[4, batch, latent]`;
    /// 4. that by π, `[batch, pixels]`;
    /// 5. η² times that by η, `[batch, 1]`.
    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    #[fusion(meta = backward_shapes)]
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
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );
}

/// The parameters of a spiking network, outside of autodiff.
#[derive(Debug, Clone)]
pub(crate) struct SpikingTensors {
    /// Φᵀ, `[latent, pixels]`.
    pub(crate) atoms: Tensor<2>,
    /// Φ, `[pixels, latent]`.
    pub(crate) transposed: Tensor<2>,
    /// π, `[1, pixels]`.
    pub(crate) precision: Tensor<2>,
    /// eᵇ, `[1, latent]`.
    pub(crate) homeostasis: Tensor<2>,
    /// ηH, `[1, latent]`; anything where the step is explicit.
    pub(crate) curvature: Tensor<2>,
    /// H, `[1, latent]`; anything where the score is not exact.
    pub(crate) spread: Tensor<2>,
    /// η, `[1, 1]`.
    pub(crate) step_size: Tensor<2>,
}

/// What a forward pass gives; shapes at [`SpikingUnroll::spiking_forward`].
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    tape: Tensor<3>,
    /// z and then z'.
    pub(crate) drawn: Tensor<3>,
    /// e and then e'.
    pub(crate) errors: Tensor<3>,
    /// Both terms of each datum, over all steps.
    pub(crate) sums: Tensor<2>,
    /// The potential at the end.
    pub(crate) end: Tensor<2>,
}

/// What a backward pass gives; shapes at [`SpikingUnroll::spiking_backward`].
#[derive(Debug, Clone)]
pub(crate) struct Backward {
    /// q.
    pub(crate) pulled: Tensor<3>,
    /// w and then w'.
    pub(crate) by_decoded: Tensor<3>,
    /// By the potential at the beginning, eᵇ, ηH and H.
    pub(crate) by_latents: Tensor<3>,
    /// By π.
    pub(crate) by_precision: Tensor<2>,
    /// η² times that by η.
    pub(crate) by_step_size: Tensor<2>,
}

/// Some steps of inference; `images` `[batch, pixels]`, `start` `[batch, latent]`, all tensors on a GPU and in f32.
pub(crate) fn spiking_forward(
    images: Tensor<2>,
    start: Tensor<2>,
    network: &SpikingTensors,
    steps: SpikingSteps,
) -> Forward {
    let network = network.clone();
    let (tape, drawn, errors, sums, end) = <Dispatch as SpikingUnroll>::spiking_forward(
        images.into_dispatch(),
        start.into_dispatch(),
        network.atoms.into_dispatch(),
        network.transposed.into_dispatch(),
        network.precision.into_dispatch(),
        network.homeostasis.into_dispatch(),
        network.curvature.into_dispatch(),
        network.spread.into_dispatch(),
        network.step_size.into_dispatch(),
        steps,
    );
    Forward {
        tape: Tensor::from_dispatch(tape),
        drawn: Tensor::from_dispatch(drawn),
        errors: Tensor::from_dispatch(errors),
        sums: Tensor::from_dispatch(sums),
        end: Tensor::from_dispatch(end),
    }
}

/// The same steps backward; `by_end` is the gradient by the potential at their end, `[batch, latent]`.
pub(crate) fn spiking_backward(
    forward: &Forward,
    network: &SpikingTensors,
    by_end: Tensor<2>,
    steps: SpikingSteps,
) -> Backward {
    let (forward, network) = (forward.clone(), network.clone());
    let (pulled, by_decoded, by_latents, by_precision, by_step_size) =
        <Dispatch as SpikingUnroll>::spiking_backward(
            forward.tape.into_dispatch(),
            forward.drawn.into_dispatch(),
            forward.errors.into_dispatch(),
            network.atoms.into_dispatch(),
            network.transposed.into_dispatch(),
            network.precision.into_dispatch(),
            network.curvature.into_dispatch(),
            network.spread.into_dispatch(),
            network.step_size.into_dispatch(),
            by_end.into_dispatch(),
            steps,
        );
    Backward {
        pulled: Tensor::from_dispatch(pulled),
        by_decoded: Tensor::from_dispatch(by_decoded),
        by_latents: Tensor::from_dispatch(by_latents),
        by_precision: Tensor::from_dispatch(by_precision),
        by_step_size: Tensor::from_dispatch(by_step_size),
    }
}

/// Rows of `[latent]` of each datum on the tape.
pub(crate) fn tape_rows(steps: usize, inner_iterations: usize) -> usize {
    6 * steps * inner_iterations + 1 + steps
}

/// What a forward pass gives, of x and u.
fn forward_sizes([batch, pixels, latents]: [usize; 3], steps: &SpikingSteps) -> [Shape; 5] {
    let refinements = steps.steps * steps.inner_iterations;
    let samples = refinements + steps.steps;
    [
        Shape::new([
            tape_rows(steps.steps, steps.inner_iterations),
            batch,
            latents,
        ]),
        Shape::new([samples, batch, latents]),
        Shape::new([samples, batch, pixels]),
        Shape::new([batch, 2]),
        Shape::new([batch, latents]),
    ]
}

/// What a backward pass gives.
fn backward_sizes([batch, pixels, latents]: [usize; 3], steps: &SpikingSteps) -> [Shape; 5] {
    let refinements = steps.steps * steps.inner_iterations;
    [
        Shape::new([refinements, batch, latents]),
        Shape::new([refinements + steps.steps, batch, pixels]),
        Shape::new([4, batch, latents]),
        Shape::new([batch, pixels]),
        Shape::new([batch, 1]),
    ]
}

type FiveSpecs = (TensorSpec, TensorSpec, TensorSpec, TensorSpec, TensorSpec);

fn specs(sizes: [Shape; 5], like: &TensorSpec) -> FiveSpecs {
    let [a, b, c, d, e] = sizes.map(|shape| TensorSpec::new(shape, like.dtype));
    (a, b, c, d, e)
}

#[allow(clippy::too_many_arguments)]
fn forward_shapes(
    images: &TensorSpec,
    start: &TensorSpec,
    _atoms: &TensorSpec,
    _transposed: &TensorSpec,
    _precision: &TensorSpec,
    _homeostasis: &TensorSpec,
    _curvature: &TensorSpec,
    _spread: &TensorSpec,
    _step_size: &TensorSpec,
    steps: &SpikingSteps,
) -> FiveSpecs {
    let ([batch, pixels], [_, latents]) = (images.shape.dims(), start.shape.dims::<2>());
    specs(forward_sizes([batch, pixels, latents], steps), images)
}

#[allow(clippy::too_many_arguments)]
fn backward_shapes(
    _tape: &TensorSpec,
    _drawn: &TensorSpec,
    errors: &TensorSpec,
    _atoms: &TensorSpec,
    _transposed: &TensorSpec,
    _precision: &TensorSpec,
    _curvature: &TensorSpec,
    _spread: &TensorSpec,
    _step_size: &TensorSpec,
    by_end: &TensorSpec,
    steps: &SpikingSteps,
) -> FiveSpecs {
    let ([_, batch, pixels], [_, latents]) = (errors.shape.dims(), by_end.shape.dims::<2>());
    specs(backward_sizes([batch, pixels, latents], steps), errors)
}
