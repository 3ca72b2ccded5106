//! Contrast on paper, and distances between colours as readers with and without all kinds of cones see them.
//!
//! A missing kind of cone is simulated by the matrices of G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based
//! model for simulation of color vision deficiency", 2009, severity 1, on linear sRGB. Distances are those of CIELAB (1976, white
//! D65), of which about 2.3 can just be told apart side by side; contrast is that of WCAG 2.

use scotopic_figures::Rgb;
use scotopic_figures::colour::{INK, MISSING, MUTED, OBSERVED, PALETTE, PAPER, series};

type Matrix = [[f64; 3]; 3];

const VISIONS: [(&str, Matrix); 4] = [
    (
        "all cones",
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// Linear sRGB to XYZ, IEC 61966-2-1.
const XYZ: Matrix = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
];
const WHITE: [f64; 3] = [0.95047, 1.0, 1.08883];

fn times(matrix: &Matrix, v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

fn linear(colour: Rgb) -> [f64; 3] {
    colour.0.map(|byte| {
        let c = f64::from(byte) / 255.0;
        match c <= 0.04045 {
            true => c / 12.92,
            false => ((c + 0.055) / 1.055).powf(2.4),
        }
    })
}

fn lab(colour: Rgb, vision: &Matrix) -> [f64; 3] {
    let seen = times(vision, linear(colour)).map(|c| c.clamp(0.0, 1.0));
    let xyz = times(&XYZ, seen);
    let [x, y, z] = std::array::from_fn(|i| {
        let t = xyz[i] / WHITE[i];
        match t > (6.0f64 / 29.0).powi(3) {
            true => t.cbrt(),
            false => t / (3.0 * (6.0f64 / 29.0).powi(2)) + 4.0 / 29.0,
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The least distance of two colours over all visions, and whose it is.
fn distance(a: Rgb, b: Rgb) -> (f64, &'static str) {
    let all = VISIONS.iter().map(|(name, vision)| {
        let (a, b) = (lab(a, vision), lab(b, vision));
        let squares = (0..3).map(|i| (a[i] - b[i]).powi(2));
        (squares.sum::<f64>().sqrt(), *name)
    });
    all.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |c| times(&XYZ, linear(c))[1] + 0.05;
    let (a, b) = (luminance(a), luminance(b));
    a.max(b) / a.min(b)
}

#[track_caller]
fn assert_apart(a: Rgb, b: Rgb, least: f64) {
    let (found, vision) = distance(a, b);
    assert!(
        found >= least,
        "{a:?} and {b:?} are {found:.1} apart with {vision}"
    );
}

/// Two values known by hand: white is (100, 0, 0) with every vision, whose rows sum to 1; black on white has 21:1.
#[test]
fn white_stays_white() {
    for (name, vision) in &VISIONS {
        let [l, a, b] = lab(PAPER, vision);
        // The matrices are given to six decimals.
        assert!(
            (l - 100.0).abs() < 0.01 && a.abs() < 0.05 && b.abs() < 0.05,
            "{name}: {l} {a} {b}"
        );
    }
    // The middle row of XYZ sums to 1 + 10⁻⁷, divided by the 0.05 of black.
    assert!((contrast(PAPER, Rgb([0; 3])) - 21.0).abs() < 1e-5);
    // A red and an olive of about the same lightness are what protanopia confuses: the simulation must bring them together.
    let (red, green) = (Rgb([200, 60, 60]), Rgb([110, 110, 50]));
    let with = |n: usize| {
        let (a, b) = (lab(red, &VISIONS[n].1), lab(green, &VISIONS[n].1));
        (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
    };
    assert!(with(1) < 0.5 * with(0), "{} {}", with(1), with(0));
}

/// Any two series of a chart, the first three (which most charts have) by more; 18 is eight times what can just be told apart.
#[test]
fn series_can_be_told_apart_with_every_vision() {
    for (i, a) in PALETTE.iter().enumerate() {
        for b in &PALETTE[..i] {
            assert_apart(*a, *b, if i < 3 { 30.0 } else { 18.0 });
        }
    }
}

/// A belief is drawn in the first or the fourth colour, over observations and the truth.
#[test]
fn beliefs_observations_and_the_truth_can_be_told_apart() {
    for belief in [PALETTE[0], PALETTE[3]] {
        assert_apart(belief, OBSERVED, 25.0);
        assert_apart(belief, INK, 25.0);
    }
    assert_apart(OBSERVED, INK, 25.0);
}

#[test]
fn lines_and_text_show_on_paper() {
    for count in [7, 8, 12, 40] {
        for index in 0..count {
            let found = contrast(series(index, count), PAPER);
            assert!(found >= 3.0, "series {index} of {count}: {found:.2}");
        }
    }
    assert!(contrast(OBSERVED, PAPER) >= 3.0);
    for text in [INK, MUTED] {
        for below in [PAPER, MISSING] {
            assert!(contrast(text, below) >= 4.5, "{text:?} on {below:?}");
        }
    }
}
