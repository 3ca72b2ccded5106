//! Event files, which TensorBoard displays: numbers and pictures by name and step.
//!
//! | subject | file |
//! |---|---|
//! | records with checksums | `framing.rs` |
//! | events as protocol buffers | `event.rs` |
//!
//! ```
//! use scotopic_train::tensorboard::EventFile;
//!
//! let folder = std::env::temp_dir().join(format!("scotopic-events-{}", std::process::id()));
//! let mut events = EventFile::create(&folder, 1_700_000_000.0, 0)?;
//! events.scalars(1_700_000_001.0, 20, &[("train/objective".into(), 171.5)])?;
//! assert!(events.path().starts_with(&folder));
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), std::io::Error>(())
//! ```

mod event;
mod framing;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use event::Png;
use event::{What, event};
use framing::record;

/// A file of events that grows. Every call writes one whole record, so that it can be displayed while it grows.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file `events.out.tfevents.SECONDS.HOST` in `folder`, which is made if it is not there. `now` is in seconds
    /// since 1970. Training that is continued after `done` steps voids what earlier files in the folder have of later
    /// steps: the run lost them when it was stopped, and will make them again.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub fn create(folder: &Path, now: f64, done: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let name = format!("events.out.tfevents.{:010}.{}", now as u64, host());
        let (path, file) = unused(folder, &name)?;
        let mut events = Self { path, file };
        events.write(&event(now, 0, What::FileVersion))?;
        if done > 0 {
            events.write(&event(now, done as u64 + 1, What::Start))?;
        }
        Ok(events)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers by name, after `step` iterations; rounded to single precision, as the format has it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn scalars(&mut self, now: f64, step: usize, scalars: &[(String, f64)]) -> io::Result<()> {
        self.write(&event(now, step as u64, What::Scalars(scalars)))
    }

    /// A picture by name, after `step` iterations.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn image(&mut self, now: f64, step: usize, tag: &str, png: Png<'_>) -> io::Result<()> {
        self.write(&event(now, step as u64, What::Image(tag, png)))
    }

    fn write(&mut self, event: &[u8]) -> io::Result<()> {
        self.file.write_all(&record(event))
    }
}

/// A file of this name, or of this name with a number: two sessions can begin within a second.
fn unused(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let mut number = 0u32;
    loop {
        let path = folder.join(match number {
            0 => name.to_owned(),
            _ => format!("{name}.{number}"),
        });
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            result => return result.map(|file| (path, file)),
        }
    }
}

/// The name of this computer, as far as a file name can have it.
fn host() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok());
    let named = named.or_else(|| std::env::var("COMPUTERNAME").ok());
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-._".contains(*c);
    let name: String = named.unwrap_or_default().chars().filter(plain).collect();
    match name.is_empty() {
        true => "localhost".to_owned(),
        false => name,
    }
}

#[cfg(test)]
mod tests;
