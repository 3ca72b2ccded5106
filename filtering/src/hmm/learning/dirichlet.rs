//! Conjugate Bayesian updates of the parameters, one observation at a time.

use serde::{Deserialize, Serialize};

use super::super::pseudo_observations::PseudoObservations;
use super::credible::beta_interval;
use super::running::Running;
use super::scratch::Scratch;
use super::{Seen, settings};
use crate::Error;
use crate::Result;
use crate::hmm::kernel::kernel;
use crate::hmm::{Hmm, Learnable};

/// What conjugate counting knows of the parameters; [`Learning::posterior`](super::Learning::posterior).
///
/// Row i of A is Dirichlet(α_i). The emission's statistics `[K, P]` are the parameters of its conjugate
/// posterior: the concentrations of a row of B; (b, a) of the Gamma on each rate of a Poisson emission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterPosterior {
    counts: Running,
}

impl ParameterPosterior {
    /// α `[K, K]`.
    pub fn transition(&self) -> &[f64] {
        &self.counts.transitions
    }

    /// Prior and observed statistics of the emission `[K, P]`.
    pub fn emission(&self) -> &[f64] {
        &self.counts.emission
    }

    /// The equal-tailed interval in which A_ij lies with probability `level`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a state that there is not, or a level that is not between 0 and 1. An impossible
    /// transition (α_ij = 0) has the interval (0, 0), the only possible one (1, 1).
    pub fn transition_interval(&self, from: usize, to: usize, level: f64) -> Result<(f64, f64)> {
        let k = (self.counts.transitions.len() as f64).sqrt().round() as usize;
        for (field, state) in [("from", from), ("to", to)] {
            if state >= k {
                return Err(Error::setting(
                    field,
                    state,
                    format!("a state, 0 to {}", k - 1),
                ));
            }
        }
        let row = &self.counts.transitions[from * k..(from + 1) * k];
        let others: f64 = row
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != to)
            .map(|(_, a)| a)
            .sum();
        match (row[to] > 0.0, others > 0.0) {
            (false, _) => Ok((0.0, 0.0)),
            (true, false) => Ok((1.0, 1.0)),
            (true, true) => beta_interval(row[to], others, level),
        }
    }
}

/// The posterior, and the prior it decays towards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Dirichlet {
    pub(super) settings: settings::Dirichlet,
    prior: Running,
    posterior: ParameterPosterior,
    #[serde(skip)]
    room: Scratch,
}

impl Dirichlet {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, settings: settings::Dirichlet) -> Self {
        let mut prior = Running::zero(model);
        let counts = prior.transitions.iter_mut().zip(model.transition());
        counts.for_each(|(n, a)| *n = settings.transition_weight * a);
        model.emission().expected_statistic(&mut prior.emission);
        prior
            .emission
            .iter_mut()
            .for_each(|e| *e *= settings.emission_weight);
        Self {
            settings,
            posterior: ParameterPosterior {
                counts: prior.clone(),
            },
            prior,
            room: Scratch::default(),
        }
    }

    pub(super) fn posterior(&self) -> &ParameterPosterior {
        &self.posterior
    }

    /// Takes in an observation and returns the posterior mean; on error nothing is changed.
    pub(super) fn learn<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        now: &Seen<'_>,
    ) -> Result<Option<Hmm<E>>> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        let [b, n, e, statistic] = self.room.rooms([k * k, k * k, k * p, p]);
        let forgetting = self.settings.forgetting;
        let counts = &self.posterior.counts;
        if forgetting == 1.0 {
            n.copy_from_slice(&counts.transitions);
            e.copy_from_slice(&counts.emission);
        } else {
            decay(n, &self.prior.transitions, forgetting, &counts.transitions);
            decay(e, &self.prior.emission, forgetting, &counts.emission);
        }
        if let Some(before) = now.before {
            kernel(before, model.transition(), now.predicted, b);
            for (j, (b, w)) in b.chunks_exact(k).zip(now.belief).enumerate() {
                for (i, b) in b.iter().enumerate() {
                    n[i * k + j] += w * b;
                }
            }
        }
        if let Some(observation) = now.observation {
            model
                .emission()
                .accumulate(observation, now.belief, statistic, e);
        }
        let mut new = None;
        if (now.number + 1).is_multiple_of(self.settings.every) {
            new = Some(super::running::maximise(
                model,
                n,
                e,
                PseudoObservations::NONE,
            )?);
        }
        self.posterior.counts.transitions.copy_from_slice(n);
        self.posterior.counts.emission.copy_from_slice(e);
        Ok(new)
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        self.prior.check(model)?;
        self.posterior.counts.check(model)
    }
}

/// α⁰ + λ(α − α⁰).
fn decay(into: &mut [f64], prior: &[f64], forgetting: f64, counts: &[f64]) {
    for ((into, prior), count) in into.iter_mut().zip(prior).zip(counts) {
        *into = prior + forgetting * (count - prior);
    }
}

/// Refuses an emission that expects nothing before the data: it has no prior.
pub(super) fn check_prior<E: Learnable>(emission: &E) -> Result<()> {
    let mut prior = vec![0.0; emission.states() * emission.statistic_len()];
    emission.expected_statistic(&mut prior);
    match prior.iter().any(|e| *e != 0.0) {
        true => Ok(()),
        false => Err(Error::Unsupported {
            what: "this emission".to_owned(),
            asked: "be learned by dirichlet",
            why: "what it expects depends on inputs or lags, of which nothing is known before the data: its parameters have no \
                  conjugate prior; block-online-em and rmle learn it",
        }),
    }
}
