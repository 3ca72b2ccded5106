//! The un-normalised backward value W, for any q and any kernels b.

use serde::{Deserialize, Serialize};

use super::infinities;
use super::log_dynamics::LogDynamics;
use super::scratch::Scratch;
use crate::step::Sum;
use crate::{Error, Result, log_sum_exp, softmax};

/// W_t `[K]`: for each state the posterior may be in now, the expected log-probability of what was seen
/// and passed through, minus the log-probability the kernels gave to that past, in nats.
///
/// ```text
/// W_1(s) = ln π(s) + ℓ_1(s)
/// W_t(s) = ℓ_t(s) + Σ_s' b_t(s'|s) [ W_{t−1}(s') + ln A[s'][s] − ln b_t(s'|s) ]                    (F3)
/// L_t    = Σ_s q_t(s) [ W_t(s) − ln q_t(s) ]                                                         (F4)
/// ```
///
/// with 0 ln 0 = 0 throughout. W holds whatever b and q are; it does not depend on the q's at all. The
/// choice that makes L largest given the past (the Gibbs variational principle) is
///
/// ```text
/// b_t(s'|s) ∝ e^{W_{t−1}(s')} A[s'][s]    W_t(s) = ℓ_t(s) + ln Σ_s' e^{W_{t−1}(s')} A[s'][s]
/// q_t(s)    ∝ e^{W_t(s)}                  L_t    = ln Σ_s e^{W_t(s)}                                (F6)
/// ```
///
/// and taken at every step makes e^{W_t(s)} = p(s_t = s, o_1…o_t), so that L_t is the log evidence. V of
/// Campbell et al. (arXiv 2110.13549) is W − ln q.
///
/// Only differences of W matter to what follows, so they are kept apart from the level, which falls by the
/// surprise of each observation: a long stream does not wear them away.
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Hmm, LogDynamics, ValueFunction};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.7, 0.3], vec![0.4, 0.6]], coins)?;
/// let dynamics = LogDynamics::of(&model);
/// let heads = [0.9f64.ln(), 0.2f64.ln()];
/// let mut w = ValueFunction::start(&dynamics, &heads)?;
/// // Kernels that know nothing of s_t: a bound …
/// let mut loose = w.clone();
/// loose.advance(&[0.5; 4], &dynamics, &heads)?;
/// // … and the best ones: the evidence, whatever order it is summed in.
/// w.advance_optimally(&dynamics, &heads)?;
/// let evidence: f64 = 0.5 * 0.9 * (0.7 * 0.9 + 0.3 * 0.2) + 0.5 * 0.2 * (0.4 * 0.9 + 0.6 * 0.2);
/// assert!((w.highest_elbo() - evidence.ln()).abs() < 1e-12);
/// assert!(loose.highest_elbo() < w.highest_elbo());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct ValueFunction {
    /// max_s W(s), while it is finite.
    pub(super) level: Sum,
    /// W − level; all −∞ where the bound is.
    pub(super) relative: Vec<f64>,
    pub(super) observations: u64,
    /// W of the next step minus the level of this one, while it is made.
    pub(super) proposal: Scratch,
}

impl ValueFunction {
    /// W_1 of a first observation with log-likelihoods ℓ_1 `[K]`.
    ///
    /// # Errors
    /// [`Error::Size`] for another length than K, [`Error::NotFinite`] for NaN or +∞.
    pub fn start(dynamics: &LogDynamics, loglik: &[f64]) -> Result<Self> {
        let mut value = Self::before(dynamics.states());
        value.propose_first(dynamics, loglik)?;
        value.accept()?;
        Ok(value)
    }

    /// No observation yet.
    pub(super) fn before(states: usize) -> Self {
        Self {
            level: Sum::default(),
            relative: vec![0.0; states],
            observations: 0,
            proposal: Scratch::default(),
        }
    }

    /// W_t from W_{t−1} by eq. F3, with any kernel b_t `[K, K]` (row j is b_t(· | s_t = j)) and ℓ_t `[K]`.
    ///
    /// A row of zeros says that its state is not reached: W_t is −∞ there.
    ///
    /// # Errors
    /// [`Error::Size`] for wrong lengths, [`Error::Entry`] for a row that is no distribution,
    /// [`Error::NotFinite`] for NaN or +∞. W_{t−1} stays as it was then.
    pub fn advance(
        &mut self,
        kernel: &[f64],
        dynamics: &LogDynamics,
        loglik: &[f64],
    ) -> Result<()> {
        self.propose(kernel, dynamics, loglik)?;
        self.accept().map(drop)
    }

    /// W_t from W_{t−1} with the best kernel (eq. F6), without making the kernel.
    ///
    /// # Errors
    /// As [`ValueFunction::advance`].
    pub fn advance_optimally(&mut self, dynamics: &LogDynamics, loglik: &[f64]) -> Result<()> {
        self.check(dynamics, loglik)?;
        let proposal = self.proposal.of(dynamics.states());
        for j in 0..dynamics.states() {
            let column = dynamics.into_state(j);
            let terms = || self.relative.iter().zip(column).map(|(w, a)| w + a);
            let top = terms().fold(f64::NEG_INFINITY, f64::max);
            proposal[j] = if top == f64::NEG_INFINITY {
                top
            } else {
                loglik[j] + top + terms().map(|x| (x - top).exp()).sum::<f64>().ln()
            };
        }
        self.accept().map(drop)
    }

    /// The kernel of eq. F6 for the step to come, `b(s'|s) ∝ e^{W(s')} A[s'][s]`, into `[K, K]`; rows of
    /// states that cannot be reached are 0.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong length.
    pub fn optimal_kernel(&self, dynamics: &LogDynamics, into: &mut [f64]) -> Result<()> {
        let k = self.states();
        self.check(dynamics, &self.relative)?;
        if into.len() != k * k {
            return Err(Error::size("into", into.len(), format!("{k}×{k}")));
        }
        for (j, row) in into.chunks_exact_mut(k).enumerate() {
            for ((b, w), a) in row
                .iter_mut()
                .zip(&self.relative)
                .zip(dynamics.into_state(j))
            {
                *b = w + a;
            }
            softmax(row);
        }
        Ok(())
    }

    /// The belief of eq. F6, q(s) ∝ e^{W(s)}, into `[K]`, and the bound it gives, ln Σ_s e^{W(s)}.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong length.
    pub fn optimal_belief(&self, into: &mut [f64]) -> Result<f64> {
        if into.len() != self.states() {
            return Err(Error::size("into", into.len(), self.states()));
        }
        into.copy_from_slice(&self.relative);
        Ok(self.level.value() + softmax(into))
    }

    /// ln Σ_s e^{W(s)}: the largest bound that any q_t gives with the kernels so far; nats.
    pub fn highest_elbo(&self) -> f64 {
        self.level.value() + log_sum_exp(&self.relative)
    }

    /// `L = E_q[W] + H[q]` for any belief q `[K]`, in nats; −∞ where q is in a state that W rules out.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong length.
    pub fn elbo(&self, q: &[f64]) -> Result<f64> {
        self.check_belief(q)?;
        let terms = q.iter().zip(&self.relative).filter(|&(&q, _)| q > 0.0);
        Ok(self.level.value() + terms.map(|(&q, w)| q * (w - q.ln())).sum::<f64>())
    }

    /// V = W − ln q `[K]` for a belief q `[K]`, into `[K]`; flat where q is optimal. 0 − 0, so to speak,
    /// where neither q nor W allows the state: V is −∞ there, and +∞ where only q forbids it.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong length.
    pub fn under(&self, q: &[f64], into: &mut [f64]) -> Result<()> {
        self.check_belief(q)?;
        self.check_belief(into)?;
        for (v, (q, w)) in into.iter_mut().zip(q.iter().zip(&self.relative)) {
            let impossible = *w == f64::NEG_INFINITY;
            *v = if impossible {
                *w
            } else {
                self.level.value() + w - q.ln()
            };
        }
        Ok(())
    }

    /// W(s), nats.
    pub fn at(&self, state: usize) -> Option<f64> {
        self.relative.get(state).map(|w| self.level.value() + w)
    }

    /// W `[K]`, nats.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.relative.iter().map(|w| self.level.value() + w)
    }

    /// max_s W(s), nats, or what it was last where the kernels so far leave no finite bound.
    pub fn level(&self) -> f64 {
        self.level.value()
    }

    /// W − max W `[K]`.
    pub fn relative(&self) -> &[f64] {
        &self.relative
    }

    /// K.
    pub fn states(&self) -> usize {
        self.relative.len()
    }

    /// t.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    pub(super) fn check(&self, dynamics: &LogDynamics, loglik: &[f64]) -> Result<()> {
        let k = self.states();
        for (name, found) in [("loglik", loglik.len()), ("dynamics", dynamics.states())] {
            if found != k {
                return Err(Error::size(name, found, format!("{k}, one a state")));
            }
        }
        Ok(())
    }

    fn check_belief(&self, q: &[f64]) -> Result<()> {
        if q.len() != self.states() {
            return Err(Error::size("q", q.len(), self.states()));
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    level: Sum,
    #[serde(with = "infinities::vector")]
    relative: Vec<f64>,
    observations: u64,
}

impl From<ValueFunction> for Saved {
    fn from(value: ValueFunction) -> Self {
        Self {
            level: value.level,
            relative: value.relative,
            observations: value.observations,
        }
    }
}

impl TryFrom<Saved> for ValueFunction {
    type Error = Error;
    fn try_from(saved: Saved) -> Result<Self> {
        let relative = saved.relative;
        if let Some(at) = relative.iter().position(|w| w.is_nan() || *w > 0.0) {
            return Err(Error::entry(
                "relative",
                &[at],
                relative[at],
                "a value less the largest of all states, 0 or below",
            ));
        }
        if !saved.level.value().is_finite() || relative.is_empty() {
            let level = saved.level.value();
            return Err(Error::entry(
                "level",
                &[],
                level,
                "nats, of at least one state",
            ));
        }
        Ok(Self {
            level: saved.level,
            relative,
            observations: saved.observations,
            proposal: Scratch::default(),
        })
    }
}
