//! Gaussian sites in place of the likelihood of each observation, and the posterior of all states under them.

use nalgebra::{DMatrix, DVector};

use super::belief::Gaussian;
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use crate::Result;
use crate::math::cholesky::{cholesky, inverse, log_det, quadratic, symmetric, trace_of_product};

/// exp(hᵀx − ½ xᵀJx).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    /// J `[n, n]`, positive semi-definite.
    pub precision: DMatrix<f64>,
    /// h `[n]`.
    pub shift: DVector<f64>,
}

impl Site {
    /// hᵀx − ½ xᵀJx.
    fn at(&self, x: &DVector<f64>) -> f64 {
        self.shift.dot(x) - 0.5 * quadratic(&self.precision, x)
    }

    /// Its expectation.
    pub fn expected(&self, belief: &Gaussian) -> f64 {
        let spread = trace_of_product(&self.precision, belief.covariance());
        self.at(belief.mean()) - 0.5 * spread
    }

    /// `part` of the way from this one to `other`.
    pub fn towards(&self, other: &Self, part: f64) -> Self {
        Self {
            precision: &self.precision * (1.0 - part) + &other.precision * part,
            shift: &self.shift * (1.0 - part) + &other.shift * part,
        }
    }
}

/// The posterior of all states under sites.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posterior {
    pub beliefs: Vec<Gaussian>,
    /// Of x_{t−1} given x_t, one fewer than beliefs.
    pub kernels: Vec<GaussianKernel>,
    /// ln ∫ p(x_1…x_T) ∏ sites.
    pub log_norm: f64,
}

impl Posterior {
    /// Under the dynamics F, b, Q that `moved_by(t)` has, t from 1 the place of the state that they lead to, from N(m0, P0) of `start`.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) for a prediction that has a direction of no variance.
    pub fn new<'a>(
        start: &LinearGaussian,
        moved_by: impl Fn(usize) -> &'a LinearGaussian,
        sites: &[Option<Site>],
    ) -> Result<Self> {
        let start = Gaussian {
            mean: start.initial_mean().clone(),
            covariance: start.initial_covariance().clone(),
        };
        let mut filtered: Vec<Gaussian> = Vec::with_capacity(sites.len());
        let mut kernels = Vec::with_capacity(sites.len().saturating_sub(1));
        let mut log_norm = 0.0;
        for (t, site) in sites.iter().enumerate() {
            let predicted = match filtered.last() {
                None => start.clone(),
                Some(before) => {
                    let dynamics = moved_by(t);
                    kernels.push(GaussianKernel::optimal(dynamics, before)?);
                    dynamics.next_state(before)
                }
            };
            filtered.push(match site {
                None => predicted,
                Some(site) => {
                    let (corrected, norm) = corrected(&predicted, site)?;
                    log_norm += norm;
                    corrected
                }
            });
        }
        let mut beliefs: Vec<Gaussian> = filtered.pop().into_iter().collect();
        for kernel in kernels.iter().rev() {
            if let Some(later) = beliefs.last() {
                beliefs.push(kernel.push(later));
            }
        }
        beliefs.reverse();
        Ok(Self {
            beliefs,
            kernels,
            log_norm,
        })
    }
}

/// The product of a belief with a site, and ln of its integral: with its mode m,
/// `site(m) − ½(m − m⁻)ᵀΛ⁻(m − m⁻) + ½ ln|Λ⁻| − ½ ln|Λ|`.
fn corrected(predicted: &Gaussian, site: &Site) -> Result<(Gaussian, f64)> {
    let prior = cholesky("the predicted covariance", predicted.covariance())?;
    let prior_precision = inverse(&prior);
    let precision = symmetric(&prior_precision + &site.precision);
    let factor = cholesky("the posterior precision", &precision)?;
    let residual = &site.shift - &site.precision * predicted.mean();
    let moved = factor.solve(&residual);
    let mean = predicted.mean() + &moved;
    let norm = site.at(&mean)
        - 0.5 * (quadratic(&prior_precision, &moved) + log_det(&prior) + log_det(&factor));
    let corrected = Gaussian {
        mean,
        covariance: inverse(&factor),
    };
    Ok((corrected, norm))
}
