use std::f64::consts::TAU;

use super::*;

#[test]
fn a_sinusoid_is_scaled_by_the_formula() {
    // 3 cycles down 21 rows, 5 across 35 columns: ρ = √((3/21)² + (5/35)²) = √2/7.
    let (height, width) = (21, 35);
    let wave =
        |y: usize, x: usize| (TAU * (3.0 * y as f64 / 21.0 + 5.0 * x as f64 / 35.0) + 0.3).cos();
    let rho = 2.0f64.sqrt() / 7.0;
    for (f0, order) in [(0.4, 4.0), (0.2, 2.0), (0.5, 4.0)] {
        let config = WhiteningConfig {
            f0,
            order,
            ..Default::default()
        };
        let mut picture = Picture::from_fn(height, width, |y, x| 9.0 + 2.0 * wave(y, x));
        Whitener::new(&config).apply(&mut picture);
        let gain = rho * (-(rho / f0).powf(order)).exp();
        for y in 0..height {
            for x in 0..width {
                assert!((picture.at(y, x) - 2.0 * gain * wave(y, x)).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn frequencies_are_those_of_numpy() {
    let f: Vec<f64> = (0..5).map(|k| frequency(k, 5)).collect();
    assert_eq!(f, [0.0, 0.2, 0.4, -0.4, -0.2]);
    let f: Vec<f64> = (0..4).map(|k| frequency(k, 4)).collect();
    assert_eq!(f, [0.0, 0.25, -0.5, -0.25]);
    assert_eq!(frequency(0, 1), 0.0);
}

#[test]
fn none_changes_nothing_and_odd_shapes_work() {
    let config = WhiteningConfig {
        kind: WhiteningKind::None,
        ..Default::default()
    };
    let picture = Picture::from_fn(7, 3, |y, x| (y * x) as f64);
    let mut same = picture.clone();
    Whitener::new(&config).apply(&mut same);
    assert_eq!(same, picture);
    for (height, width) in [(1, 1), (1, 13), (17, 2), (107, 37)] {
        let mut picture = Picture::from_fn(height, width, |y, x| ((y * 31 + x * 17) % 11) as f64);
        Whitener::new(&WhiteningConfig::default()).apply(&mut picture);
        assert!(picture.values.iter().all(|v| v.is_finite()));
        assert!(picture.mean().abs() < 1e-12);
    }
}

#[test]
fn local_contrast_ends_with_a_z_score() {
    let config = WhiteningConfig {
        local_contrast: true,
        ..Default::default()
    };
    let mut picture = Picture::from_fn(40, 50, |y, x| ((y * 31 + x * 17) % 23) as f64);
    Whitener::new(&config).apply(&mut picture);
    let variance = picture.values.iter().map(|v| v * v).sum::<f64>() / 2000.0;
    assert!(picture.mean().abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
    for level in [0.1, 128.0 / 255.0, 0.5, 1.0, 1e6] {
        let mut blank = Picture::from_fn(40, 50, |_, _| level);
        Whitener::new(&config).apply(&mut blank);
        assert!(blank.values.iter().all(|&v| v == 0.0), "{level}");
    }
}

#[test]
fn nonsense_is_named() {
    let good = WhiteningConfig::default();
    for (bad, field) in [
        (
            WhiteningConfig {
                f0: 0.0,
                ..good.clone()
            },
            "whitening.f0",
        ),
        (
            WhiteningConfig {
                f0: f64::NAN,
                ..good.clone()
            },
            "whitening.f0",
        ),
        (
            WhiteningConfig {
                order: -1.0,
                ..good.clone()
            },
            "whitening.order",
        ),
        (
            WhiteningConfig {
                window: 12,
                ..good.clone()
            },
            "whitening.window",
        ),
        (
            WhiteningConfig {
                sigma: f64::INFINITY,
                ..good.clone()
            },
            "whitening.sigma",
        ),
    ] {
        let text = bad.validate("images").unwrap_err().to_string();
        assert!(text.contains(field), "{text}");
    }
}
