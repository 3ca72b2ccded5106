//! Pictures as they are found: turned, hidden, cut, or larger than they can be.
#![cfg(feature = "images")]

use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat};
use scotopic_datasets::images::TiledPictures;
use scotopic_datasets::whitening::Whitener;
use scotopic_datasets::{
    DataConfig, ImageShape, ImagesConfig, Picture, Standardisation, WhiteningConfig, WhiteningKind,
    images,
};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/cases")
        .join(name)
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// 24 × 16 with a gradient, so that no two of its eight orientations are alike.
fn gradient() -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_fn(24, 16, |x, y| {
        image::Luma([(8 * x + 3 * y) as u8])
    }))
}

fn grey(bytes: &[u8]) -> scotopic_datasets::Result<Picture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.picture");
    std::fs::write(&path, bytes).unwrap();
    images::grey(&path)
}

/// A TIFF header with the one tag 0x0112, a short.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// What a viewer shows in row `y`, column `x` of a picture stored with this orientation (EXIF 2.3, tag 274).
fn shown(stored: &Picture, orientation: u8) -> Picture {
    let (h, w) = (stored.height, stored.width);
    let size = if (5..=8).contains(&orientation) {
        (w, h)
    } else {
        (h, w)
    };
    Picture::from_fn(size.0, size.1, |y, x| match orientation {
        2 => stored.at(y, w - 1 - x),
        3 => stored.at(h - 1 - y, w - 1 - x),
        4 => stored.at(h - 1 - y, x),
        5 => stored.at(x, y),
        6 => stored.at(h - 1 - x, y),
        7 => stored.at(h - 1 - x, w - 1 - y),
        8 => stored.at(x, w - 1 - y),
        _ => stored.at(y, x),
    })
}

#[test]
fn pictures_are_turned_as_a_viewer_turns_them() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let plain = encoded(&gradient(), format);
        let stored = grey(&plain).unwrap();
        for orientation in 0..=9 {
            let tag = exif(orientation);
            let (at, segment) = match format {
                ImageFormat::Jpeg => {
                    let mut segment = vec![0xFF, 0xE1];
                    segment.extend((tag.len() as u16 + 8).to_be_bytes());
                    segment.extend(b"Exif\0\0");
                    segment.extend(tag);
                    (2, segment)
                }
                _ => {
                    let mut chunk = b"eXIf".to_vec();
                    chunk.extend(&tag);
                    let mut crc = flate2::Crc::new();
                    crc.update(&chunk);
                    let mut whole = (tag.len() as u32).to_be_bytes().to_vec();
                    whole.extend(chunk);
                    whole.extend(crc.sum().to_be_bytes());
                    (33, whole)
                }
            };
            let mut turned = plain.clone();
            turned.splice(at..at, segment);
            let expected = shown(&stored, orientation);
            assert_eq!(grey(&turned).unwrap(), expected, "{format:?} {orientation}");
        }
    }
    // Stored 56 wide and 40 high; orientation 6 is a quarter turn clockwise.
    let bytes = std::fs::read(case("exif6.jpg")).unwrap();
    let mut plain = bytes.clone();
    plain.drain(20..56);
    let stored = grey(&plain).unwrap();
    assert_eq!((stored.height, stored.width), (40, 56));
    assert_eq!(grey(&bytes).unwrap(), shown(&stored, 6));
}

#[test]
fn hidden_files_are_passed_over_and_counted() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["a", "b"] {
        let path = root.path().join(folder);
        std::fs::create_dir_all(path.join("__MACOSX")).unwrap();
        std::fs::write(path.join("1.png"), encoded(&gradient(), ImageFormat::Png)).unwrap();
        for name in [
            "._1.png",
            ".hidden.jpg",
            "thumbs.db",
            "desktop.ini",
            "2.gif",
        ] {
            std::fs::write(path.join(name), "no picture").unwrap();
        }
    }
    let config = DataConfig::Images(ImagesConfig {
        train: vec!["a".into()],
        validation: vec!["b".into()],
        patch: 8,
        border: 2,
        train_patches: 3,
        validation_patches: 2,
        ..Default::default()
    });
    let mut told = Vec::new();
    config
        .load(root.path(), &mut |line| told.push(line.to_owned()))
        .unwrap();
    let expected = "training patches: 3 patches from 1 picture (passed over: 5 hidden files, 1 file of another kind)";
    assert_eq!(told[0], expected);
    std::fs::remove_file(root.path().join("a/1.png")).unwrap();
    let text = config
        .load(root.path(), &mut |_| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains("5 hidden files"), "{text}");
}

#[test]
fn truncated_pictures_are_refused_wherever_they_are_cut() {
    let text = images::grey(&case("trunc.jpg")).unwrap_err().to_string();
    assert!(
        text.contains("trunc.jpg") && text.contains("truncated"),
        "{text}"
    );
    let camera = include_bytes!("../../tests/cases/exif6.jpg").to_vec();
    for whole in [
        encoded(&gradient(), ImageFormat::Jpeg),
        encoded(&gradient(), ImageFormat::Png),
        camera,
    ] {
        for length in 8..whole.len() {
            let text = grey(&whole[..length]).unwrap_err().to_string();
            let named = text.contains("one.picture") && text.contains("truncated");
            assert!(named, "{length} of {}: {text}", whole.len());
        }
        // What cameras and phones put behind the picture is no part of it.
        let followed = [whole.clone(), b"\0\0trailer".to_vec()].concat();
        assert_eq!(grey(&followed).unwrap(), grey(&whole).unwrap());
    }
}

/// Cut and closed with the marker of the end, as programs that mend files do.
#[test]
fn a_closed_stump_is_truncated() {
    let colour = DynamicImage::ImageRgb8(gradient().to_rgb8());
    for whole in [
        encoded(&gradient(), ImageFormat::Jpeg),
        encoded(&colour, ImageFormat::Jpeg),
        std::fs::read(case("exif6.jpg")).unwrap(),
    ] {
        let scan = whole.windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
        let data = scan + 2 + usize::from(whole[scan + 3]);
        let keep = data + (whole.len() - data) * 3 / 4;
        for length in data..keep {
            let mut stump = whole[..length].to_vec();
            if stump.last() == Some(&0xFF) {
                continue;
            }
            stump.extend([0xFF, 0xD9]);
            let text = grey(&stump).unwrap_err().to_string();
            assert!(
                text.contains("truncated"),
                "{length} of {}: {text}",
                whole.len()
            );
        }
    }
}

#[test]
fn sizes_that_the_bytes_cannot_hold_are_refused_from_the_header() {
    let text = images::grey(&case("declared.jpg")).unwrap_err().to_string();
    assert!(
        text.contains("declared.jpg") && text.contains("4000 x 16384"),
        "{text}"
    );
    let mut jpeg = std::fs::read(case("declared.jpg")).unwrap();
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let text = grey(&jpeg).unwrap_err().to_string();
    assert!(text.contains("60000 x 60000"), "{text}");
    // A blank page is small, and real.
    let blank = DynamicImage::ImageLuma8(GrayImage::from_pixel(2480, 3508, image::Luma([255])));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let picture = grey(&encoded(&blank, format)).unwrap();
        assert_eq!((picture.height, picture.width), (3508, 2480));
        assert_eq!(picture.at(3507, 2479), 1.0);
    }
}

#[test]
fn a_uniform_picture_has_no_contrast() {
    let flat = images::grey(&case("flat128.png")).unwrap();
    for (kind, local_contrast) in [
        (WhiteningKind::OlshausenField, false),
        (WhiteningKind::OlshausenField, true),
        (WhiteningKind::None, true),
    ] {
        let config = WhiteningConfig {
            kind,
            local_contrast,
            ..Default::default()
        };
        let mut input = flat.clone();
        Whitener::new(&config).apply(&mut input);
        assert!(input.values.iter().all(|&v| v == 0.0), "{config:?}");
        // One step of one level in one place is contrast.
        let mut spot = flat.clone();
        spot.values[777] += 1.0 / 255.0;
        Whitener::new(&config).apply(&mut spot);
        assert!(spot.values.iter().any(|&v| v != 0.0), "{config:?}");
    }
}

#[test]
fn own_pictures_come_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [("b.png", ImageFormat::Png), ("a.jpg", ImageFormat::Jpeg)] {
        std::fs::write(folder.path().join(name), encoded(&gradient(), format)).unwrap();
    }
    let shape = ImageShape {
        channels: 1,
        height: 9,
        width: 7,
    };
    let plain = WhiteningConfig {
        kind: WhiteningKind::None,
        ..Default::default()
    };
    for (channels, step) in [(1, (9, 7)), (1, (4, 3)), (3, (5, 5))] {
        let shape = ImageShape { channels, ..shape };
        let pictures = TiledPictures::read(folder.path(), shape, step, &plain).unwrap();
        let set = pictures.set();
        let (first, second) = (&pictures.pictures()[0], &pictures.pictures()[1]);
        assert!(first.file.ends_with("a.jpg") && (first.height, first.width) == (16, 24));
        assert_eq!(set.origins()[0].file, first.file);
        assert_eq!(set.origins()[first.patches.end].file, second.file);
        let last = &set.origins()[set.len() - 1];
        assert_eq!((last.row, last.column), (7, 17));
        let whole = pictures
            .reassembled(set.pixels(), Standardisation::NONE)
            .unwrap();
        for picture in &whole {
            let stored = images::grey(Path::new(&*picture.file)).unwrap();
            assert!(picture.shows_pixels && picture.planes.len() == channels);
            // As f32, which patches are.
            let exact = stored.values.iter().map(|&v| f64::from(v as f32));
            match channels {
                1 => assert!(exact.eq(picture.planes[0].values.iter().copied())),
                _ => assert_eq!(picture.planes[0], picture.planes[2]),
            }
        }
        // Patches that were not shown to the model leave out the picture they are missing from.
        let some = &set.pixels()[..(set.len() - 1) * shape.pixels()];
        let whole = pictures.reassembled(some, Standardisation::NONE).unwrap();
        assert_eq!(whole.len(), 1);
        let odd = &set.pixels()[1..];
        assert!(pictures.reassembled(odd, Standardisation::NONE).is_err());
    }
    // Filtered and standardised, as training images are: both are undone.
    let scale = Standardisation {
        mean: 0.1,
        std: 0.02,
    };
    let filter = WhiteningConfig::default();
    let pictures = TiledPictures::read(folder.path(), shape, (4, 4), &filter).unwrap();
    let seen = pictures.set().clone().rescaled(scale).unwrap();
    assert_eq!(seen.origins(), pictures.set().origins());
    let whole = pictures.reassembled(seen.pixels(), scale).unwrap();
    let stored = images::grey(&folder.path().join("b.png")).unwrap();
    // The filter is not undone in the corners of the frequency plane: a fiftieth of the contrast of a gradient that wraps
    // round.
    let error = |(a, b): (&f64, &f64)| (a - b).abs();
    let errors = whole[1].planes[0]
        .values
        .iter()
        .zip(&stored.values)
        .map(error);
    let mean = errors.sum::<f64>() / stored.values.len() as f64;
    assert!(whole[1].shows_pixels && mean < 0.02, "{mean}");
    let local = WhiteningConfig {
        local_contrast: true,
        ..filter
    };
    let pictures = TiledPictures::read(folder.path(), shape, (9, 7), &local).unwrap();
    let whole = pictures
        .reassembled(pictures.set().pixels(), Standardisation::NONE)
        .unwrap();
    assert!(!whole[0].shows_pixels);
    // A picture of exactly the size of the patches is filtered as well: grey has no contrast.
    let grey = tempfile::tempdir().unwrap();
    let even = DynamicImage::ImageLuma8(GrayImage::from_pixel(7, 9, image::Luma([77])));
    std::fs::write(
        grey.path().join("even.png"),
        encoded(&even, ImageFormat::Png),
    )
    .unwrap();
    let pictures = TiledPictures::read(grey.path(), shape, (9, 7), &local).unwrap();
    assert_eq!(pictures.set().pixels(), [0.0; 63]);
    let small = ImageShape {
        height: 17,
        ..shape
    };
    let text = match TiledPictures::read(folder.path(), small, (1, 1), &local) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert!(
        text.contains("16 x 24") && text.contains("at least 17 x 7"),
        "{text}"
    );
}
