//! The smoother: q(s_1…s_T) q(x_1…x_T), each the best given the other in turn.

use super::chain::{observed, smoothed};
use super::densities::Densities;
use super::filter::SldsFilter;
use super::model::Slds;
use super::pseudo_model::posterior;
use crate::gaussian::{Gaussian, GaussianKernel, Posterior, normal_entropy};
use crate::hmm::{Smoothed, marginals};
use crate::step::Sum;
use crate::{Error, Result, Sequence};

/// Passes end when one has gained at most this, in nats an observation.
const ENOUGH: f64 = 1e-9;
/// Most passes: some tens are usual.
const MOST: usize = 500;

/// Beliefs about every state and regime given the whole sequence, and their evidence lower bound (eq. F113).
#[derive(Debug, Clone, PartialEq)]
pub struct SldsSmoothed {
    pub(super) factors: Factors,
    passes: usize,
    converged: bool,
}

/// Both factors, q(s) the best for q(x).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    pub states: Posterior,
    /// None of no observations.
    pub chain: Option<Smoothed>,
    /// E_q(x) of the log-densities of each regime at each time, rows `[K]`, but for what is the same in all.
    pub weights: Sequence,
    pub bound: f64,
}

impl Factors {
    /// γ `[T·K]`.
    fn regimes(&self) -> &[f64] {
        self.chain.as_ref().map_or(&[], Smoothed::marginals)
    }
}

impl SldsSmoothed {
    /// T.
    pub fn len(&self) -> usize {
        self.factors.states.beliefs.len()
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.factors.states.beliefs.is_empty()
    }

    /// N(mean, covariance) of every x_t given the whole sequence.
    pub fn beliefs(&self) -> &[Gaussian] {
        &self.factors.states.beliefs
    }

    /// The kernels of x_{t−1} given x_t, one fewer than beliefs.
    pub fn kernels(&self) -> &[GaussianKernel] {
        &self.factors.states.kernels
    }

    /// γ `[T·K]`: q(s_t = k), row after row.
    pub fn regimes(&self) -> &[f64] {
        self.factors.regimes()
    }

    /// The evidence lower bound in nats, at most ln p(y_1…y_T); the free energy is −1 times it.
    pub fn elbo(&self) -> f64 {
        self.factors.bound
    }

    /// Passes over the sequence that it took, each of which has raised the bound.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Whether it ended because the bound no longer rose.
    pub fn converged(&self) -> bool {
        self.converged
    }
}

impl Slds {
    /// The factors q(s_1…s_T) q(x_1…x_T) of highest bound near two starts (eqs. F111–F113): the regimes as the filter has them, smoothed,
    /// and all regimes alike. The bound has several maxima; the higher of the two is taken.
    ///
    /// ```text
    /// L = E_q[ln p(y, x, s) − ln q(s) − ln q(x)]  ≤  ln p(y_1…y_T),   with equality for one regime
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for observations of another width, [`Error::NotFinite`] and [`Error::NotPositiveDefinite`] where beliefs leave the
    /// range of numbers.
    pub fn smooth(&self, sequence: &Sequence) -> Result<SldsSmoothed> {
        self.check_sequence(sequence)?;
        let densities = Densities::new(self)?;
        let mut best: Option<SldsSmoothed> = None;
        for start in self.starts(sequence)? {
            let found = densities.ascend(sequence, start, MOST)?;
            if best.as_ref().is_none_or(|best| found.elbo() > best.elbo()) {
                best = Some(found);
            }
        }
        best.ok_or_else(|| Error::not_finite(0, "the evidence lower bound", f64::NAN))
    }

    /// Regime probabilities `[T·K]` to start from.
    pub(super) fn starts(&self, sequence: &Sequence) -> Result<Vec<Vec<f64>>> {
        let k = self.regimes_len();
        if k == 1 {
            return Ok(vec![vec![1.0; sequence.len()]]);
        }
        let mut filter = SldsFilter::new(self.clone())?;
        let mut beliefs = Vec::with_capacity(sequence.len() * k);
        for row in sequence.iter() {
            filter.update(row)?;
            beliefs.extend_from_slice(filter.regimes());
        }
        let alike = vec![1.0 / k as f64; beliefs.len()];
        Ok(vec![marginals(k, self.transition(), &beliefs), alike])
    }
}

impl Densities<'_> {
    /// At most so many passes from regime probabilities `[T·K]`.
    pub fn ascend(
        &self,
        sequence: &Sequence,
        start: Vec<f64>,
        most: usize,
    ) -> Result<SldsSmoothed> {
        let room = ENOUGH * sequence.len() as f64;
        let mut factors = self.pass(sequence, &start)?;
        let mut converged = sequence.is_empty() || self.model.regimes_len() == 1;
        let mut passes = 1;
        while passes < most && !converged {
            let next = self.pass(sequence, factors.regimes())?;
            passes += 1;
            converged = next.bound - factors.bound <= room;
            // A pass loses rounding alone.
            if next.bound >= factors.bound {
                factors = next;
            }
        }
        Ok(SldsSmoothed {
            factors,
            passes,
            converged,
        })
    }

    /// The best q(x) given regime probabilities `[T·K]`, and then the best q(s) given q(x).
    fn pass(&self, sequence: &Sequence, marginals: &[f64]) -> Result<Factors> {
        let k = self.model.regimes_len();
        let states = posterior(self, sequence, marginals)?;
        let mut weights = vec![0.0; marginals.len()];
        let mut bound = Sum::default();
        for (t, row) in sequence.iter().enumerate() {
            let (into, belief) = (&mut weights[t * k..(t + 1) * k], &states.beliefs[t]);
            if let Some(row) = self.row(row)? {
                row.add_expected(belief, into);
                bound = bound.plus(-row.log_norm());
            }
            if t > 0 {
                let kernel = &states.kernels[t - 1];
                self.add_expected(kernel, belief, into);
                let entropy = normal_entropy("covariance of the kernel", kernel.covariance())?;
                bound = bound.plus(entropy - self.log_norm);
            }
        }
        if let (Some(first), Some(last)) = (states.beliefs.first(), states.beliefs.last()) {
            bound = bound.plus(self.expected_start(first)).plus(last.entropy()?);
        }
        let weights = observed(k, weights)?;
        let chain = smoothed(self.model, &weights)?;
        let log_sum = chain.as_ref().map_or(0.0, Smoothed::log_evidence);
        let bound = bound.plus(log_sum).value();
        if !bound.is_finite() {
            return Err(Error::not_finite(0, "the evidence lower bound", bound));
        }
        Ok(Factors {
            chain,
            states,
            weights,
            bound,
        })
    }
}
