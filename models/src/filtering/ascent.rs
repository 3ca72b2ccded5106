//! Step rules: Adam (Kingma and Ba 2015) on a list of tensors.

use burn::tensor::Tensor;

/// Forgetting of the mean slope.
const FIRST: f64 = 0.9;
/// Forgetting of the mean square. Shorter than the authors' 0.999: a fit lasts some hundred iterations, and its slopes
/// shrink by orders of magnitude on the way.
const SECOND: f64 = 0.99;
/// Keeps the quotient finite, far below any slope that matters.
const EPSILON: f64 = 1e-8;

/// The state of the ascent of one fit.
#[derive(Debug, Default)]
pub(super) struct Adam {
    moments: Vec<[Tensor<2>; 2]>,
    steps: i32,
}

impl Adam {
    /// parameters + rate · slope over its root mean square; a list is always the same parameters in the same order.
    pub fn ascend(
        &mut self,
        parameters: Vec<Tensor<2>>,
        slopes: Vec<Tensor<2>>,
        rate: f64,
    ) -> Vec<Tensor<2>> {
        if self.moments.is_empty() {
            let zero = |s: &Tensor<2>| [s.zeros_like(), s.zeros_like()];
            self.moments = slopes.iter().map(zero).collect();
        }
        self.steps += 1;
        let unbias = |forgetting: f64| 1.0 / (1.0 - forgetting.powi(self.steps));
        let (rate, spread) = (rate * unbias(FIRST), unbias(SECOND));
        let step = |((p, g), moments): ((Tensor<2>, Tensor<2>), &mut [Tensor<2>; 2])| {
            let [mean, square] = moments;
            *mean = mean.clone() * FIRST + g.clone() * (1.0 - FIRST);
            *square = square.clone() * SECOND + g.square() * (1.0 - SECOND);
            p + mean.clone() * rate / ((square.clone() * spread).sqrt() + EPSILON)
        };
        let pairs = parameters.into_iter().zip(slopes);
        pairs.zip(&mut self.moments).map(step).collect()
    }
}

/// Leaves of a graph: the same numbers, with gradients.
pub(super) fn leaves(parameters: &[Tensor<2>]) -> Vec<Tensor<2>> {
    let leaf = |p: &Tensor<2>| p.clone().autodiff().require_grad();
    parameters.iter().map(leaf).collect()
}

/// The slopes of `objective` by `leaves`; zero for a leaf that it does not depend on.
pub(super) fn slopes(objective: Tensor<1>, leaves: &[Tensor<2>]) -> Vec<Tensor<2>> {
    let mut gradients = objective.backward();
    let slope = |leaf: &Tensor<2>| {
        let found = leaf.grad_remove(&mut gradients);
        found.unwrap_or_else(|| leaf.clone().inner().zeros_like())
    };
    leaves.iter().map(slope).collect()
}
