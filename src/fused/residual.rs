//! The prediction error of one row: weighed and scored, forward and backward.

use scotopic_filtering::simd_dispatch;

/// Partial sums that the compiler can keep in a vector register.
const LANES: usize = 16;

simd_dispatch! {
    /// Weighs a residual in place, `e ← π(x − x̂)`, and gives ½Σ e²/π; all `[pixels]`.
    pub(crate) fn weigh(e: &mut [f32], x: &[f32], precision: &[f32]) -> f32 = weigh_body;
}

simd_dispatch! {
    /// From e' to w' = −weight·e', with what π gets of it, weight·½(e'/π)².
    pub(super) fn score_error(e: &mut [f32], by_precision: &mut [f32], variance: &[f32], weight: f32) = score_error_body;
}

simd_dispatch! {
    /// w = −π·∂L/∂e, with what π gets of it, ∂L/∂e·e/π.
    pub(super) fn error_backward(w: &mut [f32], e: &[f32], by_e: &[f32], precision: &[f32], variance: &[f32], by_precision: &mut [f32]) = error_backward_body;
}

/// Σ term(a, b), in sixteen partial sums.
#[inline(always)]
pub(crate) fn summed(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for l in 0..LANES {
            sums[l] += term(a[l], b[l]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn weigh_body(e: &mut [f32], x: &[f32], precision: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let mut rest = 0f32;
    let (blocks, tail) = e.as_chunks_mut::<LANES>();
    let (xs, x_tail) = x.as_chunks::<LANES>();
    let (ps, p_tail) = precision.as_chunks::<LANES>();
    for ((e, x), p) in blocks.iter_mut().zip(xs).zip(ps) {
        for l in 0..LANES {
            let residual = x[l] - e[l];
            e[l] = residual * p[l];
            sums[l] += residual * e[l];
        }
    }
    for ((e, x), p) in tail.iter_mut().zip(x_tail).zip(p_tail) {
        let residual = x - *e;
        *e = residual * p;
        rest += residual * *e;
    }
    0.5 * (sums.iter().sum::<f32>() + rest)
}

#[inline(always)]
fn score_error_body(e: &mut [f32], by_precision: &mut [f32], variance: &[f32], weight: f32) {
    for ((e, by_precision), variance) in e.iter_mut().zip(by_precision).zip(variance) {
        let residual = *e * variance;
        *by_precision += weight * 0.5 * residual * residual;
        *e *= -weight;
    }
}

#[inline(always)]
fn error_backward_body(
    w: &mut [f32],
    e: &[f32],
    by_e: &[f32],
    precision: &[f32],
    variance: &[f32],
    by_precision: &mut [f32],
) {
    let n = w.len();
    let (e, by_e, by_precision) = (&e[..n], &by_e[..n], &mut by_precision[..n]);
    let (precision, variance) = (&precision[..n], &variance[..n]);
    for m in 0..n {
        by_precision[m] += by_e[m] * e[m] * variance[m];
        w[m] = -precision[m] * by_e[m];
    }
}
