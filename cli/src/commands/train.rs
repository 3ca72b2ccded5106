//! `scotopic train`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use scotopic_datasets::{Splits, shell_word};
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::{self, DEFAULT_PRESET, RunConfig, WarmStart};
use scotopic_train::device::{self, DeviceList, Opened};
use scotopic_train::records::ValidationRow;
use scotopic_train::resume::ResumedRun;
use scotopic_train::run_dir::{RunDir, info};
use scotopic_train::state::TrainState;
use scotopic_train::trainer::{Callback, Outcome, Trainer, check_batches};

use super::dry_run::dry_run;
use super::{model, print};
use crate::args::{DataFolder, load, size};
use crate::figure_format::FigureFormat;
use crate::pictures;
use crate::progress::{ProgressArgs, Reporter};
use crate::signals::Stop;
use crate::table::duration;
use crate::training_board::TrainingBoard;
use crate::training_progress::TrainingProgress;
use crate::usage::UsageError;

/// Options of `scotopic train`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  scotopic train\n  scotopic train --preset mnist --data ../datasets\n  \
                        scotopic train --set objective.beta=8 --set train.iterations=2000\n  \
                        scotopic train --preset mnist --device cuda:0,cuda:1\n  \
                        scotopic train --preset mnist --init runs/mnist --set inference.steps=64 --set objective.beta=64\n  \
                        scotopic train --resume runs/dead-leaves\n  \
                        scotopic train --resume runs/dead-leaves --extend 2000"
)]
pub struct TrainArgs {
    /// Named configuration to start from; `scotopic config show` lists them
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PRESET)]
    pub preset: String,
    /// TOML file that overrides the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one key; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Seed of weights, noise and batch order (the same as --set seed=N)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Weights to begin with, of a run folder, a released checkpoint or a checkpoint file: for a schedule in stages (more
    /// inference steps, another β) or other images; optimiser and schedules begin anew
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Folder of the run [default: runs/PRESET]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in this folder from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["preset", "config", "sets", "seed", "out"])]
    pub resume: Option<PathBuf>,
    /// With --resume: iterations beyond those planned (0 for none); also takes over edits of the run's config.toml
    #[arg(long, value_name = "N", requires = "resume")]
    pub extend: Option<usize>,
    /// Load the data, time one batch, report the duration and size of the run, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write event files for TensorBoard into the folder `tensorboard` of the run: all metrics, and figures at every
    /// validation; a run that has this folder goes on with it when resumed
    #[arg(long)]
    pub tensorboard: bool,
    /// Format of the figures.
    #[command(flatten)]
    pub format: FigureFormat,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Progress.
    #[command(flatten)]
    pub progress: ProgressArgs,
    /// auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N; `scotopic devices` lists them. Several, separated by
    /// commas, each train on part of every batch: cuda:0,cuda:1
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceList,
    /// Data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

/// Trains.
///
/// # Errors
/// A usage error; or if data, device or files fail or training diverges.
pub fn run(args: &TrainArgs) -> Result<ExitCode> {
    let resumed = match &args.resume {
        Some(path) => {
            let dir = RunDir::open(path).map_err(UsageError)?;
            Some(ResumedRun::open(dir, args.extend)?)
        }
        None => None,
    };
    let config = match &resumed {
        Some(run) => run.config.clone(),
        None => requested(args).map_err(UsageError)?,
    };
    let (devices, batch) = (args.device.count(), config.train.batch_size);
    if devices > batch {
        return Err(UsageError(anyhow!(
            "--device names {devices} devices; train.batch_size = {batch} has fewer rows than devices"
        ))
        .into());
    }
    let (opened, others) = device::open_list(&args.device).map_err(UsageError)?;
    let status = Reporter::new(args.progress);
    if let Some(note) = &opened.note {
        status.say(note);
    }
    // What is named is looked at before the data, which may take minutes.
    if let Some(root) = &args.out {
        RunDir::check_new(root)?;
    }
    let first = match &args.init {
        Some(path) => {
            let other = Checkpoint::read(&model::locate(path)).map_err(UsageError)?;
            Some((path, other))
        }
        None => None,
    };
    let splits = load(&config.data, &args.folder.data, &mut |line| {
        status.say(line)
    })?;
    let autodiff = opened.device.clone().autodiff();
    let others: Vec<_> = others.into_iter().map(|device| device.autodiff()).collect();
    let warm = |(path, other): &(&PathBuf, Checkpoint)| {
        TrainState::warm(&config, &splits, &autodiff, other)
            .with_context(|| format!("--init {} does not fit this run", path.display()))
    };
    if args.dry_run {
        // A model that does not fit is refused as by the run itself.
        first.as_ref().map(warm).transpose()?;
        return dry_run(&config, &splits, &autodiff, &others, &opened, args.json);
    }
    let (dir, mut state) = match resumed {
        Some(run) => {
            for note in &run.notes {
                status.say(note);
            }
            let state = run.state(&splits, &autodiff)?;
            (run.dir, state)
        }
        None => {
            let root = args
                .out
                .clone()
                .unwrap_or_else(|| RunDir::fresh(&args.preset));
            let state = match &first {
                Some(first) => warm(first)?,
                None => {
                    check_first_stage(&config)?;
                    TrainState::new(&config, &splits, &autodiff)?
                }
            };
            check_batches(&config, &splits)?;
            let dir = RunDir::create(&root, &config, &info(&config, &splits, &opened))?;
            if first.is_some() {
                // The other model may be gone when this run is resumed.
                state.to_checkpoint(&config)?.write(&dir.last())?;
            }
            (dir, state)
        }
    };
    let stop = Stop::watch()?;
    status.say(&format!("run folder: {}", dir.root().display()));
    status.say(&format!(
        "{} images of {}, {} {}, {} iterations on {}",
        splits.train.len(),
        size(&splits),
        config.model.latents,
        config.model.family.info().terms.units,
        config.train.iterations,
        opened.name
    ));
    let trainer = Trainer {
        config: &config,
        splits: &splits,
        device: &autodiff,
        others: &others,
        dir: &dir,
        stop: stop.flag(),
    };
    let mut progress =
        TrainingProgress::new(status, "iteration", &config, state.progress.iteration);
    let mut board = match args.tensorboard || dir.tensorboard().is_dir() {
        true => {
            let shown = (&config, &splits, &opened.device);
            Some(TrainingBoard::new(&dir, shown, state.progress.iteration)?)
        }
        false => None,
    };
    let mut receivers: Vec<&mut dyn Callback> = vec![&mut progress];
    if let Some(board) = &mut board {
        receivers.push(board);
    }
    let outcome = trainer.run(&mut state, &mut receivers)?;
    progress.finish();
    if outcome == Outcome::Interrupted {
        status.say(&format!(
            "interrupted; continue with: scotopic train --resume {}",
            shell_word(dir.root())
        ));
        return Ok(stop.signal().map_or(ExitCode::SUCCESS, |(_, code)| code));
    }
    // A figure that cannot be drawn must not fail the finished run.
    let drawn = draw(&dir, args.format, &state, &splits, &config, &opened);
    if let Err(error) = &drawn {
        tell!("scotopic: could not draw all figures: {error:#}");
    }
    report(
        &dir,
        &state,
        progress.last.as_ref(),
        outcome,
        &config,
        (drawn.is_ok().then_some(args.format), args.json),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn requested(args: &TrainArgs) -> Result<RunConfig> {
    let mut sets = args.sets.clone();
    if let Some(seed) = args.seed {
        sets.push(format!("seed={seed}"));
    }
    config::resolve(&args.preset, args.config.as_deref(), &sets)
}

/// Refuses a second stage without a first.
fn check_first_stage(config: &RunConfig) -> Result<()> {
    let gain = config.train.rate_gain;
    if gain != 1.0 {
        return Err(UsageError(anyhow!(
            "train.rate_gain = {gain}: raises the rates of a trained network; name its run with --init, or set it to 1"
        ))
        .into());
    }
    if config.train.warm_start != WarmStart::Network {
        return Err(UsageError(anyhow!(
            "train.warm_start = \"decoder\": takes over the decoder of a trained network; name its run with --init, or set it to \"network\""
        ))
        .into());
    }
    Ok(())
}

fn draw(
    dir: &RunDir,
    format: FigureFormat,
    state: &TrainState,
    splits: &Splits,
    config: &RunConfig,
    opened: &Opened,
) -> Result<()> {
    let folder = dir.figures();
    let model = state.judged();
    let picture = pictures::dictionary(&model, config, state.image.shape)?;
    picture.write(format.file(&folder, "dictionary"))?;
    let picture = pictures::reconstructions(&model, config, &splits.validation, &opened.device)?;
    picture.write(format.file(&folder, "reconstructions"))?;
    let picture = pictures::training(config, &dir.read_metrics()?)?;
    picture.write(format.file(&folder, "training"))?;
    Ok(())
}

fn report(
    dir: &RunDir,
    state: &TrainState,
    last: Option<&ValidationRow>,
    outcome: Outcome,
    config: &RunConfig,
    (format, json): (Option<FigureFormat>, bool),
) -> Result<()> {
    let Some(row) = last else {
        bail!(
            "the run is already complete; draw it with: scotopic show {0}; train it further with: scotopic train --resume {0} \
             --extend N",
            shell_word(dir.root())
        );
    };
    let m = &row.measures;
    let root = shell_word(dir.root());
    if json {
        let value = serde_json::json!({
            "run": dir.root().to_string_lossy(),
            "best_model": dir.best().to_string_lossy(),
            "iterations": state.progress.iteration,
            "seconds": state.progress.seconds,
            "stopped_early": outcome == Outcome::StoppedEarly,
            "validation": m,
        });
        return print::line(serde_json::to_string_pretty(&value)?);
    }
    print::line(format!(
        "trained {} iterations in {}{}",
        state.progress.iteration,
        duration(state.progress.seconds),
        if outcome == Outcome::StoppedEarly {
            " (stopped early: no lower free energy)"
        } else {
            ""
        }
    ))?;
    let terms = config.model.family.info().terms;
    // A film may rest on a blank wall, and R² of that one frame has no meaning.
    let (of, r2, r2_rates) = match config.data.are_films() {
        true => ("films", m.r2_pooled, m.r2_rates_pooled),
        false => ("images", m.r2, m.r2_rates),
    };
    print::line(format!(
        "  R², {:<19}{r2:.3}   (validation, {} {of}, {} steps)",
        terms.one_sample, m.images, m.steps
    ))?;
    print::line(format!("  R², {:<19}{r2_rates:.3}", terms.expected))?;
    print::line(format!("  {:<23}{:.1} %", terms.zeros, 100.0 * m.zeros))?;
    print::line(format!(
        "  free energy            {:.2} nats  (−ln p {:.2} + β·KL, KL {:.3})",
        m.objective, m.reconstruction, m.kl
    ))?;
    print::line("")?;
    if let Some(format) = format {
        for (what, name) in [
            ("dictionary", "dictionary"),
            ("reconstructions", "reconstructions"),
            ("training curves", "training"),
        ] {
            let path = format.file(&dir.figures(), name);
            print::line(format!("  {what:<23}{}", path.display()))?;
        }
    }
    print::line(format!("  best model             {}", dir.best().display()))?;
    print::line("")?;
    print::line("next:")?;
    print::line(format!("  scotopic show {root}"))?;
    let steps = match config.data.are_films() {
        true => "",
        false => " --steps 128",
    };
    print::line(format!("  scotopic evaluate {root}{steps}"))
}
