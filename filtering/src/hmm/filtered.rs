//! Filtering a whole sequence: the streaming step in a loop.

use super::kernel::{kernel, pairwise};
use super::products;
use super::{Emission, Hmm};
use crate::{Error, Result, Sequence};

/// q_t = p(s_t|o_≤t) for every t, and the evidence; what [`Hmm::filter`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    initial: Vec<f64>,
    transition: Vec<f64>,
    beliefs: Vec<f64>,
    log_predictive: Vec<f64>,
    log_evidence: f64,
}

impl Filtered {
    /// T.
    pub fn len(&self) -> usize {
        self.log_predictive.len()
    }

    /// Never: a sequence of no observations is an error.
    pub fn is_empty(&self) -> bool {
        self.log_predictive.is_empty()
    }

    /// K.
    pub fn states(&self) -> usize {
        self.initial.len()
    }

    /// q `[T·K]`, row after row.
    pub fn beliefs(&self) -> &[f64] {
        &self.beliefs
    }

    /// q_t `[K]`, t from 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for t ≥ T.
    pub fn belief(&self, t: usize) -> Result<&[f64]> {
        row(&self.beliefs, self.states(), t)
    }

    /// p(s_t|o_<t) `[K]`, t from 0; π for t = 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for t ≥ T.
    pub fn predicted(&self, t: usize) -> Result<Vec<f64>> {
        self.belief(t)?;
        if t == 0 {
            return Ok(self.initial.clone());
        }
        let mut predicted = vec![0.0; self.states()];
        products::product(self.belief(t - 1)?, &self.transition, &mut predicted);
        Ok(predicted)
    }

    /// The backward kernel `[K·K]`, `b[j][i] = p(s_{t−1} = i | s_t = j, o_<t)`, t from 1; a row of zeros
    /// where state j cannot be reached.
    ///
    /// # Errors
    /// [`Error::Setting`] for t = 0, which has no state before it, and for t ≥ T.
    pub fn kernel(&self, t: usize) -> Result<Vec<f64>> {
        if t == 0 {
            return Err(Error::setting(
                "t",
                t,
                "at least 1: s_0 comes after nothing",
            ));
        }
        let predicted = self.predicted(t)?;
        let mut b = vec![0.0; self.states() * self.states()];
        kernel(self.belief(t - 1)?, &self.transition, &predicted, &mut b);
        Ok(b)
    }

    /// ln p(o_t|o_<t) `[T]`, nats; 0 for a missing observation.
    pub fn log_predictive(&self) -> &[f64] {
        &self.log_predictive
    }

    /// ln p(o_1…o_T), nats.
    pub fn log_evidence(&self) -> f64 {
        self.log_evidence
    }

    /// ξ_t `[K·K]` from γ_{t+1}.
    pub(super) fn pairwise(&self, t: usize, after: &[f64]) -> Result<Vec<f64>> {
        let predicted = self.predicted(t + 1)?;
        let mut xi = vec![0.0; self.states() * self.states()];
        pairwise(
            self.belief(t)?,
            &self.transition,
            &predicted,
            after,
            &mut xi,
        );
        Ok(xi)
    }
}

/// Row t of an array `[T, K]`.
pub(super) fn row(values: &[f64], k: usize, t: usize) -> Result<&[f64]> {
    let length = values.len() / k;
    values
        .get(t * k..(t + 1) * k)
        .ok_or_else(|| Error::setting("t", t, format!("less than {length}, the observations")))
}

impl<E: Emission> Hmm<E> {
    /// ln p(o_1…o_T) in nats (eq. F13), in O(T·K²) time and O(K) memory.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let coin = Hmm::new(vec![1.0], vec![vec![1.0]], Categorical::new(vec![vec![0.75, 0.25]])?)?;
    /// let evidence = coin.log_evidence(&Sequence::of_symbols([0, 1, 0])?)?;
    /// assert!((evidence - (0.75f64 * 0.25 * 0.75).ln()).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a sequence of no observations; [`Error::Observation`],
    /// [`Error::Impossible`] and [`Error::NotFinite`] with the number of the observation.
    pub fn log_evidence(&self, sequence: &Sequence) -> Result<f64> {
        self.chain().pass(sequence, |_| ())
    }

    /// q_t and ln p(o_t|o_<t) for every t (eq. F13), bit for bit those of a
    /// [`Filter`](super::Filter) that is shown the same observations one by one.
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`].
    pub fn filter(&self, sequence: &Sequence) -> Result<Filtered> {
        let mut beliefs = Vec::with_capacity(sequence.len() * self.states());
        let mut log_predictive = Vec::with_capacity(sequence.len());
        let log_evidence = self.chain().pass(sequence, |now| {
            beliefs.extend_from_slice(now.belief);
            log_predictive.push(now.increment);
        })?;
        Ok(Filtered {
            initial: self.initial().to_vec(),
            transition: self.transition().to_vec(),
            beliefs,
            log_predictive,
            log_evidence,
        })
    }
}

/// Checks that there is something to see, as wide as the model expects it.
pub(super) fn check_sequence<E: Emission>(sequence: &Sequence, emission: &E) -> Result<()> {
    let width = emission.width();
    if sequence.is_empty() {
        return Err(Error::size("sequence", "no observation", "at least one"));
    }
    if sequence.width() != width {
        let found = format!("a row of {}", sequence.width());
        let entry = sequence.width().min(width);
        return Err(Error::observation(entry, found, format!("{width} entries")));
    }
    if sequence.has_partial_rows() && !emission.accepts_partial_rows() {
        return Err(Error::Unsupported {
            what: "this emission".to_owned(),
            asked: "use rows that are missing in part",
            why: "it takes whole rows; Sequence::whole_rows leaves the others out",
        });
    }
    Ok(())
}
