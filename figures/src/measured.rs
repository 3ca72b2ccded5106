//! One plot with the sizes of all its text, and its axes in their place.

use crate::axis::{Axis, Tick, whole};
use crate::colour::INK;
use crate::data::Data;
use crate::figure::{Plot, Side, Ticks};
use crate::font::{self, BODY, HEADING, LINE};
use crate::legend::{self, Legend};
use crate::scene::{Shape, Text};

/// The length of a tick mark, and the space between it, its number and the label.
const MARK: f32 = 4.0;
const PAD: f32 = 5.0;
/// The space that two numbers on the horizontal axis keep between them.
const APART: f32 = 14.0;
/// How far the label of a vertical axis may reach beyond its plot.
const BEYOND: f32 = 8.0;

/// A plot, measured.
pub struct Measured<'a> {
    pub plot: &'a Plot,
    /// The height of title, legend and key, and that of the tallest in the row; the width left of the data and right of
    /// it; the height below.
    pub head: f32,
    pub row_head: f32,
    pub side: f32,
    pub right: f32,
    pub below: f32,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    pub title: Vec<String>,
    pub legend: Legend,
    /// The left edge of the cell, and the top left corner of the data.
    pub left: f32,
    pub origin: (f32, f32),
}

impl<'a> Measured<'a> {
    /// Measures everything; the places are still to come.
    pub fn new(plot: &'a Plot) -> Self {
        let y_ticks = side_ticks(&plot.y, plot.size.1);
        let x_ticks = match &plot.x.ticks {
            Ticks::None => Vec::new(),
            Ticks::Numbers(ticks) | Ticks::Names(ticks) | Ticks::Grid(ticks) => ticks.clone(),
            Ticks::Round => fitting(plot.x.axis, plot.size.0, false),
            Ticks::Whole | Ticks::Silent => fitting(plot.x.axis, plot.size.0, true),
        };
        let wide = |tick: &Tick| font::width(&tick.label, BODY, false);
        let silent = matches!(plot.y.ticks, Ticks::Silent | Ticks::Grid(_));
        let numbers = match silent {
            true => 0.0,
            false => y_ticks.iter().map(wide).fold(0.0, f32::max),
        };
        let label = if plot.y.label.is_empty() {
            0.0
        } else {
            BODY + 2.0 * PAD
        };
        let mark = match plot.y.ticks {
            Ticks::None => 0.0,
            Ticks::Names(_) => 2.0 * PAD,
            _ => MARK + PAD,
        };
        let side = (label + mark + numbers).ceil();
        let numbered = !matches!(plot.x.ticks, Ticks::None | Ticks::Silent | Ticks::Grid(_));
        let below = match numbered {
            true => MARK + PAD + BODY + if plot.x.label.is_empty() { 0.0 } else { LINE },
            false => 0.0,
        };
        // Half of the last number may reach beyond the data.
        let half = |tick: &Tick| {
            let at = plot.x.axis.place(tick.value) as f32 * plot.size.0;
            at + wide(tick) / 2.0 - plot.size.0
        };
        let right = if numbered {
            x_ticks.iter().map(half).fold(0.0, f32::max)
        } else {
            0.0
        };
        let inner = (side + plot.size.0).max(if plot.legend.is_empty() { 0.0 } else { 150.0 });
        let legend = Legend::new(&plot.legend, inner);
        let title = font::wrap(&plot.title, HEADING, true, inner);
        let key = if plot.key.is_some() { LINE + 4.0 } else { 0.0 };
        // The topmost number of the vertical axis is half above the data.
        let number = if numbers > 0.0 { BODY / 2.0 } else { 0.0 };
        let head = title.len() as f32 * LINE + legend.height() + key;
        Self {
            plot,
            head: if head > 0.0 {
                head + number + 2.0
            } else {
                number
            },
            row_head: 0.0,
            side,
            right,
            below,
            x_ticks,
            y_ticks,
            title,
            legend,
            left: 0.0,
            origin: (0.0, 0.0),
        }
    }

    /// How far legend and key reach from the left edge.
    pub fn reach(&self) -> f32 {
        let key = self.plot.key.as_ref().map_or(0.0, legend::key_width);
        self.legend.width().max(key)
    }

    /// From numbers to pixels.
    pub fn data(&self) -> Data {
        let plot = self.plot;
        Data {
            size: plot.size,
            x: plot.x.axis,
            y: plot.y.axis,
        }
    }

    /// Title, legend, key and axes.
    pub fn surroundings(&self, shapes: &mut Vec<Shape>) {
        let plot = self.plot;
        let (left, top) = self.origin;
        let (width, height) = plot.size;
        // Titles of a row stand at one height, legends sit on the data.
        let mut y = top - self.row_head;
        for line in &self.title {
            let title = Text::new((self.left, y + HEADING), line, 0.0);
            shapes.push(title.sized(HEADING, true).shape());
            y += LINE;
        }
        let y = top - self.head + self.title.len() as f32 * LINE;
        self.legend.draw(shapes, (self.left, y));
        if let Some(key) = &plot.key {
            legend::draw_key(shapes, key, (self.left, y + self.legend.height()));
        }
        self.side(shapes, (left, top), height);
        self.bottom(shapes, (left, top + height), width);
    }

    /// The vertical axis, left of the data.
    fn side(&self, shapes: &mut Vec<Shape>, (left, top): (f32, f32), height: f32) {
        let side = &self.plot.y;
        let data = self.data();
        let named = matches!(side.ticks, Ticks::Names(_));
        if !named && side.ticks != Ticks::None {
            shapes.push(Shape::rect(
                "axis",
                [left - 1.0, top, 1.0, height + 1.0],
                INK,
            ));
        }
        for tick in self
            .y_ticks
            .iter()
            .filter(|_| !matches!(side.ticks, Ticks::Silent | Ticks::Grid(_)))
        {
            let y = top + data.pixel(0.0, tick.value).1;
            let beside = if named { 2.0 * PAD } else { MARK + PAD };
            if !named {
                let mark = [left - 1.0 - MARK, y.floor(), MARK, 1.0];
                shapes.push(Shape::rect("tick", mark, INK));
            }
            shapes.push(Text::new((left - beside, y + 0.36 * BODY), &tick.label, 1.0).shape());
        }
        let label = font::fit(&side.label, BODY, false, height + BEYOND);
        if !label.is_empty() {
            // The names of all plots of a column stand below each other, however wide their numbers.
            let at = (self.left + BODY * font::ABOVE, (top + height / 2.0).round());
            let label = Text::new(at, &label, 0.5).muted();
            shapes.push(
                Text {
                    upwards: true,
                    ..label
                }
                .shape(),
            );
        }
    }

    /// The horizontal axis, below the data.
    fn bottom(&self, shapes: &mut Vec<Shape>, (left, bottom): (f32, f32), width: f32) {
        let side = &self.plot.x;
        let data = self.data();
        if !matches!(side.ticks, Ticks::None | Ticks::Names(_)) {
            shapes.push(Shape::rect(
                "axis",
                [left - 1.0, bottom, width + 1.0, 1.0],
                INK,
            ));
        }
        if matches!(side.ticks, Ticks::None | Ticks::Silent | Ticks::Grid(_)) {
            return;
        }
        for tick in &self.x_ticks {
            let x = left + data.pixel(tick.value, 0.0).0;
            let mark = [x.floor(), bottom + 1.0, 1.0, MARK];
            shapes.push(Shape::rect("tick", mark, INK));
            let below = bottom + MARK + PAD + BODY * font::ABOVE;
            shapes.push(Text::new((x, below), &tick.label, 0.5).shape());
        }
        let label = font::fit(&side.label, BODY, false, width + self.side);
        if !label.is_empty() {
            // A label wider than the data keeps its right end within them.
            let half = font::width(&label, BODY, false) / 2.0;
            let middle = (left + width / 2.0)
                .min(left + width - half)
                .max(self.left + half);
            let y = bottom + MARK + PAD + LINE + BODY * font::ABOVE;
            shapes.push(Text::new((middle, y), &label, 0.5).muted().shape());
        }
    }
}

/// The ticks of a vertical axis: about one in 40 pixels, and if possible three that do not touch.
fn side_ticks(side: &Side, height: f32) -> Vec<Tick> {
    let usual = (height / 40.0 + 2.0).clamp(2.0, 6.0) as usize;
    let round = || {
        let apart = |ticks: &[Tick]| {
            let place = |tick: &Tick| side.axis.place(tick.value) as f32 * height;
            let gap = |pair: &[Tick]| (place(&pair[1]) - place(&pair[0])).abs();
            ticks.windows(2).all(|pair| gap(pair) >= 1.3 * BODY)
        };
        let choices = (usual..usual + 4).map(|most| side.axis.ticks(most));
        let mut fitting = choices.filter(|ticks| ticks.len() > 2 && apart(ticks));
        fitting.next().unwrap_or_else(|| side.axis.ticks(2))
    };
    match &side.ticks {
        Ticks::None | Ticks::Silent => Vec::new(),
        Ticks::Round => round(),
        Ticks::Whole => whole(round()),
        Ticks::Numbers(ticks) | Ticks::Names(ticks) | Ticks::Grid(ticks) => ticks.clone(),
    }
}

/// The round numbers on a horizontal axis whose labels fit in `width` pixels.
fn fitting(axis: Axis, width: f32, only_whole: bool) -> Vec<Tick> {
    let wide = |tick: &Tick| font::width(&tick.label, BODY, false);
    let fits = |ticks: &[Tick]| {
        let pixel = |tick: &Tick| axis.place(tick.value) as f32 * width;
        ticks.windows(2).all(|pair| {
            pixel(&pair[1]) - pixel(&pair[0]) >= (wide(&pair[0]) + wide(&pair[1])) / 2.0 + APART
        })
    };
    let ticks = |most: usize| match only_whole {
        true => whole(axis.ticks(most)),
        false => axis.ticks(most),
    };
    let most = (width / 50.0).clamp(2.0, 10.0) as usize;
    let fitting = (2..=most).rev().map(ticks).find(|ticks| fits(ticks));
    fitting.unwrap_or_else(|| ticks(2).into_iter().take(1).collect())
}
