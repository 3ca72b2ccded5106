//! Static images from a file or folder.

use std::path::Path;

use anyhow::{Result, ensure};
use scotopic_datasets::npy::{self, Array};
use scotopic_datasets::whitening::Whitener;
use scotopic_datasets::{DataConfig, ImageSet, ImageShape, WhiteningConfig, WhiteningKind, images};

/// Reads images of this shape, not standardised: an array `[n, …]` (of an archive, the one that is named or that alone has the
/// shape), an image file, or a folder of image files.
///
/// # Errors
/// Names the file and what does not fit.
pub(super) fn read(
    path: &Path,
    array: Option<&str>,
    shape: ImageShape,
    data: &DataConfig,
) -> Result<ImageSet> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let values = match extension.to_lowercase().as_str() {
        "npy" => from_array(path, npy::read_pixels(path)?, shape)?,
        "npz" => {
            let fits = |sizes: &[usize]| fits(sizes, shape);
            from_array(path, npy::read_npz_pixels(path, array, &fits)?.1, shape)?
        }
        _ => pictures(path, shape, data)?,
    };
    Ok(ImageSet::new(
        path.display().to_string(),
        shape,
        values,
        None,
    )?)
}

/// The whitening of whole images of these data, before they are cut into patches.
pub(super) fn whitening(data: &DataConfig) -> Option<WhiteningConfig> {
    match data {
        DataConfig::DeadLeaves(c) => Some(c.whitening.clone()),
        DataConfig::Images(c) => Some(c.whitening.clone()),
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
        "{}: has shape {sizes:?}; this model sees images of {}×{}×{} = {pixels} pixels, expected [n, pixels] (a film \
         is shown with --stimulus kind=npy,path={0})",
        path.display(),
        shape.channels,
        shape.height,
        shape.width,
    );
    ensure!(sizes[0] > 0, "{}: is empty", path.display());
    Ok(array.data)
}

/// Image files: of the model's size unchanged; larger ones preprocessed as in training and cut into patches.
fn pictures(path: &Path, shape: ImageShape, data: &DataConfig) -> Result<Vec<f32>> {
    ensure!(
        shape.channels == 1,
        "pictures are read as grey values; this model sees {} channels",
        shape.channels
    );
    let files = match path.is_dir() {
        true => images::folder(path)?,
        false => vec![path.to_path_buf()],
    };
    let whitening = whitening(data).unwrap_or(WhiteningConfig {
        kind: WhiteningKind::None,
        local_contrast: false,
        ..Default::default()
    });
    let mut values = Vec::new();
    for file in &files {
        let mut picture = images::grey(file)?;
        if (picture.height, picture.width) != (shape.height, shape.width) {
            ensure!(
                picture.height >= shape.height && picture.width >= shape.width,
                "{}: is {}×{}, smaller than the {}×{} that this model sees",
                file.display(),
                picture.height,
                picture.width,
                shape.height,
                shape.width
            );
            Whitener::new(&whitening).apply(&mut picture);
        }
        for row in 0..picture.height / shape.height {
            for column in 0..picture.width / shape.width {
                for y in 0..shape.height {
                    let from = (row * shape.height + y) * picture.width + column * shape.width;
                    let line = &picture.values[from..from + shape.width];
                    values.extend(line.iter().map(|&v| v as f32));
                }
            }
        }
    }
    ensure!(!values.is_empty(), "{}: holds no pictures", path.display());
    Ok(values)
}
