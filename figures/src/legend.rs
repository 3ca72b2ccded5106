//! Legends, and keys of colours: where their names stand, measured by the font.

use crate::axis::compact;
use crate::colour::{self, MUTED};
use crate::figure::{Entry, Key, Swatch};
use crate::font::{self, BODY, LINE};
use crate::picture::RgbImage;
use crate::scene::{Point, Shape, Stroke, Text};

/// The length of the sample before a name, and the spaces around the name.
const SAMPLE: f32 = 22.0;
const BEFORE: f32 = 6.0;
const AFTER: f32 = 18.0;
/// The space below a legend.
const BELOW: f32 = 4.0;
/// The size of the bar of a key.
const BAR: (f32, f32) = (120.0, 10.0);

/// Names beside samples, in lines that fit.
pub struct Legend(Vec<Placed>);

struct Placed {
    at: Point,
    name: String,
    swatch: Swatch,
}

impl Legend {
    /// Places names in lines of at most `width`: one line where they fit, columns where not.
    pub fn new(entries: &[Entry], width: f32) -> Self {
        let named = entries.iter().filter(|entry| !entry.name.trim().is_empty());
        let names = named.map(|entry| {
            let name = font::fit(entry.name.trim(), BODY, false, width - sample(entry.swatch));
            let long = sample(entry.swatch) + font::width(&name, BODY, false) + AFTER;
            (name, entry.swatch, long)
        });
        let names: Vec<(String, Swatch, f32)> = names.collect();
        let total: f32 = names.iter().map(|n| n.2).sum();
        let widest = names.iter().map(|n| n.2).fold(1.0, f32::max);
        let columns = ((width + AFTER) / widest).max(1.0) as usize;
        let (one_line, mut next) = (total <= width + AFTER, 0.0);
        let placed = names
            .into_iter()
            .enumerate()
            .map(|(place, (name, swatch, long))| {
                let at = match one_line {
                    true => (next, 0.0),
                    false => (
                        (place % columns) as f32 * widest,
                        (place / columns) as f32 * LINE,
                    ),
                };
                next += long;
                Placed { at, name, swatch }
            });
        Self(placed.collect())
    }

    /// The height, with the space below; 0 without names.
    pub fn height(&self) -> f32 {
        self.0.last().map_or(0.0, |last| last.at.1 + LINE + BELOW)
    }

    /// The width.
    pub fn width(&self) -> f32 {
        let reach = |p: &Placed| p.at.0 + sample(p.swatch) + font::width(&p.name, BODY, false);
        self.0.iter().map(reach).fold(0.0, f32::max)
    }

    /// Draws the legend with its top left corner at (`x`, `y`).
    pub fn draw(&self, shapes: &mut Vec<Shape>, (x, y): Point) {
        for Placed { at, name, swatch } in &self.0 {
            let (x, y) = (x + at.0, y + at.1);
            swatch.draw(shapes, x, y + LINE / 2.0 - 1.0);
            let name = Text::new((x + sample(*swatch), y + LINE - 5.0), name, 0.0);
            let heading = *swatch == Swatch::Heading;
            shapes.push(if heading { name.muted() } else { name }.shape());
        }
    }
}

fn sample(swatch: Swatch) -> f32 {
    match swatch {
        Swatch::Heading => 0.0,
        _ => SAMPLE + BEFORE,
    }
}

impl Swatch {
    fn draw(self, shapes: &mut Vec<Shape>, x: f32, middle: f32) {
        let long = vec![(x + 2.0, middle), (x + SAMPLE - 2.0, middle)];
        let centre = vec![(x + SAMPLE / 2.0, middle)];
        let block = [x, (middle - 5.0).round(), SAMPLE, 10.0];
        let line = |points, stroke| Shape::lines("sample", vec![points], stroke);
        let dot = |colour| line(centre.clone(), Stroke::of(colour, 5.0));
        match self {
            Self::Heading => {}
            Self::Line(stroke, dotted) => {
                shapes.push(line(long, stroke));
                shapes.extend(dotted.then(|| dot(stroke.colour)));
            }
            Self::Dot(colour) => shapes.push(dot(colour)),
            Self::Band(colour) => {
                shapes.push(Shape::rect("sample", block, colour::tinted(colour)));
                shapes.push(line(long, Stroke::of(colour, 1.6)));
            }
            Self::Block(colour) => shapes.push(Shape::rect("sample", block, colour)),
        }
    }
}

/// The label, the lowest and the highest number of a key, and their widths.
fn key_words(key: &Key) -> [(String, f32); 3] {
    [
        key.label.clone(),
        compact(key.range.0),
        compact(key.range.1),
    ]
    .map(|words| {
        let width = font::width(&words, BODY, false);
        (words, width)
    })
}

/// The width of a key.
pub fn key_width(key: &Key) -> f32 {
    let words: f32 = key_words(key).iter().map(|w| w.1).sum();
    words + BAR.0 + 4.0 * BEFORE
}

/// Label, lowest number, colours, highest number in one line.
pub fn draw_key(shapes: &mut Vec<Shape>, key: &Key, (x, y): Point) {
    const SHADES: u32 = 121;
    let [(label, wide), (low, before), (high, _)] = key_words(key);
    let baseline = y + LINE - 5.0;
    shapes.push(Text::new((x, baseline), &label, 0.0).muted().shape());
    let mut left = x + wide + 2.0 * BEFORE;
    shapes.push(Text::new((left, baseline), &low, 0.0).shape());
    left = (left + before + BEFORE).round();
    let shades = (0..SHADES).map(|i| key.map.colour(f64::from(i) / f64::from(SHADES - 1)));
    let top = (baseline - BAR.1 + 1.0).round();
    let frame = [left - 1.0, top - 1.0, BAR.0 + 2.0, BAR.1 + 2.0];
    shapes.push(Shape::rect("key", frame, MUTED));
    let colours = RgbImage::of(SHADES, 1, shades.collect());
    shapes.push(Shape::Image([left, top, BAR.0, BAR.1], colours));
    let after = left + BAR.0 + BEFORE;
    shapes.push(Text::new((after, baseline), &high, 0.0).shape());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Rgb;

    #[test]
    fn names_stand_in_one_line_or_in_columns_and_are_cut_to_fit() {
        let entry = |name: &str| Entry::new(name, Swatch::Block(Rgb([9; 3])));
        let few = Legend::new(&[entry("a"), entry(" "), entry("b")], 300.0);
        assert_eq!((few.0.len(), few.height()), (2, LINE + BELOW));
        let many: Vec<Entry> = (0..9)
            .map(|i| entry(&format!("a longer name {i}")))
            .collect();
        let many = Legend::new(&many, 300.0);
        assert!(many.width() <= 300.0 && many.height() == 5.0 * LINE + BELOW);
        assert_eq!(many.0[0].at.0, many.0[2].at.0);
        let long = Legend::new(&[entry(&"long ".repeat(40))], 300.0);
        assert!(long.width() <= 300.0 && long.0[0].name.ends_with('…'));
        assert_eq!(Legend::new(&[], 300.0).height(), 0.0);
    }
}
