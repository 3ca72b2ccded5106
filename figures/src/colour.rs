//! Colours: greys for pictures, and series colours that colour-blind readers can distinguish.

use crate::picture::Rgb;

/// The background of every figure.
pub const PAPER: Rgb = Rgb([255, 255, 255]);
/// Titles, tick labels and axes.
pub const INK: Rgb = Rgb([34, 34, 34]);
/// Notes and axis labels.
pub const MUTED: Rgb = Rgb([96, 96, 96]);
/// Grid lines.
pub const GRID: Rgb = Rgb([230, 230, 230]);

/// What was observed, in every figure: no series and no state has a grey.
pub const OBSERVED: Rgb = Rgb([112, 112, 112]);

/// Behind times at which nothing was observed.
pub const MISSING: Rgb = Rgb([236, 236, 236]);

/// The colours of series and states. Chosen by search among colours with a contrast of at least 3:1 on paper (thin lines
/// must show) for the largest distance between any two of them, as they are and as readers without one kind of cone see
/// them; hues and their order are those of Okabe and Ito's palette without its yellow.
/// Tests compute contrast and distances.
pub const PALETTE: [Rgb; 7] = [
    Rgb([24, 73, 173]),
    Rgb([187, 137, 25]),
    Rgb([9, 161, 100]),
    Rgb([150, 32, 0]),
    Rgb([42, 117, 235]),
    Rgb([165, 62, 135]),
    Rgb([0, 0, 0]),
];

/// Viridis at equal steps; colours between are interpolated.
const VIRIDIS: [[u8; 3]; 10] = [
    [68, 1, 84],
    [72, 40, 120],
    [62, 73, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [110, 206, 88],
    [181, 222, 43],
    [253, 231, 37],
];

/// The part of viridis with a contrast of at least 3:1 on paper.
const ORDERED: f64 = 0.58;

/// The colour of series `index` of `count`: from [`PALETTE`] while that suffices; more series
/// are taken as ordered and run through the part of [`viridis`] that shows on paper.
pub fn series(index: usize, count: usize) -> Rgb {
    if count <= PALETTE.len() {
        return PALETTE[index % PALETTE.len()];
    }
    viridis(ORDERED * index as f64 / (count - 1) as f64)
}

/// The viridis colour map: dark blue at 0, yellow at 1. Values outside are clamped, NaN is 0.
pub fn viridis(value: f64) -> Rgb {
    let last = VIRIDIS.len() - 1;
    let place = clamp(value) * last as f64;
    let below = (place as usize).min(last - 1);
    let part = place - below as f64;
    Rgb(std::array::from_fn(|channel| {
        let (a, b) = (VIRIDIS[below][channel], VIRIDIS[below + 1][channel]);
        (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8
    }))
}

/// How the numbers of an image become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// From black at the lowest value to white at the highest.
    Grey,
    /// From paper at the lowest value to blue at the highest.
    Blue,
    /// From blue at the lowest value over paper to vermilion at the highest: for values on either side of zero.
    Diverging,
}

impl Map {
    /// The colour of a value that lies at `part` of the way from the lowest to the highest.
    pub fn colour(self, part: f64) -> Rgb {
        let full = |colour: Rgb, part: f64| mix(PAPER, colour, part as f32);
        match self {
            Self::Grey => Rgb([level(part); 3]),
            Self::Blue => full(PALETTE[0], clamp(part)),
            Self::Diverging => match 2.0 * clamp(part) - 1.0 {
                below if below < 0.0 => full(PALETTE[0], -below),
                above => full(PALETTE[3], above),
            },
        }
    }
}

/// The grey level of a value in 0..=1: 0 is black, 1 is white; values outside are clamped.
pub fn level(value: f64) -> u8 {
    (clamp(value) * 255.0).round() as u8
}

/// Moves `under` towards `over` by `part` in 0..=1.
pub fn mix(under: Rgb, over: Rgb, part: f32) -> Rgb {
    Rgb(std::array::from_fn(|channel| {
        let (a, b) = (f32::from(under.0[channel]), f32::from(over.0[channel]));
        (a + part.clamp(0.0, 1.0) * (b - a)).round() as u8
    }))
}

/// How much of the colour of an area is laid over what is below it.
pub const TINT: f32 = 0.28;

/// The colour of a tinted area on paper.
pub fn tinted(colour: Rgb) -> Rgb {
    mix(PAPER, colour, TINT)
}

fn clamp(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lightness as the eye weighs it.
    fn luma(colour: Rgb) -> f64 {
        let [r, g, b] = colour.0.map(f64::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn viridis_grows_lighter_and_meets_its_ends() {
        assert_eq!(viridis(0.0), Rgb([68, 1, 84]));
        assert_eq!(viridis(1.0), Rgb([253, 231, 37]));
        assert_eq!(viridis(7.0), viridis(1.0));
        assert_eq!(viridis(f64::NAN), viridis(0.0));
        for step in 0..100 {
            let (a, b) = (
                viridis(step as f64 / 100.0),
                viridis((step + 1) as f64 / 100.0),
            );
            assert!(luma(b) > luma(a) - 0.5, "step {step}");
        }
        assert!(luma(viridis(0.5)) - luma(viridis(0.0)) > 60.0);
    }

    #[test]
    fn greys_are_clamped() {
        assert_eq!(
            [level(-1.0), level(0.0), level(0.5), level(1.0), level(2.0)],
            [0, 0, 128, 255, 255]
        );
        assert_eq!(level(f64::NAN), 0);
    }

    #[test]
    fn series_colours_differ_and_show_on_paper() {
        for count in [2, 7, 8, 16] {
            for index in 0..count {
                let colour = series(index, count);
                assert!(
                    luma(colour) < 200.0,
                    "series {index} of {count} is too light"
                );
                for other in 0..index {
                    assert_ne!(series(other, count), colour);
                }
            }
        }
    }

    #[test]
    fn mixing_meets_both_ends() {
        let (a, b) = (Rgb([10, 20, 30]), Rgb([110, 220, 130]));
        assert_eq!(mix(a, b, 0.0), a);
        assert_eq!(mix(a, b, 1.0), b);
        assert_eq!(mix(a, b, 0.5), Rgb([60, 120, 80]));
    }
}
