//! Evidence by order and smoothness.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::config::CausalConfig;
use super::filter::CausalGeneralisedFilter;
use crate::Filter as _;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::generalised::scheme::Embedding;
use crate::{Result, Sequence};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The order N.
    pub order: usize,
    /// The smoothness s in bins.
    pub smoothness: f64,
    /// Σ ln p(y_t | y_1 … y_{t−1}) in nats: comparable over the whole table.
    pub log_evidence: f64,
    /// Root mean squared error of the states, if the truth is given.
    pub rmse: Option<f64>,
    /// Mean of e'P⁻¹e / states: 1 for a calibrated belief; if the truth is given.
    pub nees: Option<f64>,
}

/// Runs the causal filter on `data` for every order and smoothness, with other settings as in `settings`. With
/// `truth` `[states, bins]` errors are of the belief at `config.lag` behind.
///
/// # Errors
/// As the filter; [`crate::Error::Size`] for a truth of another shape.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::generalised::causal::{CausalConfig, compare};
/// use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let equations = Linear::ornstein_uhlenbeck(0.1);
/// let theta = equations.defaults();
/// let model = GenerativeModel::single(equations, &theta, 4.0, 4.0, 1.0, &[0.0])?;
/// let data = Sequence::of_numbers([0.1, 0.4, 0.3, 0.9, 1.2, 1.1])?;
/// let table = compare(&model, &data, &[0, 2], &[0.0, 0.5], CausalConfig::default(), None, None)?;
/// assert_eq!(table.len(), 4);
/// # Ok(()) }
/// ```
pub fn compare<E: Equations + Clone>(
    model: &GenerativeModel<E>,
    data: &Sequence,
    orders: &[usize],
    smoothness: &[f64],
    config: CausalConfig,
    start_covariance: Option<&DMatrix<f64>>,
    truth: Option<&DMatrix<f64>>,
) -> Result<Vec<Comparison>> {
    let states = model.totals().states;
    if let Some(truth) = truth.filter(|t| t.shape() != (states, data.len())) {
        let found = format!("{:?}", truth.shape());
        let expected = format!("({states}, {})", data.len());
        return Err(crate::Error::size("truth", found, expected));
    }
    let mut table = Vec::with_capacity(orders.len() * smoothness.len());
    for &order in orders {
        for &s in smoothness {
            let noise = CausalConfig::from(Embedding {
                states: order,
                causes: order,
                smoothness: s,
            });
            let assumed = CausalConfig {
                motion: noise.motion,
                cause: noise.cause,
                output: noise.output,
                noise_lags: noise.noise_lags,
                ..config
            };
            let mut filter =
                CausalGeneralisedFilter::new(model.clone(), assumed, start_covariance)?;
            let (mut squares, mut normalised, mut rows, mut ranked) = (0.0, 0.0, 0.0, 0.0);
            for (t, y) in data.iter().enumerate() {
                filter.update(y)?;
                let (Some(truth), Some(at)) = (truth, t.checked_sub(assumed.lag)) else {
                    continue;
                };
                let mean = DVector::from_column_slice(filter.states());
                let error = mean - truth.column(at);
                squares += error.norm_squared();
                rows += 1.0;
                // A start that is known has no variance, and says nothing about calibration.
                let covariance = DMatrix::from_row_slice(states, states, filter.state_covariance());
                if let Some(factor) = covariance.cholesky() {
                    normalised += error.dot(&factor.solve(&error));
                    ranked += 1.0;
                }
            }
            let known = truth.is_some() && rows > 0.0;
            table.push(Comparison {
                order,
                smoothness: s,
                log_evidence: filter.elbo(),
                rmse: known.then(|| libm::sqrt(squares / (rows * states as f64))),
                nees: (known && ranked > 0.0).then(|| normalised / (ranked * states as f64)),
            });
        }
    }
    Ok(table)
}
