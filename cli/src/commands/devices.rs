//! `scotopic devices`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use scotopic_train::device::{self, DeviceChoice};

use super::print;

/// Options of `scotopic devices`.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists devices.
///
/// # Errors
/// If stdout is closed.
pub fn run(args: &DevicesArgs) -> Result<ExitCode> {
    let found = device::survey();
    if args.json {
        print::line(serde_json::to_string_pretty(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for device in &found {
        let mark = if device.available { "yes" } else { "no " };
        print::line(format!("{mark}  {:<10} {}", device.name, device.detail))?;
    }
    if let Ok(opened) = device::open(DeviceChoice::Auto) {
        print::line(format!("\n--device auto takes {}", opened.name))?;
    }
    print::line(
        "scotopic train --device A,B trains on several devices: each takes part of every batch",
    )?;
    Ok(ExitCode::SUCCESS)
}
