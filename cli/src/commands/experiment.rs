//! `scotopic experiment`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, ensure};
use clap::{Args, Subcommand};

use super::print;
#[cfg(feature = "vision")]
use crate::args::RuntimeArgs;
#[cfg(not(feature = "vision"))]
use crate::data_folder::DataFolder;
use crate::experiments::all;
use crate::experiments::protocol::{Part, Protocol, Results, Size, Tasks};
use crate::progress::{ProgressArgs, Reporter};
use crate::signals::Stop;
use crate::usage::UsageError;

/// Options of `scotopic experiment`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "An experiment is named arms × seeds. A task (one arm with one seed) whose file is there is not\n\
                  run again: the same command continues after an interruption. Many tasks at once:\n  \
                  seq 30 | parallel scotopic experiment campbell --task {}/30\n  \
                  scotopic experiment campbell --collect\n\n\
                  Examples:\n  scotopic experiment\n  scotopic experiment campbell --seeds 10\n  \
                  scotopic experiment page campbell"
)]
pub struct ExperimentArgs {
    /// Making a page.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Name of the experiment; without a name, all are listed
    pub name: Option<String>,
    /// A smoke test, what the pages show, or the published settings
    #[arg(long, value_enum, value_name = "SIZE", default_value = "standard")]
    pub size: Size,
    /// The same as --size quick
    #[arg(long, conflicts_with_all = ["full", "size"])]
    pub quick: bool,
    /// The same as --size full
    #[arg(long, conflicts_with = "size")]
    pub full: bool,
    /// Seeds 1 to N [default: those of the experiment]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub seeds: Option<u64>,
    /// Run only every N-th task, from the i-th on
    #[arg(long, value_name = "i/N")]
    pub task: Option<Part>,
    /// Run nothing: make the page of the tasks that are done
    #[arg(long, conflicts_with = "task")]
    pub collect: bool,
    /// Folder for results and reports
    #[arg(long, value_name = "DIR", default_value = "runs/experiments")]
    pub out: PathBuf,
    /// Progress.
    #[command(flatten)]
    pub progress: ProgressArgs,
    /// Device and data.
    #[cfg(feature = "vision")]
    #[command(flatten)]
    pub runtime: RuntimeArgs,
    /// Data.
    #[cfg(not(feature = "vision"))]
    #[command(flatten)]
    pub folder: DataFolder,
}

/// What else can be done with experiments.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make the page of an experiment from its results
    Page(PageArgs),
}

/// Options of `scotopic experiment page`.
#[derive(Debug, Args)]
pub struct PageArgs {
    /// Name of the experiment
    pub name: String,
    /// Folder of its results [default: docs/papers/results/NAME]
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// Folder of the page, NAME.md, and of its figures, images/NAME-*.svg
    #[arg(long, value_name = "DIR", default_value = "docs/papers")]
    pub out: PathBuf,
}

impl ExperimentArgs {
    fn size(&self) -> Size {
        match (self.quick, self.full) {
            (true, _) => Size::Quick,
            (_, true) => Size::Full,
            _ => self.size,
        }
    }

    fn data(&self) -> &std::path::Path {
        #[cfg(feature = "vision")]
        return &self.runtime.folder.data;
        #[cfg(not(feature = "vision"))]
        return &self.folder.data;
    }
}

/// Runs an experiment and prints its page.
///
/// # Errors
/// If there is no such experiment, or data, device or files fail.
pub fn run(args: &ExperimentArgs) -> Result<ExitCode> {
    if let Some(Action::Page(page)) = &args.action {
        return make_page(page);
    }
    let Some(name) = &args.name else {
        for protocol in all() {
            print::line(format!("{:<18} {}", protocol.name, protocol.about))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    run_protocol(args, known(name)?)
}

/// The experiment of this name.
fn known(name: &str) -> Result<&'static Protocol> {
    let all = all();
    if let Some(protocol) = all.iter().find(|p| p.name == name) {
        return Ok(protocol);
    }
    let near = |p: &&&Protocol| (1000.0 * strsim::jaro_winkler(p.name, name)) as u32;
    let nearest = all.iter().max_by_key(near).map_or("", |p| p.name);
    Err(UsageError(anyhow!(
        "there is no experiment `{name}`: did you mean `{nearest}`? (`scotopic experiment` lists all)"
    ))
    .into())
}

fn run_protocol(args: &ExperimentArgs, protocol: &Protocol) -> Result<ExitCode> {
    let size = args.size();
    let folder = args.out.join(size.name()).join(protocol.name);
    let tasks = Tasks {
        protocol,
        size,
        seeds: args.seeds.unwrap_or(protocol.seeds),
        folder: &folder,
        data: args.data(),
        #[cfg(feature = "vision")]
        device: args.runtime.device,
    };
    if !args.collect {
        let stop = Stop::watch()?;
        let reporter = Reporter::new(args.progress);
        let done = tasks.run(args.task.unwrap_or(Part::WHOLE), stop.flag(), reporter)?;
        if let Some((_, code)) = stop.signal().filter(|_| !done) {
            return Ok(code);
        }
        if args.task.is_some() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let results = tasks.collect()?;
    let page = (protocol.page)(&results)?;
    page.write(&results, &folder, "README.md")?;
    print::line(page.markdown(&results))?;
    print::line(folder.join("README.md").display())?;
    Ok(ExitCode::SUCCESS)
}

fn make_page(args: &PageArgs) -> Result<ExitCode> {
    let protocol = known(&args.name)?;
    let from = PathBuf::from("docs/papers/results").join(protocol.name);
    let from = args.results.as_ref().unwrap_or(&from);
    let results = Results::read(protocol, from)?;
    ensure!(
        results.size != Size::Quick,
        "the results in {} are of a quick run, a smoke test: a page is made of --size standard or full",
        from.display()
    );
    let name = format!("{}.md", protocol.name);
    (protocol.page)(&results)?.write(&results, &args.out, &name)?;
    print::line(args.out.join(name).display())?;
    Ok(ExitCode::SUCCESS)
}
