//! Backward of the implicit step: two products with the slopes of the forward pass.

use burn::backend::{
    AutodiffBackend, Backend,
    autodiff::{
        Autodiff,
        checkpoint::strategy::CheckpointStrategy,
        ops::{Backward, OpsKind},
    },
    tensor::FloatTensor,
};

use super::ImplicitStep;
use crate::ops::two_slopes::TimesSlopes;

impl<B: Backend + ImplicitStep, C: CheckpointStrategy> ImplicitStep for Autodiff<B, C> {
    fn implicit_step(explicit: FloatTensor<Self>, gain: FloatTensor<Self>) -> FloatTensor<Self> {
        match TimesSlopes
            .prepare::<C>([explicit.node(), gain.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let (s, a) = (explicit.into_primitive(), gain.into_primitive());
                let (step, by_explicit, by_gain) = B::implicit_step_with_slopes(s, a);
                prep.finish((by_explicit, by_gain), step)
            }
            OpsKind::UnTracked(prep) => {
                let (s, a) = (explicit.into_primitive(), gain.into_primitive());
                prep.finish(B::implicit_step(s, a))
            }
        }
    }

    fn implicit_step_with_slopes(
        explicit: FloatTensor<Self>,
        gain: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (s, a) = (explicit.into_primitive(), gain.into_primitive());
        let (step, by_explicit, by_gain) = B::implicit_step_with_slopes(s, a);
        (
            Self::from_inner(step),
            Self::from_inner(by_explicit),
            Self::from_inner(by_gain),
        )
    }
}
