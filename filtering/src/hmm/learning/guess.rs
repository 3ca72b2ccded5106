//! Initial guesses from data.

use std::borrow::Cow;

use rand::{Rng, RngExt};

use super::batch::{BatchEm, Fit};
use crate::data_spread::unseen;
use crate::hmm::{AnyEmission, Covariates, Emission, EmissionKind, Guess, Hmm};
use crate::{Error, Result, Sequence};

/// How long a guessed state lasts: uniform from the one to the other probability to stay.
const STAY: std::ops::Range<f64> = 0.5..0.95;
/// Pseudo-observations per state where every run of EM collapses without: a state of one value gets a thousandth of its
/// distance from the others for a deviation, and one of a hundred values changes by less than it can be told.
pub(in crate::hmm) const OUTLIERS: f64 = 1e-6;

impl<E: Guess> Hmm<E> {
    /// A model of K `states` to start EM from: the emission by [`Guess::guess`]; π uniform; A stays in a state with a
    /// probability drawn for it.
    ///
    /// # Errors
    /// [`Error::Setting`] for no state; [`Error::Size`] for no data, or widths that differ;
    /// [`Error::Observation`] for numbers that are no observations of this emission.
    pub fn guess<R: Rng + ?Sized>(
        states: usize,
        sequences: &[Sequence],
        rng: &mut R,
    ) -> Result<Self> {
        guessed(states, sequences, rng, E::guess)
    }
}

impl Hmm<AnyEmission> {
    /// [`Hmm::guess`] for an emission of a kind that is chosen at run time.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{EmissionKind, Hmm}};
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let data = [Sequence::of_numbers([1.0, 2.0, 50.0, 49.0, 2.0])?];
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let guess = Hmm::initial_guess(EmissionKind::Poisson, 2, &data, &mut rng)?;
    /// assert_eq!(guess.states(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::guess`].
    pub fn initial_guess<R: Rng + ?Sized>(
        kind: EmissionKind,
        states: usize,
        sequences: &[Sequence],
        rng: &mut R,
    ) -> Result<Self> {
        Self::initial_guess_given(kind, states, sequences, &Covariates::default(), rng)
    }

    /// [`Hmm::initial_guess`] where the last entries of a row are `covariates`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for inputs or an exposure that this kind of emission does not take; as [`Hmm::initial_guess`].
    pub fn initial_guess_given<R: Rng + ?Sized>(
        kind: EmissionKind,
        states: usize,
        sequences: &[Sequence],
        covariates: &Covariates,
        rng: &mut R,
    ) -> Result<Self> {
        guessed(states, sequences, rng, |k, rows, rng| {
            kind.guess_given(k, rows, covariates, rng)
        })
    }

    /// The best of `restarts` runs of [`Hmm::fit`] from guesses, plain EM; [`Hmm::fit_states`] finds better ones, and sooner. A run that fails (a state left with too little
    /// data) is left out. If all fail so, because a single value far from all others has a state for itself, they are run
    /// again with 10⁻⁶ pseudo-observations a state; [`Fit::pseudo_count`] tells.
    ///
    /// # Errors
    /// As [`Hmm::initial_guess`] and [`Hmm::fit`]; the last error of [`Hmm::fit`] if no run came to an end.
    pub fn fit_guesses(
        kind: EmissionKind,
        states: usize,
        sequences: &[Sequence],
        restarts: usize,
        em: &BatchEm,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Fit<AnyEmission>> {
        let mut guesses = Vec::new();
        for _ in 0..restarts {
            guesses.push(Self::initial_guess(kind, states, sequences, rng)?);
        }
        let collapsed = |error: &Error| {
            matches!(
                error,
                Error::Entry { .. } | Error::NotPositiveDefinite { .. }
            )
        };
        match best_fit(&guesses, sequences, em) {
            Err(error) if em.pseudo_count == 0.0 && collapsed(&error) => {
                let em = BatchEm {
                    pseudo_count: OUTLIERS,
                    ..em.clone()
                };
                best_fit(&guesses, sequences, &em)
            }
            fitted => fitted,
        }
    }
}

/// The best of the runs of EM from these models; the last error if none comes to an end.
fn best_fit(guesses: &[Hmm], sequences: &[Sequence], em: &BatchEm) -> Result<Fit<AnyEmission>> {
    let mut best: Option<Fit<AnyEmission>> = None;
    let mut failed = Error::setting("restarts", guesses.len(), "at least one");
    for guess in guesses {
        match guess.clone().fit(sequences, em) {
            Ok(fit) => {
                let better = |best: &Fit<_>| fit.log_evidence() > best.log_evidence();
                if best.as_ref().is_none_or(better) {
                    best = Some(fit);
                }
            }
            Err(error) => failed = error,
        }
    }
    best.ok_or(failed)
}

/// A model around an emission that is guessed from all observations that are not missing.
fn guessed<E: Emission, R: Rng + ?Sized>(
    states: usize,
    sequences: &[Sequence],
    rng: &mut R,
    emission: impl Fn(usize, &[&[f64]], &mut R) -> Result<E>,
) -> Result<Hmm<E>> {
    if states == 0 {
        return Err(Error::setting("states", states, "at least one"));
    }
    let rows = rows(sequences)?;
    let rows: Vec<&[f64]> = rows.iter().map(|row| &**row).collect();
    let emission = emission(states, &rows, rng)?;
    let mut transition = vec![0.0; states * states];
    for (i, row) in transition.chunks_exact_mut(states).enumerate() {
        let stay = if states == 1 {
            1.0
        } else {
            rng.random_range(STAY)
        };
        row.fill((1.0 - stay) / (states as f64 - 1.0).max(1.0));
        row[i] = stay;
    }
    Hmm::from_flat(vec![1.0 / states as f64; states], transition, emission)
}

/// All observations that are not missing; the mean of its column stands for an entry that is.
pub(in crate::hmm) fn rows(sequences: &[Sequence]) -> Result<Vec<Cow<'_, [f64]>>> {
    let width = sequences.first().map_or(0, Sequence::width);
    if let Some(other) = sequences.iter().find(|s| s.width() != width) {
        return Err(Error::size(
            "sequences",
            other.width(),
            format!("{width} entries, as the first"),
        ));
    }
    let seen = || sequences.iter().flat_map(|s| s.iter().flatten());
    if seen().next().is_none() {
        return Err(Error::size("sequences", "no observation", "at least one"));
    }
    if !sequences.iter().any(Sequence::has_partial_rows) {
        return Ok(seen().map(Cow::Borrowed).collect());
    }
    let mean = |d: usize| {
        let there = seen().map(|row| row[d]).filter(|y| !y.is_nan());
        let (n, sum) = there.fold((0.0, 0.0), |(n, sum), y| (n + 1.0, sum + y));
        match n > 0.0 {
            true => Ok(sum / n),
            false => Err(unseen(d)),
        }
    };
    let means = (0..width).map(mean).collect::<Result<Vec<f64>>>()?;
    let filled = seen().map(|row| {
        let entries = row.iter().zip(&means);
        Cow::Owned(
            entries
                .map(|(y, m)| if y.is_nan() { *m } else { *y })
                .collect(),
        )
    });
    Ok(filled.collect())
}
