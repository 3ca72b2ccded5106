//! The maxima that runs ended at, and how likely a further run is to find another.

use super::ascent::{Ascent, SAME};
use super::fitted::highest;
use crate::Error;
use crate::hmm::Learnable;

/// What came of the runs of a search.
pub(super) struct Runs<E: Learnable> {
    /// Those that were followed to a maximum, each with the number of runs that it stands for.
    pub(super) ended: Vec<(Ascent<E>, usize)>,
    /// Runs begun, and those that collapsed.
    pub(super) of: usize,
    pub(super) collapsed: usize,
    /// Those that were followed, and given up because they would hardly have come up to the highest maximum.
    pub(super) hopeless: usize,
    pub(super) failed: Option<Error>,
}

impl<E: Learnable> Runs<E> {
    pub(super) fn none() -> Self {
        Self {
            ended: Vec::new(),
            of: 0,
            collapsed: 0,
            hopeless: 0,
            failed: None,
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.ended.extend(more.ended);
        self.of += more.of;
        self.collapsed += more.collapsed;
        self.hopeless += more.hopeless;
        self.failed = self.failed.take().or(more.failed);
    }

    /// The place of the highest maximum.
    pub(super) fn highest(&self) -> Option<usize> {
        highest(&self.ended, |(ascent, _)| ascent.point.log_evidence()).map(|(best, _)| best)
    }

    /// How many runs ended at a maximum.
    pub(super) fn ended(&self) -> usize {
        self.ended.iter().map(|(_, runs)| runs).sum()
    }

    /// How many were followed.
    pub(super) fn followed(&self) -> usize {
        self.ended() + self.hopeless
    }

    /// How many runs ended no more than [`SAME`] below `height`.
    pub(super) fn found(&self, height: f64) -> usize {
        let there =
            |(ascent, _): &&(Ascent<E>, usize)| ascent.point.log_evidence() >= height - SAME;
        self.ended.iter().filter(there).map(|(_, runs)| runs).sum()
    }

    /// The part of all starts that lead to maxima not yet seen, as it is expected after n runs that ended at w different ones:
    ///
    /// ```text
    /// w (w + 1) / (n (n − 1))
    /// ```
    ///
    /// from a uniform prior of the sizes of their basins (C. Boender, A. Rinnooy Kan, 1987).
    pub(super) fn unseen(&self) -> f64 {
        let mut heights: Vec<f64> = self
            .ended
            .iter()
            .map(|(ascent, _)| ascent.point.log_evidence())
            .collect();
        unseen(&mut heights, self.ended())
    }
}

fn unseen(heights: &mut [f64], runs: usize) -> f64 {
    if runs < 2 {
        return 1.0;
    }
    heights.sort_by(f64::total_cmp);
    let others = heights.windows(2).filter(|pair| pair[1] - pair[0] > SAME);
    let (w, n) = (1.0 + others.count() as f64, runs as f64);
    w * (w + 1.0) / (n * (n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::unseen;

    #[test]
    fn the_unseen_part_is_that_of_the_formula() {
        // Three runs of eight at one maximum, five at another: 2·3/(8·7).
        let mut heights = [-1.0, -9.0, -1.05, -1.0, -9.0, -9.04, -9.0, -9.0];
        assert!((unseen(&mut heights, 8) - 6.0 / 56.0).abs() < 1e-15);
        // Each at its own.
        let mut apart = [1.0, 2.0, 3.0];
        assert!((unseen(&mut apart, 3) - 2.0).abs() < 1e-15);
        assert_eq!(unseen(&mut [0.0], 1), 1.0);
    }
}
