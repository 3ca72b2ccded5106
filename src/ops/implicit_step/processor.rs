//! The kernel for processors: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{ITERATIONS, ImplicitStep, LARGEST, SMALLEST};
use crate::ops::paired::{Chunk, Three, with_slopes};
use crate::ops::{scalar, widest::widest};

/// Elements that one task of the pool takes.
const TASK: usize = 4096;

widest! {
    /// Explicit step and gain in, the step out.
    fn solve_f32(chunk: Chunk<'_, f32>) = solve_f32_body;
}

#[inline(always)]
fn solve_f32_body(chunk: Chunk<'_, f32>) {
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((s, a), slope) in operands.zip(chunk.slope.iter_mut()) {
        (*s, *slope, *a) = solve(*s, *a);
    }
}

/// The step for an explicit step s and a gain a, and its slopes by both.
#[inline(always)]
pub(crate) fn solve(s: f32, a: f32) -> (f32, f32, f32) {
    const MOST: f32 = LARGEST as f32;
    let least = |a: f32, b: f32| if a < b { a } else { b };
    let log_gain = scalar::ln(a + SMALLEST as f32);
    let sum = a + s;
    let y = log_gain + sum;
    let y = if y > 1.0 { y } else { 1.0 };
    let near = scalar::ln(y - scalar::ln(y)) - log_gain;
    let mut d = least(least(near, sum), if s > 0.0 { s } else { 0.0 });
    for _ in 0..ITERATIONS {
        let pull = a * scalar::exp(if d > MOST { MOST } else { d });
        d -= (d + (pull - a) - s) / (1.0 + pull);
    }
    let e = scalar::exp(if d > MOST { MOST } else { d });
    let by_s = 1.0 / (1.0 + a * e);
    (d, by_s, -(e - 1.0) * by_s)
}

fn solve_f64(chunk: Chunk<'_, f64>) {
    let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
    for ((s, a), slope) in operands.zip(chunk.slope.iter_mut()) {
        let log_gain = (*a + SMALLEST).ln();
        let sum = *a + *s;
        let y = (log_gain + sum).max(1.0);
        let near = (y - y.ln()).ln() - log_gain;
        let mut d = near.min(sum).min(s.max(0.0));
        // Quadratic: twice as many digits take one iteration more, the last bit another.
        for _ in 0..ITERATIONS + 2 {
            let pull = *a * d.min(LARGEST).exp();
            d -= (d + (pull - *a) - *s) / (1.0 + pull);
        }
        let e = d.min(LARGEST).exp();
        *slope = 1.0 / (1.0 + *a * e);
        *s = d;
        *a = -(e - 1.0) * *slope;
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl ImplicitStep for $backend {
            fn implicit_step_with_slopes(
                explicit: FloatTensor<Self>,
                gain: FloatTensor<Self>,
            ) -> Three<Self> {
                with_slopes::<Self>("implicit_step", TASK, explicit, gain, solve_f32, solve_f64)
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
