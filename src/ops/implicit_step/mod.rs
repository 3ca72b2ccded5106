//! A step of a log-rate whose self-inhibition is evaluated at the end of the step, not at its start.
//!
//! ```text
//! d + a·(e^d − 1) = s            s = −η·∇, the explicit step;  a = η·λ·H ≥ 0
//! ∂d/∂s = 1/(1 + a·e^d),   ∂d/∂a = −(e^d − 1)/(1 + a·e^d)
//! ```
//!
//! The left side grows with d without end on both sides, so there is exactly one solution; it has the
//! sign of s and is never larger than s. For a → 0 it is the explicit step. What the equation is for
//! is described at [`StepForm::Proximal`](crate::inference::StepForm::Proximal).
//!
//! With w = a·e^d it reads w + ln w = y, y = ln a + a + s, and for y ≥ 1 w = y − ln y to 15 %: that is where
//! Newton's method starts. The left side is convex, so it comes down from the right of the solution without
//! overshooting; for y < 1 it starts from the smallest of three bounds on that side, a + s, max(s, 0) and −ln a,
//! at most 0.6 away. Four iterations reach the precision of f32 anywhere. (From 0 it would go at most 1 an
//! iteration, and where an input is taken away, s = −a, the way is about ln a.)
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use crate::ops::two_slopes::two_slopes;

#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod processor;

/// Newton iterations in f32.
pub const ITERATIONS: usize = 4;

/// Keeps the logarithm of a gain of 0 finite.
pub const SMALLEST: f64 = 1e-37;

/// e^d is not followed beyond this d, where f32 would overflow; a soft ceiling comes far below.
pub const LARGEST: f64 = 80.0;

/// The backend side of [`implicit_step()`]; the body given here is the composed version.
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait ImplicitStep: Backend {
    /// The step and its slopes with respect to `explicit` and to `gain`.
    #[fusion(default)]
    fn implicit_step_with_slopes(
        explicit: FloatTensor<Self>,
        gain: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let grown =
            |d: FloatTensor<Self>| Self::float_exp(Self::float_clamp_max(d, LARGEST.into()));
        // min(a, b) = a − max(a − b, 0).
        let least = |a: FloatTensor<Self>, b: FloatTensor<Self>| {
            let surplus = Self::float_clamp_min(Self::float_sub(a.clone(), b), 0.0.into());
            Self::float_sub(a, surplus)
        };
        let log_gain = Self::float_log(Self::float_add_scalar(gain.clone(), SMALLEST.into()));
        let sum = Self::float_add(gain.clone(), explicit.clone());
        let y = Self::float_add(log_gain.clone(), sum.clone());
        let y = Self::float_clamp_min(y, 1.0.into());
        let pull = Self::float_sub(y.clone(), Self::float_log(y));
        let near = Self::float_sub(Self::float_log(pull), log_gain);
        let positive = Self::float_clamp_min(explicit.clone(), 0.0.into());
        let mut d = least(least(near, sum), positive);
        for _ in 0..ITERATIONS {
            let pull = Self::float_mul(gain.clone(), grown(d.clone()));
            let excess = Self::float_sub(
                Self::float_add(d.clone(), Self::float_sub(pull.clone(), gain.clone())),
                explicit.clone(),
            );
            let slope = Self::float_add_scalar(pull, 1.0.into());
            d = Self::float_sub(d, Self::float_div(excess, slope));
        }
        let e = grown(d.clone());
        let by_explicit = Self::float_recip(Self::float_add_scalar(
            Self::float_mul(gain, e.clone()),
            1.0.into(),
        ));
        let by_gain = Self::float_mul(
            Self::float_neg(Self::float_sub_scalar(e, 1.0.into())),
            by_explicit.clone(),
        );
        (d, by_explicit, by_gain)
    }

    /// The step alone.
    #[fusion(default)]
    fn implicit_step(explicit: FloatTensor<Self>, gain: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::implicit_step_with_slopes(explicit, gain).0
    }
}

two_slopes!(
    ImplicitStep,
    implicit_step,
    implicit_step_with_slopes(explicit, gain)
);

// The composed version as it stands: burn's fusion turns it into one kernel.
#[cfg(feature = "cube")]
impl ImplicitStep for burn_cubecl::CubeBackend {}

/// The d of `d + a(e^d − 1) = s`, differentiable with respect to both.
///
/// # Shapes
/// - `explicit`: s, any shape, in nats; `gain`: a ≥ 0, the same shape. The result has the same.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::implicit_step;
/// let device = Device::flex();
/// let s = Tensor::<2>::full([1, 1], 50.0, &device);
/// let d: f32 = implicit_step(s, Tensor::full([1, 1], 2.0, &device)).into_scalar();
/// assert!((d + 2.0 * (d.exp() - 1.0) - 50.0).abs() < 1e-4); // about 3.2, not 50
/// ```
pub fn implicit_step<const D: usize>(explicit: Tensor<D>, gain: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as ImplicitStep>::implicit_step(
        explicit.into_dispatch(),
        gain.into_dispatch(),
    ))
}
