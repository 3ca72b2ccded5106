//! Samples from a model.

use rand::Rng;

use super::emission_rows::draw;
use super::{Hmm, Sample};
use crate::{Result, Sequence};

impl<E: Sample> Hmm<E> {
    /// Hidden states and observations of `length` steps.
    ///
    /// The same generator in the same state gives the same draws. A Poisson rate above 10⁷ is drawn as a
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
        let k = self.states();
        let mut sequence = Sequence::new(self.width())?;
        let mut states = Vec::with_capacity(length);
        let mut row = vec![0.0; self.width()];
        let mut weights = self.initial();
        for _ in 0..length {
            let state = draw(weights.iter().copied(), rng);
            self.emission().sample(state, rng, &mut row);
            sequence.push(Some(&row))?;
            states.push(state);
            weights = &self.transition()[state * k..(state + 1) * k];
        }
        Ok((states, sequence))
    }
}
