//! EM on whole sequences.

use serde::{Deserialize, Serialize};

use super::super::pseudo_observations::PseudoObservations;
use super::running::rows_of;
use super::settings::pseudo_count;
use crate::hmm::{Expectations, Hmm, Learnable};
use crate::{Error, Result, Sequence};

/// When batch EM stops, and what it adds to counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchEm {
    /// At most so many E-steps and M-steps.
    pub max_iterations: usize,
    /// Stop when an iteration changes the log evidence by no more than this, in nats per observation.
    pub tolerance: f64,
    /// ε added to the counts of what the model allows; 0 is maximum likelihood, and only then is the log
    /// evidence sure never to decrease: with more, EM raises the evidence times a prior, which may cost
    /// evidence, and continues through such falls.
    pub pseudo_count: f64,
}

impl Default for BatchEm {
    fn default() -> Self {
        Self {
            // EM is done after tens of iterations where states are distinct, hundreds where they overlap.
            max_iterations: 500,
            // A thousandth of a nat on a thousand observations: far below what distinguishes two models.
            tolerance: 1e-6,
            pseudo_count: 0.0,
        }
    }
}

/// What EM came to; [`Hmm::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fit<E: Learnable> {
    /// The model after the last M-step.
    pub model: Hmm<E>,
    /// Σ ln p(o) over the sequences before each iteration, and of `model`: one more than `iterations`.
    pub trace: Vec<f64>,
    /// E-steps with an M-step after them.
    pub iterations: usize,
    /// Whether the last iteration changed the log evidence, up or down, by no more than the tolerance.
    pub converged: bool,
    /// The numbers that were free to be chosen: what was impossible at the start and remains so is not.
    pub free_parameters: usize,
    /// The pseudo-count: the one asked for or, where every guess collapsed without one, that of [`Hmm::fit_guesses`].
    pub pseudo_count: f64,
}

impl<E: Learnable> Fit<E> {
    /// Nothing done yet.
    pub(super) fn new(start: Hmm<E>, em: &BatchEm) -> Self {
        Self {
            free_parameters: start.parameters() - start.structural_zeros(em.pseudo_count),
            pseudo_count: em.pseudo_count,
            model: start.recentred(),
            trace: Vec::new(),
            iterations: 0,
            converged: false,
        }
    }

    /// Σ ln p(o) of the model, nats.
    pub fn log_evidence(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

impl<E: Learnable> Hmm<E> {
    /// Expectation maximisation (L. Baum et al., 1970) on any number of sequences, from this model:
    ///
    /// ```text
    /// π ∝ Σ γ_1 + ε,   A_ij ∝ Σ_t ξ_t[i][j] + ε,   emission: Learnable::maximise(Σ_t γ_t φ(o_t), ε)
    /// ```
    ///
    /// Entries of π and A that are zero stay zero. No iteration makes the log evidence smaller (ε = 0).
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{BatchEm, Hmm, Poisson}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let data = [Sequence::of_numbers([1.0, 0.0, 2.0, 9.0, 11.0, 8.0, 1.0, 0.0])?];
    /// let start = Poisson::new(vec![vec![3.0], vec![6.0]])?;
    /// let start = Hmm::new(vec![0.5, 0.5], vec![vec![0.8, 0.2], vec![0.2, 0.8]], start)?;
    /// let fit = start.fit(&data, &BatchEm::default())?;
    /// assert!(fit.converged && fit.trace.is_sorted());
    /// assert!((fit.model.emission().rates()[1] - 28.0 / 3.0).abs() < 0.1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that makes no sense; as [`Hmm::expectations`]; [`Error::Dependent`] for columns
    /// without variance or covariance of their own, unless there are pseudo-observations;
    /// [`Error::NotPositiveDefinite`] or [`Error::Entry`] where a state is left with too few observations for its
    /// spread: give a `pseudo_count`, or fewer states.
    pub fn fit(self, sequences: &[Sequence], em: &BatchEm) -> Result<Fit<E>> {
        em.check()?;
        let sequences = &*self.all_lagged(sequences)?;
        if em.pseudo_count == 0.0 {
            self.emission().check_data(sequences)?;
        }
        let mut fit = Fit::new(self.centred_on(sequences), em);
        let mut expected = fit.model.expectations(sequences)?;
        fit.trace.push(expected.log_evidence);
        let enough = em.tolerance * expected.observations as f64;
        while fit.iterations < em.max_iterations && !fit.converged {
            let pseudo = PseudoObservations::of_data(em.pseudo_count);
            let model = m_step(&fit.model, &expected, pseudo)?;
            let next = model.expectations(sequences)?;
            let gain = next.log_evidence - expected.log_evidence;
            fit.trace.push(next.log_evidence);
            fit.model = model;
            fit.iterations += 1;
            fit.converged = gain.abs() <= enough;
            expected = next;
        }
        Ok(fit)
    }
}

/// The M-step from expected counts of whole sequences, with the origin of statistics where it is best for the new model.
pub(in crate::hmm) fn m_step<E: Learnable>(
    old: &Hmm<E>,
    expected: &Expectations,
    pseudo: PseudoObservations,
) -> Result<Hmm<E>> {
    let k = old.states();
    let initial = rows_of(old.initial(), &expected.initial, k, pseudo.count);
    let transition = rows_of(old.transition(), &expected.transitions, k, pseudo.count);
    let emission = old.emission().maximise(&expected.emission, pseudo)?;
    Ok(Hmm::from_flat(initial, transition, emission)?.recentred())
}

impl BatchEm {
    pub(super) fn check(&self) -> Result<()> {
        pseudo_count(self.pseudo_count)?;
        if self.tolerance >= 0.0 {
            return Ok(());
        }
        Err(Error::setting("tolerance", self.tolerance, "0 or positive"))
    }
}
