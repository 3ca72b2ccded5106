//! Long series in a bounded number of columns, each of one or several bins.
//!
//! Bins are counted, not kept. When there are more than a timeline has columns, neighbours are joined in twos and every
//! column stands for twice as many bins from then on. A joined column keeps the smallest and the largest value of each
//! quantity with their order in time, and the outermost edges of its band: nothing that stands out is averaged away.

/// The columns of a timeline: two for each pixel of a picture, so that joining is never seen.
pub const COLUMNS: usize = 2048;

/// The smallest and the largest value of a quantity in a column; NaN where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinMax {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Whether the smallest came before the largest.
    pub rising: bool,
}

impl MinMax {
    /// No value.
    pub const NONE: Self = Self {
        low: f64::NAN,
        high: f64::NAN,
        rising: true,
    };

    /// One value; none if it is not finite.
    pub fn of(value: f64) -> Self {
        match value.is_finite() {
            true => Self {
                low: value,
                high: value,
                rising: true,
            },
            false => Self::NONE,
        }
    }

    /// Whether there is a value.
    pub fn is_some(&self) -> bool {
        !self.low.is_nan()
    }

    /// Both values in the order in which they came.
    pub fn in_order(&self) -> [f64; 2] {
        match self.rising {
            true => [self.low, self.high],
            false => [self.high, self.low],
        }
    }

    /// Takes in what came later.
    fn join(&mut self, later: &Self) {
        if !self.is_some() {
            *self = *later;
            return;
        }
        let (lower, higher) = (later.low < self.low, later.high > self.high);
        match (lower, higher) {
            (true, true) => *self = *later,
            (true, false) => (self.low, self.rising) = (later.low, false),
            (false, true) => (self.high, self.rising) = (later.high, true),
            (false, false) => {}
        }
    }
}

/// One quantity in a column: belief, true value, observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The mean of the belief.
    pub mean: MinMax,
    /// The lower edge of the credible band, the lowest of the column; NaN for none.
    pub low: f64,
    /// The upper edge, the highest of the column.
    pub high: f64,
    /// The true value.
    pub truth: MinMax,
    /// What was observed.
    pub seen: MinMax,
}

impl Span {
    /// No belief, no true value, no observation.
    pub const NONE: Self = Self {
        mean: MinMax::NONE,
        low: f64::NAN,
        high: f64::NAN,
        truth: MinMax::NONE,
        seen: MinMax::NONE,
    };

    /// A belief in one bin, `half` to either side of its mean; no band where `half` is not finite.
    pub fn around(mean: f64, half: f64) -> Self {
        let (low, high) = (mean - half, mean + half);
        let edges = low.is_finite() && high.is_finite();
        Self {
            mean: MinMax::of(mean),
            low: if edges { low } else { f64::NAN },
            high: if edges { high } else { f64::NAN },
            ..Self::NONE
        }
    }

    fn join(&mut self, later: &Self) {
        self.mean.join(&later.mean);
        self.truth.join(&later.truth);
        self.seen.join(&later.seen);
        // min and max pass over NaN.
        self.low = self.low.min(later.low);
        self.high = self.high.max(later.high);
    }
}

/// Two quantities at the last bin of a column, for a phase portrait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhasePoint {
    /// Their means.
    pub mean: [f64; 2],
    /// Variance of the first, covariance, variance of the second.
    pub covariance: [f64; 3],
    /// What is true of them.
    pub truth: Option<[f64; 2]>,
}

/// What is drawn of one bin, or of the bins of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineColumn {
    /// The number of bins.
    pub bins: u64,
    /// Those of them in which nothing was observed.
    pub missing: u64,
    /// The quantities that have a band.
    pub spans: Vec<Span>,
    /// Σ over the bins of the probability of each state of a discrete model.
    pub shares: Vec<f64>,
    /// The bins in which each state is the true one; empty where that is not known.
    pub truths: Vec<f64>,
    /// The phase portrait.
    pub spot: Option<PhasePoint>,
}

impl TimelineColumn {
    /// Takes in the moment after this one, which has the same quantities.
    fn join(&mut self, later: &Self) {
        self.bins += later.bins;
        self.missing += later.missing;
        for (span, later) in self.spans.iter_mut().zip(&later.spans) {
            span.join(later);
        }
        for (sums, later) in [
            (&mut self.shares, &later.shares),
            (&mut self.truths, &later.truths),
        ] {
            for (sum, later) in sums.iter_mut().zip(later) {
                *sum += later;
            }
        }
        self.spot = later.spot.or(self.spot);
    }
}

/// Columns of time in order, never more than a fixed number.
///
/// ```
/// use scotopic_figures::timeline::{Span, Timeline, TimelineColumn};
///
/// let mut timeline = Timeline::new(4);
/// for bin in 1..=10 {
///     let spans = vec![Span::around(bin as f64, 1.0)];
///     timeline.push(bin, TimelineColumn { bins: 1, spans, ..TimelineColumn::default() });
/// }
/// assert_eq!((timeline.each(), timeline.columns().len()), (4, 3));
/// assert_eq!(timeline.columns()[0].spans[0].mean.high, 4.0);
/// ```
#[derive(Clone, Debug)]
pub struct Timeline {
    limit: usize,
    each: u64,
    first: u64,
    columns: Vec<TimelineColumn>,
}

impl Timeline {
    /// An empty timeline of at most `limit` columns, at least 2.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(2),
            each: 1,
            first: 0,
            columns: Vec::new(),
        }
    }

    /// Adds a bin after all others.
    pub fn push(&mut self, bin: u64, moment: TimelineColumn) {
        if self.columns.is_empty() {
            self.first = bin;
        }
        let place = |each: u64| (bin.saturating_sub(self.first) / each) as usize;
        let mut column = place(self.each);
        while column >= self.limit {
            self.each *= 2;
            halve(&mut self.columns);
            column = place(self.each);
        }
        match self.columns.get_mut(column) {
            Some(last) => last.join(&moment),
            // Bins that were not recorded are columns without bins.
            None => {
                let blank = TimelineColumn {
                    spans: vec![Span::NONE; moment.spans.len()],
                    shares: vec![0.0; moment.shares.len()],
                    truths: vec![0.0; moment.truths.len()],
                    ..TimelineColumn::default()
                };
                self.columns.resize(column, blank);
                self.columns.push(moment);
            }
        }
    }

    /// The bins that a column stands for; the last may have fewer.
    pub fn each(&self) -> u64 {
        self.each
    }

    /// The columns in order.
    pub fn columns(&self) -> &[TimelineColumn] {
        &self.columns
    }

    /// The first bin and the last; none without a bin.
    pub fn bins(&self) -> Option<(u64, u64)> {
        let last = self.columns.last()?;
        let before = (self.columns.len() as u64 - 1) * self.each;
        Some((self.first, self.first + before + last.bins.max(1) - 1))
    }

    /// Where column `index` begins and ends on an axis on which bin t covers t − ½ to t + ½.
    pub fn edges(&self, index: usize) -> (f64, f64) {
        let from = self.first as f64 - 0.5 + index as f64 * self.each as f64;
        (from, from + self.each as f64)
    }

    /// The column at a place on that axis, which may be one that is not there.
    pub fn at(&self, place: f64) -> f64 {
        (place - (self.first as f64 - 0.5)) / self.each as f64
    }
}

/// Joins columns in twos.
fn halve(columns: &mut Vec<TimelineColumn>) {
    let mut pairs = Vec::with_capacity(columns.capacity());
    let mut rest = std::mem::take(columns).into_iter();
    while let Some(mut first) = rest.next() {
        if let Some(second) = rest.next() {
            first.join(&second);
        }
        pairs.push(first);
    }
    *columns = pairs;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(value: f64, half: f64) -> TimelineColumn {
        TimelineColumn {
            bins: 1,
            missing: u64::from(value > 0.5),
            spans: vec![Span::around(value, half)],
            shares: vec![1.0 - value.abs(), value.abs()],
            ..TimelineColumn::default()
        }
    }

    /// Numbers in −1..1 without a pattern.
    fn scattered(t: u64) -> f64 {
        (t as f64 * 12.9898).sin()
    }

    #[test]
    fn joined_columns_keep_the_extremes_the_widest_band_and_the_sums() {
        let values: Vec<f64> = (0..1000).map(scattered).collect();
        let mut timeline = Timeline::new(64);
        for (t, &value) in values.iter().enumerate() {
            timeline.push(17 + t as u64, bin(value, 0.1 + value.abs()));
        }
        assert_eq!(timeline.each(), 16);
        assert_eq!(timeline.columns().len(), 63);
        assert_eq!(timeline.bins(), Some((17, 1016)));
        for (column, chunk) in timeline.columns().iter().zip(values.chunks(16)) {
            let span = &column.spans[0];
            let low = chunk.iter().copied().fold(f64::INFINITY, f64::min);
            let high = chunk.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!((span.mean.low, span.mean.high), (low, high));
            let edge = |sign: f64| {
                chunk
                    .iter()
                    .map(move |v| sign * (v + sign * (0.1 + v.abs())))
            };
            let widest = |sign: f64| sign * edge(sign).fold(f64::NEG_INFINITY, f64::max);
            assert_eq!((span.low, span.high), (widest(-1.0), widest(1.0)));
            let place = |v: f64| chunk.iter().position(|x| *x == v);
            assert_eq!(span.mean.rising, place(low) < place(high), "{chunk:?}");
            assert_eq!(column.bins, chunk.len() as u64);
            let missing = chunk.iter().filter(|v| **v > 0.5).count();
            assert_eq!(column.missing, missing as u64);
            let all: f64 = column.shares.iter().sum();
            // Each bin's shares add up to one, up to the rounding of sixteen sums.
            assert!((all - chunk.len() as f64).abs() < 1e-12);
        }
    }

    #[test]
    fn a_million_bins_take_the_memory_of_the_columns() {
        let mut timeline = Timeline::new(COLUMNS);
        for t in 0..1_000_000 {
            timeline.push(t, bin(scattered(t), 1.0));
            assert!(timeline.columns().len() <= COLUMNS);
        }
        assert_eq!(timeline.each(), 512);
        let bins: u64 = timeline.columns().iter().map(|c| c.bins).sum();
        assert_eq!(bins, 1_000_000);
        assert_eq!(timeline.bins(), Some((0, 999_999)));
        assert!(timeline.columns.capacity() <= 2 * COLUMNS);
    }

    #[test]
    fn what_is_not_there_leaves_no_value() {
        let mut timeline = Timeline::new(8);
        timeline.push(3, bin(f64::NAN, 1.0));
        timeline.push(4, bin(0.25, f64::INFINITY));
        timeline.push(7, bin(0.5, 1.0));
        let spans: Vec<Span> = timeline.columns().iter().map(|c| c.spans[0]).collect();
        assert!(!spans[0].mean.is_some() && spans[0].low.is_nan());
        assert!(spans[1].mean.is_some() && spans[1].high.is_nan());
        assert!(!spans[2].mean.is_some() && !spans[3].mean.is_some());
        assert_eq!((spans[4].low, spans[4].high), (-0.5, 1.5));
        assert_eq!(timeline.edges(4), (6.5, 7.5));
        assert_eq!(timeline.at(7.0), 4.5);
        assert_eq!(timeline.bins(), Some((3, 7)));
        assert_eq!(Timeline::new(8).bins(), None);
        // A value joined with none is the value.
        let mut joined = spans[0];
        joined.join(&spans[4]);
        assert_eq!((joined.mean.low, joined.high), (0.5, 1.5));
    }
}
