//! `scotopic fit` of a continuous-time model whose equations are a network.

#[cfg(feature = "vision")]
use std::time::Instant;

use anyhow::Result;
#[cfg(not(feature = "vision"))]
use anyhow::bail;
use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::GeneralisedModel;
#[cfg(feature = "vision")]
use scotopic_filtering::{AnyModel, many};
#[cfg(feature = "vision")]
use scotopic_train::device::{self, DeviceChoice};

use super::args::FitArgs;
use super::fitted::ModelFit;
#[cfg(feature = "vision")]
use super::fitted::Report;
#[cfg(feature = "vision")]
use crate::filtering::{flow, left_out::whole_rows};
#[cfg(feature = "vision")]
use crate::usage::UsageError;

/// Rounds of filtering and learning.
#[cfg(feature = "vision")]
pub fn from_model(start: &GeneralisedModel, data: &[Sequence], args: &FitArgs) -> Result<ModelFit> {
    let begun = Instant::now();
    let device = device::open(args.device.unwrap_or(DeviceChoice::Flex))
        .map_err(UsageError)?
        .device;
    let rounds = args.max_iterations.map(|n| n as usize);
    let data = whole_rows(data, "generalised");
    let fit = flow::fit(
        start,
        &data,
        rounds,
        args.learn_output,
        args.seed(),
        &device,
    )?;
    Ok(ModelFit {
        states: fit.model.sizes().0,
        log_evidence: fit.log_evidence,
        iterations: fit.rounds,
        converged: true,
        ranked: false,
        report: Report {
            // A fixed number of rounds: there is no tolerance.
            warnings: vec![format!(
                "ended after the {} that it was given (--max-iterations), and not at a maximum that it knows of: not ranked",
                many(fit.rounds, "round")
            )],
            ..Report::default()
        },
        free: fit.free,
        model: AnyModel::Generalised(Box::new(fit.model)),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// Refused: a network is learned on tensors.
#[cfg(not(feature = "vision"))]
pub fn from_model(_: &GeneralisedModel, _: &[Sequence], _: &FitArgs) -> Result<ModelFit> {
    bail!(
        "a network is learned on tensors, which this build leaves out; \
         `cargo build --release -p scotopic-cli` makes one that has them"
    )
}
