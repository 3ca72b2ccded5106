//! `scotopic fit` of the nonlinear kinds.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::nonlinear::models::AnyStateSpace;
use scotopic_filtering::nonlinear::{NonlinearConfig, StateSpace, maximum_likelihood};
use scotopic_filtering::{AnyModel, Sequence};

use super::args::FitArgs;
use super::fitted::ModelFit;
use crate::filtering::left_out::whole_rows;

/// Iterations that are enough for a handful of parameters.
const ITERATIONS: u32 = 100;

/// From a model to the optimum of the bound, whose last step may be cut short by `--max-iterations`.
pub fn from_model(start: &AnyStateSpace, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let data = whole_rows(data, start.kind());
    let iterations = args.max_iterations.unwrap_or(ITERATIONS) as usize;
    let fit = maximum_likelihood(start, &data, &NonlinearConfig::default(), iterations)?;
    let sizes = (fit.model.dim(), fit.model.parameters_len());
    let end = (fit.iterations, fit.converged);
    let model = AnyModel::Nonlinear(fit.model);
    Ok(ModelFit::of_bound(model, sizes, fit.elbo, end, begun))
}
