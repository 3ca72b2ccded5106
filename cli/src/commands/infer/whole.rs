//! Own pictures come back whole: the patches that the model saw and its reconstructions of them, put together again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use scotopic_datasets::Standardisation;
use scotopic_datasets::images::{TiledPictures, WholePicture};
use scotopic_figures::{self as figures, Rgb, RgbImage};

/// Columns between two pictures side by side.
const GAP: usize = 8;

/// Writes `FILE.png` into `folder` for every picture that is complete: side by side, at full size, what the model saw (`input`)
/// and its reconstructions of it, each `[patch, pixels]` on the scale of the model.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(
    folder: &Path,
    pictures: &TiledPictures,
    (input, reconstructions): (&[f32], [&[f32]; 2]),
    scale: Standardisation,
) -> Result<Vec<PathBuf>> {
    let input = pictures.reassembled(input, scale)?;
    let [by_sample, by_means] = reconstructions;
    let by_sample = pictures.reassembled(by_sample, scale)?;
    let by_means = pictures.reassembled(by_means, scale)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    let mut written = Vec::new();
    for ((input, sample), means) in input.iter().zip(&by_sample).zip(&by_means) {
        let name = Path::new(&*input.file).file_name().unwrap_or_default();
        let mut name = name.to_os_string();
        name.push(".png");
        let path = folder.join(name);
        figures::write_png(&path, &side_by_side(&[input, sample, means]))?;
        written.push(path);
    }
    Ok(written)
}

/// The pictures in a row, on the grey scale or the colours of the first.
fn side_by_side(pictures: &[&WholePicture]) -> RgbImage {
    let first = pictures[0];
    let (height, width) = (first.planes[0].height, first.planes[0].width);
    // Pixels have their own scale; filtered pictures are shown from the darkest to the brightest value of the input.
    let (low, high) = match first.shows_pixels {
        true => (0.0, 1.0),
        false => {
            let values = first.planes.iter().flat_map(|plane| &plane.values);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            })
        }
    };
    let span = if high > low { high - low } else { 1.0 };
    let total = pictures.len() * (width + GAP) - GAP;
    RgbImage::from_fn(total as u32, height as u32, |x, y| {
        let (at, column) = (x as usize / (width + GAP), x as usize % (width + GAP));
        if column >= width {
            return Rgb([255; 3]);
        }
        let place = y as usize * width + column;
        let level = |channel: usize| {
            let planes = &pictures[at].planes;
            let value = planes[channel.min(planes.len() - 1)].values[place];
            (255.0 * ((value - low) / span).clamp(0.0, 1.0)).round() as u8
        };
        Rgb([level(0), level(1), level(2)])
    })
}
