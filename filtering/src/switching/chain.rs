//! The chain of regimes given a weight of each at each time: what is left of the model once the states are averaged over.

use crate::hmm::{pairwise, product};
use crate::step::Sum;
use crate::{Error, Result, softmax};

/// q(s_1…s_T).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// γ `[T·K]`.
    pub marginals: Vec<f64>,
    /// Σ_t ξ_t `[K·K]`.
    pub pairs: Vec<f64>,
}

/// The normalised filter of the chain with weights e^ℓ `[T·K]`: beliefs `[T·K]` and the logarithm of the sum over all paths, nats.
///
/// # Errors
/// [`Error::Impossible`] where no path has any weight, [`Error::NotFinite`].
pub(super) fn forward(pi: &[f64], a: &[f64], weights: &[f64]) -> Result<(Vec<f64>, f64)> {
    let k = pi.len();
    let mut beliefs: Vec<f64> = Vec::with_capacity(weights.len());
    let mut predicted = pi.to_vec();
    let mut sum = Sum::default();
    for (t, row) in weights.chunks_exact(k).enumerate() {
        if t > 0 {
            product(&beliefs[(t - 1) * k..], a, &mut predicted);
        }
        let mut belief: Vec<f64> = predicted.iter().zip(row).map(|(p, l)| p.ln() + l).collect();
        let increment = softmax(&mut belief);
        if increment == f64::NEG_INFINITY {
            return Err(Error::Impossible { index: t as u64 });
        }
        if !increment.is_finite() {
            return Err(Error::not_finite(t as u64, "ln p(o_t|o_<t)", increment));
        }
        sum = sum.plus(increment);
        beliefs.extend(belief);
    }
    Ok((beliefs, sum.value()))
}

/// γ and Σ ξ from the beliefs `[T·K]` of a filter whose transitions are A.
pub(super) fn backward(a: &[f64], k: usize, beliefs: &[f64]) -> Chain {
    let mut marginals = beliefs.to_vec();
    let (mut pairs, mut xi, mut predicted) = (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k]);
    let length = beliefs.len() / k;
    for t in (0..length.saturating_sub(1)).rev() {
        let belief = &beliefs[t * k..(t + 1) * k];
        product(belief, a, &mut predicted);
        let (earlier, later) = marginals.split_at_mut((t + 1) * k);
        pairwise(belief, a, &predicted, &later[..k], &mut xi);
        for (g, row) in earlier[t * k..].iter_mut().zip(xi.chunks_exact(k)) {
            *g = row.iter().sum::<f64>().min(1.0);
        }
        pairs.iter_mut().zip(&xi).for_each(|(sum, xi)| *sum += xi);
    }
    Chain { marginals, pairs }
}

/// The path of highest weight; of several one with the lowest regimes last.
pub(super) fn best_path(pi: &[f64], a: &[f64], weights: &[f64]) -> Vec<usize> {
    let k = pi.len();
    let log_a: Vec<f64> = a.iter().map(|a| a.ln()).collect();
    let mut best: Vec<f64> = pi.iter().map(|p| p.ln()).collect();
    let mut from: Vec<usize> = Vec::with_capacity(weights.len());
    for (t, row) in weights.chunks_exact(k).enumerate() {
        if t > 0 {
            let coming = |i: usize, j: usize| best[i] + log_a[i * k + j];
            let origin =
                |j: usize| (1..k).fold(0, |b, i| if coming(i, j) > coming(b, j) { i } else { b });
            let origins: Vec<usize> = (0..k).map(origin).collect();
            best = (0..k).map(|j| coming(origins[j], j)).collect();
            from.extend(origins);
        }
        best.iter_mut().zip(row).for_each(|(b, l)| *b += l);
    }
    let mut regime = (1..k).fold(0, |b, i| if best[i] > best[b] { i } else { b });
    let length = weights.len() / k;
    let mut path = vec![regime; length];
    for t in (1..length).rev() {
        regime = from[(t - 1) * k + regime];
        path[t - 1] = regime;
    }
    path
}
