//! Backward of the two scans: one scan in the other direction each, from what the forward pass gave.

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

use super::RecursiveElboScan;

#[derive(Debug)]
struct OptimalBack;

impl<B: RecursiveElboScan> Backward<B, 3> for OptimalBack {
    /// (λ, c) and ln p(s|s').
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (scanned, log_transition) = ops.state;
        let cotangent = grads.consume::<B>(&ops.node);
        let (l, i, a) = B::optimal_scan_backward(scanned, cotangent, log_transition);
        for (parent, gradient) in ops.parents.into_iter().zip([l, i, a]) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct GivenBack;

impl<B: RecursiveElboScan> Backward<B, 3> for GivenBack {
    /// (x, e), q and b.
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (scanned, belief, kernels) = ops.state;
        let cotangent = grads.consume::<B>(&ops.node);
        let (g, q, b) = B::given_scan_backward(scanned, cotangent, belief, kernels);
        for (parent, gradient) in ops.parents.into_iter().zip([g, q, b]) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + RecursiveElboScan, C: CheckpointStrategy> RecursiveElboScan for Autodiff<B, C> {
    fn optimal_scan(
        log_likelihood: FloatTensor<Self>,
        log_initial: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [
            log_likelihood.node(),
            log_initial.node(),
            log_transition.node(),
        ];
        let prepared = OptimalBack.prepare::<C>(nodes).compute_bound().stateful();
        let l = log_likelihood.into_primitive();
        let i = log_initial.into_primitive();
        let a = log_transition.into_primitive();
        let scanned = B::optimal_scan(l, i, a.clone());
        match prepared {
            OpsKind::Tracked(prep) => prep.finish((scanned.clone(), a), scanned),
            OpsKind::UnTracked(prep) => prep.finish(scanned),
        }
    }

    fn optimal_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (l, i, a) = B::optimal_scan_backward(
            scanned.into_primitive(),
            cotangent.into_primitive(),
            log_transition.into_primitive(),
        );
        (
            Self::from_inner(l),
            Self::from_inner(i),
            Self::from_inner(a),
        )
    }

    fn given_scan(
        gain: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [gain.node(), belief.node(), kernels.node()];
        let prepared = GivenBack.prepare::<C>(nodes).compute_bound().stateful();
        let g = gain.into_primitive();
        let q = belief.into_primitive();
        let b = kernels.into_primitive();
        let scanned = B::given_scan(g, q.clone(), b.clone());
        match prepared {
            OpsKind::Tracked(prep) => prep.finish((scanned.clone(), q, b), scanned),
            OpsKind::UnTracked(prep) => prep.finish(scanned),
        }
    }

    fn given_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (g, q, b) = B::given_scan_backward(
            scanned.into_primitive(),
            cotangent.into_primitive(),
            belief.into_primitive(),
            kernels.into_primitive(),
        );
        (
            Self::from_inner(g),
            Self::from_inner(q),
            Self::from_inner(b),
        )
    }
}
