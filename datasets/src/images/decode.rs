//! From a file to grey values, as a viewer shows it.
//!
//! What a header declares is held to [`MAX_SIDE`] and [`MAX_PIXELS`], and to what the bytes of the file can hold at all
//! (`whole.rs`), before memory is reserved.

use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::whole;
use crate::{Error, Picture, Result, npy, source};

/// No side of a picture may be longer.
const MAX_SIDE: u32 = 16_384;
/// Nor may it have more pixels: 2²⁶ are 512 MiB as grey values in f64.
const MAX_PIXELS: u64 = 1 << 26;
/// Nor the decoder reserve more bytes: 16-bit RGBA at the largest size.
const MAX_BYTES: u64 = 8 * MAX_PIXELS;

const ADVICE: &str = "repair it or take it away from the folder";

/// What a picture may be at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Rows, and columns.
    pub side: u32,
    /// Rows times columns.
    pub pixels: u64,
}

impl Bounds {
    const PHOTOGRAPH: Self = Self {
        side: MAX_SIDE,
        pixels: MAX_PIXELS,
    };
}

/// Decodes one picture to grey values in \[0, 1\], turned and mirrored as its EXIF orientation says; transparency is
/// ignored.
///
/// # Errors
/// [`Error::Format`] if it is neither PNG nor JPEG, truncated, damaged, larger than 2²⁶ pixels or 16 384 on a side, or
/// declares more pixels than its bytes can hold; [`Error::TooDark`] for a PNG of levels that were meant on another scale.
pub fn grey(path: &Path) -> Result<Picture> {
    let bytes = photograph(path)?;
    grey_bytes(path, "", bytes, Bounds::PHOTOGRAPH)
}

/// Decodes one picture to red, green and blue, each in \[0, 1\]; transparency is ignored, and grey
/// pictures have three times the same.
///
/// # Errors
/// As [`grey`].
pub fn colour(path: &Path) -> Result<[Picture; 3]> {
    let image = decode(path, "", photograph(path)?, Bounds::PHOTOGRAPH)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    // 8-bit values times 257 are the same fraction of 65535: nothing is lost here.
    let rgb = image.to_rgb16();
    Ok([0, 1, 2].map(|channel| Picture {
        height,
        width,
        values: rgb
            .pixels()
            .map(|p| f64::from(p.0[channel]) / 65_535.0)
            .collect(),
    }))
}

/// All bytes of a file that is not too long to be a picture.
fn photograph(path: &Path) -> Result<Vec<u8>> {
    let (file, length) = source::open_file(path)?;
    if length > MAX_BYTES {
        let found = format!("{length} bytes");
        return Err(damaged(path, "", Bounds::PHOTOGRAPH, found));
    }
    let mut bytes = Vec::new();
    BufReader::new(file)
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path, "read"))?;
    Ok(bytes)
}

fn damaged(path: &Path, part: &str, bounds: Bounds, found: String) -> Error {
    Error::Format {
        path: path.into(),
        part: part.to_owned(),
        offset: 0,
        found,
        expected: format!("a PNG or JPEG picture of at most {} pixels", bounds.pixels),
        advice: ADVICE,
    }
}

/// Decodes the bytes of one picture, which are `part` of the file, or all of it if that is empty.
pub(crate) fn grey_bytes(
    path: &Path,
    part: &str,
    bytes: Vec<u8>,
    bounds: Bounds,
) -> Result<Picture> {
    decode(path, part, bytes, bounds).map(to_grey)
}

fn decode(path: &Path, part: &str, bytes: Vec<u8>, bounds: Bounds) -> Result<DynamicImage> {
    let damaged = |found: String| damaged(path, part, bounds, found);
    let Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) = image::guess_format(&bytes) else {
        let found = match bytes.is_empty() {
            true => "an empty file",
            false => "another kind of file",
        };
        return Err(damaged(found.into()));
    };
    // Before the decoder sees it: what it cannot find in a header that is cut it calls by other names.
    whole::check(format, &bytes).map_err(|missing| Error::Format {
        path: path.into(),
        part: part.to_owned(),
        offset: missing.offset,
        found: missing.found,
        expected: missing.expected,
        advice: ADVICE,
    })?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(bounds.side);
    limits.max_image_height = Some(bounds.side);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| damaged(e.to_string()))?;
    let (width, height) = decoder.dimensions();
    // Declared sizes are compared before the pixels are allocated.
    if u64::from(width) * u64::from(height) > bounds.pixels || width == 0 || height == 0 {
        return Err(damaged(format!("{width} x {height} pixels")));
    }
    // One that is no orientation turns nothing.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(|e| damaged(e.to_string()))?;
    // The levels of a JPEG are rounded in any case.
    if format == ImageFormat::Png {
        check_levels(path, part, &image)?;
    }
    image.apply_orientation(orientation);
    Ok(image)
}

/// Refuses levels of fewer bits than those of the file, by the rule of arrays ([`npy::check_brightest`]).
fn check_levels(path: &Path, part: &str, image: &DynamicImage) -> Result<()> {
    let name = || match part.is_empty() {
        true => path.display().to_string(),
        false => format!("{}, {part}", path.display()),
    };
    let colour = image.color();
    // Grey and colours; transparency is ignored.
    let (channels, every) = (colour.channel_count(), usize::from(colour.channel_count()));
    let kept = every - usize::from(channels.is_multiple_of(2));
    let bits = 8 * u16::from(colour.bytes_per_pixel()) / u16::from(channels);
    let bytes = image.as_bytes();
    let largest = match bits {
        8 => (bytes.chunks_exact(every))
            .flat_map(|pixel| &pixel[..kept])
            .fold(0_u16, |most, level| most.max(u16::from(*level))),
        16 => (bytes.chunks_exact(2 * every))
            .flat_map(|pixel| pixel[..2 * kept].chunks_exact(2))
            .fold(0_u16, |most, level| {
                most.max(u16::from_ne_bytes([level[0], level[1]]))
            }),
        _ => return Ok(()),
    };
    let brightest = if bits == 8 { 255.0 } else { 65_535.0 };
    npy::check_brightest(&name, f32::from(largest), brightest)
}

fn to_grey(image: DynamicImage) -> Picture {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mix = |[r, g, b]: [f64; 3], full: f64| (0.299 * r + 0.587 * g + 0.114 * b) / full;
    let values = match image {
        DynamicImage::ImageLuma8(grey) => grey.iter().map(|&v| f64::from(v) / 255.0).collect(),
        DynamicImage::ImageRgb8(rgb) => rgb
            .pixels()
            .map(|p| mix(p.0.map(f64::from), 255.0))
            .collect(),
        // 8-bit values times 257 are the same fraction of 65535: nothing is lost here.
        other => other
            .to_rgb16()
            .pixels()
            .map(|p| mix(p.0.map(f64::from), 65_535.0))
            .collect(),
    };
    Picture {
        height,
        width,
        values,
    }
}
