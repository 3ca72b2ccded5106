//! Backward of the clamped step: two products with the slopes of the forward pass.

use burn::backend::{
    AutodiffBackend, Backend,
    autodiff::{
        Autodiff,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::ClampedStep;

#[derive(Debug)]
struct TimesSlopes;

impl<B: Backend> Backward<B, 2> for TimesSlopes {
    /// Slopes with respect to the potential and to the drive.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [potential, drive] = ops.parents;
        let (slope, drive_slope) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = potential {
            grads.register::<B>(node.id, B::float_mul(grad.clone(), slope));
        }
        if let Some(node) = drive {
            grads.register::<B>(node.id, B::float_mul(grad, drive_slope));
        }
    }
}

impl<B: Backend + ClampedStep, C: CheckpointStrategy> ClampedStep for Autodiff<B, C> {
    fn clamped_step(
        potential: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_ceiling: f64,
        ceiling: f64,
    ) -> FloatTensor<Self> {
        match TimesSlopes
            .prepare::<C>([potential.node(), drive.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let (u, d) = (potential.into_primitive(), drive.into_primitive());
                let (next, slope, drive_slope) =
                    B::clamped_step_with_slopes(u, d, drive_ceiling, ceiling);
                prep.finish((slope, drive_slope), next)
            }
            OpsKind::UnTracked(prep) => {
                let (u, d) = (potential.into_primitive(), drive.into_primitive());
                prep.finish(B::clamped_step(u, d, drive_ceiling, ceiling))
            }
        }
    }

    fn clamped_step_with_slopes(
        potential: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_ceiling: f64,
        ceiling: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (u, d) = (potential.into_primitive(), drive.into_primitive());
        let (next, slope, drive_slope) = B::clamped_step_with_slopes(u, d, drive_ceiling, ceiling);
        (
            Self::from_inner(next),
            Self::from_inner(slope),
            Self::from_inner(drive_slope),
        )
    }
}
