//! Drawing on a picture: paper, rectangles and smooth lines. Anything off the picture is clipped.

use crate::picture::{Rgb, RgbImage};

use crate::colour::{self, PAPER};
use crate::error::{FigureError, MAX_SIDE};

/// The most pixels that a figure may have in all (300 MB as red, green and blue bytes).
const MAX_AREA: usize = 100_000_000;

/// White paper of `width` x `height` pixels, both at least 1.
pub fn paper(width: usize, height: usize) -> Result<RgbImage, FigureError> {
    let fits = width <= MAX_SIDE && height <= MAX_SIDE && width * height <= MAX_AREA;
    if !fits {
        return Err(FigureError::TooLarge { width, height });
    }
    Ok(RgbImage::from_pixel(
        width.max(1) as u32,
        height.max(1) as u32,
        PAPER,
    ))
}

/// Lays `colour` over one pixel, `part` in 0..=1 of it.
pub fn blend(picture: &mut RgbImage, x: i32, y: i32, colour: Rgb, part: f32) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(pixel) = picture.pixel_mut(x, y)
    {
        *pixel = colour::mix(*pixel, colour, part);
    }
}

/// Fills the rectangle whose top left pixel is (`x`, `y`).
pub fn fill(picture: &mut RgbImage, x: i32, y: i32, width: u32, height: u32, colour: Rgb) {
    let span = |start: i32, length: u32, limit: u32| {
        let end = (i64::from(start) + i64::from(length)).clamp(0, i64::from(limit)) as u32;
        (start.max(0) as u32).min(end)..end
    };
    for row in span(y, height, picture.height()) {
        for column in span(x, width, picture.width()) {
            picture.put_pixel(column, row, colour);
        }
    }
}

/// Draws a smooth line with round ends from `from` to `to`, `thickness` pixels wide.
///
/// Points are (x, y) with whole numbers at the centres of pixels. A line from a point to itself is
/// a dot. Points that are not finite draw nothing.
pub fn line(picture: &mut RgbImage, from: (f32, f32), to: (f32, f32), thickness: f32, colour: Rgb) {
    if ![from.0, from.1, to.0, to.1, thickness]
        .iter()
        .all(|v| v.is_finite())
    {
        return;
    }
    let reach = thickness / 2.0 + 0.5;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let squared = dx * dx + dy * dy;
    let bounds = |a: f32, b: f32, limit: u32| {
        let low = (a.min(b) - reach).floor().max(0.0) as i32;
        let high = (a.max(b) + reach).ceil().min(limit as f32 - 1.0) as i32;
        low..=high
    };
    for y in bounds(from.1, to.1, picture.height()) {
        for x in bounds(from.0, to.0, picture.width()) {
            let (px, py) = (x as f32 - from.0, y as f32 - from.1);
            let along = if squared > 0.0 {
                ((px * dx + py * dy) / squared).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let distance = (px - along * dx).hypot(py - along * dy);
            let part = (reach - distance).clamp(0.0, 1.0);
            if part > 0.0 {
                blend(picture, x, y, colour, part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = Rgb([0, 0, 0]);

    #[test]
    fn rectangles_are_clipped_to_the_picture() {
        let mut picture = paper(4, 3).unwrap();
        fill(&mut picture, -2, 1, 4, 100, BLACK);
        fill(&mut picture, 90, 0, 5, 5, BLACK);
        fill(&mut picture, i32::MAX, i32::MIN, u32::MAX, 1, BLACK);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = x < 2 && y >= 1;
            assert_eq!(*pixel, if inside { BLACK } else { PAPER }, "({x}, {y})");
        }
    }

    #[test]
    fn a_line_covers_its_thickness_and_no_more() {
        let mut picture = paper(20, 9).unwrap();
        line(&mut picture, (3.0, 4.0), (16.0, 4.0), 3.0, BLACK);
        for y in 3..=5 {
            assert_eq!(*picture.get_pixel(10, y), BLACK);
        }
        assert_eq!(*picture.get_pixel(10, 2), PAPER);
        assert_eq!(*picture.get_pixel(10, 6), PAPER);
        assert_eq!(*picture.get_pixel(0, 4), PAPER);
    }

    #[test]
    fn lines_to_nowhere_and_beyond_the_edge_do_no_harm() {
        let mut picture = paper(5, 5).unwrap();
        line(&mut picture, (f32::NAN, 0.0), (4.0, 4.0), 2.0, BLACK);
        assert!(picture.pixels().all(|pixel| *pixel == PAPER));
        line(&mut picture, (-9.0, 2.0), (90.0, 2.0), 1.0, BLACK);
        assert_eq!(*picture.get_pixel(0, 2), BLACK);
        assert_eq!(*picture.get_pixel(4, 2), BLACK);
    }

    #[test]
    fn pictures_have_a_limit() {
        assert!(paper(MAX_SIDE, 1).is_ok());
        let error = paper(MAX_SIDE + 1, 1).unwrap_err();
        assert!(error.to_string().contains("16385 x 1"), "{error}");
        assert!(paper(usize::MAX, usize::MAX).is_err());
        assert!(paper(MAX_SIDE, MAX_SIDE).is_err());
    }
}
