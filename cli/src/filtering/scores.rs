//! Scores of beliefs against true states.

use scotopic_filtering::nalgebra::{DMatrix, DVector};

/// Error, coverage and calibration of beliefs about vectors, or hits of beliefs about states; sums of a few numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    entries: f64,
    squares: f64,
    inside: f64,
    ranked: f64,
    normalised: f64,
    named: f64,
    hits: f64,
    surprise: f64,
}

impl Scores {
    /// A normal belief about a state that is `truth` `[n]`: its mean `[n]` and covariance `[n, n]`, and how many standard
    /// deviations its band reaches to either side.
    pub fn normal(&mut self, mean: &[f64], covariance: &[f64], truth: &[f64], deviations: f64) {
        let n = mean.len();
        let error = DVector::from_iterator(n, mean.iter().zip(truth).map(|(m, x)| m - x));
        for (i, e) in error.iter().enumerate() {
            self.entries += 1.0;
            self.squares += e * e;
            let half = deviations * covariance[i * n + i].max(0.0).sqrt();
            self.inside += f64::from(u8::from(e.abs() <= half));
        }
        // A state that is known exactly has no covariance to measure its error by.
        if let Some(factor) = DMatrix::from_row_slice(n, n, covariance).cholesky() {
            self.normalised += error.dot(&factor.solve(&error)) / n as f64;
            self.ranked += 1.0;
        }
    }

    /// A belief `[K]` about a state that is number `truth`, from 0.
    pub fn discrete(&mut self, belief: &[f64], truth: usize) {
        let best = belief.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let probability = belief.get(truth).copied().unwrap_or(0.0);
        self.named += 1.0;
        self.hits += f64::from(u8::from(probability == best));
        self.surprise -= probability.ln();
    }

    /// Root mean squared error over all entries of the state.
    pub fn rmse(&self) -> Option<f64> {
        (self.entries > 0.0).then(|| (self.squares / self.entries).sqrt())
    }

    /// The part of the true values that lay within the band.
    pub fn coverage(&self) -> Option<f64> {
        (self.entries > 0.0).then(|| self.inside / self.entries)
    }

    /// The mean of eᵀP⁻¹e/n: 1 for calibrated beliefs.
    pub fn nees(&self) -> Option<f64> {
        (self.ranked > 0.0).then(|| self.normalised / self.ranked)
    }

    /// The fraction of bins in which no state was more probable than the true one.
    pub fn hits(&self) -> Option<f64> {
        (self.named > 0.0).then(|| self.hits / self.named)
    }

    /// The mean of −ln q(true state), in nats.
    pub fn surprise(&self) -> Option<f64> {
        (self.named > 0.0).then(|| self.surprise / self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_coverage_and_calibration_are_what_they_are_called() {
        let mut scores = Scores::default();
        assert_eq!(
            (scores.rmse(), scores.nees(), scores.hits()),
            (None, None, None)
        );
        // Errors of (1, 0), (0, 3) under variances 1 and 4 and no correlation: of four entries (0, 3) is beyond 1.4·2.
        let covariance = [1.0, 0.0, 0.0, 4.0];
        scores.normal(&[1.0, 5.0], &covariance, &[0.0, 5.0], 1.4);
        scores.normal(&[1.0, 5.0], &covariance, &[1.0, 2.0], 1.4);
        assert_eq!(scores.rmse(), Some(2.5f64.sqrt()));
        assert_eq!(scores.coverage(), Some(0.75));
        assert_eq!(scores.nees(), Some((0.5 + 9.0 / 8.0) / 2.0));
        // With correlation ½ the error (1, 1) counts 4/3 over two entries.
        let mut correlated = Scores::default();
        correlated.normal(&[1.0, 1.0], &[1.0, 0.5, 0.5, 1.0], &[0.0, 0.0], 1.0);
        assert!((correlated.nees().unwrap() - 2.0 / 3.0).abs() < 1e-12);
        // A state that is known has no calibration.
        let mut known = Scores::default();
        known.normal(&[1.0], &[0.0], &[1.0], 2.0);
        assert_eq!((known.coverage(), known.nees()), (Some(1.0), None));
    }

    #[test]
    fn a_discrete_belief_hits_where_it_believes_most() {
        let mut scores = Scores::default();
        scores.discrete(&[0.5, 0.25, 0.25], 0);
        scores.discrete(&[0.5, 0.25, 0.25], 2);
        assert_eq!(scores.hits(), Some(0.5));
        let expected = (2.0f64.ln() + 4.0f64.ln()) / 2.0;
        assert!((scores.surprise().unwrap() - expected).abs() < 1e-12);
        assert_eq!(scores.rmse(), None);
    }
}
