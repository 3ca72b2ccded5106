//! Backward of the symmetric step: two products with the slopes of the forward pass.

use burn::backend::{
    AutodiffBackend, Backend,
    autodiff::{
        Autodiff,
        checkpoint::strategy::CheckpointStrategy,
        ops::{Backward, OpsKind},
    },
    tensor::FloatTensor,
};

use super::SymmetricStep;
use crate::ops::two_slopes::TimesSlopes;

impl<B: Backend + SymmetricStep, C: CheckpointStrategy> SymmetricStep for Autodiff<B, C> {
    fn symmetric_step(
        state: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_bound: f64,
        bound: f64,
    ) -> FloatTensor<Self> {
        match TimesSlopes
            .prepare::<C>([state.node(), drive.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let (u, d) = (state.into_primitive(), drive.into_primitive());
                let (next, slope, drive_slope) =
                    B::symmetric_step_with_slopes(u, d, drive_bound, bound);
                prep.finish((slope, drive_slope), next)
            }
            OpsKind::UnTracked(prep) => {
                let (u, d) = (state.into_primitive(), drive.into_primitive());
                prep.finish(B::symmetric_step(u, d, drive_bound, bound))
            }
        }
    }

    fn symmetric_step_with_slopes(
        state: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_bound: f64,
        bound: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (u, d) = (state.into_primitive(), drive.into_primitive());
        let (next, slope, drive_slope) = B::symmetric_step_with_slopes(u, d, drive_bound, bound);
        (
            Self::from_inner(next),
            Self::from_inner(slope),
            Self::from_inner(drive_slope),
        )
    }
}
