//! The probabilities of the states of a discrete model over time: stacked areas, or a heat map where states are many.

use crate::axis::{Axis, whole};
use crate::colour::{self, INK, Map, PALETTE, PAPER};
use crate::figure::{Key, Layer, Side, Ticks};
use crate::picture::{Rgb, RgbImage};
use crate::timeline::{Timeline, TimelineColumn};

/// Where the strip of true states lies on the axis of probability.
const STRIP: (f64, f64) = (1.03, 1.1);
/// The space above all for times without observations, in parts of the axis.
const MISSING: f64 = 0.08;
/// How much of a state's colour its area has: whole colours would outshine all else.
const SOFT: f32 = 0.75;

/// Whether so many states can be distinguished as stacked areas.
pub fn stacks(states: usize) -> bool {
    states <= PALETTE.len()
}

/// The colour of the area of a state.
pub(crate) fn shade(state: usize, states: usize) -> Rgb {
    colour::mix(PAPER, colour::series(state, states), SOFT)
}

/// The number of the first state, by its name: "state 0" where states are counted from 0.
pub(crate) fn first(names: &[String]) -> f64 {
    let number = |name: &String| name.rsplit(' ').next()?.parse().ok();
    names.first().and_then(number).unwrap_or(1.0)
}

/// The vertical axis: probability for areas, states from the number of the first upwards for a heat map; with space above for what
/// the areas would hide, the true states and the times without observations.
pub(crate) fn side(names: &[String], timeline: &Timeline) -> Side {
    let states = names.len();
    let any = |has: fn(&TimelineColumn) -> bool| timeline.columns().iter().any(has);
    let missing = if any(|c| c.missing > 0) { MISSING } else { 0.0 };
    if !stacks(states) {
        let bottom = first(names) - 0.5;
        let axis = Axis::linear(bottom, states as f64 * (1.0 + missing) + bottom);
        let ticks = whole(Axis::linear(bottom, states as f64 + bottom).ticks(6));
        return Side::new(axis, "state", Ticks::Numbers(ticks));
    }
    let known = any(|c| !c.truths.is_empty());
    let top = if known { STRIP.1 } else { 1.0 } + missing;
    let ticks = Axis::linear(0.0, 1.0).ticks(4);
    Side::new(Axis::linear(0.0, top), "probability", Ticks::Numbers(ticks))
}

/// The key of a heat map.
pub(crate) fn key(states: usize) -> Option<Key> {
    (!stacks(states)).then(|| Key {
        label: "probability".to_owned(),
        range: (0.0, 1.0),
        map: Map::Blue,
    })
}

/// What the timeline shows of states from number `first` on in at most `most` steps; where bins share a step their probabilities are
/// averaged.
///
/// The true states, where they are known, are a strip above areas, and dark marks on a heat map.
pub(crate) fn layers(timeline: &Timeline, most: usize, first: f64) -> Vec<Layer> {
    let columns = timeline.columns();
    let Some(states) = columns.first().map(|c| c.shares.len()).filter(|n| *n > 0) else {
        return Vec::new();
    };
    let joined = columns.len().div_ceil(most.max(1)).max(1);
    let steps: Vec<&[TimelineColumn]> = columns.chunks(joined).collect();
    let begin = |step: usize| timeline.edges((step * joined).min(columns.len())).0;
    let probability = |step: usize, state: usize| mean(steps[step], |c| &c.shares, state);
    let truth = |step: usize| {
        let most = (0..states).map(|state| (mean(steps[step], |c| &c.truths, state), state));
        let most = most.max_by(|a, b| a.0.total_cmp(&b.0));
        most.filter(|(share, _)| *share > 0.0)
            .map(|(_, state)| state)
    };
    // Runs of steps with the same true state: their ends, and the state.
    let truths: Vec<Option<usize>> = (0..steps.len()).map(truth).collect();
    let mut runs: Vec<(f64, f64, usize)> = Vec::new();
    let mut at = 0;
    for run in truths.chunk_by(|a, b| a == b) {
        runs.extend(run[0].map(|state| (begin(at), begin(at + run.len()), state)));
        at += run.len();
    }
    let mut layers = Vec::new();
    if stacks(states) {
        // The sum of all states lies behind that of all but the last, and so on.
        for state in (0..states).rev() {
            let sum = |step: usize| (0..=state).map(|s| probability(step, s)).sum::<f64>();
            let edge = (0..steps.len()).map(|step| (begin(step), sum(step)));
            layers.push(Layer::Steps {
                steps: edge
                    .chain([(begin(steps.len()), sum(steps.len() - 1))])
                    .collect(),
                fill: (colour::series(state, states), SOFT),
                edged: false,
            });
        }
        for state in 0..states {
            let of = runs.iter().filter(|run| run.2 == state);
            let rects: Vec<[f64; 4]> = of.map(|run| [run.0, STRIP.1, run.1, STRIP.0]).collect();
            let colour = colour::series(state, states);
            let strip = Layer::Rects {
                rects,
                colour,
                behind: false,
            };
            layers.extend((!runs.is_empty()).then_some(strip));
        }
        return layers;
    }
    let rows = (0..states).rev();
    let cells = rows.flat_map(|state| (0..steps.len()).map(move |step| (step, state)));
    let pixels = cells.map(|(step, state)| Map::Blue.colour(probability(step, state)));
    let picture = RgbImage::of(steps.len() as u32, states as u32, pixels.collect());
    // The last step may be shorter than the others; the picture then reaches beyond the plot.
    let end = begin(0) + (steps.len() * joined) as f64 * timeline.each() as f64;
    layers.push(Layer::Image {
        corners: [begin(0), states as f64 + first - 0.5, end, first - 0.5],
        picture,
    });
    if !runs.is_empty() {
        let mark = |run: &(f64, f64, usize)| {
            let middle = run.2 as f64 + first;
            [run.0, middle + 0.1, run.1, middle - 0.1]
        };
        layers.push(Layer::Rects {
            rects: runs.iter().map(mark).collect(),
            colour: INK,
            behind: false,
        });
    }
    layers
}

/// The mean over the bins of some columns of what `of` sums.
fn mean(columns: &[TimelineColumn], of: fn(&TimelineColumn) -> &Vec<f64>, state: usize) -> f64 {
    let sum: f64 = columns.iter().filter_map(|c| of(c).get(state)).sum();
    let bins: u64 = columns.iter().map(|c| c.bins).sum();
    if bins > 0 { sum / bins as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// State by state in order; a quarter of the probability is always that of the first.
    fn timeline(states: usize, bins: u64) -> Timeline {
        let mut timeline = Timeline::new(512);
        for t in 0..bins {
            let mut shares = vec![0.0; states];
            let at = (t as usize * states / bins as usize).min(states - 1);
            shares[at] = 0.75;
            shares[0] += 0.25;
            let mut truths = vec![0.0; states];
            truths[at] = 1.0;
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

    #[test]
    fn areas_are_as_high_as_probabilities_and_the_strip_is_the_truth() {
        // 10 bins in 300 steps, and 3000 in as many: the same but for the averages at the change.
        for bins in [10, 3000] {
            let timeline = timeline(2, bins);
            let layers = layers(&timeline, 300, 1.0);
            let part = |part: f64| 0.5 + part * bins as f64;
            let height = |layer: &Layer, x: f64| match layer {
                Layer::Steps { steps, .. } => {
                    steps.iter().rev().find(|step| step.0 <= x).unwrap().1
                }
                _ => panic!(),
            };
            // The first layer holds both states, the second the first alone.
            assert_eq!(
                [0.2, 0.9].map(|x| height(&layers[0], part(x))),
                [1.0; 2],
                "{bins}"
            );
            assert_eq!(
                [0.2, 0.9].map(|x| height(&layers[1], part(x))),
                [1.0, 0.25],
                "{bins}"
            );
            for (state, ends) in [(0, (0.0, 0.5)), (1, (0.5, 1.0))] {
                let Layer::Rects { rects, colour, .. } = &layers[2 + state] else {
                    panic!()
                };
                assert_eq!((rects.len(), *colour), (1, colour::series(state, 2)));
                let off = [rects[0][0] - part(ends.0), rects[0][2] - part(ends.1)];
                // The bins of one step.
                assert!(off.iter().all(|off| off.abs() <= 16.0), "{rects:?}");
            }
        }
    }

    #[test]
    fn many_states_are_a_map_with_the_truth_marked() {
        assert!(stacks(7) && !stacks(8));
        let layers = layers(&timeline(20, 60), 300, 1.0);
        let Layer::Image { picture, corners } = &layers[0] else {
            panic!()
        };
        assert_eq!(
            (picture.dimensions(), *corners),
            ((60, 20), [0.5, 20.5, 60.5, 0.5])
        );
        // State 10 in its bins, 28 to 30; the last state is at the top.
        let colour = Map::Blue.colour(0.75);
        assert_eq!([27, 28, 29].map(|bin| picture.row(10)[bin]), [colour; 3]);
        assert_eq!(picture.row(5)[28], PAPER);
        let Layer::Rects { rects, .. } = &layers[1] else {
            panic!()
        };
        assert_eq!(rects.len(), 20);
        assert_eq!((rects[9][0], rects[9][2]), (27.5, 30.5));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(layers(&Timeline::new(4), 3, 1.0).is_empty());
    }

    #[test]
    fn a_map_counts_states_as_their_names_do() {
        let names = |first: usize| -> Vec<String> {
            let each = first..first + 20;
            each.map(|k| format!("state {k}")).collect()
        };
        let axis = |first| side(&names(first), &timeline(20, 60)).axis;
        assert_eq!((axis(0).place(-0.5), axis(1).place(0.5)), (0.0, 0.0));
        let corners = |layers: Vec<Layer>| match layers[0] {
            Layer::Image { corners, .. } => (corners[1], corners[3]),
            _ => panic!(),
        };
        assert_eq!(corners(layers(&timeline(20, 60), 300, 0.0)), (19.5, -0.5));
        assert_eq!(corners(layers(&timeline(20, 60), 300, 1.0)), (20.5, 0.5));
    }
}
