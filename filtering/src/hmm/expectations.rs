//! The E-step: expected counts of transitions and expected statistics of emissions.

use serde::{Deserialize, Serialize};

use super::counts::add_outer;
use super::equal_rows::{EqualRows, OfEqualRows};
use super::forward::{Chain, Now};
use super::lagged_rows::lagged;
use super::smoother::Backward;
use super::{Hmm, Learnable};
use crate::step::Sum;
use crate::{Error, Result, Sequence};

/// The statistics that EM needs of any number of sequences; what [`Hmm::expectations`] returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Σ γ_1 over the sequences `[K]`.
    pub initial: Vec<f64>,
    /// Σ_t ξ_t `[K·K]`, row after row: expected transitions from i to j.
    pub transitions: Vec<f64>,
    /// Σ_t γ_t(j) φ(o_t) `[K·P]` over the observations that are not missing, a row per state.
    pub emission: Vec<f64>,
    /// Σ ln p(o_1…o_T) over the sequences, nats.
    pub log_evidence: f64,
    /// Σ T over the sequences, missing observations included.
    pub observations: u64,
}

impl Expectations {
    /// Adds what the same model expects of other sequences.
    ///
    /// # Errors
    /// [`Error::Size`] for expectations of a model of other sizes; nothing is changed then.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        let mine = [&self.initial, &self.transitions, &self.emission].map(Vec::len);
        let others = [&other.initial, &other.transitions, &other.emission].map(Vec::len);
        if mine != others {
            let (found, expected) = (format!("{others:?} entries"), format!("{mine:?}"));
            return Err(Error::size("expectations", found, expected));
        }
        add(&other.initial, &mut self.initial);
        add(&other.transitions, &mut self.transitions);
        add(&other.emission, &mut self.emission);
        self.log_evidence += other.log_evidence;
        self.observations += other.observations;
        Ok(())
    }
}

/// The q_t and ρ_{t+1} that are summed over at once: at K = 32 they fill half of a cache of 32 KiB.
const BLOCK: usize = 32;

impl<E: Learnable> Hmm<E> {
    /// The expectations of the complete-data statistics under the exact posterior (eqs. F13, F14):
    ///
    /// ```text
    /// Σ_t ξ_t = A ⊙ (Σ_t q_t ρ_{t+1}ᵀ),   Σ_t γ_t(j) φ(o_t)
    /// ```
    ///
    /// Sequences are independent of each other and may differ in length. Time is O(K² + cost of φ) an
    /// observation, memory K numbers an observation of the longest sequence.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let dice = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
    /// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.8, 0.2], vec![0.3, 0.7]], dice)?;
    /// let data = [Sequence::of_symbols([0, 0, 1])?, Sequence::of_symbols([1, 1])?];
    /// let expected = model.expectations(&data)?;
    /// assert!((expected.initial.iter().sum::<f64>() - 2.0).abs() < 1e-12); // two beginnings
    /// assert!((expected.transitions.iter().sum::<f64>() - 3.0).abs() < 1e-12); // 2 + 1 transitions
    /// assert!((expected.emission.iter().sum::<f64>() - 5.0).abs() < 1e-12); // five symbols
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`]; the number of the observation counts within its sequence.
    pub fn expectations(&self, sequences: &[Sequence]) -> Result<Expectations> {
        Ok(self.chain().expectations(sequences, None)?.0)
    }

    /// The same where it is known which rows of the sequences are equal.
    pub(super) fn expectations_by(
        &self,
        sequences: &[Sequence],
        equal: Option<&EqualRows>,
    ) -> Result<Expectations> {
        Ok(self.chain().expectations(sequences, equal)?.0)
    }

    /// The same model, with the units that these expectations give its emission; [`Learnable::measured`].
    pub(crate) fn measured(&self, expected: &Expectations) -> Result<Self> {
        let emission = self.emission().clone().measured(&expected.emission);
        Self::from_flat(
            self.initial().to_vec(),
            self.transition().to_vec(),
            emission,
        )
    }
}

impl<E: Learnable> Chain<'_, E> {
    /// The expectations, and q_T `[K]` of the last sequence.
    pub(super) fn expectations(
        &self,
        sequences: &[Sequence],
        equal: Option<&EqualRows>,
    ) -> Result<(Expectations, Vec<f64>)> {
        let (k, p) = (self.initial.len(), self.emission.statistic_len());
        let mut found = Expectations {
            initial: vec![0.0; k],
            transitions: vec![0.0; k * k],
            emission: vec![0.0; k * p],
            log_evidence: 0.0,
            observations: 0,
        };
        let mut evidence = Sum::default();
        let mut beliefs: Vec<f64> = Vec::new();
        // ρ_{t+1} of the newest few t, filled from its end: in order of time, as the beliefs are.
        let mut ratios = vec![0.0; BLOCK * k];
        let mut statistic = vec![0.0; p];
        let mut outer = vec![0.0; k * k];
        let mut back = Backward::new(k, self.transition);
        let mut rows = equal.map(|equal| OfEqualRows::new(equal, k));
        let mut before = 0;
        for sequence in sequences {
            let sequence = &*lagged(self.emission, sequence)?;
            beliefs.clear();
            beliefs.reserve(sequence.len() * k);
            let keep = |now: Now<'_>| beliefs.extend_from_slice(now.belief);
            evidence = evidence.plus(match &mut rows {
                None => self.pass(sequence, keep)?,
                Some(rows) => {
                    let emission = self.emission;
                    let of = |t: usize, _: &[f64], into: &mut [f64]| {
                        rows.likelihood(emission, before + t, into)
                    };
                    self.pass_given(sequence, of, keep)?
                }
            });
            found.observations += sequence.len() as u64;
            let mut filled = 0;
            let times = beliefs.chunks_exact(k).zip(sequence.iter()).enumerate();
            for (t, (belief, observation)) in times.rev() {
                if t + 1 == sequence.len() {
                    back.start(belief);
                } else {
                    filled += 1;
                    let from = (BLOCK - filled) * k;
                    if !back.step(belief) {
                        add(&back.pairwise, &mut found.transitions);
                    }
                    ratios[from..from + k].copy_from_slice(&back.ratio);
                    // While they are still in the nearest cache.
                    if t == 0 || filled == BLOCK {
                        let left = &beliefs[t * k..(t + filled) * k];
                        add_outer(left, &ratios[from..], &mut outer);
                        filled = 0;
                    }
                }
                let weights = &back.marginal;
                match (observation, &mut rows) {
                    (None, _) => (),
                    (Some(_), Some(rows)) => rows.weigh(before + t, weights),
                    (Some(row), None) => {
                        let into = &mut found.emission;
                        self.emission.accumulate(row, weights, &mut statistic, into);
                    }
                }
            }
            add(&back.marginal, &mut found.initial);
            before += sequence.len();
        }
        if let Some(rows) = rows {
            rows.accumulate(self.emission, &mut statistic, &mut found.emission);
        }
        for ((n, a), sum) in found.transitions.iter_mut().zip(self.transition).zip(outer) {
            *n += a * sum;
        }
        found.log_evidence = evidence.value();
        let last = beliefs.len().saturating_sub(k);
        Ok((found, beliefs.split_off(last)))
    }
}

fn add(x: &[f64], into: &mut [f64]) {
    into.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
}
