//! Backward of an element-wise operation of two tensors: products with the two slopes of the forward pass.

use burn::backend::{
    Backend,
    autodiff::{
        checkpoint::base::Checkpointer,
        grads::Gradients,
        ops::{Backward, Ops},
    },
    tensor::FloatTensor,
};

#[derive(Debug)]
pub(crate) struct TimesSlopes;

impl<B: Backend> Backward<B, 2> for TimesSlopes {
    /// Slopes with respect to the first and to the second parent.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [first, second] = ops.parents;
        let (by_first, by_second) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = first {
            grads.register::<B>(node.id, B::float_mul(grad.clone(), by_first));
        }
        if let Some(node) = second {
            grads.register::<B>(node.id, B::float_mul(grad, by_second));
        }
    }
}

/// Implements an operation of two tensors (and numbers) for autodiff from its twin that gives both slopes:
/// `two_slopes!(Trait, operation, operation_with_slopes(first, second, number, …))`.
macro_rules! two_slopes {
    ($trait:ident, $operation:ident, $with_slopes:ident($first:ident, $second:ident $(, $number:ident)*)) => {
        impl<B, C> $trait for burn::backend::autodiff::Autodiff<B, C>
        where
            B: burn::backend::Backend + $trait,
            C: burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy,
        {
            fn $operation(
                $first: burn::backend::tensor::FloatTensor<Self>,
                $second: burn::backend::tensor::FloatTensor<Self>
                $(, $number: f64)*
            ) -> burn::backend::tensor::FloatTensor<Self> {
                use burn::backend::autodiff::ops::{Backward, OpsKind};
                let nodes = [$first.node(), $second.node()];
                let prepared = Backward::<B, 2>::prepare::<C>($crate::ops::two_slopes::TimesSlopes, nodes);
                match prepared.compute_bound().stateful() {
                    OpsKind::Tracked(prep) => {
                        let (a, b) = ($first.into_primitive(), $second.into_primitive());
                        let (value, by_first, by_second) = B::$with_slopes(a, b $(, $number)*);
                        prep.finish((by_first, by_second), value)
                    }
                    OpsKind::UnTracked(prep) => {
                        let (a, b) = ($first.into_primitive(), $second.into_primitive());
                        prep.finish(B::$operation(a, b $(, $number)*))
                    }
                }
            }

            fn $with_slopes(
                $first: burn::backend::tensor::FloatTensor<Self>,
                $second: burn::backend::tensor::FloatTensor<Self>
                $(, $number: f64)*
            ) -> (
                burn::backend::tensor::FloatTensor<Self>,
                burn::backend::tensor::FloatTensor<Self>,
                burn::backend::tensor::FloatTensor<Self>,
            ) {
                use burn::backend::AutodiffBackend as _;
                let (a, b) = ($first.into_primitive(), $second.into_primitive());
                let (value, by_first, by_second) = B::$with_slopes(a, b $(, $number)*);
                (
                    Self::from_inner(value),
                    Self::from_inner(by_first),
                    Self::from_inner(by_second),
                )
            }
        }
    };
}
pub(crate) use two_slopes;
