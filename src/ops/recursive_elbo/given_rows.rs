//! One row of a batch with given kernels, forward and backward, on slices.

use super::lanes::Real;
use scotopic_filtering::simd_dispatch;

/// Kernels b_t(s'|s) at `[.., t, s, s']` that may be the same for all times.
#[derive(Clone, Copy)]
pub(super) struct Kernels<'a, R> {
    pub k: usize,
    /// `[1 or time, K, K]`
    pub values: &'a [R],
}

impl<'a, R> Kernels<'a, R> {
    /// Where the kernel of step t starts.
    #[inline(always)]
    fn at(&self, t: usize) -> usize {
        let one = self.k * self.k;
        if self.values.len() == one { 0 } else { t * one }
    }
}

/// What goes forward along one row, and what comes out.
pub(super) struct Forward<'a, R> {
    pub kernels: Kernels<'a, R>,
    /// g, `[time, K]`.
    pub gain: &'a [R],
    /// q, `[time, K]`.
    pub belief: &'a [R],
    /// (x, e), `[time, K + 1]`.
    pub out: &'a mut [R],
}

#[inline(always)]
fn forward<R: Real>(row: Forward<'_, R>) {
    let Forward {
        kernels,
        gain,
        belief,
        out,
    } = row;
    let k = kernels.k;
    let mut before: &[R] = &[];
    let steps = gain.chunks_exact(k).zip(belief.chunks_exact(k));
    for (t, ((gain, q), into)) in steps.zip(out.chunks_exact_mut(k + 1)).enumerate() {
        into[..k].copy_from_slice(gain);
        if t > 0 {
            let kernel = kernels.values[kernels.at(t)..][..k * k].chunks_exact(k);
            for (y, b) in into.iter_mut().zip(kernel) {
                *y += expectation(b, before);
            }
        }
        let mean = expectation(q, &into[..k]);
        let shift = if mean == R::NONE { R::ZERO } else { mean };
        for x in &mut into[..k] {
            *x = *x - shift;
        }
        into[k] = mean;
        before = &into[..k];
    }
}

/// Σ p·x, where a probability of 0 makes nothing of −∞.
#[inline(always)]
fn expectation<R: Real>(p: &[R], x: &[R]) -> R {
    let mut total = R::ZERO;
    for (p, x) in p.iter().zip(x) {
        total += if *p == R::ZERO { R::ZERO } else { *p * *x };
    }
    total
}

/// What goes back along one row, and what comes out.
pub(super) struct Backward<'a, R> {
    pub kernels: Kernels<'a, R>,
    /// q, `[time, K]`.
    pub belief: &'a [R],
    /// (x, e) of the way forward, `[time, K + 1]`.
    pub scanned: &'a [R],
    /// Gradients with respect to them, `[time, K + 1]`.
    pub cotangent: &'a [R],
    /// Gradient with respect to g, `[time, K]`: written.
    pub by_gain: &'a mut [R],
    /// Gradient with respect to q, `[time, K]`: written.
    pub by_belief: &'a mut [R],
    /// Gradient with respect to b, `[1 or time, K, K]`: added to.
    pub by_kernels: &'a mut [R],
    /// `[K]`
    pub later: &'a mut [R],
}

#[inline(always)]
fn backward<R: Real>(row: Backward<'_, R>) {
    let Backward {
        kernels,
        belief,
        scanned,
        cotangent,
        by_gain,
        by_belief,
        by_kernels,
        later,
    } = row;
    let k = kernels.k;
    later.fill(R::ZERO);
    for t in (0..by_gain.len() / k).rev() {
        let (x, cotangent) = (
            &scanned[t * (k + 1)..][..=k],
            &cotangent[t * (k + 1)..][..=k],
        );
        let q = &belief[t * k..][..k];
        let (by_gain, by_belief) = (&mut by_gain[t * k..][..k], &mut by_belief[t * k..][..k]);
        let mut surplus = if x[k] == R::NONE {
            R::ZERO
        } else {
            cotangent[k]
        };
        for s in 0..k {
            by_gain[s] = if x[s] == R::NONE {
                R::ZERO
            } else {
                cotangent[s] + later[s]
            };
            if x[k] != R::NONE {
                surplus = surplus - by_gain[s];
            }
        }
        for s in 0..k {
            by_gain[s] += q[s] * surplus;
            by_belief[s] = finite(x[s] + x[k]) * surplus;
        }
        if t == 0 {
            return;
        }
        let before = &scanned[(t - 1) * (k + 1)..][..k];
        let at = kernels.at(t);
        let b = kernels.values[at..][..k * k].chunks_exact(k);
        let by_b = by_kernels[at..][..k * k].chunks_exact_mut(k);
        later.fill(R::ZERO);
        for (by_y, (b, by_b)) in by_gain.iter().zip(b.zip(by_b)) {
            for s in 0..k {
                later[s] += *by_y * b[s];
                by_b[s] += *by_y * finite(before[s]);
            }
        }
    }
}

/// 0 for −∞: nothing that stands before it moves it.
#[inline(always)]
fn finite<R: Real>(x: R) -> R {
    if x == R::NONE { R::ZERO } else { x }
}

simd_dispatch! {
    /// The recursion along a row in f32.
    pub(super) fn forward_f32(row: Forward<'_, f32>) = forward::<f32>;
}
simd_dispatch! {
    /// The recursion along a row in f64.
    pub(super) fn forward_f64(row: Forward<'_, f64>) = forward::<f64>;
}
simd_dispatch! {
    /// The way back along a row in f32.
    pub(super) fn backward_f32(row: Backward<'_, f32>) = backward::<f32>;
}
simd_dispatch! {
    /// The way back along a row in f64.
    pub(super) fn backward_f64(row: Backward<'_, f64>) = backward::<f64>;
}
