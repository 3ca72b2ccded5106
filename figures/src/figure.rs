//! A figure as plain data: plots on a grid, what they show in the units of their axes, and how it moves.

use crate::axis::{Axis, Tick};
use crate::colour::Map;
use crate::picture::{Rgb, RgbImage};
use crate::scene::Stroke;

/// A figure: a title, plots, and frames where it moves. [`Figure::write`] makes SVG, PNG or GIF of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// What is shown, of which model and which data; may be empty.
    pub title: String,
    /// Below the title.
    pub note: String,
    /// What holds for all plots.
    pub legend: Vec<Entry>,
    /// The plots.
    pub plots: Vec<Plot>,
    /// What moves; a still figure has none.
    pub frames: Vec<Frame>,
    /// The milliseconds that a frame stays, and the last one.
    pub stays: (u32, u32),
}

/// A rectangle of data, with axes, legend and key where it has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The row and the column on the grid of the figure. Data of one row begin at one height, those of one column at
    /// one distance from the left.
    pub at: (usize, usize),
    /// Whether the plot stands beside all rows and takes no space of its own in the first.
    pub beside: bool,
    /// Above the plot; may be empty.
    pub title: String,
    /// Below the title.
    pub legend: Vec<Entry>,
    /// What colours stand for.
    pub key: Option<Key>,
    /// The width and height of the data in pixels.
    pub size: (f32, f32),
    /// The horizontal axis.
    pub x: Side,
    /// The vertical axis.
    pub y: Side,
    /// What is shown, in this order.
    pub layers: Vec<Layer>,
    /// Whether frames reveal the plot from the left.
    pub revealed: bool,
}

/// An axis of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Its range.
    pub axis: Axis,
    /// The quantity, with its unit in parentheses; may be empty.
    pub label: String,
    /// The marks.
    pub ticks: Ticks,
}

/// The marks of an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Ticks {
    /// No line, no marks: the side of a picture.
    None,
    /// Round numbers.
    Round,
    /// Round whole numbers.
    Whole,
    /// A line and a grid at whole numbers without numbers, which stand at a plot below.
    Silent,
    /// The same at these places.
    Grid(Vec<Tick>),
    /// These numbers.
    Numbers(Vec<Tick>),
    /// Names beside what they name, without a line.
    Names(Vec<Tick>),
}

impl Side {
    /// An axis with its label.
    pub fn new(axis: Axis, label: &str, ticks: Ticks) -> Self {
        Self {
            axis,
            label: label.to_owned(),
            ticks,
        }
    }

    /// The side of a picture of so many pixels, without a line.
    pub fn pixels(count: f32) -> Self {
        Self::new(Axis::linear(0.0, f64::from(count)), "", Ticks::None)
    }
}

impl Plot {
    /// A plot without title, legend and key.
    pub fn new(at: (usize, usize), size: (f32, f32), x: Side, y: Side, layers: Vec<Layer>) -> Self {
        Self {
            at,
            beside: false,
            title: String::new(),
            legend: Vec::new(),
            key: None,
            size,
            x,
            y,
            layers,
            revealed: false,
        }
    }
}

/// A name beside a sample of what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name; an entry without one is left out.
    pub name: String,
    /// The sample.
    pub swatch: Swatch,
}

/// A sample in a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Swatch {
    /// None: the name heads the others.
    Heading,
    /// A line, with a dot on it or without.
    Line(Stroke, bool),
    /// A dot.
    Dot(Rgb),
    /// An area tinted in a colour, around a line of it.
    Band(Rgb),
    /// An area filled with a colour.
    Block(Rgb),
}

impl Entry {
    /// A name and its sample.
    pub fn new(name: impl Into<String>, swatch: Swatch) -> Self {
        let name = name.into();
        Self { name, swatch }
    }
}

/// The numbers that the colours of a map stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The quantity, with its unit in parentheses.
    pub label: String,
    /// The lowest and the highest number; those beyond have the colours of these.
    pub range: (f64, f64),
    /// The colours.
    pub map: Map,
}

/// Something shown in a plot. Places are in the units of its axes.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A line through points, broken where there is none; a point without neighbours is a dot.
    Line {
        /// The points in their order.
        points: Vec<Option<(f64, f64)>>,
        /// How the line is drawn.
        stroke: Stroke,
        /// The diameter of dots on the points; 0 for none.
        dots: f32,
    },
    /// The area between two lines; (x, low, high), broken where one is NaN.
    Band {
        /// The edges in order of x.
        edges: Vec<(f64, f64, f64)>,
        /// The colour that tints the area.
        colour: Rgb,
    },
    /// Dots.
    Dots {
        /// Their centres.
        points: Vec<(f64, f64)>,
        /// Their colour.
        colour: Rgb,
        /// Their diameter in pixels.
        size: f32,
    },
    /// Upright lines: (x, low, high).
    Ranges {
        /// In order of x.
        ranges: Vec<(f64, f64, f64)>,
        /// Their colour.
        colour: Rgb,
        /// Their width in pixels.
        width: f32,
    },
    /// Bars that stand on zero and fill the space to their nearest neighbour.
    Bars {
        /// The middle and the height of each.
        points: Vec<(f64, f64)>,
        /// Their colour.
        colour: Rgb,
    },
    /// Steps on the lower edge of the plot, filled: (x, height) up to the next x.
    Steps {
        /// In order of x.
        steps: Vec<(f64, f64)>,
        /// Their colour, and how much of it they have.
        fill: (Rgb, f32),
        /// Whether their upper edge is a line.
        edged: bool,
    },
    /// Rectangles from (x, y) to (x, y).
    Rects {
        /// Two opposite corners of each.
        rects: Vec<[f64; 4]>,
        /// Their colour.
        colour: Rgb,
        /// Whether they lie behind the grid.
        behind: bool,
    },
    /// A tinted polygon with its edge.
    Polygon {
        /// Its corners.
        corners: Vec<(f64, f64)>,
        /// Its colour.
        colour: Rgb,
    },
    /// A picture from (x, y) of its top left to (x, y) of its bottom right corner.
    Image {
        /// The two corners.
        corners: [f64; 4],
        /// The pixels.
        picture: RgbImage,
    },
    /// Words in the middle of a place, or after it.
    Words {
        /// The place.
        at: (f64, f64),
        /// The words.
        words: String,
        /// Whether they are centred there; if not they begin there.
        centred: bool,
    },
}

impl Layer {
    /// Says that there is nothing to show, in the middle of a plot with these axes.
    pub fn nothing(x: &Axis, y: &Axis) -> Self {
        Self::Words {
            at: (x.value(0.5), y.value(0.5)),
            words: "no values to show".to_owned(),
            centred: true,
        }
    }
}

/// What differs from frame to frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Where plots that are revealed end, on their horizontal axis.
    pub until: Option<f64>,
    /// What plots show instead of their layers: the number of the plot, and its layers in this frame.
    pub layers: Vec<(usize, Vec<Layer>)>,
}

impl Figure {
    /// The same with `what` it shows, the model and the data, behind its title.
    pub fn of(mut self, what: &str) -> Self {
        self.title = match self.title.is_empty() {
            true => what.to_owned(),
            false => format!("{}: {what}", self.title),
        };
        self
    }

    /// The same with another title and note.
    pub fn titled(self, title: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            note: note.into(),
            ..self
        }
    }
}
