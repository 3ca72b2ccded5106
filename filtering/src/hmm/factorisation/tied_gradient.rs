//! The gradient of the bound with respect to one kernel for all times, streamed.

use serde::{Deserialize, Serialize};

use super::log_dynamics::LogDynamics;
use super::psi_gradient::advantages;
use super::scratch::Scratch;
use super::value::ValueFunction;
use crate::simd_dispatch;
use crate::{Error, Result};

/// ∇_ζ W_t for a kernel with the logits ζ at every time, streamed:
///
/// ```text
/// G_t(s)  = Σ_i b(i|s) [ G_{t−1}(i) + ∇_ζ ln b(i|s) R_t(i, s) ],   G_1 = 0                          (F12)
/// ∇_ζ L_τ = E_{q_τ}[G_τ]          (+ the part of q_τ, 0 where q_τ is optimal)
/// ```
///
/// with R_t(i, s) = W_{t−1}(i) + ln A_is − ln b(i|s). Kept divided by b, as the running sum Ĝ of advantages
/// R − E_b R: row l of G is b(·|l) ⊙ row l of Ĝ, and Ĝ is the natural gradient before it is divided by
/// how often s = l. Storage `[K, K·K]`, K⁴ operations an observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiedGradient {
    pub(super) states: usize,
    /// Ĝ(s)[l][i], `[K, K, K]`.
    pub(super) advantage: Vec<f64>,
    /// The next one while it is made.
    #[serde(skip)]
    next: Scratch,
    /// The newest advantages of one row.
    #[serde(skip)]
    row: Scratch,
}

impl TiedGradient {
    /// G_1 = 0.
    pub fn new(states: usize) -> Self {
        Self {
            states,
            advantage: vec![0.0; states * states * states],
            next: Scratch::default(),
            row: Scratch::default(),
        }
    }

    /// G_t from G_{t−1}, W_{t−1} (`past`) and b `[K, K]`.
    ///
    /// # Errors
    /// [`Error::Size`] for wrong lengths.
    pub fn advance(
        &mut self,
        past: &ValueFunction,
        dynamics: &LogDynamics,
        kernel: &[f64],
    ) -> Result<()> {
        let k = self.states;
        for (name, found, expected) in [
            ("past", past.states(), k),
            ("dynamics", dynamics.states(), k),
            ("kernel", kernel.len(), k * k),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        let (all, row) = (self.next.of(k * k * k), self.row.of(k));
        mix(kernel, &self.advantage, k, all);
        for (j, (b, next)) in kernel
            .chunks_exact(k)
            .zip(all.chunks_exact_mut(k * k))
            .enumerate()
        {
            let mean = advantages(past.relative(), dynamics.into_state(j), b, row);
            // Where the bound is −∞ no direction is better than another.
            if mean.is_finite() {
                let newest = next[j * k..(j + 1) * k].iter_mut();
                newest.zip(row.iter()).for_each(|(n, r)| *n += r);
            }
        }
        std::mem::swap(&mut self.advantage, all);
        Ok(())
    }

    /// E_q[Ĝ] into `[K, K]`.
    pub(super) fn expected(&self, q: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        let k = self.states;
        for (&q, g) in q.iter().zip(self.advantage.chunks_exact(k * k)) {
            if q > 0.0 {
                into.iter_mut().zip(g).for_each(|(c, g)| *c += q * g);
            }
        }
    }

    /// E_q[∇_ζ W_t] `[K, K]` for a belief q `[K]` and the kernel `[K, K]`: the gradient of the bound where q
    /// does not depend on ζ, or is optimal.
    ///
    /// # Errors
    /// [`Error::Size`] for wrong lengths.
    pub fn gradient(&self, q: &[f64], kernel: &[f64], into: &mut [f64]) -> Result<()> {
        let k = self.states;
        for (name, found, expected) in [
            ("q", q.len(), k),
            ("kernel", kernel.len(), k * k),
            ("into", into.len(), k * k),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        self.expected(q, into);
        into.iter_mut().zip(kernel).for_each(|(c, b)| *c *= b);
        Ok(())
    }
}

/// Columns that are summed at once.
const LANES: usize = 16;

#[inline(always)]
fn mix_body(kernel: &[f64], tables: &[f64], k: usize, into: &mut [f64]) {
    let columns = k * k;
    for (b, into) in kernel.chunks_exact(k).zip(into.chunks_exact_mut(columns)) {
        let (blocks, rest) = into.as_chunks_mut::<LANES>();
        let start = blocks.len() * LANES;
        for (n, block) in blocks.iter_mut().enumerate() {
            let mut sums = [0.0; LANES];
            for (b, table) in b.iter().zip(tables.chunks_exact(columns)) {
                if let Some(part) = table[n * LANES..].first_chunk::<LANES>() {
                    for x in 0..LANES {
                        sums[x] += b * part[x];
                    }
                }
            }
            *block = sums;
        }
        rest.fill(0.0);
        for (b, table) in b.iter().zip(tables.chunks_exact(columns)) {
            for (sum, g) in rest.iter_mut().zip(&table[start..]) {
                *sum += b * g;
            }
        }
    }
}

simd_dispatch! {
    /// Σ_i b(i|j) table_i for each j: a kernel `[K, K]` and tables `[K, K·K]`, into `[K, K·K]`.
    fn mix(kernel: &[f64], tables: &[f64], k: usize, into: &mut [f64]) = mix_body;
}
