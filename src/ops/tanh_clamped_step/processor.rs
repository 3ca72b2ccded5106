//! The kernel for CPUs: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{POLYNOMIAL, SMALL, TanhClampedStep};
use crate::ops::bounded_step::{SoftBound, double, single};
use crate::ops::paired::{Chunk, Three, on_processors, with_slopes};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 8192;

simd_dispatch! {
    /// State and drive in, next state out.
    fn step_f32(chunk: Chunk<'_, f32>, drive_bound: f32, bound: f32) = single::<Tanh>;
}

/// c·tanh(x/c) and its slope.
#[inline(always)]
pub(crate) fn bounded_f32(x: f32, bound: f32) -> (f32, f32) {
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

/// The bound of this step.
struct Tanh;

impl SoftBound for Tanh {
    #[inline(always)]
    fn single(x: f32, bound: f32) -> (f32, f32) {
        bounded_f32(x, bound)
    }

    fn double(x: f64, bound: f64) -> (f64, f64) {
        let y = x / bound;
        let e = (-2.0 * y.abs()).exp();
        (y.tanh() * bound, 4.0 * e / ((1.0 + e) * (1.0 + e)))
    }
}

on_processors!(
    TanhClampedStep,
    tanh_clamped_step,
    tanh_clamped_step_with_slopes(state, drive, drive_bound, bound),
    TASK,
    |c| step_f32(c, drive_bound as f32, bound as f32),
    |c| double::<Tanh>(c, drive_bound, bound)
);
