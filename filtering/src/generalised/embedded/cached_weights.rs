//! Cached embedding weights: inside a series they do not change from bin to bin.

use super::embedding::{SampleEmbedding, Weights};
use crate::Result;

/// An embedding with the weights of whole steps k/steps prepared once: for series that come bin by bin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CachedEmbedding {
    pub embedding: SampleEmbedding,
    /// Weights at t + k/steps, `first` relative to t.
    steps: Vec<Weights>,
}

/// A bin far from both ends, whose positions are exact.
const INSIDE: isize = 64;

impl CachedEmbedding {
    pub fn new(embedding: SampleEmbedding, steps: usize) -> Result<Self> {
        let steps = (0..steps)
            .map(|k| {
                let t = INSIDE as f64 + k as f64 / steps as f64;
                let mut weights = embedding.weights(t, 4 * INSIDE as usize)?;
                weights.first -= INSIDE;
                Ok(weights)
            })
            .collect::<Result<_>>()?;
        Ok(Self { embedding, steps })
    }

    /// The bins after bin t that its steps ask for.
    pub fn look_ahead(&self) -> usize {
        let last = |w: &Weights| w.first + w.weights.ncols() as isize - 1;
        self.steps.iter().map(last).max().unwrap_or(0).max(0) as usize
    }

    /// The weights at bin `t` and step `k` of a series of `length` samples, and the time.
    ///
    /// # Errors
    /// As [`SampleEmbedding::weights`].
    pub fn window(&self, (t, k): (usize, usize), length: usize) -> Result<(Weights, f64)> {
        let time = t as f64 + k as f64 / self.steps.len() as f64;
        Ok((self.embedding.weights(time, length)?, time))
    }

    /// ỹ at bin `t` and step `k` of a series of `length` samples.
    pub fn embed<'a>(
        &self,
        (t, k): (usize, usize),
        length: usize,
        width: usize,
        row: impl Fn(usize) -> &'a [f64],
        embedded: &mut [f64],
    ) -> Result<()> {
        let prepared = &self.steps[k];
        let first = t as isize + prepared.first;
        if first >= 0 && first as usize + self.embedding.samples() <= length {
            prepared.apply_at(first, length, width, row, embedded);
            return Ok(());
        }
        let time = t as f64 + k as f64 / self.steps.len() as f64;
        let weights = self.embedding.weights(time, length)?;
        weights.apply(length, width, row, embedded);
        Ok(())
    }
}
