//! Coordinate ascent: stopping and restarts.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, Exp1};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Settings of coordinate ascent over the whole sequence, t = 1 … T in turn, each from its newest
/// neighbours (Gauss–Seidel): every update is a maximisation, so that the bound never falls.
///
/// ```
/// use scotopic_filtering::hmm::Sweeps;
/// let patient = Sweeps { restarts: 4, ..Sweeps::default() };
/// assert_eq!(patient.max, 1000);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sweeps {
    /// The most sweeps of one ascent.
    pub max: usize,
    /// An ascent ends when a sweep raises the bound by less than this, in nats.
    pub tolerance: f64,
    /// Further ascents: the first from the exact marginals γ_t, then each from γ_t times a draw of a flat
    /// Dirichlet, normalised. The best is kept.
    pub restarts: usize,
    /// The seed of those draws.
    pub seed: u64,
}

impl Default for Sweeps {
    fn default() -> Self {
        Self {
            // The slowest recorded ascent (K = 8, T = 500) takes 119 at a tolerance of 1e-12.
            max: 1000,
            // Far below any difference between factorisations, above the rounding of a sum of 10⁵ nats.
            tolerance: 1e-10,
            // The uniform start only: one answer, at the cost of one. The bound has local maxima: ask for
            // one where it is to be compared (K = 8, T = 500 gains 21 nats, which flat draws do not find).
            restarts: 0,
            seed: 0,
        }
    }
}

/// Where coordinate ascent ended: the marginals `[T, K]` and the bound at the start and after each sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ascent {
    pub marginals: Vec<f64>,
    pub trace: Vec<f64>,
}

impl Ascent {
    pub fn bound(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// The one with the highest bound, the first of equals.
    pub fn best(ascents: impl Iterator<Item = Self>) -> Self {
        ascents
            .reduce(|best, next| {
                if next.bound() > best.bound() {
                    next
                } else {
                    best
                }
            })
            .unwrap_or_default()
    }
}

impl Sweeps {
    /// # Errors
    /// [`Error::Setting`] for no sweep at all or a tolerance that is negative or NaN.
    pub(super) fn check(&self) -> Result<()> {
        if self.max == 0 {
            return Err(Error::setting("max", self.max, "at least one sweep"));
        }
        if self.tolerance.is_nan() || self.tolerance < 0.0 {
            return Err(Error::setting(
                "tolerance",
                self.tolerance,
                "0 nats or more",
            ));
        }
        Ok(())
    }

    /// Whether the last sweep of a trace was one too many. A rise within rounding does not count.
    pub(super) fn settled(&self, trace: &[f64]) -> bool {
        match trace {
            [.., before, after] => {
                after.is_finite() && after - before < self.tolerance + f64::EPSILON * after.abs()
            }
            _ => false,
        }
    }

    /// Where the ascents start, `[T·K]` each, from the exact marginals `[T·K]` where there are restarts.
    pub(super) fn starts(
        &self,
        length: usize,
        states: usize,
        exact: Option<&[f64]>,
    ) -> impl Iterator<Item = Vec<f64>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let uniform = vec![1.0 / states as f64; length * states];
        let exact = exact.into_iter();
        let draws = exact.flat_map(|exact| (0..self.restarts).map(move |n| (n, exact)));
        let draws = draws.map(move |(n, exact)| {
            let mut start = exact.to_vec();
            if n > 0 {
                // A flat Dirichlet is exponentials over their sum.
                start.iter_mut().for_each(|p| {
                    let e: f64 = Exp1.sample(&mut random);
                    *p *= e;
                });
            }
            for row in start.chunks_mut(states) {
                let total: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= total);
            }
            start
        });
        std::iter::once(uniform).chain(draws)
    }
}
