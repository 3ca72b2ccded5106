use proptest::prelude::*;

use super::*;
use crate::transform;

mod recordings;

const SHAPE: ImageShape = ImageShape {
    channels: 2,
    height: 5,
    width: 7,
};

/// Three images of two planes.
fn images() -> ImageSet {
    let pixels = (0..3 * SHAPE.pixels())
        .map(|i| ((i * 37) % 101) as f32 / 100.0)
        .collect();
    ImageSet::new("images", SHAPE, pixels, None).unwrap()
}

fn parse(text: &str) -> StimulusConfig {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_kind_survives_serialisation_and_refuses_typing_errors() {
    for stimulus in StimulusConfig::all() {
        let kind = stimulus.kind();
        let text = serde_json::to_string(&stimulus).unwrap();
        assert!(text.contains(&format!(r#""kind":"{kind}""#)), "{text}");
        assert_eq!(parse(&text), stimulus);
        assert_eq!(parse(&format!(r#"{{"kind":"{kind}"}}"#)), stimulus);
        let typo = format!(r#"{{"kind":"{kind}","sedd":1}}"#);
        assert!(serde_json::from_str::<StimulusConfig>(&typo).is_err());
        // Only those that need a file are not complete as they are.
        let complete = !matches!(kind, "video" | "npy");
        assert_eq!(stimulus.validate().is_ok(), complete, "{kind}");
    }
    assert_eq!(parse(r#"{"kind":"npz"}"#).kind(), "npy");
    assert!(serde_json::from_str::<StimulusConfig>(r#"{"kind":"movie"}"#).is_err());
}

#[test]
fn values_that_make_no_sense_are_named() {
    for (kind, wrong) in [
        ("jitter", r#""pixels":4,"max_offset":3"#),
        ("jitter", r#""max_offset":1000000"#),
        ("jitter", r#""pixels":18446744073709551615"#),
        ("rotate", r#""degrees":1e9"#),
        ("grating", r#""spatial_frequency":0.6"#),
        ("grating", r#""spatial_frequency":-0.1"#),
        ("grating", r#""temporal_frequency":-0.6"#),
        ("grating", r#""plaid_contrast":-1.0"#),
        ("white-noise", r#""sigma":-1.0"#),
        ("white-noise", r#""every":0"#),
        ("video", r#""path":"a","steps_per_frame":0"#),
        ("video", r#""steps_per_frame":1"#),
        ("npy", r#""path":"""#),
    ] {
        let stimulus = parse(&format!(r#"{{"kind":"{kind}",{wrong}}}"#));
        let text = stimulus.validate().unwrap_err().to_string();
        assert!(
            text.starts_with(&format!("stimulus `{kind}`, field")),
            "{text}"
        );
        let asked = stimulus.frames(Some(&images()), &[0], SHAPE, 2);
        assert_eq!(asked.unwrap_err().to_string(), text);
    }
    let nan = Grating {
        phase: f64::NAN,
        ..Default::default()
    };
    assert!(StimulusConfig::Grating(nan).validate().is_err());
}

#[test]
fn sizes_are_checked_before_anything_is_reserved() {
    for stimulus in StimulusConfig::all() {
        if stimulus.validate().is_err() {
            continue;
        }
        let ask =
            |indices: &[usize], steps| stimulus.frames(Some(&images()), indices, SHAPE, steps);
        assert!(ask(&[], 3).is_err());
        assert!(ask(&[0], 0).is_err());
        assert!(ask(&[0, 1], usize::MAX).is_err());
        assert!(ask(&[0], 1 << 31).is_err());
        if stimulus.shows_images() {
            assert!(ask(&[3], 1).is_err());
            let none = stimulus.frames(None, &[0], SHAPE, 1).unwrap_err();
            assert!(none.to_string().contains("`images`: found none"), "{none}");
            let turned = ImageShape {
                height: 7,
                width: 5,
                ..SHAPE
            };
            let error = stimulus.frames(Some(&images()), &[0], turned, 1);
            assert!(matches!(error, Err(Error::Size { .. })));
        }
    }
}

#[test]
fn jitter_is_what_cropping_a_padded_image_gives() {
    let jitter = Jitter {
        pixels: 2,
        max_offset: 3,
        seed: 5,
        background: 0.5,
    };
    let (images, indices, steps) = (images(), [2, 0], 40);
    let frames = StimulusConfig::Jitter(jitter)
        .frames(Some(&images), &indices, SHAPE, steps)
        .unwrap();
    let mut places = std::collections::BTreeSet::new();
    for (b, &index) in indices.iter().enumerate() {
        for (t, (down, right)) in jitter.walk(index, steps).into_iter().enumerate() {
            let shown = &frames.frame(t)[b * SHAPE.pixels()..(b + 1) * SHAPE.pixels()];
            let pixel = |c: usize, y: i64, x: i64| match (0..5).contains(&y) && (0..7).contains(&x)
            {
                true => images.image(index)[c * 35 + (y * 7 + x) as usize],
                false => 0.5,
            };
            for (at, &value) in shown.iter().enumerate() {
                let (c, y, x) = (at / 35, (at % 35 / 7) as i64, (at % 7) as i64);
                assert_eq!(value, pixel(c, y - down, x - right), "t {t} at {at}");
            }
            places.insert((down, right));
        }
    }
    assert!(places.len() > 20 && places.contains(&(0, 0)));
    // At the first step nothing has moved yet.
    assert_eq!(frames.frame(0), images.gather(&indices));
    let still = Jitter {
        pixels: 0,
        max_offset: 0,
        ..jitter
    };
    let frames = StimulusConfig::Jitter(still).frames(Some(&images), &indices, SHAPE, 3);
    let expected = StimulusConfig::default().frames(Some(&images), &indices, SHAPE, 3);
    assert_eq!(frames.unwrap(), expected.unwrap());
}

#[test]
fn walks_are_pinned_and_cover_their_square_evenly() {
    let jitter = Jitter {
        pixels: 1,
        max_offset: 2,
        ..Default::default()
    };
    let mut counts = [0u32; 5];
    for index in 0..200 {
        let walk = jitter.walk(index, 500);
        for pair in walk.windows(2) {
            assert!((pair[1].0 - pair[0].0).abs() <= 1);
        }
        walk.iter().for_each(|p| counts[(p.0 + 2) as usize] += 1);
    }
    // Reflection at ±2 gives the ends half the weight of the others: 1/8, 1/4, 1/4, 1/4, 1/8.
    for (count, share) in counts.into_iter().zip([0.125, 0.25, 0.25, 0.25, 0.125]) {
        let found = f64::from(count) / 100_000.0;
        assert!((found - share).abs() < 0.015, "{counts:?}");
    }
    assert_eq!(jitter.walk(0, 6), PINNED_WALK);
    assert_ne!(jitter.walk(1, 50), jitter.walk(0, 50));
}
const PINNED_WALK: [(i64, i64); 6] = [(0, 0), (-1, 1), (-1, 1), (-1, 0), (-1, 1), (-2, 1)];

#[test]
fn turning_images_are_turned_images() {
    let rotate = Rotate {
        degrees: 20.0,
        start: -10.0,
        background: 0.25,
    };
    let frames = StimulusConfig::Rotate(rotate)
        .frames(Some(&images()), &[1, 2], SHAPE, 4)
        .unwrap();
    for t in 0..4 {
        let turned = transform::rotate(&images(), -10.0 + 20.0 * t as f64, 0.25).unwrap();
        assert_eq!(frames.frame(t), turned.gather(&[1, 2]));
    }
}

#[test]
fn gratings_follow_their_formula() {
    let grating = Grating {
        orientation: 30.0,
        spatial_frequency: 0.2,
        temporal_frequency: 0.1,
        contrast: 0.7,
        phase: 25.0,
        mean: 0.1,
        plaid_orientation: 100.0,
        plaid_contrast: 0.3,
    };
    let frames = StimulusConfig::Grating(grating)
        .frames(None, &[0, 9], SHAPE, 12)
        .unwrap();
    for t in 0..12 {
        for (at, &value) in frames.frame(t).iter().enumerate() {
            let (y, x) = (2.0 - (at % 35 / 7) as f64, (at % 7) as f64 - 3.0);
            let wave = |theta: f64| {
                let u = x * theta.to_radians().cos() + y * theta.to_radians().sin();
                (std::f64::consts::TAU * (0.2 * u - 0.1 * t as f64 + 25.0 / 360.0)).cos()
            };
            let expected = 0.1 + 0.7 * wave(30.0) + 0.3 * wave(100.0);
            assert!((f64::from(value) - expected).abs() < 1e-6, "{t} {at}");
        }
    }
    // After 1/ν steps it is back.
    let (first, last) = (frames.frame(0), frames.frame(10));
    assert!(first.iter().zip(last).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn gratings_drift_the_way_they_say() {
    let grating = |orientation| Grating {
        orientation,
        spatial_frequency: 0.125,
        temporal_frequency: 0.125,
        ..Default::default()
    };
    // One pixel per step, to the right: column x is at the next step in column x + 1.
    let (here, next) = (grating(0.0).frame(SHAPE, 0), grating(0.0).frame(SHAPE, 1));
    assert!((0..6).all(|x| (next[x + 1] - here[x]).abs() < 1e-6));
    // The bars are vertical, exactly.
    assert!((0..7).all(|x| here[x] == here[28 + x]));
    // Upwards at 90°.
    let (here, next) = (grating(90.0).frame(SHAPE, 0), grating(90.0).frame(SHAPE, 1));
    assert!((1..5).all(|y| (next[7 * (y - 1)] - here[7 * y]).abs() < 1e-6));
    assert!((0..7).all(|x| here[x] == here[0]));
}

#[test]
fn white_noise_has_its_moments_and_stays_as_long_as_asked() {
    let noise = WhiteNoise {
        sigma: 2.0,
        mean: 0.5,
        every: 3,
        seed: 4,
    };
    let shape = ImageShape {
        channels: 1,
        height: 20,
        width: 20,
    };
    let ask = |indices: &[usize], steps| {
        StimulusConfig::WhiteNoise(noise)
            .frames(None, indices, shape, steps)
            .unwrap()
    };
    let frames = ask(&[3, 8], 150);
    for t in 0..150 {
        let same = t % 3 != 0;
        assert_eq!(t > 0 && frames.frame(t) == frames.frame(t - 1), same);
    }
    // 50 frames of 800 pixels are independent.
    let fresh: Vec<f64> = (0..150)
        .step_by(3)
        .flat_map(|t| frames.frame(t))
        .map(|&v| f64::from(v))
        .collect();
    let n = fresh.len() as f64;
    let mean = fresh.iter().sum::<f64>() / n;
    let variance = fresh.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    assert!((mean - 0.5).abs() < 5.0 * 2.0 / n.sqrt(), "{mean}");
    assert!((variance / 4.0 - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
    // Neighbours, and successive frames, have nothing to do with one another.
    for lag in [1, 20, 400, 800] {
        let product = |i: usize| (fresh[i] - mean) * (fresh[i + lag] - mean);
        let covariance = (0..fresh.len() - lag).map(product).sum::<f64>() / (n * variance);
        assert!(covariance.abs() < 5.0 / n.sqrt(), "{lag}: {covariance}");
    }
    // A sequence depends on its index, and on nothing beside it.
    assert_eq!(ask(&[8], 4).frame(3), &frames.frame(3)[400..]);
}

proptest! {
    #[test]
    fn walks_stay_in_reach(pixels in 0usize..5, more in 0usize..5, seed: u64, index in 0usize..99) {
        let jitter = Jitter { pixels, max_offset: pixels + more, seed, ..Default::default() };
        let reach = jitter.max_offset as i64;
        for (down, right) in jitter.walk(index, 200) {
            prop_assert!(down.abs() <= reach && right.abs() <= reach);
        }
    }

    #[test]
    fn gratings_stay_within_their_contrast(
        orientation in -400.0f64..400.0,
        spatial_frequency in 0.0f64..0.5,
        plaid_contrast in 0.0f64..2.0,
        t in 0usize..1000,
    ) {
        let grating = Grating { orientation, spatial_frequency, plaid_contrast, ..Default::default() };
        let most = (1.0 + plaid_contrast + 1e-6) as f32;
        prop_assert!(grating.frame(SHAPE, t).iter().all(|v| v.abs() <= most));
    }
}
