//! Where everything in a figure stands, from the measured widths of its text.

use crate::axis::Tick;
use crate::colour::GRID;
use crate::data;
use crate::figure::{Figure, Layer, Ticks};
use crate::font::{self, BODY, LINE, TITLE};
use crate::legend::Legend;
use crate::measured::Measured;
use crate::scene::{Area, Shape, Stroke, Text, TextBox};
use crate::svg;

/// The paper left free around a figure, and between two columns or rows of plots.
const MARGIN: f32 = 18.0;
const ACROSS: f32 = 26.0;
const BETWEEN: f32 = 16.0;
/// The narrowest figure: a title needs room.
const NARROWEST: f32 = 400.0;

/// A figure with everything in its place.
pub struct Layout<'a> {
    figure: &'a Figure,
    plots: Vec<Measured<'a>>,
    title: Vec<String>,
    note: Vec<String>,
    legend: Legend,
    /// Width and height.
    pub size: (f32, f32),
}

impl<'a> Layout<'a> {
    /// Measures and places everything.
    pub fn new(figure: &'a Figure) -> Self {
        let mut plots: Vec<Measured> = figure.plots.iter().map(Measured::new).collect();
        let columns = 1 + plots.iter().map(|p| p.plot.at.1).max().unwrap_or(0);
        let rows = 1 + plots.iter().map(|p| p.plot.at.0).max().unwrap_or(0);
        let most = |of: &dyn Fn(&Measured) -> f32, take: &dyn Fn(&Measured) -> bool| {
            plots.iter().filter(|p| take(p)).map(of).fold(0.0, f32::max)
        };
        // Left edge, space left of the data.
        let mut lefts = Vec::new();
        let mut x = MARGIN;
        for column in 0..columns {
            let here = |p: &Measured| p.plot.at.1 == column;
            let side = most(&|p| p.side, &here);
            lefts.push((x, side));
            let inner = most(&|p| p.plot.size.0 + p.right, &here);
            // A legend or a key may be wider than the data below it.
            x += (side + inner).max(most(&|p| p.reach(), &here)) + ACROSS;
        }
        let width = (x - ACROSS + MARGIN).max(NARROWEST).ceil();
        let inner = width - 2.0 * MARGIN;
        let title = font::wrap(&figure.title, TITLE, true, inner);
        let note = font::wrap(&figure.note, BODY, false, inner);
        let legend = Legend::new(&figure.legend, inner);
        let mut y = MARGIN + title.len() as f32 * (TITLE + 6.0) + note.len() as f32 * LINE;
        if !title.is_empty() || !note.is_empty() {
            y += 8.0;
        }
        y = (y + legend.height() + if figure.legend.is_empty() { 0.0 } else { 4.0 }).round();
        let first = y;
        let mut tops = Vec::new();
        for row in 0..rows {
            let here = |p: &Measured| p.plot.at.0 == row && !p.plot.beside;
            let head = most(&|p| p.head, &|p| p.plot.at.0 == row);
            tops.push((y + head, head));
            y += head + most(&|p| p.plot.size.1 + p.below, &here) + BETWEEN;
        }
        let beside = most(&|p| p.head + p.plot.size.1 + p.below, &|p| p.plot.beside);
        let height = (y - BETWEEN).max(first + beside) + MARGIN;
        for plot in &mut plots {
            let (left, side) = lefts[plot.plot.at.1];
            plot.left = left;
            let (top, head) = tops[plot.plot.at.0];
            plot.origin = ((left + side).round(), top.round());
            plot.row_head = head;
        }
        Self {
            figure,
            plots,
            title,
            note,
            legend,
            size: (width, height.ceil()),
        }
    }

    /// Everything but the data.
    pub fn surroundings(&self) -> Vec<Shape> {
        let mut shapes = Vec::new();
        let mut y = MARGIN;
        for line in &self.title {
            y += TITLE + 6.0;
            shapes.push(
                Text::new((MARGIN, y - 8.0), line, 0.0)
                    .sized(TITLE, true)
                    .shape(),
            );
        }
        for line in &self.note {
            y += LINE;
            shapes.push(Text::new((MARGIN, y - 6.0), line, 0.0).muted().shape());
        }
        if y > MARGIN {
            y += 8.0;
        }
        self.legend.draw(&mut shapes, (MARGIN, y));
        for plot in &self.plots {
            plot.surroundings(&mut shapes);
        }
        shapes
    }

    /// The data of plot `index`, of its own layers or of others.
    pub fn area(&self, index: usize, layers: Option<&[Layer]>) -> Area {
        let measured = &self.plots[index];
        let plot = measured.plot;
        let data = measured.data();
        let mut shapes = Vec::new();
        let layers = layers.unwrap_or(&plot.layers);
        // What lies behind the grid: times without observations.
        let (behind, above): (Vec<&Layer>, Vec<&Layer>) =
            layers.iter().partition(|l| data::is_background(l));
        behind
            .into_iter()
            .for_each(|layer| data.draw(layer, &mut shapes));
        let lines = |ticks: &Ticks| !matches!(ticks, Ticks::None | Ticks::Names(_));
        let mut grid = Vec::new();
        if lines(&plot.x.ticks) {
            let across = |tick: &Tick| data.pixel(tick.value, 0.0).0.floor() + 0.5;
            let each = measured.x_ticks.iter().map(across);
            grid.extend(each.map(|x| vec![(x, 0.0), (x, plot.size.1)]));
        }
        if lines(&plot.y.ticks) {
            let up = |tick: &Tick| data.pixel(0.0, tick.value).1.floor() + 0.5;
            let each = measured.y_ticks.iter().map(up);
            grid.extend(each.map(|y| vec![(0.0, y), (plot.size.0, y)]));
        }
        if !grid.is_empty() {
            shapes.push(Shape::lines("grid", grid, Stroke::of(GRID, 1.0)));
        }
        above
            .into_iter()
            .for_each(|layer| data.draw(layer, &mut shapes));
        Area {
            place: [
                measured.origin.0,
                measured.origin.1,
                plot.size.0,
                plot.size.1,
            ],
            shapes,
        }
    }

    /// Everything, with all data in place.
    pub fn shapes(&self) -> Vec<Shape> {
        let areas = (0..self.plots.len()).map(|index| Shape::Area(self.area(index, None)));
        areas.chain(self.surroundings()).collect()
    }

    /// Where on plot `index` a place on its horizontal axis lies, in pixels from the left edge of its data.
    pub fn column(&self, index: usize, x: f64) -> f32 {
        self.plots[index].data().pixel(x, 0.0).0
    }

    /// The number of plots.
    pub fn plots(&self) -> usize {
        self.plots.len()
    }

    /// The top left corner of the data of plot `index`.
    pub fn origin(&self, index: usize) -> (f32, f32) {
        self.plots[index].origin
    }

    /// The figure as SVG.
    pub fn svg(&self) -> String {
        svg::document(&self.shapes(), self.size, &self.figure.title)
    }

    /// The boxes of all text.
    pub fn text_boxes(&self) -> Vec<TextBox> {
        let mut boxes = Vec::new();
        for shape in self.shapes() {
            shape.boxes((0.0, 0.0), &mut boxes);
        }
        boxes
    }
}
