//! Checks of the files that a command is to write, before the work whose results they hold.

use std::path::Path;

use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use scotopic_datasets::{Error, replace};

/// Leave to replace files.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Force {
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
}

impl Force {
    /// Refuses to replace any of `written` without leave.
    ///
    /// # Errors
    /// Names the file that would be lost.
    pub fn check<'a>(self, written: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        for path in written {
            ensure!(
                self.force || path.symlink_metadata().is_err(),
                "{} exists: give another --out, or --force to replace it",
                path.display()
            );
        }
        Ok(())
    }
}

/// Checks that `path` can be written.
///
/// # Errors
/// Names the file and why it cannot be written.
pub fn check_writable(path: &Path) -> Result<()> {
    ensure!(
        path != Path::new("-"),
        "- names no file to write: leave the option out where its lines go to standard output, or write ./- for a file of this name"
    );
    // What is no file (/dev/null, a pipe) is opened by whoever writes to it.
    match path.metadata() {
        Ok(found) if !found.is_file() && !found.is_dir() => Ok(()),
        _ => replace::check(path).map_err(|error| match error {
            Error::Io { source, .. } => {
                anyhow!(source).context(format!("could not write {}", path.display()))
            }
            other => other.into(),
        }),
    }
}

/// Checks that no output file is an input file, under whatever name.
///
/// # Errors
/// Names the file that would be lost.
pub fn check_apart(written: &[&Path], read: &[&Path]) -> Result<()> {
    for out in written {
        if let Some(lost) = read.iter().find(|read| same_file(out, read)) {
            bail!(
                "{} is read and would be overwritten: give another name",
                lost.display()
            );
        }
    }
    Ok(())
}

/// Whether both are there and are one file: by path, symbolic link or hard link.
fn same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize()) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |path: &Path| path.metadata().map(|found| (found.dev(), found.ino()));
        if let (Ok(a), Ok(b)) = (id(&a), id(&b))
            && a == b
        {
            return true;
        }
    }
    a == b
}
