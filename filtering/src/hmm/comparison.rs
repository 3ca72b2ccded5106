//! One factorisation of a discrete model beside the exact posterior.

use std::time::Instant;

use super::{BatchEm, Decoupled, Factorisation, Hmm, Learnable, Online, TiedKernel, TiedLearning};
use crate::comparison::{Compared, FactorisationRow};
use crate::{Result, Sequence};

/// What to learn under a factorisation.
#[derive(Debug, Clone)]
pub struct LearnUnder<E: Learnable> {
    /// Where EM starts.
    pub start: Hmm<E>,
    /// The true parameters, if known.
    pub truth: Option<Hmm<E>>,
    /// How.
    pub em: BatchEm,
}

impl Factorisation {
    /// Names of the factorisations that are compared when none are asked for.
    pub const COMPARED: [&str; 9] = [
        "reversed",
        "forward-markov",
        "block-8",
        "block-4",
        "block-2",
        "fully-factorised",
        "decoupled-lag1",
        "frozen",
        "tied",
    ];

    /// The factorisation of this name with its default settings; `block-N` has windows of N.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "reversed" => Self::Reversed,
            "forward-markov" => Self::ForwardMarkov,
            "fully-factorised" => Self::FullyFactorised(Default::default()),
            "decoupled-lag1" => Self::DecoupledLag1(Decoupled::default()),
            "frozen" => Self::Frozen,
            "tied" => Self::Tied(TiedKernel {
                learning: Some(TiedLearning::default()),
                ..TiedKernel::default()
            }),
            other => Self::Block {
                window: other
                    .strip_prefix("block-")?
                    .parse()
                    .ok()
                    .filter(|w| *w > 0)?,
                sweeps: Default::default(),
            },
        })
    }

    fn runs_online(&self) -> bool {
        !matches!(
            self,
            Self::ForwardMarkov | Self::FullyFactorised(_) | Self::Block { .. }
        )
    }
}

impl<E: Learnable> Hmm<E> {
    /// One row of the comparison of factorisations on a sequence: the bound, its gap to the evidence, the error of the
    /// marginals, time and memory; and what is learned under it.
    ///
    /// # Errors
    /// As [`Hmm::smooth`], [`Hmm::posterior`], [`Hmm::online`] and [`Hmm::fit_under`].
    pub fn compare(
        &self,
        data: &Sequence,
        name: &str,
        factorisation: &Factorisation,
        learn: Option<&LearnUnder<E>>,
    ) -> Result<Compared<Online<E>>> {
        let data = &*self.lagged(data)?;
        let exact = self.smooth(data)?;
        let k = self.states();
        let clock = Instant::now();
        let posterior = self.posterior(data, factorisation)?;
        let batch = clock.elapsed().as_secs_f64();
        let error = posterior
            .marginals()
            .iter()
            .zip(exact.marginals())
            .map(|(q, p)| (q - p).abs())
            .sum::<f64>()
            / (data.len() * k) as f64;
        let row = FactorisationRow {
            factorisation: name.to_owned(),
            free_energy: -posterior.elbo(),
            gap: Some(exact.log_evidence() - posterior.elbo()),
            marginal_error: Some(error),
            settled: true,
            micros: 1e6 * batch / data.len() as f64,
            bytes: 8 * data.len() * k * if posterior.is_product() { 1 } else { 1 + k },
            ..FactorisationRow::default()
        };
        let mut compared = if factorisation.runs_online() {
            let filter = self.clone().online(factorisation)?;
            Compared::online(row, filter, data, exact.filtered().log_predictive())?
        } else {
            Compared { row, filter: None }
        };
        if let Some(learn) = learn {
            let sequences = std::slice::from_ref(data);
            let start = learn.start.clone();
            let fit = start.fit_under(sequences, factorisation, &learn.em)?;
            let row = &mut compared.row;
            row.updates = Some(fit.iterations);
            row.settled = fit.converged;
            let truth = learn.truth.as_ref();
            row.parameter_error = truth.and_then(|truth| fit.model.parameter_error(truth));
            row.trace = fit.trace.iter().map(|l| l / data.len() as f64).collect();
        }
        Ok(compared)
    }
}
