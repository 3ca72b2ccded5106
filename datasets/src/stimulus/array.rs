//! Frames from numpy's files.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Frames, Show, recorded, require_length};
use crate::{Error, Result, npy, source};

/// An array `[time, batch, pixels]`, or `[time, pixels]` for one sequence, from a `.npy` or a `.npz` file;
/// the file itself determines which of the two it is. Of several sequences an index names one; a single
/// sequence is shown for every index.
///
/// ```
/// use scotopic_datasets::{ImageShape, StimulusConfig, npy, stimulus::Sequence};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("film.npy");
/// npy::write(&path, &[2, 1], &[0.5, -0.5])?;
/// let film = StimulusConfig::Sequence(Sequence { path, repeat: true, ..Default::default() });
/// let shape = ImageShape { channels: 1, height: 1, width: 1 };
/// assert_eq!(film.frames(None, &[0], shape, 3)?.data, [0.5, -0.5, 0.5]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sequence {
    /// The file; must be given.
    pub path: PathBuf,
    /// Which array of a `.npz` file; may be empty if it has only one.
    pub array: String,
    /// The values are pixels in \[0, 1\], still to be put on the scale of the training images.
    pub raw: bool,
    /// Begin again at the end; a sequence that is too short is an error otherwise.
    pub repeat: bool,
}

impl Sequence {
    pub(super) const WHAT: &'static str = "stimulus `npy`";

    pub(super) fn validate(&self) -> Result<()> {
        if self.path.as_os_str().is_empty() {
            let expected = "the path of a .npy or .npz file";
            return Err(Error::setting(
                Self::WHAT,
                "path",
                "an empty path",
                expected,
            ));
        }
        Ok(())
    }

    /// All sequences of the file, for their whole length.
    ///
    /// # Errors
    /// What the readers in [`npy`] and [`Frames::from_array`] find; [`Error::Setting`] if the name of an
    /// array is missing, or there is one for a file that has none.
    pub fn read(&self) -> Result<Frames> {
        let name = self.path.display().to_string();
        let wrong = |found: String, expected: &str| {
            Err(Error::setting(Self::WHAT, "array", found, expected))
        };
        let array = if !is_archive(&self.path)? {
            if !self.array.is_empty() {
                let found = format!("{:?} for a .npy file", self.array);
                return wrong(found, "an empty name, or a .npz file");
            }
            npy::read(&self.path)?
        } else if self.array.is_empty() {
            let mut arrays = npy::read_npz(&self.path)?;
            if arrays.len() > 1 {
                let found = format!("an empty name for {} arrays", arrays.len());
                return wrong(found, "the name of one of them");
            }
            match arrays.pop() {
                Some((_, array)) => array,
                None => return wrong("an archive without arrays".into(), "at least one"),
            }
        } else {
            npy::read_npz_array(&self.path, &self.array)?
        };
        Frames::from_array(&name, array)
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        let film = self.read()?;
        let name = self.path.display().to_string();
        film.check_pixels(&name, show.shape.pixels())?;
        require_length(Self::WHAT, film.steps, show.steps, self.repeat)?;
        if film.batch > 1
            && let Some(beyond) = show.indices.iter().find(|&&i| i >= film.batch)
        {
            let expected = format!("below {}, the number of sequences", film.batch);
            return Err(Error::size(name, "index of a sequence", beyond, expected));
        }
        show.each(|t, b, out| {
            let frame = film.frame(recorded(t, film.steps, self.repeat));
            let sequence = match film.batch {
                1 => 0,
                _ => show.indices[b],
            };
            out.extend_from_slice(&frame[sequence * film.pixels..(sequence + 1) * film.pixels]);
        })
    }
}

/// A zip file begins with `PK`, a `.npy` file never does.
fn is_archive(path: &Path) -> Result<bool> {
    let (file, _) = source::open_file(path)?;
    let mut start = Vec::with_capacity(2);
    file.take(2)
        .read_to_end(&mut start)
        .map_err(Error::io(path, "read"))?;
    Ok(start == b"PK")
}
