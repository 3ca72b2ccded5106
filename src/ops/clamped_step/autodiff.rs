//! Backward of the clamped step: two products with the slopes of the forward pass.

use burn::backend::{
    AutodiffBackend, Backend,
    autodiff::{
        Autodiff,
        checkpoint::strategy::CheckpointStrategy,
        ops::{Backward, OpsKind},
    },
    tensor::FloatTensor,
};

use super::ClampedStep;
use crate::ops::two_slopes::TimesSlopes;

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
