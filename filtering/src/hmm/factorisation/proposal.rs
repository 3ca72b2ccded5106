//! W_t in two phases: proposed beside W_{t−1}, then accepted or not, so that a failed step changes nothing.

use super::fully_factorised::expectation;
use super::log_dynamics::LogDynamics;
use super::value::ValueFunction;
use crate::{Error, Result};

/// How far the row of a kernel may be from a sum of one.
const ROW_SUM: f64 = 1e-6;

impl ValueFunction {
    /// Proposes W_1.
    pub(super) fn propose_first(&mut self, dynamics: &LogDynamics, loglik: &[f64]) -> Result<()> {
        self.check(dynamics, loglik)?;
        for (w, (p, l)) in self
            .proposal
            .of(loglik.len())
            .iter_mut()
            .zip(dynamics.initial().iter().zip(loglik))
        {
            *w = p + l;
        }
        Ok(())
    }

    /// Proposes W_t of eq. F3.
    pub(super) fn propose(
        &mut self,
        kernel: &[f64],
        dynamics: &LogDynamics,
        loglik: &[f64],
    ) -> Result<()> {
        self.check(dynamics, loglik)?;
        let k = self.states();
        if kernel.len() != k * k {
            return Err(Error::size(
                "kernel",
                format!("{} entries", kernel.len()),
                format!("{k}×{k}"),
            ));
        }
        let proposal = self.proposal.of(k);
        for (j, row) in kernel.chunks_exact(k).enumerate() {
            let (mut expected, mut total) = (0.0, 0.0);
            for ((&b, w), a) in row.iter().zip(&self.relative).zip(dynamics.into_state(j)) {
                if b > 0.0 {
                    expected += b * (w + a - b.ln());
                } else if b != 0.0 {
                    return Err(Error::entry("kernel", &[j], b, "probabilities"));
                }
                total += b;
            }
            proposal[j] = if total == 0.0 {
                f64::NEG_INFINITY
            } else if (total - 1.0).abs() <= ROW_SUM {
                loglik[j] + expected
            } else {
                let found = format!("a sum of {total}");
                return Err(Error::entry("kernel", &[j], found, "a sum of 1, or all 0"));
            };
        }
        Ok(())
    }

    /// Proposes W_t with a kernel that ignores s_t, b_t(i|j) = m(i) `[K]`, whose message forward
    /// Σ_i m(i) ln A[i][·] is at hand: K operations.
    pub(super) fn propose_decoupled(&mut self, m: &[f64], message: &[f64], loglik: &[f64]) {
        let past: f64 = m
            .iter()
            .zip(&self.relative)
            .filter(|&(&m, _)| m > 0.0)
            .map(|(&m, w)| m * (w - m.ln()))
            .sum();
        for (w, (f, l)) in self
            .proposal
            .of(m.len())
            .iter_mut()
            .zip(message.iter().zip(loglik))
        {
            *w = past + f + l;
        }
    }

    /// Proposes W_t with a kernel `[K, K]` whose Σ_i b(i|j) (ln A_ij − ln b(i|j)) `[K]` is at hand: no
    /// logarithm.
    pub(super) fn propose_tied(&mut self, kernel: &[f64], gain: &[f64], loglik: &[f64]) {
        let rows = kernel.chunks_exact(gain.len());
        let terms = rows.zip(gain.iter().zip(loglik));
        for (w, (row, (g, l))) in self.proposal.of(gain.len()).iter_mut().zip(terms) {
            *w = l + g + expectation(row, &self.relative);
        }
    }

    /// Whether any state of the proposal has a finite value.
    pub(super) fn proposal_is_finite(&self) -> Result<bool> {
        Ok(self.top()? > f64::NEG_INFINITY)
    }

    /// Takes the proposal as the next W; by how much the level rose.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for NaN or +∞; W stays as it was then.
    pub(super) fn accept(&mut self) -> Result<f64> {
        let top = self.top()?;
        let proposal = self.proposal.of(self.relative.len());
        if top > f64::NEG_INFINITY {
            proposal.iter_mut().for_each(|w| *w -= top);
            self.level = self.level.plus(top);
        }
        std::mem::swap(&mut self.relative, proposal);
        self.observations += 1;
        Ok(top)
    }

    /// The largest entry of the proposal: by how much the level changes.
    fn top(&self) -> Result<f64> {
        let mut top = f64::NEG_INFINITY;
        for &w in self.proposal.last() {
            if w.is_nan() || w == f64::INFINITY {
                return Err(Error::NotFinite {
                    index: self.observations,
                    what: "the value W",
                    found: w,
                });
            }
            top = top.max(w);
        }
        Ok(top)
    }
}
