//! The recursive bound for given kernels and beliefs: tied, amortised or damped.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::{RecursiveElbo, RecursiveElboScan, checked};

/// Below e^this a probability is 0 in f32, and the product with its logarithm too.
const NOTHING: f64 = -1e4;

/// The recursive bound for given kernels b_t and beliefs q_t, a batch at once, differentiable with respect to all
/// five arguments: kernels and beliefs can be the output of a network, and learned by ascending the bound.
///
/// # Shapes
/// - `log_likelihood`, `log_initial`, `log_transition`: as in [`recursive_elbo`](super::recursive_elbo).
/// - `log_kernels`: ln b_t(s_{t−1} = s'|s_t = s) at `[.., t, s, s']`, normalised over s',
///   `[1 or batch, 1 or time, K, K]`: a 1 shares kernels over rows or times. Those of the first step are not read.
/// - `log_belief`: ln q_t(s), normalised over s, `[batch, time, K]`.
///
/// Kernels with weight where p(s|s') = 0 have a bound of −∞ and gradients of as much: such entries have to be −∞
/// in `log_kernels` too. A belief with weight where W_t(s) = −∞ has a bound of −∞, and so have all after it.
///
/// # Panics
/// As [`recursive_elbo`](super::recursive_elbo).
///
/// ```
/// use burn::tensor::{Device, Tensor, activation::log_softmax};
/// use scotopic::ops::{recursive_elbo, recursive_elbo_given};
/// let device = Device::flex();
/// let likelihood = Tensor::<3>::from_floats([[[0.8, 0.1], [0.7, 0.2], [0.3, 0.6]]], &device).log();
/// let transition = Tensor::<2>::from_floats([[0.9, 0.1], [0.1, 0.9]], &device).log();
/// let initial = Tensor::<2>::from_floats([[0.5, 0.5]], &device).log();
/// let best = recursive_elbo(likelihood.clone(), initial.clone(), transition.clone());
/// let bound = |kernels: Tensor<4>| {
///     let seen = recursive_elbo_given(
///         likelihood.clone(), initial.clone(), transition.clone(), kernels, best.log_belief.clone(),
///     );
///     seen.evidence().into_scalar::<f32>()
/// };
/// let evidence: f32 = best.evidence().into_scalar();
/// let optimal = best.kernels(transition.clone()).log();
/// assert!((bound(optimal) - evidence).abs() < 1e-5); // tight
/// assert!(bound(log_softmax(Tensor::zeros([1, 1, 2, 2], &device), 3)) < evidence); // a bound
/// ```
pub fn recursive_elbo_given(
    log_likelihood: Tensor<3>,
    log_initial: Tensor<2>,
    log_transition: Tensor<2>,
    log_kernels: Tensor<4>,
    log_belief: Tensor<3>,
) -> RecursiveElbo {
    let [batch, time, k] = log_likelihood.dims();
    let size = [batch, time, k];
    let log_initial = checked("recursive_elbo_given", size, log_initial, &log_transition);
    assert_eq!(
        log_belief.dims(),
        size,
        "recursive_elbo_given: the shape of log_belief"
    );
    let [rows, steps, to, from] = log_kernels.dims();
    assert!(
        [to, from] == [k, k] && (rows == 1 || rows == batch) && (steps == 1 || steps == time),
        "recursive_elbo_given: log_kernels is {:?}, expected [1 or {batch}, 1 or {time}, {k}, {k}]",
        [rows, steps, to, from]
    );
    let kernels = log_kernels.clone().exp();
    let mut before = log_initial.reshape([batch, 1, k]);
    if time > 1 {
        let reward = reward(kernels.clone(), log_kernels, log_transition); // [rows, steps, K]
        let reward = if steps == 1 {
            reward
        } else {
            reward.slice([0..rows, 1..time, 0..k])
        };
        before = Tensor::cat(vec![before, reward.expand([batch, time - 1, k])], 1);
    }
    let belief = log_belief.clone().exp();
    let entropy = entropy(&belief, &log_belief); // [batch, time, 1]
    let scanned = Tensor::<3>::from_dispatch(<Dispatch as RecursiveElboScan>::given_scan(
        (log_likelihood + before).into_dispatch(),
        belief.into_dispatch(),
        kernels.into_dispatch(),
    ));
    let mut increments = scanned.clone().slice([0..batch, 0..time, k..k + 1]) + entropy.clone();
    if time > 1 {
        let before = entropy.clone().slice([0..batch, 0..time - 1, 0..1]);
        let none = before.clone().slice([0..batch, 0..1, 0..1]).zeros_like();
        increments = increments - Tensor::cat(vec![none, before], 1);
    }
    RecursiveElbo {
        increments: increments.reshape([batch, time]),
        relative_value: scanned.slice([0..batch, 0..time, 0..k]) - entropy,
        log_belief,
    }
}

/// Σ_{s'} b_t(s'|s) [ln p(s|s') − ln b_t(s'|s)], `[rows, steps, K]`; −∞ for a state that has nothing before it.
fn reward(kernels: Tensor<4>, log_kernels: Tensor<4>, log_transition: Tensor<2>) -> Tensor<3> {
    let [rows, steps, k, _] = kernels.dims();
    let unused = log_kernels.clone().lower_elem(NOTHING);
    let log_transition = log_transition.transpose().reshape([1, 1, k, k]);
    // Both are filled before they meet: −∞ − (−∞) has neither a value nor a gradient.
    let log_transition = log_transition
        .expand([rows, steps, k, k])
        .mask_fill(unused.clone(), 0.0);
    let each = log_transition - log_kernels.mask_fill(unused.clone(), 0.0);
    let nowhere = unused.float().sum_dim(3).equal_elem(k as f64);
    let sum = (kernels * each).sum_dim(3);
    sum.mask_fill(nowhere, f64::NEG_INFINITY)
        .reshape([rows, steps, k])
}

/// H[q_t] = −Σ q ln q, `[batch, time, 1]`.
fn entropy(belief: &Tensor<3>, log_belief: &Tensor<3>) -> Tensor<3> {
    let unused = log_belief.clone().lower_elem(NOTHING);
    let log_belief = log_belief.clone().mask_fill(unused, 0.0);
    (belief.clone() * log_belief).sum_dim(2).neg()
}
