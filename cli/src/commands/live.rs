//! `scotopic live`

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;

use crate::filtering::Source;
use crate::live::{Access, Desks, Hub, Origin, SeriesDesk, SeriesStart, Server, new_token};
#[cfg(feature = "vision")]
use crate::live::{Catalogue, NetworkDesk};
use crate::signals::Stop;
use crate::usage::UsageError;

/// Options of `scotopic live`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page is for this machine alone: the program listens on 127.0.0.1. With --host it listens\n\
                        elsewhere, and the address that it prints has a random token without which nobody gets in;\n\
                        the connection is not encrypted. Ctrl-C ends it.\n\n\
                        Examples:\n  \
                        scotopic live --filter quakes.toml --csv quakes.csv\n  \
                        tail -f sensor.csv | scotopic live --filter tracking.toml --learn --csv -\n  \
                        scotopic live --host 0.0.0.0 --no-open"
)]
#[cfg_attr(
    feature = "vision",
    command(
        long_about = "Watch a network or a filter at work, in the browser.\n\n\
                      Network: draw, drop an image or use the camera, and see spikes, rates and reconstructions as \
                      they come. Filter: replay a series or standard input through a state-space model."
    )
)]
pub struct LiveArgs {
    /// Checkpoint, run folder, or a folder with some below it [default: those below checkpoints and runs]
    #[cfg(feature = "vision")]
    pub checkpoint: Option<PathBuf>,
    /// Model of the filter tab, in TOML; others can be dropped onto the page
    #[arg(long, value_name = "FILE")]
    pub filter: Option<PathBuf>,
    /// Observations of the filter tab; - is standard input, others can be dropped onto the page
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Factorisation of the filter's belief, as of `scotopic filter`
    #[arg(long, value_name = "NAME", default_value = "reversed")]
    pub factorisation: String,
    /// Learn the filter's parameters, as of `scotopic filter`
    #[arg(long, value_name = "RULE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub learn: Option<String>,
    /// What to read of the observations.
    #[command(flatten)]
    pub source: Source,
    /// Port; 0 is any that is free
    #[arg(long, value_name = "N", default_value_t = 7420)]
    pub port: u16,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    pub host: Option<IpAddr>,
    /// Do not open the page in a browser
    #[arg(long)]
    pub no_open: bool,
}

/// Serves the page until a signal comes.
///
/// # Errors
/// If a model or a file cannot be used, or the address cannot be listened on.
pub fn run(args: &LiveArgs) -> Result<ExitCode> {
    let start = series(args).map_err(UsageError)?;
    #[cfg(feature = "vision")]
    let catalogue = Catalogue::find(args.checkpoint.as_deref()).map_err(UsageError)?;
    let (listener, access) = listen(args).map_err(UsageError)?;
    let stop = Stop::watch()?;
    let hub = Arc::new(Hub::default());
    let desks = Desks {
        #[cfg(feature = "vision")]
        network: NetworkDesk::open(catalogue, Arc::clone(&hub), stop.clone()),
        filter: SeriesDesk::open(start, Arc::clone(&hub), stop.clone()),
    };
    let url = access.url();
    let server = Server::new(listener, access, hub, desks);
    let mut out = std::io::stdout();
    match writeln!(out, "{url}").and_then(|()| out.flush()) {
        // Nobody needs the address who opens the page by other means.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        other => other.context("could not write the address")?,
    }
    if !args.no_open {
        open(&url);
    }
    server.run(&stop)?;
    Ok(stop.signal().map_or(ExitCode::SUCCESS, |(name, code)| {
        tell!("scotopic: {name}");
        code
    }))
}

fn series(args: &LiveArgs) -> Result<SeriesStart> {
    let origin = args.csv.as_ref().map(|path| match path == Path::new("-") {
        true => Origin::Stdin,
        false => Origin::File(path.clone()),
    });
    ensure!(
        args.learn.is_none() || args.filter.is_some(),
        "--learn is for the model of --filter, which is not given"
    );
    let learn = args.learn.as_deref();
    SeriesStart::read(
        args.filter.as_deref(),
        learn,
        &args.factorisation,
        origin,
        args.source.clone(),
    )
}

fn listen(args: &LiveArgs) -> Result<(TcpListener, Access)> {
    let host = args.host.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let listener = TcpListener::bind((host, args.port)).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {} of {host} is in use, perhaps by another scotopic live: give another with --port, or --port 0 for \
             any that is free",
            args.port
        ),
        ErrorKind::AddrNotAvailable => {
            anyhow!("{host} is no address of this machine: give one of its own with --host, or 0.0.0.0 for all")
        }
        _ => anyhow!("could not listen on {host}, port {}: {error}", args.port),
    })?;
    let address = listener.local_addr()?;
    let token = (!host.is_loopback()).then(new_token).transpose()?;
    Ok((listener, Access::new(address, token)))
}

/// Opens the page; whoever has no browser has the address.
fn open(url: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let mut command = Command::new(program);
    let quiet = command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Ok(mut child) = quiet.spawn() {
        // Waited for, so that no zombie stays.
        std::thread::spawn(move || child.wait());
    }
}
