//! What linear-Gaussian fits end with, whether their models have inputs or not.

use std::time::Instant;

use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};

use super::fitted::{ModelFit, Report};

/// What a fit ends with, of a model without inputs or with them.
pub(super) trait End: Send {
    /// ln p, nats.
    fn log_evidence(&self) -> f64;

    /// The model without its inputs.
    fn base(&self) -> &LinearGaussian;

    /// Whether entries of H are inputs.
    fn weighs_inputs(&self) -> bool {
        false
    }

    /// Entry `d` of a row, less what its inputs add to it.
    fn without_inputs(&self, row: &[f64], d: usize) -> f64 {
        row[d]
    }

    /// What the command tells of it.
    fn told(self, report: Report, settings: &GaussianFit, begun: Instant) -> ModelFit;
}
