//! Backward along a row: gradients with respect to ℓ_t, ln p(s_1) and ln p(s|s').

use super::{Scratch, Transition, log_sum_exp};
use crate::ops::recursive_elbo::lanes::{Real, add_scaled, dot, padded, row_times, sum};
use scotopic_filtering::simd_dispatch;

/// What goes back along one row, and what comes out.
pub(in crate::ops::recursive_elbo) struct Backward<'a, R> {
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
pub(in crate::ops::recursive_elbo) struct ByTransition<R> {
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
            let small = |s: &usize| predicted[*s] < R::SMALL || predicted[*s].nan();
            for s in (0..k).filter(small) {
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

simd_dispatch! {
    /// The way back along a row in f32.
    pub(in crate::ops::recursive_elbo) fn backward_f32(row: Backward<'_, f32>) = backward::<f32>;
}
simd_dispatch! {
    /// The way back along a row in f64.
    pub(in crate::ops::recursive_elbo) fn backward_f64(row: Backward<'_, f64>) = backward::<f64>;
}
