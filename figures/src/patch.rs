//! One tile: an atom or an image patch, and how its values become grey levels or colours.

use crate::picture::{Rgb, RgbImage};

use crate::colour::{Map, level};
use crate::error::{FigureError, MAX_SIDE};

/// The shape of a tile. Its values are channel by channel, each channel row by row:
/// `[channels, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl Tile {
    /// The number of values of a tile; an error if it has none or cannot be drawn.
    pub fn values(self) -> Result<usize, FigureError> {
        if self.channels != 1 && self.channels != 3 {
            return Err(FigureError::Channels(self.channels));
        }
        if self.height == 0 || self.width == 0 {
            let text = format!("a tile of {} x {} pixels", self.height, self.width);
            return Err(FigureError::Empty(text));
        }
        let most = MAX_SIDE;
        if self.height > most || self.width > most {
            return Err(FigureError::TooLarge {
                width: self.width,
                height: self.height,
            });
        }
        Ok(self.channels * self.height * self.width)
    }

    /// The number of tiles in `values`, which is called `what` in errors: at least one whole tile,
    /// and every value finite.
    pub fn count(self, values: &[f32], what: &str) -> Result<usize, FigureError> {
        let each = self.values()?;
        if values.is_empty() {
            return Err(FigureError::Empty(format!("{what} has no values")));
        }
        if !values.len().is_multiple_of(each) {
            return Err(FigureError::Length {
                what: what.to_owned(),
                expected: format!("a multiple of {each}"),
                got: values.len(),
            });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(position) => Err(FigureError::NotFinite {
                what: what.to_owned(),
                position,
                value: values[position],
            }),
            None => Ok(values.len() / each),
        }
    }
}

/// The values that are drawn black and white; those beyond are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// Zero in the middle, and the largest absolute value at one end.
    pub fn symmetric(values: &[f32]) -> Self {
        let most = values
            .iter()
            .fold(0.0, |most: f64, v| most.max(f64::from(v.abs())));
        Self {
            low: -most,
            high: most,
        }
    }

    /// From the smallest value to the largest.
    pub fn spanned(values: &[f32]) -> Self {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = values
            .iter()
            .map(|&v| f64::from(v))
            .fold(start, |(l, h), v| (v.min(l), v.max(h)));
        Self { low, high }
    }

    /// The grey level of `value`. In a range without extent its one value is mid grey.
    pub fn level(self, value: f32) -> u8 {
        let above = f64::from(value) - self.low;
        let extent = self.high - self.low;
        level(match extent > 0.0 {
            true => above / extent,
            false if above == 0.0 => 0.5,
            false => above.signum(),
        })
    }
}

/// The pixels of one tile; `values` is `[channels, height, width]`, of exactly the tile's length.
pub fn pixels(values: &[f32], tile: Tile, range: Range) -> RgbImage {
    let plane = tile.height * tile.width;
    let colour = |index: usize| {
        let of = |channel: usize| range.level(values[channel * plane + index]);
        match tile.channels {
            3 => Rgb([of(0), of(1), of(2)]),
            _ => Rgb([of(0); 3]),
        }
    };
    RgbImage::of(
        tile.width as u32,
        tile.height as u32,
        (0..plane).map(colour).collect(),
    )
}

/// The pixels of a tile of residuals: zero is paper, `most` and -`most` are the ends of the diverging map. Three channels
/// have grey for zero in each.
pub fn residual(values: &[f32], tile: Tile, most: f32) -> RgbImage {
    if tile.channels == 3 {
        return pixels(values, tile, Range::symmetric(&[most]));
    }
    let part = |value: f32| match most > 0.0 {
        true => 0.5 + 0.5 * f64::from(value / most),
        false => 0.5,
    };
    let colours = values.iter().map(|v| Map::Diverging.colour(part(*v)));
    RgbImage::of(tile.width as u32, tile.height as u32, colours.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Tile = Tile {
        height: 1,
        width: 3,
        channels: 1,
    };

    #[test]
    fn a_symmetric_range_keeps_zero_in_the_middle() {
        let range = Range::symmetric(&[-4.0, 1.0, 2.0]);
        assert_eq!(
            [-4.0, -2.0, 0.0, 2.0, 4.0].map(|v| range.level(v)),
            [0, 64, 128, 191, 255]
        );
        assert_eq!(Range::symmetric(&[0.0; 3]).level(0.0), 128);
        assert_eq!(Range::symmetric(&[f32::MAX, f32::MIN]).level(f32::MAX), 255);
    }

    #[test]
    fn a_spanned_range_runs_from_the_least_to_the_most() {
        let range = Range::spanned(&[1.0, 5.0, 3.0]);
        assert_eq!(
            [0.0, 1.0, 3.0, 5.0, 9.0].map(|v| range.level(v)),
            [0, 0, 128, 255, 255]
        );
        let flat = Range::spanned(&[2.0; 4]);
        assert_eq!([1.0, 2.0, 3.0].map(|v| flat.level(v)), [0, 128, 255]);
    }

    #[test]
    fn colour_planes_are_separate() {
        let tile = Tile {
            height: 1,
            width: 2,
            channels: 3,
        };
        let values = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let drawn = pixels(&values, tile, Range::spanned(&values));
        assert_eq!(drawn.row(0), [Rgb([255, 0, 0]), Rgb([0, 255, 0])]);
    }

    #[test]
    fn residuals_are_paper_at_zero_and_two_colours_on_either_side() {
        let drawn = residual(&[-2.0, 0.0, 9.0], GREY, 2.0);
        let [low, zero, high] = [0.0, 0.5, 1.0].map(|part| Map::Diverging.colour(part));
        assert_eq!(zero, Rgb([255; 3]));
        assert_eq!(drawn.row(0), [low, zero, high]);
        assert_eq!(residual(&[0.0; 3], GREY, 0.0).row(0), [zero; 3]);
    }

    #[test]
    fn what_is_wrong_with_the_values_is_said() {
        let said =
            |tile: Tile, values: &[f32]| tile.count(values, "the input").unwrap_err().to_string();
        assert_eq!(GREY.count(&[0.0; 6], "the input").unwrap(), 2);
        assert!(said(GREY, &[]).contains("the input has no values"));
        assert!(said(GREY, &[0.0; 4]).contains("4 values where a multiple of 3"));
        assert!(said(GREY, &[0.0, f32::NAN, 0.0]).contains("NaN at position 1"));
        assert!(
            said(
                Tile {
                    channels: 2,
                    ..GREY
                },
                &[0.0; 6]
            )
            .contains("2 channels")
        );
        assert!(said(Tile { width: 0, ..GREY }, &[0.0; 6]).contains("1 x 0"));
        assert!(
            said(
                Tile {
                    width: usize::MAX,
                    ..GREY
                },
                &[0.0; 6]
            )
            .contains("at most")
        );
    }
}
