//! The smoother: the Gaussian over all states that raises the bound of a whole sequence most.

use nalgebra::{DMatrix, DVector};

use super::correction::{Correction, Seen};
use super::loadings::Loadings;
use super::model::Plds;
use super::sites::of_filter;
use crate::gaussian::{Gaussian, GaussianKernel, Posterior, Site};
use crate::{Error, Result, Sequence};

/// Passes end when one has gained at most this, in nats an observation.
const ENOUGH: f64 = 1e-9;
/// Most passes: five or so are usual.
const MOST: usize = 200;
/// A step is halved at most so often.
const HALVINGS: usize = 30;

/// Beliefs about every state given the whole sequence, and their evidence lower bound (eq. F74).
#[derive(Debug, Clone, PartialEq)]
pub struct PldsSmoothed {
    posterior: Posterior,
    sites: Vec<Option<Site>>,
    elbo: f64,
    passes: usize,
    converged: bool,
}

impl PldsSmoothed {
    /// T.
    pub fn len(&self) -> usize {
        self.posterior.beliefs.len()
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.posterior.beliefs.is_empty()
    }

    /// N(mean, covariance) of every x_t given the whole sequence.
    pub fn beliefs(&self) -> &[Gaussian] {
        &self.posterior.beliefs
    }

    /// The kernels of x_{t−1} given x_t, one fewer than beliefs.
    pub fn kernels(&self) -> &[GaussianKernel] {
        &self.posterior.kernels
    }

    /// The evidence lower bound in nats, at most ln p(y_1…y_T).
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// Forward and backward passes that it took.
    pub fn passes(&self) -> usize {
        self.passes
    }

    /// Whether it ended because the bound no longer rose.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The sites, from which a smoother of a similar model can start.
    pub(super) fn into_sites(self) -> Vec<Option<Site>> {
        self.sites
    }
}

impl Plds {
    /// The Gaussian q(x_1…x_T) of highest bound, by natural-gradient steps on sites that stand in for the likelihoods
    /// (eq. F74), from those of the filter:
    ///
    /// ```text
    /// L = Σ_t E_q[ln p(y_t|x_t)] − KL(q‖p(x_1…x_T))  ≤  ln p(y_1…y_T)
    /// ```
    ///
    /// # Errors
    /// [`Error::Observation`] for a row that is not of the model, [`Error::NotFinite`] and
    /// [`Error::NotPositiveDefinite`] where the dynamics leave the range of numbers.
    pub fn smooth(&self, sequence: &Sequence) -> Result<PldsSmoothed> {
        self.check_sequence(sequence)?;
        self.smooth_from(sequence, of_filter(self, sequence)?)
    }

    /// The same from sites, of a sequence that was checked.
    pub(super) fn smooth_from(
        &self,
        sequence: &Sequence,
        sites: Vec<Option<Site>>,
    ) -> Result<PldsSmoothed> {
        let tables = self.tables();
        let constants = self.constants(sequence);
        let mut work = Correction::new(self.states(), self.width());
        let mut evaluate = |sites: &[Option<Site>]| -> Result<Evaluated> {
            let posterior = Posterior::new(self.predictor(), |_| self.predictor(), sites)?;
            Ok(self.evaluated(&tables, &mut work, sequence, sites, posterior))
        };
        let mut sites = sites;
        let mut now = evaluate(&sites)?;
        let room = ENOUGH * sequence.len() as f64;
        let (mut passes, mut converged) = (1, sequence.is_empty());
        while passes < MOST && !converged {
            let (mut part, mut gained) = (1.0, None);
            for _ in 0..HALVINGS {
                let tried: Vec<Option<Site>> = (sites.iter().zip(&now.target))
                    .map(|(old, new)| Some(old.as_ref()?.towards(new.as_ref()?, part)))
                    .collect();
                passes += 1;
                // What overflows is too far.
                if let Ok(next) = evaluate(&tried)
                    && next.bound >= now.bound
                {
                    gained = Some(next.bound - now.bound);
                    (now, sites) = (next, tried);
                    break;
                }
                part *= 0.5;
            }
            converged = gained.is_none_or(|gained| gained <= room);
        }
        let elbo = now.bound + constants;
        if !elbo.is_finite() {
            return Err(Error::not_finite(0, "the evidence lower bound", elbo));
        }
        Ok(PldsSmoothed {
            posterior: now.posterior,
            sites,
            elbo,
            passes,
            converged,
        })
    }

    fn constants(&self, sequence: &Sequence) -> f64 {
        let seen = sequence.iter().flatten().flatten().filter(|y| !y.is_nan());
        seen.map(|y| self.law().constant(*y)).sum()
    }

    /// The bound of a posterior, and the sites that its own expectations ask for.
    fn evaluated(
        &self,
        tables: &Loadings,
        work: &mut Correction,
        sequence: &Sequence,
        sites: &[Option<Site>],
        posterior: Posterior,
    ) -> Evaluated {
        let n = self.states();
        let mut bound = posterior.log_norm;
        let mut target = Vec::with_capacity(sites.len());
        for ((row, site), belief) in sequence.iter().zip(sites).zip(&posterior.beliefs) {
            let (Some(row), Some(site)) = (row, site) else {
                target.push(None);
                continue;
            };
            let seen = Seen {
                law: self.law(),
                loadings: tables,
                row,
            };
            let (mean, covariance) = (belief.mean(), belief.covariance());
            bound += work.likelihood(seen, mean.as_slice(), covariance.as_slice());
            bound -= site.expected(belief);
            let mut precision = DMatrix::zeros(n, n);
            let mut slope = DVector::zeros(n);
            work.gather(tables, precision.as_mut_slice(), slope.as_mut_slice());
            target.push(Some(Site {
                shift: &precision * mean + slope,
                precision,
            }));
        }
        Evaluated {
            posterior,
            bound,
            target,
        }
    }
}

struct Evaluated {
    posterior: Posterior,
    /// Without the constants of the observations.
    bound: f64,
    target: Vec<Option<Site>>,
}
