//! A matrix as a heat map: zero is paper, positive and negative values are two colours.

use crate::picture::{Rgb, RgbImage};

use crate::canvas;
use crate::colour::{self, INK, MUTED, OKABE_ITO, PAPER};
use crate::error::FigureError;
use crate::header::Header;
use crate::text::{self, BODY};

const MARGIN: usize = 24;
/// The side that the map aims at.
const SIDE: usize = 800;
/// The size of the key below the map.
const KEY: (u32, u32) = (240, 16);
const BETWEEN: usize = 20;

/// Draws `values`, `[rows, columns]`; `most` is the size of a value in full colour, larger ones are clipped.
///
/// # Errors
/// [`FigureError`] if there is nothing to draw, the lengths do not match, or a value is not finite.
pub fn map(
    values: &[f32],
    [rows, columns]: [usize; 2],
    most: f64,
    title: &str,
    note: &str,
) -> Result<RgbImage, FigureError> {
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
    let cell = (SIDE / rows.max(columns)).clamp(1, 40);
    let (wide, high) = (columns * cell, rows * cell);
    let inner = wide.max(SIDE / 2);
    let header = Header::new(title, note, inner as u32);
    let top = MARGIN + header.height() as usize;
    let height = top + high + BETWEEN + KEY.1 as usize + MARGIN;
    let mut picture = canvas::paper(inner + 2 * MARGIN, height)?;
    header.draw(&mut picture, MARGIN as i32, MARGIN as i32);
    for (i, &value) in values.iter().enumerate() {
        let (x, y) = (MARGIN + i % columns * cell, top + i / columns * cell);
        let colour = shade(f64::from(value), most);
        let side = cell as u32;
        canvas::fill(&mut picture, x as i32, y as i32, side, side, colour);
    }
    frame(&mut picture, (MARGIN, top), (wide, high));
    key(&mut picture, (top + high + BETWEEN) as i32, most);
    Ok(picture)
}

/// From blue over paper to vermilion.
fn shade(value: f64, most: f64) -> Rgb {
    let part = if most > 0.0 { value / most } else { 0.0 };
    let full = if part < 0.0 {
        OKABE_ITO[0]
    } else {
        OKABE_ITO[3]
    };
    colour::mix(PAPER, full, part.abs().min(1.0) as f32)
}

fn frame(picture: &mut RgbImage, (left, top): (usize, usize), (wide, high): (usize, usize)) {
    let (x, y, w, h) = (
        left as i32 - 1,
        top as i32 - 1,
        wide as u32 + 2,
        high as u32 + 2,
    );
    canvas::fill(picture, x, y, w, 1, INK);
    canvas::fill(picture, x, y + h as i32 - 1, w, 1, INK);
    canvas::fill(picture, x, y, 1, h, INK);
    canvas::fill(picture, x + w as i32 - 1, y, 1, h, INK);
}

/// The colours from −most to most with their numbers at either side.
fn key(picture: &mut RgbImage, y: i32, most: f64) {
    let low = format!("-{most:.3}");
    text::draw(picture, MARGIN as i32, y, &low, BODY, MUTED);
    let left = MARGIN as i32 + text::width(&low, BODY) as i32 + 10;
    for column in 0..KEY.0 {
        let value = most * (2.0 * f64::from(column) / f64::from(KEY.0 - 1) - 1.0);
        canvas::fill(
            picture,
            left + column as i32,
            y,
            1,
            KEY.1,
            shade(value, most),
        );
    }
    let right = left + KEY.0 as i32 + 10;
    text::draw(picture, right, y, &format!("{most:.3}"), BODY, MUTED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_have_their_colours_and_zero_is_paper() {
        let picture = map(&[2.0, 0.0, -2.0, -9.0], [2, 2], 2.0, "", "").unwrap();
        let at =
            |row: u32, column: u32| *picture.get_pixel(24 + column * 40 + 20, 24 + row * 40 + 20);
        assert_eq!(
            [at(0, 0), at(0, 1), at(1, 0), at(1, 1)],
            [OKABE_ITO[3], PAPER, OKABE_ITO[0], OKABE_ITO[0]]
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(map(&[], [0, 2], 1.0, "", "").is_err());
        assert!(map(&[0.0; 3], [2, 2], 1.0, "", "").is_err());
        assert!(map(&[f32::NAN], [1, 1], 1.0, "", "").is_err());
        assert!(map(&[0.0; 4], [2, 2], 0.0, "all zero", "").is_ok());
    }
}
