//! Noise of continuous families: unit normal, Laplace and Gumbel numbers, the same on every device.
//!
//! ```text
//! a, b uniform on (0, 1), two words of the element's group of four
//! normal    √(−2 ln a)·cos 2πb         (Box–Muller)
//! Laplace   ln b − ln a
//! Gumbel    −ln(−ln a)
//! ```
//!
//! All are made in f32, also for f64 tensors, whose noise is the same numbers widened. Devices agree to
//! the last bits of a square root.
// The ndarray backend is deprecated upstream; it is an opt-in feature here.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use burn::backend::{
    AutodiffBackend, Backend, Dispatch,
    autodiff::{Autodiff, checkpoint::strategy::CheckpointStrategy},
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use crate::noise::NoiseKey;

#[cfg(feature = "cube")]
mod cube;
#[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(dead_code))]
pub(crate) mod processor;

/// Which unit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Mean 0, variance 1.
    Normal,
    /// Mean 0, scale 1 (variance 2).
    Laplace,
    /// Location 0, scale 1.
    Gumbel,
}

/// The backend side of [`unit_noise`].
#[backend_extension(
    Autodiff,
    Cube: cfg(feature = "cube"),
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Fusion: cfg(feature = "cube")
)]
pub trait UnitNoise: Backend {
    /// Numbers of the law (0 normal, 1 Laplace, 2 Gumbel) in the shape and precision of `like`. `first` is the
    /// number of the first element in the whole batch.
    #[fusion(dtype = like, shape = like)]
    fn unit_noise(
        like: FloatTensor<Self>,
        law: u32,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self>;
}

impl<B: Backend + UnitNoise, C: CheckpointStrategy> UnitNoise for Autodiff<B, C> {
    fn unit_noise(
        like: FloatTensor<Self>,
        law: u32,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self> {
        let noise = B::unit_noise(like.into_primitive(), law, seed, stream, step, first);
        Self::from_inner(noise)
    }
}

/// Unit numbers of `law` in the shape of `like`, a constant of the graph.
///
/// The element number in row-major order, counted from the first element of row [`NoiseKey::row`], is the
/// `element` of the noise.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::{noise::NoiseKey, ops::{Law, unit_noise}};
/// let like = Tensor::<2>::zeros([100, 100], &Device::flex());
/// let mean: f32 = unit_noise(&like, Law::Normal, NoiseKey::new(0)).mean().into_scalar();
/// assert!(mean.abs() < 0.05); // five standard errors
/// ```
pub fn unit_noise<const D: usize>(like: &Tensor<D>, law: Law, key: NoiseKey) -> Tensor<D> {
    let first = key.first_element(&like.dims());
    Tensor::from_dispatch(<Dispatch as UnitNoise>::unit_noise(
        like.clone().into_dispatch(),
        law as u32,
        key.seed,
        key.stream,
        key.step,
        first,
    ))
}
