//! Writing a file so that a reader sees the old one or the new one, never half of one: into a
//! temporary name beside it, synced, renamed.
//!
//! The temporary name cannot be guessed and the file is made exclusively, so that nobody can put a link in its way. Whoever
//! writes it holds a lock on it; one that a killed program left behind is locked by nobody, and the next writer removes it.
//!
//! A symbolic link is followed: what it points to is replaced. A device or a pipe is written to as it is: it is no file, and to
//! put a file in its place would take it from everybody else.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A file under a temporary name; it is removed when dropped unless [`commit`](Self::commit)ted.
pub(crate) struct Replacement {
    target: PathBuf,
    /// Empty once there is nothing to rename or remove: after the commit, and for what is no file.
    temporary: PathBuf,
    file: Option<File>,
}

impl Replacement {
    pub fn begin(target: &Path) -> Result<Self> {
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
        if target.metadata().is_ok_and(|found| !found.is_file()) {
            let opened = OpenOptions::new().write(true).open(target);
            return Ok(Self {
                target: target.into(),
                temporary: PathBuf::new(),
                file: Some(opened.map_err(Error::io(target, "write"))?),
            });
        }
        let pointed = match target.is_symlink() {
            true => target.canonicalize().ok(),
            false => None,
        };
        let target = pointed.as_deref().unwrap_or(target);
        let name = target.file_name().unwrap_or(name);
        remove_stale(target, name);
        let temporary = target.with_file_name(temporary_name(name));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(Error::io(target, "write"))?;
        // Where files cannot be locked, leftovers are not told from files in the making, and stay.
        let _ = file.try_lock();
        let file = Some(file);
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
        if self.temporary.as_os_str().is_empty() {
            return Ok(());
        }
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

/// `.NAME.RANDOM.part`
fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    // The standard hasher is seeded by the operating system's randomness, anew for every one made.
    let random = RandomState::new().hash_one(std::process::id());
    temporary.push(format!(".{random:016x}.part"));
    temporary
}

/// Removes what killed writers of `target` left behind.
fn remove_stale(target: &Path, name: &OsStr) {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
    let mut begin = OsString::from(".");
    begin.push(name);
    begin.push(".");
    let begin = begin.as_encoded_bytes();
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
        .flatten()
    {
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        let ours = found.strip_prefix(begin).is_some_and(|rest| {
            rest.ends_with(b".part") && !rest[..rest.len() - 5].contains(&b'.')
        });
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if ours && is_file() && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path()); // one that stays does no harm
        }
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

/// Checks that `target` can be written, by making and removing a file beside it.
///
/// # Errors
/// As [`replace_file`].
pub fn check(target: &Path) -> Result<()> {
    Replacement::begin(target).map(drop)
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

    #[test]
    fn leftovers_of_killed_writers_go_and_files_in_the_making_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [
            ".a.txt.0123456789abcdef.part",
            ".a.txt.b.0123.part",
            "a.txt.part",
            ".b.txt.0123.part",
        ] {
            fs::write(path(name), "half").unwrap();
        }
        let writing = Replacement::begin(&path("a.txt")).unwrap();
        replace_file(&path("a.txt"), |w| w.write_all(b"new")).unwrap();
        assert!(!path(".a.txt.0123456789abcdef.part").exists());
        for other in [".a.txt.b.0123.part", "a.txt.part", ".b.txt.0123.part"] {
            assert!(path(other).exists(), "{other} is no leftover of a.txt");
        }
        assert!(writing.temporary.exists(), "it is being written");
        writing.commit().unwrap();
        assert_eq!(fs::read_to_string(path("a.txt")).unwrap(), "");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_pipes_stay_pipes() {
        use std::os::unix::fs::FileTypeExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "old").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        replace(&path("link"), b"new").unwrap();
        assert!(path("link").is_symlink());
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "new");

        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        let reader = std::thread::spawn({
            let pipe = path("pipe");
            move || fs::read_to_string(pipe).unwrap()
        });
        replace(&path("pipe"), b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        assert!(fs::metadata(path("pipe")).unwrap().file_type().is_fifo());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn temporary_names_differ() {
        let name = OsStr::new("a");
        assert_ne!(temporary_name(name), temporary_name(name));
    }
}
