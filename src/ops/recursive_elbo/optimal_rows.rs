//! One row of a batch through the optimal recursion and back, on slices.
//!
//! Linear space where it is exact, logarithms where it is not: a predicted probability that
//! [`Real::SMALL`] calls too small is summed again in logarithms, so that a state which only an
//! all but impossible path leads to is found when the data insist on it.

use super::lanes::{Real, add_scaled, dot, max, padded, row_times, sum};
use crate::ops::widest::widest;

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

/// Buffers over states, each padded; one set a thread.
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

/// What goes forward along one row, and what comes out.
pub(super) struct Forward<'a, R> {
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
        let mut exact = true;
        for s in 0..k {
            exact &= predicted[s] >= R::SMALL;
        }
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
    // Where no state could have made it the evidence is gone; the belief goes on as if nothing was seen.
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

/// What goes back along one row, and what comes out.
pub(super) struct Backward<'a, R> {
    pub transition: &'a Transition<'a, R>,
    /// (λ, c) of the way forward, `[time, K + 1]`.
    pub scanned: &'a [R],
    /// Gradients with respect to them, `[time, K + 1]`.
    pub cotangent: &'a [R],
    /// Gradient with respect to ℓ, `[time, K]`: written.
    pub by_likelihood: &'a mut [R],
    /// Gradient with respect to ln p(s_1), `[K]`: written.
    pub by_initial: &'a mut [R],
    /// Gradient with respect to ln p(s|s'): added to.
    pub by_transition: &'a mut ByTransition<R>,
    pub scratch: &'a mut Scratch<R>,
}

/// The gradient with respect to ln p(s|s') as it is summed.
pub(super) struct ByTransition<R> {
    /// Σ q_{t−1}(s') ρ_t(s), what p(s|s') is to be multiplied with; `[K, width]`.
    products: Vec<R>,
    /// What was found in logarithms, `[K, width]`.
    direct: Vec<R>,
}

impl<R: Real> ByTransition<R> {
    pub fn new(k: usize) -> Self {
        let zeros = || vec![R::ZERO; k * padded(k)];
        Self {
            products: zeros(),
            direct: zeros(),
        }
    }

    /// Adds another sum to this one.
    pub fn add(&mut self, other: &Self) {
        add_scaled(&mut self.products, R::ONE, &other.products);
        add_scaled(&mut self.direct, R::ONE, &other.direct);
    }

    /// The gradient, `[K, K]`.
    pub fn finish(self, transition: &Transition<'_, R>) -> Vec<R> {
        let width = padded(transition.k);
        let parts = self
            .products
            .iter()
            .zip(&self.direct)
            .zip(&transition.linear);
        let all: Vec<R> = parts.map(|((p, d), a)| *a * *p + *d).collect();
        let rows = all.chunks_exact(width.max(1));
        rows.flat_map(|row| &row[..transition.k]).copied().collect()
    }
}

#[inline(always)]
fn backward<R: Real>(row: Backward<'_, R>) {
    let Backward {
        transition,
        scanned,
        cotangent,
        by_likelihood,
        by_initial,
        by_transition,
        scratch,
    } = row;
    let k = transition.k;
    let width = padded(k);
    let Scratch {
        belief,
        before,
        predicted,
        by_value,
        ratio,
        later,
        ..
    } = scratch;
    later.fill(R::ZERO);
    let belief_at = |t: usize, into: &mut [R]| {
        let log = &scanned[t * (k + 1)..][..k];
        for (q, log) in into.iter_mut().zip(log) {
            *q = log.exp();
        }
    };
    let time = by_likelihood.len() / k;
    if time > 0 {
        belief_at(time - 1, belief);
    }
    for t in (0..time).rev() {
        let at = t * (k + 1);
        let (log, cotangent) = (&scanned[at..][..=k], &cotangent[at..][..=k]);
        // λ̄ = ḡ + r; what is −∞ stays so, whatever is asked of it.
        for s in 0..k {
            by_value[s] = if log[s] == R::NONE {
                R::ZERO
            } else {
                cotangent[s] + later[s]
            };
        }
        let seen = log[k] != R::NONE;
        let surplus = if seen { cotangent[k] } else { R::ZERO } - sum(by_value);
        // w̄ = λ̄ + q (c̄ − Σ λ̄)
        add_scaled(by_value, surplus, belief);
        let by_likelihood = &mut by_likelihood[t * k..][..k];
        if seen {
            by_likelihood.copy_from_slice(&by_value[..k]);
        } else {
            by_likelihood.fill(R::ZERO);
        }
        if t == 0 {
            by_initial.copy_from_slice(&by_value[..k]);
            return;
        }
        belief_at(t - 1, before);
        row_times(&before[..k], &transition.linear, predicted);
        let mut exact = true;
        for s in 0..k {
            let large = predicted[s] >= R::SMALL;
            exact &= large;
            ratio[s] = if large {
                by_value[s] / predicted[s]
            } else {
                R::ZERO
            };
        }
        let products = by_transition.products.chunks_exact_mut(width);
        let rows = transition.linear.chunks_exact(width).zip(products);
        for ((later, q), (a, products)) in later.iter_mut().zip(before.iter()).zip(rows) {
            *later = *q * dot(a, ratio);
            add_scaled(products, *q, ratio);
        }
        if !exact {
            let log_before = &scanned[(t - 1) * (k + 1)..][..k];
            for s in (0..k).filter(|s| !(predicted[*s] >= R::SMALL)) {
                in_logarithms(
                    transition,
                    log_before,
                    s,
                    by_value[s],
                    later,
                    &mut by_transition.direct,
                );
            }
        }
        std::mem::swap(belief, before);
    }
}

/// What a state that is all but impossible to get to passes on: w̄(s) b(s'|s) to each s' it comes from.
fn in_logarithms<R: Real>(
    transition: &Transition<'_, R>,
    log_before: &[R],
    s: usize,
    by_value: R,
    later: &mut [R],
    direct: &mut [R],
) {
    let total = log_sum_exp(transition.paths(s, log_before));
    if total == R::NONE {
        return;
    }
    let width = padded(transition.k);
    let into = later
        .iter_mut()
        .zip(direct.iter_mut().skip(s).step_by(width));
    for (path, (later, direct)) in transition.paths(s, log_before).zip(into) {
        let passed = by_value * (path - total).exp();
        *later += passed;
        *direct += passed;
    }
}

widest! {
    /// The recursion along a row in f32.
    pub(super) fn forward_f32(row: Forward<'_, f32>) = forward::<f32>;
}
widest! {
    /// The recursion along a row in f64.
    pub(super) fn forward_f64(row: Forward<'_, f64>) = forward::<f64>;
}
widest! {
    /// The way back along a row in f32.
    pub(super) fn backward_f32(row: Backward<'_, f32>) = backward::<f32>;
}
widest! {
    /// The way back along a row in f64.
    pub(super) fn backward_f64(row: Backward<'_, f64>) = backward::<f64>;
}
