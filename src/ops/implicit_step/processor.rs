//! The kernel for CPUs: one pass, vectorised, over the threads of rayon's pool.

use burn::backend::tensor::FloatTensor;

use super::{ITERATIONS, ImplicitStep, LARGEST, SMALLEST};
use crate::ops::paired::{Chunk, Three, on_processors, with_slopes};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// Elements that one task of the pool takes.
const TASK: usize = 4096;

simd_dispatch! {
    /// Explicit step and gain in, the step out.
    fn solve_f32(chunk: Chunk<'_, f32>) = solve_f32_body;
}

/// The most elements that are solved together. One solution is a chain of some hundred operations that wait for each
/// other; with many vectors side by side the CPU always has another one to go on with. Constants are loaded once for
/// each stage of so many, and all arrays of a block stay in the first-level cache.
pub(crate) const WIDTH: usize = 512;

/// Numbers of a block.
pub(crate) type Block = [f32; WIDTH];

/// `count` rounded up to vectors of sixteen, and at most [`WIDTH`].
#[inline(always)]
pub(crate) fn whole_vectors(count: usize) -> usize {
    count.next_multiple_of(16).min(WIDTH)
}

#[inline(always)]
fn solve_f32_body(chunk: Chunk<'_, f32>) {
    let Chunk {
        first,
        second,
        slope,
    } = chunk;
    let (mut s, mut a, mut d) = ([0f32; WIDTH], [0f32; WIDTH], [0f32; WIDTH]);
    let (mut by_s, mut by_a) = ([0f32; WIDTH], [0f32; WIDTH]);
    for start in (0..first.len()).step_by(WIDTH) {
        let n = WIDTH.min(first.len() - start);
        let at = start..start + n;
        s[..n].copy_from_slice(&first[at.clone()]);
        a[..n].copy_from_slice(&second[at.clone()]);
        solve(n, &s, &a, &mut d);
        slopes(n, &a, &d, &mut by_s, &mut by_a);
        first[at.clone()].copy_from_slice(&d[..n]);
        slope[at.clone()].copy_from_slice(&by_s[..n]);
        second[at].copy_from_slice(&by_a[..n]);
    }
}

/// e^d is not followed beyond this d.
const MOST: f32 = LARGEST as f32;

/// The steps d of the first `count` explicit steps s and gains a, or some more.
///
/// Every loop ends at a number that the compiler does not know. Were it [`WIDTH`], all would be unrolled into thousands
/// of instructions in a row, which take twice as long.
#[inline(always)]
pub(crate) fn solve(count: usize, s: &Block, a: &Block, d: &mut Block) {
    let n = whole_vectors(count);
    let mut log_gain = [0f32; WIDTH];
    for l in 0..n {
        log_gain[l] = scalar::ln(a[l] + SMALLEST as f32);
    }
    for l in 0..n {
        let y = log_gain[l] + (a[l] + s[l]);
        let y = if y > 1.0 { y } else { 1.0 };
        d[l] = y - scalar::ln(y);
    }
    for l in 0..n {
        let near = scalar::ln(d[l]) - log_gain[l];
        let sum = a[l] + s[l];
        let least = if near < sum { near } else { sum };
        let positive = if s[l] > 0.0 { s[l] } else { 0.0 };
        d[l] = if least < positive { least } else { positive };
    }
    for _ in 0..ITERATIONS {
        for l in 0..n {
            let pull = a[l] * scalar::exp(if d[l] > MOST { MOST } else { d[l] });
            d[l] -= (d[l] + (pull - a[l]) - s[l]) / (1.0 + pull);
        }
    }
}

/// ∂d/∂s and ∂d/∂a of these steps.
#[inline(always)]
pub(crate) fn slopes(count: usize, a: &Block, d: &Block, by_s: &mut Block, by_a: &mut Block) {
    for l in 0..whole_vectors(count) {
        let e = scalar::exp(if d[l] > MOST { MOST } else { d[l] });
        by_s[l] = 1.0 / (1.0 + a[l] * e);
        by_a[l] = -(e - 1.0) * by_s[l];
    }
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

on_processors!(
    ImplicitStep,
    implicit_step,
    implicit_step_with_slopes(explicit, gain),
    TASK,
    solve_f32,
    solve_f64
);
