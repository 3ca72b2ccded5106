//! Smoothing: each state given all observations.

use super::backward::backward;
use super::filtered::{Filtered, row};
use super::kernel::pairwise;
use super::products::{product, transposed};
use super::{Emission, Hmm};
use crate::{Result, Sequence};

/// γ_t = p(s_t|o_1…o_T) for every t, with what the filter found on the way; what [`Hmm::smooth`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    filtered: Filtered,
    marginals: Vec<f64>,
}

impl Smoothed {
    /// T.
    pub fn len(&self) -> usize {
        self.filtered.len()
    }

    /// Never: a sequence of no observations is an error.
    pub fn is_empty(&self) -> bool {
        self.filtered.is_empty()
    }

    /// K.
    pub fn states(&self) -> usize {
        self.filtered.states()
    }

    /// γ `[T·K]`, row after row.
    pub fn marginals(&self) -> &[f64] {
        &self.marginals
    }

    /// γ_t `[K]`, t from 0.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for t ≥ T.
    pub fn marginal(&self, t: usize) -> Result<&[f64]> {
        row(&self.marginals, self.states(), t)
    }

    /// ξ_t `[K·K]`, `ξ[i][j] = p(s_t = i, s_{t+1} = j | o_1…o_T)`, t from 0 to T − 2.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for t ≥ T − 1.
    pub fn pairwise(&self, t: usize) -> Result<Vec<f64>> {
        self.filtered.pairwise(t, self.marginal(t + 1)?)
    }

    /// What the filter knew before the later observations came.
    pub fn filtered(&self) -> &Filtered {
        &self.filtered
    }

    /// ln p(o_1…o_T), nats.
    pub fn log_evidence(&self) -> f64 {
        self.filtered.log_evidence()
    }
}

impl<E: Emission> Hmm<E> {
    /// γ_t and ξ_t by one pass forward and one back (eq. F14):
    ///
    /// ```text
    /// γ_T = q_T;   ρ = γ_{t+1} ⊘ pred_{t+1} (0 where pred = 0);   γ_t = q_t ⊙ (A ρ)
    /// ```
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let seen = Categorical::new(vec![vec![1.0, 0.0], vec![0.0, 1.0]])?;
    /// let sticky = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], seen)?;
    /// let mut sequence = Sequence::of_symbols([0])?;
    /// sequence.push(None)?;
    /// sequence.push(Some(&[1.0]))?;
    /// let smoothed = sticky.smooth(&sequence)?;
    /// // The gap was left from 0 and entered 1: either half-way is as good.
    /// assert!((smoothed.marginal(1)?[0] - 0.5).abs() < 1e-12);
    /// assert!((smoothed.pairwise(0)?[1] - 0.5).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`].
    pub fn smooth(&self, sequence: &Sequence) -> Result<Smoothed> {
        let filtered = self.filter(sequence)?;
        Ok(Smoothed {
            marginals: marginals(self.states(), self.transition(), filtered.beliefs()),
            filtered,
        })
    }
}

/// γ `[T·K]` from the beliefs q `[T·K]` of a filter by A `[K·K]`.
pub(crate) fn marginals(k: usize, transition: &[f64], beliefs: &[f64]) -> Vec<f64> {
    let mut marginals = vec![0.0; beliefs.len()];
    let mut back = Backward::new(k, transition);
    let rows = beliefs.chunks_exact(k).zip(marginals.chunks_exact_mut(k));
    for (n, (belief, row)) in rows.rev().enumerate() {
        if n == 0 {
            back.start(belief);
        } else {
            back.step(belief);
        }
        // Sums that round can exceed 1 by an ulp or some; the recursion goes on with them as they are.
        let capped = back.marginal.iter().map(|p| p.min(1.0));
        row.iter_mut().zip(capped).for_each(|(row, p)| *row = p);
    }
    marginals
}

/// The pass back: γ_{t+1} and q_t in, γ_t out.
pub(super) struct Backward<'a> {
    transition: &'a [f64],
    transposed: Vec<f64>,
    /// γ of the time last taken `[K]`.
    pub marginal: Vec<f64>,
    /// ρ of the time before, γ ⊘ pred `[K]`; zeros after a step that returned false.
    pub ratio: Vec<f64>,
    /// ξ `[K, K]`, after a step that returned false.
    pub pairwise: Vec<f64>,
    spare: Vec<f64>,
}

impl<'a> Backward<'a> {
    /// By A `[K, K]`, or any weights in its place; their rows need not sum to 1.
    pub fn new(k: usize, transition: &'a [f64]) -> Self {
        Self {
            transition,
            transposed: transposed(k, transition),
            marginal: vec![0.0; k],
            ratio: vec![0.0; k],
            pairwise: vec![0.0; k * k],
            spare: vec![0.0; k],
        }
    }

    /// γ_T = q_T.
    pub fn start(&mut self, belief: &[f64]) {
        self.marginal.copy_from_slice(belief);
    }

    /// γ_t from γ_{t+1} and q_t (`belief`). True where ρ was computed; false where an entry of it was out
    /// of range and ξ_t was computed instead.
    pub fn step(&mut self, belief: &[f64]) -> bool {
        let in_range = backward(
            &self.marginal,
            belief,
            self.transition,
            &self.transposed,
            &mut self.ratio,
            &mut self.spare,
        );
        if !in_range {
            product(belief, self.transition, &mut self.ratio);
            let (after, xi) = (&self.marginal, &mut self.pairwise);
            pairwise(belief, self.transition, &self.ratio, after, xi);
            self.ratio.fill(0.0);
            for (g, row) in self.spare.iter_mut().zip(xi.chunks_exact(belief.len())) {
                *g = row.iter().sum();
            }
        }
        std::mem::swap(&mut self.marginal, &mut self.spare);
        in_range
    }
}
