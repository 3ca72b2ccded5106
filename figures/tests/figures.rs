//! Every kind of figure: the structure of its SVG, and where its text stands.

#[path = "../examples/gallery/kinds.rs"]
mod kinds;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use scotopic_figures::chart::{self, Mark, Panel, Series};
use scotopic_figures::phase_portrait::PhasePortrait;
use scotopic_figures::scene::TextBox;
use scotopic_figures::tiles::Row;
use scotopic_figures::timeline::{MinMax, PhasePoint, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::{self, Trajectory};
use scotopic_figures::{Figure, Tile, animation, heat, raster, tiles};

/// The number of elements of each kind, and all text in order.
fn structure(svg: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut words = String::new();
    for element in svg.split('<').skip(1).filter(|e| !e.starts_with('/')) {
        let name = element.split([' ', '>', '/']).next().unwrap_or("");
        let class = element
            .split('>')
            .next()
            .and_then(|tag| tag.split("class=\"").nth(1))
            .and_then(|rest| rest.split('"').next());
        let name = class.map_or(name.to_owned(), |class| format!("{name}.{class}"));
        *counts.entry(name).or_default() += 1;
        if element.starts_with("text ")
            && let Some((_, text)) = element.split_once('>')
        {
            let _ = writeln!(words, "  {text}");
        }
    }
    let mut out = String::new();
    for (name, count) in counts {
        let _ = writeln!(out, "{count:>4} {name}");
    }
    out + &words
}

/// Structure, not pixels: what a figure consists of and what is written on it. `UPDATE_SNAPSHOTS=1` writes the files anew.
#[test]
fn every_kind_has_the_structure_that_is_on_record() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/structure");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    for (name, figure) in kinds::all().unwrap() {
        let path = folder.join(format!("{name}.txt"));
        let found = structure(&figure.svg());
        if update {
            std::fs::write(&path, &found).unwrap();
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, recorded, "{name}: see {}", path.display());
    }
}

/// Panics where text reaches beyond the canvas or over other text.
fn check_text(name: &str, figure: &Figure) {
    let (width, height) = figure.size();
    let boxes = figure.text_boxes();
    let overlap = |a: &TextBox, b: &TextBox| {
        let [(al, at, ar, ab), (bl, bt, br, bb)] = [a, b].map(|t| {
            let [left, top, right, bottom] = t.edges;
            (left, top, right, bottom)
        });
        al < br && bl < ar && at < bb && bt < ab
    };
    for (i, text) in boxes.iter().enumerate() {
        let [left, top, right, bottom] = text.edges;
        let inside = left >= 0.0 && top >= 0.0 && right <= width && bottom <= height;
        assert!(inside, "{name}: {text:?} on {width} x {height}");
        for other in &boxes[..i] {
            assert!(!overlap(text, other), "{name}: {text:?} over {other:?}");
        }
    }
}

#[test]
fn no_text_leaves_the_canvas_or_covers_other_text() {
    for (name, figure) in kinds::all().unwrap() {
        check_text(name, &figure);
        assert!(!figure.text_boxes().is_empty(), "{name}");
    }
}

/// Names, numbers and counts that are as awkward as they can be.
#[test]
fn awkward_text_stays_in_its_place_too() {
    let long = "a name that is much too long to be a name ".repeat(9);
    let one = "unbreakable".repeat(30);
    let series = |i: usize| Series {
        label: format!("{i} {long}"),
        x: vec![-1e9, 1e9],
        y: vec![1e-9, 12_345_678.0],
        ..Series::default()
    };
    for count in [1, 2, 3, 7] {
        let panel = |i: usize| Panel {
            title: if i.is_multiple_of(2) {
                long.clone()
            } else {
                one.clone()
            },
            x_label: long.clone(),
            y_label: long.clone(),
            series: (0..i * 4).map(series).collect(),
            ..Panel::default()
        };
        let panels: Vec<Panel> = (0..count).map(panel).collect();
        check_text(
            "charts",
            &chart::lines(&panels).unwrap().titled(&long, &one),
        );
    }
    for (low, high) in [
        (0.0, 1.0),
        (-1e-5, 1e-5),
        (1e15, 1.000_001e15),
        (-12_345.0, 67_890.0),
        (5.0, 5.0),
    ] {
        for (log, mark) in [(false, Mark::Line), (true, Mark::Bars)] {
            let series = Series::line("a", vec![low, high], vec![low, high]).marked(mark);
            let panel = Panel::new("", "x", "y", vec![series]).logarithmic(log, log);
            check_text("ranges", &chart::lines(&vec![panel; 3]).unwrap());
        }
    }
    let names = heat::Names {
        rows: &long,
        columns: &long,
        values: &long,
    };
    for sides in [[1, 1], [3, 40], [40, 3], [200, 200]] {
        let map = heat::map(
            &vec![0.1; sides[0] * sides[1]],
            sides,
            heat::Scale::Signed(12_345.678),
            names,
        );
        check_text("heat", &map.unwrap().titled(&long, &long));
    }
    for (steps, units) in [(1, 1), (1, 300), (900, 1), (7, 7)] {
        check_text(
            "raster",
            &raster::spikes(&vec![1234.5; steps * units], steps, units, &long).unwrap(),
        );
    }
    for (height, width, channels) in [(1, 1, 1), (2, 9, 3), (40, 40, 1)] {
        let tile = Tile {
            height,
            width,
            channels,
        };
        let values = vec![0.3; 2 * height * width * channels];
        let rows = [
            Row::new(&long, &values),
            Row::new("b", &values),
            Row::residual(&long, &values),
        ];
        check_text(
            "tiles",
            &tiles::reconstructions(&rows, tile, true, &long).unwrap(),
        );
        check_text("atoms", &tiles::dictionary(&values, tile, &long).unwrap());
        check_text(
            "unroll",
            &animation::unroll(&values, &values, tile, &[&long]).unwrap(),
        );
    }
    for (count, portrait, states) in [(1, false, 3), (3, true, 30), (14, true, 7), (1, true, 9)] {
        let mut timeline = Timeline::new(64);
        for t in 0..50 {
            let spans = vec![Span {
                seen: MinMax::of(1e6 * t as f64),
                ..Span::around(1e5 * t as f64, 1e4)
            }];
            let column = TimelineColumn {
                bins: 1,
                missing: 1,
                spans,
                shares: vec![1.0 / states as f64; states],
                truths: vec![1.0; states],
                ..TimelineColumn::default()
            };
            timeline.push(t + 123_456_789, column);
        }
        let mut panels = vec![trajectory::Panel::Shares(vec![long.clone(); states])];
        for _ in 0..count {
            let label = long.clone();
            panels.push(trajectory::Panel::Span {
                label: label.clone(),
                index: 0,
            });
            panels.push(trajectory::Panel::Residual { label, index: 0 });
        }
        let beside = PhasePortrait {
            labels: [long.clone(), long.clone()],
            radius: 2.0,
        };
        let figure = Trajectory {
            title: &long,
            note: &one,
            band: &long,
            panels: &panels,
            portrait: portrait.then_some(&beside),
            timeline: &timeline,
            times: None,
        };
        check_text("trajectory", &figure.picture().unwrap());
    }
}

/// A long series is a small file, and an animation one that a page can hold.
#[test]
fn a_hundred_thousand_observations_are_a_small_figure() {
    let all = kinds::all().unwrap();
    let find = |name: &str| &all.iter().find(|kind| kind.0 == name).unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, file: &str| {
        let path = folder.path().join(file);
        find(name).write(&path).unwrap();
        std::fs::metadata(path).unwrap().len()
    };
    let bytes = written("trajectory-long", "a.svg");
    assert!(bytes <= 500_000, "{bytes} bytes");
    assert_eq!(find("trajectory-phase-plot").frames.len(), 300);
    let bytes = written("trajectory-phase-plot", "a.gif");
    assert!(bytes < 4_000_000, "{bytes} bytes");
}

/// A diffuse start: the first belief knows one state, and nothing of the other.
#[test]
fn a_variance_without_end_is_drawn_in_every_format() {
    for endless in [f64::INFINITY, f64::NAN, 1e300, 1e12] {
        for covariance in [[0.25, 0.0, endless], [endless, 0.1 * endless, endless]] {
            let mut timeline = Timeline::new(8);
            for t in 1..=6 {
                let covariance = if t < 3 { covariance } else { [0.2, 0.1, 0.3] };
                let mean = [f64::from(t), 1.0 / f64::from(t)];
                let half = |v: f64| 1.6 * v.sqrt();
                let moment = TimelineColumn {
                    bins: 1,
                    spans: vec![
                        Span::around(mean[0], half(covariance[0])),
                        Span::around(mean[1], half(covariance[2])),
                    ],
                    spot: Some(PhasePoint {
                        mean,
                        covariance,
                        truth: None,
                    }),
                    ..TimelineColumn::default()
                };
                timeline.push(t as u64, moment);
            }
            let panels: Vec<trajectory::Panel> = (0..2)
                .map(|index| trajectory::Panel::Span {
                    label: format!("state {index}"),
                    index,
                })
                .collect();
            let portrait = PhasePortrait {
                labels: ["one".to_owned(), "two".to_owned()],
                radius: 2.0,
            };
            let figure = Trajectory {
                title: "A diffuse start",
                note: "",
                band: "90 % credible band",
                panels: &panels,
                portrait: Some(&portrait),
                timeline: &timeline,
                times: None,
            };
            let folder = tempfile::tempdir().unwrap();
            for name in ["a.gif", "a.png", "a.svg"] {
                let path = folder.path().join(name);
                figure.frames(6).unwrap().write(&path).unwrap();
                assert!(std::fs::metadata(&path).unwrap().len() > 1000, "{name}");
            }
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
            let svg = figure.picture().unwrap().svg();
            assert!(
                !svg.contains("NaN") && !svg.contains("inf"),
                "{covariance:?}"
            );
        }
    }
}
