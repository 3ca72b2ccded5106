//! Moments of a linear regression y = Θ z + noise, kept so that small noise is not lost.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::matrices::{matrix, rows};
use crate::math::cholesky::{cholesky, inverse, symmetric};
use crate::{Error, Result};

/// Expected moments of outputs y `[k]` and inputs z `[p]`, by what a reference Θ `[k, p]` leaves: with r = y − Θ z,
///
/// ```text
/// weight = Σ 1,   inputs = Σ E[z zᵀ],   cross = Σ E[r zᵀ],   residual = Σ E[r rᵀ].
/// ```
///
/// Sums of y yᵀ hold the same, but where the noise is of variance 1e-6 and the states of size 10³ nothing of the
/// noise is left in their digits. All three parts of the model are regressions: transitions (y = x_t,
/// z = (x_{t−1}, 1), Θ = `[F b]`), observations (y_t, (x_t, 1), `[H d]`) and the start (x_1, (1), `[m0]`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Regression {
    pub(crate) weight: f64,
    pub(crate) coefficients: DMatrix<f64>,
    pub(crate) inputs: DMatrix<f64>,
    pub(crate) cross: DMatrix<f64>,
    pub(crate) residual: DMatrix<f64>,
}

/// E and Cov of one residual r `[k]` and its inputs z `[p]`.
pub(crate) struct Moment {
    pub residual: DVector<f64>,
    pub inputs: DVector<f64>,
    /// Cov(r) `[k, k]`.
    pub residual_covariance: DMatrix<f64>,
    /// Cov(r, z) `[k, p]`.
    pub cross_covariance: DMatrix<f64>,
    /// Cov(z) `[p, p]`.
    pub inputs_covariance: DMatrix<f64>,
}

impl Regression {
    /// No data yet, with this reference.
    pub(crate) fn new(coefficients: DMatrix<f64>) -> Self {
        let (k, p) = coefficients.shape();
        Self {
            weight: 0.0,
            inputs: DMatrix::zeros(p, p),
            cross: DMatrix::zeros(k, p),
            residual: DMatrix::zeros(k, k),
            coefficients,
        }
    }

    /// Σ 1: how many data.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The reference Θ `[k, p]`.
    pub fn coefficients(&self) -> &DMatrix<f64> {
        &self.coefficients
    }

    /// Σ E[z zᵀ] `[p, p]`.
    pub fn inputs(&self) -> &DMatrix<f64> {
        &self.inputs
    }

    /// Σ E[(y − Θz) zᵀ] `[k, p]`.
    pub fn cross(&self) -> &DMatrix<f64> {
        &self.cross
    }

    /// Σ E[(y − Θz)(y − Θz)ᵀ] `[k, k]`.
    pub fn residual(&self) -> &DMatrix<f64> {
        &self.residual
    }

    /// Σ E[y zᵀ] `[k, p]`.
    pub fn outputs_by_inputs(&self) -> DMatrix<f64> {
        &self.cross + &self.coefficients * &self.inputs
    }

    /// Σ E[y yᵀ] `[k, k]`.
    pub fn outputs(&self) -> DMatrix<f64> {
        self.about(&DMatrix::zeros(
            self.coefficients.nrows(),
            self.coefficients.ncols(),
        ))
        .residual
    }

    /// Adds one datum, `weight` times.
    pub(crate) fn add_moment(&mut self, weight: f64, m: &Moment) {
        self.weight += weight;
        self.inputs += (&m.inputs_covariance + &m.inputs * m.inputs.transpose()) * weight;
        self.cross += (&m.cross_covariance + &m.residual * m.inputs.transpose()) * weight;
        self.residual += (&m.residual_covariance + &m.residual * m.residual.transpose()) * weight;
    }

    /// Adds `factor` times the moments of `other`, whatever its reference.
    pub(crate) fn add(&mut self, factor: f64, other: &Regression) {
        let other = other.about(&self.coefficients);
        self.weight += factor * other.weight;
        self.inputs += factor * other.inputs;
        self.cross += factor * other.cross;
        self.residual += factor * other.residual;
    }

    pub(crate) fn scale(&mut self, factor: f64) {
        self.weight *= factor;
        self.inputs *= factor;
        self.cross *= factor;
        self.residual *= factor;
    }

    /// The same data about another reference.
    pub(crate) fn about(&self, coefficients: &DMatrix<f64>) -> Self {
        if *coefficients == self.coefficients {
            return self.clone();
        }
        let change = coefficients - &self.coefficients;
        let moved = &change * &self.inputs;
        let shared = &self.cross * change.transpose();
        Self {
            weight: self.weight,
            inputs: self.inputs.clone(),
            cross: &self.cross - &moved,
            residual: symmetric(
                &self.residual - &shared - shared.transpose() + moved * change.transpose(),
            ),
            coefficients: coefficients.clone(),
        }
    }

    /// The Θ that makes the residual smallest, where entry [i, j] may move if `free(i, j)`; the others stay
    /// as the reference has them. `weight_of_reference` data that the reference fits, with the inputs'
    /// average second moments, are added.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where the inputs do not determine Θ.
    pub(crate) fn best(
        &self,
        free: impl Fn(usize, usize) -> bool,
        weight_of_reference: f64,
    ) -> Result<DMatrix<f64>> {
        let (k, p) = self.coefficients.shape();
        let mut best = self.coefficients.clone();
        if self.weight <= 0.0 {
            return Ok(best);
        }
        let mut factored: Option<(Vec<usize>, _)> = None;
        for i in 0..k {
            let columns: Vec<usize> = (0..p).filter(|&j| free(i, j)).collect();
            if columns.is_empty() {
                continue;
            }
            let factor = match factored.take() {
                Some((same, factor)) if same == columns => factor,
                _ => {
                    let mut inputs = self.inputs.select_rows(&columns).select_columns(&columns);
                    let extra = weight_of_reference / self.weight;
                    for j in 0..columns.len() {
                        inputs[(j, j)] *= 1.0 + extra;
                    }
                    cholesky("the moments of the states", &inputs)?
                }
            };
            let row =
                DVector::from_iterator(columns.len(), columns.iter().map(|&j| self.cross[(i, j)]));
            for (&j, change) in columns.iter().zip(factor.solve(&row).iter()) {
                best[(i, j)] += change;
            }
            factored = Some((columns, factor));
        }
        Ok(best)
    }

    /// The average residual covariance about `coefficients`, with `weight_of_noise` data whose residuals
    /// have covariance `noise`.
    pub(crate) fn noise_about(
        &self,
        coefficients: &DMatrix<f64>,
        noise: &DMatrix<f64>,
        weight_of_noise: f64,
    ) -> DMatrix<f64> {
        let total = self.weight + weight_of_noise;
        if total <= 0.0 {
            return noise.clone();
        }
        (self.about(coefficients).residual + noise * weight_of_noise) / total
    }

    /// The gradient of Σ E[ln N(y; Θz, noise)] by Θ `[k, p]` and by the entries of the noise covariance `[k, k]`
    /// (symmetric), about the reference: N⁻¹ cross and ½(N⁻¹ residual N⁻¹ − weight N⁻¹).
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a noise with a direction of no variance.
    pub(crate) fn gradient(
        &self,
        name: &str,
        noise: &DMatrix<f64>,
    ) -> Result<(DMatrix<f64>, DMatrix<f64>)> {
        let factor = cholesky(name, noise)?;
        let precision = inverse(&factor);
        let spread = &precision * &self.residual * &precision - &precision * self.weight;
        Ok((factor.solve(&self.cross), symmetric(0.5 * spread)))
    }
}

/// The form of the moments in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    weight: f64,
    coefficients: Vec<Vec<f64>>,
    inputs: Vec<Vec<f64>>,
    cross: Vec<Vec<f64>>,
    residual: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for Regression {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        use super::matrices::{check_covariance, check_matrix};
        let coefficients = matrix("coefficients", &parts.coefficients)?;
        let (k, p) = coefficients.shape();
        check_matrix("coefficients", &coefficients, k, p)?;
        let cross = matrix("cross", &parts.cross)?;
        check_matrix("cross", &cross, k, p)?;
        if !(parts.weight.is_finite() && parts.weight >= 0.0) {
            let expected = "a finite number, 0 or above";
            return Err(Error::entry("weight", &[], parts.weight, expected));
        }
        Ok(Self {
            weight: parts.weight,
            inputs: check_covariance("inputs", matrix("inputs", &parts.inputs)?, p)?,
            residual: check_covariance("residual", matrix("residual", &parts.residual)?, k)?,
            cross,
            coefficients,
        })
    }
}

impl From<Regression> for Parts {
    fn from(r: Regression) -> Self {
        Self {
            weight: r.weight,
            coefficients: rows(&r.coefficients),
            inputs: rows(&r.inputs),
            cross: rows(&r.cross),
            residual: rows(&r.residual),
        }
    }
}
