//! Writing a file so that a reader finds the old one or the new one, never half of one.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes `bytes` to a temporary name beside `path`, syncs it, renames it, and syncs the folder.
///
/// # Errors
/// Names the file and the step that failed; the temporary file is removed.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The name itself is durable once the folder is; not every system lets a folder be opened.
        if let Some(folder) = path.parent()
            && let Ok(folder) = File::open(folder)
        {
            let _ = folder.sync_all();
        }
        std::io::Result::Ok(())
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("could not write {}", path.display()))
}

/// Checks that `path` can be written, before the work whose result it is to hold: makes and removes a file beside it.
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

/// Checks that what is written is none of what is read.
///
/// # Errors
/// Names the file that would be lost.
pub fn check_apart(written: &[&Path], read: &[&Path]) -> Result<()> {
    for out in written {
        // A file that is not there yet is none that is read.
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
