use std::f64::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::draw::draw_counted;
use super::*;
use crate::{DataConfig, Picture, WhiteningKind};

fn small() -> DeadLeavesConfig {
    DeadLeavesConfig {
        size: 8,
        train: 300,
        validation: 70,
        canvas: 48,
        radius_max: 24.0,
        ..Default::default()
    }
}

fn load(config: &DeadLeavesConfig) -> Splits {
    DataConfig::DeadLeaves(config.clone())
        .load(std::path::Path::new("nowhere"), &mut |_| ())
        .unwrap()
}

#[test]
fn every_sample_of_every_pixel_is_covered_once() {
    for supersample in [1, 2, 3, 4] {
        let leaves = Leaves {
            supersample,
            ..small().leaves()
        };
        let (picture, counts) = draw_counted(&leaves, 3, &[7]);
        assert!(
            counts
                .iter()
                .all(|&c| c as usize == supersample * supersample)
        );
        assert!(picture.values.iter().all(|v| (0.0..=1.0).contains(v)));
    }
}

/// Painting the same leaves on a plain grid of samples, back to front.
fn painted(leaves: &Leaves, seed: u64, path: &[u64]) -> Picture {
    let (side, fine) = (
        leaves.canvas * leaves.supersample,
        leaves.supersample as f64,
    );
    let window = leaves.canvas as f64 + 2.0 * leaves.radii.max;
    let mut draws = crate::rng::CounterRng::new(seed, path);
    let discs: Vec<[f64; 4]> = (0..20_000)
        .map(|_| {
            let r = leaves.radii.quantile(draws.unit());
            let mut place = || draws.unit() * window - leaves.radii.max;
            let (x, y) = (place(), place());
            [r, x, y, draws.unit()]
        })
        .collect();
    let sample = |row: usize, column: usize| {
        let (y, x) = ((row as f64 + 0.5) / fine, (column as f64 + 0.5) / fine);
        let mut seen = f64::NAN;
        for [r, cx, cy, grey] in discs.iter().rev() {
            if (x - cx) * (x - cx) + (y - cy) * (y - cy) <= r * r {
                seen = *grey;
            }
        }
        seen
    };
    let samples = Picture::from_fn(side, side, sample);
    Picture::from_fn(leaves.canvas, leaves.canvas, |y, x| {
        let s = leaves.supersample;
        let inside = (0..s * s).map(|i| samples.at(y * s + i / s, x * s + i % s));
        inside.sum::<f64>() / (s * s) as f64
    })
}

#[test]
fn front_to_back_is_what_back_to_front_would_paint() {
    let radii = PowerLaw {
        min: 1.5,
        max: 8.0,
        exponent: 3.0,
    };
    let leaves = Leaves {
        canvas: 16,
        supersample: 2,
        radii,
    };
    let (fast, slow) = (draw(&leaves, 5, &[1]), painted(&leaves, 5, &[1]));
    for (a, b) in fast.values.iter().zip(&slow.values) {
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn the_same_bytes_whatever_the_number_of_threads() {
    let pool = |n| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap()
    };
    let a = pool(1).install(|| load(&small()));
    let b = pool(3).install(|| load(&small()));
    assert_eq!(a.digest(), b.digest());
    assert_ne!(
        a.digest(),
        load(&DeadLeavesConfig { seed: 1, ..small() }).digest()
    );
    assert_eq!((a.train.len(), a.validation.len()), (300, 70));
    assert_eq!(a.train.shape().pixels(), 64);
}

#[test]
fn pinned_picture() {
    // Exact operations only: this digest holds on every platform. Data sets depend on it.
    let picture = draw(&DeadLeavesConfig::default().leaves(), 0, &[2, 0]);
    let shape = crate::ImageShape {
        channels: 1,
        height: 128,
        width: 128,
    };
    let pixels = picture.values.iter().map(|&v| v as f32).collect();
    assert_eq!(
        ImageSet::new("pinned", shape, pixels, None)
            .unwrap()
            .digest(),
        PINNED
    );
}
const PINNED: &str = "df2e1e2957052c404d20f5fd133400dca065b0cc6dd96a799b94607642aed00c";

#[test]
fn training_and_validation_share_no_picture_and_one_scale() {
    let config = small();
    let a = load(&config);
    let b = load(&DeadLeavesConfig {
        validation: 5,
        ..config.clone()
    });
    assert_eq!(a.standardisation, b.standardisation);
    assert_eq!(a.train, b.train);
    let plain = load(&DeadLeavesConfig {
        whitening: WhiteningConfig {
            kind: WhiteningKind::None,
            ..Default::default()
        },
        standardise: false,
        ..config
    });
    let patch = |set: &ImageSet, i| set.image(i).iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let train: std::collections::BTreeSet<_> = (0..300).map(|i| patch(&plain.train, i)).collect();
    assert!((0..70).all(|i| !train.contains(&patch(&plain.validation, i))));
    assert!(plain.train.pixels().iter().all(|v| (0.0..=1.0).contains(v)));
}

/// Mean power of pictures under a Hann window (the pictures are not periodic), in rings of
/// frequency, and the log-log slope of power against frequency from `low` to `high`.
fn spectral_slope(pictures: &[Picture], low: usize, high: usize) -> f64 {
    let n = pictures[0].height;
    let hann = |i: usize| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n as f64).cos();
    let fft = FftPlanner::new().plan_fft_forward(n);
    let mut rings = vec![(0.0, 0.0); n];
    for picture in pictures {
        let mean = picture.mean();
        let window = |y, x| hann(y) * hann(x) * (picture.at(y, x) - mean);
        let mut rows = Picture::from_fn(n, n, window)
            .values
            .iter()
            .map(|&v| Complex::new(v, 0.0))
            .collect::<Vec<_>>();
        fft.process(&mut rows);
        let mut columns: Vec<_> = (0..n * n).map(|i| rows[(i % n) * n + i / n]).collect();
        fft.process(&mut columns);
        for (i, value) in columns.iter().enumerate() {
            let signed = |k: usize| {
                if k < n / 2 {
                    k as f64
                } else {
                    k as f64 - n as f64
                }
            };
            let ring = signed(i / n).hypot(signed(i % n)).round() as usize;
            rings[ring].0 += value.norm_sqr();
            rings[ring].1 += 1.0;
        }
    }
    let points: Vec<(f64, f64)> = (low..=high)
        .map(|k| ((k as f64).ln(), (rings[k].0 / rings[k].1).ln()))
        .collect();
    let m = points.len() as f64;
    let (mx, my) = (
        points.iter().map(|p| p.0).sum::<f64>() / m,
        points.iter().map(|p| p.1).sum::<f64>() / m,
    );
    let covariance: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    covariance / points.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>()
}

#[test]
fn the_amplitude_falls_about_as_one_over_f() {
    let leaves = DeadLeavesConfig::default().leaves();
    let pictures: Vec<Picture> = (0..40)
        .into_par_iter()
        .map(|i| draw(&leaves, 1, &[i]))
        .collect();
    // Wavelengths from 32 to 4 pixels, between the largest leaf and the pixel. Power ∝ f^−2 is
    // the neighbourhood of what photographs have (Field 1987: amplitude about 1/f).
    let slope = spectral_slope(&pictures, 4, 32);
    println!("power slope {slope}");
    assert!((-2.8..-1.8).contains(&slope), "power slope {slope}");
    let mut white = pictures;
    let mut whitener = Whitener::new(&WhiteningConfig::default());
    white.iter_mut().for_each(|picture| whitener.apply(picture));
    let slope = spectral_slope(&white, 4, 32);
    println!("power slope after whitening {slope}");
    assert!(
        (-0.9..0.4).contains(&slope),
        "power slope after whitening {slope}"
    );
}

#[test]
fn grey_values_are_uniform() {
    // One far-apart pixel of each of many small pictures: nearly independent grey values, and
    // with one sample per pixel each is the grey of one leaf. Mean ½, variance 1/12.
    let leaves = Leaves {
        canvas: 4,
        supersample: 1,
        radii: PowerLaw {
            min: 2.0,
            max: 8.0,
            exponent: 3.0,
        },
    };
    let values: Vec<f64> = (0..4000)
        .map(|i| draw(&leaves, 9, &[i]).values[5])
        .collect();
    let mean = values.iter().sum::<f64>() / 4000.0;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4000.0;
    // Standard errors: 0.0046 and 0.0012.
    assert!((mean - 0.5).abs() < 0.023, "{mean}");
    assert!((variance - 1.0 / 12.0).abs() < 0.006, "{variance}");
}

#[test]
fn nonsense_is_named() {
    for (config, field) in [
        (DeadLeavesConfig { size: 0, ..small() }, "`size`"),
        (
            DeadLeavesConfig {
                size: 33,
                ..small()
            },
            "`size`",
        ),
        (
            DeadLeavesConfig {
                canvas: 0,
                ..small()
            },
            "`canvas`",
        ),
        (
            DeadLeavesConfig {
                canvas: usize::MAX,
                ..small()
            },
            "`canvas`",
        ),
        (
            DeadLeavesConfig {
                border: usize::MAX,
                ..small()
            },
            "`size`",
        ),
        (
            DeadLeavesConfig {
                train: 0,
                ..small()
            },
            "`train`",
        ),
        (
            DeadLeavesConfig {
                train: usize::MAX,
                ..small()
            },
            "`train`",
        ),
        (
            DeadLeavesConfig {
                patches_per_picture: 0,
                ..small()
            },
            "`patches_per_picture`",
        ),
        (
            DeadLeavesConfig {
                radius_min: f64::NAN,
                ..small()
            },
            "`radius_min`",
        ),
        (
            DeadLeavesConfig {
                radius_min: 0.0,
                ..small()
            },
            "`radius_min`",
        ),
        (
            DeadLeavesConfig {
                radius_min: 0.1,
                radius_max: 9000.0,
                exponent: 10.0,
                ..small()
            },
            "`radius_min`",
        ),
        (
            DeadLeavesConfig {
                radius_max: 1.0,
                ..small()
            },
            "`radius_max`",
        ),
        (
            DeadLeavesConfig {
                exponent: f64::INFINITY,
                ..small()
            },
            "`exponent`",
        ),
        (
            DeadLeavesConfig {
                supersample: 9,
                ..small()
            },
            "`supersample`",
        ),
    ] {
        let text = DataConfig::DeadLeaves(config)
            .validate()
            .unwrap_err()
            .to_string();
        assert!(text.contains(field), "{text}");
    }
}
