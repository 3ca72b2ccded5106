//! Times without observations, behind all else.

use crate::axis::Axis;
use crate::colour::{self, MISSING, PAPER};
use crate::figure::Layer;
use crate::timeline::{Timeline, TimelineColumn};

/// The times at which nothing was observed, paler where that holds for a part of a column.
pub(super) fn missing(timeline: &Timeline, y: &Axis) -> Vec<Layer> {
    const SHADES: f32 = 4.0;
    let shade = |column: &TimelineColumn| {
        let part = column.missing as f32 / column.bins.max(1) as f32;
        // The least part is still seen.
        (part * SHADES).ceil() as u32
    };
    let columns: Vec<(usize, u32)> = timeline.columns().iter().map(shade).enumerate().collect();
    let mut layers: Vec<Layer> = Vec::new();
    for level in 1..=SHADES as u32 {
        let runs = columns
            .chunk_by(|a, b| a.1 == b.1)
            .filter(|run| run[0].1 == level);
        let rect = |run: &[(usize, u32)]| {
            let (from, to) = (
                timeline.edges(run[0].0).0,
                timeline.edges(run[run.len() - 1].0).1,
            );
            [from, y.value(1.0), to, y.value(0.0)]
        };
        let rects: Vec<[f64; 4]> = runs.map(rect).collect();
        if !rects.is_empty() {
            layers.push(Layer::Rects {
                rects,
                colour: colour::mix(PAPER, MISSING, level as f32 / SHADES),
                behind: true,
            });
        }
    }
    layers
}
