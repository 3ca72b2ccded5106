//! The lock of a run folder: one process at a time writes into it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

/// Held as long as a clone of it lives; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug, Clone)]
pub(crate) struct RunLock {
    _file: Arc<File>,
}

impl RunLock {
    /// Its file in the folder of a run.
    pub const NAME: &str = "run.lock";

    /// Locks `run.lock` in `root`.
    ///
    /// # Errors
    /// If another process holds it (which is named), or the file cannot be written.
    pub fn take(root: &Path) -> Result<Self> {
        let path = root.join(Self::NAME);
        let context = || format!("could not lock {}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where a locked file cannot be read, the process has no name here.
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "another process".to_owned(),
                    id => format!("process {id}"),
                };
                bail!(
                    "{holder} is training into {}: wait for it or stop it, or give another --out",
                    root.display()
                );
            }
            // Some network file systems know no locks.
            Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(e).with_context(context),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .with_context(context)?;
        Ok(Self {
            _file: Arc::new(file),
        })
    }
}
