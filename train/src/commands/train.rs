//! `scotopic train`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use scotopic_datasets::Splits;

use super::print;
use crate::checkpoint::Checkpoint;
use crate::cli::{BadRequest, Place};
use crate::config::{self, RunConfig};
use crate::device::{self, Opened};
use crate::figures;
use crate::fit::{Fit, Outcome, Watch};
use crate::records::{LogRow, ValidationRow};
use crate::run_dir::{RunDir, RunInfo};
use crate::state::TrainState;

/// Options of `scotopic train`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  scotopic train\n  scotopic train --preset mnist --data ../datasets\n  \
                        scotopic train --set objective.beta=8 --set train.iterations=2000\n  \
                        scotopic train --resume runs/dead-leaves"
)]
pub struct TrainArgs {
    /// Named configuration to start from; `scotopic config show` lists them
    #[arg(long, value_name = "NAME", default_value = "dead-leaves")]
    pub preset: String,
    /// TOML file that overrides the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one key; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Seed of weights, noise and order (the same as --set seed=N)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Folder of the run [default: runs/PRESET]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in this folder from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["preset", "config", "sets", "seed", "out"])]
    pub resume: Option<PathBuf>,
    /// Load the data, try one batch, say how long and how large the run would be, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// No progress, even on a terminal
    #[arg(long, short)]
    pub quiet: bool,
    /// Device and data.
    #[command(flatten)]
    pub place: Place,
}

/// Trains.
///
/// # Errors
/// A request that makes no sense, or whatever went wrong on the way.
pub fn run(args: &TrainArgs) -> Result<ExitCode> {
    let resumed = match &args.resume {
        Some(path) => {
            let dir = RunDir::open(path).map_err(BadRequest)?;
            let checkpoint =
                Checkpoint::read(&dir.last()).context("there is nothing to resume from")?;
            Some((dir, checkpoint))
        }
        None => None,
    };
    let config = match &resumed {
        Some((_, checkpoint)) => checkpoint.config.clone(),
        None => requested(args).map_err(BadRequest)?,
    };
    let opened = device::open(args.place.device).map_err(BadRequest)?;
    let voice = Voice::new(args.quiet);
    if let Some(note) = &opened.note {
        voice.say(note);
    }
    let splits = config
        .data
        .load(&args.place.data, &mut |line| voice.say(line))?;
    let autodiff = opened.device.clone().autodiff();
    if args.dry_run {
        return dry_run(&config, &splits, &autodiff, &opened, args.json);
    }
    let (dir, mut state) = match resumed {
        Some((dir, checkpoint)) => {
            let state = TrainState::from_checkpoint(&checkpoint, &autodiff)?;
            ensure!(
                state.progress.data == splits.digest(),
                "the data are not those the run was begun with (digest {} now, {} then): give the same --data",
                &splits.digest()[..12],
                state.progress.data.get(..12).unwrap_or_default()
            );
            dir.rewind(state.progress.iteration)?;
            (dir, state)
        }
        None => {
            let root = args
                .out
                .clone()
                .unwrap_or_else(|| RunDir::fresh(&args.preset));
            let state = TrainState::new(&config, &splits, &autodiff)?;
            (
                RunDir::create(&root, &config, &info(&config, &splits, &opened))?,
                state,
            )
        }
    };
    let stop = interruption()?;
    voice.say(&format!(
        "{} images of {}, {} neurons, {} iterations on {}",
        splits.train.len(),
        size(&splits),
        config.model.latents,
        config.train.iterations,
        opened.name
    ));
    let fit = Fit {
        config: &config,
        splits: &splits,
        device: &autodiff,
        dir: &dir,
        stop: &stop,
    };
    let mut bar = Bar::new(&voice, &config, state.progress.iteration);
    let outcome = fit.run(&mut state, &mut bar)?;
    bar.finish();
    if outcome == Outcome::Interrupted {
        voice.say(&format!(
            "interrupted; continue with: scotopic train --resume {}",
            dir.root().display()
        ));
        return Ok(ExitCode::from(130));
    }
    // A figure that cannot be drawn is no reason to lose the run that was just trained.
    if let Err(error) = draw(&dir, &state, &splits, &config, &opened) {
        eprintln!("scotopic: could not draw all figures: {error:#}");
    }
    report(&dir, &state, bar.last.as_ref(), outcome, args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn requested(args: &TrainArgs) -> Result<RunConfig> {
    let mut sets = args.sets.clone();
    if let Some(seed) = args.seed {
        sets.push(format!("seed={seed}"));
    }
    config::resolve(&args.preset, args.config.as_deref(), &sets)
}

fn info(config: &RunConfig, splits: &Splits, opened: &Opened) -> RunInfo {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    RunInfo {
        scotopic: env!("CARGO_PKG_VERSION").into(),
        burn: "0.22.1".into(),
        device: opened.name.clone(),
        data: splits.digest(),
        seed: config.seed,
        command: std::env::args().collect(),
        started,
    }
}

fn size(splits: &Splits) -> String {
    let shape = splits.train.shape();
    match shape.channels {
        1 => format!("{}×{}", shape.height, shape.width),
        c => format!("{}×{}×{c}", shape.height, shape.width),
    }
}

/// Ctrl-C, or a request of the system to end, sets the flag; a second one ends at once.
fn interruption() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("could not listen for Ctrl-C")?;
    Ok(stop)
}

fn dry_run(
    config: &RunConfig,
    splits: &Splits,
    device: &burn::tensor::Device,
    opened: &Opened,
    json: bool,
) -> Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("scotopic-dry-run-{}", std::process::id()));
    let short = RunConfig {
        train: config::TrainConfig {
            iterations: 4,
            ..config.train
        },
        validation: config::ValidationConfig {
            every: 4,
            ..config.validation
        },
        ..config.clone()
    };
    let stop = AtomicBool::new(false);
    let timed = (|| -> Result<(f64, f64, usize)> {
        let dir = RunDir::create(&scratch, &short, &info(&short, splits, opened))?;
        let mut state = TrainState::new(&short, splits, device)?;
        let parameters = crate::parameters::arrays_of(&state.model)?
            .values()
            .map(|a| a.values.len())
            .sum();
        let fit = Fit {
            config: &short,
            splits,
            device,
            dir: &dir,
            stop: &stop,
        };
        let mut clock = Clock::default();
        let whole = Instant::now();
        fit.run(&mut state, &mut clock)?;
        // The first iteration compiles and allocates; the others tell. The rest is one validation.
        let step = clock
            .marks
            .windows(2)
            .map(|w| (w[1] - w[0]).as_secs_f64())
            .fold(f64::MAX, f64::min);
        let validation = whole.elapsed().as_secs_f64() - clock.total();
        Ok((step, validation.max(0.0), parameters))
    })();
    let _ = std::fs::remove_dir_all(&scratch);
    let (step, validation, parameters) = timed?;
    let iterations = config.train.iterations;
    let validations = iterations.div_ceil(config.validation.every);
    let seconds = step * iterations as f64 + validation * validations as f64;
    let memory = peak_memory();
    if json {
        let value = serde_json::json!({
            "device": opened.name,
            "train_images": splits.train.len(),
            "validation_images": splits.validation.len(),
            "image": splits.train.shape(),
            "latents": config.model.latents,
            "parameters": parameters,
            "seconds_per_iteration": step,
            "seconds_per_validation": validation,
            "iterations": iterations,
            "estimated_seconds": seconds,
            "peak_memory_bytes": memory,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!("device       {}", opened.name))?;
    print::line(format!(
        "data         {} images of {} to train, {} to validate",
        splits.train.len(),
        size(splits),
        splits.validation.len()
    ))?;
    print::line(format!(
        "model        {} neurons, {parameters} parameters",
        config.model.latents
    ))?;
    print::line(format!(
        "batch        [{}, {}], {} inference steps, {} window(s)",
        config.train.batch,
        splits.train.shape().pixels(),
        config.inference.steps,
        config.train.windows
    ))?;
    print::line(format!(
        "time         {step:.3} s an iteration; about {} in all",
        duration(seconds)
    ))?;
    if let Some(bytes) = memory {
        print::line(format!(
            "memory       {:.0} MB at its peak, data included",
            bytes as f64 / 1e6
        ))?;
    }
    print::line("dry run: nothing was written")?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct Clock {
    marks: Vec<Instant>,
}

impl Clock {
    fn total(&self) -> f64 {
        match (self.marks.first(), self.marks.last()) {
            (Some(first), Some(last)) => (*last - *first).as_secs_f64(),
            _ => 0.0,
        }
    }
}

impl Watch for Clock {
    fn iteration(&mut self, _: usize, _: usize) {
        self.marks.push(Instant::now());
    }
    fn logged(&mut self, _: &LogRow) {}
    fn validated(&mut self, _: &ValidationRow) {}
}

/// The most memory this process has had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Lines of progress on stderr, on a terminal only.
struct Voice {
    on: bool,
}

impl Voice {
    fn new(quiet: bool) -> Self {
        Self {
            on: !quiet && std::io::stderr().is_terminal(),
        }
    }

    fn say(&self, line: &str) {
        if self.on {
            eprintln!("{line}");
        }
    }
}

struct Bar {
    bar: ProgressBar,
    last: Option<ValidationRow>,
}

impl Bar {
    fn new(voice: &Voice, config: &RunConfig, done: usize) -> Self {
        let bar = match voice.on {
            true => ProgressBar::new(config.train.iterations as u64),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  ETA {eta}  {msg}")
        {
            bar.set_style(style);
        }
        bar.set_position(done as u64);
        bar.reset_eta();
        Self { bar, last: None }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn iteration(&mut self, done: usize, _: usize) {
        self.bar.set_position(done as u64);
    }

    fn logged(&mut self, row: &LogRow) {
        self.bar.set_message(format!(
            "F {:.1} (−ln p {:.1}, KL {:.2})",
            row.objective, row.reconstruction, row.kl
        ));
    }

    fn validated(&mut self, row: &ValidationRow) {
        self.bar.println(format!(
            "iteration {:>6}  R² {:.3}  zeros {:.1} %  F {:.2}{}",
            row.iteration,
            row.measures.r2,
            100.0 * row.measures.zeros,
            row.measures.objective,
            if row.best { "  (best so far)" } else { "" }
        ));
        self.last = Some(row.clone());
    }
}

fn draw(
    dir: &RunDir,
    state: &TrainState,
    splits: &Splits,
    config: &RunConfig,
    opened: &Opened,
) -> Result<()> {
    let folder = dir.figures();
    let model = state.judged();
    let picture = crate::commands::show::dictionary(&model, state.image.shape)?;
    figures::write_png(folder.join("dictionary.png"), &picture)?;
    let picture =
        crate::commands::show::reconstructions(&model, config, &splits.validation, &opened.device)?;
    figures::write_png(folder.join("reconstructions.png"), &picture)?;
    let picture = crate::commands::show::training(&dir.read_metrics()?)?;
    figures::write_png(folder.join("training.png"), &picture)?;
    Ok(())
}

fn report(
    dir: &RunDir,
    state: &TrainState,
    last: Option<&ValidationRow>,
    outcome: Outcome,
    json: bool,
) -> Result<()> {
    let Some(row) = last else {
        bail!(
            "the run is already complete; look at it with: scotopic show {}",
            dir.root().display()
        );
    };
    let m = &row.measures;
    let root = dir.root().display();
    if json {
        let value = serde_json::json!({
            "run": dir.root(),
            "best_model": dir.best(),
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
    print::line(format!(
        "  R², one spike sample   {:.3}   (validation, {} images, {} steps)",
        m.r2, m.images, m.steps
    ))?;
    print::line(format!("  R², firing rates       {:.3}", m.r2_rates))?;
    print::line(format!("  zero spike counts      {:.1} %", 100.0 * m.zeros))?;
    print::line(format!(
        "  free energy            {:.2} nats  (−ln p {:.2} + β·KL, KL {:.3})",
        m.objective, m.reconstruction, m.kl
    ))?;
    print::line("")?;
    print::line(format!(
        "  dictionary             {}",
        dir.figures().join("dictionary.png").display()
    ))?;
    print::line(format!(
        "  reconstructions        {}",
        dir.figures().join("reconstructions.png").display()
    ))?;
    print::line(format!(
        "  training curves        {}",
        dir.figures().join("training.png").display()
    ))?;
    print::line(format!("  best model             {}", dir.best().display()))?;
    print::line("")?;
    print::line("next, watch it see:")?;
    print::line(format!("  scotopic show {root}"))?;
    print::line(format!("  scotopic evaluate {root} --steps 128"))
}
