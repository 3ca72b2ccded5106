//! Phase portraits: one state against another, its trajectory, and the credible ellipse.

use crate::picture::RgbImage;

use crate::axis::Axis;
use crate::band;
use crate::canvas;
use crate::colour::{self, INK, OKABE_ITO, PAPER};
use crate::plot::{self, Along, Plot};
use crate::timeline::{PhasePoint, Timeline};

/// The columns whose trajectory is drawn in full colour; earlier ones are pale.
const RECENT: usize = 48;
/// The opacity of the earlier trajectory.
const PALE: f32 = 0.3;

/// Which two quantities a portrait shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PhasePortrait {
    /// What they are called: along the horizontal and the vertical axis.
    pub labels: [String; 2],
    /// The Mahalanobis radius of the ellipse.
    pub radius: f64,
}

impl PhasePortrait {
    /// The axes that hold every mean and all that is true; none without a spot.
    pub fn axes(timeline: &Timeline) -> Option<(Axis, Axis)> {
        let spots = || timeline.columns().iter().filter_map(|c| c.spot);
        let axis = |i: usize| {
            let values = spots().flat_map(move |s| [Some(s.mean[i]), s.truth.map(|t| t[i])]);
            Axis::around(values.flatten(), false, 0.08)
        };
        axis(0).zip(axis(1))
    }

    /// Draws the first `upto` columns of `timeline` in a square of `side` pixels, axes and labels within it.
    pub fn draw(
        &self,
        picture: &mut RgbImage,
        (left, top, side): (i32, i32, u32),
        timeline: &Timeline,
        upto: usize,
    ) {
        let unit = Axis::linear(0.0, 1.0);
        let (x, y) = Self::axes(timeline).unwrap_or((unit, unit));
        let y_ticks = y.ticks(6);
        let beside = Along {
            ticks: &y_ticks,
            label: &self.labels[1],
        };
        let room = plot::side_width(beside).min(side / 2);
        let width = side - room;
        let x_ticks = plot::fitting_ticks(x, width);
        let plot = Plot {
            left: left + room as i32,
            top,
            width,
            height: side.saturating_sub(plot::BELOW).max(2),
            x,
            y,
        };
        plot.grid(picture, &x_ticks, &y_ticks);
        let columns = &timeline.columns()[..upto.min(timeline.columns().len())];
        let place = |at: [f64; 2]| plot.pixel(at[0], at[1]);
        way(
            picture,
            columns.iter().map(|c| c.spot.map(|s| place(s.mean))),
        );
        let recent = columns.len().saturating_sub(RECENT);
        let truth = |spot: Option<PhasePoint>| spot?.truth.map(place);
        let truths = columns[recent..].iter().map(|c| truth(c.spot));
        band::dashes(picture, truths, plot.rows(), 1.5, INK);
        if let Some(spot) = columns.iter().rev().find_map(|c| c.spot) {
            self.ellipse(picture, &plot, &spot);
        }
        plot.side(picture, beside);
        let below = Along {
            ticks: &x_ticks,
            label: &self.labels[0],
        };
        plot.bottom(picture, below);
    }

    fn ellipse(&self, picture: &mut RgbImage, plot: &Plot, spot: &PhasePoint) {
        let blue = OKABE_ITO[0];
        let corners: Vec<(f32, f32)> = band::ellipse(spot.mean, spot.covariance, self.radius)
            .into_iter()
            .map(|(x, y)| plot.pixel(x, y))
            .collect();
        band::tint_polygon(picture, plot, &corners, blue);
        let inside = |p: &(f32, f32)| {
            let (x, y) = (p.0 - plot.left as f32, p.1 - plot.top as f32);
            (0.0..plot.width as f32).contains(&x) && (0.0..plot.height as f32).contains(&y)
        };
        for pair in corners.windows(2) {
            if pair.iter().all(inside) {
                canvas::line(picture, pair[0], pair[1], 1.4, blue);
            }
        }
        let here = plot.pixel(spot.mean[0], spot.mean[1]);
        canvas::line(picture, here, here, 7.0, blue);
        if let Some(truth) = spot.truth {
            let there = plot.pixel(truth[0], truth[1]);
            canvas::line(picture, there, there, 6.0, INK);
            canvas::line(picture, there, there, 2.5, PAPER);
        }
    }
}

/// The trajectory of the mean: pale, its end in full colour.
fn way(picture: &mut RgbImage, points: impl Iterator<Item = Option<(f32, f32)>>) {
    let points: Vec<_> = points.collect();
    let recent = points.len().saturating_sub(RECENT);
    for (index, pair) in points.windows(2).enumerate() {
        if let (Some(from), Some(to)) = (pair[0], pair[1]) {
            let old = index + 1 < recent;
            let part = if old { PALE } else { 1.0 };
            let colour = colour::mix(PAPER, OKABE_ITO[0], part);
            canvas::line(picture, from, to, if old { 1.4 } else { 2.2 }, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::TimelineColumn;

    fn circle(bins: u64, truth: bool) -> Timeline {
        let mut timeline = Timeline::new(256);
        for t in 0..bins {
            let at = [(0.1 * t as f64).cos(), (0.1 * t as f64).sin()];
            let spot = PhasePoint {
                mean: at,
                covariance: [0.04, 0.0, 0.01],
                truth: truth.then_some(at),
            };
            let moment = TimelineColumn {
                bins: 1,
                spot: Some(spot),
                ..TimelineColumn::default()
            };
            timeline.push(t, moment);
        }
        timeline
    }

    fn portrait() -> PhasePortrait {
        PhasePortrait {
            labels: ["one".to_owned(), "two".to_owned()],
            radius: 2.0,
        }
    }

    #[test]
    fn the_ellipse_moves_with_the_belief_and_the_axes_stand_still() {
        let timeline = circle(63, true);
        let drawn = |upto: usize| {
            let mut picture = canvas::paper(420, 420).unwrap();
            portrait().draw(&mut picture, (10, 10, 400), &timeline, upto);
            picture
        };
        let (early, late) = (drawn(1), drawn(32));
        let tint = colour::mix(PAPER, OKABE_ITO[0], band::TINT);
        let middle = |picture: &RgbImage| {
            let tinted = picture.enumerate_pixels().filter(|p| *p.2 == tint);
            let (n, x) = tinted.fold((0.0, 0.0), |(n, x), p| (n + 1.0, x + f64::from(p.0)));
            assert!(n > 100.0, "{n}");
            x / n
        };
        // From (1, 0) to (−1, 0).
        assert!(middle(&early) > middle(&late) + 150.0);
        let axes = |picture: &RgbImage| -> Vec<u32> {
            (0..420)
                .filter(|y| *picture.get_pixel(100, *y) == INK)
                .filter(|y| *y > 330)
                .collect()
        };
        assert_eq!(axes(&early), axes(&late));
    }

    #[test]
    fn a_portrait_without_a_spot_is_an_empty_frame() {
        let mut picture = canvas::paper(220, 220).unwrap();
        portrait().draw(&mut picture, (10, 10, 200), &Timeline::new(4), 0);
        assert!(picture.pixels().all(|p| *p != OKABE_ITO[0]));
    }
}
