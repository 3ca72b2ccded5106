//! Comparison of factorisations on one free-energy scale.
//!
//! [`Hmm::compare`](crate::hmm::Hmm::compare), [`LinearGaussian::compare`](crate::gaussian::LinearGaussian::compare) and
//! [`nonlinear::compare`](crate::nonlinear::compare) fill a row each.

use std::time::Instant;

use serde::Serialize;

use crate::{Filter, Result, Sequence};

/// The results of one factorisation on one sequence.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FactorisationRow {
    /// Its name.
    pub factorisation: String,
    /// Whether it can be kept up to date one observation at a time.
    pub online: bool,
    /// F = −L, in nats.
    pub free_energy: f64,
    /// ln p − L, in nats, where ln p is known.
    pub gap: Option<f64>,
    /// Mean |q_t − p(s_t|all)| of the marginals over states and times, where both are there.
    pub marginal_error: Option<f64>,
    /// Mean |A − A*| and |θ − θ*| of the parameters learned under it, against the true model.
    pub parameter_error: Option<(f64, f64)>,
    /// Iterations of variational EM until convergence.
    pub updates: Option<usize>,
    /// Whether it converged within the allowed iterations.
    pub settled: bool,
    /// Time per observation, in µs: one update online, the whole posterior over T in batch.
    pub micros: f64,
    /// Bytes of the whole posterior of a batch; online, what is carried depends on how it is written down:
    /// whoever writes [`Compared::filter`] puts it in.
    pub bytes: usize,
    /// ln p(o_1…t) − L_t over time, for those that run online.
    #[serde(skip)]
    pub gaps: Vec<f64>,
    /// The bound after each iteration of learning, per observation.
    #[serde(skip)]
    pub trace: Vec<f64>,
}

/// A row, and the filter at the end of the sequence if the factorisation runs online.
#[derive(Debug, Clone)]
pub struct Compared<F> {
    /// What it came to.
    pub row: FactorisationRow,
    /// The filter after all observations.
    pub filter: Option<F>,
}

impl<F: Filter + Clone> Compared<F> {
    /// Runs `filter` over the data to their end: µs per update, and the gap to the exact evidence over time, of which
    /// `predictive` has ln p(o_t|o_<t).
    pub(crate) fn online(
        mut row: FactorisationRow,
        mut filter: F,
        data: &Sequence,
        predictive: &[f64],
    ) -> Result<Self> {
        /// Short sequences are run again until this much time was measured.
        const ENOUGH: f64 = 0.05;
        let fresh = filter.clone();
        let mut exact = 0.0;
        for (t, observation) in data.iter().enumerate() {
            let step = filter.update(observation)?;
            if let Some(increment) = predictive.get(t) {
                exact += increment;
                row.gaps.push(exact - step.elbo);
            }
        }
        let (mut seconds, mut updates) = (0.0, 0usize);
        while seconds < ENOUGH {
            let mut filter = fresh.clone();
            let clock = Instant::now();
            for observation in data.iter() {
                filter.update(observation)?;
            }
            seconds += clock.elapsed().as_secs_f64();
            updates += data.len().max(1);
        }
        row.online = true;
        row.micros = 1e6 * seconds / updates as f64;
        Ok(Self {
            row,
            filter: Some(filter),
        })
    }
}

/// Differences of running sums, from 0.
pub(crate) fn increments(cumulative: &[f64]) -> Vec<f64> {
    let mut before = 0.0;
    let each = cumulative.iter();
    each.map(|l| l - std::mem::replace(&mut before, *l))
        .collect()
}
