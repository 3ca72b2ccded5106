//! A whole sequence under any factorisation.

use super::block::Windows;
use super::log_dynamics::{LogDynamics, log_likelihoods};
use super::posterior::{Links, Posterior};
use super::sweeps::{Ascent, Sweeps};
use super::{Factorisation, forward_markov, fully_factorised, reversed};
use crate::hmm::filtered::check_sequence;
use crate::hmm::{Emission, Hmm};
use crate::{Error, Result, Sequence};

impl<E: Emission> Hmm<E> {
    /// The posterior of a whole sequence under a factorisation, and its bound. Online factorisations are
    /// run through the sequence: their kernels are those of each time, their marginals those of the
    /// last belief carried back through the kernels. Chains need T·K² numbers.
    ///
    /// Where π or A has zeros, almost every product over moments has a bound of −∞, the uniform one too.
    /// `FullyFactorised` and `Block` then start from the most probable path, whose bound is finite, and
    /// from nowhere else.
    ///
    /// # Errors
    /// As [`Hmm::log_evidence`] for the sequence and as [`Hmm::online`] for the settings;
    /// [`Error::Unsupported`] where structural zeros leave an online factorisation no finite bound.
    pub fn posterior(
        &self,
        sequence: &Sequence,
        factorisation: &Factorisation,
    ) -> Result<Posterior> {
        check_sequence(sequence, self.width())?;
        match factorisation {
            Factorisation::Reversed => reversed::fit(self, sequence),
            Factorisation::ForwardMarkov => {
                let problem = Problem::new(self, sequence)?;
                let chain = forward_markov::fit(&problem.dynamics, &problem.loglik);
                // Which observation no path can explain, the filter knows.
                let chain = match chain {
                    Some(chain) => chain,
                    None => return Err(problem.impossible(self, sequence)),
                };
                let bound = chain.bound(&problem.dynamics, &problem.loglik);
                let links = Links::Forward(chain.transitions);
                let k = self.states();
                Ok(Posterior::linked(k, chain.marginals, links, vec![bound]))
            }
            Factorisation::FullyFactorised(sweeps) => {
                let problem = Problem::new(self, sequence)?;
                let (dynamics, loglik) = (&problem.dynamics, &problem.loglik);
                let ascent = problem.ascend(self, sequence, sweeps, |start| {
                    fully_factorised::ascend(dynamics, loglik, start, sweeps)
                })?;
                let Ascent { marginals, trace } = ascent;
                Ok(Posterior::product(self.states(), marginals, trace))
            }
            Factorisation::Block { window, sweeps } => {
                if *window == 0 {
                    return Err(Error::setting("window", window, "at least one moment"));
                }
                let problem = Problem::new(self, sequence)?;
                let windows = || {
                    let (dynamics, loglik) = (&problem.dynamics, &problem.loglik);
                    Windows::new(dynamics, self.transition(), loglik, *window)
                };
                let ascent = problem.ascend(self, sequence, sweeps, |start| {
                    windows().ascend(start, sweeps)
                })?;
                windows().posterior(ascent)
            }
            Factorisation::DecoupledLag1(_)
            | Factorisation::Frozen
            | Factorisation::Tied(_) => self.run_through(sequence, factorisation),
        }
    }

    fn run_through(
        &self,
        sequence: &Sequence,
        factorisation: &Factorisation,
    ) -> Result<Posterior> {
        let k = self.states();
        let mut online = self.clone().online(factorisation)?;
        let mut trace = Vec::with_capacity(sequence.len());
        // m_2 … m_T, which are the marginals of all moments but the last, or b_2 … b_T.
        let mut parts = Vec::new();
        let mut kernel = vec![0.0; k * k];
        for (t, observation) in sequence.iter().enumerate() {
            trace.push(online.update(observation)?.elbo);
            if t > 0 {
                match online.decoupled_kernel() {
                    Some(m) => parts.extend_from_slice(m),
                    None => {
                        online.kernel(&mut kernel)?;
                        parts.extend_from_slice(&kernel);
                    }
                }
            }
        }
        if online.decoupled_kernel().is_some() {
            parts.extend_from_slice(online.belief());
            return Ok(Posterior::product(k, parts, trace));
        }
        Ok(Posterior::reversed(online.belief(), parts, trace))
    }
}
