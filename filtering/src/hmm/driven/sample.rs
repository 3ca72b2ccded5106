//! Samples given inputs.

use rand::Rng;

use super::model::DrivenHmm;
use crate::hmm::Sample;
use crate::hmm::emission_rows::{check_inputs, draw, of_input};
use crate::{Error, Result, Sequence};

impl DrivenHmm {
    /// States and observations, one row of `inputs` `[time, input]` for each, in the order of [`DrivenHmm::inputs`]; they are the last
    /// entries of the rows that it returns.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::hmm::{DrivenHmm, Hmm, Poisson};
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = Poisson::new(vec![vec![1.0], vec![20.0]])?;
    /// let base = Hmm::new(vec![1.0, 0.0], vec![vec![0.5, 0.5], vec![0.5, 0.5]], counts.into())?;
    /// let model = DrivenHmm::new(base, vec!["gate".to_owned()])?
    ///     .with_weights(vec![vec![vec![0.0], vec![400.0]], vec![vec![0.0], vec![400.0]]])?;
    /// let gate = Sequence::of_numbers([0.0, -1.0, 1.0])?;
    /// let (states, rows) = model.sample_given(&gate, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
    /// assert_eq!((states, rows.get(2).map(|row| row[1])), (vec![0, 0, 1], Some(1.0)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for another number of inputs, [`Error::Observation`] for one that is missing, or an exposure that is not
    /// positive.
    pub fn sample_given<R: Rng + ?Sized>(
        &self,
        inputs: &Sequence,
        rng: &mut R,
    ) -> Result<(Vec<usize>, Sequence)> {
        let (k, names) = (self.states(), self.inputs());
        if inputs.width() != names.len() {
            let found = format!("{} columns", inputs.width());
            let expected = format!("{}: {}", names.len(), names.join(", "));
            return Err(Error::size("inputs", found, expected));
        }
        let emission = self.base().emission();
        let mut sequence = Sequence::new(self.width())?;
        let mut states = Vec::with_capacity(inputs.len());
        let mut row = vec![0.0; self.width()];
        let mut a = vec![0.0; k * k];
        let (outputs, own) = (self.outputs(), self.base().width());
        for (t, given) in inputs.iter().enumerate() {
            let at = |e: Error| e.at_observation(t as u64);
            let missing = |entry| at(Error::observation(entry, "a missing input", "a number"));
            let given = given.ok_or_else(|| missing(0))?;
            if let Some(entry) = given.iter().position(|x| x.is_nan()) {
                return Err(missing(entry));
            }
            row[outputs..].copy_from_slice(given);
            check_inputs(emission, k, &given[..own - outputs])
                .map_err(|e| at(of_input(e, outputs)))?;
            let weights = match states.last() {
                None => self.base().initial(),
                Some(state) => {
                    self.transition_given(given, &mut a).map_err(at)?;
                    &a[state * k..(state + 1) * k]
                }
            };
            let state = draw(weights.iter().copied(), rng);
            emission.sample(state, rng, &mut row[..own]);
            sequence.push(Some(&row)).map_err(at)?;
            states.push(state);
        }
        Ok((states, sequence))
    }
}
