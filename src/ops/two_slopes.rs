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
