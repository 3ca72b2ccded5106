//! ln p, smoothing and the most probable path of whole sequences.

use super::model::DrivenHmm;
use super::passes::{backward, forward, parts};
use crate::hmm::Emission;
use crate::hmm::viterbi::best_path;
use crate::{Error, Result, Sequence};

/// γ_t = p(s_t|o_1…o_T, v_1…v_T) for every t; what [`DrivenHmm::smooth`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct DrivenHmmSmoothed {
    marginals: Vec<f64>,
    log_predictive: Vec<f64>,
    log_evidence: f64,
}

impl DrivenHmmSmoothed {
    /// γ `[T·K]`, row after row.
    pub fn marginals(&self) -> &[f64] {
        &self.marginals
    }

    /// ln p(o_t|o_<t) `[T]`, nats; 0 for a missing observation.
    pub fn log_predictive(&self) -> &[f64] {
        &self.log_predictive
    }

    /// ln p(o_1…o_T | v_1…v_T), nats.
    pub fn log_evidence(&self) -> f64 {
        self.log_evidence
    }
}

impl DrivenHmm {
    /// ln p(o_1…o_T | v_1…v_T) in nats.
    ///
    /// # Errors
    /// [`Error::Size`] for a sequence of no observations; [`Error::Observation`] with its number for a row of another width, or
    /// an input of the transitions that is missing anywhere but in the first row; [`Error::Impossible`], [`Error::NotFinite`].
    pub fn log_evidence(&self, sequence: &Sequence) -> Result<f64> {
        forward(self, sequence, |_, _| ())
    }

    /// γ_t by one pass forward and one back (eq. F14, with A of each row by eq. F104).
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::hmm::{Categorical, DrivenHmm, Hmm};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let seen = Categorical::new(vec![vec![0.8, 0.2], vec![0.2, 0.8]])?;
    /// let base = Hmm::new(vec![1.0, 0.0], vec![vec![0.99, 0.01], vec![0.01, 0.99]], seen.into())?;
    /// let model = DrivenHmm::new(base, vec!["cue".to_owned()])?
    ///     .with_weights(vec![vec![vec![0.0], vec![9.0]], vec![vec![0.0], vec![0.0]]])?;
    /// // The cue tells of the switch, whatever is seen.
    /// let rows = Sequence::of_rows([[0.0, 0.0], [0.0, 1.0], [f64::NAN, 0.0]])?;
    /// assert!(model.smooth(&rows)?.marginals()[2 * 2 + 1] > 0.9);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`DrivenHmm::log_evidence`].
    pub fn smooth(&self, sequence: &Sequence) -> Result<DrivenHmmSmoothed> {
        let k = self.states();
        let mut beliefs = Vec::with_capacity(sequence.len() * k);
        let mut log_predictive = Vec::with_capacity(sequence.len());
        let log_evidence = forward(self, sequence, |belief, increment| {
            beliefs.extend_from_slice(belief);
            log_predictive.push(increment);
        })?;
        let mut marginals = vec![0.0; beliefs.len()];
        backward(self, sequence, &beliefs, |t, marginal, _| {
            // Sums that round can exceed 1.
            let row = marginals[t * k..(t + 1) * k].iter_mut().zip(marginal);
            row.for_each(|(g, p)| *g = p.min(1.0));
        })?;
        Ok(DrivenHmmSmoothed {
            marginals,
            log_predictive,
            log_evidence,
        })
    }

    /// The most probable path and its ln p, as [`Hmm::viterbi`](crate::hmm::Hmm::viterbi).
    ///
    /// # Errors
    /// As [`DrivenHmm::log_evidence`].
    pub fn viterbi(&self, sequence: &Sequence) -> Result<(Vec<usize>, f64)> {
        let own = self.observed(sequence)?;
        best_path(self.base(), &own, |t, log_transition| {
            self.log_transition(sequence, t, log_transition)
        })
    }

    /// ln p(s_1…s_T, o_1…o_T | v_1…v_T) of a path.
    pub(crate) fn log_joint(&self, sequence: &Sequence, states: &[usize]) -> Result<f64> {
        let (k, own) = (self.states(), self.observed(sequence)?);
        let mut log_transition = vec![0.0; k * k];
        let mut likelihood = vec![0.0; k];
        let mut sum = 0.0;
        for (t, (observation, s)) in own.iter().zip(states).enumerate() {
            sum += match t {
                0 => self.base().initial()[*s].ln(),
                _ => {
                    self.log_transition(sequence, t, &mut log_transition)?;
                    log_transition[states[t - 1] * k + s]
                }
            };
            if let Some(o) = observation {
                let asked = self.base().emission().log_likelihood(o, &mut likelihood);
                asked.map_err(|e| e.at_observation(t as u64))?;
                sum += likelihood[*s];
            }
        }
        Ok(sum)
    }

    /// ln A of the transition to row `t`.
    fn log_transition(&self, sequence: &Sequence, t: usize, into: &mut [f64]) -> Result<()> {
        let at = |e: Error| e.at_observation(t as u64);
        let (_, given) = self.split(sequence.get(t)).map_err(at)?;
        self.transition_given(given, into).map_err(at)?;
        into.iter_mut().for_each(|a| *a = a.ln());
        Ok(())
    }

    /// The rows that the emission observes.
    pub(super) fn observed(&self, sequence: &Sequence) -> Result<Sequence> {
        let mut own = Sequence::new(self.base().width())?;
        for (t, row) in sequence.iter().enumerate() {
            let (seen, _) = parts(self, row).map_err(|e| e.at_observation(t as u64))?;
            own.push(seen)?;
        }
        Ok(own.made_of(sequence))
    }
}
