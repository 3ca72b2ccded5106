//! The kernel for CPUs: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{ClampedStep, FLOOR};
use crate::ops::paired::{Chunk, Three, with_slopes};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 8192;

simd_dispatch! {
    /// Potential and drive in, next potential out.
    fn step_f32(chunk: Chunk<'_, f32>, drive_ceiling: f32, ceiling: f32) = step_f32_body;
}

#[inline(always)]
fn step_f32_body(chunk: Chunk<'_, f32>, drive_ceiling: f32, ceiling: f32) {
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((u, d), s) in operands.zip(chunk.slope.iter_mut()) {
        let (bounded, drive_slope) = ceiling_f32(*d, drive_ceiling);
        let (next, next_slope) = ceiling_f32(*u + bounded, ceiling);
        *u = next;
        *s = next_slope;
        *d = next_slope * drive_slope;
    }
}

/// The soft ceiling and its slope.
#[inline(always)]
pub(crate) fn ceiling_f32(x: f32, ceiling: f32) -> (f32, f32) {
    const LOW: f32 = FLOOR as f32;
    // Written so that NaN stays NaN.
    let m = if x < LOW { LOW } else { x };
    let over = m - ceiling;
    let e = scalar::exp(-over.abs());
    let below = if over > 0.0 { ceiling } else { m };
    let value = below - scalar::ln(1.0 + e);
    // σ(−over) from the same exponential.
    let inverse = 1.0 / (1.0 + e);
    let slope = if over > 0.0 { e * inverse } else { inverse };
    let slope = if x <= LOW { 0.0 } else { slope };
    (value, slope)
}

fn step_f64(chunk: Chunk<'_, f64>, drive_ceiling: f64, ceiling: f64) {
    let soft = |x: f64, c: f64| {
        let m = if x < FLOOR { FLOOR } else { x };
        let e = (-(m - c).abs()).exp();
        let slope = if m > c {
            e / (1.0 + e)
        } else {
            1.0 / (1.0 + e)
        };
        let below = if m > c { c } else { m };
        (below - e.ln_1p(), if x <= FLOOR { 0.0 } else { slope })
    };
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((u, d), s) in operands.zip(chunk.slope.iter_mut()) {
        let (bounded, drive_slope) = soft(*d, drive_ceiling);
        let (next, next_slope) = soft(*u + bounded, ceiling);
        (*u, *s, *d) = (next, next_slope, next_slope * drive_slope);
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl ClampedStep for $backend {
            fn clamped_step(
                potential: FloatTensor<Self>,
                drive: FloatTensor<Self>,
                drive_ceiling: f64,
                ceiling: f64,
            ) -> FloatTensor<Self> {
                Self::clamped_step_with_slopes(potential, drive, drive_ceiling, ceiling).0
            }

            fn clamped_step_with_slopes(
                potential: FloatTensor<Self>,
                drive: FloatTensor<Self>,
                drive_ceiling: f64,
                ceiling: f64,
            ) -> Three<Self> {
                with_slopes::<Self>(
                    "clamped_step",
                    TASK,
                    potential,
                    drive,
                    |c| step_f32(c, drive_ceiling as f32, ceiling as f32),
                    |c| step_f64(c, drive_ceiling, ceiling),
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
