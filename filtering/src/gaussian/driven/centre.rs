//! Inputs counted from their means, for fits: beside a large mean their variation would be lost.

use super::model::DrivenGaussian;
use crate::gaussian::GaussianFit;
use crate::gaussian::entry::Parameter;
use crate::gaussian::start_kind::Start;
use crate::{Error, Result, Sequence};

impl DrivenGaussian {
    /// c `[M]`: the mean of each input that can be counted from it, and 0 of others. With b + B c and d + D c in place of b and d the
    /// model is the same for u − c; so it is while it is learned, if b is learned with B and d with D. Entries of H are inputs as
    /// they are, and a b or d of which entries are held takes no mean.
    pub(super) fn centres(&self, sequences: &[Sequence], fit: &GaussianFit) -> Vec<f64> {
        let (m, learned) = (self.outputs(), &fit.learned);
        let held = |p| fit.constraints.holds(p);
        // A stationary start is that of b without inputs.
        let given = self.base.start() == Start::Given || learned.initial;
        let free = !held(Parameter::Bias) && !held(Parameter::Offset);
        let free = free
            && given
            && (!learned.control || learned.bias)
            && (!learned.direct || learned.offset);
        let mean = |k: usize| {
            let rows = || sequences.iter().flat_map(|s| s.iter().flatten());
            let values = || rows().filter_map(|row| row.get(m + k));
            // The rounding of a mean would be all that is left of an input that does not vary, and have an effect.
            let first = values().next().copied();
            if let Some(same) = first.filter(|first| values().all(|u| u == first)) {
                return same;
            }
            let count = values().count().max(1) as f64;
            values().map(|u| u / count).sum::<f64>()
        };
        let of = |k: usize| {
            let regressor = self.regressors.iter().any(|r| r.input == k);
            match free && !regressor {
                true => Some(mean(k)).filter(|c| c.is_finite()).unwrap_or(0.0),
                false => 0.0,
            }
        };
        (0..self.effects()).map(of).collect()
    }

    /// The rows with u − c in place of u.
    ///
    /// # Errors
    /// [`Error::Size`] for rows of another width.
    pub(super) fn less(&self, sequence: &Sequence, centres: &[f64]) -> Result<Sequence> {
        let m = self.outputs();
        if sequence.width() != self.width() {
            let found = format!("rows of {}", sequence.width());
            return Err(Error::size("observations", found, self.width()));
        }
        sequence.mapped(|row| {
            let inputs = row[m..].iter_mut().zip(centres);
            inputs.for_each(|(u, c)| *u -= c);
        })
    }

    /// The same model of inputs u − c, or with `sign` −1 of u + c.
    ///
    /// # Errors
    /// [`Error::Entry`] where b or d leave the range of numbers.
    pub(super) fn with_inputs_moved(&self, centres: &[f64], sign: f64) -> Result<Self> {
        let by = nalgebra::DVector::from_column_slice(centres) * sign;
        let bias = self.base.bias() + &self.control * &by;
        let offset = self.base.offset() + &self.direct * &by;
        let base = self.base.clone().with_bias(bias, offset)?;
        Ok(self.with_numbers(base, self.control.clone(), self.direct.clone()))
    }
}
