//! The posterior of a whole sequence under a factorisation, and its evidence gap.

use super::log_dynamics::{LogDynamics, log_likelihoods};
use crate::hmm::filtered::row;
use crate::hmm::{Emission, Hmm};
use crate::step::Sum;
use crate::{Error, Result, Sequence, entropy};

/// An approximate posterior q(s_1 … s_T) of one of the [`Factorisation`](super::Factorisation)s, and its
/// bound; what [`Hmm::posterior`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    states: usize,
    marginals: Vec<f64>,
    links: Links,
    elbo: f64,
    trace: Vec<f64>,
}

/// How moments depend on each other; each `[T−1, K, K]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Links {
    /// Not at all.
    Product,
    /// b[j][i] = q(s_t = i | s_{t+1} = j).
    Backward(Vec<f64>),
    /// q(s_{t+1} = j | s_t = i).
    Forward(Vec<f64>),
}

impl Posterior {
    /// A product of marginals `[T, K]`, with the bound after each sweep that led to it.
    pub(super) fn product(states: usize, marginals: Vec<f64>, trace: Vec<f64>) -> Self {
        Self::linked(states, marginals, Links::Product, trace)
    }

    /// A chain. The last entry of the trace is the bound.
    pub(super) fn linked(
        states: usize,
        marginals: Vec<f64>,
        links: Links,
        trace: Vec<f64>,
    ) -> Self {
        Self {
            states,
            marginals,
            links,
            elbo: trace.last().copied().unwrap_or(f64::NEG_INFINITY),
            trace,
        }
    }

    /// The chain q_T ∏ b_t of the last belief `[K]` and all kernels `[T−1, K, K]`:
    ///
    /// ```text
    /// γ_T = q_T        γ_t(i) = Σ_j b_{t+1}[j][i] γ_{t+1}(j)
    /// ```
    pub(super) fn reversed(belief: &[f64], kernels: Vec<f64>, trace: Vec<f64>) -> Self {
        let k = belief.len();
        let length = kernels.len() / (k * k) + 1;
        let mut marginals = vec![0.0; length * k];
        marginals[(length - 1) * k..].copy_from_slice(belief);
        for (t, b) in kernels.chunks_exact(k * k).enumerate().rev() {
            let (before, now) = marginals.split_at_mut((t + 1) * k);
            for (q, b) in now.iter().zip(b.chunks_exact(k)) {
                for (p, b) in before[t * k..].iter_mut().zip(b) {
                    *p += q * b;
                }
            }
        }
        Self::linked(k, marginals, Links::Backward(kernels), trace)
    }

    /// T.
    pub fn len(&self) -> usize {
        self.marginals.len() / self.states
    }

    /// Never: a sequence of no observations is an error.
    pub fn is_empty(&self) -> bool {
        self.marginals.is_empty()
    }

    /// K.
    pub fn states(&self) -> usize {
        self.states
    }

    /// q(s_t) `[T·K]`, row after row.
    pub fn marginals(&self) -> &[f64] {
        &self.marginals
    }

    /// q(s_t) `[K]`, t from 0.
    ///
    /// # Errors
    /// [`Error::Setting`] for t ≥ T.
    pub fn marginal(&self, t: usize) -> Result<&[f64]> {
        row(&self.marginals, self.states, t)
    }

    /// Whether q is a product over moments, so that a pair is the product of its marginals.
    pub fn is_product(&self) -> bool {
        self.links == Links::Product
    }

    /// ξ_t `[K·K]`, `ξ[i][j] = q(s_t = i, s_{t+1} = j)`, t from 0 to T − 2.
    ///
    /// # Errors
    /// [`Error::Setting`] for t ≥ T − 1.
    pub fn pairwise(&self, t: usize) -> Result<Vec<f64>> {
        let k = self.states;
        let (now, next) = (self.marginal(t)?, self.marginal(t + 1)?);
        let at = |links: &[f64], x: usize| links[t * k * k + x];
        Ok((0..k * k)
            .map(|x| {
                let (i, j) = (x / k, x % k);
                match &self.links {
                    Links::Product => now[i] * next[j],
                    Links::Backward(b) => next[j] * at(b, j * k + i),
                    Links::Forward(f) => now[i] * at(f, x),
                }
            })
            .collect())
    }

    /// The backward kernel `[K·K]`, `b[j][i] = q(s_{t−1} = i | s_t = j)`, t from 1; a row of zeros where q
    /// is never in state j.
    ///
    /// # Errors
    /// [`Error::Setting`] for t = 0, which has no state before it, and for t ≥ T.
    pub fn kernel(&self, t: usize) -> Result<Vec<f64>> {
        let k = self.states;
        let Some(before) = t.checked_sub(1) else {
            let expected = "at least 1: s_0 comes after nothing";
            return Err(Error::setting("t", t, expected));
        };
        let (now, next) = (self.marginal(before)?, self.marginal(t)?);
        Ok(match &self.links {
            Links::Product => now.repeat(k),
            Links::Backward(b) => row(b, k * k, before)?.to_vec(),
            Links::Forward(_) => {
                let joint = self.pairwise(before)?;
                let entry = |x: usize| match next[x / k] {
                    p if p > 0.0 => joint[x % k * k + x / k] / p,
                    _ => 0.0,
                };
                (0..k * k).map(entry).collect()
            }
        })
    }

    /// L, nats: at most the log evidence.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// The bound as it rose: before and after each sweep of a fully factorised posterior, after each sweep
    /// of one in windows, L_1 … L_T of an online one, the bound alone of a closed form. Nats.
    pub fn trace(&self) -> &[f64] {
        &self.trace
    }

    /// ln p(o_1…o_T) − L, nats: KL(q ‖ p(s|o)), what the factorisation costs; 0 but for rounding where it is
    /// exact.
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`].
    pub fn gap<E: Emission>(&self, model: &Hmm<E>, sequence: &Sequence) -> Result<f64> {
        Ok(model.log_evidence(sequence)? - self.elbo)
    }

    /// The bound that this q gives for any model of as many states and observations as many, by its
    /// definition, however q was found:
    ///
    /// ```text
    /// E_q[ln p(s, o)] + H[q],    H[q] = Σ_t H[ξ_t] − Σ_{1<t<T} H[γ_t]
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together, [`Error::Observation`] for a bad observation.
    pub fn bound<E: Emission>(&self, model: &Hmm<E>, sequence: &Sequence) -> Result<f64> {
        let k = self.states;
        for (name, found, expected) in [
            ("model", model.states(), k),
            ("sequence", sequence.len(), self.len()),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        let dynamics = LogDynamics::of(model);
        let loglik = log_likelihoods(model, &*model.lagged(sequence)?)?;
        let energy = |q: &[f64], x: &[f64]| super::fully_factorised::expectation(q, x);
        let mut sum = Sum::default();
        for t in 0..self.len() {
            let q = self.marginal(t)?;
            let mut terms = energy(q, &loglik[t * k..(t + 1) * k]);
            if t == 0 {
                terms += energy(q, dynamics.initial()) + entropy(q);
            } else {
                let joint = self.pairwise(t - 1)?;
                terms += energy(&joint, dynamics.transition());
                terms += entropy(&joint) - entropy(self.marginal(t - 1)?);
            }
            if terms == f64::NEG_INFINITY {
                return Ok(terms);
            }
            sum = sum.plus(terms);
        }
        Ok(sum.value())
    }
}
