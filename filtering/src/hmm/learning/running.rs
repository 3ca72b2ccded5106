//! Running averages of expected statistics, and the M-step from them.

use serde::{Deserialize, Serialize};

use super::super::pseudo_observations::PseudoObservations;
use crate::hmm::{Hmm, Learnable};
use crate::{Result, error::check_finite};

use super::statistics::check_size;

/// Averages an observation: N `[K, K]` of transitions, E `[K, P]` of emission statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) transitions: Vec<f64>,
    pub(super) emission: Vec<f64>,
}

impl Running {
    /// All zero.
    pub(super) fn zero<E: Learnable>(model: &Hmm<E>) -> Self {
        let k = model.states();
        Self {
            transitions: vec![0.0; k * k],
            emission: vec![0.0; k * model.emission().statistic_len()],
        }
    }

    /// What the model expects of a stationary stream: N_ij = ν_i A_ij, E_j = ν_j E[φ(o)|j], with ν the long-run
    /// occupancy of the states.
    pub(super) fn stationary<E: Learnable>(model: &Hmm<E>) -> Self {
        let k = model.states();
        let occupancy = occupancy(model);
        let mut of = Self::zero(model);
        of.transitions.copy_from_slice(model.transition());
        model.emission().expected_statistic(&mut of.emission);
        let p = model.emission().statistic_len();
        let rows = of
            .transitions
            .chunks_exact_mut(k)
            .zip(of.emission.chunks_exact_mut(p));
        for ((n, e), w) in rows.zip(&occupancy) {
            n.iter_mut().chain(e).for_each(|x| *x *= w);
        }
        of
    }

    /// S ← κS + g·x, from another array into this one.
    pub(super) fn blend(&mut self, keep: f64, old: &Self, gain: f64, new: &Self) {
        let pairs = [
            (&mut self.transitions, &old.transitions, &new.transitions),
            (&mut self.emission, &old.emission, &new.emission),
        ];
        for (into, old, new) in pairs {
            for ((into, old), new) in into.iter_mut().zip(old).zip(new) {
                *into = keep * old + gain * new;
            }
        }
    }

    /// Fails unless sizes are those of the model and all numbers finite.
    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        check_size("transitions", Some(&self.transitions), k * k)?;
        check_size("emission", Some(&self.emission), k * p)?;
        check_finite("transitions", k, &self.transitions)?;
        check_finite("emission", p, &self.emission)
    }
}

/// The M-step, with ε the pseudo-count of everything that the model allows:
///
/// ```text
/// A_ij ∝ N_ij + ε   where A_ij > 0 (an impossible transition stays impossible),   emission: Learnable::maximise
/// ```
///
/// A state that was never left keeps its row. π is left to the caller: one stream says nothing of it.
pub(super) fn maximise<E: Learnable>(
    model: &Hmm<E>,
    transitions: &[f64],
    emission: &[f64],
    pseudo: PseudoObservations,
) -> Result<Hmm<E>> {
    let transition = rows_of(
        model.transition(),
        transitions,
        model.states(),
        pseudo.count,
    );
    let emission = model.emission().maximise(emission, pseudo)?;
    Hmm::from_flat(model.initial().to_vec(), transition, emission)
}

/// Rows proportional to counts + ε where `old` is positive; a row without any count as it is in `old`.
pub(super) fn rows_of(old: &[f64], counts: &[f64], columns: usize, pseudo_count: f64) -> Vec<f64> {
    let mut new = old.to_vec();
    for (new, counts) in new
        .chunks_exact_mut(columns)
        .zip(counts.chunks_exact(columns))
    {
        let allowed = |a: f64, n: f64| if a > 0.0 { n + pseudo_count } else { 0.0 };
        let total: f64 = new.iter().zip(counts).map(|(&a, &n)| allowed(a, n)).sum();
        if total > 0.0 {
            let scale = 1.0 / total;
            new.iter_mut()
                .zip(counts)
                .for_each(|(a, &n)| *a = allowed(*a, n) * scale);
        }
    }
    new
}

/// The fraction of time ν `[K]` that the chain spends in each state in the long run, starting from π.
fn occupancy<E: Learnable>(model: &Hmm<E>) -> Vec<f64> {
    /// Mixing within as many steps is all that a stationary start needs.
    const STEPS: usize = 10_000;
    const SETTLED: f64 = 1e-13;
    let k = model.states();
    let mut now = model.initial().to_vec();
    let mut next = vec![0.0; k];
    for _ in 0..STEPS {
        // Half a step: a chain that cycles has the same occupancy and does not settle by itself.
        next.iter_mut().zip(&now).for_each(|(n, p)| *n = 0.5 * p);
        for (&p, row) in now.iter().zip(model.transition().chunks_exact(k)) {
            next.iter_mut()
                .zip(row)
                .for_each(|(n, a)| *n += 0.5 * p * a);
        }
        let moved: f64 = now.iter().zip(&next).map(|(a, b)| (a - b).abs()).sum();
        std::mem::swap(&mut now, &mut next);
        if moved < SETTLED {
            break;
        }
    }
    now
}
