use super::*;
use crate::timeline::{COLUMNS, PhasePoint};

fn timeline(bins: u64, value: impl Fn(u64) -> (f64, f64)) -> Timeline {
    let mut timeline = Timeline::new(COLUMNS);
    for t in 1..=bins {
        let (mean, half) = value(t);
        let missing = (bins / 2..bins / 2 + bins / 10).contains(&t);
        let seen = match missing {
            true => MinMax::NONE,
            false => MinMax::of(mean + 0.3 * (t as f64 * 12.9898).sin()),
        };
        let moment = TimelineColumn {
            bins: 1,
            missing: u64::from(missing),
            spans: vec![Span {
                truth: MinMax::of(mean + 0.1),
                seen,
                ..Span::around(mean, half)
            }],
            spot: Some(PhasePoint {
                mean: [mean, -mean],
                covariance: [half, 0.0, half],
                truth: None,
            }),
            ..TimelineColumn::default()
        };
        timeline.push(t, moment);
    }
    timeline
}

fn panels(count: usize) -> Vec<Panel> {
    let panel = |i: usize| Panel::Span {
        label: format!("state {}", i + 1),
        index: 0,
    };
    (0..count).map(panel).collect()
}

fn figure<'a>(timeline: &'a Timeline, panels: &'a [Panel]) -> Trajectory<'a> {
    Trajectory {
        title: "A model",
        note: "some bins",
        band: "90 % credible band",
        panels,
        portrait: None,
        timeline,
        times: None,
    }
}

/// The paths of a class in the SVG of a figure: how high and how low their points lie, in their plots.
fn reach(svg: &str, class: &str) -> (f64, f64) {
    let paths = svg
        .split("<path ")
        .filter(|p| p.starts_with(&format!("class=\"{class}\"")));
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for path in paths {
        let d = path
            .split("d=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        // Every number and every command apart, an 'M1 2l.5-3' as M 1 2 l .5 -3.
        let mut apart = String::new();
        for c in d.chars() {
            let point = apart.rsplit(' ').next().is_some_and(|n| n.contains('.'));
            if c.is_alphabetic() || c == '-' || (c == '.' && point) {
                apart.push(' ');
            }
            apart.push(c);
            if c.is_alphabetic() {
                apart.push(' ');
            }
        }
        let (mut y, mut command, mut numbers) = (0.0, "", Vec::new());
        for part in apart.split_whitespace() {
            let Ok(number) = part.parse::<f64>() else {
                command = part;
                continue;
            };
            numbers.push(number);
            y = match (command, &numbers[..]) {
                ("M", [_, to]) => *to,
                ("l", [_, step]) | ("v", [step]) => y + step,
                ("h", [_]) => y,
                _ => continue,
            };
            numbers.clear();
            (low, high) = (low.max(y), high.min(y));
        }
    }
    (high, low)
}

#[test]
fn one_bin_that_stands_out_is_seen_among_a_hundred_thousand() {
    let drawn = |at: Option<u64>| {
        let timeline = timeline(100_000, |t| (if Some(t) == at { 5.0 } else { 0.0 }, 0.5));
        assert!(timeline.each() > 1);
        let panels = panels(1);
        let svg = figure(&timeline, &panels).picture().unwrap().svg();
        assert!(svg.len() < 500_000, "{}", svg.len());
        // Observations, mean and band all rise at that bin.
        ["ranges", "line", "band"].map(|class| reach(&svg, class).0)
    };
    let high = f64::from(TALLEST as f32);
    let tops = drawn(Some(40_321));
    assert!(
        tops.iter().all(|top| *top < high / 8.0),
        "{tops:?} of {high}"
    );
    let [observed, mean, _] = drawn(None);
    assert!(observed > 0.0 && mean > high / 4.0, "{observed}, {mean}");
}

#[test]
fn a_start_that_is_hardly_known_does_not_flatten_the_rest() {
    let timeline = timeline(100, |t| (0.0, if t < 4 { 1000.0 } else { 1.0 }));
    let axis = span_axis(&timeline, 0).unwrap();
    assert!(axis.place(1.0) - axis.place(-1.0) > 0.8);
    // A belief that is nowhere better known is shown as wide as it is.
    let wide = self::timeline(100, |_| (0.0, 1000.0));
    let axis = span_axis(&wide, 0).unwrap();
    assert!(axis.place(1000.0) <= 1.0 && axis.place(-1000.0) >= 0.0);
}

#[test]
fn what_is_left_is_centred_on_zero_and_cut_off_at_the_edges_of_its_panel() {
    let timeline = timeline(200, |t| (if t == 60 { 500.0 } else { 0.0 }, 1.0));
    let axis = residual_axis(&timeline, 0).unwrap();
    assert!(axis.place(500.0) > 10.0 && axis.place(1.0) < 1.0);
    assert_eq!(axis.place(0.0), 0.5);
    let label = "error".to_owned();
    let panels = [Panel::Residual { label, index: 0 }];
    let picture = figure(&timeline, &panels).picture().unwrap().pixels();
    // The spike goes on beyond the panel, and nothing of it is drawn between the panel and the legend.
    let blue = picture.enumerate_pixels().filter(|p| *p.2 == PALETTE[0]);
    let rows: std::collections::BTreeSet<u32> = blue.map(|p| p.1).collect();
    let gap = rows.iter().zip(rows.iter().skip(1)).any(|(a, b)| b - a > 8);
    assert!(gap, "{rows:?}");
}

#[test]
fn the_legend_names_what_is_there_and_observations_are_grey() {
    let timeline = timeline(100, |t| (t as f64, 1.0));
    let panels = panels(2);
    let legend = figure(&timeline, &panels).legend();
    let named: Vec<&str> = legend.iter().map(|entry| entry.name.as_str()).collect();
    let expected = [
        "mean, 90 % credible band",
        "truth",
        "observed",
        "nothing observed",
    ];
    assert_eq!(named, expected);
    assert_eq!(legend[2].swatch, Swatch::Dot(OBSERVED));
    let states = (0..7).map(|state| colour::series(state, 7));
    assert!(states.into_iter().all(|colour| colour != OBSERVED));
    assert_eq!(figure(&Timeline::new(4), &panels).legend(), []);
    // A mean beside states has the colour of none.
    let beside = [Panel::Shares(vec![String::new(); 3]), panels[0].clone()];
    let mean = figure(&timeline, &beside).colour();
    assert!((0..3).all(|state| colour::series(state, 3) != mean));
}

#[test]
fn frames_are_few_go_on_and_end_with_everything() {
    let timeline = timeline(1000, |t| ((t as f64 / 50.0).sin(), 0.2));
    let panels = panels(2);
    let figure = figure(&timeline, &panels);
    let moving = figure.frames(7).unwrap();
    let ends: Vec<Option<f64>> = moving.frames.iter().map(|frame| frame.until).collect();
    assert_eq!(ends.len(), 7);
    assert!(ends[..6].windows(2).all(|pair| pair[0] < pair[1]));
    assert!((143.0..145.0).contains(&ends[0].unwrap()) && ends[6].is_none());
    assert_eq!(moving.svg(), figure.picture().unwrap().svg());
    assert_eq!(figure.frames(5000).unwrap().frames.len(), 1000);
}

#[test]
fn no_bins_give_empty_panels_and_no_panels_an_error() {
    let empty = Timeline::new(4);
    let panels = panels(2);
    assert!(
        figure(&empty, &panels)
            .picture()
            .unwrap()
            .svg()
            .contains("no values to show")
    );
    assert_eq!(figure(&empty, &panels).frames(9).unwrap().frames.len(), 1);
    let error = figure(&empty, &[]).picture().unwrap_err().to_string();
    assert!(error.contains("no panels"), "{error}");
}
