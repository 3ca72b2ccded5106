//! Samples from a model.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::{AnyEmission, Categorical, DiagonalGaussian, Emission, FullGaussian, Hmm, Poisson};
use crate::{Result, Sequence};

/// An emission that can be drawn from.
pub trait Sample: Emission {
    /// o ~ p(·|s = state), into `[width]`.
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]);
}

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

/// One of 0, 1, … with these probabilities.
fn draw<R: Rng + ?Sized>(probabilities: impl Iterator<Item = f64>, rng: &mut R) -> usize {
    let mut left: f64 = rng.random();
    let mut last = 0;
    for (k, p) in probabilities.enumerate().filter(|(_, p)| *p > 0.0) {
        // Rounding can leave a little at the end: that is the last one that is possible.
        last = k;
        left -= p;
        if left < 0.0 {
            break;
        }
    }
    last
}

impl Sample for Categorical {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let m = self.symbols();
        let row = &self.probabilities()[state * m..(state + 1) * m];
        into.fill(draw(row.iter().copied(), rng) as f64);
    }
}

impl Sample for Poisson {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let rates = &self.rates()[state * into.len()..];
        for (y, &rate) in into.iter_mut().zip(rates) {
            *y = match rand_distr::Poisson::new(rate) {
                Ok(counts) if rate <= LARGEST_COUNTED_RATE => counts.sample(rng),
                _ => (rate + rate.sqrt() * normal(rng)).round().max(0.0),
            };
        }
    }
}

/// Above this rate a Poisson count is a normal number to seven digits, and drawing it as one cannot
/// leave the range of the generator of counts.
const LARGEST_COUNTED_RATE: f64 = 1e7;

impl Sample for DiagonalGaussian {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        let from = state * into.len();
        let parameters = self.means()[from..].iter().zip(&self.variances()[from..]);
        for (y, (mean, variance)) in into.iter_mut().zip(parameters) {
            *y = mean + variance.sqrt() * normal(rng);
        }
    }
}

impl Sample for FullGaussian {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        into.iter_mut().for_each(|z| *z = normal(rng));
        self.coloured(state, into);
    }
}

impl Sample for AnyEmission {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        match self {
            AnyEmission::Categorical(e) => e.sample(state, rng, into),
            AnyEmission::Poisson(e) => e.sample(state, rng, into),
            AnyEmission::DiagonalGaussian(e) => e.sample(state, rng, into),
            AnyEmission::FullGaussian(e) => e.sample(state, rng, into),
        }
    }
}

fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    StandardNormal.sample(rng)
}
