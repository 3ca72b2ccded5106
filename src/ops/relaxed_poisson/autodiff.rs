//! Backward of the relaxed sample: the gradient times dz/du, which the forward pass already has.

use burn::backend::{
    Backend,
    autodiff::{
        Autodiff,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::{Relaxation, RelaxedPoisson};
use burn::backend::AutodiffBackend;

#[derive(Debug)]
struct TimesSlope;

impl<B: Backend> Backward<B, 1> for TimesSlope {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, B::float_mul(grad, ops.state));
        }
    }
}

impl<B: Backend + RelaxedPoisson, C: CheckpointStrategy> RelaxedPoisson for Autodiff<B, C> {
    fn relaxed_poisson(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self> {
        if relaxation.temperature <= 0.0 {
            // A count does not move with its rate: a constant of the graph.
            let u = log_rate.into_primitive();
            let counts = B::relaxed_poisson(u, relaxation, seed, stream, step, first);
            return Self::from_inner(counts);
        }
        match TimesSlope
            .prepare::<C>([log_rate.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let u = log_rate.into_primitive();
                let (z, slope) =
                    B::relaxed_poisson_with_slope(u, relaxation, seed, stream, step, first);
                prep.finish(slope, z)
            }
            OpsKind::UnTracked(prep) => {
                let u = log_rate.into_primitive();
                prep.finish(B::relaxed_poisson(u, relaxation, seed, stream, step, first))
            }
        }
    }

    fn relaxed_poisson_with_slope(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let u = log_rate.into_primitive();
        let (z, slope) = B::relaxed_poisson_with_slope(u, relaxation, seed, stream, step, first);
        (Self::from_inner(z), Self::from_inner(slope))
    }
}
