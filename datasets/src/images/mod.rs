//! Photographs: a folder of PNG or JPEG files becomes whitened patches.
//!
//! ```text
//! grey = (0.299 R + 0.587 G + 0.114 B)/255      (ITU-R BT.601)
//!        or red, green and blue as they are     (`colour = true`, without whitening)
//! portrait pictures are transposed, so that all are landscape
//! whitening, per picture                        see [`crate::whitening`]
//! patches at uniform positions of uniformly drawn pictures, `border` pixels off the edge
//! pixels ← (pixels − μ)/σ,  μ and σ of the training patches
//! ```

mod decode;
mod entropy;
mod folder;
mod tiled;
mod whole;

pub(crate) use decode::{Bounds, grey_bytes};
pub use decode::{colour, grey};
pub use folder::{Folder, folder};
pub use tiled::{TiledPicture, TiledPictures, WholePicture};

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::patches::{Cut, Cutter};
use crate::rng::stream;
use crate::whitening::Whitener;
use crate::{Error, ImageSet, Picture, Result, Splits, WhiteningConfig, WhiteningKind};

/// The configuration `source = "images"`; the default is BSDS500, training and validation
/// photographs to train on, test photographs to validate with.
///
/// ```
/// use scotopic_datasets::{DataConfig, ImagesConfig};
/// let mine = ImagesConfig {
///     train: vec!["holiday".into()],
///     validation: vec!["garden".into()],
///     ..Default::default()
/// };
/// DataConfig::Images(mine).validate().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagesConfig {
    /// Folders of pictures to train on, relative to the data folder. Sub-folders are not entered.
    pub train: Vec<PathBuf>,
    /// Folders of pictures to validate with; other ones, so that no picture is in both.
    pub validation: Vec<PathBuf>,
    /// Side of a patch.
    pub patch: usize,
    /// How many patches to train on.
    pub train_patches: usize,
    /// How many patches to validate with.
    pub validation_patches: usize,
    /// Names the positions of the patches.
    pub seed: u64,
    /// Pixels at every edge of a picture that are not used.
    pub border: usize,
    /// Patches with less than this multiple of their picture's standard deviation are drawn again; 0 keeps
    /// all. (A blank patch has no variance to explain, so that its R² says nothing.)
    pub min_contrast: f64,
    /// Keep red, green and blue, which the whitening and the contrast of a grey picture do not apply to:
    /// `whitening.kind = "none"`, no local contrast, and `min_contrast = 0`.
    pub colour: bool,
    /// The filter.
    pub whitening: WhiteningConfig,
    /// Shift and scale by mean and standard deviation of the training patches.
    pub standardise: bool,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self {
            train: vec!["bsds500/images/train".into(), "bsds500/images/val".into()],
            validation: vec!["bsds500/images/test".into()],
            patch: 16,
            train_patches: 20_000,
            validation_patches: 4000,
            seed: 0,
            border: 8,
            min_contrast: 0.0,
            colour: false,
            whitening: WhiteningConfig::default(),
            standardise: true,
        }
    }
}

const SOURCE: &str = "images";
/// 2³¹ pixels: 8 GiB of patches.
pub(crate) const MAX_PATCH_PIXELS: usize = 1 << 31;

impl ImagesConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::config(SOURCE, field, found, expected))
        };
        for (field, folders) in [("train", &self.train), ("validation", &self.validation)] {
            if folders.is_empty() || folders.iter().any(|f| f.as_os_str().is_empty()) {
                return wrong(
                    field,
                    format!("{folders:?}"),
                    "at least one folder, and no empty path",
                );
            }
        }
        if let Some(twice) = self.train.iter().find(|f| self.validation.contains(f)) {
            let found = format!("{} in both lists", twice.display());
            return wrong("validation", found, "folders that are not trained on");
        }
        if self.patch == 0 || self.patch > 1024 {
            return wrong("patch", self.patch.to_string(), "1 to 1024");
        }
        if self.border > 4096 {
            return wrong("border", self.border.to_string(), "at most 4096");
        }
        if self.train_patches == 0 {
            return wrong("train_patches", "0".into(), "at least 1");
        }
        let each = self.channels() * self.patch * self.patch;
        for (field, n) in [
            ("train_patches", self.train_patches),
            ("validation_patches", self.validation_patches),
        ] {
            if n > MAX_PATCH_PIXELS / each {
                return wrong(
                    field,
                    n.to_string(),
                    &format!("at most {}", MAX_PATCH_PIXELS / each),
                );
            }
        }
        if !(0.0..=2.0).contains(&self.min_contrast) {
            return wrong("min_contrast", self.min_contrast.to_string(), "0 to 2");
        }
        let filtered = self.whitening.kind != WhiteningKind::None || self.whitening.local_contrast;
        if self.colour && (filtered || self.min_contrast > 0.0) {
            let found = "true with whitening, local contrast or a least contrast";
            let expected =
                "whitening.kind = \"none\", whitening.local_contrast = false, min_contrast = 0";
            return wrong("colour", found.into(), expected);
        }
        self.whitening.validate(SOURCE)
    }

    fn channels(&self) -> usize {
        if self.colour { 3 } else { 1 }
    }

    pub(crate) fn load(&self, root: &Path, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let mut split = |name, folders: &[PathBuf], patches, stream| {
            let mut found = Folder {
                pictures: Vec::new(),
                hidden: 0,
                others: 0,
            };
            for path in folders {
                let more = Folder::read(&root.join(path))?;
                found.pictures.extend(more.pictures);
                found.hidden += more.hidden;
                found.others += more.others;
            }
            note(&format!("{name}: {patches} patches from {}", found.told()));
            let files = found.pictures;
            let cutter = Cutter {
                side: self.patch,
                border: self.border,
                seed: self.seed,
                stream,
                min_contrast: self.min_contrast,
            };
            self.cut_patches(name, &files, patches, cutter)
        };
        let train = split(
            "training patches",
            &self.train,
            self.train_patches,
            stream::TRAIN_PATCH,
        )?;
        let validation = split(
            "validation patches",
            &self.validation,
            self.validation_patches,
            stream::VALIDATION_PATCH,
        )?;
        Splits::new(train, validation, None, self.standardise)
    }
}

impl ImagesConfig {
    /// Each picture is decoded once and dropped when its patches are cut, so that memory holds one
    /// picture per thread; a picture that no patch falls on is not opened.
    fn cut_patches(
        &self,
        name: &str,
        files: &[PathBuf],
        patches: usize,
        cutter: Cutter,
    ) -> Result<ImageSet> {
        let mut numbers = vec![Vec::new(); files.len()];
        (0..patches).for_each(|patch| numbers[cutter.picture_of(patch, files.len())].push(patch));
        let jobs: Vec<(&PathBuf, Vec<usize>)> = files
            .iter()
            .zip(numbers)
            .filter(|(_, numbers)| !numbers.is_empty())
            .collect();
        let cut = jobs.into_par_iter().map_init(
            || Whitener::new(&self.whitening),
            |whitener, (file, numbers)| -> Result<Vec<Cut>> {
                let planes = self.planes(file)?.into_iter().map(|mut plane| {
                    plane = landscape(plane, file, cutter.smallest_side())?;
                    whitener.apply(&mut plane);
                    let mut cut = cutter.cut_all(&plane, numbers.clone());
                    cut.file = Some(file.to_string_lossy().into());
                    Ok(cut)
                });
                planes.collect()
            },
        );
        // Collected one by one and looked through in order: of several bad files the first is named.
        let cut: Vec<Result<Vec<Cut>>> = cut.collect();
        let cut = cut.into_iter().collect::<Result<Vec<_>>>()?;
        let cut = cut.into_iter().filter_map(Cut::stacked).collect();
        cutter.collect(name, self.channels(), patches, cut)
    }

    /// One plane of grey, or three of colour.
    fn planes(&self, file: &Path) -> Result<Vec<Picture>> {
        Ok(match self.colour {
            true => colour(file)?.into(),
            false => vec![grey(file)?],
        })
    }
}

/// The picture laid on its longer side, if its shorter one has at least so many pixels.
pub(crate) fn landscape(picture: Picture, file: &Path, least: usize) -> Result<Picture> {
    let picture = match picture.width < picture.height {
        true => picture.transposed(),
        false => picture,
    };
    if picture.height < least {
        let expected = format!("at least {least} (patch and border), or take the file away");
        return Err(Error::size(
            file.display(),
            "shorter side of the picture",
            picture.height,
            expected,
        ));
    }
    Ok(picture)
}

#[cfg(test)]
mod tests;
