//! Walks, and films against the pictures that they were cut from.

use super::*;
use crate::dead_leaves::draw;
use crate::rng::{CounterRng, stream};
use crate::{DataConfig, WhiteningConfig, WhiteningKind};

#[test]
fn a_drift_has_its_speed_and_stays_inside() {
    for seed in 0..50 {
        let config = WalkConfig {
            speed_min: 1.25,
            speed_max: 1.25,
            saccade: 0.0,
        };
        let room = [13, 40];
        let places = walk(&config, room, 200, seed, &[3]);
        assert_eq!(places.len(), 200);
        assert!(places.iter().all(|p| p[0] <= room[0] && p[1] <= room[1]));
        for pair in places.windows(2) {
            let d = [0, 1].map(|i| pair[1][i].abs_diff(pair[0][i]) as f64);
            // Each coordinate is rounded, by half a pixel at both ends.
            assert!(d[0].hypot(d[1]) <= 1.25 + 2f64.sqrt(), "{pair:?}");
        }
    }
}

/// Without walls in the way the window is where speed and direction put it.
#[test]
fn a_drift_is_straight() {
    let config = WalkConfig {
        speed_min: 2.0,
        speed_max: 2.0,
        saccade: 0.0,
    };
    let mut straight = 0;
    for seed in 0..40 {
        let places = walk(&config, [1000, 1000], 21, seed, &[0]);
        let d = [0, 1].map(|i| places[20][i] as f64 - places[0][i] as f64);
        straight += usize::from((d[0].hypot(d[1]) - 40.0).abs() < 1.0);
    }
    // A start within 40 pixels of a wall, and towards it, is rare.
    assert!(straight >= 36, "{straight} of 40");
}

#[test]
fn saccades_come_as_often_as_asked() {
    let config = WalkConfig {
        saccade: 0.2,
        ..WalkConfig::default()
    };
    let places = walk(&config, [2000, 2000], 10_001, 1, &[0]);
    let jumps = places
        .windows(2)
        .filter(|p| p[1][0].abs_diff(p[0][0]).max(p[1][1].abs_diff(p[0][1])) > 3)
        .count();
    // Binomial(10000, 0.2): standard deviation 40; a jump within 3 pixels has probability 1e-5.
    assert!(jumps.abs_diff(2000) < 200, "{jumps}");
}

#[test]
fn frames_are_crops_of_the_picture() {
    let config = MovingDeadLeavesConfig {
        train: 3,
        validation: 2,
        frames: 4,
        validation_frames: 7,
        canvas: 40,
        films_per_picture: 3,
        whitening: WhiteningConfig {
            kind: WhiteningKind::None,
            local_contrast: false,
            ..Default::default()
        },
        standardise: false,
        ..Default::default()
    };
    let splits = DataConfig::MovingDeadLeaves(config.clone())
        .load(".".as_ref(), &mut |_| ())
        .unwrap();
    assert_eq!(
        (
            splits.train.frames(),
            splits.train.films(),
            splits.train.len()
        ),
        (4, 3, 12)
    );
    assert_eq!(
        (splits.validation.frames(), splits.validation.films()),
        (7, 2)
    );
    let picture = draw(&config.still().leaves(), 0, &[stream::TRAIN_PICTURE, 0]);
    let room = [40 - 16 - 10; 2];
    for film in 0..3 {
        let path = [stream::TRAIN_WALK, film as u64];
        for (frame, place) in walk(&config.walk, room, 4, 0, &path)
            .into_iter()
            .enumerate()
        {
            let image = splits.train.image(film * 4 + frame);
            for (i, &value) in image.iter().enumerate() {
                let (y, x) = (8 + place[0] + i / 10, 8 + place[1] + i % 10);
                assert_eq!(value, picture.at(y, x) as f32);
            }
        }
    }
}

#[test]
fn photographs_move_as_leaves_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, shade) in [("train", 3), ("test", 5)] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        image::GrayImage::from_fn(60, 50, |x, y| {
            image::Luma([((shade * x + 7 * y) % 251) as u8])
        })
        .save(folder.path().join(name).join("a.png"))
        .unwrap();
    }
    let config = MovingImagesConfig {
        train: vec!["train".into()],
        validation: vec!["test".into()],
        train_films: 5,
        validation_films: 2,
        ..Default::default()
    };
    let data = DataConfig::MovingImages(config);
    let splits = data.load(folder.path(), &mut |_| ()).unwrap();
    assert_eq!((splits.train.films(), splits.validation.frames()), (5, 24));
    assert_eq!(splits, data.load(folder.path(), &mut |_| ()).unwrap());
}

/// Every frame is each digit at the place of its walk and dark elsewhere, the brighter where two overlap.
#[test]
fn digits_move_over_a_dark_field() {
    let folder = tempfile::tempdir().unwrap();
    let (side, count) = (3, 5);
    // No pixel of a digit is dark.
    let levels: Vec<u8> = (0..count * side * side).map(|i| 50 + 3 * i as u8).collect();
    let mut idx = vec![0, 0, 8, 3];
    for size in [count, side, side] {
        idx.extend((size as u32).to_be_bytes());
    }
    idx.extend(&levels);
    std::fs::write(folder.path().join("digits.idx"), idx).unwrap();
    let config = MovingDigitsConfig {
        images: "digits.idx".into(),
        held_out: 2,
        size: 8,
        digits: 2,
        train: 4,
        validation: 2,
        frames: 6,
        validation_frames: 9,
        ..Default::default()
    };
    let data = DataConfig::MovingDigits(config.clone());
    let splits = data.load(folder.path(), &mut |_| ()).unwrap();
    assert_eq!((splits.train.films(), splits.validation.frames()), (4, 9));
    assert!(data.are_films());
    for film in 0..4u64 {
        let digits = [0u64, 1].map(|digit| {
            let path = [stream::TRAIN_WALK, film, digit];
            let mut draws = CounterRng::new(0, &[path[0], path[1], path[2], 1]);
            // Three are not held out.
            let which = draws.below(3) as usize;
            (which, walk(&config.walk, [5, 5], 6, 0, &path))
        });
        for frame in 0..6 {
            let seen = splits.train.image(film as usize * 6 + frame);
            for (at, &value) in seen.iter().enumerate() {
                let level = digits.iter().map(|(which, places)| {
                    let [top, left] = places[frame];
                    let (y, x) = ((at / 8).wrapping_sub(top), (at % 8).wrapping_sub(left));
                    match y < side && x < side {
                        true => f32::from(levels[which * 9 + y * side + x]) / 255.0,
                        false => 0.0,
                    }
                });
                assert_eq!(
                    value,
                    level.fold(0.0, f32::max),
                    "film {film}, frame {frame}, pixel {at}"
                );
            }
        }
    }
    let small = MovingDigitsConfig { size: 2, ..config };
    let error = DataConfig::MovingDigits(small).load(folder.path(), &mut |_| ());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("at least 3, the side of a digit")
    );
}

#[test]
fn what_makes_no_sense_is_named() {
    let leaves = MovingDeadLeavesConfig::default();
    let walk = leaves.walk;
    for (config, field) in [
        (
            MovingDeadLeavesConfig {
                frames: 1,
                ..leaves.clone()
            },
            "frames",
        ),
        (
            MovingDeadLeavesConfig {
                size: 0,
                ..leaves.clone()
            },
            "size",
        ),
        (
            MovingDeadLeavesConfig {
                train: usize::MAX,
                ..leaves.clone()
            },
            "train",
        ),
        (
            MovingDeadLeavesConfig {
                walk: WalkConfig {
                    speed_max: f64::NAN,
                    ..walk
                },
                ..leaves.clone()
            },
            "walk.speed_max",
        ),
        (
            MovingDeadLeavesConfig {
                walk: WalkConfig {
                    saccade: 1.5,
                    ..walk
                },
                ..leaves.clone()
            },
            "walk.saccade",
        ),
    ] {
        let error = DataConfig::MovingDeadLeaves(config)
            .validate()
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("field `{field}`")), "{error}");
    }
}
