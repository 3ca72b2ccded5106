//! What a plot shows, in pixels. Lines of more points than pixels keep the lowest and the highest of every column of
//! pixels: nothing that stands out is lost, and a figure stays small.

use crate::axis::Axis;
use crate::colour::{self, PAPER, TINT};
use crate::figure::Layer;
use crate::picture::Rgb;
use crate::scene::{Path, Point, Shape, Stroke, Text};

/// The width of the widest bar.
const WIDEST_BAR: f32 = 60.0;

/// Whether a layer lies behind the grid.
pub fn is_background(layer: &Layer) -> bool {
    matches!(layer, Layer::Rects { behind: true, .. })
}

/// The data of a plot: from numbers to pixels.
pub struct Data {
    /// Width and height in pixels.
    pub size: (f32, f32),
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

impl Data {
    /// Where a pair of numbers lies; at most ten heights beyond the plot, so that no pixel is infinite.
    pub fn pixel(&self, x: f64, y: f64) -> Point {
        let at = |place: f64, length: f32| (place.clamp(-10.0, 11.0) * f64::from(length)) as f32;
        (
            at(self.x.place(x), self.size.0),
            self.size.1 - at(self.y.place(y), self.size.1),
        )
    }

    /// Whether a pair of numbers has a place: what is not a number has none, nor has a negative number on a logarithmic axis.
    fn has(&self, x: f64, y: f64) -> bool {
        !self.x.place(x).is_nan() && !self.y.place(y).is_nan()
    }

    /// The part of a polygon that is near the plot; none of one with a corner that has no place.
    fn polygon(&self, corners: &[(f64, f64)]) -> Vec<Point> {
        let places = corners
            .iter()
            .map(|(x, y)| [self.x.place(*x), self.y.place(*y)]);
        let near = clipped(places.collect());
        let pixel = |[x, y]: [f64; 2]| {
            let [wide, high] = [self.size.0, self.size.1].map(f64::from);
            ((x * wide) as f32, ((1.0 - y) * high) as f32)
        };
        near.into_iter().map(pixel).collect()
    }

    /// Adds the shapes of a layer.
    pub fn draw(&self, layer: &Layer, shapes: &mut Vec<Shape>) {
        match layer {
            Layer::Line {
                points,
                stroke,
                dots,
            } => self.line(points, *stroke, *dots, shapes),
            Layer::Band { edges, colour } => {
                let areas = self.band(edges);
                shapes.push(Shape::area("band", areas, *colour, TINT));
            }
            Layer::Dots {
                points,
                colour,
                size,
            } => {
                let dots = points.iter().filter(|(x, y)| self.has(*x, *y));
                let dots = dots.map(|(x, y)| vec![self.pixel(*x, *y)]);
                shapes.push(Shape::lines(
                    "dots",
                    dots.collect(),
                    Stroke::of(*colour, *size),
                ));
            }
            Layer::Ranges {
                ranges,
                colour,
                width,
            } => {
                let columns = self.columns(
                    ranges
                        .iter()
                        .filter(|r| self.has(r.0, r.1) && self.has(r.0, r.2))
                        .map(|r| (self.pixel(r.0, r.1), self.pixel(r.0, r.2))),
                );
                let lines = columns
                    .into_iter()
                    .map(|(x, top, bottom)| match bottom - top < 0.05 {
                        true => vec![(x, top)],
                        false => vec![(x, top), (x, bottom)],
                    });
                shapes.push(Shape::lines(
                    "ranges",
                    lines.collect(),
                    Stroke::of(*colour, *width),
                ));
            }
            Layer::Bars { points, colour } => {
                shapes.push(Shape::area("bars", self.bars(points), *colour, 1.0));
            }
            Layer::Steps { steps, fill, edged } => self.steps(steps, *fill, *edged, shapes),
            Layer::Rects { rects, colour, .. } => {
                let rect = |[x0, y0, x1, y1]: &[f64; 4]| {
                    let ((left, top), (right, bottom)) =
                        (self.pixel(*x0, *y0), self.pixel(*x1, *y1));
                    // A rectangle narrower than a pixel is still seen.
                    let right = right.max(left + 1.0);
                    vec![(left, top), (right, top), (right, bottom), (left, bottom)]
                };
                let there = |r: &&[f64; 4]| self.has(r[0], r[1]) && self.has(r[2], r[3]);
                shapes.push(Shape::area(
                    "rects",
                    rects.iter().filter(there).map(rect).collect(),
                    *colour,
                    1.0,
                ));
            }
            Layer::Polygon { corners, colour } => {
                shapes.push(Shape::Path(Path {
                    class: "polygon",
                    lines: vec![self.polygon(corners)],
                    fill: Some((*colour, TINT)),
                    stroke: Some(Stroke::of(*colour, 1.2)),
                }));
            }
            Layer::Image {
                corners: [x0, y0, x1, y1],
                picture,
            } => {
                let ((left, top), (right, bottom)) = (self.pixel(*x0, *y0), self.pixel(*x1, *y1));
                shapes.push(Shape::Image(
                    [left, top, right - left, bottom - top],
                    picture.clone(),
                ));
            }
            Layer::Words { at, words, centred } => {
                let (x, y) = self.pixel(at.0, at.1);
                let anchor = if *centred { 0.5 } else { 0.0 };
                shapes.push(Text::new((x, y + 4.0), words, anchor).muted().shape());
            }
        }
    }

    fn line(
        &self,
        points: &[Option<(f64, f64)>],
        stroke: Stroke,
        dots: f32,
        shapes: &mut Vec<Shape>,
    ) {
        let (mut lines, mut alone) = (Vec::new(), Vec::new());
        for run in points.split(|point| point.is_none_or(|(x, y)| !self.has(x, y))) {
            let run: Vec<Point> = run
                .iter()
                .flatten()
                .map(|(x, y)| self.pixel(*x, *y))
                .collect();
            match run.len() {
                0 => {}
                1 => alone.push(run),
                _ => lines.push(self.thinned(run)),
            }
        }
        let round = |size: f32| Stroke {
            width: size,
            dashed: false,
            ..stroke
        };
        if dots > 0.0 {
            let each = lines.iter().flatten().map(|point| vec![*point]);
            let dotted: Vec<Vec<Point>> = alone.drain(..).chain(each).collect();
            shapes.push(Shape::lines("dots", dotted, round(dots)));
        }
        if !alone.is_empty() {
            shapes.push(Shape::lines("dots", alone, round(stroke.width + 2.0)));
        }
        shapes.push(Shape::lines("line", lines, stroke));
    }

    /// A line of fewer points, if it has many and runs to the right: in every column of pixels the lowest and the
    /// highest, in their order.
    fn thinned(&self, line: Vec<Point>) -> Vec<Point> {
        if (line.len() as f32) < 3.0 * self.size.0
            || line.windows(2).any(|pair| pair[1].0 < pair[0].0)
        {
            return line;
        }
        let mut kept = Vec::new();
        for column in line.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
            let (mut low, mut high) = (0, 0);
            for (i, point) in column.iter().enumerate() {
                if point.1 > column[low].1 {
                    low = i;
                }
                if point.1 < column[high].1 {
                    high = i;
                }
            }
            kept.push(column[low.min(high)]);
            if low != high {
                kept.push(column[low.max(high)]);
            }
        }
        kept
    }

    /// Ranges from low to high, joined where several fall on one column of pixels: (x, top, bottom).
    fn columns(&self, ranges: impl Iterator<Item = (Point, Point)>) -> Vec<(f32, f32, f32)> {
        let mut columns: Vec<(f32, f32, f32)> = Vec::new();
        for ((x, bottom), (_, top)) in ranges {
            match columns.last_mut() {
                Some(last) if last.0.floor() == x.floor() => {
                    (last.1, last.2) = (last.1.min(top), last.2.max(bottom));
                }
                _ => columns.push((x, top, bottom)),
            }
        }
        columns
    }

    /// A closed area for every run of edges without a gap; where several fall on one column of pixels it is as wide as
    /// the widest.
    fn band(&self, edges: &[(f64, f64, f64)]) -> Vec<Vec<Point>> {
        let runs = edges.split(|(x, low, high)| !self.has(*x, *low) || !self.has(*x, *high));
        let area = |run: &[(f64, f64, f64)]| {
            let pixels = run
                .iter()
                .map(|e| (self.pixel(e.0, e.1), self.pixel(e.0, e.2)));
            let mut columns = self.columns(pixels);
            if let [(x, top, bottom)] = columns[..] {
                // A band without neighbours is a pixel to either side.
                columns = vec![(x - 1.0, top, bottom), (x + 1.0, top, bottom)];
            }
            let above = columns.iter().map(|(x, top, _)| (*x, *top));
            above
                .chain(columns.iter().rev().map(|(x, _, bottom)| (*x, *bottom)))
                .collect()
        };
        runs.filter(|run| !run.is_empty()).map(area).collect()
    }

    fn bars(&self, points: &[(f64, f64)]) -> Vec<Vec<Point>> {
        let there = points.iter().filter(|(x, y)| self.has(*x, *y));
        let pixels: Vec<Point> = there.map(|(x, y)| self.pixel(*x, *y)).collect();
        let mut places: Vec<f32> = pixels.iter().map(|p| p.0).collect();
        places.sort_by(f32::total_cmp);
        let gaps = places.windows(2).map(|pair| pair[1] - pair[0]);
        let nearest = gaps.filter(|gap| *gap > 0.5).fold(WIDEST_BAR, f32::min);
        let half = (nearest - 1.5).max(1.0) / 2.0;
        // On a logarithmic axis there is no zero to stand on.
        let zero = self.pixel(1.0, 0.0).1;
        let floor = if zero.is_nan() {
            self.size.1
        } else {
            zero.min(self.size.1)
        };
        let bar = |(x, y): &Point| {
            vec![
                (x - half, *y),
                (x + half, *y),
                (x + half, floor),
                (x - half, floor),
            ]
        };
        pixels.iter().map(bar).collect()
    }

    fn steps(
        &self,
        steps: &[(f64, f64)],
        (colour, part): (Rgb, f32),
        edged: bool,
        shapes: &mut Vec<Shape>,
    ) {
        let mut edge: Vec<Point> = Vec::new();
        let steps: Vec<&(f64, f64)> = steps.iter().filter(|(x, y)| self.has(*x, *y)).collect();
        for (i, (x, y)) in steps.iter().enumerate() {
            let (left, top) = self.pixel(*x, *y);
            let right = steps
                .get(i + 1)
                .map_or(left, |next| self.pixel(next.0, 0.0).0);
            edge.extend([(left, top), (right, top)]);
        }
        let (Some(first), Some(last)) = (edge.first().copied(), edge.last().copied()) else {
            return;
        };
        let floor = [(last.0, self.size.1), (first.0, self.size.1)];
        let area = edge.iter().copied().chain(floor).collect();
        shapes.push(Shape::area(
            "steps",
            vec![area],
            colour::mix(PAPER, colour, part),
            1.0,
        ));
        if edged {
            shapes.push(Shape::lines("line", vec![edge], Stroke::of(colour, 1.6)));
        }
    }
}

/// The places of a polygon that lie at most [`NEAR`] of a plot beyond its edges, by cutting off what is beyond each edge in turn
/// (Sutherland and Hodgman): an ellipse far larger than the plot keeps its direction. Empty where a place is not a finite number.
fn clipped(polygon: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    /// A stroke that ends there is not seen.
    const NEAR: f64 = 0.5;
    if polygon.iter().flatten().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let edges = [(0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)];
    edges.into_iter().fold(polygon, |corners, (axis, sign)| {
        // Positive inside: the places run from −NEAR to 1 + NEAR.
        let inside = |at: [f64; 2]| 0.5 + NEAR - sign * (at[axis] - 0.5);
        let mut kept = Vec::with_capacity(corners.len() + 2);
        for (i, &to) in corners.iter().enumerate() {
            let from = corners[(i + corners.len() - 1) % corners.len()];
            let (before, now) = (inside(from), inside(to));
            if (before < 0.0) != (now < 0.0) {
                let part = before / (before - now);
                let other = 1 - axis;
                let mut cut = [0.0; 2];
                cut[axis] = 0.5 + sign * (0.5 + NEAR);
                cut[other] = from[other] + part * (to[other] - from[other]);
                kept.push(cut);
            }
            if now >= 0.0 {
                kept.push(to);
            }
        }
        kept
    })
}

#[cfg(test)]
mod tests;
