//! What runs of a search end with, whether their models have inputs or not.

use crate::gaussian::driven::{DrivenFitted, DrivenGaussian};
use crate::gaussian::em::GaussianFitted;
use crate::gaussian::model::LinearGaussian;

/// What a run ends with, of a model without inputs or with them.
pub(super) trait End: Send {
    type Model;

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

    /// The model, the steps, and whether the run converged.
    fn into_parts(self) -> (Self::Model, usize, bool);
}

impl End for GaussianFitted {
    type Model = LinearGaussian;

    fn log_evidence(&self) -> f64 {
        self.log_evidence.last().copied().unwrap_or(f64::NAN)
    }

    fn base(&self) -> &LinearGaussian {
        &self.model
    }

    fn into_parts(self) -> (LinearGaussian, usize, bool) {
        (self.model, self.iterations, self.converged)
    }
}

impl End for DrivenFitted {
    type Model = DrivenGaussian;

    fn log_evidence(&self) -> f64 {
        self.log_evidence[1]
    }

    fn base(&self) -> &LinearGaussian {
        self.model.base()
    }

    fn weighs_inputs(&self) -> bool {
        self.model.regressors().next().is_some()
    }

    fn without_inputs(&self, row: &[f64], d: usize) -> f64 {
        let given = &row[self.model.outputs()..];
        let effects = self.model.direct().row(d);
        row[d] - effects.iter().zip(given).map(|(e, u)| e * u).sum::<f64>()
    }

    fn into_parts(self) -> (DrivenGaussian, usize, bool) {
        (self.model, self.iterations, self.converged)
    }
}
