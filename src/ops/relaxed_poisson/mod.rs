//! The relaxed Poisson sample, and exact counts as its limit.
//!
//! A Poisson count is the number of arrivals before time 1 of a process with rate λ = eᵘ. With unit
//! exponentials e₁, e₂, … the arrivals come at
//!
//! ```text
//! tₙ = (e₁ + … + eₙ)/λ
//! z  = Σₙ f((1 − tₙ)/τ)                     relaxed count at temperature τ
//! dz/du = Σₙ f'((1 − tₙ)/τ)·tₙ/τ            its exact derivative, e's held fixed
//! τ → 0:  z → #{n : tₙ ≤ 1} ~ Poisson(λ)
//! ```
//!
//! with an [`Indicator`] f: the logistic function as published (Vafaii, Galor, Yates 2024, arXiv 2405.14473, section 4),
//! or one that is 0 and 1 beyond ±1, whose sample is unbiased. Instead of a fixed number of exponentials
//! the sum runs until no term can follow (of the sigmoid, until one falls below 10⁻⁷), so nothing is truncated and nothing of size
//! `exponentials × batch × latent` is ever stored. Backward keeps one tensor, dz/du.
//!
//! Two limits keep the work of one element bounded:
//! * counts (τ = 0) at rates of [`ARRIVALS_BELOW`] and more come from Hörmann's transformed rejection
//!   (PTRS, 1993), whose cost does not grow with the rate;
//! * a relaxed count whose sum would have more than [`GAUSSIAN_ABOVE`] terms is drawn from the
//!   Gaussian that shot noise tends to (Campbell's theorem), with the mean and variance of
//!   [`Indicator::moments`]; its skewness is below 2 %.
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use crate::noise::NoiseKey;

mod autodiff;
#[cfg(feature = "cube")]
pub(crate) mod cube;
mod indicator;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod lanes;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod processor;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
mod queue;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
mod sieve;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
mod transformed_rejection;

pub use indicator::{Indicator, Relaxation};

/// A term σ(−x) with x beyond this is below 10⁻⁷ and ends the sum.
pub const NEGLIGIBLE: f32 = 16.118_095;

/// At τ = 0, rates from here on are drawn by transformed rejection instead of arrival by arrival.
pub const ARRIVALS_BELOW: f32 = 12.0;

/// Relaxed sums with more expected terms than this are drawn from their Gaussian limit.
pub const GAUSSIAN_ABOVE: f32 = 4096.0;

/// Relaxed samples with a larger log-rate are drawn as if it were this one: beyond, they overflow f32.
pub const LARGEST_LOG_RATE: f32 = 80.0;

/// The largest log-rate that is summed arrival by arrival.
fn most_by_arrivals(relaxation: Relaxation) -> f32 {
    if relaxation.temperature > 0.0 {
        (GAUSSIAN_ABOVE / relaxation.stop()).ln()
    } else {
        ARRIVALS_BELOW.ln()
    }
}

/// The backend side of [`relaxed_poisson()`]; implemented for every backend of this crate.
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait RelaxedPoisson: Backend {
    /// The sample alone; temperature 0 gives counts. `first` is the number of the first element in the whole batch.
    #[fusion(dtype = log_rate, shape = log_rate)]
    fn relaxed_poisson(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self>;

    /// The sample and dz/du, both constants for autodiff.
    #[fusion(meta = |u, _relaxation, _seed, _stream, _step, _first| (u.clone(), u.clone()))]
    fn relaxed_poisson_with_slope(
        log_rate: FloatTensor<Self>,
        relaxation: Relaxation,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// Relaxed Poisson counts z ~ q(·; u) at temperature τ > 0, differentiable with respect to u.
///
/// # Shapes
/// - `log_rate`: u = ln λ, any shape; in nats. The result has the same shape.
///
/// The element number in row-major order, counted from the first element of row [`NoiseKey::row`], is the
/// `element` of the noise, so two calls with the same key and shape draw the same arrivals, and a part of a
/// batch draws those of its rows of the whole. A NaN log-rate gives a NaN sample.
///
/// `relaxation`: τ and the indicator; a number alone is τ under the published sigmoid. Temperature 0 (or below) draws exact
/// counts, without a gradient: [`poisson_counts`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::{noise::NoiseKey, ops::{Indicator, Relaxation, relaxed_poisson}};
/// let device = Device::flex().autodiff();
/// let u = Tensor::<2>::zeros([100, 10], &device).require_grad();
/// let relaxation = Relaxation { temperature: 0.1, indicator: Indicator::Cubic };
/// let z = relaxed_poisson(u.clone(), relaxation, NoiseKey::new(0));
/// let slope = u.grad(&z.sum().backward()).unwrap();
/// assert_eq!(slope.dims(), [100, 10]);
/// ```
pub fn relaxed_poisson<const D: usize>(
    log_rate: Tensor<D>,
    relaxation: impl Into<Relaxation>,
    key: NoiseKey,
) -> Tensor<D> {
    let relaxation = relaxation.into();
    let first = key.first_element(&log_rate.dims());
    Tensor::from_dispatch(<Dispatch as RelaxedPoisson>::relaxed_poisson(
        log_rate.into_dispatch(),
        Relaxation {
            temperature: relaxation.temperature.max(0.0),
            ..relaxation
        },
        key.seed,
        key.stream,
        key.step,
        first,
    ))
}

/// Exact Poisson counts with rate eᵘ: the limit τ → 0 of [`relaxed_poisson()`] under the same noise
/// for rates below [`ARRIVALS_BELOW`], and in law for all. Exact for rates up to 10⁶; beyond 2²⁴ a
/// count is no longer an integer that f32 can tell from its neighbours.
///
/// # Shapes
/// - `log_rate`: u = ln λ, any shape.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::{noise::NoiseKey, ops::poisson_counts};
/// let u = Tensor::<1>::full([10_000], 3f32.ln(), &Device::flex());
/// let mean: f32 = poisson_counts(u, NoiseKey::new(1)).mean().into_scalar();
/// assert!((mean - 3.0).abs() < 0.09); // five standard errors
/// ```
pub fn poisson_counts<const D: usize>(log_rate: Tensor<D>, key: NoiseKey) -> Tensor<D> {
    relaxed_poisson(log_rate, Relaxation::NONE, key)
}

/// The deterministic twin of [`relaxed_poisson()`]: the unit exponentials are an argument.
///
/// Composed of tensor operations and differentiated by autodiff, it is also the independent check of
/// the kernels. The sum runs over exactly the exponentials that are given.
///
/// # Shapes
/// - `log_rate`: `[batch, latent]`
/// - `exponentials`: `[arrivals, batch, latent]`
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::{Indicator, relaxed_poisson_with};
/// let device = Device::flex();
/// let u = Tensor::<2>::zeros([1, 1], &device);
/// let waits = Tensor::<3>::from_floats([[[1.0]]], &device); // one arrival, exactly at time 1
/// let z: f32 = relaxed_poisson_with(u, 0.1, Indicator::Sigmoid, waits).into_scalar();
/// assert!((z - 0.5).abs() < 1e-6);
/// ```
pub fn relaxed_poisson_with(
    log_rate: Tensor<2>,
    temperature: f64,
    indicator: Indicator,
    exponentials: Tensor<3>,
) -> Tensor<2> {
    let [_, batch, latent] = exponentials.dims();
    let mean_wait = log_rate.neg().exp().unsqueeze::<3>(); // [1, batch, latent]
    let arrivals = exponentials.cumsum(0) * mean_wait;
    let terms = indicator.of_tensor((1.0 - arrivals) * (1.0 / temperature));
    terms.sum_dim(0).reshape([batch, latent])
}

/// The deterministic twin of [`poisson_counts`] for given unit exponentials, without a gradient.
///
/// # Shapes
/// - `log_rate`: `[batch, latent]`
/// - `exponentials`: `[arrivals, batch, latent]`
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::ops::poisson_counts_with;
/// let device = Device::flex();
/// let waits = Tensor::<3>::from_floats([[[0.4]], [[0.4]], [[0.4]]], &device);
/// let z: f32 = poisson_counts_with(Tensor::zeros([1, 1], &device), waits).into_scalar();
/// assert_eq!(z, 2.0); // arrivals at 0.4, 0.8 and 1.2
/// ```
pub fn poisson_counts_with(log_rate: Tensor<2>, exponentials: Tensor<3>) -> Tensor<2> {
    let [_, batch, latent] = exponentials.dims();
    let dtype = log_rate.dtype();
    let mean_wait = log_rate.detach().neg().exp().unsqueeze::<3>();
    let arrivals = exponentials.cumsum(0) * mean_wait;
    let counts = arrivals.lower_equal_elem(1.0).float().cast(dtype);
    counts.sum_dim(0).reshape([batch, latent])
}
