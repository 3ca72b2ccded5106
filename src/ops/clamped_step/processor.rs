//! The kernel for processors: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::{Backend, tensor::FloatTensor};
use rayon::prelude::*;

use super::{ClampedStep, FLOOR};
use crate::ops::host::{Values, tensor_f32, tensor_f64, values};
use crate::ops::{scalar, widest::widest};

/// Elements that one task of the pool takes.
const TASK: usize = 8192;

/// Potential in, next potential out; the slopes are written where there is room for them.
struct Chunk<'a, F> {
    potential: &'a mut [F],
    drive: &'a mut [F],
    slope: &'a mut [F],
}

widest! {
    /// On return `potential` holds the next potential, `drive` and `slope` the two slopes.
    fn step_f32(chunk: Chunk<'_, f32>, drive_ceiling: f32, ceiling: f32) = step_f32_body;
}

#[inline(always)]
fn step_f32_body(chunk: Chunk<'_, f32>, drive_ceiling: f32, ceiling: f32) {
    let Chunk {
        potential,
        drive,
        slope,
    } = chunk;
    for ((u, d), s) in potential
        .iter_mut()
        .zip(drive.iter_mut())
        .zip(slope.iter_mut())
    {
        let (bounded, drive_slope) = ceiling_f32(*d, drive_ceiling);
        let (next, next_slope) = ceiling_f32(*u + bounded, ceiling);
        *u = next;
        *s = next_slope;
        *d = next_slope * drive_slope;
    }
}

#[inline(always)]
fn ceiling_f32(x: f32, ceiling: f32) -> (f32, f32) {
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
    let Chunk {
        potential,
        drive,
        slope,
    } = chunk;
    for ((u, d), s) in potential
        .iter_mut()
        .zip(drive.iter_mut())
        .zip(slope.iter_mut())
    {
        let (bounded, drive_slope) = soft(*d, drive_ceiling);
        let (next, next_slope) = soft(*u + bounded, ceiling);
        (*u, *s, *d) = (next, next_slope, next_slope * drive_slope);
    }
}

fn over_chunks<F: Send + Copy + Default>(
    u: &mut [F],
    d: &mut [F],
    step: impl Fn(Chunk<'_, F>) + Sync,
) -> Vec<F> {
    let mut slope = vec![F::default(); u.len()];
    u.par_chunks_mut(TASK)
        .zip(d.par_chunks_mut(TASK))
        .zip(slope.par_chunks_mut(TASK))
        .for_each(|((potential, drive), slope)| {
            step(Chunk {
                potential,
                drive,
                slope,
            })
        });
    slope
}

type Three<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

fn step<B: Backend>(
    potential: FloatTensor<B>,
    drive: FloatTensor<B>,
    drive_ceiling: f64,
    ceiling: f64,
) -> Three<B> {
    let (u, shape, device) = values::<B>(potential);
    let (d, drive_shape, _) = values::<B>(drive);
    assert_eq!(
        shape, drive_shape,
        "clamped_step: potential and drive must have one shape"
    );
    match (u, d) {
        (Values::F32(mut u), Values::F32(mut d)) => {
            let slope = over_chunks(&mut u, &mut d, |c| {
                step_f32(c, drive_ceiling as f32, ceiling as f32)
            });
            (
                tensor_f32::<B>(u, shape.clone(), &device),
                tensor_f32::<B>(slope, shape.clone(), &device),
                tensor_f32::<B>(d, shape, &device),
            )
        }
        (Values::F64(mut u), Values::F64(mut d)) => {
            let slope = over_chunks(&mut u, &mut d, |c| step_f64(c, drive_ceiling, ceiling));
            (
                tensor_f64::<B>(u, shape.clone(), &device),
                tensor_f64::<B>(slope, shape.clone(), &device),
                tensor_f64::<B>(d, shape, &device),
            )
        }
        _ => panic!("clamped_step: potential and drive must have one precision"),
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
                step::<Self>(potential, drive, drive_ceiling, ceiling).0
            }

            fn clamped_step_with_slopes(
                potential: FloatTensor<Self>,
                drive: FloatTensor<Self>,
                drive_ceiling: f64,
                ceiling: f64,
            ) -> Three<Self> {
                step::<Self>(potential, drive, drive_ceiling, ceiling)
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
