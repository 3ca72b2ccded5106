//! Every format that is read, an example of each, and how it is read.

use std::io::{Cursor, Write};
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat};
use scotopic_datasets::images::TiledPictures;
use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
use scotopic_datasets::{
    DataConfig, ImageShape, NpyConfig, Result, WhiteningConfig, cifar, idx, images, npy, omniglot,
};

use crate::mutation::{packed, with_checksums};

/// A format.
pub struct Format {
    pub name: &'static str,
    /// A file that is read without complaint.
    pub whole: Vec<u8>,
    /// What is done to it after the damage.
    pub finish: fn(Vec<u8>) -> Vec<u8>,
    /// Reads a file; the bytes of what was read.
    pub read: fn(&Path) -> Result<usize>,
}

pub fn unchanged(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

pub fn all() -> Vec<Format> {
    let format = |name, whole, finish, read| Format {
        name,
        whole,
        finish,
        read,
    };
    let (images, labels) = (idx_images(), b"\0\0\x08\x01\0\0\0\x03\x07\x01\x02".to_vec());
    let mut records: Vec<u8> = (0..2 * 3073).map(|i| (i % 251) as u8).collect();
    (records[0], records[3073]) = (3, 9);
    let png = encoded(&picture(), ImageFormat::Png);
    let deep = DynamicImage::ImageRgba16(picture().to_rgba16());
    let deep = encoded(&deep, ImageFormat::Png);
    let colour = DynamicImage::ImageRgb8(picture().to_rgb8());
    let colour = encoded(&colour, ImageFormat::Jpeg);
    let exif = include_bytes!("../../../tests/cases/exif6.jpg").to_vec();
    vec![
        format("npy", npy_array("<f4", "(4, 9)"), unchanged, read_npy),
        format("npy-fortran", npy_fortran(), unchanged, read_npy),
        format("npz", npz(), unchanged, read_npz),
        format("idx", images.clone(), unchanged, read_idx),
        format("idx-labels", labels, unchanged, |path| {
            idx::read(path, 1).map(|array| array.data.len())
        }),
        format("idx-packed", images.clone(), packed, read_idx),
        format("idx-gz", packed(images), unchanged, read_idx),
        format("cifar", records.clone(), unchanged, read_cifar),
        format("cifar-packed", records, packed, read_cifar),
        format("omniglot", drawings(), unchanged, |path| {
            omniglot::read("drawings", &[path.to_path_buf()], 28).map(|set| 4 * set.pixels().len())
        }),
        format("png", png.clone(), unchanged, read_picture),
        format("png-checked", png, with_checksums, read_picture),
        format("png-deep", deep, with_checksums, read_picture),
        format("jpeg", exif, unchanged, read_picture),
        format("jpeg-colour", colour, unchanged, read_picture),
        format("csv", table(), unchanged, read_table),
        format("jsonl", lines(), unchanged, read_lines),
        format(
            "series-npy",
            npy_array("<f8", "(4, 5)"),
            unchanged,
            |path| read_series(path, SeriesFormat::Npy),
        ),
        format("series-npy-fortran", npy_fortran(), unchanged, |path| {
            read_series(path, SeriesFormat::Npy)
        }),
    ]
}

fn npy_array(element: &str, shape: &str) -> Vec<u8> {
    npy_bytes(element, "False", shape, 160)
}

fn npy_fortran() -> Vec<u8> {
    npy_bytes("<f4", "True", "(4, 9)", 144)
}

pub fn npy_bytes(element: &str, fortran: &str, shape: &str, bytes: usize) -> Vec<u8> {
    // Blanks at the end, as NumPy writes them: a longer number leaves the header whole.
    let header = format!(
        "{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': {shape}, }}{:40}\n",
        ""
    );
    let mut whole = b"\x93NUMPY\x01\0".to_vec();
    whole.extend((header.len() as u16).to_le_bytes());
    whole.extend(header.as_bytes());
    let size = if element.ends_with('8') { 8 } else { 4 };
    let count = if size == 8 { bytes / 8 } else { 36 };
    for i in 0..count {
        match size {
            8 => whole.extend((i as f64 / 7.0).to_le_bytes()),
            _ => whole.extend((i as f32 / 7.0).to_le_bytes()),
        }
    }
    whole
}

fn npz() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let pixels: Vec<f32> = (0..36).map(|v| v as f32).collect();
    npy::write_npz(
        &path,
        &[("images", &[4, 9], &pixels), ("energy", &[], &[1.0])],
    )
    .unwrap();
    std::fs::read(path).unwrap()
}

fn idx_images() -> Vec<u8> {
    let mut whole = b"\0\0\x08\x03\0\0\0\x03\0\0\0\x05\0\0\0\x07".to_vec();
    whole.extend((0..105).map(|v| v as u8));
    whole
}

fn picture() -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_fn(37, 29, |x, y| {
        image::Luma([(x * 7 + y * y) as u8])
    }))
}

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn drawings() -> Vec<u8> {
    let ink = GrayImage::from_fn(105, 105, |x, y| image::Luma([if x == y { 0 } else { 255 }]));
    let ink = encoded(&DynamicImage::ImageLuma8(ink), ImageFormat::Png);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a/Greek/c1/1.png", "a/Greek/c1/2.png", "a/Latin/c2/1.png"] {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(&ink).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn table() -> Vec<u8> {
    let mut text = "time,\"x, y\",z\n".to_owned();
    (0..20).for_each(|i| text += &format!("{i},{}.5,\"-1e{i}\"\r\n", i * i));
    text.into_bytes()
}

fn lines() -> Vec<u8> {
    let mut text = String::new();
    (0..20).for_each(|i| text += &format!("{{\"x\": {i}.25, \"y\\u00e9\": [], \"z\": null}}\n"));
    text.replace("[]", "-3e-2").into_bytes()
}

pub fn read_npy(path: &Path) -> Result<usize> {
    let array = npy::read_pixels(path)?;
    npy::read(path)?;
    let config = DataConfig::Npy(NpyConfig {
        train: path.to_path_buf(),
        validation_count: 1,
        ..Default::default()
    });
    // Whatever the values were, what a model is shown is finite.
    if let Ok(splits) = config.load(Path::new("."), &mut |_| ()) {
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        assert!(finite(splits.train.pixels()) && finite(splits.validation.pixels()));
        splits.training_scale()?;
    }
    Ok(4 * array.data.len())
}

fn read_npz(path: &Path) -> Result<usize> {
    let read = npy::read_npz(path);
    let one = npy::read_npz_array(path, "images");
    let fitting = npy::read_npz_pixels(path, None, &|shape| shape.len() == 2);
    let bytes =
        |arrays: &Vec<(String, npy::Array)>| arrays.iter().map(|a| 4 * a.1.data.len()).sum();
    let all: usize = read.as_ref().map_or(0, bytes);
    let one = one.map_or(0, |array| 4 * array.data.len());
    let fitting = fitting.map_or(0, |(_, array)| 4 * array.data.len());
    read.map(|_| all.max(one).max(fitting))
}

pub fn read_idx(path: &Path) -> Result<usize> {
    idx::read_images("digits", path, None, true).map(|set| 4 * set.pixels().len())
}

fn read_cifar(path: &Path) -> Result<usize> {
    cifar::read("photographs", path).map(|set| 4 * set.pixels().len())
}

pub fn read_picture(path: &Path) -> Result<usize> {
    let grey = images::grey(path)?;
    assert!(grey.values.iter().all(|v| (0.0..=1.0 + 1e-12).contains(v)));
    images::colour(path)?;
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let _ = TiledPictures::read(path, shape, (8, 8), &WhiteningConfig::default());
    Ok(24 * grey.values.len())
}

pub fn read_table(path: &Path) -> Result<usize> {
    read_series(path, SeriesFormat::Csv)
}

pub fn read_lines(path: &Path) -> Result<usize> {
    read_series(path, SeriesFormat::JsonLines)
}

fn read_series(path: &Path, format: SeriesFormat) -> Result<usize> {
    let mut series = Series::open_as(path, format, &SeriesOptions::default())?;
    let (mut rows, mut entries) = (0, 0);
    while let Some(row) = series.next_row()? {
        rows += 1;
        if let Some(row) = row {
            entries += row.len();
            assert!(row.iter().all(|v| v.is_finite()));
        }
    }
    Ok(8 * entries + 8 * rows)
}
