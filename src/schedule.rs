//! Schedules over training: pure functions of the iteration, without state.

use serde::{Deserialize, Serialize};

/// A value that is held, then moves linearly, then stays.
///
/// ```text
/// i < ⌈hold·N⌉                       from
/// up to ⌈(hold + duration)·N⌉        evenly spaced from `from` to `to`, both ends included
/// afterwards                         to
/// ```
///
/// ```
/// use scotopic::Ramp;
/// let beta = Ramp { from: 0.0, to: 8.0, hold: 0.1, duration: 0.5 };
/// assert_eq!(beta.at(0, 100), 0.0);
/// assert_eq!(beta.at(80, 100), 8.0);
/// assert_eq!(Ramp::constant(3.0).at(7, 100), 3.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Value at the beginning.
    pub from: f64,
    /// Value at the end.
    pub to: f64,
    /// Portion of all iterations that stays at `from`.
    pub hold: f64,
    /// Portion of all iterations that the move takes; 0 jumps.
    #[serde(alias = "over")]
    pub duration: f64,
}

impl Ramp {
    /// The same value throughout.
    pub const fn constant(value: f64) -> Self {
        Self {
            from: value,
            to: value,
            hold: 0.0,
            duration: 0.0,
        }
    }

    /// The value at iteration `i` of `n`.
    pub fn at(&self, i: usize, n: usize) -> f64 {
        // A tiny margin keeps 0.1·1000 from becoming 100.000…01 and then 101.
        let portion = |p: f64| (p * n as f64 - 1e-9).ceil().max(0.0) as usize;
        let (start, end) = (portion(self.hold), portion(self.hold + self.duration));
        if i < start {
            self.from
        } else if i >= end {
            self.to
        } else if end - start == 1 {
            self.from
        } else {
            let fraction = (i - start) as f64 / (end - start - 1) as f64;
            self.from + (self.to - self.from) * fraction
        }
    }
}

/// A [`Ramp`] whose goal is a setting of its own, so that it stands in one place only.
///
/// ```
/// use scotopic::RampTo;
/// let opening = RampTo { from: 0.0, hold: 0.0, duration: 0.5 };
/// assert_eq!(opening.to(1.0).at(99, 100), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampTo {
    /// Value at the beginning.
    pub from: f64,
    /// Portion of all iterations that stays at `from`.
    pub hold: f64,
    /// Portion of all iterations that the move takes.
    #[serde(alias = "over")]
    pub duration: f64,
}

impl RampTo {
    /// The ramp that ends at `goal`.
    pub const fn to(self, goal: f64) -> Ramp {
        Ramp {
            from: self.from,
            to: goal,
            hold: self.hold,
            duration: self.duration,
        }
    }
}

/// Learning rate: a linear warm-up, then half a cosine down to a floor.
///
/// ```text
/// i/N < w      η = base·(i/N)/w
/// afterwards   η = floor + (η_w − floor)·½(1 + cos(π j/(N − ⌈wN⌉))),  j = i − ⌈wN⌉
/// ```
///
/// η_w is the rate of the last warm-up iteration, as in the published trainer: with a short warm-up the
/// peak lies visibly below `base`. Without warm-up, or with one of a single iteration, η_w = base.
///
/// ```
/// use scotopic::WarmupCosine;
/// let rate = WarmupCosine { peak: 5e-3, warmup: 0.1, floor: 1e-5 };
/// assert_eq!(rate.at(0, 100), 0.0);
/// assert!(rate.at(9, 100) > rate.at(50, 100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupCosine {
    /// The rate the warm-up aims at.
    #[serde(alias = "base")]
    pub peak: f64,
    /// Portion of all iterations that warm up.
    pub warmup: f64,
    /// The rate at the end.
    pub floor: f64,
}

impl WarmupCosine {
    /// How many of `n` iterations warm up.
    pub fn warmup_iterations(&self, n: usize) -> usize {
        (self.warmup * n as f64 - 1e-9).ceil().max(0.0) as usize
    }

    /// The rate at iteration `i` of `n`.
    pub fn at(&self, i: usize, n: usize) -> f64 {
        let warm = self.warmup_iterations(n);
        let ramp = |i: usize| self.peak * (i as f64 / n as f64) / self.warmup;
        if i < warm {
            return ramp(i);
        }
        let start = match warm {
            // The first iteration of a warm-up has rate 0; it cannot be all there is.
            0 | 1 => self.peak,
            _ => ramp(warm - 1),
        };
        // N(1 − w), a whole number or not, as in the published trainer; positive even where all iterations warm up.
        let period = (n as f64 - self.warmup * n as f64).max(f64::MIN_POSITIVE);
        let angle = std::f64::consts::PI * (i - warm) as f64 / period;
        self.floor + (start - self.floor) * 0.5 * (1.0 + angle.cos())
    }
}
