//! One row of a batch with optimal kernels, forward and backward, on slices.
//!
//! Linear space where it is exact, logarithms where it is not: a predicted probability that
//! [`Real::SMALL`] calls too small is summed again in logarithms, so that a state which only an
//! all but impossible path leads to is found when the data insist on it.

use super::lanes::{Real, padded};

mod backward;
mod forward;

pub(super) use backward::{Backward, ByTransition, backward_f32, backward_f64};
pub(super) use forward::{Forward, forward_f32, forward_f64};

/// p(s|s') as it comes and as it is multiplied.
pub(super) struct Transition<'a, R> {
    pub k: usize,
    /// ln p(s|s') at `[s', s]`, `[K, K]`.
    log: &'a [R],
    /// p(s|s'), rows padded: `[K, width]`.
    linear: Vec<R>,
}

impl<'a, R: Real> Transition<'a, R> {
    pub fn new(log: &'a [R], k: usize) -> Self {
        let width = padded(k);
        let mut linear = vec![R::ZERO; k * width];
        for (row, log) in linear
            .chunks_exact_mut(width.max(1))
            .zip(log.chunks_exact(k))
        {
            for (a, log) in row.iter_mut().zip(log) {
                *a = log.exp();
            }
        }
        Self { k, log, linear }
    }

    /// ln p(s|s') + `log_belief`(s'), one s' after the other.
    #[inline(always)]
    fn paths<'b>(
        &self,
        s: usize,
        log_belief: &'b [R],
    ) -> impl Iterator<Item = R> + Clone + use<'a, 'b, R> {
        let column = self.log.iter().skip(s).step_by(self.k);
        log_belief.iter().zip(column).map(|(l, a)| *l + *a)
    }
}

/// Buffers over states, each padded; one set per thread.
pub(super) struct Scratch<R> {
    log: Vec<R>,
    belief: Vec<R>,
    before: Vec<R>,
    predicted: Vec<R>,
    by_value: Vec<R>,
    ratio: Vec<R>,
    later: Vec<R>,
}

impl<R: Real> Scratch<R> {
    pub fn new(k: usize) -> Self {
        let zeros = || vec![R::ZERO; padded(k)];
        Self {
            log: vec![R::NONE; padded(k)],
            belief: zeros(),
            before: zeros(),
            predicted: zeros(),
            by_value: zeros(),
            ratio: zeros(),
            later: zeros(),
        }
    }
}

/// ln Σ eˣ; −∞ of nothing.
#[inline(always)]
fn log_sum_exp<R: Real>(x: impl Iterator<Item = R> + Clone) -> R {
    let mut most = R::NONE;
    for x in x.clone() {
        if x.nan() {
            return x;
        }
        most = if x > most { x } else { most };
    }
    if most == R::NONE {
        return most;
    }
    let mut total = R::ZERO;
    for x in x {
        total += (x - most).exp();
    }
    most + total.ln()
}
