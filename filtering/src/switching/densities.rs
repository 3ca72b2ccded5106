//! The regimes as the inner loops read them: whitened, and with the logarithms of their scales beside the first one's.
//!
//! ln|R_k| has the units of the data in it, ln(|R_k|/|R_1|) has not: posteriors are made of the latter, to the last bit whatever the
//! binary unit; ½ ln|2πR_1| is added to the evidence at the end.

use std::borrow::Cow;

use nalgebra::DMatrix;

use super::model::Slds;
use crate::Result;
use crate::gaussian::{Gaussian, GaussianKernel, LN_2_PI, LinearGaussian, Plan, Site};
use crate::math::cholesky::{cholesky, inverse, log_det, quadratic, trace_of_product};

/// How each regime sees the same entries of an observation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plans {
    /// The `log_norm` of each is beside that of the first.
    pub each: Vec<Plan>,
    /// ½ ln|2πR_1|.
    pub log_norm: f64,
}

impl Plans {
    fn of(mut each: Vec<Plan>) -> Self {
        let log_norm = each.first().map_or(0.0, Plan::log_norm);
        let diagonal =
            |plan: &Plan| -> Vec<f64> { plan.whiten.iter().step_by(plan.m + 1).copied().collect() };
        let first = each.first().map(diagonal).unwrap_or_default();
        for plan in &mut each {
            let scales = first.iter().zip(diagonal(plan));
            plan.log_norm = scales.map(|(first, own)| libm::log(first / own)).sum();
        }
        Self { each, log_norm }
    }

    /// Of whole rows.
    pub fn new(model: &Slds) -> Result<Self> {
        let plans = model.regimes().iter().map(Plan::new);
        Ok(Self::of(plans.collect::<Result<_>>()?))
    }

    /// Of what is there of a row `[m]`, and that.
    pub fn of_seen(model: &Slds, row: &[f64]) -> Result<(Self, Vec<f64>)> {
        let mut plans = Vec::with_capacity(model.regimes_len());
        let mut seen = Vec::new();
        for regime in model.regimes() {
            let (plan, values) = Plan::of_seen(regime, row)?;
            plans.push(plan);
            seen = values;
        }
        Ok((Self::of(plans), seen))
    }
}

/// The density of what is seen of one row.
pub(super) struct Row<'a> {
    plans: Cow<'a, Plans>,
    values: Cow<'a, [f64]>,
}

impl Row<'_> {
    /// ½ ln|2πR_1| of what is seen.
    pub fn log_norm(&self) -> f64 {
        self.plans.log_norm
    }

    /// E ln N(y; H_k x + d_k, R_k) under N(m, P) of each regime into `[K]`, but for ½ ln|2πR_1|.
    pub fn add_expected(&self, belief: &Gaussian, into: &mut [f64]) {
        let (mean, n) = (belief.mean().as_slice(), belief.states());
        // Symmetric: columns are rows.
        let covariance = belief.covariance().as_slice();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (plan, l) in self.plans.each.iter().zip(into) {
            let mut misfit = 0.0;
            for r in 0..plan.m {
                let (h, y) = plan.whitened(r, &self.values);
                let residual = y - dot(h, mean);
                let spread = (0..n).map(|i| h[i] * dot(h, &covariance[i * n..(i + 1) * n]));
                misfit += residual * residual + spread.sum::<f64>();
            }
            *l -= plan.log_norm + 0.5 * misfit;
        }
    }

    /// Adds Σ_k γ_k ln N(y; H_k x + d_k, R_k), as far as it depends on x, to a site.
    pub fn add_site(&self, weights: &[f64], site: &mut Site) {
        for (plan, weight) in self.plans.each.iter().zip(weights) {
            for r in 0..plan.m {
                let (h, y) = plan.whitened(r, &self.values);
                for i in 0..plan.n {
                    site.shift[i] += weight * h[i] * y;
                    for j in 0..plan.n {
                        site.precision[(i, j)] += weight * (h[i] * h[j]);
                    }
                }
            }
        }
    }
}

/// The densities of a model.
pub(super) struct Densities<'a> {
    pub model: &'a Slds,
    plans: Plans,
    /// Q_k⁻¹.
    pub precisions: Vec<DMatrix<f64>>,
    /// ½ ln(|Q_k|/|Q_1|).
    scales: Vec<f64>,
    /// ½ ln|2πQ_1|.
    pub log_norm: f64,
    start_precision: DMatrix<f64>,
    start_log_norm: f64,
}

impl<'a> Densities<'a> {
    pub fn new(model: &'a Slds) -> Result<Self> {
        let half_norm = |log_det: f64| 0.5 * (model.states() as f64 * LN_2_PI + log_det);
        let mut precisions = Vec::with_capacity(model.regimes_len());
        let mut diagonals: Vec<Vec<f64>> = Vec::with_capacity(model.regimes_len());
        let mut log_norm = 0.0;
        for (k, regime) in model.regimes().iter().enumerate() {
            let name = format!("regimes[{k}].process_noise");
            let factor = cholesky(&name, regime.process_noise())?;
            if k == 0 {
                log_norm = half_norm(log_det(&factor));
            }
            let l = factor.l_dirty();
            diagonals.push((0..l.nrows()).map(|i| l[(i, i)]).collect());
            precisions.push(inverse(&factor));
        }
        let beside_first = |own: &Vec<f64>| {
            let pairs = own.iter().zip(&diagonals[0]);
            pairs.map(|(own, first)| libm::log(own / first)).sum()
        };
        let start = cholesky("initial_covariance", model.start().initial_covariance())?;
        Ok(Self {
            plans: Plans::new(model)?,
            scales: diagonals.iter().map(beside_first).collect(),
            precisions,
            log_norm,
            start_precision: inverse(&start),
            start_log_norm: half_norm(log_det(&start)),
            model,
        })
    }

    /// What is seen of a row; none of a missing one.
    pub fn row<'b>(&'b self, row: Option<&'b [f64]>) -> Result<Option<Row<'b>>> {
        let Some(row) = row else {
            return Ok(None);
        };
        if row.iter().any(|y| y.is_nan()) {
            let (plans, values) = Plans::of_seen(self.model, row)?;
            return Ok(Some(Row {
                plans: Cow::Owned(plans),
                values: Cow::Owned(values),
            }));
        }
        Ok(Some(Row {
            plans: Cow::Borrowed(&self.plans),
            values: Cow::Borrowed(row),
        }))
    }

    /// E ln N(x_t; F_k x_{t−1} + b_k, Q_k) of each regime into `[K]`, but for ½ ln|2πQ_1|: the residual x_t − F x_{t−1} − b is
    /// (I − F E) x_t − F f − b − F ε, ε ~ N(0, L).
    pub fn add_expected(&self, kernel: &GaussianKernel, later: &Gaussian, into: &mut [f64]) {
        let n = later.states();
        for (k, regime) in self.model.regimes().iter().enumerate() {
            let (f, precision) = (regime.transition(), &self.precisions[k]);
            let left = DMatrix::identity(n, n) - f * kernel.gain();
            let residual = &left * later.mean() - f * kernel.offset() - regime.bias();
            let spread = &left * later.covariance() * left.transpose()
                + f * kernel.covariance() * f.transpose();
            let misfit = quadratic(precision, &residual) + trace_of_product(precision, &spread);
            into[k] -= self.scales[k] + 0.5 * misfit;
        }
    }

    /// E ln N(x_1; m0, P0).
    pub fn expected_start(&self, first: &Gaussian) -> f64 {
        let residual = first.mean() - self.model.start().initial_mean();
        let misfit = quadratic(&self.start_precision, &residual)
            + trace_of_product(&self.start_precision, first.covariance());
        -self.start_log_norm - 0.5 * misfit
    }

    /// The regime that has all the weight, if one has.
    pub fn only(&self, weights: &[f64]) -> Option<&'a LinearGaussian> {
        let k = weights.iter().position(|w| *w == 1.0)?;
        self.model.regimes().get(k)
    }
}
