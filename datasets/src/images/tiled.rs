//! Own pictures, whole: cut into patches that cover them for a model to see, and its reconstructions put together again.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::{Folder, MAX_PATCH_PIXELS, colour, grey};
use crate::whitening::Whitener;
use crate::{
    Error, ImageSet, ImageShape, PatchOrigin, Picture, Result, Standardisation, Tiling,
    WhiteningConfig,
};

/// Pictures and the patches that cover them.
///
/// ```
/// use scotopic_datasets::images::TiledPictures;
/// use scotopic_datasets::{ImageShape, Standardisation, WhiteningConfig, WhiteningKind};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("photo.png");
/// # image::GrayImage::from_fn(7, 5, |x, y| image::Luma([(9 * x + 7 * y) as u8])).save(&path)?;
/// let shape = ImageShape { channels: 1, height: 4, width: 4 };
/// let plain = WhiteningConfig { kind: WhiteningKind::None, ..Default::default() };
/// let pictures = TiledPictures::read(&path, shape, (2, 2), &plain)?;
/// let set = pictures.set();
/// assert_eq!((set.len(), set.origins()[5].row, set.origins()[5].column), (6, 1, 3));
/// // What a model makes of `set` goes here; its input comes back as it was.
/// let whole = pictures.reassembled(set.pixels(), Standardisation::NONE)?;
/// assert_eq!((whole[0].planes[0].height, whole[0].planes[0].width), (5, 7));
/// assert!(whole[0].shows_pixels);
/// # Ok(()) }
/// ```
pub struct TiledPictures {
    set: ImageSet,
    pictures: Vec<TiledPicture>,
    tiling: Tiling,
    whitening: WhiteningConfig,
    told: String,
}

/// One of the pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct TiledPicture {
    /// Its path.
    pub file: Arc<str>,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Which images of the set are its patches.
    pub patches: Range<usize>,
    /// The mean of each plane before it was filtered.
    means: Vec<f64>,
}

/// A picture made of patches.
#[derive(Debug, Clone, PartialEq)]
pub struct WholePicture {
    /// The path of the picture whose patches these are.
    pub file: Arc<str>,
    /// One plane of grey, or three of colour.
    pub planes: Vec<Picture>,
    /// Whether the values are pixels on the scale from 0 to 1, as in the file (they may lie beyond it); else they are on the
    /// scale of pictures after local contrast normalisation, which cannot be undone.
    pub shows_pixels: bool,
}

impl TiledPictures {
    /// Reads one picture, or those of a folder, and cuts them into patches of the shape, one every `step` rows and columns,
    /// after the filter that those for training had.
    ///
    /// # Errors
    /// What [`Folder::read`], [`grey`] and [`Tiling::new`] find; [`Error::Size`] for a picture smaller than the shape, for a
    /// number of channels other than 1 and 3, or for more patches than memory is meant to hold.
    pub fn read(
        path: &Path,
        shape: ImageShape,
        (down, across): (usize, usize),
        whitening: &WhiteningConfig,
    ) -> Result<Self> {
        if !matches!(shape.channels, 1 | 3) {
            return Err(Error::size(
                path.display(),
                "channels of the model",
                shape.channels,
                "1 or 3: pictures are read in grey or in colour; give an array instead",
            ));
        }
        let tiling = Tiling::new(shape.height, shape.width, down, across)?;
        let (files, told) = if path.is_dir() {
            let folder = Folder::read(path)?;
            let told = folder.told();
            (folder.pictures, told)
        } else {
            (vec![path.to_path_buf()], "1 picture".into())
        };
        let mut whitener = Whitener::new(whitening);
        let (mut values, mut origins, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
        for file in &files {
            let mut planes = match shape.channels {
                1 => vec![grey(file)?],
                _ => colour(file)?.into(),
            };
            let name: Arc<str> = file.to_string_lossy().into();
            let (height, width) = (planes[0].height, planes[0].width);
            let places = tiling.places(height, width).map_err(|_| {
                let expected = format!(
                    "at least {} x {}, which this model sees",
                    shape.height, shape.width
                );
                Error::size(&name, "size", format!("{height} x {width}"), expected)
            })?;
            let all = places.len().saturating_mul(shape.pixels());
            if all.saturating_add(values.len()) > MAX_PATCH_PIXELS {
                let expected =
                    format!("at most {MAX_PATCH_PIXELS}: give fewer pictures, or longer steps");
                return Err(Error::size(&name, "pixels of all patches", all, expected));
            }
            let means = planes.iter().map(Picture::mean).collect();
            planes.iter_mut().for_each(|plane| whitener.apply(plane));
            pictures.push(TiledPicture {
                file: Arc::clone(&name),
                height,
                width,
                patches: origins.len()..origins.len() + places.len(),
                means,
            });
            for (row, column) in places {
                for plane in &planes {
                    tiling.cut(plane, (row, column), &mut values);
                }
                let file = Arc::clone(&name);
                origins.push(PatchOrigin { file, row, column });
            }
        }
        let set = ImageSet::new(path.to_string_lossy(), shape, values, None)?;
        Ok(Self {
            set: set.with_origins(origins)?,
            pictures,
            tiling,
            whitening: whitening.clone(),
            told,
        })
    }

    /// All patches, not standardised, with their origins.
    pub fn set(&self) -> &ImageSet {
        &self.set
    }

    /// The pictures, in the order of their patches.
    pub fn pictures(&self) -> &[TiledPicture] {
        &self.pictures
    }

    /// How many pictures there are and what was passed over, in words.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// Pictures of the size of those that were read, from patches on the scale of a model: its reconstructions, or its input.
    /// The scale and the filter are undone; overlaps are averaged. If there are fewer patches than in
    /// [`set`](Self::set), pictures that are not complete are left out.
    ///
    /// # Errors
    /// [`Error::Size`] for anything but a whole number of patches, not more than there are.
    pub fn reassembled(
        &self,
        patches: &[f32],
        scale: Standardisation,
    ) -> Result<Vec<WholePicture>> {
        let shape = self.set.shape();
        let each = shape.pixels();
        if !patches.len().is_multiple_of(each) || patches.len() > self.set.pixels().len() {
            let expected = format!("up to {} patches of {each}", self.set.len());
            return Err(Error::size(
                self.set.name(),
                "values of patches",
                patches.len(),
                expected,
            ));
        }
        let given = patches.len() / each;
        let mut whitener = Whitener::new(&self.whitening);
        let complete = self.pictures.iter().filter(|p| p.patches.end <= given);
        complete
            .map(|picture| {
                let own = &patches[picture.patches.start * each..picture.patches.end * each];
                self.whole(picture, own, scale, &mut whitener)
            })
            .collect()
    }

    fn whole(
        &self,
        picture: &TiledPicture,
        patches: &[f32],
        scale: Standardisation,
        whitener: &mut Whitener,
    ) -> Result<WholePicture> {
        let shape = self.set.shape();
        let (each, plane) = (shape.pixels(), shape.height * shape.width);
        let size = (picture.height, picture.width);
        let places = self.tiling.places(size.0, size.1)?;
        let mut shows_pixels = true;
        let mut planes = Vec::with_capacity(shape.channels);
        for channel in 0..shape.channels {
            let patches = patches.chunks_exact(each);
            let mut own: Vec<f32> = patches
                .flat_map(|patch| &patch[channel * plane..(channel + 1) * plane])
                .copied()
                .collect();
            scale.undo(&mut own);
            let mut whole = self.tiling.reassemble(size, &places, &own)?;
            if let Some(&mean) = picture.means.get(channel) {
                shows_pixels &= whitener.undo(&mut whole, mean);
            }
            planes.push(whole);
        }
        Ok(WholePicture {
            file: Arc::clone(&picture.file),
            planes,
            shows_pixels,
        })
    }
}
