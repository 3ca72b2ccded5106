//! Spikes of a population over time, with its mean rate above.

use crate::picture::{Rgb, RgbImage};

use crate::axis::{Axis, Tick, whole};
use crate::canvas;
use crate::colour::{self, INK, MUTED, OKABE_ITO, PAPER};
use crate::counts::{by_activity, check, mean_counts};
use crate::error::FigureError;
use crate::header::Header;
use crate::plot::{self, Along, Plot};
use crate::text::{self, BODY};

const MARGIN: usize = 24;
const RIGHT: usize = 24;
/// The width and height that the raster aims at; it is larger where steps or units are many.
const WIDTH: usize = 960;
const HEIGHT: usize = 600;
const RATE_HEIGHT: u32 = 160;
/// The space between the rate and the raster.
const BETWEEN: u32 = 24;
/// The side of a sample in the key of counts.
const SAMPLE: u32 = 16;

/// Draws the spikes of `units` over `steps` as a raster.
///
/// `counts` is `[steps, units]`, the number of spikes of every unit in every step. Time runs to the
/// right from step 1. Units are sorted by their total count, the most active at the top (equal
/// ones in the order given); silent units are left out and counted in a note. The darkest cells
/// hold the highest count. Above the raster is the mean count over all units, silent ones too.
pub fn spikes(
    counts: &[f32],
    steps: usize,
    units: usize,
    title: &str,
) -> Result<RgbImage, FigureError> {
    check(counts, steps, units)?;
    let order = by_activity(counts, units);
    let most = counts.iter().copied().fold(0.0, f32::max);
    let rates = mean_counts(counts, units);

    let cell = (
        cell_size(WIDTH, steps),
        cell_size(HEIGHT, order.len().max(1)),
    );
    let (wide, high) = (
        cell.0 * steps,
        if order.is_empty() {
            HEIGHT / 2
        } else {
            cell.1 * order.len()
        },
    );
    let x = Axis::linear(0.5, steps as f64 + 0.5);
    let peak = rates.iter().copied().fold(0.0, f64::max);
    let rate = Axis::linear(0.0, if peak > 0.0 { peak * 1.08 } else { 1.0 });
    // Rank 1 is at the top: the axis runs downwards.
    let rank = Axis::linear(order.len().max(1) as f64 + 0.5, 0.5);
    let x_ticks = whole(plot::fitting_ticks(x, wide as u32));
    let rate_ticks = rate.ticks(4);
    let rank_ticks = ranks(order.len());
    let rate_side = Along {
        ticks: &rate_ticks,
        label: "mean count",
    };
    let rank_side = Along {
        ticks: &rank_ticks,
        label: "units by activity",
    };
    let beside = plot::side_width(rate_side).max(plot::side_width(rank_side)) as usize;

    let width = MARGIN + beside + wide + RIGHT + MARGIN;
    let silent = units - order.len();
    let note = format!("{silent} of {units} units silent");
    let header = Header::new(title, &note, (width - 2 * MARGIN) as u32);
    let top = MARGIN as u32 + header.height();
    let key = if most > 0.0 { SAMPLE + 12 } else { 0 };
    let raster_top = top + RATE_HEIGHT + BETWEEN + key;
    let height = raster_top as usize + high + plot::BELOW as usize + MARGIN;
    let mut picture = canvas::paper(width, height)?;
    header.draw(&mut picture, MARGIN as i32, MARGIN as i32);

    let left = (MARGIN + beside) as i32;
    let above = Plot {
        left,
        top: top as i32,
        width: wide as u32,
        height: RATE_HEIGHT,
        x,
        y: rate,
    };
    above.grid(&mut picture, &x_ticks, &rate_ticks);
    above.side(&mut picture, rate_side);
    trace(&mut picture, &above, &rates);

    let raster = Plot {
        top: raster_top as i32,
        height: high as u32,
        y: rank,
        ..above
    };
    if order.is_empty() {
        let (x, y) = (left + wide as i32 / 2, raster.top + high as i32 / 2 - 8);
        text::draw_centred(&mut picture, x, y, "no unit spiked", BODY, MUTED);
    } else {
        draw_key(&mut picture, left, (raster_top - key) as i32, most);
    }
    for (row, &unit) in order.iter().enumerate() {
        for step in 0..steps {
            let count = counts[step * units + unit];
            if count > 0.0 {
                let x = left + (step * cell.0) as i32;
                let y = raster.top + (row * cell.1) as i32;
                let (wide, high) = (inked(cell.0), inked(cell.1));
                canvas::fill(&mut picture, x, y, wide, high, shade(count, most));
            }
        }
    }
    raster.side(&mut picture, rank_side);
    raster.bottom(
        &mut picture,
        Along {
            ticks: &x_ticks,
            label: "time step",
        },
    );
    Ok(picture)
}

/// The pixels for each of `count` cells in about `length`; at least one.
fn cell_size(length: usize, count: usize) -> usize {
    (length / count).clamp(1, 40)
}

/// The drawn part of a cell: all but one pixel, which separates neighbours, if there are several.
fn inked(cell: usize) -> u32 {
    (if cell >= 4 { cell - 1 } else { cell }) as u32
}

/// From light grey for small counts to black for the largest.
fn shade(count: f32, most: f32) -> Rgb {
    colour::mix(PAPER, Rgb([0, 0, 0]), 0.25 + 0.75 * count / most)
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

/// The mean count as a stepped line with its area tinted, one step as wide as a raster cell.
fn trace(picture: &mut RgbImage, plot: &Plot, rates: &[f64]) {
    let colour = OKABE_ITO[0];
    let bottom = plot.top + plot.height as i32;
    let mut before: Option<(f32, f32)> = None;
    for (step, &rate) in rates.iter().enumerate() {
        let cell = plot.width / rates.len() as u32;
        let left = plot.left + (step as u32 * cell) as i32;
        let y = plot.pixel(1.0, rate).1;
        let row = y.round() as i32;
        canvas::fill(
            picture,
            left,
            row,
            cell,
            (bottom - row).max(0) as u32,
            colour::mix(PAPER, colour, 0.25),
        );
        let (from, to) = ((left as f32, y), ((left + cell as i32) as f32, y));
        if let Some(before) = before {
            canvas::line(picture, before, from, 2.0, colour);
        }
        canvas::line(picture, from, to, 2.0, colour);
        before = Some(to);
    }
    canvas::fill(picture, plot.left - 2, bottom, plot.width + 2, 2, INK);
}

/// Samples of shade with the counts that they stand for.
fn draw_key(picture: &mut RgbImage, mut x: i32, y: i32, most: f32) {
    let heading = "spikes per step";
    text::draw(picture, x, y, heading, BODY, MUTED);
    x += text::width(heading, BODY) as i32 + 20;
    let integral = most.fract() == 0.0;
    let samples: Vec<f32> = match most {
        most if integral && most <= 6.0 => (1..=most as u32).map(|count| count as f32).collect(),
        most if integral => vec![1.0, (most / 2.0).round(), most],
        most => vec![most / 4.0, most / 2.0, most],
    };
    for count in samples {
        canvas::fill(picture, x, y, SAMPLE, SAMPLE, shade(count, most));
        let name = if integral {
            format!("{count}")
        } else {
            format!("{count:.2}")
        };
        text::draw(picture, x + SAMPLE as i32 + 6, y, &name, BODY, INK);
        x += (SAMPLE + 6 + text::width(&name, BODY) + 16) as i32;
    }
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
        let picture = spikes(&COUNTS, 4, 5, "").unwrap();
        // Cells are 40 pixels here, and the raster ends at fixed distances from the edges.
        let left = picture.width() as usize - MARGIN - RIGHT - 160;
        let top = picture.height() as usize - MARGIN - plot::BELOW as usize - 120;
        let at = |step: usize, rank: usize| {
            *picture.get_pixel(
                (left + 40 * step + 20) as u32,
                (top + 40 * rank + 20) as u32,
            )
        };
        assert_eq!(at(1, 0), Rgb([0, 0, 0]));
        assert_eq!(at(0, 0), shade(2.0, 4.0));
        assert_eq!([at(0, 1), at(2, 1), at(3, 2)], [shade(1.0, 4.0); 3]);
        assert_eq!([at(2, 0), at(1, 1), at(0, 2)], [PAPER; 3]);
        assert!(shade(1.0, 4.0)[0] > shade(2.0, 4.0)[0]);
    }

    #[test]
    fn the_trace_is_tall_where_the_rate_is_high() {
        let picture = spikes(&COUNTS, 4, 5, "").unwrap();
        let left = picture.width() as usize - MARGIN - RIGHT - 160;
        let tint = colour::mix(PAPER, OKABE_ITO[0], 0.25);
        let tall = |step: usize| {
            let x = (left + 40 * step + 20) as u32;
            (0..picture.height())
                .filter(|&y| *picture.get_pixel(x, y) == tint)
                .count()
        };
        assert!(tall(1) > tall(0) && tall(0) > tall(2) && tall(2) == tall(3) && tall(3) > 10);
        // Mean counts are 3, 4, 1 and 1 fifths.
        assert!((tall(1) as f64 / tall(2) as f64 - 4.0).abs() < 0.6);
    }

    #[test]
    fn ticks_are_whole_numbers() {
        for count in [1, 2, 3, 7, 200, 1024] {
            let ticks = ranks(count);
            assert_eq!(ticks[0].label, "1");
            assert!(
                ticks
                    .iter()
                    .all(|tick| !tick.label.contains('.') && tick.value <= count as f64)
            );
        }
    }

    #[test]
    fn every_size_is_drawn_or_refused() {
        for (steps, units) in [(1, 1), (1, 3000), (3000, 1), (64, 200)] {
            assert!(
                spikes(&vec![0.5; steps * units], steps, units, "t").is_ok(),
                "{steps}, {units}"
            );
            assert!(spikes(&vec![0.0; steps * units], steps, units, "t").is_ok());
        }
        assert!(matches!(
            spikes(&vec![1.0; 20_000], 1, 20_000, ""),
            Err(FigureError::TooLarge { .. })
        ));
        assert!(spikes(&COUNTS, 5, 5, "").is_err());
    }
}
