//! The kernel for CPUs: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{FLOOR, SoftplusClampedStep};
use crate::ops::bounded_step::{SoftBound, double, single};
use crate::ops::paired::{Chunk, Three, on_processors, with_slopes};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 8192;

simd_dispatch! {
    /// Potential and drive in, next potential out.
    fn step_f32(chunk: Chunk<'_, f32>, drive_ceiling: f32, ceiling: f32) = single::<Softplus>;
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

/// The bound of this step.
struct Softplus;

impl SoftBound for Softplus {
    #[inline(always)]
    fn single(x: f32, bound: f32) -> (f32, f32) {
        ceiling_f32(x, bound)
    }

    fn double(x: f64, ceiling: f64) -> (f64, f64) {
        let m = if x < FLOOR { FLOOR } else { x };
        let e = (-(m - ceiling).abs()).exp();
        let slope = if m > ceiling {
            e / (1.0 + e)
        } else {
            1.0 / (1.0 + e)
        };
        let below = if m > ceiling { ceiling } else { m };
        (below - e.ln_1p(), if x <= FLOOR { 0.0 } else { slope })
    }
}

on_processors!(
    SoftplusClampedStep,
    softplus_clamped_step,
    softplus_clamped_step_with_slopes(potential, drive, drive_ceiling, ceiling),
    TASK,
    |c| step_f32(c, drive_ceiling as f32, ceiling as f32),
    |c| double::<Softplus>(c, drive_ceiling, ceiling)
);
