//! Printing to stdout without a panic when the reader closes the pipe.

use std::io::Write;

/// Writes `text` and a line feed to stdout.
///
/// # Errors
/// If stdout is closed; the program then ends quietly.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}
