//! Spikes of a population over time, with its mean rate above.

use crate::axis::{Axis, Tick, whole};
use crate::colour::{self, PALETTE, PAPER};
use crate::counts::{by_activity, check, mean_counts};
use crate::error::FigureError;
use crate::figure::{Entry, Figure, Layer, Plot, Side, Swatch, Ticks};
use crate::picture::{Rgb, RgbImage};

/// The width and height that the raster aims at; it is larger where steps or units are many.
const WIDTH: usize = 800;
const HEIGHT: usize = 420;
const RATE_HEIGHT: f32 = 100.0;
/// The largest side of a cell.
const CELL: usize = 30;

/// Draws the spikes of `units` over `steps` as a raster.
///
/// `counts` is `[steps, units]`, the number of spikes of every unit in every step. Time runs to the
/// right from step 1. Units are sorted by their total count, the most active at the top (equal
/// ones in the order given); silent units are left out and counted in a note. The darkest cells
/// hold the highest count. Above the raster is the mean count over all units, silent ones too.
///
/// # Errors
/// [`FigureError`] if there is nothing to draw, the lengths do not match, or a count is negative or not finite.
pub fn spikes(
    counts: &[f32],
    steps: usize,
    units: usize,
    title: &str,
) -> Result<Figure, FigureError> {
    check(counts, steps, units)?;
    let order = by_activity(counts, units);
    let most = counts.iter().copied().fold(0.0, f32::max);
    let rates = mean_counts(counts, units);
    let shown = order.len();
    let wide = (cell(WIDTH, steps) * steps) as f32;
    let high = match shown {
        0 => HEIGHT / 4,
        shown => cell(HEIGHT, shown) * shown,
    };
    let end = steps as f64 + 0.5;
    let x = Axis::linear(0.5, end);
    let peak = rates.iter().copied().fold(0.0, f64::max);
    let rate = Axis::linear(0.0, if peak > 0.0 { peak * 1.08 } else { 1.0 });
    // Rank 1 is at the top: the axis runs downwards.
    let last = shown.max(1) as f64 + 0.5;
    let rank = Axis::linear(last, 0.5);
    let bins = rates
        .iter()
        .zip(1..)
        .map(|(rate, step)| (f64::from(step) - 0.5, *rate));
    let steps_of_rate = bins.chain(rates.last().map(|rate| (end, *rate))).collect();
    let above = Plot::new(
        (0, 0),
        (wide, RATE_HEIGHT),
        Side::new(x, "", Ticks::Silent),
        Side::new(rate, "spikes per unit", Ticks::Round),
        vec![Layer::Steps {
            steps: steps_of_rate,
            fill: (PALETTE[0], 0.25),
            edged: true,
        }],
    );
    let cells = order
        .iter()
        .flat_map(|unit| (0..steps).map(move |step| counts[step * units + unit]));
    let layer = match shown {
        0 => Layer::Words {
            at: (x.value(0.5), rank.value(0.5)),
            words: "no unit spiked".to_owned(),
            centred: true,
        },
        _ => Layer::Image {
            corners: [0.5, 0.5, end, last],
            picture: RgbImage::of(
                steps as u32,
                shown as u32,
                cells.map(|c| shade(c, most)).collect(),
            ),
        },
    };
    let raster = Plot {
        legend: samples(most),
        ..Plot::new(
            (1, 0),
            (wide, high as f32),
            Side::new(x, "time step", Ticks::Whole),
            Side::new(rank, "unit (rank)", Ticks::Numbers(ranks(shown))),
            vec![layer],
        )
    };
    Figure {
        title: title.to_owned(),
        note: format!(
            "{} of {units} units silent; the most active are at the top",
            units - shown
        ),
        plots: vec![above, raster],
        ..Figure::default()
    }
    .checked()
}

/// The pixels for each of `count` cells in about `length`; at least one.
fn cell(length: usize, count: usize) -> usize {
    (length / count).clamp(1, CELL)
}

/// Paper for none, and from light grey for small counts to black for the largest.
fn shade(count: f32, most: f32) -> Rgb {
    match count > 0.0 {
        true => colour::mix(PAPER, Rgb([0, 0, 0]), 0.25 + 0.75 * count / most),
        false => PAPER,
    }
}

/// Ticks for the ranks: the first, and round numbers below it.
fn ranks(count: usize) -> Vec<Tick> {
    let last = count as f64;
    let rounded = whole(Axis::linear(0.0, last).ticks(5));
    let first = (count > 0).then(|| Tick {
        value: 1.0,
        label: "1".to_owned(),
    });
    let apart = rounded
        .into_iter()
        .filter(move |tick| tick.value > 1.0 + last / 20.0);
    first.into_iter().chain(apart).collect()
}

/// Samples of shade with the counts that they stand for.
fn samples(most: f32) -> Vec<Entry> {
    if most <= 0.0 {
        return Vec::new();
    }
    let integral = most.fract() == 0.0;
    let counts: Vec<f32> = match most {
        most if integral && most <= 6.0 => (1..=most as u32).map(|count| count as f32).collect(),
        most if integral => vec![1.0, (most / 2.0).round(), most],
        most => vec![most / 4.0, most / 2.0, most],
    };
    let sample = |count: f32| {
        let name = if integral {
            format!("{count}")
        } else {
            format!("{count:.2}")
        };
        Entry::new(name, Swatch::Block(shade(count, most)))
    };
    let heading = Entry::new("spikes in a step:", Swatch::Heading);
    [heading]
        .into_iter()
        .chain(counts.into_iter().map(sample))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four steps of five units: unit 3 has 6 spikes, unit 0 has 2, unit 4 has 1, the rest none.
    #[rustfmt::skip]
    const COUNTS: [f32; 20] = [
        1.0, 0.0, 0.0, 2.0, 0.0,
        0.0, 0.0, 0.0, 4.0, 0.0,
        1.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 1.0,
    ];

    #[test]
    fn cells_lie_at_their_step_and_rank_and_darken_with_the_count() {
        let figure = spikes(&COUNTS, 4, 5, "").unwrap();
        let Layer::Image { corners, picture } = &figure.plots[1].layers[0] else {
            panic!()
        };
        assert_eq!(*corners, [0.5, 0.5, 4.5, 3.5]);
        let [one, two, four] = [1.0, 2.0, 4.0].map(|count| shade(count, 4.0));
        assert_eq!(four, Rgb([0; 3]));
        assert!(one.0 > two.0);
        assert_eq!(picture.row(0), [two, four, PAPER, PAPER]);
        assert_eq!(picture.row(1), [one, PAPER, one, PAPER]);
        assert_eq!(picture.row(2), [PAPER, PAPER, PAPER, one]);
        assert!(figure.note.starts_with("2 of 5 units silent"));
        let names: Vec<&str> = figure.plots[1]
            .legend
            .iter()
            .map(|e| e.name.as_str())
            .collect();
        assert_eq!(names, ["spikes in a step:", "1", "2", "3", "4"]);
    }

    #[test]
    fn the_steps_above_are_the_mean_counts() {
        let figure = spikes(&COUNTS, 4, 5, "").unwrap();
        let Layer::Steps { steps, .. } = &figure.plots[0].layers[0] else {
            panic!()
        };
        // 3, 4, 1 and 1 fifths; the last goes on to the end.
        assert_eq!(
            *steps,
            [(0.5, 0.6), (1.5, 0.8), (2.5, 0.2), (3.5, 0.2), (4.5, 0.2)]
        );
    }

    #[test]
    fn ticks_are_whole_numbers() {
        for count in [1, 2, 3, 7, 200, 1024] {
            let ticks = ranks(count);
            assert_eq!(ticks[0].label, "1");
            let on_axis = |tick: &Tick| !tick.label.contains('.') && tick.value <= count as f64;
            assert!(ticks.iter().all(on_axis));
        }
    }

    #[test]
    fn every_size_is_drawn_or_refused() {
        for (steps, units) in [(1, 1), (1, 3000), (3000, 1), (64, 200)] {
            let of = |count| spikes(&vec![count; steps * units], steps, units, "t");
            assert!(of(0.5).is_ok() && of(0.0).is_ok(), "{steps}, {units}");
        }
        let large = spikes(&vec![1.0; 20_000], 1, 20_000, "");
        assert!(matches!(large, Err(FigureError::TooLarge { .. })));
        assert!(spikes(&COUNTS, 5, 5, "").is_err());
    }
}
