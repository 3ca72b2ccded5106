//! Phase portraits: one state against another, its trajectory, and the credible ellipse.

use crate::axis::Axis;
use crate::colour::{INK, PALETTE, PAPER};
use crate::figure::{Layer, Plot, Side, Ticks};
use crate::scene::Stroke;
use crate::timeline::{PhasePoint, Timeline};

/// The columns whose trajectory is drawn in full colour; earlier ones are pale.
const RECENT: usize = 48;
/// The opacity of the earlier trajectory.
const PALE: f32 = 0.3;
/// The corners of the polygon that is drawn for an ellipse.
const CORNERS: usize = 72;

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

    /// The portrait of all columns, `side` pixels wide and high.
    pub(crate) fn plot(&self, at: (usize, usize), side: f32, timeline: &Timeline) -> Plot {
        let unit = Axis::linear(0.0, 1.0);
        let (x, y) = Self::axes(timeline).unwrap_or((unit, unit));
        let side_of = |axis, i: usize| Side::new(axis, &self.labels[i], Ticks::Round);
        let layers = self.layers(timeline, timeline.columns().len());
        Plot {
            beside: true,
            ..Plot::new(at, (side, side), side_of(x, 0), side_of(y, 1), layers)
        }
    }

    /// What the first `upto` columns show.
    pub(crate) fn layers(&self, timeline: &Timeline, upto: usize) -> Vec<Layer> {
        let columns = &timeline.columns()[..upto.min(timeline.columns().len())];
        let recent = columns.len().saturating_sub(RECENT);
        let blue = PALETTE[0];
        let line = |points: Vec<Option<(f64, f64)>>, stroke| Layer::Line {
            points,
            stroke,
            dots: 0.0,
        };
        let means = |from: usize, to: usize| {
            let spots = columns[from..to].iter().map(|c| c.spot);
            spots
                .map(|spot| spot.map(|s| (s.mean[0], s.mean[1])))
                .collect()
        };
        let truth = |spot: PhasePoint| spot.truth.map(|t| (t[0], t[1]));
        let truths = columns[recent..].iter().map(|c| c.spot.and_then(truth));
        let pale = Stroke {
            opacity: PALE,
            ..Stroke::of(blue, 1.1)
        };
        let dashed = Stroke {
            dashed: true,
            ..Stroke::of(INK, 1.2)
        };
        let mut layers = vec![
            line(means(0, (recent + 1).min(columns.len())), pale),
            line(means(recent, columns.len()), Stroke::of(blue, 1.8)),
            line(truths.collect(), dashed),
        ];
        let Some(spot) = columns.iter().rev().find_map(|c| c.spot) else {
            return layers;
        };
        let dot = |at: [f64; 2], colour, size| Layer::Dots {
            points: vec![(at[0], at[1])],
            colour,
            size,
        };
        // A variance without end has no ellipse.
        let corners = ellipse(spot.mean, spot.covariance, self.radius);
        let ends = spot.covariance.iter().all(|v| v.is_finite());
        if ends && corners.iter().all(|(x, y)| x.is_finite() && y.is_finite()) {
            layers.push(Layer::Polygon {
                corners,
                colour: blue,
            });
        }
        layers.push(dot(spot.mean, blue, 6.0));
        if let Some(truth) = spot.truth {
            layers.extend([dot(truth, INK, 5.5), dot(truth, PAPER, 2.2)]);
        }
        layers
    }
}

/// The corners of the ellipse dᵀC⁻¹d = `radius`² about `mean`, in the units of the data; C is given by (variance,
/// covariance, variance).
fn ellipse(mean: [f64; 2], [a, b, c]: [f64; 3], radius: f64) -> Vec<(f64, f64)> {
    // C = LLᵀ maps the circle to the ellipse; a variance that rounding made negative is none.
    let first = a.max(0.0).sqrt();
    let across = if first > 0.0 { b / first } else { 0.0 };
    let second = (c - across * across).max(0.0).sqrt();
    let corner = |k: usize| {
        let angle = std::f64::consts::TAU * k as f64 / CORNERS as f64;
        let (sin, cos) = (radius * angle.sin(), radius * angle.cos());
        (mean[0] + first * cos, mean[1] + across * cos + second * sin)
    };
    (0..CORNERS).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::TimelineColumn;

    fn circle(bins: u64) -> Timeline {
        let mut timeline = Timeline::new(256);
        for t in 0..bins {
            let at = [(0.1 * t as f64).cos(), (0.1 * t as f64).sin()];
            let spot = PhasePoint {
                mean: at,
                covariance: [0.04, 0.0, 0.01],
                truth: Some(at),
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
    fn the_ellipse_moves_with_the_belief_and_its_trail_is_pale_where_it_is_old() {
        let timeline = circle(63);
        let middle = |upto: usize| {
            let layers = portrait().layers(&timeline, upto);
            let corners = layers.iter().find_map(|layer| match layer {
                Layer::Polygon { corners, .. } => Some(corners.clone()),
                _ => None,
            });
            let corners = corners.unwrap();
            corners.iter().map(|c| c.0).sum::<f64>() / corners.len() as f64
        };
        // From (1, 0) to (−1, 0).
        assert!((middle(1) - 1.0).abs() < 1e-9 && middle(32) < -0.99);
        let layers = portrait().layers(&timeline, 63);
        let lengths: Vec<usize> = layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Line { points, .. } => Some(points.len()),
                _ => None,
            })
            .collect();
        // The two parts share a point.
        assert_eq!(lengths, [63 - RECENT + 1, RECENT, RECENT]);
    }

    #[test]
    fn a_portrait_without_a_spot_is_an_empty_frame() {
        let plot = portrait().plot((0, 1), 200.0, &Timeline::new(4));
        assert!(
            plot.layers
                .iter()
                .all(|layer| matches!(layer, Layer::Line { points, .. } if points.is_empty()))
        );
    }

    #[test]
    fn a_variance_without_end_has_no_ellipse() {
        for endless in [f64::INFINITY, f64::NAN] {
            let at = [[0.25, 0.0, endless], [endless, 0.0, 0.25], [endless; 3]];
            for covariance in at {
                let mut timeline = circle(2);
                let spot = PhasePoint {
                    mean: [0.5, 0.5],
                    covariance,
                    truth: None,
                };
                let moment = TimelineColumn {
                    bins: 1,
                    spot: Some(spot),
                    ..TimelineColumn::default()
                };
                timeline.push(2, moment);
                let layers = portrait().layers(&timeline, 3);
                let polygon = |l: &Layer| matches!(l, Layer::Polygon { .. });
                assert!(!layers.iter().any(polygon), "{covariance:?}");
                assert!(layers.iter().any(|l| matches!(l, Layer::Dots { .. })));
            }
        }
    }

    #[test]
    fn an_ellipse_lies_where_its_covariance_says() {
        let (mean, [a, b, c], radius) = ([1.0, -2.0], [4.0, 1.2, 0.9], 1.5);
        let det = a * c - b * b;
        for (x, y) in ellipse(mean, [a, b, c], radius) {
            let (dx, dy) = (x - mean[0], y - mean[1]);
            let squared = (c * dx * dx - 2.0 * b * dx * dy + a * dy * dy) / det;
            // The rounding of a dozen products.
            assert!((squared - radius * radius).abs() < 1e-12, "{squared}");
        }
        // A line, a point, and what rounding left of a covariance.
        let all = |covariance, has: &dyn Fn(&(f64, f64)) -> bool| {
            assert!(ellipse(mean, covariance, 1.0).iter().all(has));
        };
        all([0.0, 0.0, 1.0], &|p| p.0 == 1.0);
        all([1.0, 1.0, 1.0 - 1e-18], &|p| p.1.is_finite());
        all([-1e-18, 0.0, 0.0], &|p| *p == (1.0, -2.0));
    }
}
