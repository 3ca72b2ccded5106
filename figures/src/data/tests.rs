use super::*;
use crate::colour::PALETTE;

fn data(x: (f64, f64), y: (f64, f64)) -> Data {
    Data {
        size: (100.0, 50.0),
        x: Axis::linear(x.0, x.1),
        y: Axis::linear(y.0, y.1),
    }
}

fn paths(data: &Data, layer: Layer) -> Vec<Path> {
    let mut shapes = Vec::new();
    data.draw(&layer, &mut shapes);
    let path = |shape| match shape {
        Shape::Path(path) => path,
        other => panic!("{other:?}"),
    };
    shapes.into_iter().map(path).collect()
}

fn line(points: Vec<Option<(f64, f64)>>) -> Layer {
    Layer::Line {
        points,
        stroke: Stroke::of(PALETTE[0], 2.0),
        dots: 0.0,
    }
}

#[test]
fn values_lie_where_the_axes_say() {
    let data = data((0.0, 10.0), (-1.0, 1.0));
    assert_eq!(data.pixel(0.0, -1.0), (0.0, 50.0));
    assert_eq!(data.pixel(10.0, 1.0), (100.0, 0.0));
    assert_eq!(data.pixel(5.0, 0.0), (50.0, 25.0));
    assert!(data.pixel(5.0, f64::INFINITY).1.is_finite());
}

#[test]
fn a_line_is_broken_at_gaps_and_a_point_without_neighbours_is_a_dot() {
    let data = data((0.0, 10.0), (0.0, 1.0));
    let at = |x: f64| Some((x, 0.5));
    let drawn = paths(
        &data,
        line(vec![
            at(0.0),
            at(1.0),
            None,
            at(5.0),
            None,
            at(8.0),
            at(9.0),
        ]),
    );
    let [dots, lines] = &drawn[..] else {
        panic!("{drawn:?}")
    };
    assert_eq!(dots.lines, [[(50.0, 25.0)]]);
    assert!(dots.stroke.unwrap().width > 2.0);
    assert_eq!(
        lines.lines,
        [[(0.0, 25.0), (10.0, 25.0)], [(80.0, 25.0), (90.0, 25.0)]]
    );
}

#[test]
fn long_lines_keep_the_lowest_and_the_highest_of_every_column() {
    let data = data((0.0, 1e5), (-10.0, 10.0));
    let value = |i: u32| match i {
        40_321 => 9.0,
        77_777 => -8.0,
        i => (f64::from(i) * 12.9898).sin(),
    };
    let drawn = paths(
        &data,
        line((0..100_000).map(|i| Some((i.into(), value(i)))).collect()),
    );
    let points = &drawn[0].lines[0];
    assert!(points.len() <= 200, "{}", points.len());
    let reach = |y: f64| data.pixel(0.0, y).1;
    let (high, low) = (points[2 * 40], points[2 * 77]);
    for (spike, y, column) in [(9.0, high, 40), (-8.0, low, 77)] {
        let of = points.iter().filter(|p| p.0.floor() as i32 == column);
        assert!(of.clone().any(|p| p.1 == reach(spike)), "{y:?}");
        assert_eq!(of.count(), 2);
    }
    assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    // A line that turns back keeps all its points.
    let circle = |i: u32| (5e4 + 4e4 * f64::from(i).cos(), f64::from(i).sin());
    let drawn = paths(&data, line((0..900).map(|i| Some(circle(i))).collect()));
    assert_eq!(drawn[0].lines[0].len(), 900);
}

#[test]
fn a_band_meets_its_edges_is_as_wide_as_the_widest_and_has_gaps() {
    let data = data((0.0, 1000.0), (-4.0, 4.0));
    let edges = |t: i32| match t {
        400..600 => (f64::from(t), f64::NAN, f64::NAN),
        203 => (f64::from(t), -3.0, 3.5),
        _ => (f64::from(t), -1.0, 1.0),
    };
    let layer = |edges| Layer::Band {
        edges,
        colour: PALETTE[0],
    };
    let drawn = paths(&data, layer((0..=1000).map(edges).collect()));
    let [before, after] = &drawn[0].lines[..] else {
        panic!("{drawn:?}")
    };
    assert!(before.iter().all(|p| p.0 < 40.0) && after.iter().all(|p| p.0 >= 60.0));
    let here: Vec<f32> = before
        .iter()
        .filter(|p| p.0.floor() == 20.0)
        .map(|p| p.1)
        .collect();
    assert_eq!(here, [data.pixel(0.0, 3.5).1, data.pixel(0.0, -3.0).1]);
    // One bin without neighbours is seen.
    let alone = paths(&data, layer(vec![(1.0, f64::NAN, 0.0), (500.0, -1.0, 1.0)]));
    let wide = alone[0].lines[0].iter().map(|p| p.0);
    assert_eq!(
        (wide.clone().fold(100.0, f32::min), wide.fold(0.0, f32::max)),
        (49.0, 51.0)
    );
}

#[test]
fn ranges_of_one_value_are_dots_and_bars_fill_the_space_between() {
    let data = data((0.0, 10.0), (0.0, 10.0));
    let ranges = vec![(2.0, 5.0, 5.0), (6.0, 1.0, 2.0), (6.05, 0.0, 1.5)];
    let drawn = paths(
        &data,
        Layer::Ranges {
            ranges,
            colour: PALETTE[0],
            width: 2.0,
        },
    );
    assert_eq!(
        drawn[0].lines,
        [vec![(20.0, 25.0)], vec![(60.0, 40.0), (60.0, 50.0)]]
    );
    let points = vec![(2.0, 4.0), (4.0, 8.0), (8.0, 2.0)];
    let bars = paths(
        &data,
        Layer::Bars {
            points,
            colour: PALETTE[0],
        },
    );
    assert_eq!(
        bars[0].lines[1],
        [(30.75, 10.0), (49.25, 10.0), (49.25, 50.0), (30.75, 50.0)]
    );
}

#[test]
fn steps_go_on_to_the_next_place() {
    let data = data((0.0, 10.0), (0.0, 1.0));
    let steps = vec![(0.0, 0.5), (5.0, 1.0), (10.0, 1.0)];
    let drawn = paths(
        &data,
        Layer::Steps {
            steps,
            fill: (PALETTE[0], 0.5),
            edged: true,
        },
    );
    let edge = [(0.0, 25.0), (50.0, 25.0), (50.0, 0.0), (100.0, 0.0)];
    assert_eq!(drawn[1].lines[0][..4], edge);
    assert_eq!(drawn[0].lines[0].last(), Some(&(0.0, 50.0)));
}

#[test]
fn what_has_no_place_is_left_out() {
    let data = data((0.0, 10.0), (0.0, 1.0));
    let bad = f64::NAN;
    let number = |paths: Vec<Path>| -> usize { paths.iter().map(|p| p.lines.len()).sum() };
    let points = vec![(1.0, 0.5), (bad, 0.5), (2.0, bad), (3.0, f64::INFINITY)];
    let ranges = vec![
        (1.0, 0.1, 0.2),
        (2.0, bad, 0.3),
        (3.0, 0.1, bad),
        (bad, 0.1, 0.2),
    ];
    let (colour, size) = (PALETTE[0], 2.0);
    let dots = paths(
        &data,
        Layer::Dots {
            points: points.clone(),
            colour,
            size,
        },
    );
    assert_eq!(number(dots), 2);
    assert_eq!(
        number(paths(
            &data,
            Layer::Bars {
                points: points.clone(),
                colour
            }
        )),
        2
    );
    let uprights = Layer::Ranges {
        ranges,
        colour,
        width: 1.0,
    };
    assert_eq!(number(paths(&data, uprights)), 1);
    let rects = vec![[0.0, 0.0, 1.0, 1.0], [0.0, bad, 1.0, 1.0]];
    assert_eq!(
        number(paths(
            &data,
            Layer::Rects {
                rects,
                colour,
                behind: false
            }
        )),
        1
    );
    let polygon = Layer::Polygon {
        corners: points.clone(),
        colour,
    };
    assert_eq!(paths(&data, polygon)[0].lines, [vec![]]);
    let mut drawn = paths(&data, line(points.iter().copied().map(Some).collect()));
    drawn.extend(paths(
        &data,
        Layer::Steps {
            steps: points.clone(),
            fill: (colour, 0.5),
            edged: true,
        },
    ));
    let edges = points.iter().map(|(x, y)| (*x, 0.0, *y)).collect();
    drawn.extend(paths(&data, Layer::Band { edges, colour }));
    for (x, y) in drawn.iter().flat_map(|path| path.lines.iter().flatten()) {
        assert!(x.is_finite() && y.is_finite(), "{drawn:?}");
    }
}

/// The ellipse of the directions (1, ½) and (−½, 1)·10⁻³ about the middle of a plot, times 10¹² and 10⁻¹.
#[test]
fn a_polygon_far_larger_than_the_plot_keeps_its_direction() {
    let data = data((-1.0, 1.0), (-1.0, 1.0));
    let corners = |scale: f64| -> Vec<(f64, f64)> {
        let corner = |k: u32| {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(k) / 72.0).sin_cos();
            (scale * (cos - 5e-4 * sin), scale * (0.5 * cos + 1e-3 * sin))
        };
        (0..72).map(corner).collect()
    };
    let colour = PALETTE[0];
    let small = corners(0.1);
    let drawn = paths(
        &data,
        Layer::Polygon {
            corners: small.clone(),
            colour,
        },
    );
    let expected: Vec<Point> = small.iter().map(|(x, y)| data.pixel(*x, *y)).collect();
    for (found, expected) in drawn[0].lines[0].iter().zip(&expected) {
        // The rounding of a pixel to single precision.
        assert!((found.0 - expected.0).abs() < 1e-4 && (found.1 - expected.1).abs() < 1e-4);
    }
    // A strip of the slope ½, as wide as 10⁹ plots: it covers the plot, up to half a plot beyond.
    let drawn = paths(
        &data,
        Layer::Polygon {
            corners: corners(1e12),
            colour,
        },
    );
    let line = &drawn[0].lines[0];
    assert!(
        line.iter()
            .all(|(x, y)| (-50.1..=150.1).contains(x) && (-25.1..=75.1).contains(y))
    );
    let across = |of: fn(&Point) -> f32| {
        let values = || line.iter().map(of);
        (
            values().fold(f32::INFINITY, f32::min),
            values().fold(f32::NEG_INFINITY, f32::max),
        )
    };
    assert_eq!(
        (across(|p| p.0), across(|p| p.1)),
        ((-50.0, 150.0), (-25.0, 75.0))
    );
    // Far longer than wide: a line of the slope ½ through the middle.
    let thin: Vec<(f64, f64)> = corners(1e12).iter().map(|(x, _)| (*x, 0.5 * x)).collect();
    let drawn = paths(
        &data,
        Layer::Polygon {
            corners: thin,
            colour,
        },
    );
    for (x, y) in &drawn[0].lines[0] {
        // y = ½ x, in pixels of 100 by 50, downwards; a place of 10¹² is known to 10⁻⁴, which is a hundredth of a pixel here.
        assert!((y - 25.0 + 0.25 * (x - 50.0)).abs() < 0.05, "({x}, {y})");
    }
}
