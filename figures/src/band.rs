//! Bands between curves, ellipses, dashed lines.

use crate::picture::{Rgb, RgbImage};

use crate::canvas;
use crate::plot::Plot;

/// How much of the colour of an area is laid over what is below it.
pub const TINT: f32 = 0.28;
/// The pixels of a dash and of the space behind it.
const DASH: (f32, f32) = (5.0, 5.0);
/// The corners of the polygon that is drawn for an ellipse.
const CORNERS: usize = 96;

/// What a band covers of each pixel column of its plot: the top and the bottom in pixels, top first; infinite where it
/// covers nothing.
///
/// `edges` are (x, low, high) in order of x. Between two of them the band is a trapezoid, where one is NaN it has a gap,
/// and where several fall on one column it is as wide as the widest. One without neighbours is `alone` pixels wide.
pub fn cover(
    plot: &Plot,
    edges: impl Iterator<Item = (f64, f64, f64)>,
    alone: f32,
) -> Vec<(f32, f32)> {
    let mut covered = vec![(f32::INFINITY, f32::NEG_INFINITY); plot.width as usize];
    let mut widen = |column: i64, top: f32, bottom: f32| {
        if let Some(here) = usize::try_from(column)
            .ok()
            .and_then(|c| covered.get_mut(c))
        {
            *here = (here.0.min(top), here.1.max(bottom));
        }
    };
    let mut before: Option<(f32, f32, f32)> = None;
    // Whether the edges before are without neighbours so far.
    let mut single = false;
    for (x, low, high) in edges.chain([(f64::NAN, f64::NAN, f64::NAN)]) {
        if low.is_nan() || high.is_nan() {
            if let Some((x, top, bottom)) = before.filter(|_| single) {
                let reach = (alone - 1.0).max(0.0) / 2.0;
                for column in (x - reach).round() as i64..=(x + reach).round() as i64 {
                    widen(column, top, bottom);
                }
            }
            before = None;
            continue;
        }
        let ((x, bottom), (_, top)) = (plot.pixel(x, low), plot.pixel(x, high));
        let x = x - plot.left as f32;
        widen(x.round() as i64, top, bottom);
        single = before.is_none();
        if let Some((from, above, below)) = before {
            for column in from.ceil() as i64..=x.floor() as i64 {
                let part = ((column as f32 - from) / (x - from).max(f32::EPSILON)).clamp(0.0, 1.0);
                let between = |a: f32, b: f32| a + part * (b - a);
                widen(column, between(above, top), between(below, bottom));
            }
        }
        before = Some((x, top, bottom));
    }
    covered
}

/// Tints what a band covers; anything beyond the plot is cut off.
pub fn fill(picture: &mut RgbImage, plot: &Plot, covered: &[(f32, f32)], colour: Rgb) {
    let ends = (plot.top as f32, (plot.top + plot.height as i32) as f32);
    for (column, &(top, bottom)) in covered.iter().enumerate() {
        if top > bottom {
            continue;
        }
        // A band narrower than a pixel is still seen.
        let spare = (1.0 - (bottom - top)).max(0.0) / 2.0;
        let top = (top - spare).max(ends.0 - 0.5);
        let bottom = (bottom + spare).min(ends.1 - 0.5);
        if bottom > top {
            let x = plot.left + column as i32;
            tint(picture, x, top, bottom, colour);
        }
    }
}

/// Tints one pixel column from `top` to `bottom`, pixels at the ends by as much as is covered of them.
fn tint(picture: &mut RgbImage, x: i32, top: f32, bottom: f32, colour: Rgb) {
    for y in (top + 0.5).floor() as i32..=(bottom + 0.5).floor() as i32 {
        let part = (bottom.min(y as f32 + 0.5) - top.max(y as f32 - 0.5)).clamp(0.0, 1.0);
        canvas::blend(picture, x, y, colour, TINT * part);
    }
}

/// The part of a line that lies between two rows of pixels; none if it does not reach them.
pub fn clipped(
    (from, to): ((f32, f32), (f32, f32)),
    (top, bottom): (f32, f32),
) -> Option<((f32, f32), (f32, f32))> {
    if from.1.max(to.1) < top || from.1.min(to.1) > bottom {
        return None;
    }
    let high = to.1 - from.1;
    let at = |y: f32| {
        let part = if high == 0.0 {
            0.0
        } else {
            (y - from.1) / high
        };
        (from.0 + part * (to.0 - from.0), y)
    };
    let inside = |p: (f32, f32)| match (top..=bottom).contains(&p.1) {
        true => p,
        false => at(p.1.clamp(top, bottom)),
    };
    Some((inside(from), inside(to)))
}

/// Draws a line through `points` in dashes, as far as it lies between two rows of pixels; None breaks it.
pub fn dashes(
    picture: &mut RgbImage,
    points: impl Iterator<Item = Option<(f32, f32)>>,
    rows: (f32, f32),
    thickness: f32,
    colour: Rgb,
) {
    let period = DASH.0 + DASH.1;
    let (mut before, mut gone) = (None::<(f32, f32)>, 0.0f32);
    for point in points {
        if let (Some(from), Some(to)) = (before, point) {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let at = |s: f32| {
                let part = if length > 0.0 { s / length } else { 0.0 };
                (
                    from.0 + part * (to.0 - from.0),
                    from.1 + part * (to.1 - from.1),
                )
            };
            let mut s = 0.0;
            while s < length {
                let phase = (gone + s) % period;
                // At least a hundredth of a pixel, so that rounding cannot stop the loop.
                let left = match phase < DASH.0 {
                    true => DASH.0 - phase,
                    false => period - phase,
                }
                .max(0.01);
                let end = (s + left).min(length);
                if phase < DASH.0
                    && let Some((a, b)) = clipped((at(s), at(end)), rows)
                {
                    canvas::line(picture, a, b, thickness, colour);
                }
                s = end;
            }
            gone = (gone + length) % period;
        }
        before = point;
    }
}

/// The corners of the ellipse dᵀC⁻¹d = `radius`² about `mean`, in the units of the data, the first again at the end;
/// C is given by (variance, covariance, variance).
pub fn ellipse(mean: [f64; 2], [a, b, c]: [f64; 3], radius: f64) -> Vec<(f64, f64)> {
    // C = LLᵀ maps the circle to the ellipse; a variance that rounding made negative is none.
    let first = a.max(0.0).sqrt();
    let across = if first > 0.0 { b / first } else { 0.0 };
    let second = (c - across * across).max(0.0).sqrt();
    let corner = |k: usize| {
        let angle = std::f64::consts::TAU * (k % CORNERS) as f64 / CORNERS as f64;
        let (sin, cos) = (radius * angle.sin(), radius * angle.cos());
        (mean[0] + first * cos, mean[1] + across * cos + second * sin)
    };
    (0..=CORNERS).map(corner).collect()
}

/// Tints the inside of a convex polygon, whose corners are pixels; anything beyond the plot is cut off.
pub fn tint_polygon(picture: &mut RgbImage, plot: &Plot, corners: &[(f32, f32)], colour: Rgb) {
    let mut covered = vec![(f32::INFINITY, f32::NEG_INFINITY); plot.width as usize];
    for pair in corners.windows(2) {
        let (from, to) = match pair[0].0 <= pair[1].0 {
            true => (pair[0], pair[1]),
            false => (pair[1], pair[0]),
        };
        let left = plot.left as f32;
        let first = (from.0.ceil() - left).max(0.0) as usize;
        let last = (to.0.floor() - left).min(plot.width as f32 - 1.0);
        if !(last >= 0.0 && from.0.is_finite() && to.0.is_finite()) {
            continue;
        }
        for (column, covered) in covered
            .iter_mut()
            .enumerate()
            .take(last as usize + 1)
            .skip(first)
        {
            let x = left + column as f32;
            let part = ((x - from.0) / (to.0 - from.0).max(f32::EPSILON)).clamp(0.0, 1.0);
            let y = from.1 + part * (to.1 - from.1);
            *covered = (covered.0.min(y), covered.1.max(y));
        }
    }
    fill(picture, plot, &covered, colour);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Axis;
    use crate::colour::PAPER;

    const INK: Rgb = Rgb([0, 0, 0]);

    fn plot(x: (f64, f64), y: (f64, f64)) -> Plot {
        Plot {
            left: 10,
            top: 5,
            width: 101,
            height: 51,
            x: Axis::linear(x.0, x.1),
            y: Axis::linear(y.0, y.1),
        }
    }

    #[test]
    fn a_band_covers_its_mean_and_no_more_than_its_edges() {
        let plot = plot((0.0, 10.0), (-4.0, 4.0));
        let mean = |t: f64| (0.7 * t).sin();
        let half = |t: f64| 0.2 + 0.1 * t;
        let bins = || (0..=10).map(f64::from);
        let edges = bins().map(|t| (t, mean(t) - half(t), mean(t) + half(t)));
        let covered = cover(&plot, edges, 1.0);
        assert!(covered.iter().all(|(top, bottom)| top < bottom));
        for pair in bins().zip(bins().skip(1)).flat_map(|(a, b)| {
            (0..=10).map(move |i| {
                let part = f64::from(i) / 10.0;
                let m = mean(a) + part * (mean(b) - mean(a));
                (a + part, m, half(a) + part * (half(b) - half(a)))
            })
        }) {
            let (x, m, h) = pair;
            let ((px, y), (_, top)) = (plot.pixel(x, m), plot.pixel(x, m + h));
            let here = covered[(px - 10.0).round() as usize];
            assert!(here.0 < y && y < here.1, "{x}: {y} in {here:?}");
            // The edge of the trapezoid, up to the half pixel between columns.
            assert!((here.0 - top).abs() < 1.0, "{x}: {top} for {here:?}");
        }
    }

    #[test]
    fn columns_shared_by_bins_are_as_wide_as_the_widest_and_gaps_stay_open() {
        let plot = plot((0.0, 1000.0), (-4.0, 4.0));
        let edges = |t: i32| match t {
            400..600 => (f64::from(t), f64::NAN, f64::NAN),
            203 => (f64::from(t), -3.0, 3.5),
            _ => (f64::from(t), -1.0, 1.0),
        };
        let covered = cover(&plot, (0..=1000).map(edges), 1.0);
        let (_, top) = plot.pixel(0.0, 3.5);
        let (_, bottom) = plot.pixel(0.0, -3.0);
        assert_eq!(covered[20], (top, bottom));
        assert!(covered[41..59].iter().all(|c| c.0 > c.1), "a gap");
        assert!(covered[60].0 < covered[60].1);
        let mut picture = canvas::paper(130, 70).unwrap();
        fill(&mut picture, &plot, &covered, INK);
        assert_eq!(*picture.get_pixel(10 + 50, 30), PAPER);
        assert_ne!(*picture.get_pixel(10 + 20, 10), PAPER);
        assert_eq!(*picture.get_pixel(10 + 30, 10), PAPER);
    }

    #[test]
    fn a_bin_without_neighbours_has_its_width() {
        let plot = plot((0.0, 10.0), (-4.0, 4.0));
        let edges = |x: f64| (x, if x == 5.0 { -1.0 } else { f64::NAN }, 1.0);
        let covered = cover(&plot, (0..=10).map(|x| edges(x.into())), 10.0);
        let columns: Vec<usize> = (0..101).filter(|c| covered[*c].0 < covered[*c].1).collect();
        assert!((9..=11).contains(&columns.len()), "{columns:?}");
        // Bin 5 is pixel 50 of 0 to 100.
        assert!(columns.contains(&46) && columns.contains(&54));
    }

    #[test]
    fn a_band_beyond_the_plot_is_cut_off() {
        let plot = plot((0.0, 1.0), (0.0, 1.0));
        let edges = [(0.0, -9.0, 9.0), (1.0, -9.0, 9.0)];
        let covered = cover(&plot, edges.into_iter(), 1.0);
        let mut picture = canvas::paper(130, 70).unwrap();
        fill(&mut picture, &plot, &covered, INK);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = (10..111).contains(&x) && (5..56).contains(&y);
            assert_eq!(*pixel != PAPER, inside, "({x}, {y})");
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
        assert!(
            ellipse(mean, [0.0, 0.0, 1.0], 1.0)
                .iter()
                .all(|p| p.0 == 1.0)
        );
        assert!(
            ellipse(mean, [1.0, 1.0, 1.0 - 1e-18], 1.0)
                .iter()
                .all(|p| p.1.is_finite())
        );
        assert!(
            ellipse(mean, [-1e-18, 0.0, 0.0], 1.0)
                .iter()
                .all(|p| *p == (1.0, -2.0))
        );
    }

    #[test]
    fn a_polygon_is_tinted_inside_and_only_there() {
        let plot = plot((0.0, 1.0), (0.0, 1.0));
        let corners: Vec<(f32, f32)> = ellipse([60.0, 30.0], [400.0, 0.0, 100.0], 1.0)
            .into_iter()
            .map(|(x, y)| (x as f32, y as f32))
            .collect();
        let mut picture = canvas::paper(130, 70).unwrap();
        tint_polygon(&mut picture, &plot, &corners, INK);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let r = ((f64::from(x) - 60.0) / 20.0).hypot((f64::from(y) - 30.0) / 10.0);
            // A pixel on the outline is half covered.
            if r < 0.9 {
                assert_ne!(*pixel, PAPER, "({x}, {y})");
            } else if r > 1.15 {
                assert_eq!(*pixel, PAPER, "({x}, {y})");
            }
        }
    }

    #[test]
    fn lines_are_cut_at_the_rows_and_not_bent() {
        let line = ((0.0, -10.0), (40.0, 30.0));
        assert_eq!(
            clipped(line, (0.0, 20.0)),
            Some(((10.0, 0.0), (30.0, 20.0)))
        );
        let back = ((40.0, 30.0), (0.0, -10.0));
        assert_eq!(
            clipped(back, (0.0, 20.0)),
            Some(((30.0, 20.0), (10.0, 0.0)))
        );
        let flat = ((0.0, 5.0), (9.0, 5.0));
        assert_eq!(clipped(flat, (0.0, 20.0)), Some(flat));
        assert_eq!(clipped(flat, (6.0, 20.0)), None);
        assert_eq!(clipped(line, (31.0, 40.0)), None);
    }

    #[test]
    fn dashes_go_on_over_corners_and_stop_at_gaps() {
        let mut picture = canvas::paper(120, 20).unwrap();
        let points = (0..=100).map(|x| (x != 70).then_some((10.0 + x as f32, 10.0)));
        dashes(&mut picture, points, (0.0, 20.0), 1.0, INK);
        let inked = |x: u32| *picture.get_pixel(x, 10) == INK;
        let long = (10..=110).filter(|x| inked(*x)).count();
        // Half of it, with round ends that reach into neighbouring pixels.
        assert!((45..75).contains(&long), "{long}");
        assert!(inked(12) && !inked(18) && inked(22));
        assert!(!inked(80));
    }
}
