//! The kernel for CPUs.

use burn::backend::{
    Backend, TensorMetadata,
    tensor::{Device, FloatTensor},
};
use burn::tensor::{DType, Shape};
use rayon::prelude::*;

use super::{Law, UnitNoise};
use crate::noise::{NoiseKey, philox_lanes, uniform, unit_exponential};
use crate::ops::host::tensor;
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 4096;

simd_dispatch! {
    /// Fills `out` with the numbers of the elements from `first` on.
    pub(crate) fn fill(out: &mut [f32], first: u32, law: Law, key: NoiseKey) = fill_body;
}

/// Elements that are drawn side by side.
const LANES: usize = 16;

#[inline(always)]
fn fill_body(out: &mut [f32], first: u32, law: Law, key: NoiseKey) {
    for (block, values) in out.chunks_mut(LANES).enumerate() {
        let mut numbers = [0u32; LANES];
        for (l, number) in numbers.iter_mut().enumerate() {
            *number = first.wrapping_add((block * LANES + l) as u32);
        }
        let words = philox_lanes(&numbers, &[0; LANES], key);
        let mut drawn = [0f32; LANES];
        // The law is chosen outside the loop, so that each loop is straight-line arithmetic.
        match law {
            Law::Normal => {
                for l in 0..LANES {
                    let radius = (-2.0 * scalar::ln(uniform(words[0][l]))).sqrt();
                    drawn[l] = radius * scalar::cos_turns(uniform(words[1][l]));
                }
            }
            Law::Laplace => {
                for l in 0..LANES {
                    drawn[l] = unit_exponential(words[0][l]) - unit_exponential(words[1][l]);
                }
            }
            Law::Gumbel => {
                for l in 0..LANES {
                    drawn[l] = -scalar::ln(unit_exponential(words[0][l]));
                }
            }
        }
        match <&mut [f32; LANES]>::try_from(&mut *values) {
            Ok(full) => *full = drawn,
            Err(_) => values.copy_from_slice(&drawn[..values.len()]),
        }
    }
}

fn draw<B: Backend>(like: &FloatTensor<B>, law: u32, key: NoiseKey, first: u32) -> FloatTensor<B> {
    let (shape, device, dtype): (Shape, Device<B>, DType) =
        (like.shape(), like.device(), like.dtype());
    let law = match law {
        0 => Law::Normal,
        1 => Law::Laplace,
        _ => Law::Gumbel,
    };
    let mut values = vec![0f32; shape.num_elements()];
    values
        .par_chunks_mut(TASK)
        .enumerate()
        .for_each(|(task, out)| fill(out, first.wrapping_add((task * TASK) as u32), law, key));
    match dtype {
        DType::F64 => {
            let wide = values.into_iter().map(f64::from).collect();
            tensor::<B>(wide, shape, &device)
        }
        _ => tensor::<B>(values, shape, &device),
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl UnitNoise for $backend {
            fn unit_noise(
                like: FloatTensor<Self>,
                law: u32,
                seed: u64,
                stream: u32,
                step: u32,
                first: u32,
            ) -> FloatTensor<Self> {
                let key = NoiseKey::new(seed).stream(stream).step(step);
                draw::<Self>(&like, law, key, first)
            }
        }
    };
}

#[cfg(feature = "flex")]
on_processor!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
mod ndarray {
    use super::*;
    on_processor!(burn::backend::NdArray);
}
