//! The maximum of ln p among several starts.
//!
//! ```text
//! 1  starts      a guess from the data, and random models of the same spread
//! 2  short runs  15 steps of each; the best three go on
//! 3  to the end  by a quasi-Newton method, until the gradient vanishes
//! 4  collapse    where R shrank to nothing, which has no bound, all of it again with pseudo-observations
//! ```
//!
//! | subject | file |
//! |---|---|
//! | ends of runs, of models with inputs and without | `end.rs` |
//! | noise and starts that shrink to nothing | `collapse.rs` |
//! | what there is to say | `warning.rs`: [`GaussianWarning`] |

mod collapse;
mod end;
mod warning;

pub use warning::GaussianWarning;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use self::collapse::{collapsed, start_without_spread};
use self::end::End;
use super::driven::{DrivenFitted, DrivenGaussian};
use super::em::GaussianFit;
use super::model::LinearGaussian;
use crate::{Error, Result, Sequence, divided};

/// Steps of each start before the best are pursued to the end.
const SHORT: usize = 15;
/// So many starts are pursued to the end.
const PURSUED: usize = 3;
/// Two ends are one maximum where ln p differs by less, nats.
const SAME: f64 = 1e-2;
/// Pseudo-observations of the noise begun with, a tenth of each column's variance, that keep it from collapse.
const PRIOR: f64 = 0.01;

/// What a search found; [`LinearGaussian::search`], [`DrivenGaussian::search`].
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianFound<M> {
    /// The model of the highest ln p.
    pub model: M,
    /// ln p of all sequences, nats.
    pub log_evidence: f64,
    /// Steps of the run that reached it.
    pub iterations: usize,
    /// Whether its gradient vanishes.
    pub converged: bool,
    /// How many runs reached it, of those that were pursued; none of a fit from a model that was given.
    pub found_by: Option<(usize, usize)>,
    /// The pseudo-observations that it was fitted with.
    pub pseudo_count: f64,
    /// Whether its ln p may be compared with that of others: not where only pseudo-observations that nobody asked for keep it from
    /// collapse, or it did not converge.
    pub ranked: bool,
    /// What else there is to know.
    pub warnings: Vec<GaussianWarning>,
}

/// The random numbers of the starts of so many states, independent of those of other numbers.
fn stream(seed: u64, states: usize) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add((states as u64) << 32))
}

impl LinearGaussian {
    /// `count` models of so many states to begin a search with: the guess from the data, and random ones.
    ///
    /// # Errors
    /// As [`LinearGaussian::initial_guess`].
    pub fn starts(
        states: usize,
        sequences: &[Sequence],
        count: usize,
        seed: u64,
    ) -> Result<Vec<Self>> {
        let mut rng = stream(seed, states);
        let first = Self::initial_guess(states, sequences);
        and_drawn(first, count, || {
            Self::random_guess(states, sequences, &mut rng)
        })
    }

    /// The model of the highest ln p that is reached from `starts`, on any number of threads (0 is one a core) the same. Where its
    /// noise collapses, and no pseudo-observations were asked for, it is the best with some.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let noisy = |t: i32| (0.3 * f64::from(t)).sin() + (f64::from(t) * 0.618_033_988_749_895).fract();
    /// let data = [Sequence::of_numbers((0..80).map(noisy))?];
    /// let settings = GaussianFit { max_iterations: 300, tolerance: 0.0, ..GaussianFit::default() };
    /// let starts = LinearGaussian::starts(2, &data, 4, 0)?;
    /// let found = LinearGaussian::search(&starts, &data, &settings, 0)?;
    /// let first = starts[0].maximum_likelihood(&data, &settings)?;
    /// assert!(found.log_evidence > first.log_evidence[first.log_evidence.len() - 1] - 1e-2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// That of the first start, if no run comes to an end.
    pub fn search(
        starts: &[Self],
        sequences: &[Sequence],
        fit: &GaussianFit,
        threads: usize,
    ) -> Result<GaussianFound<Self>> {
        let by_em = fit.constraints.is_empty();
        best_without_collapse(sequences, fit, |fit| {
            let short = short(fit);
            // EM chooses the starts, or short runs where entries are held, and each of them is pursued anew: pseudo-observations have
            // its noise.
            let begin = |start: &Self| match by_em {
                true => start.fit(sequences, &short),
                false => start.maximum_likelihood(sequences, &short),
            };
            best_of(starts, threads, begin, |start, _| {
                start.maximum_likelihood(sequences, fit)
            })
        })
    }

    /// The maximum above this model, with what there is to say of it.
    ///
    /// # Errors
    /// As [`LinearGaussian::maximum_likelihood`].
    pub fn search_from(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<GaussianFound<Self>> {
        let end = self.maximum_likelihood(sequences, fit)?;
        Ok(of_given(end, sequences, fit))
    }
}

impl DrivenGaussian {
    /// As [`LinearGaussian::starts`], with the named inputs.
    ///
    /// # Errors
    /// As [`DrivenGaussian::initial_guess`].
    pub fn starts(
        states: usize,
        sequences: &[Sequence],
        inputs: &[String],
        count: usize,
        seed: u64,
    ) -> Result<Vec<Self>> {
        let mut rng = stream(seed, states);
        let first = Self::initial_guess(states, sequences, inputs);
        and_drawn(first, count, || {
            Self::random_guess(states, sequences, inputs, &mut rng)
        })
    }

    /// As [`LinearGaussian::search`].
    ///
    /// # Errors
    /// That of the first start, if no run comes to an end.
    pub fn search(
        starts: &[Self],
        sequences: &[Sequence],
        fit: &GaussianFit,
        threads: usize,
    ) -> Result<GaussianFound<Self>> {
        best_without_collapse(sequences, fit, |fit| {
            let short = short(fit);
            let begin = |start: &Self| start.maximum_likelihood(sequences, &short);
            best_of(starts, threads, begin, |start, run: DrivenFitted| {
                // Pseudo-observations have the noise of the start.
                let (model, before) = match fit.pseudo_count > 0.0 {
                    true => (start, 0),
                    false => (&run.model, run.iterations),
                };
                let mut end = model.maximum_likelihood(sequences, fit)?;
                end.iterations += before;
                Ok(end)
            })
        })
    }

    /// As [`LinearGaussian::search_from`].
    ///
    /// # Errors
    /// As [`DrivenGaussian::maximum_likelihood`].
    pub fn search_from(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<GaussianFound<Self>> {
        let end = self.maximum_likelihood(sequences, fit)?;
        Ok(of_given(end, sequences, fit))
    }
}

/// The first start, and others that are drawn.
fn and_drawn<M>(
    first: Result<M>,
    count: usize,
    mut draw: impl FnMut() -> Result<M>,
) -> Result<Vec<M>> {
    let others = (1..count).map(|_| draw());
    std::iter::once(first).chain(others).collect()
}

/// Settings of the short run of each start.
fn short(fit: &GaussianFit) -> GaussianFit {
    GaussianFit {
        max_iterations: SHORT.min(fit.max_iterations),
        ..fit.clone()
    }
}

/// The `best` end of several starts; where its noise collapses, that with pseudo-observations.
///
/// # Errors
/// If no start can be fitted.
fn best_without_collapse<F: End>(
    sequences: &[Sequence],
    fit: &GaussianFit,
    best: impl Fn(&GaussianFit) -> Result<(F, (usize, usize))>,
) -> Result<GaussianFound<F::Model>> {
    let free = fit.pseudo_count == 0.0 && fit.learned.observation_noise;
    let warning = match best(fit) {
        Ok((end, found_by)) => {
            let columns = if free {
                collapsed(&end, sequences, fit)
            } else {
                Vec::new()
            };
            if columns.is_empty() {
                return Ok(found(end, Some(found_by), sequences, fit, Vec::new()));
            }
            GaussianWarning::NoiseKept {
                columns,
                log_evidence: end.log_evidence(),
                pseudo_count: PRIOR,
            }
        }
        // Some collapse so far that no number is left.
        Err(error @ (Error::NotFinite { .. } | Error::NotPositiveDefinite { .. })) if free => {
            GaussianWarning::NoiseKeptEverywhere {
                error: error.to_string(),
                pseudo_count: PRIOR,
            }
        }
        Err(error) => return Err(error),
    };
    let kept = GaussianFit {
        pseudo_count: PRIOR,
        ..fit.clone()
    };
    let (end, found_by) = best(&kept)?;
    let mut found = found(end, Some(found_by), sequences, &kept, vec![warning]);
    found.ranked = false;
    Ok(found)
}

/// The end from a model that was given.
fn of_given<F: End>(end: F, sequences: &[Sequence], fit: &GaussianFit) -> GaussianFound<F::Model> {
    let columns = collapsed(&end, sequences, fit);
    let told = fit.learned.observation_noise && !columns.is_empty();
    let warning = told.then_some(GaussianWarning::NoiseCollapsed {
        columns,
        pseudo_count: PRIOR,
    });
    found(end, None, sequences, fit, warning.into_iter().collect())
}

fn found<F: End>(
    end: F,
    found_by: Option<(usize, usize)>,
    sequences: &[Sequence],
    fit: &GaussianFit,
    mut warnings: Vec<GaussianWarning>,
) -> GaussianFound<F::Model> {
    if start_without_spread(&end, sequences, fit) {
        warnings.push(GaussianWarning::StartCollapsed);
    }
    let log_evidence = end.log_evidence();
    let (model, iterations, converged) = end.into_parts();
    GaussianFound {
        model,
        log_evidence,
        iterations,
        converged,
        found_by,
        pseudo_count: fit.pseudo_count,
        ranked: converged,
        warnings,
    }
}

/// The best of short runs from all starts, pursued to the end; how many of those pursued reached it, of how many. On any number of
/// threads the same.
///
/// # Errors
/// The first one, if none comes to its end.
fn best_of<M: Sync, F: End>(
    starts: &[M],
    threads: usize,
    begin: impl Fn(&M) -> Result<F> + Sync,
    pursue: impl Fn(&M, F) -> Result<F> + Sync,
) -> Result<(F, (usize, usize))> {
    let mut wrong = None;
    let mut kept = |outcome: Result<F>| match outcome {
        Ok(run) => Some(run),
        Err(error) => {
            wrong.get_or_insert(error);
            None
        }
    };
    let runs = divided(starts.iter().collect(), threads, |start| {
        (begin(start), start)
    });
    let runs = runs
        .into_iter()
        .filter_map(|(run, start)| Some((kept(run)?, start)));
    let mut runs: Vec<(F, &M)> = runs.collect();
    runs.sort_by(|(a, _), (b, _)| b.log_evidence().total_cmp(&a.log_evidence()));
    runs.truncate(PURSUED);
    let ends = divided(runs, threads, |(run, start)| pursue(start, run));
    let mut ends: Vec<F> = ends.into_iter().filter_map(kept).collect();
    ends.sort_by(|a, b| b.log_evidence().total_cmp(&a.log_evidence()));
    let same = |end: &&F| {
        ends.first()
            .is_some_and(|best| best.log_evidence() - end.log_evidence() < SAME)
    };
    let found_by = (ends.iter().filter(same).count(), ends.len());
    match (ends.into_iter().next(), wrong) {
        (Some(best), _) => Ok((best, found_by)),
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::setting("starts", "none", "at least one")),
    }
}
