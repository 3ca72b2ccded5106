//! Forward along a row: λ_t and c_t.

use super::{Scratch, Transition, log_sum_exp};
use crate::ops::recursive_elbo::lanes::{Real, max, row_times, sum};
use scotopic_filtering::simd_dispatch;

/// What goes forward along one row, and what comes out.
pub(in crate::ops::recursive_elbo) struct Forward<'a, R> {
    pub transition: &'a Transition<'a, R>,
    /// ℓ, `[time, K]`.
    pub log_likelihood: &'a [R],
    /// ln p(s_1), `[K]`.
    pub log_initial: &'a [R],
    /// (λ, c), `[time, K + 1]`.
    pub out: &'a mut [R],
    pub scratch: &'a mut Scratch<R>,
}

#[inline(always)]
fn forward<R: Real>(row: Forward<'_, R>) {
    let Forward {
        transition,
        log_likelihood,
        log_initial,
        out,
        scratch,
    } = row;
    let k = transition.k;
    let Scratch {
        log,
        belief,
        predicted,
        ..
    } = scratch;
    let mut steps = log_likelihood
        .chunks_exact(k)
        .zip(out.chunks_exact_mut(k + 1));
    let Some((l, into)) = steps.next() else {
        return;
    };
    log[..k].copy_from_slice(log_initial);
    observe(l, log, belief, into);
    for (l, into) in steps {
        row_times(&belief[..k], &transition.linear, predicted);
        let large = |p: &R| *p >= R::SMALL;
        let exact = predicted[..k].iter().fold(true, |all, p| all & large(p));
        if exact {
            for s in 0..k {
                log[s] = predicted[s].ln();
            }
        } else {
            // `into` holds nothing yet: the logarithms of the last step are in `log`, and change only after.
            for s in 0..k {
                into[s] = if predicted[s] >= R::SMALL {
                    predicted[s].ln()
                } else {
                    log_sum_exp(transition.paths(s, &log[..k]))
                };
            }
            log[..k].copy_from_slice(&into[..k]);
        }
        observe(l, log, belief, into);
    }
}

/// From ln p(s_t|o_<t) in `log` to λ_t there, q_t in `belief`, and (λ_t, c_t) in `into`.
#[inline(always)]
fn observe<R: Real>(l: &[R], log: &mut [R], belief: &mut [R], into: &mut [R]) {
    let k = l.len();
    if unknown(l) | unknown(log) {
        log[..k].fill(R::NAN);
        belief[..k].fill(R::NAN);
        into.fill(R::NAN);
        return;
    }
    // The largest log-likelihood is taken off first: where all are −10⁴, the prediction keeps its digits.
    let larger = |a: R, b: R| if b > a { b } else { a };
    let top = l.iter().copied().fold(R::NONE, larger);
    let mut possible = false;
    if top > R::NONE {
        for s in 0..k {
            into[s] = log[s] + (l[s] - top);
            possible |= into[s] > R::NONE;
        }
    }
    // Where no state could have made it the evidence is gone; the belief continues as if nothing was observed.
    let mut increment = R::NONE;
    if possible {
        log[..k].copy_from_slice(&into[..k]);
        increment = top;
    }
    let most = max(log);
    if most == R::NONE {
        belief.fill(R::ZERO);
        into.fill(R::NONE);
        return;
    }
    for (q, log) in belief.iter_mut().zip(log.iter()) {
        *q = (*log - most).exp();
    }
    let total = sum(belief);
    let (log_total, scale) = (total.ln(), R::ONE / total);
    for (q, log) in belief.iter_mut().zip(log.iter_mut()) {
        *log = (*log - most) - log_total;
        *q = *q * scale;
    }
    into[..k].copy_from_slice(&log[..k]);
    into[k] = increment + (most + log_total);
}

/// Whether something there is not a number.
#[inline(always)]
fn unknown<R: Real>(x: &[R]) -> bool {
    x.iter().fold(false, |any, x| any | x.nan())
}

simd_dispatch! {
    /// The recursion along a row in f32.
    pub(in crate::ops::recursive_elbo) fn forward_f32(row: Forward<'_, f32>) = forward::<f32>;
}
simd_dispatch! {
    /// The recursion along a row in f64.
    pub(in crate::ops::recursive_elbo) fn forward_f64(row: Forward<'_, f64>) = forward::<f64>;
}
