//! A trained read-out.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::objective::{check_labels, scores, softmax};
use crate::{Result, Rows};

/// A linear read-out, made by [`LogisticConfig::train`](super::LogisticConfig::train).
///
/// ```text
/// p(k | x) ∝ exp(w_k·x' + b_k),      x'_j = (x_j − mean_j)/scale_j
/// ```
///
/// ```
/// use scotopic_measures::{Rows, logistic::LogisticConfig};
/// # fn main() -> scotopic_measures::Result<()> {
/// let x = Rows::new("codes", &[-1.0, -2.0, 1.0, 2.0], [4, 1])?;
/// let read_out = LogisticConfig::default().train(x, &[0u8, 0, 1, 1], 2)?;
/// let middle = read_out.probabilities(Rows::new("middle", &[0.0], [1, 1])?)?;
/// assert!((middle[0] - 0.5).abs() < 1e-3 && (middle[0] + middle[1] - 1.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classifier {
    /// How many classes.
    pub classes: usize,
    /// Mean of each feature over the training samples, or 0.
    pub mean: Vec<f64>,
    /// Standard deviation of each feature over the training samples, or 1.
    pub scale: Vec<f64>,
    /// w `[classes, features]`, for the scaled features.
    pub weights: Vec<f64>,
    /// b `[classes]`.
    pub intercepts: Vec<f64>,
    /// Steps of L-BFGS that were taken.
    pub iterations: usize,
    /// ½ Σ |w_k|² − C Σ ln p at the end.
    pub objective: f64,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

impl Classifier {
    /// p(k | x) `[samples, classes]` for `x` `[samples, features]`.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) if `x` has another number of features.
    pub fn probabilities(&self, x: Rows<'_>) -> Result<Vec<f64>> {
        let mut scores = self.scores(x)?;
        scores.par_chunks_exact_mut(self.classes).for_each(|row| {
            softmax(row);
        });
        Ok(scores)
    }

    /// The most probable class of each sample of `x` `[samples, features]`; of equals the first.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) if `x` has another number of features.
    pub fn predict(&self, x: Rows<'_>) -> Result<Vec<usize>> {
        let first_highest = |row: &[f64]| {
            let start = (0, f64::NEG_INFINITY);
            let each = row.iter().copied().enumerate();
            each.fold(start, |best, (k, s)| if s > best.1 { (k, s) } else { best })
                .0
        };
        let scores = self.scores(x)?;
        Ok(scores
            .chunks_exact(self.classes)
            .map(first_highest)
            .collect())
    }

    /// The fraction of samples whose prediction is their label.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) if the sizes do not go together,
    /// [`Error::Value`](crate::Error::Value) for a label that is no class.
    pub fn accuracy<L>(&self, x: Rows<'_>, labels: &[L]) -> Result<f64>
    where
        L: Copy + Into<usize>,
    {
        let labels = check_labels(x, labels, self.classes)?;
        let predicted = self.predict(x)?;
        let right = predicted.iter().zip(&labels).filter(|(a, b)| a == b);
        Ok(right.count() as f64 / labels.len() as f64)
    }

    /// Mean over the samples of −ln p(label | x), in nats.
    ///
    /// # Errors
    /// As [`accuracy`](Self::accuracy).
    pub fn log_loss<L>(&self, x: Rows<'_>, labels: &[L]) -> Result<f64>
    where
        L: Copy + Into<usize>,
    {
        let labels = check_labels(x, labels, self.classes)?;
        let mut scores = self.scores(x)?;
        let rows = scores.chunks_exact_mut(self.classes).zip(&labels);
        let each = rows.map(|(row, &label)| {
            let chosen = row[label];
            softmax(row) - chosen
        });
        Ok(each.sum::<f64>() / labels.len() as f64)
    }

    fn scores(&self, x: Rows<'_>) -> Result<Vec<f64>> {
        let features = self.mean.len();
        x.check_columns(features, "the training data")?;
        // w·(x − m)/s + b = (w/s)·x + (b − (w/s)·m)
        let mut folded = self.weights.clone();
        let mut intercepts = self.intercepts.clone();
        for (row, intercept) in folded.chunks_exact_mut(features).zip(&mut intercepts) {
            for ((w, m), s) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *w /= s;
                *intercept -= *w * m;
            }
        }
        folded.extend(intercepts);
        Ok(scores(x.values(), &folded, features, self.classes))
    }
}
