//! `scotopic experiment`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::Args;
use scotopic_train::device;

use super::print;
use crate::args::RuntimeArgs;
use crate::experiments::{Context, EXPERIMENTS, Size};
use crate::figure_format::FigureFormat;
use crate::progress::{ProgressArgs, Reporter};
use crate::signals::Stop;
use crate::table::duration;
use crate::usage::UsageError;

/// Options of `scotopic experiment`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --quick or --full, every model is trained for 3 000 iterations: an hour or two on two\n\
                  cores for a table. The same command continues after an interruption.\n\n\
                  Examples:\n  scotopic experiment\n  scotopic experiment table2-mnist --quick --data ../datasets"
)]
pub struct ExperimentArgs {
    /// Name of the experiment; without a name, all are listed
    pub name: Option<String>,
    /// Minutes on two cores: 400 iterations per model, 1 200 on natural patches
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// The published settings, for a GPU
    #[arg(long)]
    pub full: bool,
    /// Folder for models and reports
    #[arg(long, value_name = "DIR", default_value = "runs/experiments")]
    pub out: PathBuf,
    /// Format of the figures.
    #[command(flatten)]
    pub format: FigureFormat,
    /// Progress.
    #[command(flatten)]
    pub progress: ProgressArgs,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// Runs an experiment and prints its report.
///
/// # Errors
/// If there is no such experiment, or data, device or files fail.
pub fn run(args: &ExperimentArgs) -> Result<ExitCode> {
    let Some(name) = &args.name else {
        for experiment in EXPERIMENTS {
            print::line(format!("{:<18} {}", experiment.name, experiment.about))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(experiment) = EXPERIMENTS.iter().find(|e| e.name == name) else {
        let nearest = EXPERIMENTS.iter().max_by(|a, b| {
            strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name))
        });
        let nearest = nearest.map_or("table2-mnist", |e| e.name);
        return Err(UsageError(anyhow!(
            "there is no experiment `{name}`: did you mean `{nearest}`? (`scotopic experiment` lists all)"
        ))
        .into());
    };
    let size = match (args.quick, args.full) {
        (true, _) => Size::Quick,
        (_, true) => Size::Full,
        _ => Size::Standard,
    };
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
