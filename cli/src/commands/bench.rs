//! `scotopic bench`

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use scotopic_datasets::replace::replace;
use scotopic_filtering::many;
use scotopic_filtering::simd::InstructionSet;
use scotopic_train::device::{self, DeviceChoice};

use super::{model, print};
use crate::bench::{self, BenchConfig, Group, Record, Report, Setup};
use crate::outputs;

/// Options of `scotopic bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scotopic bench\n  \
                        scotopic bench training products --samples 20 --json > here.jsonl\n  \
                        scotopic bench training inference --model runs/dead-leaves --device cuda\n  \
                        SCOTOPIC_SIMD=avx2 scotopic bench training    (kernels of a lower instruction set: avx2, portable)")]
pub struct BenchArgs {
    /// Groups of cases to time [default: all but scaling]
    #[arg(value_enum, value_name = "GROUP")]
    pub groups: Vec<Group>,
    /// Timed repetitions of each case, after two unmeasured ones
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: u32,
    /// Trained linear spiking model (run folder or released checkpoint) used in place of random weights for training and
    /// inference
    #[arg(long, value_name = "RUN")]
    pub model: Option<PathBuf>,
    /// Seed of weights, images and spikes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N; `scotopic devices` lists them
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print one JSON object per line: group, case, device, threads, simd, shape, temperature, indicator, zeros, seed, samples, min_s,
    /// median_s, p90_s, peak_bytes
    #[arg(long)]
    pub json: bool,
    /// Run the cases under every instruction set that the processor has, on all threads and on one, and write times and
    /// their ratios to FILE as Markdown
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub report: Option<PathBuf>,
}

impl BenchArgs {
    /// What says which cases are measured, as it is typed.
    fn measured(&self) -> Vec<OsString> {
        let groups = self.groups.iter().filter_map(ValueEnum::to_possible_value);
        let mut words: Vec<OsString> = groups.map(|group| group.get_name().into()).collect();
        let numbers = [
            ("--samples", u64::from(self.samples)),
            ("--seed", self.seed),
        ];
        for (option, number) in numbers {
            words.extend([option.into(), number.to_string().into()]);
        }
        words.extend(["--device".into(), self.device.to_string().into()]);
        if let Some(model) = &self.model {
            words.extend(["--model".into(), model.into()]);
        }
        words
    }
}

/// Times the requested cases.
///
/// # Errors
/// If the device or the model cannot be used.
pub fn run(args: &BenchArgs) -> Result<ExitCode> {
    let opened = device::open(args.device)?;
    let trained = match &args.model {
        None => None,
        Some(path) => Some(model::open(path, &opened.device)?.1),
    };
    let settings = BenchConfig {
        samples: args.samples as usize,
        device: opened.device,
        device_name: opened.name,
        seed: args.seed,
    };
    if let Some(target) = &args.report {
        return report(args, target, opened.processor);
    }
    let groups = match args.groups.as_slice() {
        [] => Group::USUAL.to_vec(),
        some => some.to_vec(),
    };
    if !args.json {
        print::line(format!(
            "{}, {} threads, {}; median and 90th percentile of {}, peak memory of the process\n",
            settings.device_name,
            rayon::current_num_threads(),
            InstructionSet::in_use().name(),
            settings.samples
        ))?;
    }
    for group in groups {
        bench::run(
            group,
            &settings,
            trained.as_ref(),
            &mut |record| match args.json {
                true => print::line(serde_json::to_string(&record)?),
                false => print::line(row(&record)),
            },
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures under every instruction set and writes the page.
fn report(args: &BenchArgs, target: &Path, processor: bool) -> Result<ExitCode> {
    // What cannot be written is said before an hour of measuring.
    outputs::check_writable(target)?;
    let setups = Setup::all(processor);
    let mut begin = |setup: Setup| print::line(setup.name());
    let mut tell = |record: &Record| print::line(row(record));
    let report = Report::measure(&setups, &args.measured(), &mut begin, &mut tell)?;
    replace(target, report.markdown().as_bytes())?;
    print::line(target.display())?;
    Ok(ExitCode::SUCCESS)
}

/// A record as text.
fn row(record: &Record) -> String {
    let shape = record.shape;
    let memory = record
        .peak_bytes
        .map(|b| format!("{:6.0} MB", b as f64 / 1e6));
    format!(
        "{:<9} {:>9} {:>9} {:>9}  B {} M {} K {} T {}, {}  {}",
        record.group,
        seconds(record.median_s),
        seconds(record.p90_s),
        memory.unwrap_or_default(),
        shape.batch,
        shape.pixels,
        shape.latents,
        shape.steps,
        many(record.threads, "thread"),
        record.label(),
    )
}

/// Three digits and a unit.
fn seconds(s: f64) -> String {
    match s {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.3} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}
