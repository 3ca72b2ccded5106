//! Samples from a model.

use rand::Rng;

use super::emission_rows::{check_inputs, draw, of_input};
use super::{Hmm, Sample};
use crate::{Error, Result, Sequence};

impl<E: Sample> Hmm<E> {
    /// Hidden states and observations of `length` steps.
    ///
    /// The same generator in the same state gives the same draws. An autoregression goes on from the newest observations that it was
    /// fitted to, or starts where the regression of its first state rests. A Poisson rate above 10⁷ is drawn as a
    /// rounded normal number.
    ///
    /// ```
    /// use scotopic_filtering::{hmm::{Hmm, Poisson}, rand::{SeedableRng, rngs::Xoshiro256PlusPlus}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = Poisson::new(vec![vec![1.0], vec![20.0]])?;
    /// let model = Hmm::new(vec![1.0, 0.0], vec![vec![0.5, 0.5], vec![0.0, 1.0]], counts)?;
    /// let (states, sequence) = model.sample(50, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
    /// assert_eq!((states[0], states[49], sequence.len()), (0, 1, 50));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) where an emission of your own draws something
    /// that is not finite.
    pub fn sample<R: Rng + ?Sized>(
        &self,
        length: usize,
        rng: &mut R,
    ) -> Result<(Vec<usize>, Sequence)> {
        if self.emission().lags() > 0 {
            let first = draw(self.initial().iter().copied(), rng);
            let mut initial = vec![0.0; self.states()];
            initial[first] = 1.0;
            let (emission, transition) = (self.emission().clone(), self.transition().to_vec());
            let on = Self::from_flat(initial, transition, emission)?;
            let lags = on.emission().resting_lags(first);
            return on.sample_after(&lags, length, rng);
        }
        let names = self.emission().inputs();
        if !names.is_empty() {
            let expected = format!(
                "a row for each observation, of {} (sample_given)",
                names.join(", ")
            );
            return Err(Error::setting("inputs", "none", expected));
        }
        self.draw((0..length).map(|_| &[][..]), rng)
    }

    /// States and observations that follow the observations `lags`, newest first, of a model whose emission has
    /// [`Emission::lags`](super::Emission::lags): outputs alone.
    ///
    /// # Errors
    /// [`Error::Size`] for another number of lags; as [`Hmm::sample`].
    pub fn sample_after<R: Rng + ?Sized>(
        &self,
        lags: &[f64],
        length: usize,
        rng: &mut R,
    ) -> Result<(Vec<usize>, Sequence)> {
        let (k, given) = (self.states(), self.emission().inputs().len());
        if self.emission().lags() == 0 || lags.len() != given {
            let found = format!("{} numbers", lags.len());
            return Err(Error::size(
                "lags",
                found,
                format!("{given}, of an autoregression"),
            ));
        }
        let outputs = self.width() - given;
        let mut sequence = Sequence::new(outputs)?;
        let mut states = Vec::with_capacity(length);
        let mut row = vec![0.0; self.width()];
        row[..given].copy_from_slice(lags);
        let mut weights = self.initial();
        for _ in 0..length {
            let state = draw(weights.iter().copied(), rng);
            row.copy_within(..given, outputs);
            self.emission().sample(state, rng, &mut row);
            sequence.push(Some(&row[..outputs]))?;
            states.push(state);
            weights = &self.transition()[state * k..(state + 1) * k];
        }
        Ok((states, sequence))
    }

    /// [`Hmm::sample`] of a model with inputs, one row `[input]` of `inputs` for each step; they are the last entries of the rows
    /// that it returns.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Hmm, LogisticRegression}};
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let choice = LogisticRegression::new(vec!["contrast".to_owned()], vec![vec![0.0, 40.0]])?;
    /// let model = Hmm::new(vec![1.0], vec![vec![1.0]], choice)?;
    /// let inputs = Sequence::of_numbers([1.0, -1.0, 1.0])?;
    /// let (_, rows) = model.sample_given(&inputs, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
    /// assert_eq!((rows.get(0), rows.get(1)), (Some(&[1.0, 1.0][..]), Some(&[0.0, -1.0][..])));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for another number of inputs, [`Error::Observation`] for one that is missing, or an exposure that is not
    /// positive; as [`Hmm::sample`].
    pub fn sample_given<R: Rng + ?Sized>(
        &self,
        inputs: &Sequence,
        rng: &mut R,
    ) -> Result<(Vec<usize>, Sequence)> {
        let names = self.emission().inputs();
        if inputs.width() != names.len() {
            let found = format!("{} columns", inputs.width());
            return Err(Error::size("inputs", found, names.len()));
        }
        for (t, row) in inputs.iter().enumerate() {
            let missing = row.map_or(Some(0), |row| row.iter().position(|x| x.is_nan()));
            if let Some(entry) = missing {
                let error = Error::observation(entry, "a missing input", "a number");
                return Err(error.at_observation(t as u64));
            }
            let checked = check_inputs(self.emission(), self.states(), row.unwrap_or(&[]));
            let outputs = self.width() - names.len();
            checked.map_err(|e| of_input(e, outputs).at_observation(t as u64))?;
        }
        self.draw(inputs.iter().map(|row| row.unwrap_or(&[])), rng)
    }

    fn draw<'a, R: Rng + ?Sized>(
        &self,
        inputs: impl ExactSizeIterator<Item = &'a [f64]>,
        rng: &mut R,
    ) -> Result<(Vec<usize>, Sequence)> {
        let k = self.states();
        let mut sequence = Sequence::new(self.width())?;
        let mut states = Vec::with_capacity(inputs.len());
        let mut row = vec![0.0; self.width()];
        let outputs = self.width() - self.emission().inputs().len();
        let mut weights = self.initial();
        for given in inputs {
            row[outputs..].copy_from_slice(given);
            let state = draw(weights.iter().copied(), rng);
            self.emission().sample(state, rng, &mut row);
            sequence.push(Some(&row))?;
            states.push(state);
            weights = &self.transition()[state * k..(state + 1) * k];
        }
        Ok((states, sequence))
    }
}
