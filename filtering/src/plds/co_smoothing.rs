//! The co-smoothing score: how well the others tell of held-out neurons.

use super::model::Plds;
use crate::{Error, Result, Sequence};

/// How well held-out neurons are predicted from the others (eq. F77).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoSmoothing {
    /// ln p of the held-out counts at the predicted rates, less that at their own mean rates, nats.
    pub gain: f64,
    /// Spikes of the held-out neurons.
    pub spikes: f64,
}

impl CoSmoothing {
    /// The gain in bits, over the spikes: 0 for predictions that are no better than the mean rate. Not a number without a
    /// spike.
    pub fn bits_per_spike(&self) -> f64 {
        self.gain / std::f64::consts::LN_2 / self.spikes
    }

    /// The scores of two sets of neurons together.
    pub fn and(self, other: Self) -> Self {
        Self {
            gain: self.gain + other.gain,
            spikes: self.spikes + other.spikes,
        }
    }
}

impl Plds {
    /// The score of the neurons `held_out`, numbers from 0: their rates are the expectations under the smoothed beliefs
    /// given the other neurons of `sequences`, and what they are compared with is each one's mean rate in these very
    /// sequences (F. Pei et al. 2021).
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::plds::{CountLaw, Plds};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let c = [[1.0], [1.0], [1.0]];
    /// let model = Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], &c, &[0.0; 3])?;
    /// let counts = Sequence::of_rows([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [5.0, 4.0, 4.0], [4.0, 5.0, 6.0]])?;
    /// assert!(model.co_smoothing(&[counts], &[2])?.bits_per_spike() > 0.1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for neurons that are not there, twice, or all of them; as [`Plds::smooth`].
    pub fn co_smoothing(&self, sequences: &[Sequence], held_out: &[usize]) -> Result<CoSmoothing> {
        let width = self.width();
        let twice = |k: usize| held_out[..k].contains(&held_out[k]);
        let wrong = held_out.iter().any(|i| *i >= width) || (0..held_out.len()).any(twice);
        if wrong || held_out.is_empty() || held_out.len() == width {
            let expected = format!(
                "some of the neurons 0 to {}, each once",
                width.saturating_sub(1)
            );
            return Err(Error::setting(
                "held_out",
                format!("{held_out:?}"),
                expected,
            ));
        }
        let mut predicted: Vec<Vec<(f64, f64)>> = vec![Vec::new(); held_out.len()];
        for sequence in sequences {
            let others = without(sequence, held_out)?;
            let smoothed = self.smooth(&others)?;
            self.check_sequence(sequence)?;
            for (row, belief) in sequence.iter().zip(smoothed.beliefs()) {
                let Some(row) = row else { continue };
                let (mean, covariance) = (belief.mean(), belief.covariance());
                let rates = self.signal(mean.as_slice(), covariance.as_slice()).mean;
                for (pairs, i) in predicted.iter_mut().zip(held_out) {
                    if !row[*i].is_nan() {
                        pairs.push((row[*i], rates[*i]));
                    }
                }
            }
        }
        let mut score = CoSmoothing {
            gain: 0.0,
            spikes: 0.0,
        };
        for pairs in predicted.iter().filter(|pairs| !pairs.is_empty()) {
            let spikes: f64 = pairs.iter().map(|(y, _)| y).sum();
            let mean = spikes / pairs.len() as f64;
            let of = |y: f64, rate: f64| self.law().log_probability(y, rate);
            let gain = pairs.iter().map(|(y, rate)| of(*y, *rate) - of(*y, mean));
            score.gain += gain.sum::<f64>();
            score.spikes += spikes;
        }
        Ok(score)
    }

    /// The score of all neurons, each held out once: neuron i with those of the same i modulo `folds`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number of folds below 2 or above that of the neurons; as [`Plds::co_smoothing`].
    pub fn co_smoothing_of_folds(
        &self,
        sequences: &[Sequence],
        folds: usize,
    ) -> Result<CoSmoothing> {
        crate::error::check_count("folds", folds, 2..=self.width().max(2))?;
        let mut score = CoSmoothing {
            gain: 0.0,
            spikes: 0.0,
        };
        for fold in 0..folds.min(self.width()) {
            let held_out: Vec<usize> = (fold..self.width()).step_by(folds).collect();
            score = score.and(self.co_smoothing(sequences, &held_out)?);
        }
        Ok(score)
    }
}

/// The same sequence with entries missing.
fn without(sequence: &Sequence, held_out: &[usize]) -> Result<Sequence> {
    let mut others = Sequence::new(sequence.width())?;
    for row in sequence.iter() {
        let row = row.map(|row| {
            let mut row = row.to_vec();
            held_out.iter().for_each(|i| row[*i] = f64::NAN);
            row
        });
        others.push(row.as_deref())?;
    }
    Ok(others.made_of(sequence))
}
