//! Static images from a file or folder.

use std::path::Path;

use anyhow::{Result, ensure};
use scotopic_datasets::images::TiledPictures;
use scotopic_datasets::npy::{self, Array};
use scotopic_datasets::{DataConfig, ImageSet, ImageShape, WhiteningConfig, WhiteningKind};

/// Images of the model's size, not standardised.
pub(super) struct Images {
    pub set: ImageSet,
    /// The pictures that they are patches of, if they were cut out of pictures.
    pub pictures: Option<TiledPictures>,
}

/// Reads images of this shape: an array `[n, …]` (of an archive, the one that is named or that alone has the shape), an image
/// file, or a folder of image files; those are cut into patches, one every `step` rows and columns.
///
/// # Errors
/// Names the file and what does not fit.
pub(super) fn read(
    path: &Path,
    array: Option<&str>,
    step: Option<usize>,
    shape: ImageShape,
    data: &DataConfig,
) -> Result<Images> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let extension = extension.to_lowercase();
    ensure!(
        array.is_none() || extension == "npz",
        "--array names an array of an .npz file, and {} is none",
        path.display()
    );
    ensure!(
        step.is_none() || !matches!(extension.as_str(), "npy" | "npz"),
        "--patch-step is for pictures: the images of the array {} are of the model's size",
        path.display()
    );
    let values = match extension.as_str() {
        "npy" => from_array(path, npy::read_pixels(path)?, shape)?,
        "npz" => {
            let fits = |sizes: &[usize]| fits(sizes, shape);
            from_array(path, npy::read_npz_pixels(path, array, &fits)?.1, shape)?
        }
        _ => {
            let whitening = whitening(data).unwrap_or(WhiteningConfig {
                kind: WhiteningKind::None,
                local_contrast: false,
                ..Default::default()
            });
            let (down, across) = (shape.height, shape.width);
            let steps = step.map_or((down, across), |n| (n, n));
            ensure!(
                steps.0 <= down && steps.1 <= across,
                "--patch-step {}: patches have {down} rows and {across} columns, and would leave gaps",
                steps.0
            );
            let pictures = TiledPictures::read(path, shape, steps, &whitening)?;
            if path.is_dir() {
                tell!("{}: {}", path.display(), pictures.told());
            }
            let set = pictures.set().clone();
            return Ok(Images {
                set,
                pictures: Some(pictures),
            });
        }
    };
    let set = ImageSet::new(path.to_string_lossy(), shape, values, None)?;
    Ok(Images {
        set,
        pictures: None,
    })
}

/// The whitening of whole images of these data, before they are cut into patches.
pub(in crate::commands) fn whitening(data: &DataConfig) -> Option<WhiteningConfig> {
    match data {
        DataConfig::DeadLeaves(c) => Some(c.whitening.clone()),
        DataConfig::Images(c) => Some(c.whitening.clone()),
        DataConfig::MovingDeadLeaves(c) => Some(c.whitening.clone()),
        DataConfig::MovingImages(c) => Some(c.whitening.clone()),
        _ => None,
    }
}

/// Whether an array has images of this shape, one for each entry of its first axis.
fn fits(sizes: &[usize], shape: ImageShape) -> bool {
    sizes.len() > 1
        && sizes[1..]
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size))
            == Some(shape.pixels())
}

fn from_array(path: &Path, array: Array, shape: ImageShape) -> Result<Vec<f32>> {
    let (sizes, pixels) = (&array.shape, shape.pixels());
    ensure!(
        fits(sizes, shape),
        "{}: has shape {sizes:?}; this model sees images of {}×{}×{} = {pixels} pixels, expected [n, pixels] or \
         [n, rows, columns] (a film [time, pixels] is shown with --stimulus kind=npy,path={0})",
        path.display(),
        shape.channels,
        shape.height,
        shape.width,
    );
    ensure!(sizes[0] > 0, "{}: is empty", path.display());
    Ok(array.data)
}
