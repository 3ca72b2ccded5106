//! A whole sequence under any factorisation.

use super::block::Windows;
use super::log_dynamics::{LogDynamics, log_likelihoods};
use super::posterior::{Links, Posterior};
use super::sweeps::Ascent;
use super::{Factorisation, forward_markov, fully_factorised, reversed};
use crate::hmm::filtered::check_sequence;
use crate::hmm::{Emission, Hmm, Smoothed};
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
        let sequence = &*self.lagged(sequence)?;
        check_sequence(sequence, self.emission())?;
        match factorisation {
            Factorisation::Reversed => reversed::fit(self, sequence),
            Factorisation::ForwardMarkov => {
                let problem = Problem::new(self, sequence)?;
                let Some(chain) = forward_markov::fit(&problem.dynamics, &problem.loglik) else {
                    // The filter knows which observation no path can explain.
                    self.log_evidence(sequence)?;
                    let index = sequence.len() as u64 - 1;
                    return Err(Error::Impossible { index });
                };
                let bound = chain.bound(&problem.dynamics, &problem.loglik);
                let links = Links::Forward(chain.transitions);
                let k = self.states();
                Ok(Posterior::linked(k, chain.marginals, links, vec![bound]))
            }
            Factorisation::FullyFactorised(sweeps) | Factorisation::Block { sweeps, .. } => {
                sweeps.check()?;
                let k = self.states();
                if LogDynamics::of(self).has_structural_zeros() {
                    let (path, _) = self.viterbi(sequence)?;
                    let start = path.iter().flat_map(|&s| one_hot(k, s)).collect();
                    return self.ascend(sequence, factorisation, vec![start]);
                }
                let exact = match sweeps.restarts {
                    0 => None,
                    _ => Some(self.smooth(sequence)?),
                };
                let exact = exact.as_ref().map(Smoothed::marginals);
                let starts = sweeps.starts(sequence.len(), k, exact);
                self.ascend(sequence, factorisation, starts)
            }
            Factorisation::DecoupledLag1(_) | Factorisation::Frozen | Factorisation::Tied(_) => {
                self.run_through(sequence, factorisation)
            }
        }
    }

    /// The posterior of `FullyFactorised` or `Block` by one ascent from the marginals of another posterior,
    /// whatever its factorisation: settings of restarts do not apply.
    ///
    /// From a posterior in windows of w, one in windows of 2w, 3w … starts at the bound of the first and
    /// rises: the ladder from naive mean field to the exact posterior.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Factorisation, Hmm, Sweeps}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let coins = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
    /// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], coins)?;
    /// let flips = Sequence::of_symbols([0, 0, 1, 1, 0])?;
    /// let windows = |window| Factorisation::Block { window, sweeps: Sweeps::default() };
    /// let two = model.posterior(&flips, &windows(2))?;
    /// let four = model.posterior_from(&flips, &windows(4), &two)?;
    /// assert!(four.elbo() >= two.elbo());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::posterior`]; [`Error::Unsupported`] for other factorisations, which have one optimum or
    /// none; [`Error::Size`] for a start of another length or number of states.
    pub fn posterior_from(
        &self,
        sequence: &Sequence,
        factorisation: &Factorisation,
        start: &Posterior,
    ) -> Result<Posterior> {
        let sequence = &*self.lagged(sequence)?;
        check_sequence(sequence, self.emission())?;
        for (name, found, expected) in [
            ("start.states", start.states(), self.states()),
            ("start.len", start.len(), sequence.len()),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        self.ascend(sequence, factorisation, vec![start.marginals().to_vec()])
    }

    /// The best ascent from any of the starts `[T, K]`.
    fn ascend(
        &self,
        sequence: &Sequence,
        factorisation: &Factorisation,
        starts: impl IntoIterator<Item = Vec<f64>>,
    ) -> Result<Posterior> {
        let Problem { dynamics, loglik } = &Problem::new(self, sequence)?;
        let k = self.states();
        match factorisation {
            Factorisation::FullyFactorised(sweeps) => {
                sweeps.check()?;
                let ascend = |start| fully_factorised::ascend(dynamics, loglik, start, sweeps);
                let best = Ascent::best(starts.into_iter().map(ascend));
                Ok(Posterior::product(k, best.marginals, best.trace))
            }
            Factorisation::Block { window, sweeps } => {
                sweeps.check()?;
                if *window == 0 {
                    return Err(Error::setting("window", window, "at least one moment"));
                }
                let mut windows = Windows::new(dynamics, self.transition(), loglik, *window);
                let best = Ascent::best(starts.into_iter().map(|s| windows.ascend(s, sweeps)));
                let links = Links::Backward(windows.kernels(&best.marginals));
                Ok(Posterior::linked(k, best.marginals, links, best.trace))
            }
            _ => Err(Error::Unsupported {
                what: "a factorisation without coordinate ascent".to_owned(),
                asked: "start from another posterior",
                why: "only FullyFactorised and Block have a start; ask for `posterior`",
            }),
        }
    }

    fn run_through(&self, sequence: &Sequence, factorisation: &Factorisation) -> Result<Posterior> {
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

/// What coordinate ascent and messages over a whole sequence need.
struct Problem {
    dynamics: LogDynamics,
    /// ℓ `[T, K]`.
    loglik: Vec<f64>,
}

impl Problem {
    fn new<E: Emission>(model: &Hmm<E>, sequence: &Sequence) -> Result<Self> {
        let loglik = log_likelihoods(model, sequence)?;
        for (t, row) in loglik.chunks_exact(model.states()).enumerate() {
            let index = t as u64;
            if let Some(&found) = row.iter().find(|l| l.is_nan() || **l == f64::INFINITY) {
                let what = "a log-likelihood";
                return Err(Error::NotFinite { index, what, found });
            }
            if row.iter().all(|l| *l == f64::NEG_INFINITY) {
                return Err(Error::Impossible { index });
            }
        }
        let dynamics = LogDynamics::of(model);
        Ok(Self { dynamics, loglik })
    }
}

fn one_hot(k: usize, state: usize) -> impl Iterator<Item = f64> {
    (0..k).map(move |s| if s == state { 1.0 } else { 0.0 })
}
