//! Where learning starts from: an emission made of the data.

use rand::Rng;

use super::covariates::Covariates;
use super::traits::Learnable;
#[cfg(doc)]
use crate::Error;
use crate::Result;

/// An emission that learning can start from data alone.
pub trait Guess: Learnable {
    /// Whether a row `[width]` of finite numbers can be an observation of some emission of this kind.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) of index 0 for one that cannot.
    fn check(row: &[f64]) -> Result<()> {
        let _ = row;
        Ok(())
    }

    /// An emission of K `states` for observations `[·][width]`, of which there is at least one: by k-means for numbers;
    /// for symbols, overall frequencies times random weights.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) for numbers that are no observations of this emission.
    fn guess<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self>;

    /// As [`Guess::guess`], less bound to the clusters of the data: means are rows drawn from the data, with the spread
    /// of all of them. By default [`Guess::guess`].
    ///
    /// # Errors
    /// As [`Guess::guess`].
    fn scattered<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Result<Self> {
        Self::guess(states, rows, rng)
    }

    /// [`Guess::guess`] where the last entries of a row are `covariates`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the emission has none, the default; as [`Guess::guess`].
    fn guess_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        covariates.refuse()?;
        Self::guess(states, rows, rng)
    }

    /// [`Guess::scattered`] where the last entries of a row are `covariates`.
    ///
    /// # Errors
    /// As [`Guess::guess_given`].
    fn scattered_given<R: Rng + ?Sized>(
        states: usize,
        rows: &[&[f64]],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        covariates.refuse()?;
        Self::scattered(states, rows, rng)
    }
}
