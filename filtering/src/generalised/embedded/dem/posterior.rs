//! The posterior of one series as the prior of the next.

use nalgebra::{DMatrix, DVector};

use crate::generalised::model::{Equations, GaussianPrior, GenerativeModel};
use crate::{Error, Result};

/// `model` with a posterior of its parameters (mean `[parameters]`, covariance `[parameters, parameters]`) and of its
/// log-precisions (of outputs and causes, then of motions) in place of its priors.
///
/// A model has a prior for each level and each noise: covariances between levels and between noises are left out.
///
/// # Errors
/// [`Error::Size`] for a posterior of another model.
pub(crate) fn as_prior<E: Equations>(
    mut model: GenerativeModel<E>,
    (mean, covariance): (&[f64], &DMatrix<f64>),
    (log_mean, log_covariance): (&[f64], &DMatrix<f64>),
) -> Result<GenerativeModel<E>> {
    model.check()?;
    let parameters: usize = model.levels.iter().map(|l| l.parameters.mean.len()).sum();
    let outputs = model.levels.iter().map(|l| l.output.components.len());
    let motions = model.levels.iter().map(|l| l.motion.components.len());
    let noises: usize =
        outputs.chain(motions).sum::<usize>() + model.cause.precision.components.len();
    for (name, found, expected) in [
        ("parameters", mean.len(), parameters),
        ("parameter_covariance", covariance.nrows(), parameters),
        ("log_precisions", log_mean.len(), noises),
        ("log_precision_covariance", log_covariance.nrows(), noises),
    ] {
        if found != expected {
            return Err(Error::size(
                name,
                found,
                format!("{expected}, of the model"),
            ));
        }
    }
    let mut at = 0;
    for level in &mut model.levels {
        at = block(&mut level.parameters, (mean, covariance), at);
    }
    let log = (log_mean, log_covariance);
    let mut at = 0;
    for level in &mut model.levels {
        at = block(&mut level.output.log_precision, log, at);
    }
    at = block(&mut model.cause.precision.log_precision, log, at);
    for level in &mut model.levels {
        at = block(&mut level.motion.log_precision, log, at);
    }
    model.check()?;
    Ok(model)
}

/// Takes the part of a posterior that begins at `at`, and gives where the next one does.
fn block(
    prior: &mut GaussianPrior,
    (mean, covariance): (&[f64], &DMatrix<f64>),
    at: usize,
) -> usize {
    let n = prior.mean.len();
    prior.mean = DVector::from_column_slice(&mean[at..at + n]);
    let block = covariance.view((at, at), (n, n)).into_owned();
    // Rounding leaves the halves of a product different in the last bit.
    prior.covariance = (&block + block.transpose()) * 0.5;
    at + n
}
