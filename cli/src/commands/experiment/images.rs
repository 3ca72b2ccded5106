//! The first paper's experiments on the command line.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};
use scotopic_train::device;

use super::super::print;
use super::ExperimentArgs;
use crate::experiments::{Context, Experiment, Size};
use crate::progress::Reporter;
use crate::signals::Stop;
use crate::table::duration;
use crate::usage::UsageError;

/// Runs an experiment of one run a model, and prints its report.
///
/// # Errors
/// For options of protocols; if data, device or files fail.
pub fn run(args: &ExperimentArgs, experiment: &Experiment) -> Result<ExitCode> {
    for (option, given) in [
        ("--seeds", args.seeds.is_some()),
        ("--task", args.task.is_some()),
        ("--collect", args.collect),
    ] {
        if given {
            return Err(UsageError(anyhow!(
                "{} has one seed and one task: {option} is for experiments of arms and seeds",
                experiment.name
            ))
            .into());
        }
    }
    let name = experiment.name;
    let size = args.size();
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let status = Reporter::new(args.progress);
    if let Some(note) = &opened.note {
        status.say(note);
    }
    let stop = Stop::watch()?;
    let out = args.out.join(size.name());
    let context = Context {
        size,
        out: out.clone(),
        data: args.runtime.folder.data.clone(),
        device: &opened,
        stop: stop.flag(),
        reporter: status,
    };
    let clock = Instant::now();
    let result = (experiment.run)(&context);
    if let Some((_, code)) = stop.signal() {
        if let Err(error) = result {
            status.say(&format!("{error:#}"));
        }
        return Ok(code);
    }
    let mut report = result?;
    report.text(format!(
        "Made by `scotopic experiment {name}{}` ({}) on {}; run time {} (cached models excluded).",
        match size {
            Size::Quick => " --quick",
            Size::Standard => "",
            Size::Full => " --full",
        },
        env!("CARGO_PKG_VERSION"),
        opened.name,
        duration(clock.elapsed().as_secs_f64())
    ));
    let folder = out.join(experiment.name);
    report.write(&folder, args.format)?;
    print::line(report.markdown(args.format))?;
    print::line(folder.join("README.md").display())?;
    Ok(ExitCode::SUCCESS)
}
