//! The kernel for processors: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::{Backend, tensor::FloatTensor};
use rayon::prelude::*;

use super::{ITERATIONS, ImplicitStep, LARGEST, SMALLEST};
use crate::ops::host::{Values, tensor_f32, tensor_f64, values};
use crate::ops::{scalar, widest::widest};

/// Elements that one task of the pool takes.
const TASK: usize = 4096;

/// Explicit step and gain in; the step and its two slopes out, the first two in their places.
struct Chunk<'a, F> {
    explicit: &'a mut [F],
    gain: &'a mut [F],
    by_explicit: &'a mut [F],
}

widest! {
    /// On return `explicit` holds the step, `gain` its slope by the gain.
    fn solve_f32(chunk: Chunk<'_, f32>) = solve_f32_body;
}

#[inline(always)]
fn solve_f32_body(chunk: Chunk<'_, f32>) {
    const MOST: f32 = LARGEST as f32;
    let Chunk {
        explicit,
        gain,
        by_explicit,
    } = chunk;
    for ((s, a), slope) in explicit
        .iter_mut()
        .zip(gain.iter_mut())
        .zip(by_explicit.iter_mut())
    {
        let least = |a: f32, b: f32| if a < b { a } else { b };
        let log_gain = scalar::ln(*a + SMALLEST as f32);
        let sum = *a + *s;
        let y = log_gain + sum;
        let y = if y > 1.0 { y } else { 1.0 };
        let near = scalar::ln(y - scalar::ln(y)) - log_gain;
        let mut d = least(least(near, sum), if *s > 0.0 { *s } else { 0.0 });
        for _ in 0..ITERATIONS {
            let pull = *a * scalar::exp(if d > MOST { MOST } else { d });
            d -= (d + (pull - *a) - *s) / (1.0 + pull);
        }
        let e = scalar::exp(if d > MOST { MOST } else { d });
        *slope = 1.0 / (1.0 + *a * e);
        *s = d;
        *a = -(e - 1.0) * *slope;
    }
}

fn solve_f64(chunk: Chunk<'_, f64>) {
    let Chunk {
        explicit,
        gain,
        by_explicit,
    } = chunk;
    for ((s, a), slope) in explicit
        .iter_mut()
        .zip(gain.iter_mut())
        .zip(by_explicit.iter_mut())
    {
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

fn over_chunks<F: Send + Copy + Default>(
    explicit: &mut [F],
    gain: &mut [F],
    solve: impl Fn(Chunk<'_, F>) + Sync,
) -> Vec<F> {
    let mut slope = vec![F::default(); explicit.len()];
    explicit
        .par_chunks_mut(TASK)
        .zip(gain.par_chunks_mut(TASK))
        .zip(slope.par_chunks_mut(TASK))
        .for_each(|((explicit, gain), by_explicit)| {
            solve(Chunk {
                explicit,
                gain,
                by_explicit,
            })
        });
    slope
}

type Three<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

fn solve<B: Backend>(explicit: FloatTensor<B>, gain: FloatTensor<B>) -> Three<B> {
    let (s, shape, device) = values::<B>(explicit);
    let (a, gain_shape, _) = values::<B>(gain);
    assert_eq!(
        shape, gain_shape,
        "implicit_step: explicit step and gain must have one shape"
    );
    match (s, a) {
        (Values::F32(mut s), Values::F32(mut a)) => {
            let slope = over_chunks(&mut s, &mut a, solve_f32);
            (
                tensor_f32::<B>(s, shape.clone(), &device),
                tensor_f32::<B>(slope, shape.clone(), &device),
                tensor_f32::<B>(a, shape, &device),
            )
        }
        (Values::F64(mut s), Values::F64(mut a)) => {
            let slope = over_chunks(&mut s, &mut a, solve_f64);
            (
                tensor_f64::<B>(s, shape.clone(), &device),
                tensor_f64::<B>(slope, shape.clone(), &device),
                tensor_f64::<B>(a, shape, &device),
            )
        }
        _ => panic!("implicit_step: explicit step and gain must have one precision"),
    }
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl ImplicitStep for $backend {
            fn implicit_step_with_slopes(
                explicit: FloatTensor<Self>,
                gain: FloatTensor<Self>,
            ) -> Three<Self> {
                solve::<Self>(explicit, gain)
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
