//! Legends.

use crate::picture::{Rgb, RgbImage};

use crate::band::{self, TINT};
use crate::canvas;
use crate::colour::{self, INK, PAPER};
use crate::curve::{Series, THICKNESS};
use crate::text::{self, BODY};

/// The length of the sample before a name, and the spaces around the name.
const SWATCH: u32 = 30;
const BEFORE: u32 = 8;
const AFTER: u32 = 24;
/// The height of a sample that is an area.
const AREA: u32 = 14;
/// The distance between two lines of the legend.
const LINE: u32 = 24;

/// How what a name stands for is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Swatch {
    /// A line.
    Line(Rgb),
    /// A line in dashes.
    Dashes(Rgb),
    /// A dot.
    Dot(Rgb),
    /// An area tinted in a colour, around a line of it.
    Band(Rgb),
    /// An area filled with a colour.
    Block(Rgb),
}

/// Names beside samples, broken into lines that fit.
pub struct Legend {
    entries: Vec<Entry>,
}

struct Entry {
    swatch: Swatch,
    name: String,
    /// The place of the entry within the legend.
    x: u32,
    y: u32,
}

impl Legend {
    /// Lays out the names of `series` in lines of at most `width` pixels; a series without a name is left out, and keeps
    /// its colour for itself.
    pub fn new(series: &[Series], width: u32) -> Self {
        let count = series.len();
        let entry = |(index, series): (usize, &Series)| {
            let colour = colour::series(index, count);
            (series.label.trim().to_owned(), Swatch::Line(colour))
        };
        Self::of(series.iter().enumerate().map(entry), width)
    }

    /// Lays out names in lines of at most `width` pixels; empty ones are left out.
    pub fn of(names: impl Iterator<Item = (String, Swatch)>, width: u32) -> Self {
        let fitting = |name: String| text::fit(&name, BODY, width.saturating_sub(SWATCH + BEFORE));
        let long = |name: &str| SWATCH + BEFORE + text::width(name, BODY) + AFTER;
        let named: Vec<(String, Swatch)> = names
            .map(|(name, swatch)| (fitting(name), swatch))
            .filter(|(name, _)| !name.is_empty())
            .collect();

        // On one line names follow each other; on several they stand in columns.
        let total: u32 = named.iter().map(|(name, _)| long(name)).sum();
        let widest = named.iter().map(|(name, _)| long(name)).max().unwrap_or(1);
        let columns = ((width + AFTER) / widest).max(1);
        let one_line = total <= width + AFTER;
        let mut next = 0;
        let entries = named.into_iter().zip(0..).map(|((name, swatch), place)| {
            let (x, y) = match one_line {
                true => (next, 0),
                false => (place % columns * widest, place / columns * LINE),
            };
            next += long(&name);
            Entry { swatch, name, x, y }
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// The height in pixels, with the space below; 0 without names.
    pub fn height(&self) -> u32 {
        self.entries.last().map_or(0, |last| last.y + LINE + 8)
    }

    /// Draws the legend with its top left corner at (`x`, `y`).
    pub fn draw(&self, picture: &mut RgbImage, x: i32, y: i32) {
        for entry in &self.entries {
            let (x, y) = (x + entry.x as i32, y + entry.y as i32);
            entry.swatch.draw(picture, x, y);
            let beside = x + (SWATCH + BEFORE) as i32;
            text::draw(picture, beside, y, &entry.name, BODY, INK);
        }
    }
}

impl Swatch {
    fn draw(self, picture: &mut RgbImage, x: i32, y: i32) {
        let middle = y as f32 + text::height(BODY) as f32 / 2.0 - 1.0;
        let (from, to) = (x as f32 + 2.0, (x + SWATCH as i32) as f32 - 2.0);
        let (from, to) = ((from, middle), (to, middle));
        let mut area = |colour| canvas::fill(picture, x, y, SWATCH, AREA, colour);
        match self {
            Self::Line(colour) => canvas::line(picture, from, to, THICKNESS + 1.4, colour),
            Self::Dashes(colour) => {
                let rows = (middle - 1.0, middle + 1.0);
                let ends = [Some(from), Some(to)].into_iter();
                band::dashes(picture, ends, rows, 2.0, colour);
            }
            Self::Dot(colour) => {
                let centre = (x as f32 + SWATCH as f32 / 2.0, middle);
                canvas::line(picture, centre, centre, 6.0, colour);
            }
            Self::Band(colour) => {
                area(colour::mix(PAPER, colour, TINT));
                canvas::line(picture, from, to, 2.0, colour);
            }
            Self::Block(colour) => area(colour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Series> {
        let series = |name: &&str| Series {
            label: name.to_string(),
            ..Series::default()
        };
        names.iter().map(series).collect()
    }

    #[test]
    fn the_legend_wraps_and_stays_within_its_size() {
        let series = named(&["train", "", "validation", "a rather long name", "z"]);
        let legend = Legend::new(&series, 260);
        assert_eq!(legend.entries.len(), 4);
        assert!(legend.entries.last().unwrap().y > 0);
        let mut picture = canvas::paper(400, 200).unwrap();
        legend.draw(&mut picture, 0, 0);
        let inked = picture
            .enumerate_pixels()
            .filter(|(.., pixel)| **pixel != PAPER);
        let (right, bottom) = inked.fold((0, 0), |(r, b), (x, y, _)| (r.max(x), b.max(y)));
        assert!(right < 260 && bottom < legend.height());
        // The unnamed series keeps its colour for itself.
        let y = (legend.entries[1].y + 7) as i32;
        let sample = picture.get_pixel(legend.entries[1].x + 10, y as u32);
        assert_eq!(*sample, colour::series(2, 5));
        assert_eq!(Legend::new(&named(&["", " "]), 260).height(), 0);
    }

    #[test]
    fn every_swatch_shows_its_colour_beside_its_name() {
        let blue = colour::OKABE_ITO[0];
        let tinted = colour::mix(PAPER, blue, TINT);
        for (swatch, colours) in [
            (Swatch::Line(blue), vec![blue]),
            (Swatch::Dashes(blue), vec![blue]),
            (Swatch::Dot(blue), vec![blue]),
            (Swatch::Band(blue), vec![blue, tinted]),
            (Swatch::Block(tinted), vec![tinted]),
        ] {
            let mut picture = canvas::paper(200, 30).unwrap();
            let legend = Legend::of([("name".to_owned(), swatch)].into_iter(), 200);
            legend.draw(&mut picture, 0, 4);
            for colour in colours {
                let there = picture.pixels().filter(|p| **p == colour).count();
                assert!(there > 8, "{swatch:?}: {there}");
            }
        }
    }
}
