//! Checks of the files that a command is to write, before the work whose results they hold.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

/// Checks that `path` can be written, by making and removing a file beside it.
///
/// # Errors
/// Names the file and why it cannot be written.
pub fn check_writable(path: &Path) -> Result<()> {
    let context = || format!("could not write {}", path.display());
    anyhow::ensure!(
        !path.is_dir(),
        "could not write {}: it is a folder",
        path.display()
    );
    let name = path.file_name().with_context(context)?.to_string_lossy();
    let trial = path.with_file_name(format!(".{name}.{}.trial", std::process::id()));
    File::create(&trial).with_context(context)?;
    fs::remove_file(&trial).with_context(context)
}

/// Checks that no output file is an input file.
///
/// # Errors
/// Names the file that would be lost.
pub fn check_apart(written: &[&Path], read: &[&Path]) -> Result<()> {
    for out in written {
        // A file that does not exist yet is not an input.
        let Ok(out) = out.canonicalize() else {
            continue;
        };
        if let Some(lost) = read
            .iter()
            .find(|r| r.canonicalize().is_ok_and(|r| r == out))
        {
            anyhow::bail!(
                "{} is read and would be overwritten: give another name",
                lost.display()
            );
        }
    }
    Ok(())
}
