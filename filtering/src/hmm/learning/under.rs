//! Variational EM: the E-step is the posterior under a factorisation.

use super::super::pseudo_observations::PseudoObservations;
use super::batch::{BatchEm, Fit};
use super::running::rows_of;
use crate::hmm::{Factorisation, Hmm, Learnable};
use crate::{Error, Result, Sequence};

impl<E: Learnable> Hmm<E> {
    /// Variational EM: the E-step is the posterior of a [`Factorisation`], the M-step maximises E_q[ln p] over the
    /// parameters.
    ///
    /// ```text
    /// q ← argmax_q L(q, θ) in the family,   A_ij ∝ Σ_t q(s_{t−1} = i, s_t = j),   θ_e from Σ_t q(s_t = j) φ(o_t)
    /// ```
    ///
    /// The trace holds the *bound*. Where the posterior is found by ascent (all but the two online mean-field
    /// ones) it never decreases by more than the ascent's tolerance. What is learned is the model whose bound is
    /// highest, not whose evidence is: a factorisation that cannot express a dependence learns a model that does
    /// without it (naive mean field learns chains that are too sticky or not sticky at all).
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{BatchEm, Factorisation, Hmm, Poisson}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let start = Hmm::new(vec![0.5; 2], vec![vec![0.8, 0.2], vec![0.2, 0.8]], Poisson::new(vec![vec![2.0], vec![8.0]])?)?;
    /// let quakes = [Sequence::of_numbers([1.0, 0.0, 2.0, 9.0, 11.0, 8.0, 1.0, 2.0])?];
    /// let em = BatchEm { max_iterations: 5, ..BatchEm::default() };
    /// let naive = start.clone().fit_under(&quakes, &Factorisation::FullyFactorised(Default::default()), &em)?;
    /// let exact = start.fit_under(&quakes, &Factorisation::Reversed, &em)?;
    /// assert!(naive.log_evidence() < exact.log_evidence());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::fit`] and [`Hmm::posterior`].
    pub fn fit_under(
        self,
        sequences: &[Sequence],
        factorisation: &Factorisation,
        em: &BatchEm,
    ) -> Result<Fit<E>> {
        em.check()?;
        let sequences = &*self.all_lagged(sequences)?;
        let k = self.states();
        if em.pseudo_count == 0.0 {
            self.emission().check_data(sequences)?;
        }
        let observations: usize = sequences.iter().map(Sequence::len).sum();
        if observations == 0 {
            return Err(Error::size("sequences", "no observation", "at least one"));
        }
        let enough = em.tolerance * observations as f64;
        let mut fit = Fit::new(self.centred_on(sequences), em);
        let mut expected = Expected::of(&fit.model, sequences, factorisation)?;
        fit.trace.push(expected.bound);
        while fit.iterations < em.max_iterations && !fit.converged {
            let old = &fit.model;
            let initial = rows_of(old.initial(), &expected.initial, k, em.pseudo_count);
            let transition = rows_of(old.transition(), &expected.transitions, k, em.pseudo_count);
            let emission = old.emission().maximise(
                &expected.emission,
                PseudoObservations::of_data(em.pseudo_count),
            )?;
            let model = Hmm::from_flat(initial, transition, emission)?.recentred();
            let next = Expected::of(&model, sequences, factorisation)?;
            fit.converged = (next.bound - expected.bound).abs() <= enough;
            fit.trace.push(next.bound);
            fit.model = model;
            fit.iterations += 1;
            expected = next;
        }
        Ok(fit)
    }
}

/// The expected counts of an approximate posterior.
struct Expected {
    /// `[K]`.
    initial: Vec<f64>,
    /// `[K, K]`.
    transitions: Vec<f64>,
    /// `[K, P]`.
    emission: Vec<f64>,
    /// Σ L over the sequences.
    bound: f64,
}

impl Expected {
    fn of<E: Learnable>(
        model: &Hmm<E>,
        sequences: &[Sequence],
        factorisation: &Factorisation,
    ) -> Result<Self> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        let mut sum = Self {
            initial: vec![0.0; k],
            transitions: vec![0.0; k * k],
            emission: vec![0.0; k * p],
            bound: 0.0,
        };
        let mut statistic = vec![0.0; p];
        let add = |into: &mut [f64], from: &[f64]| {
            into.iter_mut().zip(from).for_each(|(i, f)| *i += f);
        };
        for sequence in sequences {
            let posterior = model.posterior(sequence, factorisation)?;
            sum.bound += posterior.elbo();
            add(&mut sum.initial, posterior.marginal(0)?);
            for t in 1..sequence.len() {
                add(&mut sum.transitions, &posterior.pairwise(t - 1)?);
            }
            for (t, seen) in sequence.iter().enumerate() {
                if let Some(seen) = seen {
                    let weights = posterior.marginal(t)?;
                    let emission = model.emission();
                    emission.accumulate(seen, weights, &mut statistic, &mut sum.emission);
                }
            }
        }
        Ok(sum)
    }
}
