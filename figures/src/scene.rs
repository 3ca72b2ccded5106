//! What is drawn, in pixels: the one list from which SVG and pixels are made.
//!
//! No drawing library stands between. kuva lays out charts in its own way, and has no rows of tiles, portraits beside
//! rows, or frames; resvg would read back the text that we wrote, once for every frame. The rasteriser below resvg,
//! tiny-skia, draws this list directly.

use crate::colour::{INK, MUTED};
use crate::font;
use crate::picture::{Rgb, RgbImage};

/// A place in pixels from the top left.
pub type Point = (f32, f32);

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where the text is anchored, on its baseline.
    pub at: Point,
    /// The words.
    pub words: String,
    /// The height of the font.
    pub size: f32,
    /// Whether the font is bold.
    pub bold: bool,
    /// The part of the text's width that lies before its anchor: 0, ½ or 1.
    pub anchor: f32,
    /// Whether the text runs upwards.
    pub upwards: bool,
    /// Its colour.
    pub colour: Rgb,
}

/// The pixels that a text takes.
#[derive(Clone, Debug, PartialEq)]
pub struct TextBox {
    /// The words.
    pub words: String,
    /// The left, top, right and bottom edge.
    pub edges: [f32; 4],
}

impl Text {
    /// Text of the size and colour of numbers.
    pub fn new(at: Point, words: &str, anchor: f32) -> Self {
        Self {
            at,
            words: words.to_owned(),
            size: font::BODY,
            bold: false,
            anchor,
            upwards: false,
            colour: INK,
        }
    }

    /// The same in another size and weight.
    pub fn sized(self, size: f32, bold: bool) -> Self {
        Self { size, bold, ..self }
    }

    /// The same in the colour of notes and labels.
    pub fn muted(self) -> Self {
        Self {
            colour: MUTED,
            ..self
        }
    }

    /// The text as a thing drawn.
    pub fn shape(self) -> Shape {
        Shape::Text(self)
    }

    /// Where the text begins, from its anchor.
    pub fn start(&self) -> f32 {
        -self.anchor * font::width(&self.words, self.size, self.bold)
    }

    /// The box around the text, measured by the font.
    pub fn bounds(&self) -> TextBox {
        let start = self.start();
        let end = start + font::width(&self.words, self.size, self.bold);
        let (above, below) = (font::ABOVE * self.size, font::BELOW * self.size);
        let (x, y) = self.at;
        let edges = match self.upwards {
            false => [x + start, y - above, x + end, y + below],
            true => [x - above, y - end, x + below, y - start],
        };
        TextBox {
            words: self.words.clone(),
            edges,
        }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Rgb,
    /// Its thickness.
    pub width: f32,
    /// Whether it is dashed.
    pub dashed: bool,
    /// How much of what is below it covers, to 1.
    pub opacity: f32,
}

impl Stroke {
    /// A whole line.
    pub fn of(colour: Rgb, width: f32) -> Self {
        Self {
            colour,
            width,
            dashed: false,
            opacity: 1.0,
        }
    }
}

/// Lines through points, or the areas within them. A line of one point is a dot as wide as the stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// What the path stands for: its class in SVG.
    pub class: &'static str,
    /// The points of each line.
    pub lines: Vec<Vec<Point>>,
    /// The colour within, and how much of what is below it covers.
    pub fill: Option<(Rgb, f32)>,
    /// The lines themselves; an area has none.
    pub stroke: Option<Stroke>,
}

/// One thing drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Lines or areas.
    Path(Path),
    /// Words.
    Text(Text),
    /// A picture whose pixels are magnified to rectangles: its left and top edge, its width and height.
    Image([f32; 4], RgbImage),
    /// Data, in pixels of their own.
    Area(Area),
}

/// A rectangle on white paper, whose shapes are cut off at its edges and count from its top left corner, which lies on
/// whole pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Area {
    /// The left and top edge, width and height.
    pub place: [f32; 4],
    /// What is drawn in it, in this order.
    pub shapes: Vec<Shape>,
}

impl Shape {
    /// A filled rectangle: left and top edge, width and height.
    pub fn rect(class: &'static str, [x, y, width, height]: [f32; 4], colour: Rgb) -> Self {
        let (right, bottom) = (x + width, y + height);
        let corners = vec![(x, y), (right, y), (right, bottom), (x, bottom)];
        Self::area(class, vec![corners], colour, 1.0)
    }

    /// Filled polygons.
    pub fn area(class: &'static str, lines: Vec<Vec<Point>>, colour: Rgb, opacity: f32) -> Self {
        Self::Path(Path {
            class,
            lines,
            fill: Some((colour, opacity)),
            stroke: None,
        })
    }

    /// Lines.
    pub fn lines(class: &'static str, lines: Vec<Vec<Point>>, stroke: Stroke) -> Self {
        Self::Path(Path {
            class,
            lines,
            fill: None,
            stroke: Some(stroke),
        })
    }

    /// The boxes of all text in it, shifted by (`x`, `y`).
    pub fn boxes(&self, (x, y): Point, into: &mut Vec<TextBox>) {
        match self {
            Self::Text(text) => {
                let mut bounds = text.bounds();
                let [left, top, right, bottom] = bounds.edges;
                bounds.edges = [left + x, top + y, right + x, bottom + y];
                into.push(bounds);
            }
            Self::Area(area) => {
                let at = (x + area.place[0], y + area.place[1]);
                area.shapes.iter().for_each(|shape| shape.boxes(at, into));
            }
            Self::Path(_) | Self::Image(..) => {}
        }
    }
}
