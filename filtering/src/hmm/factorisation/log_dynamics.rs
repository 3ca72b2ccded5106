//! ln π and ln A of a model, taken once: every bound here is linear in them.

use crate::hmm::model::whole_only;
use crate::hmm::products::product;
use crate::hmm::{Emission, Hmm};
use crate::sequence::observed;
use crate::{Result, Sequence};

/// ln π `[K]` and ln A `[K, K]` of a model; −∞ where a transition is impossible.
#[derive(Debug, Clone, PartialEq)]
pub struct LogDynamics {
    initial: Vec<f64>,
    transition: Vec<f64>,
    /// ln Aᵀ, so that both messages run along rows.
    transposed: Vec<f64>,
    /// Whether there is no −∞ in any of them.
    finite: bool,
}

impl LogDynamics {
    /// The dynamics of a model.
    pub fn of<E: Emission>(model: &Hmm<E>) -> Self {
        let k = model.states();
        let logs = |p: &[f64]| -> Vec<f64> { p.iter().map(|p| p.ln()).collect() };
        let transition = logs(model.transition());
        let transposed = (0..k * k).map(|x| transition[x % k * k + x / k]).collect();
        let initial = logs(model.initial());
        let finite = initial.iter().chain(&transition).all(|l| l.is_finite());
        Self {
            initial,
            transition,
            transposed,
            finite,
        }
    }

    /// K.
    pub fn states(&self) -> usize {
        self.initial.len()
    }

    /// ln π `[K]`.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// ln A `[K·K]`, row i for s_{t−1} = i.
    pub fn transition(&self) -> &[f64] {
        &self.transition
    }

    /// `ln A[·][j]`, what each state `[K]` gives to a step into j.
    pub fn into_state(&self, j: usize) -> &[f64] {
        let k = self.states();
        &self.transposed[j * k..(j + 1) * k]
    }

    /// Whether some transition or first state is impossible.
    pub fn has_structural_zeros(&self) -> bool {
        !self.finite
    }

    /// The message forward, `Σ_i p(i) ln A[i][j]`, `[K]` to `[K]`; 0·ln 0 = 0.
    pub fn message_forward(&self, p: &[f64], into: &mut [f64]) {
        self.weighted_rows(p, &self.transition, into);
    }

    /// The message backward, `Σ_j ln A[i][j] p(j)`, `[K]` to `[K]`; 0·ln 0 = 0.
    pub fn message_backward(&self, p: &[f64], into: &mut [f64]) {
        self.weighted_rows(p, &self.transposed, into);
    }

    /// Σ_i p_i rows[i].
    fn weighted_rows(&self, p: &[f64], rows: &[f64], into: &mut [f64]) {
        if self.finite {
            return product(p, rows, into);
        }
        // Rows of no weight are left out, so that 0·(−∞) = 0.
        into.fill(0.0);
        for (&p, row) in p.iter().zip(rows.chunks_exact(into.len())) {
            if p != 0.0 {
                for (sum, l) in into.iter_mut().zip(row) {
                    *sum += p * l;
                }
            }
        }
    }
}

/// ℓ_t `[K]` of one observation, all 0 for a missing one. An observation that no state can have made
/// leaves −∞ everywhere: the caller decides what that means.
pub(super) fn log_likelihood<E: Emission>(
    model: &Hmm<E>,
    observation: Option<&[f64]>,
    into: &mut [f64],
) -> Result<()> {
    let whole = whole_only(model.emission());
    match observed(observation, model.width(), whole)? {
        None => into.fill(0.0),
        Some(o) => {
            model.emission().log_likelihood(o, into)?;
        }
    }
    Ok(())
}

/// ℓ `[T, K]` of a whole sequence.
pub(super) fn log_likelihoods<E: Emission>(
    model: &Hmm<E>,
    sequence: &Sequence,
) -> Result<Vec<f64>> {
    let k = model.states();
    let mut all = vec![0.0; sequence.len() * k];
    for (t, (row, o)) in all.chunks_mut(k).zip(sequence.iter()).enumerate() {
        log_likelihood(model, o, row).map_err(|e| e.at_observation(t as u64))?;
    }
    Ok(all)
}
