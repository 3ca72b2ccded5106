//! Several passes over a recording, each from the result of the last.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Odem, OdemConfig};
use crate::Filter as _;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result, Sequence};

/// What one pass ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OdemFit {
    /// Means of the free parameters at the end of the pass.
    pub parameters: Vec<f64>,
    /// Their variances.
    pub parameter_variances: Vec<f64>,
    /// The log-precisions at the end of the pass.
    pub log_precisions: Vec<f64>,
    /// Σ ln p(y_t | y_1 … y_{t−1}) along the pass, in nats.
    pub log_evidence: f64,
}

/// Runs [`Odem`] over `data` `passes` times. Every pass starts its parameters and log-precisions at the means
/// that the last one ended with, and at their prior variances, so that the same data is not counted twice as
/// evidence; the variances of the last pass are those of one look at the data.
///
/// # Errors
/// As [`Odem::new`] and its updates; [`Error::Setting`] for no pass.
pub fn triple_estimation<E: Equations + Clone>(
    model: &GenerativeModel<E>,
    data: &Sequence,
    config: OdemConfig,
    start_covariance: Option<&DMatrix<f64>>,
    passes: usize,
) -> Result<Vec<OdemFit>> {
    if passes == 0 {
        return Err(Error::setting("passes", passes, "at least one pass"));
    }
    let mut model = model.clone();
    let mut done = Vec::with_capacity(passes);
    for _ in 0..passes {
        let mut odem = Odem::new(model.clone(), config, start_covariance)?;
        for y in data.iter() {
            odem.update(y)?;
        }
        let pass = OdemFit {
            parameters: odem.parameters().to_vec(),
            parameter_variances: odem.parameter_variances(),
            log_precisions: odem.log_precisions().to_vec(),
            log_evidence: odem.elbo(),
        };
        let mut parameters = pass.parameters.iter();
        let mut precisions = pass.log_precisions.iter();
        for (l, level) in model.levels.iter_mut().enumerate() {
            for i in level.parameters.free() {
                if let Some(&value) = parameters.next() {
                    level.parameters.mean[i] = value;
                }
            }
            // Log-precisions are stacked with z of the data's level first.
            if l == 0 {
                for (mean, &h) in level
                    .output
                    .log_precision
                    .mean
                    .iter_mut()
                    .zip(&mut precisions)
                {
                    *mean = h;
                }
            }
            for (mean, &h) in level
                .motion
                .log_precision
                .mean
                .iter_mut()
                .zip(&mut precisions)
            {
                *mean = h;
            }
        }
        done.push(pass);
    }
    Ok(done)
}
