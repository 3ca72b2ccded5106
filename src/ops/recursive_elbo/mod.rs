//! The recursive evidence lower bound of a hidden Markov model: one scan along time for a whole batch.
//!
//! With the posterior factorised backwards, q(s_1…s_τ) = q_τ(s_τ) ∏ b_t(s_{t−1}|s_t), the bound obeys a recursion
//! forward in time (H. Bazargani, S. Urbas, K. Friston 2023, arXiv 2307.08613; A. Campbell et al. 2021, arXiv
//! 2110.13549):
//!
//! ```text
//! W_1(s) = ln p(s) + ℓ_1(s)                                    ℓ_t(s) = ln p(o_t|s), 0 where nothing was seen
//! W_t(s) = ℓ_t(s) + Σ_{s'} b_t(s'|s) [W_{t−1}(s') + ln p(s|s') − ln b_t(s'|s)]                         (F3)
//! L_t    = Σ_s q_t(s) [W_t(s) − ln q_t(s)]
//! ```
//!
//! W falls by nats per observation without end, so what is carried is its distance from the bound, λ_t = W_t − L_t,
//! and what is given out is the increments c_t = L_t − L_{t−1}, L_0 = 0: f32 keeps its digits however long the
//! sequence, and how c is summed is up to the caller.
//!
//! # Optimal kernels: [`recursive_elbo`]
//! With b_t(s'|s) ∝ e^{λ_{t−1}(s')} p(s|s') and q_t = e^{λ_t} the bound is the log evidence, q_t the filter:
//!
//! ```text
//! w_t(s) = ℓ_t(s) + ln Σ_{s'} e^{λ_{t−1}(s')} p(s|s')          [t = 1: ln p(s) + ℓ_1(s)]
//! c_t    = ln Σ_s e^{w_t(s)} = ln p(o_t|o_<t),     λ_t = w_t − c_t
//! ```
//!
//! Backward. Let ḡ, c̄ be the gradients with respect to λ_t and c_t, and r_t what the steps after t add to ḡ. Then
//!
//! ```text
//! λ̄    = ḡ_t + r_t                                             (r_T = 0)
//! w̄(s) = λ̄(s) + q_t(s) (c̄_t − Σ λ̄)                            gradient with respect to ℓ_t; at t = 1 also to ln p(s_1)
//! b_t(s'|s) = q_{t−1}(s') p(s|s') / Σ_{s'} q_{t−1}(s') p(s|s')
//! r_{t−1}(s') = Σ_s w̄(s) b_t(s'|s),     gradient with respect to ln p(s|s') += w̄(s) b_t(s'|s)
//! ```
//!
//! For c̄ = 1, ḡ = 0 this is the smoother: the gradient of the log evidence with respect to ℓ is p(s_t|o_1…o_T), and
//! with respect to ln p(s|s') the expected number of transitions. Kept for it are λ, c and the transition.
//!
//! # Given kernels: [`recursive_elbo_given`]
//! For kernels and beliefs from elsewhere (tied, amortised, damped) the bound is looser and linear in W:
//!
//! ```text
//! g_t(s) = ℓ_t(s) + Σ_{s'} b_t(s'|s) [ln p(s|s') − ln b_t(s'|s)]     [t = 1: ln p(s) + ℓ_1(s)], composed of tensor operations
//! y_t(s) = g_t(s) + Σ_{s'} b_t(s'|s) x_{t−1}(s')
//! e_t    = Σ_s q_t(s) y_t(s),     x_t = y_t − e_t = W_t − E_{q_t}[W_t]
//! L_t    = Σ_{u≤t} e_u + H[q_t],  c_t = e_t + H[q_t] − H[q_{t−1}],  λ_t = x_t − H[q_t]
//! ```
//!
//! Backward, with x̄, ē the gradients with respect to x_t, e_t and r_t as above:
//!
//! ```text
//! ȳ(s) = X(s) + q_t(s) E,   X = x̄_t + r_t,   E = ē_t − Σ X     gradient with respect to g_t
//! r_{t−1}(s') = Σ_s ȳ(s) b_t(s'|s),   by b_t(s'|s): ȳ(s) x_{t−1}(s'),   by q_t(s): y_t(s) E
//! ```
//!
//! # What is impossible
//! −∞ is a structural zero in any argument, and gives neither NaN nor a gradient. An observation that no
//! reachable state could have made has c_t = −∞, and the belief continues as if it had not been observed. What is
//! not a number stays so from there on.
//!
//! | subject | file |
//! |---|---|
//! | W, V, beliefs, kernels from the scan | `outcome.rs` |
//! | bounds for given kernels | `given.rs` |
//! | a row on a CPU | `optimal_rows/`, `given_rows.rs`, `lanes.rs` |
//! | a batch on a CPU | `processor.rs` |
//! | a batch on a GPU | `cube/` |
//! | backward | `autodiff.rs` |
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[cfg(feature = "cube")]
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
#[cfg(feature = "cube")]
use burn::tensor::Shape;
use burn::tensor::Tensor;

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod given;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod given_rows;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod lanes;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod optimal_rows;
mod outcome;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod processor;

pub use given::recursive_elbo_given;
pub use outcome::RecursiveElbo;

/// The most states K that the GPU kernels take: six numbers per state must fit the memory that a work group
/// shares, of which every GPU has 16 KiB.
pub const MOST_STATES_ON_GPU: usize = 512;

/// The backend side of [`recursive_elbo`] and [`recursive_elbo_given`]; implemented for every backend of this crate.
///
/// The two outputs of a scan are one tensor `[batch, time, K + 1]`: K numbers per state, then one per step.
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait RecursiveElboScan: Backend {
    /// (λ, c) `[batch, time, K + 1]` from ℓ `[batch, time, K]`, ln p(s_1) `[batch, K]`, ln p(s|s') `[K, K]`.
    #[fusion(dtype = log_likelihood, shape = with_step(log_likelihood))]
    fn optimal_scan(
        log_likelihood: FloatTensor<Self>,
        log_initial: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Gradients with respect to the arguments of [`RecursiveElboScan::optimal_scan`], in their order, from its
    /// result, the gradient with respect to that, and ln p(s|s').
    #[fusion(meta = optimal_gradients)]
    fn optimal_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// (x, e) `[batch, time, K + 1]` from g and q `[batch, time, K]`, b `[1 or batch, 1 or time, K, K]`.
    #[fusion(dtype = gain, shape = with_step(gain))]
    fn given_scan(
        gain: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Gradients with respect to the arguments of [`RecursiveElboScan::given_scan`], in their order, from its
    /// result, the gradient with respect to that, q and b.
    #[fusion(meta = given_gradients)]
    fn given_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// `[batch, time, K + 1]` for `[batch, time, K]`.
#[cfg(feature = "cube")]
fn with_step(states: &Shape) -> Shape {
    let [batch, time, k] = states.dims();
    Shape::new([batch, time, k + 1])
}

/// `[batch, time, K]` for `[batch, time, K + 1]`.
#[cfg(feature = "cube")]
fn without_step(scanned: &Shape) -> [usize; 3] {
    let [batch, time, more] = scanned.dims();
    [batch, time, more - 1]
}

#[cfg(feature = "cube")]
fn optimal_gradients(
    scanned: &TensorSpec,
    _cotangent: &TensorSpec,
    _log_transition: &TensorSpec,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let [batch, time, k] = without_step(&scanned.shape);
    (
        TensorSpec::new(Shape::new([batch, time, k]), scanned.dtype),
        TensorSpec::new(Shape::new([batch, k]), scanned.dtype),
        TensorSpec::new(Shape::new([k, k]), scanned.dtype),
    )
}

#[cfg(feature = "cube")]
fn given_gradients(
    _scanned: &TensorSpec,
    _cotangent: &TensorSpec,
    belief: &TensorSpec,
    kernels: &TensorSpec,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    (belief.clone(), belief.clone(), kernels.clone())
}

/// The recursive bound with optimal kernels: filter and log evidence of a hidden Markov model, a batch at once,
/// differentiable with respect to all three arguments.
///
/// # Shapes
/// - `log_likelihood`: ℓ_t(s) = ln p(o_t|s), `[batch, time, K]`, in nats; a row of zeros where nothing was seen.
/// - `log_initial`: ln p(s_1), `[1, K]`, or `[batch, K]` where every row starts differently (see
///   [`RecursiveElbo::carried`]).
/// - `log_transition`: ln p(s_t = j|s_{t−1} = i) at `[i, j]`, `[K, K]`.
///
/// Probabilities come normalised: `log_softmax` of logits is the usual way, through which gradients go on to the
/// logits. −∞ is a structural zero.
///
/// # Panics
/// Where shapes or precisions do not fit each other; where K or time is 0; on a GPU where K is above
/// [`MOST_STATES_ON_GPU`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::recursive_elbo;
/// let device = Device::flex().autodiff();
/// // Two states that stay with probability 0.9; three observations, the middle one missing.
/// let likelihood = Tensor::<3>::from_floats([[[0.8, 0.1], [1.0, 1.0], [0.3, 0.6]]], &device);
/// let transition = Tensor::<2>::from_floats([[0.9, 0.1], [0.1, 0.9]], &device).log().require_grad();
/// let initial = Tensor::<2>::from_floats([[0.5, 0.5]], &device).log();
/// let seen = recursive_elbo(likelihood.log(), initial, transition.clone());
/// let first: f32 = seen.increments.clone().slice([0..1, 0..1]).exp().into_scalar();
/// assert!((first - 0.45).abs() < 1e-6); // 0.5·0.8 + 0.5·0.1
/// let counts = transition.grad(&seen.increments.sum().backward()).unwrap();
/// let transitions: f32 = counts.sum().into_scalar();
/// assert!((transitions - 2.0).abs() < 1e-5); // the gradient is the expected number of transitions
/// ```
pub fn recursive_elbo(
    log_likelihood: Tensor<3>,
    log_initial: Tensor<2>,
    log_transition: Tensor<2>,
) -> RecursiveElbo {
    let [batch, time, k] = log_likelihood.dims();
    let log_initial = checked(
        "recursive_elbo",
        [batch, time, k],
        log_initial,
        &log_transition,
    );
    let scanned = Tensor::<3>::from_dispatch(<Dispatch as RecursiveElboScan>::optimal_scan(
        log_likelihood.into_dispatch(),
        log_initial.into_dispatch(),
        log_transition.into_dispatch(),
    ));
    let relative_value = scanned.clone().slice([0..batch, 0..time, 0..k]);
    RecursiveElbo {
        increments: scanned
            .slice([0..batch, 0..time, k..k + 1])
            .reshape([batch, time]),
        log_belief: relative_value.clone(),
        relative_value,
    }
}

/// ln p(s_1) for every row, after a look at the shapes.
fn checked(
    function: &str,
    [batch, time, k]: [usize; 3],
    log_initial: Tensor<2>,
    log_transition: &Tensor<2>,
) -> Tensor<2> {
    assert!(
        k > 0 && time > 0,
        "{function}: log_likelihood is {:?}; a state and a time step are the least",
        [batch, time, k]
    );
    assert_eq!(
        log_transition.dims(),
        [k, k],
        "{function}: the shape of log_transition for K = {k} states"
    );
    let [rows, states] = log_initial.dims();
    assert!(
        states == k && (rows == 1 || rows == batch),
        "{function}: log_initial is {:?}, expected [1 or {batch}, {k}]",
        [rows, states]
    );
    if rows == batch {
        log_initial
    } else {
        log_initial.expand([batch, k])
    }
}
