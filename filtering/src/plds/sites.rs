//! Gaussian sites in place of the likelihood of each observation, and the posterior of all states under them.

use nalgebra::{DMatrix, DVector};

use super::filter::PldsFilter;
use super::model::Plds;
use crate::gaussian::{Gaussian, GaussianKernel};
use crate::math::cholesky::{cholesky, inverse, log_det, quadratic, symmetric, trace_of_product};
use crate::{Result, Sequence};

/// exp(hᵀx − ½ xᵀJx).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
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

/// The sites that the filter's corrections amount to; none where nothing was seen.
pub(super) fn of_filter(model: &Plds, sequence: &Sequence) -> Result<Vec<Option<Site>>> {
    let n = model.states();
    let mut filter = PldsFilter::new(model.clone())?;
    let mut sites = Vec::with_capacity(sequence.len());
    for row in sequence.iter() {
        filter.update(row)?;
        let (before, after) = filter.newest();
        let natural = |point: &super::correction::Point| {
            let precision = DMatrix::from_row_slice(n, n, &point.precision);
            let shift = &precision * DVector::from_column_slice(&point.mean);
            (precision, shift)
        };
        sites.push(row.map(|_| {
            let ((p0, h0), (p1, h1)) = (natural(before), natural(after));
            Site {
                precision: symmetric(p1 - p0),
                shift: h1 - h0,
            }
        }));
    }
    Ok(sites)
}

/// The posterior of all states under sites.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Posterior {
    pub beliefs: Vec<Gaussian>,
    /// Of x_{t−1} given x_t, one fewer than beliefs.
    pub kernels: Vec<GaussianKernel>,
    /// ln ∫ p(x_1…x_T) ∏ sites.
    pub log_norm: f64,
}

impl Posterior {
    pub fn new(model: &Plds, sites: &[Option<Site>]) -> Result<Self> {
        let predictor = model.predictor();
        let start = Gaussian::new(
            model.initial_mean().clone(),
            model.initial_covariance().clone(),
        )?;
        let mut filtered: Vec<Gaussian> = Vec::with_capacity(sites.len());
        let mut kernels = Vec::with_capacity(sites.len().saturating_sub(1));
        let mut log_norm = 0.0;
        for (t, site) in sites.iter().enumerate() {
            let predicted = match filtered.last() {
                None => start.clone(),
                Some(before) => {
                    kernels.push(GaussianKernel::optimal(predictor, before)?);
                    predictor.state_ahead(before, t as u64, 1)
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
