//! One curve of a chart.

use crate::picture::{Rgb, RgbImage};

use crate::axis::Axis;
use crate::canvas;
use crate::plot::Plot;

/// The width of a line.
pub const THICKNESS: f32 = 2.6;
/// The diameter of the dots on a curve of few points, and of points without neighbours.
const DOT: f32 = 8.0;
/// The diameter of a dot in a cloud of them, and the width of the widest bar.
const SPECK: f32 = 5.0;
const WIDEST_BAR: f32 = 80.0;
/// The most points of a curve whose points are drawn as dots.
const FEW: usize = 24;
/// One curve. Points with a coordinate that cannot be shown (NaN, infinite, or 0 and below on a
/// logarithmic axis) leave a gap.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The name in the legend; a series without one is left out of it.
    pub label: String,
    /// The horizontal coordinates, `[points]`.
    pub x: Vec<f64>,
    /// The vertical coordinates, `[points]`.
    pub y: Vec<f64>,
    /// How the points are drawn.
    pub mark: Mark,
}

/// How the points of a series are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Joined in their order, with dots where they are few.
    #[default]
    Line,
    /// Each by itself.
    Dots,
    /// As bars that stand on zero; they fill the space to their nearest neighbour.
    Bars,
}

impl Series {
    /// A line through points.
    pub fn line(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self {
            label: label.into(),
            x,
            y,
            mark: Mark::Line,
        }
    }

    /// The same points with another mark.
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// The points in order; `None` where one cannot be shown on these axes.
    pub fn points(
        &self,
        log_x: bool,
        log_y: bool,
    ) -> impl Iterator<Item = Option<(f64, f64)>> + '_ {
        let shows = move |x, y| Axis::shows(x, log_x) && Axis::shows(y, log_y);
        self.x
            .iter()
            .zip(&self.y)
            .map(move |(&x, &y)| shows(x, y).then_some((x, y)))
    }
}

/// Draws `points`; a line is broken where they are `None`. Lines of few points have dots, and so has a
/// point without neighbours, which no line would show.
pub fn draw(
    picture: &mut RgbImage,
    plot: &Plot,
    points: impl Iterator<Item = Option<(f64, f64)>>,
    mark: Mark,
    colour: Rgb,
) {
    let pixels: Vec<_> = points
        .map(|point| point.map(|(x, y)| plot.pixel(x, y)))
        .collect();
    match mark {
        Mark::Line => joined(picture, &pixels, colour),
        Mark::Dots => {
            for &here in pixels.iter().flatten() {
                canvas::line(picture, here, here, SPECK, colour);
            }
        }
        Mark::Bars => bars(picture, plot, &pixels, colour),
    }
}

fn joined(picture: &mut RgbImage, pixels: &[Option<(f32, f32)>], colour: Rgb) {
    let few = pixels.len() <= FEW;
    for (index, point) in pixels.iter().enumerate() {
        let Some(here) = *point else { continue };
        let before = index.checked_sub(1).and_then(|index| pixels[index]);
        let after = pixels.get(index + 1).copied().flatten();
        if let Some(before) = before {
            canvas::line(picture, before, here, THICKNESS, colour);
        }
        if few || (before.is_none() && after.is_none()) {
            canvas::line(picture, here, here, DOT, colour);
        }
    }
}

fn bars(picture: &mut RgbImage, plot: &Plot, pixels: &[Option<(f32, f32)>], colour: Rgb) {
    let mut places: Vec<f32> = pixels.iter().flatten().map(|point| point.0).collect();
    places.sort_by(f32::total_cmp);
    let gaps = places.windows(2).map(|pair| pair[1] - pair[0]);
    let nearest = gaps.filter(|gap| *gap > 0.5).fold(WIDEST_BAR, f32::min);
    let wide = (nearest - 2.0).clamp(1.0, WIDEST_BAR);
    let bottom = plot.top + plot.height as i32;
    // On a logarithmic axis there is no zero to stand on.
    let zero = plot.pixel(1.0, 0.0).1;
    let floor = match zero.is_finite() {
        true => (zero.round() as i32).min(bottom),
        false => bottom,
    };
    for &(x, y) in pixels.iter().flatten() {
        let left = ((x - wide / 2.0).round() as i32).max(plot.left);
        let right = ((x + wide / 2.0).round() as i32).min(plot.left + plot.width as i32);
        let (top, base) = (floor.min(y.round() as i32), floor.max(y.round() as i32));
        let (wide, high) = ((right - left).max(1) as u32, (base - top) as u32);
        canvas::fill(picture, left, top, wide, high, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_cannot_be_shown_are_none() {
        let series = Series {
            label: String::new(),
            x: vec![0.0, 1.0, 2.0],
            y: vec![1.0, f64::NAN, -1.0],
            ..Series::default()
        };
        let shown = |log_x, log_y| -> Vec<bool> {
            series.points(log_x, log_y).map(|p| p.is_some()).collect()
        };
        assert_eq!(shown(false, false), [true, false, true]);
        assert_eq!(shown(true, false), [false, false, true]);
        assert_eq!(shown(false, true), [true, false, false]);
    }
}
