use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::{DataConfig, WhiteningKind};

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn noise(width: u32, height: u32, salt: u32) -> DynamicImage {
    let value = |x: u32, y: u32| {
        ((x * 7919 + y * 104_729 + salt * 31).wrapping_mul(2_654_435_761) >> 24) as u8
    };
    DynamicImage::ImageLuma8(GrayImage::from_fn(width, height, |x, y| {
        image::Luma([value(x, y)])
    }))
}

/// Two folders of three pictures, landscape and portrait, and something that is no picture.
fn folders() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, salt) in [("a", 0), ("b", 100)] {
        let path = root.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::create_dir(path.join("deeper.png")).unwrap();
        std::fs::write(path.join("Thumbs.db"), "not a picture").unwrap();
        for i in 0..3 {
            let size = if i == 1 { (33, 48) } else { (48, 33) };
            let image = noise(size.0, size.1, salt + i);
            std::fs::write(
                path.join(format!("{i}.png")),
                encoded(&image, ImageFormat::Png),
            )
            .unwrap();
        }
    }
    root
}

fn small() -> ImagesConfig {
    ImagesConfig {
        train: vec!["a".into()],
        validation: vec!["b".into()],
        patch: 8,
        train_patches: 50,
        validation_patches: 20,
        border: 4,
        ..Default::default()
    }
}

fn load(root: &Path, config: ImagesConfig) -> Result<Splits> {
    DataConfig::Images(config).load(root, &mut |_| ())
}

#[test]
fn grey_values_are_the_weighted_sum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rgb.png");
    let rgb = RgbImage::from_fn(2, 1, |x, _| {
        if x == 0 {
            image::Rgb([255, 0, 0])
        } else {
            image::Rgb([10, 20, 30])
        }
    });
    let rgb = DynamicImage::ImageRgb8(rgb);
    std::fs::write(&path, encoded(&rgb, ImageFormat::Png)).unwrap();
    let picture = grey(&path).unwrap();
    assert_eq!((picture.height, picture.width), (1, 2));
    assert!((picture.values[0] - 0.299).abs() < 1e-15);
    assert!((picture.values[1] - (2.99 + 11.74 + 3.42) / 255.0).abs() < 1e-15);
    // The same colours with transparency or in 16 bits are the same greys.
    for other in [
        DynamicImage::ImageRgba8(rgb.to_rgba8()),
        DynamicImage::ImageRgb16(rgb.to_rgb16()),
    ] {
        std::fs::write(&path, encoded(&other, ImageFormat::Png)).unwrap();
        let same = grey(&path).unwrap();
        assert!(
            same.values
                .iter()
                .zip(&picture.values)
                .all(|(a, b)| (a - b).abs() < 1e-15)
        );
    }
}

/// Levels up to 255 in 16 bits are black, and are meant as 8 bits; as of arrays.
#[test]
fn levels_of_fewer_bits_than_the_file_are_refused() {
    use image::{ImageBuffer, Luma, LumaA, Rgb};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dark.png");
    let read = |image: DynamicImage| {
        std::fs::write(&path, encoded(&image, ImageFormat::Png)).unwrap();
        (
            grey(&path).map(|picture| picture.values[1]),
            colour(&path).is_ok(),
        )
    };
    let level = |x: u32, most: u16| if x == 1 { most } else { 0 };
    let grey16 =
        |most| DynamicImage::ImageLuma16(ImageBuffer::from_fn(2, 2, |x, _| Luma([level(x, most)])));
    let rgb16 = |most| {
        let pixel = |x, _| Rgb([0, level(x, most), 0]);
        DynamicImage::ImageRgb16(ImageBuffer::from_fn(2, 2, pixel))
    };
    // Transparency is no level.
    let alpha16 = |most| {
        let pixel = |x, _| LumaA([level(x, most), 65_535]);
        DynamicImage::ImageLumaA16(ImageBuffer::from_fn(2, 2, pixel))
    };
    for image in [grey16(255), rgb16(200), alpha16(255)] {
        let (read, colours) = read(image);
        let error = read.unwrap_err().to_string();
        assert!(error.contains("dark.png") && !colours, "{error}");
        assert!(
            error.contains("above 2") && error.contains("65535"),
            "{error}"
        );
    }
    assert_eq!(read(grey16(256)).0.unwrap(), 256.0 / 65_535.0);
    assert_eq!(read(grey16(0)).0.unwrap(), 0.0);
    let grey8 = |most: u8| {
        let pixel = |x, _| Luma([level(x, u16::from(most)) as u8]);
        DynamicImage::ImageLuma8(GrayImage::from_fn(2, 2, pixel))
    };
    assert!(
        read(grey8(1))
            .0
            .unwrap_err()
            .to_string()
            .contains("dark.png")
    );
    assert_eq!(read(grey8(2)).0.unwrap(), 2.0 / 255.0);
}

#[test]
fn patches_are_the_same_whatever_the_number_of_threads() {
    let root = folders();
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let four = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .unwrap();
    let a = one.install(|| load(root.path(), small())).unwrap();
    let b = four.install(|| load(root.path(), small())).unwrap();
    assert_eq!(a.digest(), b.digest());
    assert_eq!((a.train.len(), a.validation.len()), (50, 20));
    let other = load(root.path(), ImagesConfig { seed: 1, ..small() }).unwrap();
    assert_ne!(a.digest(), other.digest());
}

#[test]
fn the_scale_does_not_depend_on_validation_pictures() {
    let root = folders();
    let before = load(root.path(), small()).unwrap();
    std::fs::remove_file(root.path().join("b/0.png")).unwrap();
    let after = load(root.path(), small()).unwrap();
    assert_eq!(before.standardisation, after.standardisation);
    assert_eq!(before.train, after.train);
    assert_ne!(before.validation, after.validation);
    let pixels = before.train.pixels();
    let mean = pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels.len() as f64;
    assert!(mean.abs() < 1e-6);
}

#[test]
fn portrait_pictures_are_turned() {
    let root = tempfile::tempdir().unwrap();
    for (folder, image) in [
        ("a", noise(20, 30, 0)),
        ("b", noise(20, 30, 0).rotate90().fliph()),
    ] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
        std::fs::write(
            root.path().join(folder).join("x.png"),
            encoded(&image, ImageFormat::Png),
        )
        .unwrap();
    }
    let whitening = WhiteningConfig {
        kind: WhiteningKind::None,
        ..Default::default()
    };
    let config = ImagesConfig {
        whitening,
        border: 0,
        standardise: false,
        ..small()
    };
    let a = load(root.path(), config.clone()).unwrap();
    let swapped = ImagesConfig {
        train: vec!["b".into()],
        validation: vec!["a".into()],
        ..config
    };
    assert_eq!(
        a.train.pixels(),
        load(root.path(), swapped).unwrap().train.pixels()
    );
}

#[test]
fn bad_files_and_folders_are_named() {
    let root = folders();
    let bad = root.path().join("a/1.png");
    let whole = std::fs::read(&bad).unwrap();
    for length in [0, 4, 8, 20, 33, 60, whole.len() / 2, whole.len() - 20] {
        std::fs::write(&bad, &whole[..length]).unwrap();
        let text = load(root.path(), small()).unwrap_err().to_string();
        assert!(text.contains("1.png"), "{length}: {text}");
    }
    std::fs::write(&bad, b"GIF89a not for us").unwrap();
    assert!(
        load(root.path(), small())
            .unwrap_err()
            .to_string()
            .contains("another kind")
    );
    std::fs::write(&bad, encoded(&noise(48, 15, 0), ImageFormat::Png)).unwrap();
    let text = load(root.path(), small()).unwrap_err().to_string();
    assert!(text.contains("found 15, expected at least 16"), "{text}");
    std::fs::remove_dir_all(root.path().join("a")).unwrap();
    assert!(matches!(load(root.path(), small()), Err(Error::Io { .. })));
    std::fs::write(root.path().join("a"), "a file").unwrap();
    assert!(matches!(
        load(root.path(), small()),
        Err(Error::WrongKind { .. })
    ));
    std::fs::remove_file(root.path().join("a")).unwrap();
    std::fs::create_dir(root.path().join("a")).unwrap();
    assert!(matches!(
        load(root.path(), small()),
        Err(Error::Size { .. })
    ));
}

/// A PNG whose header declares `width`×`height` grey pixels, with a right checksum.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 0, 0, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(13u32.to_be_bytes());
    bytes.extend(&chunk);
    bytes.extend(crc.sum().to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT");
    bytes
}

#[test]
fn huge_declared_sizes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vast.png");
    for (width, height) in [
        (60_000, 60_000),
        (16_384, 16_384),
        (u32::MAX >> 1, 1),
        (0, 10),
    ] {
        std::fs::write(&path, png_header(width, height)).unwrap();
        let error = grey(&path).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error}");
    }
    // A JPEG of 65535 x 65535: the size is in the frame header, SOF0.
    let mut jpeg = encoded(&noise(16, 16, 0), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    std::fs::write(&path, jpeg).unwrap();
    let error = grey(&path).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
}

#[test]
fn nonsense_is_named() {
    for (config, field) in [
        (
            ImagesConfig {
                train: vec![],
                ..small()
            },
            "`train`",
        ),
        (
            ImagesConfig {
                validation: vec!["a".into()],
                ..small()
            },
            "`validation`",
        ),
        (
            ImagesConfig {
                patch: 0,
                ..small()
            },
            "`patch`",
        ),
        (
            ImagesConfig {
                train_patches: 0,
                ..small()
            },
            "`train_patches`",
        ),
        (
            ImagesConfig {
                validation_patches: usize::MAX,
                ..small()
            },
            "`validation_patches`",
        ),
        (
            ImagesConfig {
                border: usize::MAX,
                ..small()
            },
            "`border`",
        ),
    ] {
        let text = DataConfig::Images(config)
            .validate()
            .unwrap_err()
            .to_string();
        assert!(text.contains(field), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn flipped_bytes_never_panic(at: usize, flip in 1u8.., more: usize, jpeg: bool) {
        let format = if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
        let mut bytes = encoded(&noise(24, 17, 3), format);
        let n = bytes.len();
        bytes[at % n] ^= flip;
        bytes[more % n] ^= flip;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, &bytes).unwrap();
        let _ = grey(&path);
    }
}

#[test]
fn colour_patches_have_the_places_of_grey_ones() {
    let root = folders();
    for folder in ["a", "b"] {
        let rgb = RgbImage::from_fn(40, 50, |x, y| {
            image::Rgb([x as u8, 100 + y as u8, (x * y) as u8])
        });
        let bytes = encoded(&DynamicImage::ImageRgb8(rgb), ImageFormat::Png);
        for i in 0..3 {
            std::fs::write(root.path().join(folder).join(format!("{i}.png")), &bytes).unwrap();
        }
    }
    let plain = WhiteningConfig {
        kind: WhiteningKind::None,
        ..Default::default()
    };
    let config = |colour| ImagesConfig {
        colour,
        whitening: plain.clone(),
        standardise: false,
        ..small()
    };
    let (grey, rgb) = (
        load(root.path(), config(false)).unwrap().train,
        load(root.path(), config(true)).unwrap().train,
    );
    assert_eq!((rgb.len(), rgb.shape().channels), (50, 3));
    let mixed = crate::transform::grey(&rgb).unwrap();
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(mixed.pixels().iter().zip(grey.pixels()).all(close));
    // Turned to landscape: red counts rows and green columns.
    let patch = rgb.image(0);
    assert!((patch[8] - patch[0] - 1.0 / 255.0).abs() < 1e-6);
    assert!((patch[65] - patch[64] - 1.0 / 255.0).abs() < 1e-6);
}

#[test]
fn colour_is_neither_whitened_nor_chosen_by_contrast() {
    let plain = WhiteningConfig {
        kind: WhiteningKind::None,
        ..Default::default()
    };
    let local_contrast = WhiteningConfig {
        local_contrast: true,
        ..plain.clone()
    };
    for (whitening, min_contrast) in [
        (WhiteningConfig::default(), 0.0),
        (local_contrast, 0.0),
        (plain, 0.1),
    ] {
        let config = ImagesConfig {
            colour: true,
            whitening,
            min_contrast,
            ..small()
        };
        let text = config.validate().unwrap_err().to_string();
        assert!(text.contains("`colour`") && text.contains("none"), "{text}");
    }
}
