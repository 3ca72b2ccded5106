//! Videos from folders and arrays.

use std::path::Path;

use image::{GrayImage, ImageFormat, Luma};

use super::*;
use crate::{Standardisation, npy, transform::ResizeMode};

const SMALL: ImageShape = ImageShape {
    channels: 1,
    height: 2,
    width: 2,
};

/// Pictures `a.png` … of 2 rows and 4 columns; picture `i` has the grey `10·i + column`.
fn film(folder: &Path, pictures: u8) {
    for i in (0..pictures).rev() {
        let picture = GrayImage::from_fn(4, 2, |x, _| Luma([10 * i + x as u8]));
        let name = format!("{}.png", char::from(b'a' + i));
        let path = folder.join(name);
        picture.save_with_format(path, ImageFormat::Png).unwrap();
    }
}

#[test]
fn pictures_come_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    film(folder.path(), 3);
    let video = |steps_per_frame, repeat, fit| {
        let path = folder.path().into();
        StimulusConfig::Video(Video {
            path,
            steps_per_frame,
            fit,
            repeat,
        })
    };
    let frames = video(2, false, ResizeMode::Cover)
        .frames(None, &[0, 0], SMALL, 5)
        .unwrap();
    let row = |from: u8| [from, from + 1, from, from + 1].map(|v| f32::from(v) / 255.0);
    for (t, i) in [0, 0, 1, 1, 2].into_iter().enumerate() {
        assert_eq!(frames.frame(t), [row(10 * i + 1), row(10 * i + 1)].concat());
    }
    let again = video(1, true, ResizeMode::Centre)
        .frames(None, &[0], SMALL, 5)
        .unwrap();
    assert_eq!(again.frame(4), row(11));
    let all = video(1, false, ResizeMode::Stretch)
        .frames(None, &[0], SMALL, 1)
        .unwrap();
    assert_eq!(all.frame(0), [0.5, 2.5, 0.5, 2.5].map(|v| v / 255.0));
    let short = video(2, false, ResizeMode::Cover).frames(None, &[0], SMALL, 7);
    let text = short.unwrap_err().to_string();
    assert!(
        text.contains("6 steps") && text.contains("repeat = true"),
        "{text}"
    );
    // On the scale of the training images.
    let scale = Standardisation {
        mean: 1.0 / 255.0,
        std: 1.0 / 255.0,
    };
    let scaled = frames.rescaled("film", scale).unwrap();
    assert!((scaled.frame(0)[1] - 1.0).abs() < 1e-5);
}

#[test]
fn films_that_cannot_be_shown_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let video = |path: &str| {
        let video = Video {
            path: path.into(),
            ..Default::default()
        };
        StimulusConfig::Video(video).below(folder.path())
    };
    assert!(video("absent").frames(None, &[0], SMALL, 1).is_err());
    assert!(video(".").frames(None, &[0], SMALL, 1).is_err());
    film(folder.path(), 2);
    let colour = ImageShape {
        channels: 3,
        ..SMALL
    };
    let error = video(".").frames(None, &[0], colour, 1).unwrap_err();
    assert!(error.to_string().contains("grey values"), "{error}");
    std::fs::write(folder.path().join("b.png"), b"no picture").unwrap();
    assert!(video(".").frames(None, &[0], SMALL, 2).is_err());
    // A picture that is not reached need not be whole.
    video(".").frames(None, &[0], SMALL, 1).unwrap();
}

fn sequence(path: &Path, array: &str, repeat: bool) -> StimulusConfig {
    StimulusConfig::Sequence(Sequence {
        path: path.into(),
        array: array.into(),
        repeat,
        raw: false,
    })
}

#[test]
fn arrays_are_found_by_name_and_sequences_by_index() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0..24).map(|v| v as f32).collect();
    let npz = folder.path().join("films.npz");
    let arrays = [
        ("many", &[2, 3, 4][..], &values[..]),
        ("one", &[6, 4], &values),
    ];
    npy::write_npz(&npz, &arrays).unwrap();
    let many = sequence(&npz, "many", false);
    let frames = many.frames(None, &[2, 0], SMALL, 2).unwrap();
    assert_eq!(
        frames.frame(1),
        [20.0, 21.0, 22.0, 23.0, 12.0, 13.0, 14.0, 15.0]
    );
    assert!(many.frames(None, &[3], SMALL, 1).is_err());
    let one = sequence(&npz, "one", true);
    let frames = one.frames(None, &[5, 77], SMALL, 8).unwrap();
    assert_eq!(frames.frame(7), [4.0, 5.0, 6.0, 7.0, 4.0, 5.0, 6.0, 7.0]);
    let short = sequence(&npz, "one", false).frames(None, &[0], SMALL, 7);
    assert!(short.unwrap_err().to_string().contains("6 steps"));
    for (name, hint) in [("", "2 arrays"), ("none", "many, one")] {
        let error = sequence(&npz, name, false).frames(None, &[0], SMALL, 1);
        let text = error.unwrap_err().to_string();
        assert!(text.contains(hint), "{text}");
    }
    let wide = ImageShape { width: 3, ..SMALL };
    assert!(one.frames(None, &[0], wide, 1).is_err());
    // A single array needs no name, and a .npy file has none.
    let single = folder.path().join("single.npz");
    npy::write_npz(&single, &[("x", &[6, 4], &values)]).unwrap();
    sequence(&single, "", false)
        .frames(None, &[0], SMALL, 6)
        .unwrap();
    let bare = folder.path().join("bare.npy");
    npy::write(&bare, &[6, 4], &values).unwrap();
    assert!(
        sequence(&bare, "x", false)
            .frames(None, &[0], SMALL, 1)
            .is_err()
    );
    npy::write_npz(&single, &[]).unwrap();
    assert!(
        sequence(&single, "", false)
            .frames(None, &[0], SMALL, 1)
            .is_err()
    );
}

#[test]
fn damaged_arrays_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.npz");
    npy::write_npz(&path, &[("x", &[6, 4], &[0.5; 24])]).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        for name in ["", "x"] {
            assert!(
                sequence(&path, name, false)
                    .frames(None, &[0], SMALL, 1)
                    .is_err()
            );
        }
    }
    let empty = folder.path().join("empty.npy");
    npy::write(&empty, &[0, 4], &[]).unwrap();
    assert!(
        sequence(&empty, "", true)
            .frames(None, &[0], SMALL, 1)
            .is_err()
    );
    npy::write(&empty, &[1, 4], &[f32::NAN; 4]).unwrap();
    assert!(
        sequence(&empty, "", true)
            .frames(None, &[0], SMALL, 1)
            .is_err()
    );
}
