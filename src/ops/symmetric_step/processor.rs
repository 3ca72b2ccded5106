//! The kernel for CPUs: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{POLYNOMIAL, SMALL, SymmetricStep};
use crate::ops::paired::{Chunk, Three, with_slopes};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 8192;

simd_dispatch! {
    /// State and drive in, next state out.
    fn step_f32(chunk: Chunk<'_, f32>, drive_bound: f32, bound: f32) = step_f32_body;
}

#[inline(always)]
fn step_f32_body(chunk: Chunk<'_, f32>, drive_bound: f32, bound: f32) {
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((u, d), s) in operands.zip(chunk.slope.iter_mut()) {
        let (bounded, drive_slope) = bounded_f32(*d, drive_bound);
        let (next, next_slope) = bounded_f32(*u + bounded, bound);
        *u = next;
        *s = next_slope;
        *d = next_slope * drive_slope;
    }
}

/// c·tanh(x/c) and its slope.
#[inline(always)]
fn bounded_f32(x: f32, bound: f32) -> (f32, f32) {
    let y = x / bound;
    let distance = y.abs();
    let e = scalar::exp(-2.0 * distance);
    let inverse = 1.0 / (1.0 + e);
    let far = ((1.0 - e) * inverse).copysign(y);
    let square = y * y;
    let mut p = 0.0;
    for coefficient in POLYNOMIAL {
        p = p * square + coefficient as f32;
    }
    let near = y + p * square * y;
    // Written so that NaN stays NaN.
    let value = if distance > SMALL as f32 { far } else { near };
    (value * bound, 4.0 * e * inverse * inverse)
}

fn step_f64(chunk: Chunk<'_, f64>, drive_bound: f64, bound: f64) {
    let bounded = |x: f64, c: f64| {
        let y = x / c;
        let e = (-2.0 * y.abs()).exp();
        (y.tanh() * c, 4.0 * e / ((1.0 + e) * (1.0 + e)))
    };
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((u, d), s) in operands.zip(chunk.slope.iter_mut()) {
        let (step, drive_slope) = bounded(*d, drive_bound);
        let (next, next_slope) = bounded(*u + step, bound);
        (*u, *s, *d) = (next, next_slope, next_slope * drive_slope);
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl SymmetricStep for $backend {
            fn symmetric_step_with_slopes(
                state: FloatTensor<Self>,
                drive: FloatTensor<Self>,
                drive_bound: f64,
                bound: f64,
            ) -> Three<Self> {
                with_slopes::<Self>(
                    "symmetric_step",
                    TASK,
                    state,
                    drive,
                    |c| step_f32(c, drive_bound as f32, bound as f32),
                    |c| step_f64(c, drive_bound, bound),
                )
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
