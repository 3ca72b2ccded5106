//! Blocks: Markov within windows of w observations, independent between them.

use super::fully_factorised::{add, expectation};
use super::log_dynamics::LogDynamics;
use super::sweeps::{Ascent, Sweeps};
use crate::hmm::products::product;
use crate::softmax;

/// Below this a sum of products is found again from logarithms.
const SMALLEST_WEIGHT: f64 = 1e-30;

/// Coordinate ascent over the windows [s, e] of `window` moments, from marginals `[T, K]`: the exact
/// smoother inside each, with the neighbours' marginals as potentials at its ends,
///
/// ```text
/// first = [s = 1: ln π | else q_{s−1}·ln A]        right = [e < T: ln A·q_{e+1} | else 0]
/// H_B + E[energy inside B] = ln Z_B − q_e·right − [s > 1] q_s·first
/// F = Σ_B (H_B + E[energy inside B]) + Σ_cuts q_{s−1}ᵀ (ln A) q_s
/// ```
///
/// Windows of 1 are the fully factorised posterior, a window of T or more is the exact one. Windows of 2w
/// are unions of windows of w, so that an ascent for 2w from where one for w ended starts at its bound.
/// Each entry of the trace is F after a sweep.
pub(super) struct Windows<'a> {
    dynamics: &'a LogDynamics,
    /// A `[K, K]`.
    transition: &'a [f64],
    /// ℓ `[T, K]`.
    loglik: &'a [f64],
    window: usize,
    /// The pass forward inside each window: p(s_t | first, ℓ_s … ℓ_t) and its prediction, `[T, K]` each.
    filtered: Vec<f64>,
    predicted: Vec<f64>,
    /// ℓ_t and what the window's right end adds to it, `[K]`.
    scores: Vec<f64>,
}

impl<'a> Windows<'a> {
    pub fn new(
        dynamics: &'a LogDynamics,
        transition: &'a [f64],
        loglik: &'a [f64],
        window: usize,
    ) -> Self {
        Self {
            dynamics,
            transition,
            loglik,
            window,
            filtered: vec![0.0; loglik.len()],
            predicted: vec![0.0; loglik.len()],
            scores: vec![0.0; dynamics.states()],
        }
    }

    /// The ascent from marginals `[T, K]`.
    pub fn ascend(&mut self, mut marginals: Vec<f64>, sweeps: &Sweeps) -> Ascent {
        let k = self.dynamics.states();
        let length = marginals.len() / k;
        let mut trace = Vec::new();
        let (mut first, mut right) = (vec![0.0; k], vec![0.0; k]);
        for _ in 0..sweeps.max {
            let mut bound = 0.0;
            for start in (0..length).step_by(self.window) {
                let end = length.min(start.saturating_add(self.window));
                self.left_end(start, &marginals, &mut first);
                right.fill(0.0);
                if end < length {
                    let after = &marginals[end * k..(end + 1) * k];
                    self.dynamics.message_backward(after, &mut right);
                }
                let total = self.smooth(start, end, &first, &right, &mut marginals);
                bound += total - expectation(&marginals[(end - 1) * k..end * k], &right);
                if start > 0 {
                    bound -= expectation(&marginals[start * k..(start + 1) * k], &first);
                }
            }
            for cut in (self.window..length).step_by(self.window) {
                self.left_end(cut, &marginals, &mut first);
                bound += expectation(&marginals[cut * k..(cut + 1) * k], &first);
            }
            trace.push(bound);
            if self.window >= length || sweeps.settled(&trace) || bound == f64::NEG_INFINITY {
                break;
            }
        }
        Ascent { marginals, trace }
    }

    /// The potential of the moment before a window.
    fn left_end(&self, start: usize, marginals: &[f64], into: &mut [f64]) {
        let k = self.dynamics.states();
        if start == 0 {
            into.copy_from_slice(self.dynamics.initial());
        } else {
            let before = &marginals[(start - 1) * k..start * k];
            self.dynamics.message_forward(before, into);
        }
    }

    /// The smoother of one window into its marginals; returns ln Z, −∞ (and nothing changed) where
    /// structural zeros leave no path through it.
    fn smooth(
        &mut self,
        start: usize,
        end: usize,
        first: &[f64],
        right: &[f64],
        marginals: &mut [f64],
    ) -> f64 {
        let total = self.forward(start, end, first, right);
        if total == f64::NEG_INFINITY {
            return total;
        }
        let k = self.dynamics.states();
        let last = (end - 1) * k..end * k;
        marginals[last.clone()].copy_from_slice(&self.filtered[last]);
        for t in (start + 1..end).rev() {
            let (before, now) = marginals.split_at_mut(t * k);
            for (i, g) in before[(t - 1) * k..].iter_mut().enumerate() {
                *g = (0..k).map(|j| self.kernel_entry(t, i, j) * now[j]).sum();
            }
        }
        total
    }

    /// The filter of one window; returns ln Z.
    fn forward(&mut self, start: usize, end: usize, first: &[f64], right: &[f64]) -> f64 {
        let k = self.dynamics.states();
        let mut total = 0.0;
        for t in start..end {
            let scores = &mut self.scores;
            scores.copy_from_slice(&self.loglik[t * k..(t + 1) * k]);
            if t + 1 == end {
                add(scores, right);
            }
            let (done, now) = self.filtered.split_at_mut(t * k);
            let now = &mut now[..k];
            if t == start {
                now.copy_from_slice(first);
                add(now, scores);
                total += softmax(now);
            } else {
                let predicted = &mut self.predicted[t * k..(t + 1) * k];
                product(&done[(t - 1) * k..], self.transition, predicted);
                total += weigh(predicted, scores, now);
            }
        }
        total
    }

    /// b_t(s_{t−1} = i | s_t = j) inside a window, from the last pass forward.
    fn kernel_entry(&self, t: usize, i: usize, j: usize) -> f64 {
        let k = self.dynamics.states();
        let predicted = self.predicted[t * k + j];
        if predicted > 0.0 {
            self.filtered[(t - 1) * k + i] * self.transition[i * k + j] / predicted
        } else {
            0.0
        }
    }

    /// Every kernel `[T−1, K, K]` of the posterior with these marginals, where an ascent ended: inside a
    /// window those of its filter (which never depend on the window's right end), across its ends the
    /// marginal whatever s_t.
    pub fn kernels(&mut self, marginals: &[f64]) -> Vec<f64> {
        let k = self.dynamics.states();
        let length = marginals.len() / k;
        let (mut first, right) = (vec![0.0; k], vec![0.0; k]);
        for start in (0..length).step_by(self.window) {
            self.left_end(start, marginals, &mut first);
            self.forward(
                start,
                length.min(start.saturating_add(self.window)),
                &first,
                &right,
            );
        }
        let mut kernels = Vec::with_capacity(length.saturating_sub(1) * k * k);
        for t in 1..length {
            for x in 0..k * k {
                kernels.push(if t % self.window == 0 {
                    marginals[(t - 1) * k + x % k]
                } else {
                    self.kernel_entry(t, x % k, x / k)
                });
            }
        }
        kernels
    }
}

/// u ∝ p e^{score} into `[K]`; returns ln Σ p e^{score}.
fn weigh(predicted: &[f64], scores: &[f64], into: &mut [f64]) -> f64 {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for (u, (p, s)) in into.iter_mut().zip(predicted.iter().zip(scores)) {
        *u = p * (s - top).exp();
        total += *u;
    }
    if total > SMALLEST_WEIGHT {
        into.iter_mut().for_each(|u| *u /= total);
        return top + total.ln();
    }
    // The state that explains best can hardly be reached: relative to the best that can.
    for (u, (p, s)) in into.iter_mut().zip(predicted.iter().zip(scores)) {
        *u = p.ln() + s;
    }
    softmax(into)
}
