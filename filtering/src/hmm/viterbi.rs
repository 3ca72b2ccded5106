//! The most probable path.

use super::filtered::check_sequence;
use super::{Emission, Hmm};
use crate::{Error, Result, Sequence};

impl<E: Emission> Hmm<E> {
    /// The path s_1…s_T of highest p(s_1…s_T, o_1…o_T), states from 0, and the logarithm of that
    /// probability, nats. Of paths that are equally good it is one with the lowest states last.
    ///
    /// ```text
    /// δ_1(j) = ln π_j + ℓ_1[j];   δ_t(j) = max_i [δ_{t−1}(i) + ln A_ij] + ℓ_t[j]
    /// ```
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let seen = Categorical::new(vec![vec![0.9, 0.1], vec![0.1, 0.9]])?;
    /// let sticky = Hmm::new(vec![0.5, 0.5], vec![vec![0.95, 0.05], vec![0.05, 0.95]], seen)?;
    /// // One odd symbol is noise, not two changes of state.
    /// let (path, _) = sticky.viterbi(&Sequence::of_symbols([0, 0, 1, 0, 0])?)?;
    /// assert_eq!(path, [0; 5]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`].
    pub fn viterbi(&self, sequence: &Sequence) -> Result<(Vec<usize>, f64)> {
        best_path(self, &*self.lagged(sequence)?, |t, log_transition| {
            if t == 1 {
                let each = log_transition.iter_mut().zip(self.transition());
                each.for_each(|(l, a)| *l = a.ln());
            }
            Ok(())
        })
    }
}

/// The path, where `log_transition` writes ln A `[K·K]` of the transition to observation t; it finds there what it wrote last.
///
/// # Errors
/// As [`Hmm::log_evidence`].
pub(super) fn best_path<E: Emission>(
    model: &Hmm<E>,
    sequence: &Sequence,
    mut log_transition: impl FnMut(usize, &mut [f64]) -> Result<()>,
) -> Result<(Vec<usize>, f64)> {
    check_sequence(sequence, model.emission())?;
    let k = model.states();
    let mut log_a = vec![0.0; k * k];
    let mut best: Vec<f64> = model.initial().iter().map(|p| p.ln()).collect();
    let mut next = vec![0.0; k];
    let mut likelihood = vec![0.0; k];
    // The best predecessor of each state at each time but the first.
    let mut from: Vec<u32> = vec![0; (sequence.len() - 1) * k];
    for (t, observation) in sequence.iter().enumerate() {
        if t > 0 {
            log_transition(t, &mut log_a)?;
            next.copy_from_slice(&log_a[..k]);
            next.iter_mut().for_each(|d| *d += best[0]);
            let from = &mut from[(t - 1) * k..t * k];
            for (i, row) in log_a.chunks_exact(k).enumerate().skip(1) {
                for ((d, from), l) in next.iter_mut().zip(from.iter_mut()).zip(row) {
                    let path = best[i] + l;
                    let better = path > *d;
                    *d = if better { path } else { *d };
                    *from = if better { i as u32 } else { *from };
                }
            }
            std::mem::swap(&mut best, &mut next);
        }
        if let Some(observation) = observation {
            let at = |e: Error| e.at_observation(t as u64);
            model
                .emission()
                .log_likelihood(observation, &mut likelihood)
                .map_err(at)?;
            best.iter_mut().zip(&likelihood).for_each(|(d, l)| *d += l);
            if let Some(found) = best
                .iter()
                .copied()
                .find(|d| d.is_nan() || *d == f64::INFINITY)
            {
                let what = "a log-likelihood";
                return Err(at(Error::NotFinite {
                    index: 0,
                    what,
                    found,
                }));
            }
            if best.iter().all(|d| *d == f64::NEG_INFINITY) {
                return Err(at(Error::Impossible { index: 0 }));
            }
        }
    }
    let (mut state, mut top) = (0, best[0]);
    for (j, &d) in best.iter().enumerate() {
        if d > top {
            (state, top) = (j, d);
        }
    }
    let mut path = vec![state; sequence.len()];
    for (t, from) in from.chunks_exact(k).enumerate().rev() {
        state = from[state] as usize;
        path[t] = state;
    }
    Ok((path, top))
}
