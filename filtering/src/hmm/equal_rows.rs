//! Rows of the data that are equal: what an emission says of them is worked out once.

use std::collections::HashMap;

use super::{Emission, Learnable};
use crate::{Result, Sequence};

/// Worth it where each different row stands for so many, on average.
const REPEATED: usize = 2;

/// The different rows of some sequences, and which of them each observation is.
pub(super) struct EqualRows {
    width: usize,
    /// `[N][width]`, in the order in which they are first seen.
    rows: Vec<f64>,
    /// Of each observation of all sequences, one after another; of a missing one, any.
    numbers: Vec<usize>,
}

impl EqualRows {
    /// `None` where most rows are different.
    pub(super) fn of(sequences: &[Sequence]) -> Option<Self> {
        let observations: usize = sequences.iter().map(Sequence::len).sum();
        let width = sequences.first()?.width();
        let mut found = Self {
            width,
            rows: Vec::new(),
            numbers: Vec::with_capacity(observations),
        };
        let mut seen: HashMap<Vec<u64>, usize> = HashMap::new();
        for row in sequences.iter().flat_map(Sequence::iter) {
            let Some(row) = row.filter(|row| row.len() == width) else {
                found.numbers.push(0);
                continue;
            };
            let bits = row.iter().map(|y| y.to_bits()).collect();
            let next = seen.len();
            let number = *seen.entry(bits).or_insert(next);
            if number == next {
                found.rows.extend_from_slice(row);
            }
            if seen.len() * REPEATED > observations {
                return None;
            }
            found.numbers.push(number);
        }
        let same_width = sequences.iter().all(|s| s.width() == width);
        (same_width && !seen.is_empty()).then_some(found)
    }

    fn row(&self, number: usize) -> &[f64] {
        &self.rows[number * self.width..(number + 1) * self.width]
    }
}

/// What one emission says of them.
pub(super) struct OfEqualRows<'a> {
    equal: &'a EqualRows,
    k: usize,
    /// [`Emission::likelihood`] `[N, K]`, and what it returned `[N]`: NaN before it was asked.
    likelihood: Vec<f64>,
    tops: Vec<f64>,
    /// Σ_t γ_t over the observations that are this row `[N, K]`.
    weights: Vec<f64>,
}

impl<'a> OfEqualRows<'a> {
    pub(super) fn new(equal: &'a EqualRows, k: usize) -> Self {
        let n = equal.rows.len() / equal.width;
        Self {
            equal,
            k,
            likelihood: vec![0.0; n * k],
            tops: vec![f64::NAN; n],
            weights: vec![0.0; n * k],
        }
    }

    /// [`Emission::likelihood`] of observation `at`, asked where it is the first of its row.
    ///
    /// # Errors
    /// As [`Emission::likelihood`].
    pub(super) fn likelihood<E: Emission>(
        &mut self,
        emission: &E,
        at: usize,
        into: &mut [f64],
    ) -> Result<f64> {
        let n = self.equal.numbers[at];
        let kept = &mut self.likelihood[n * self.k..(n + 1) * self.k];
        if self.tops[n].is_nan() {
            self.tops[n] = emission.likelihood(self.equal.row(n), kept)?;
        }
        into.copy_from_slice(kept);
        Ok(self.tops[n])
    }

    /// Adds γ `[K]` of observation `at`.
    pub(super) fn weigh(&mut self, at: usize, weights: &[f64]) {
        let n = self.equal.numbers[at];
        let sums = &mut self.weights[n * self.k..(n + 1) * self.k];
        sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
    }

    /// [`Learnable::accumulate`] of all of them.
    pub(super) fn accumulate<E: Learnable>(
        &self,
        emission: &E,
        statistic: &mut [f64],
        into: &mut [f64],
    ) {
        for (n, weights) in self.weights.chunks_exact(self.k).enumerate() {
            emission.accumulate(self.equal.row(n), weights, statistic, into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmm::{Hmm, Poisson};

    #[test]
    fn expectations_are_those_of_the_rows_one_by_one() {
        let emission = Poisson::new(vec![vec![1.0, 0.3], vec![2.0, 4.0], vec![3.0, 1.0]]).unwrap();
        let transition = vec![
            vec![0.5, 0.25, 0.25],
            vec![0.2, 0.6, 0.2],
            vec![0.1, 0.3, 0.6],
        ];
        let model = Hmm::new(vec![0.2, 0.4, 0.4], transition, emission).unwrap();
        let counts = |t: usize| [(t * t % 7 % 3) as f64, (t * 5 % 11 % 3) as f64];
        let mut data = [
            Sequence::of_rows((0..40).map(counts)).unwrap(),
            Sequence::of_rows((0..9).map(counts)).unwrap(),
        ];
        data[0].push(None).unwrap();
        data[0].push(Some(&[f64::NAN, 2.0])).unwrap();
        data[0].push(Some(&[1.0, f64::NAN])).unwrap();
        let equal = EqualRows::of(&data).unwrap();
        assert!(equal.rows.len() <= 2 * 11, "{:?}", equal.rows);
        let (right, found) = (
            model.expectations(&data).unwrap(),
            model.expectations_by(&data, Some(&equal)).unwrap(),
        );
        assert_eq!(found.log_evidence, right.log_evidence);
        assert_eq!(found.transitions, right.transitions);
        let close = |(f, r): (&f64, &f64)| (f - r).abs() < 1e-12 * r.abs().max(1.0);
        assert!(found.emission.iter().zip(&right.emission).all(close));
        // Of rows that are all different there is nothing to gain.
        let different = Sequence::of_numbers((0..5).map(f64::from)).unwrap();
        assert!(EqualRows::of(&[different]).is_none());
        // An error is that of the first observation that has it.
        let wrong = [Sequence::of_rows([[1.0, 1.0], [1.0, 0.5], [1.0, 1.0], [1.0, 0.5]]).unwrap()];
        let equal = EqualRows::of(&wrong).unwrap();
        let found = model.expectations_by(&wrong, Some(&equal));
        assert_eq!(
            found.unwrap_err().to_string(),
            model.expectations(&wrong).unwrap_err().to_string()
        );
    }
}
