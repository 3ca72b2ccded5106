//! The bound of states that can have either sign, and their bounded step as one operation.
//!
//! ```text
//! soft_symmetric(x; c)  = c·tanh(x/c)                       |x| stays below c
//! tanh_clamped_step(u, d)  = soft_symmetric(u + soft_symmetric(d; c_d); c_u)
//! slopes                  1 − tanh² = 4e/(1 + e)²,  e = e^{−2|x/c|}
//! ```
//!
//! Shading languages leave the precision of tanh open, and drivers make it of differences of exponentials, whose
//! error does not shrink with x: a state near 0, where all states begin, is then off by 2⁻²⁴ of the *bound*. Here
//! |y| < 0.625 is the classic odd polynomial of the Cephes library (Moshier) and the rest (1 − e)/(1 + e): a few
//! units in the last place of the result everywhere, on every device. Backward keeps the two slopes.
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use crate::ops::two_slopes::two_slopes;

#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod processor;

/// tanh y = y + y³·P(y²) below this |y|.
pub const SMALL: f64 = 0.625;

/// P, highest power first: relative error below 6e-8 (Cephes, `tanhf`).
pub const POLYNOMIAL: [f64; 5] = [
    -5.704_988_727_45e-3,
    2.063_908_879_54e-2,
    -5.373_971_555_31e-2,
    1.333_144_220_36e-1,
    -3.333_328_194_22e-1,
];

/// The backend side of [`tanh_clamped_step()`]; the bodies given here are the composed version.
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait TanhClampedStep: Backend {
    /// The next state.
    #[fusion(default)]
    fn tanh_clamped_step(
        state: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_bound: f64,
        bound: f64,
    ) -> FloatTensor<Self> {
        Self::tanh_clamped_step_with_slopes(state, drive, drive_bound, bound).0
    }

    /// The next state and its slopes with respect to the state and to the drive.
    #[fusion(default)]
    fn tanh_clamped_step_with_slopes(
        state: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_bound: f64,
        bound: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (bounded, drive_slope) = composed_tanh::<Self>(drive, drive_bound);
        let (next, slope) = composed_tanh::<Self>(Self::float_add(state, bounded), bound);
        let drive_slope = Self::float_mul(slope.clone(), drive_slope);
        (next, slope, drive_slope)
    }
}

two_slopes!(
    TanhClampedStep,
    tanh_clamped_step,
    tanh_clamped_step_with_slopes(state, drive, drive_bound, bound)
);

// The composed version as it stands: burn's fusion turns it into one kernel.
#[cfg(feature = "cube")]
impl TanhClampedStep for burn_cubecl::CubeBackend {}

/// c·tanh(x/c) and its slope from backend operations.
fn composed_tanh<B: Backend>(x: FloatTensor<B>, bound: f64) -> (FloatTensor<B>, FloatTensor<B>) {
    let settings = burn::backend::get_or_init_device_settings::<B>(&x.device());
    let double = x.dtype() == burn::tensor::DType::F64;
    let y = B::float_mul_scalar(x, (1.0 / bound).into());
    let distance = B::float_abs(y.clone());
    let e = B::float_exp(B::float_mul_scalar(distance.clone(), (-2.0).into()));
    let inverse = B::float_recip(B::float_add_scalar(e.clone(), 1.0.into()));
    let less = B::float_add_scalar(B::float_neg(e.clone()), 1.0.into());
    let far = B::float_mul(
        B::float_mul(less, inverse.clone()),
        B::float_sign(y.clone()),
    );
    let slope = B::float_mul(
        B::float_mul_scalar(e, 4.0.into()),
        B::float_mul(inverse.clone(), inverse),
    );
    if double {
        // The polynomial is one for f32; a tanh of twice its digits is good enough wherever it comes from.
        return (B::float_mul_scalar(B::float_tanh(y), bound.into()), slope);
    }
    let square = B::float_mul(y.clone(), y.clone());
    let mut p = B::float_mul_scalar(square.clone(), 0.0.into());
    for coefficient in POLYNOMIAL {
        p = B::float_add_scalar(B::float_mul(p, square.clone()), coefficient.into());
    }
    let near = B::float_add(y.clone(), B::float_mul(B::float_mul(p, square), y));
    let is_far = B::float_greater_elem(distance, SMALL.into(), settings.bool_dtype);
    let value = B::float_mask_where(near, is_far, far);
    (B::float_mul_scalar(value, bound.into()), slope)
}

/// u ← c_u·tanh((u + c_d·tanh(d/c_d))/c_u), differentiable with respect to both.
///
/// # Shapes
/// - `state`, `drive`: `[batch, latent]` (any one shape); the result has the same.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::tanh_clamped_step;
/// let device = Device::flex();
/// let mean = Tensor::<2>::full([1, 1], 1.0, &device);
/// let drive = Tensor::<2>::full([1, 1], -500.0, &device);
/// let next: f32 = tanh_clamped_step(mean, drive, 10.0, 7.0).into_scalar();
/// assert!((next - 7.0 * (-9.0f32 / 7.0).tanh()).abs() < 1e-5); // the drive counts as −10
/// ```
pub fn tanh_clamped_step<const D: usize>(
    state: Tensor<D>,
    drive: Tensor<D>,
    drive_bound: f64,
    bound: f64,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as TanhClampedStep>::tanh_clamped_step(
        state.into_dispatch(),
        drive.into_dispatch(),
        drive_bound,
        bound,
    ))
}

/// `c·tanh(x/c)` from tensor operations: bounded on both sides by ±c.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::soft_symmetric;
/// let y: f32 = soft_symmetric(Tensor::<1>::from_floats([100.0], &Device::flex()), 7.0).into_scalar();
/// assert!((y - 7.0).abs() < 1e-6);
/// ```
pub fn soft_symmetric<const D: usize>(x: Tensor<D>, limit: f64) -> Tensor<D> {
    // Not x / limit: burn 0.22.1 rounds the divisor to f32 in backward, also in f64.
    (x * (1.0 / limit)).tanh() * limit
}
