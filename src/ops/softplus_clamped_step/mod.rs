//! The soft ceiling, and the clamped step of a membrane potential as one operation.
//!
//! ```text
//! soft_ceiling(x; c) = c − softplus(c − max(x, −8))      Poisson: rates stay below e^c
//! softplus_clamped_step(u, d) = soft_ceiling(u + soft_ceiling(d; c_d); c_u)
//! ```
//!
//! The ceiling is computed as `min(m, c) − ln(1 + e^{−|m − c|})`, m = max(x, −8), which is the same
//! number without the cancellation of the formula as it stands. Its slope is σ(c − m), and 0 from −8 down.
//!
//! `softplus_clamped_step` runs once per inference step over the whole state. As separate tensor operations it
//! takes two softplus (1.5 ms each for `[200, 512]` on two cores); fused and vectorised the whole takes
//! a tenth of one, and backward keeps its two slopes instead of a chain of intermediates.
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use burn::backend::{
    Backend, Dispatch, FloatDType, TensorMetadata, backend_extension, tensor::FloatTensor,
};
use burn::tensor::Tensor;

use crate::ops::two_slopes::two_slopes;

#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod processor;

/// Log-rates below this are cut off: e⁻⁸ is one spike in 3000 steps.
pub const FLOOR: f64 = -8.0;

/// The backend side of [`softplus_clamped_step()`]; the bodies given here are the composed version.
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait SoftplusClampedStep: Backend {
    /// The next potential.
    #[fusion(default)]
    fn softplus_clamped_step(
        potential: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_ceiling: f64,
        ceiling: f64,
    ) -> FloatTensor<Self> {
        let bounded = composed_ceiling::<Self>(drive, drive_ceiling).0;
        composed_ceiling::<Self>(Self::float_add(potential, bounded), ceiling).0
    }

    /// The next potential and its slopes with respect to the potential and to the drive.
    #[fusion(default)]
    fn softplus_clamped_step_with_slopes(
        potential: FloatTensor<Self>,
        drive: FloatTensor<Self>,
        drive_ceiling: f64,
        ceiling: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (bounded, drive_slope) = composed_ceiling::<Self>(drive, drive_ceiling);
        let (next, slope) = composed_ceiling::<Self>(Self::float_add(potential, bounded), ceiling);
        let drive_slope = Self::float_mul(slope.clone(), drive_slope);
        (next, slope, drive_slope)
    }
}

two_slopes!(
    SoftplusClampedStep,
    softplus_clamped_step,
    softplus_clamped_step_with_slopes(potential, drive, drive_ceiling, ceiling)
);

// The composed version as it stands: burn's fusion turns it into one kernel.
#[cfg(feature = "cube")]
impl SoftplusClampedStep for burn_cubecl::CubeBackend {}

/// The soft ceiling and its slope from backend operations.
fn composed_ceiling<B: Backend>(
    x: FloatTensor<B>,
    ceiling: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let settings = burn::backend::get_or_init_device_settings::<B>(&x.device());
    let dtype: FloatDType = x.dtype().into();
    let above = B::float_greater_elem(x.clone(), FLOOR.into(), settings.bool_dtype);
    let over = B::float_sub_scalar(B::float_clamp_min(x, FLOOR.into()), ceiling.into());
    let tail = B::float_log1p(B::float_exp(B::float_neg(B::float_abs(over.clone()))));
    let value = B::float_sub(
        B::float_add_scalar(B::float_clamp_max(over.clone(), 0.0.into()), ceiling.into()),
        tail,
    );
    let slope = B::float_mul(
        B::sigmoid(B::float_neg(over)),
        B::bool_into_float(above, dtype),
    );
    (value, slope)
}

/// u ← ceiling(u + ceiling(drive)), differentiable with respect to both.
///
/// # Shapes
/// - `potential`, `drive`: `[batch, latent]` (any one shape), in nats; the result has the same.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::softplus_clamped_step;
/// let device = Device::flex();
/// let u = Tensor::<2>::full([1, 1], -2.0, &device);
/// let drive = Tensor::<2>::full([1, 1], 50.0, &device);
/// let next: f32 = softplus_clamped_step(u, drive, 10.0, 4.0).into_scalar();
/// assert!(next < 4.0 && next > 3.9); // a huge drive cannot push the rate above e⁴
/// ```
pub fn softplus_clamped_step<const D: usize>(
    potential: Tensor<D>,
    drive: Tensor<D>,
    drive_ceiling: f64,
    ceiling: f64,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as SoftplusClampedStep>::softplus_clamped_step(
        potential.into_dispatch(),
        drive.into_dispatch(),
        drive_ceiling,
        ceiling,
    ))
}

/// `c − softplus(c − max(x, −8))` from tensor operations: bounded above by c, x itself far below c.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::soft_ceiling;
/// let x = Tensor::<1>::from_floats([-20.0, 0.0, 100.0], &Device::flex());
/// let y: Vec<f32> = soft_ceiling(x, 10.0).try_into_vec_as().unwrap();
/// assert!((y[0] + 8.0).abs() < 1e-6 && y[1].abs() < 1e-4 && (y[2] - 10.0).abs() < 1e-6);
/// ```
pub fn soft_ceiling<const D: usize>(x: Tensor<D>, ceiling: f64) -> Tensor<D> {
    let low = x.clone().lower_equal_elem(FLOOR);
    let over = x.mask_fill(low, FLOOR) - ceiling;
    let distance = over.clone().abs();
    // min(over, 0) from the distance, so that autodiff's slope at the ceiling itself is ½ too.
    (over - distance.clone()) * 0.5 + ceiling - distance.neg().exp().log1p()
}
