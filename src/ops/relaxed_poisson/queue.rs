//! Elements on their way through the sampler, in columns.

use crate::ops::packing::LANES;

/// The queue is filled up to this many elements.
pub(super) const QUEUE: usize = 512;

/// Columns are read and written in whole vectors.
pub(super) type Column<T> = [T; QUEUE + 2 * LANES];

/// Elements that have not come to their end.
pub(super) struct Queue {
    /// Where in the slices, and which of the noise.
    pub(super) place: Column<u32>,
    pub(super) number: Column<u32>,
    /// Groups of four arrivals behind them.
    pub(super) group: Column<u32>,
    /// 1/λ.
    pub(super) mean_wait: Column<f32>,
    /// The sum of their waits so far.
    pub(super) elapsed: Column<f32>,
    pub(super) z: Column<f32>,
    pub(super) slope: Column<f32>,
    pub(super) count: usize,
}

impl Queue {
    pub(super) const EMPTY: Self = Self {
        place: [0; _],
        number: [0; _],
        group: [0; _],
        mean_wait: [0.0; _],
        elapsed: [0.0; _],
        z: [0.0; _],
        slope: [0.0; _],
        count: 0,
    };
}

/// Elements of a row whose first arrival may be in time.
pub(super) struct Candidates {
    /// Where in the row.
    pub(super) column: Column<u32>,
    /// The log-rate.
    pub(super) u: Column<f32>,
    /// The random word of the first arrival.
    pub(super) word: Column<u32>,
    pub(super) count: usize,
}

impl Candidates {
    pub(super) const NONE: Self = Self {
        column: [0; _],
        u: [0.0; _],
        word: [0; _],
        count: 0,
    };
}

/// A vector of a column.
#[inline(always)]
pub(super) fn load<T: Copy + Default>(column: &Column<T>, at: usize) -> [T; LANES] {
    let mut lanes = [T::default(); LANES];
    lanes.copy_from_slice(&column[at..at + LANES]);
    lanes
}
