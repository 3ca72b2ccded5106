//! Printing to stdout without a panic when the reader closes the pipe.

use std::io::Write;

use anyhow::Context;

/// Writes `text` and a line feed to stdout.
///
/// # Errors
/// If stdout is closed; the program then ends quietly.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.context("could not write standard output")
}
