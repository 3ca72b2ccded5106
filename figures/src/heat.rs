//! A matrix as a heat map: zero is paper, positive and negative values are two colours.

use crate::axis::Axis;
use crate::colour::Map;
use crate::error::FigureError;
use crate::figure::{Figure, Key, Layer, Plot, Side, Ticks};
use crate::picture::RgbImage;

/// The side that the map aims at.
const SIDE: usize = 540;
/// The largest side of a cell.
const CELL: usize = 40;

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

/// Draws `values`, `[rows, columns]`; `most` is the size of a value in full colour, larger ones are clipped.
///
/// # Errors
/// [`FigureError`] if there is nothing to draw, the lengths do not match, or a value is not finite.
pub fn map(
    values: &[f32],
    [rows, columns]: [usize; 2],
    most: f64,
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
    let part = |value: f32| match most > 0.0 {
        true => 0.5 + 0.5 * f64::from(value) / most,
        false => 0.5,
    };
    let pixels = values.iter().map(|v| Map::Diverging.colour(part(*v)));
    let picture = RgbImage::of(columns as u32, rows as u32, pixels.collect());
    let cell = (SIDE / rows.max(columns)).clamp(1, CELL);
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
            range: (-most.max(0.0), most.max(0.0)),
            map: Map::Diverging,
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
        let figure = map(&[2.0, 0.0, -2.0, -9.0], [2, 2], 2.0, Names::default()).unwrap();
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
        assert!(map(&[], [0, 2], 1.0, names).is_err());
        assert!(map(&[0.0; 3], [2, 2], 1.0, names).is_err());
        assert!(map(&[f32::NAN], [1, 1], 1.0, names).is_err());
        assert!(map(&[0.0; 4], [2, 2], 0.0, names).is_ok());
    }
}
