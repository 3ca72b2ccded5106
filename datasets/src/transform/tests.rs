use proptest::prelude::*;

use super::*;

fn set(channels: usize, height: usize, width: usize, pixels: Vec<f32>) -> ImageSet {
    let shape = ImageShape {
        channels,
        height,
        width,
    };
    let count = pixels.len() / shape.pixels();
    ImageSet::new("set", shape, pixels, Some((0..count as u8).collect())).unwrap()
}

fn from_fn(height: usize, width: usize, value: impl Fn(usize, usize) -> f64) -> ImageSet {
    let picture = crate::Picture::from_fn(height, width, value);
    let pixels = picture.values.iter().map(|&v| v as f32).collect();
    set(1, height, width, pixels)
}

fn noise(height: usize, width: usize) -> ImageSet {
    from_fn(height, width, |y, x| {
        ((y * 31 + x * 17) % 23) as f64 / 22.0 - 0.3
    })
}

#[test]
fn quarter_turns_move_pixels_exactly() {
    for size in [1, 4, 7] {
        let image = noise(size, size);
        let turned = |degrees| rotate(&image, degrees, 9.0).unwrap().pixels().to_vec();
        assert_eq!(turned(0.0), image.pixels());
        assert_eq!(turned(360.0), image.pixels());
        assert_eq!(turned(-720.0), image.pixels());
        let quarter = turned(90.0);
        let half = turned(180.0);
        for y in 0..size {
            for x in 0..size {
                // What was on the right is on top.
                assert_eq!(
                    quarter[y * size + x],
                    image.pixels()[x * size + size - 1 - y]
                );
                assert_eq!(
                    half[y * size + x],
                    image.pixels()[(size - 1 - y) * size + size - 1 - x]
                );
            }
        }
        assert_eq!(turned(450.0), quarter);
        let back = rotate(&rotate(&image, 90.0, 0.0).unwrap(), 270.0, 0.0).unwrap();
        assert_eq!(back.pixels(), image.pixels());
    }
}

#[test]
fn half_turn_of_an_oblong_image_keeps_all_of_it() {
    let image = noise(3, 6);
    let half = rotate(&image, 180.0, 0.0).unwrap();
    assert!(half.pixels().iter().rev().eq(image.pixels()));
    // A quarter turn does not fit: the corners are background.
    let quarter = rotate(&image, 90.0, -7.0).unwrap();
    assert_eq!(quarter.image(0)[0], -7.0);
}

#[test]
fn a_plane_is_reproduced_without_error() {
    // Bilinear interpolation is exact for a linear function.
    let size = 21;
    let slope = |y: f64, x: f64| 0.3 + 0.02 * y - 0.05 * x;
    let image = from_fn(size, size, |y, x| slope(y as f64 - 10.0, x as f64 - 10.0));
    let angle = 33.0f64;
    let (sin, cos) = angle.to_radians().sin_cos();
    let turned = rotate(&image, angle, 0.0).unwrap();
    let back = rotate(&turned, -angle, 0.0).unwrap();
    let mut compared = 0;
    for y in 0..size {
        for x in 0..size {
            let (dy, dx) = (y as f64 - 10.0, x as f64 - 10.0);
            if dy.hypot(dx) > 8.0 {
                continue;
            }
            let expected = slope(dy * cos + dx * sin, dx * cos - dy * sin);
            let at = y * size + x;
            assert!((f64::from(turned.image(0)[at]) - expected).abs() < 1e-6);
            assert!((back.image(0)[at] - image.image(0)[at]).abs() < 1e-6);
            compared += 1;
        }
    }
    assert!(compared > 190);
}

#[test]
fn ink_away_from_the_edge_is_conserved() {
    let blob = from_fn(28, 28, |y, x| {
        (-((y as f64 - 15.0).powi(2) + (x as f64 - 11.0).powi(2)) / 18.0).exp()
    });
    let ink = |set: &ImageSet| set.pixels().iter().map(|&v| f64::from(v)).sum::<f64>();
    for degrees in [10.0, 45.0, 61.5, 120.0] {
        let turned = rotate(&blob, degrees, 0.0).unwrap();
        assert!((ink(&turned) / ink(&blob) - 1.0).abs() < 0.01, "{degrees}");
        assert_eq!(turned.labels(), blob.labels());
    }
}

#[test]
fn whole_pixels_are_moved_as_a_window_moves() {
    let image = noise(6, 8);
    for (dy, dx) in [(0, 0), (2, -3), (-1, 1), (9, 0), (0, -20)] {
        let moved = translate(&image, dy as f64, dx as f64, 0.5).unwrap();
        let mut expected = Vec::new();
        window(
            image.pixels(),
            (6, 8),
            (-dy, -dx),
            (6, 8),
            0.5,
            &mut expected,
        );
        assert_eq!(moved.pixels(), expected);
    }
    assert_eq!(
        translate(&image, 1.0, 0.0, 0.5).unwrap().image(0)[8..],
        image.image(0)[..40]
    );
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let image = noise(3, 3);
    assert!(rotate(&image, f64::NAN, 0.0).is_err());
    assert!(rotate(&image, 10.0, f32::INFINITY).is_err());
    assert!(translate(&image, f64::INFINITY, 0.0, 0.0).is_err());
    for fit in [ResizeMode::Cover, ResizeMode::Stretch, ResizeMode::Centre] {
        assert!(fit_to(&image, 0, 3, fit).is_err());
        assert!(fit_to(&image, usize::MAX, 2, fit).is_err());
    }
    // Far away, and at a vast angle, there is still an answer.
    assert_eq!(
        translate(&image, 1e300, 0.0, 2.0).unwrap().image(0),
        [2.0; 9]
    );
    rotate(&image, 1e300, 0.0).unwrap();
}

#[test]
fn cover_takes_the_middle_of_the_longer_side() {
    let image = from_fn(4, 10, |_, x| x as f64);
    let cover = fit_to(&image, 2, 2, ResizeMode::Cover).unwrap();
    // Columns 3 to 6.
    assert_eq!(cover.image(0), [3.5, 5.5, 3.5, 5.5]);
    let tall = from_fn(10, 4, |y, _| y as f64);
    assert_eq!(
        fit_to(&tall, 2, 2, ResizeMode::Cover).unwrap().image(0),
        [3.5, 3.5, 5.5, 5.5]
    );
}

#[test]
fn grey_is_the_weighted_sum_of_the_planes() {
    let colour = set(3, 1, 2, vec![1.0, 0.0, 0.0, 1.0, 0.5, 0.0]);
    let mixed = grey(&colour).unwrap();
    assert_eq!(mixed.shape().channels, 1);
    assert_eq!(mixed.pixels(), [0.299 + 0.5 * 0.114, 0.587]);
    assert_eq!(grey(&mixed).unwrap(), mixed);
    assert!(grey(&set(2, 1, 1, vec![0.0, 1.0])).is_err());
}

proptest! {
    #[test]
    fn averaging_keeps_the_mean(
        from in (1usize..40, 1usize..40),
        to in (1usize..40, 1usize..40),
    ) {
        let image = noise(from.0, from.1);
        let fitted = fit_to(&image, to.0, to.1, ResizeMode::Stretch).unwrap();
        let mean = |s: &ImageSet| {
            s.pixels().iter().map(|&v| f64::from(v)).sum::<f64>() / s.pixels().len() as f64
        };
        prop_assert!((mean(&image) - mean(&fitted)).abs() < 1e-6);
        let same = fit_to(&image, from.0, from.1, ResizeMode::Stretch).unwrap();
        prop_assert_eq!(same.pixels(), image.pixels());
    }

    #[test]
    fn padding_and_cropping_back_changes_nothing(
        from in (1usize..20, 1usize..20),
        margin in (0usize..9, 0usize..9),
    ) {
        let image = noise(from.0, from.1);
        let wide = fit_to(&image, from.0 + 2 * margin.0, from.1 + 2 * margin.1, ResizeMode::Centre).unwrap();
        let back = fit_to(&wide, from.0, from.1, ResizeMode::Centre).unwrap();
        prop_assert_eq!(back.pixels(), image.pixels());
    }

    #[test]
    fn rotation_stays_between_the_least_and_the_greatest(degrees in -720.0f64..720.0) {
        let turned = rotate(&noise(9, 12), degrees, 0.0).unwrap();
        prop_assert!(turned.pixels().iter().all(|v| (-0.3..=0.7).contains(v)));
    }
}
