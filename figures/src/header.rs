//! The title of a figure with a note below it, broken into lines that fit.

use crate::picture::{Rgb, RgbImage};

use crate::colour::{INK, MUTED};
use crate::text;

/// The pixels between two lines.
const LEADING: u32 = 10;
/// The pixels between the header and what it heads.
const BELOW: u32 = 16;

/// Lines of text above a figure, laid out but not yet drawn.
pub struct Header {
    lines: Vec<(String, u32, Rgb)>,
}

impl Header {
    /// Breaks `title` and `note` into lines of at most `width` pixels; either may be empty.
    pub fn new(title: &str, note: &str, width: u32) -> Self {
        let set = |words, scale, colour| {
            let lines = text::wrap(words, scale, width).into_iter();
            lines.map(move |line| (line, scale, colour))
        };
        let title = set(title, text::TITLE, INK);
        Self {
            lines: title.chain(set(note, text::BODY, MUTED)).collect(),
        }
    }

    /// The height in pixels, with the space below; 0 without lines.
    pub fn height(&self) -> u32 {
        if self.lines.is_empty() {
            return 0;
        }
        let lines = self.lines.iter().map(|line| text::height(line.1) + LEADING);
        lines.sum::<u32>() - LEADING + BELOW
    }

    /// Draws the lines with their top left corner at (`x`, `y`).
    pub fn draw(&self, picture: &mut RgbImage, x: i32, mut y: i32) {
        for (line, scale, colour) in &self.lines {
            text::draw(picture, x, y, line, *scale, *colour);
            y += (text::height(*scale) + LEADING) as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas;
    use crate::colour::PAPER;

    #[test]
    fn the_header_stays_within_its_height() {
        for (title, note) in [
            ("Title", ""),
            ("", "A note"),
            ("A title of several words", "and a note of several more"),
        ] {
            let header = Header::new(title, note, 200);
            let mut picture = canvas::paper(240, 300).unwrap();
            header.draw(&mut picture, 0, 0);
            let inked = picture
                .enumerate_pixels()
                .filter(|(.., pixel)| **pixel != PAPER);
            let (right, bottom) = inked.fold((0, 0), |(r, b), (x, y, _)| (r.max(x), b.max(y)));
            assert!(right < 200 && bottom > 0, "{title}");
            assert!(bottom + BELOW < header.height() + text::TITLE, "{title}");
        }
        assert_eq!(Header::new("", " ", 200).height(), 0);
    }
}
