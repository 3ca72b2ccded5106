//! Text from a bitmap font of 8 x 8 glyphs, magnified by a whole number.
//!
//! Letters are set at their own width; digits all have the same width, so that numbers line up.
//! Basic Latin, Latin-1 and Greek are known; other characters are drawn as a hollow box.

use crate::picture::{Rgb, RgbImage};
use font8x8::legacy::{BASIC_LEGACY, GREEK_LEGACY, LATIN_LEGACY};

use crate::canvas;

/// The magnification of titles.
pub const TITLE: u32 = 3;
/// The magnification of everything else.
pub const BODY: u32 = 2;

/// The height of a glyph before it is magnified.
const GLYPH: u32 = 8;
/// The width of a space before it is magnified.
const SPACE: u32 = 4;
/// The columns between two glyphs before they are magnified.
const GAP: u32 = 1;
/// Stands for characters that the font lacks. The least significant bit is the leftmost pixel.
const UNKNOWN: [u8; 8] = [0x7F, 0x41, 0x41, 0x41, 0x41, 0x41, 0x7F, 0];

/// One character: its rows, with the empty columns on the left taken off, and its width.
struct Glyph {
    rows: [u8; 8],
    width: u32,
}

impl Glyph {
    fn of(character: char) -> Self {
        let code = character as usize;
        let rows = match code {
            0x20..=0x7E => BASIC_LEGACY[code],
            0xA0..=0xFF => LATIN_LEGACY[code - 0xA0],
            0x390..=0x3C9 => GREEK_LEGACY[code - 0x390],
            _ => UNKNOWN,
        };
        let inked = rows.iter().fold(0, |all, row| all | row);
        if inked == 0 {
            return Self { rows, width: SPACE };
        }
        if character.is_ascii_digit() {
            return Self { rows, width: 7 };
        }
        let left = inked.trailing_zeros();
        Self {
            rows: rows.map(|row| row >> left),
            width: 8 - inked.leading_zeros() - left,
        }
    }

    fn inked(&self, x: u32, y: u32) -> bool {
        self.rows[y as usize] >> x & 1 == 1
    }
}

/// The width in pixels of `text` at `scale`.
pub fn width(text: &str, scale: u32) -> u32 {
    let columns: u32 = text.chars().map(|c| Glyph::of(c).width + GAP).sum();
    columns.saturating_sub(GAP) * scale
}

/// The height in pixels of a line of text at `scale`.
pub fn height(scale: u32) -> u32 {
    GLYPH * scale
}

/// Draws `text` with its top left corner at (`x`, `y`), clipped to the picture.
pub fn draw(picture: &mut RgbImage, x: i32, y: i32, text: &str, scale: u32, colour: Rgb) {
    each_cell(text, |column, row| {
        let (left, top) = ((column * scale) as i32, (row * scale) as i32);
        canvas::fill(
            picture,
            x.saturating_add(left),
            y.saturating_add(top),
            scale,
            scale,
            colour,
        );
    });
}

/// Draws `text` so that it ends at `right`.
pub fn draw_left_of(
    picture: &mut RgbImage,
    right: i32,
    y: i32,
    text: &str,
    scale: u32,
    colour: Rgb,
) {
    draw(
        picture,
        right.saturating_sub(width(text, scale) as i32),
        y,
        text,
        scale,
        colour,
    );
}

/// Draws `text` centred on `middle`.
pub fn draw_centred(
    picture: &mut RgbImage,
    middle: i32,
    y: i32,
    text: &str,
    scale: u32,
    colour: Rgb,
) {
    draw(
        picture,
        middle.saturating_sub(width(text, scale) as i32 / 2),
        y,
        text,
        scale,
        colour,
    );
}

/// Draws `text` upwards, as beside a vertical axis: its left edge at `x`, centred on `middle`.
pub fn draw_upwards(
    picture: &mut RgbImage,
    x: i32,
    middle: i32,
    text: &str,
    scale: u32,
    colour: Rgb,
) {
    let bottom = middle.saturating_add(width(text, scale) as i32 / 2);
    each_cell(text, |column, row| {
        let (right, up) = ((row * scale) as i32, ((column + 1) * scale) as i32);
        canvas::fill(
            picture,
            x.saturating_add(right),
            bottom.saturating_sub(up),
            scale,
            scale,
            colour,
        );
    });
}

/// `text`, or as much of it as fits `limit` pixels with dots for what is missing.
pub fn fit(text: &str, scale: u32, limit: u32) -> String {
    if width(text, scale) <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        let shorter = format!("{}...", kept.trim_end());
        if width(&shorter, scale) <= limit {
            return shorter;
        }
    }
    String::new()
}

/// `text` broken at spaces into lines of at most `limit` pixels; longer words are cut short.
pub fn wrap(text: &str, scale: u32, limit: u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, scale) <= limit {
                *line = longer;
                continue;
            }
        }
        lines.push(fit(word, scale, limit));
    }
    lines
}

/// Calls `ink` with the column and row of every inked cell, before magnification.
fn each_cell(text: &str, mut ink: impl FnMut(u32, u32)) {
    let mut start = 0;
    for character in text.chars() {
        let glyph = Glyph::of(character);
        for row in 0..GLYPH {
            for column in (0..glyph.width).filter(|&column| glyph.inked(column, row)) {
                ink(start + column, row);
            }
        }
        start += glyph.width + GAP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::PAPER;

    const BLACK: Rgb = Rgb([0, 0, 0]);

    fn inked(picture: &RgbImage) -> Vec<(u32, u32)> {
        let black = picture
            .enumerate_pixels()
            .filter(|(.., pixel)| **pixel == BLACK);
        black.map(|(x, y, _)| (x, y)).collect()
    }

    #[test]
    fn text_fills_the_width_that_was_announced() {
        for (text, scale) in [
            ("reconstruction", 2),
            ("0.25", 3),
            ("\u{3b2} = 1", 1),
            ("\u{4e2d}", 2),
        ] {
            let mut picture = canvas::paper(400, 40).unwrap();
            draw(&mut picture, 5, 4, text, scale, BLACK);
            let (left, right) = inked(&picture)
                .iter()
                .fold((u32::MAX, 0), |(l, r), p| (l.min(p.0), r.max(p.0)));
            // A digit may leave its last column empty.
            assert_eq!(left, 5, "{text}");
            assert!(right < 5 + width(text, scale), "{text}");
            assert!(right + 2 * scale >= 4 + width(text, scale), "{text}");
        }
    }

    #[test]
    fn magnified_text_is_made_of_whole_blocks() {
        let mut small = canvas::paper(60, 8).unwrap();
        let mut large = canvas::paper(180, 24).unwrap();
        draw(&mut small, 0, 0, "spikes", 1, BLACK);
        draw(&mut large, 0, 0, "spikes", 3, BLACK);
        assert!(inked(&small).len() > 40);
        for (x, y, pixel) in large.enumerate_pixels() {
            assert_eq!(pixel, small.get_pixel(x / 3, y / 3));
        }
    }

    #[test]
    fn upward_text_is_the_text_turned_a_quarter_to_the_left() {
        let text = "ELBO";
        let long = width(text, 2);
        let mut across = canvas::paper(long as usize, 16).unwrap();
        let mut up = canvas::paper(16, long as usize).unwrap();
        draw(&mut across, 0, 0, text, 2, BLACK);
        draw_upwards(&mut up, 0, long as i32 / 2, text, 2, BLACK);
        for (x, y, pixel) in across.enumerate_pixels() {
            assert_eq!(pixel, up.get_pixel(y, long - 1 - x), "({x}, {y})");
        }
    }

    #[test]
    fn text_off_the_picture_is_clipped() {
        let mut picture = canvas::paper(10, 10).unwrap();
        draw(&mut picture, i32::MAX - 3, i32::MIN, "far away", 3, BLACK);
        draw(&mut picture, -500, 0, "left", 2, BLACK);
        assert!(picture.pixels().all(|pixel| *pixel == PAPER));
        assert_eq!(width("", 2), 0);
    }

    #[test]
    fn long_text_is_cut_or_wrapped_to_fit() {
        let text = "a title that is rather too long for one line";
        let cut = fit(text, 2, 200);
        assert!(cut.ends_with("...") && width(&cut, 2) <= 200, "{cut}");
        assert_eq!(fit("short", 2, 200), "short");
        assert_eq!(fit("short", 2, 3), "");
        let lines = wrap(text, 2, 200);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 2) <= 200));
        assert_eq!(lines.join(" "), text);
        assert!(wrap("  ", 2, 200).is_empty());
    }
}
