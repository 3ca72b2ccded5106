//! The vertical axes of panels: what must fit on them.

use crate::axis::{Axis, Tick};
use crate::timeline::{MinMax, Timeline};

/// The part of the band's edges at either end that need not fit on the axis: a start that is hardly known would
/// flatten all that follows.
const CLIPPED: f64 = 0.05;
/// Beyond this part of the range of the others an edge reaches far.
const FAR: f64 = 0.25;

/// The range of beliefs, true values and observations; the band fits except for its outermost edges.
pub(super) fn span_axis(timeline: &Timeline, index: usize) -> Option<Axis> {
    let spans = || timeline.columns().iter().filter_map(|c| c.spans.get(index));
    let edges = usual(spans().map(|s| (s.low, s.high)));
    let values = spans().flat_map(|s| [s.mean, s.truth, s.seen]);
    let values = values.flat_map(|e: MinMax| [e.low, e.high]);
    Axis::around(values.chain(edges.into_iter().flatten()), false, 0.06)
}

/// The range of the band and of the truth but for the outermost of both.
pub(super) fn residual_axis(timeline: &Timeline, index: usize) -> Option<Axis> {
    let spans = || timeline.columns().iter().filter_map(|c| c.spans.get(index));
    let edges = usual(spans().map(|s| (s.low, s.high)));
    let truths = usual(spans().map(|s| (s.truth.low, s.truth.high)));
    let values = edges.into_iter().chain(truths).flatten();
    // Zero, where the mean is, lies in the middle.
    let most = values.map(f64::abs).fold(0.0, f64::max);
    let known = spans().any(|s| !s.low.is_nan() || s.truth.is_some());
    known
        .then(|| Axis::around([-most, most].into_iter(), false, 0.06))
        .flatten()
}

/// Zero and a round number to either side of it, as far out as there is one: what a low panel has room for.
pub(super) fn either_side(axis: &Axis) -> Vec<Tick> {
    // The digit, and how many ticks up to it have its number of decimals.
    const ROUND: [(f64, usize); 7] = [
        (8.0, 9),
        (6.0, 7),
        (5.0, 3),
        (4.0, 5),
        (3.0, 7),
        (2.0, 3),
        (1.0, 3),
    ];
    let most = axis.value(1.0);
    let power = 10f64.powf(most.log10().floor());
    let fits = |round: &(f64, usize)| round.0 * power <= most;
    let (digit, count) = ROUND.into_iter().find(fits).unwrap_or((1.0, 3));
    let far = digit * power;
    let ticks = Axis::linear(-far, far).ticks(count).into_iter();
    let kept = |tick: &Tick| tick.value == 0.0 || (tick.value.abs() / far - 1.0).abs() < 1e-9;
    ticks.filter(kept).collect()
}

/// The lowest and the highest of ranges, without the part [`CLIPPED`] at either end where that reaches far beyond the others.
fn usual(ranges: impl Iterator<Item = (f64, f64)>) -> [Option<f64>; 2] {
    let (mut lows, mut highs): (Vec<f64>, Vec<f64>) = ranges
        .filter(|(low, high)| low.is_finite() && high.is_finite())
        .unzip();
    lows.sort_by(f64::total_cmp);
    highs.sort_by(|a, b| b.total_cmp(a));
    let clipped = (CLIPPED * lows.len() as f64) as usize;
    let (Some(&low), Some(&high)) = (lows.get(clipped), highs.get(clipped)) else {
        return [None; 2];
    };
    let near = FAR * (high - low);
    let end = |all: f64, usual: f64| match (all - usual).abs() <= near {
        true => Some(all),
        false => Some(usual),
    };
    [end(lows[0], low), end(highs[0], high)]
}
