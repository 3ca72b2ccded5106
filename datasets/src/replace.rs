//! Writing a file so that a reader sees the old one or the new one, never half of one: into a
//! temporary name beside it, synced, renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// A file under a temporary name; it is removed when dropped unless [`commit`](Self::commit)ted.
pub(crate) struct Replacement {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
}

impl Replacement {
    pub fn begin(target: &Path) -> Result<Self> {
        // Process and counter make the name unique among concurrent writers of one target.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let Some(name) = target.file_name() else {
            let expected = "the name of a file to write";
            return Err(Error::WrongKind {
                path: target.into(),
                found: "no file name",
                expected,
            });
        };
        if target.is_dir() {
            let expected = "the name of a file to write";
            return Err(Error::WrongKind {
                path: target.into(),
                found: "a folder",
                expected,
            });
        }
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.{number}.part", std::process::id()));
        let temporary = target.with_file_name(temporary_name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&temporary);
        let file = Some(file.map_err(Error::io(target, "write"))?);
        Ok(Self {
            target: target.into(),
            temporary,
            file,
        })
    }

    #[cfg(feature = "fetch")]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    pub fn file(&mut self) -> io::Result<&mut File> {
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::other("the file is closed already"))
    }

    pub fn commit(mut self) -> Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()
                .map_err(Error::io(&self.temporary, "sync"))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(Error::io(&self.target, "rename to"))?;
        // The rename itself must survive a power cut; where folders cannot be synced, go on.
        let folder = self.target.parent().filter(|p| !p.as_os_str().is_empty());
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        self.temporary.clear();
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            self.file = None;
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Puts `bytes` in the place of `target`.
///
/// # Errors
/// As [`replace_file`].
pub fn replace(target: &Path, bytes: &[u8]) -> Result<()> {
    replace_file(target, |writer| writer.write_all(bytes))
}

/// Runs `write` on a buffered temporary file and puts the result in the place of `target`.
///
/// # Errors
/// [`Error::Io`] naming the file and the step that failed; `target` is as it was.
pub fn replace_file(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<()> {
    let mut replacement = Replacement::begin(target)?;
    let written = replacement.file().and_then(|file| {
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        write(&mut writer)?;
        writer.flush()
    });
    written.map_err(Error::io(target, "write"))?;
    replacement.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.txt");
        fs::write(&target, "old").unwrap();
        let failed = replace_file(&target, |w| {
            w.write_all(b"half")?;
            Err(io::Error::other("power cut"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        replace_file(&target, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace_file(folder.path(), |_| Ok(())).is_err());
    }
}
