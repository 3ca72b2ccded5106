//! The probabilities of the states of a discrete model over time: stacked areas, or a heat map where states are many.

use crate::picture::{Rgb, RgbImage};

use crate::axis::{Axis, Tick, whole};
use crate::canvas;
use crate::colour::{self, INK, OKABE_ITO, PAPER};
use crate::plot::Plot;
use crate::timeline::{Timeline, TimelineColumn};

/// The height of the strip of true states, and the space between it and the areas.
pub const STRIP: u32 = 10;
/// The pixels between the strip and the areas.
pub const APART: u32 = 4;
/// How much of a state's colour its area has: whole colours would outshine all else.
const SOFT: f32 = 0.75;

/// Whether so many states can be distinguished as stacked areas.
pub fn stacks(states: usize) -> bool {
    states <= OKABE_ITO.len()
}

/// The colour of the area of a state.
pub fn shade(state: usize, states: usize) -> Rgb {
    colour::mix(PAPER, colour::series(state, states), SOFT)
}

/// The vertical axis of the panel and its ticks: probability for areas, states from 1 upwards for a heat map.
pub fn axis(states: usize) -> (Axis, Vec<Tick>) {
    match stacks(states) {
        true => {
            let axis = Axis::linear(0.0, 1.0);
            (axis, axis.ticks(4))
        }
        false => {
            let axis = Axis::linear(0.5, states as f64 + 0.5);
            (axis, whole(axis.ticks(6)))
        }
    }
}

/// Draws the first `upto` columns of `timeline`. Where bins share a pixel their probabilities are averaged.
///
/// The true states, where they are known, are a strip above areas, and dark marks on a heat map.
pub fn draw(picture: &mut RgbImage, plot: &Plot, timeline: &Timeline, upto: usize) {
    let columns = &timeline.columns()[..upto.min(timeline.columns().len())];
    let Some(states) = columns.first().map(|c| c.shares.len()).filter(|n| *n > 0) else {
        return;
    };
    let beyond = f64::from(plot.width - 1);
    for pixel in 0..plot.width {
        // A pixel covers half a pixel to either side; the plot begins and ends at the centre of one.
        let place = |offset: f64| {
            let part = (f64::from(pixel) + offset) / beyond;
            timeline.at(plot.x.value(part.clamp(0.0, 1.0)))
        };
        let from = place(-0.5).floor().max(0.0) as usize;
        let to = (place(0.5).ceil() as usize).max(from + 1);
        let Some(here) = columns.get(from..to.min(columns.len())) else {
            continue;
        };
        let x = plot.left + pixel as i32;
        let share = |of: fn(&TimelineColumn) -> &Vec<f64>, state: usize| {
            let sum: f64 = here.iter().filter_map(|c| of(c).get(state)).sum();
            let bins: u64 = here.iter().map(|c| c.bins).sum();
            if bins > 0 { sum / bins as f64 } else { 0.0 }
        };
        let probability = |state| share(|c| &c.shares, state);
        let truth = (0..states)
            .map(|state| (share(|c| &c.truths, state), state))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(most, _)| *most > 0.0)
            .map(|(_, state)| state);
        match stacks(states) {
            true => {
                let mut from = 0.0;
                for state in 0..states {
                    let to = from + probability(state);
                    area(picture, plot, x, (from, to), shade(state, states));
                    from = to;
                }
                if let Some(state) = truth {
                    let top = plot.top - (STRIP + APART) as i32;
                    canvas::fill(picture, x, top, 1, STRIP, colour::series(state, states));
                }
            }
            false => {
                for state in 0..states {
                    let colour = colour::mix(PAPER, OKABE_ITO[0], probability(state) as f32);
                    let (top, high) = row(plot, state);
                    canvas::fill(picture, x, top, 1, high, colour);
                }
                if let Some(state) = truth {
                    let (top, high) = row(plot, state);
                    let thick = (high / 4).clamp(1, 4);
                    let middle = top + (high.saturating_sub(thick) / 2) as i32;
                    canvas::fill(picture, x, middle, 1, thick, INK);
                }
            }
        }
    }
}

/// The part of one pixel column that probabilities `from` to `to` cover.
fn area(picture: &mut RgbImage, plot: &Plot, x: i32, (from, to): (f64, f64), colour: Rgb) {
    let bottom = (plot.top + plot.height as i32) as f32;
    let y = |p: f64| bottom - p.clamp(0.0, 1.0) as f32 * plot.height as f32;
    let (top, bottom) = (y(to), y(from));
    for row in top.floor() as i32..bottom.ceil() as i32 {
        let part = bottom.min(row as f32 + 1.0) - top.max(row as f32);
        canvas::blend(picture, x, row, colour, part.clamp(0.0, 1.0));
    }
}

/// The topmost pixel and the height of the row of a state on a heat map.
fn row(plot: &Plot, state: usize) -> (i32, u32) {
    let edge = |value: f64| plot.pixel(1.0, value).1.round() as i32;
    let (top, bottom) = (edge(state as f64 + 1.5), edge(state as f64 + 0.5));
    (top, (bottom - top).max(1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(states: usize, bins: u64, truth: bool) -> Timeline {
        let mut timeline = Timeline::new(512);
        for t in 0..bins {
            let mut shares = vec![0.0; states];
            let at = (t as usize * states / bins as usize).min(states - 1);
            shares[at] = 0.75;
            shares[0] += 0.25;
            let mut truths = vec![0.0; if truth { states } else { 0 }];
            if let Some(one) = truths.get_mut(at) {
                *one = 1.0;
            }
            let moment = TimelineColumn {
                bins: 1,
                shares,
                truths,
                ..TimelineColumn::default()
            };
            timeline.push(t + 1, moment);
        }
        timeline
    }

    fn drawn(states: usize, bins: u64, truth: bool) -> (RgbImage, Plot) {
        let timeline = timeline(states, bins, truth);
        let plot = Plot {
            left: 20,
            top: 30,
            width: 300,
            height: 200,
            x: Axis::linear(0.5, bins as f64 + 0.5),
            y: axis(states).0,
        };
        let mut picture = canvas::paper(340, 260).unwrap();
        draw(&mut picture, &plot, &timeline, usize::MAX);
        (picture, plot)
    }

    #[test]
    fn areas_are_as_high_as_probabilities_and_the_strip_is_the_truth() {
        // 10 bins in 300 pixels, and 3000: the same picture but for the averages at the change.
        for bins in [10, 3000] {
            let (picture, _) = drawn(2, bins, true);
            let colours = |x: u32| {
                let count = |state| {
                    let colour = shade(state, 2);
                    (30..230)
                        .filter(|y| *picture.get_pixel(x, *y) == colour)
                        .count()
                };
                [count(0), count(1)]
            };
            assert_eq!(colours(60), [200, 0], "{bins}");
            assert_eq!(colours(280), [50, 150], "{bins}");
            assert_eq!(*picture.get_pixel(60, 20), colour::series(0, 2));
            assert_eq!(*picture.get_pixel(280, 20), colour::series(1, 2));
            assert_eq!(*picture.get_pixel(280, 28), PAPER);
        }
    }

    #[test]
    fn many_states_are_a_map_with_the_truth_marked() {
        assert!(stacks(7) && !stacks(8));
        let (picture, plot) = drawn(20, 60, true);
        // In the middle of the tenth state's bins: a row in three quarters of the colour, a mark in its middle.
        let x = 20 + 300 * 28 / 60;
        let (top, high) = row(&plot, 9);
        let colour = colour::mix(PAPER, OKABE_ITO[0], 0.75);
        assert_eq!(*picture.get_pixel(x, top as u32 + 1), colour);
        assert_eq!(*picture.get_pixel(x, top as u32 + high / 2), INK);
        let (top, high) = row(&plot, 14);
        assert_eq!(*picture.get_pixel(x, top as u32 + high / 2), PAPER);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let plot = Plot {
            left: 0,
            top: 0,
            width: 10,
            height: 10,
            x: Axis::linear(0.0, 1.0),
            y: Axis::linear(0.0, 1.0),
        };
        let mut picture = canvas::paper(10, 10).unwrap();
        draw(&mut picture, &plot, &Timeline::new(4), 3);
        assert!(picture.pixels().all(|p| *p == PAPER));
    }
}
