//! Each q: a batch posterior and an online filter, on one scale of free energy.

use serde::{Deserialize, Serialize};

use super::belief::Gaussian;
use super::family::GaussianFactorisation;
use super::kalman::Kalman;
use super::kernel::GaussianKernel;
use super::mean_field::temporal;
use super::model::LinearGaussian;
use super::restricted::Restricted;
use super::smoother::push_all;
use crate::step::Step;
use crate::{Error, Filter, Moments, Result, Sequence};

/// A batch posterior: the marginals of q, its bound, and the log evidence to compare it with.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianPosterior {
    pub(crate) factorisation: GaussianFactorisation,
    pub(crate) marginals: Vec<Gaussian>,
    pub(crate) kernels: Vec<GaussianKernel>,
    pub(crate) cumulative: Vec<f64>,
    pub(crate) elbo: f64,
    pub(crate) log_evidence: f64,
}

impl GaussianPosterior {
    /// Which q.
    pub fn factorisation(&self) -> GaussianFactorisation {
        self.factorisation
    }

    /// q(x_t) of all t, after all observations.
    pub fn marginals(&self) -> &[Gaussian] {
        &self.marginals
    }

    /// The T − 1 backward kernels, the first of x_1 given x_2; none of `TemporalMeanField`.
    pub fn kernels(&self) -> &[GaussianKernel] {
        &self.kernels
    }

    /// L_T, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// L_t of all t, in nats, of the factorisations that work online; none of `TemporalMeanField`.
    pub fn cumulative(&self) -> &[f64] {
        &self.cumulative
    }

    /// −L_T, in nats.
    pub fn free_energy(&self) -> f64 {
        -self.elbo
    }

    /// ln p(y_1 … y_T), in nats.
    pub fn log_evidence(&self) -> f64 {
        self.log_evidence
    }

    /// ln p − L_T = KL(q ‖ p(x|y)), in nats: what the factorisation costs.
    pub fn gap(&self) -> f64 {
        self.log_evidence - self.elbo
    }
}

impl LinearGaussian {
    /// The q of a whole sequence of observations `[m]`.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::{GaussianFactorisation::*, LinearGaussian};
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[0.9]], &[[0.1]], &[[1.0]], &[[1.0]])?;
    /// let data = Sequence::of_numbers([0.5, 0.2, 0.7, -0.1])?;
    /// assert!(walk.posterior(&data, Reversed)?.gap().abs() < 1e-12);
    /// assert!(walk.posterior(&data, TemporalMeanField)?.gap() > 0.1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`LinearGaussian::smooth`]; [`Error::NotPositiveDefinite`] for a Q or P0 with a direction of no
    /// variance, where the factorisation needs their inverses.
    pub fn posterior(
        &self,
        observations: &Sequence,
        factorisation: GaussianFactorisation,
    ) -> Result<GaussianPosterior> {
        use GaussianFactorisation as Q;
        match factorisation {
            Q::Reversed | Q::Jelbo => {
                let smoothed = self.smooth(observations)?;
                Ok(GaussianPosterior {
                    factorisation,
                    elbo: smoothed.log_evidence(),
                    log_evidence: smoothed.log_evidence(),
                    marginals: smoothed.smoothed,
                    kernels: smoothed.kernels,
                    cumulative: smoothed.cumulative,
                })
            }
            Q::TemporalMeanField => {
                let smoothed = self.smooth(observations)?;
                let recursion = super::value::ValueRecursion::new(self)?;
                let field = temporal(&recursion, observations)?;
                let log_evidence = smoothed.log_evidence();
                let means = smoothed.smoothed.into_iter().map(|belief| belief.mean);
                Ok(GaussianPosterior {
                    factorisation,
                    elbo: log_evidence - field.gap,
                    log_evidence,
                    marginals: means
                        .zip(field.covariances)
                        .map(|(mean, covariance)| Gaussian { mean, covariance })
                        .collect(),
                    kernels: Vec::new(),
                    cumulative: Vec::new(),
                })
            }
            Q::Diagonal | Q::Decoupled | Q::FrozenMeanField => {
                let log_evidence = self.log_evidence(observations)?;
                let mut filter = Restricted::new(self.clone(), factorisation)?;
                let mut kernels = Vec::with_capacity(observations.len());
                let mut cumulative = Vec::with_capacity(observations.len());
                for y in observations.iter() {
                    cumulative.push(filter.update(y)?.elbo);
                    kernels.extend(filter.kernel().cloned());
                }
                let last = (!observations.is_empty()).then(|| filter.belief().clone());
                Ok(GaussianPosterior {
                    factorisation,
                    elbo: cumulative.last().copied().unwrap_or(0.0),
                    log_evidence,
                    marginals: last.map_or(Vec::new(), |last| push_all(&kernels, last)),
                    kernels,
                    cumulative,
                })
            }
        }
    }

    /// A filter that keeps q and its bound up to date, one observation at a time.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for `TemporalMeanField`; [`Error::NotPositiveDefinite`] as for
    /// [`LinearGaussian::posterior`].
    pub fn online(self, factorisation: GaussianFactorisation) -> Result<GaussianFilter> {
        use GaussianFactorisation as Q;
        match factorisation {
            Q::Reversed | Q::Jelbo => Ok(GaussianFilter::Exact(Kalman::new(self)?)),
            Q::Diagonal | Q::Decoupled | Q::FrozenMeanField => {
                Restricted::new(self, factorisation).map(GaussianFilter::Restricted)
            }
            Q::TemporalMeanField => Err(Error::Unsupported {
                what: "TemporalMeanField".to_owned(),
                asked: "filter online",
                why: "its factors all change with every observation; \
                      Decoupled and FrozenMeanField are mean fields that can, posterior() takes this one",
            }),
        }
    }
}

/// An online filter of any factorisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant)] // a filter is made once and updated in place
pub enum GaussianFilter {
    /// The Kalman filter, which allocates nothing.
    Exact(Kalman),
    /// The value recursion (eq. F3) with kernels of a restricted family.
    Restricted(Restricted),
}

impl GaussianFilter {
    /// Takes in the next observation `[m]`, `None` for a missing one.
    ///
    /// # Errors
    /// As [`Kalman::update`]. The filter is then as it was.
    pub fn update(&mut self, y: Option<&[f64]>) -> Result<Step> {
        match self {
            Self::Exact(filter) => filter.update(y),
            Self::Restricted(filter) => filter.update(y),
        }
    }

    /// q_t(x_t).
    pub fn belief(&self) -> Gaussian {
        match self {
            Self::Exact(filter) => filter.belief(),
            Self::Restricted(filter) => filter.belief().clone(),
        }
    }

    /// The newest backward kernel; none before the second observation.
    ///
    /// # Errors
    /// As [`Kalman::kernel`].
    pub fn kernel(&self) -> Result<Option<GaussianKernel>> {
        match self {
            Self::Exact(filter) => filter.kernel(),
            Self::Restricted(filter) => Ok(filter.kernel().cloned()),
        }
    }

    /// L_t, in nats.
    pub fn elbo(&self) -> f64 {
        match self {
            Self::Exact(filter) => filter.elbo(),
            Self::Restricted(filter) => filter.elbo(),
        }
    }

    /// How many observations were taken in, missing ones included.
    pub fn observations(&self) -> u64 {
        match self {
            Self::Exact(filter) => filter.observations(),
            Self::Restricted(filter) => filter.observations(),
        }
    }
}

impl GaussianFilter {
    /// The model.
    pub fn model(&self) -> &LinearGaussian {
        match self {
            Self::Exact(filter) => filter.model(),
            Self::Restricted(filter) => filter.model(),
        }
    }

    fn inner(&self) -> &dyn Filter {
        match self {
            Self::Exact(filter) => filter,
            Self::Restricted(filter) => filter,
        }
    }
}

impl Filter for GaussianFilter {
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        Self::update(self, observation)
    }

    fn signal(&self) -> Moments {
        self.inner().signal()
    }

    crate::filter::methods_of!(filter => filter.inner());
}
