//! A matrix as a heat map: zero is paper, positive and negative values are two colours; probabilities are one.

use crate::axis::Axis;
use crate::colour::Map;
use crate::error::FigureError;
use crate::figure::{Figure, Key, Layer, Plot, Side, Ticks};
use crate::picture::RgbImage;

/// The side that the map aims at.
const SIDE: usize = 540;
/// The largest side of a cell,
const CELL: usize = 40;
/// but where there are few: this side of the map has room for its name.
const LEAST: usize = 120;

/// What is written beside a map.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// What the rows are.
    pub rows: &'a str,
    /// What the columns are.
    pub columns: &'a str,
    /// What the values are, with their unit in parentheses.
    pub values: &'a str,
}

/// What full colour stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// A value of this size, of either sign; larger ones are clipped.
    Signed(f64),
    /// A probability of 1.
    Probability,
}

impl Scale {
    fn range(self) -> (f64, f64) {
        match self {
            Self::Signed(most) => (-most.max(0.0), most.max(0.0)),
            Self::Probability => (0.0, 1.0),
        }
    }

    fn map(self) -> Map {
        match self {
            Self::Signed(_) => Map::Diverging,
            Self::Probability => Map::Blue,
        }
    }

    /// Where a value lies between the ends.
    fn part(self, value: f32) -> f64 {
        match self {
            Self::Signed(most) if most > 0.0 => 0.5 + 0.5 * f64::from(value) / most,
            Self::Signed(_) => 0.5,
            Self::Probability => f64::from(value),
        }
    }
}

/// Draws `values`, `[rows, columns]`.
///
/// # Errors
/// [`FigureError`] if there is nothing to draw, the lengths do not match, or a value is not finite.
pub fn map(
    values: &[f32],
    [rows, columns]: [usize; 2],
    scale: Scale,
    names: Names,
) -> Result<Figure, FigureError> {
    if rows == 0 || columns == 0 {
        return Err(FigureError::Empty(format!("a map of {rows} x {columns}")));
    }
    if rows.checked_mul(columns) != Some(values.len()) {
        return Err(FigureError::Length {
            what: "the map".to_owned(),
            expected: format!("{rows} x {columns}"),
            got: values.len(),
        });
    }
    if let Some(position) = values.iter().position(|v| !v.is_finite()) {
        return Err(FigureError::NotFinite {
            what: "the map".to_owned(),
            position,
            value: values[position],
        });
    }
    let colours = scale.map();
    let pixels = values.iter().map(|v| colours.colour(scale.part(*v)));
    let picture = RgbImage::of(columns as u32, rows as u32, pixels.collect());
    let cell = (SIDE / rows.max(columns)).clamp(1, CELL.max(LEAST / rows.min(columns)));
    let ends = |count: usize| (0.5, count as f64 + 0.5);
    let ((left, right), (top, bottom)) = (ends(columns), ends(rows));
    let layer = Layer::Image {
        corners: [left, top, right, bottom],
        picture,
    };
    // Row 1 is at the top: the axis runs downwards.
    let x = Side::new(Axis::linear(left, right), names.columns, Ticks::Whole);
    let y = Side::new(Axis::linear(bottom, top), names.rows, Ticks::Whole);
    let size = ((columns * cell) as f32, (rows * cell) as f32);
    let plot = Plot {
        key: Some(Key {
            label: names.values.to_owned(),
            range: scale.range(),
            map: colours,
        }),
        ..Plot::new((0, 0), size, x, y, vec![layer])
    };
    Figure {
        plots: vec![plot],
        ..Figure::default()
    }
    .checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{PALETTE, PAPER};

    #[test]
    fn signs_have_their_colours_zero_is_paper_and_the_scale_is_told() {
        let figure = map(
            &[2.0, 0.0, -2.0, -9.0],
            [2, 2],
            Scale::Signed(2.0),
            Names::default(),
        )
        .unwrap();
        let Layer::Image { corners, picture } = &figure.plots[0].layers[0] else {
            panic!()
        };
        assert_eq!(*corners, [0.5, 0.5, 2.5, 2.5]);
        assert_eq!(picture.row(0), [PALETTE[3], PAPER]);
        assert_eq!(picture.row(1), [PALETTE[0], PALETTE[0]]);
        assert_eq!(figure.plots[0].key.as_ref().unwrap().range, (-2.0, 2.0));
        // Row 1 is at the top.
        assert!(figure.plots[0].y.axis.place(1.0) > figure.plots[0].y.axis.place(2.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let names = Names::default();
        let scale = Scale::Signed(1.0);
        assert!(map(&[], [0, 2], scale, names).is_err());
        assert!(map(&[0.0; 3], [2, 2], scale, names).is_err());
        assert!(map(&[f32::NAN], [1, 1], scale, names).is_err());
        assert!(map(&[0.0; 4], [2, 2], Scale::Signed(0.0), names).is_ok());
    }

    #[test]
    fn probabilities_have_one_colour_from_none_to_one() {
        let names = Names::default();
        let figure = map(&[0.0, 1.0], [1, 2], Scale::Probability, names).unwrap();
        let Layer::Image { picture, .. } = &figure.plots[0].layers[0] else {
            panic!()
        };
        assert_eq!(picture.row(0), [PAPER, Map::Blue.colour(1.0)]);
        assert_eq!(figure.plots[0].key.as_ref().unwrap().range, (0.0, 1.0));
    }
}
