//! The figure of `scotopic summary`: how wide the intervals of its estimates are.

use anyhow::{Result, anyhow};
use scotopic_figures::Figure;
use scotopic_figures::axis::{Axis, Tick};
use scotopic_figures::colour::PALETTE;
use scotopic_figures::figure::{Layer, Plot, Side, Ticks};
use scotopic_filtering::Summary;

/// The most parameters that are shown.
const MOST: usize = 24;
/// Width of a parameter and of the least figure, and the height of the data, in pixels.
const EACH: f32 = 150.0;
const LEAST: f32 = 330.0;
const HEIGHT: f32 = 230.0;

/// The interval of every estimate that has one, in parts of the estimate: parameters of all units on one axis.
///
/// # Errors
/// If none has an interval, or all that have are 0.
pub fn picture(summary: &Summary, title: String) -> Result<Figure> {
    let parts = summary.estimates.iter().filter_map(|estimate| {
        let ends = estimate.interval.filter(|_| estimate.value != 0.0)?;
        Some((estimate.name.as_str(), ends.map(|end| end / estimate.value)))
    });
    let all: Vec<(&str, [f64; 2])> = parts
        .filter(|(_, ends)| ends.iter().all(|e| e.is_finite()))
        .collect();
    let shown = &all[..all.len().min(MOST)];
    let ends = shown.iter().flat_map(|(_, ends)| *ends).chain([1.0]);
    let axis = Axis::around(ends, false, 0.06).filter(|_| !shown.is_empty());
    let axis = axis.ok_or_else(|| anyhow!("--figure: no estimate has an interval to draw"))?;
    let place = |k: usize| k as f64 + 1.0;
    let tick = |(k, (name, _)): (usize, &(&str, [f64; 2]))| Tick {
        value: place(k),
        label: (*name).to_owned(),
    };
    let range = |(k, (_, ends)): (usize, &(&str, [f64; 2]))| {
        (place(k), ends[0].min(ends[1]), ends[0].max(ends[1]))
    };
    let names = shown.iter().enumerate().map(tick).collect();
    let x = Axis::linear(0.5, shown.len() as f64 + 0.5);
    let layers = vec![
        Layer::Ranges {
            ranges: shown.iter().enumerate().map(range).collect(),
            colour: PALETTE[0],
            width: 3.0,
        },
        Layer::Dots {
            points: (0..shown.len()).map(|k| (place(k), 1.0)).collect(),
            colour: PALETTE[0],
            size: 9.0,
        },
    ];
    let left_out = match all.len() - shown.len() {
        0 => String::new(),
        _ => format!(", the first {MOST} of {}", all.len()),
    };
    let percent = 100.0 * summary.level;
    let plot = Plot::new(
        (0, 0),
        ((shown.len() as f32 * EACH).max(LEAST), HEIGHT),
        Side::new(x, "parameter", Ticks::Numbers(names)),
        Side::new(axis, "part of the estimate", Ticks::Round),
        layers,
    );
    let figure = Figure {
        plots: vec![plot],
        ..Figure::default()
    };
    Ok(figure.titled(
        title,
        format!("intervals of {percent} %, each in parts of its estimate{left_out}"),
    ))
}
