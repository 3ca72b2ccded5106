//! Maximum likelihood that can be trusted: many starts, accelerated ascent, an honest end.
//!
//! ```text
//! 1  starts          R from the data (clusters, random places, stretches; chains that stay, Dirichlet(1), Dirichlet(1/K)), and states split:
//!                    each state of the fit with fewer states twice, or from the second round on
//!                    each state of the two models best left of the highest maximum so far when a state is taken away
//! 2  short runs      8 steps of EM each; the better half of either sort goes on, in a short series every run;
//!                    runs that have come to the same place go on once
//! 3  to the maximum  by a quasi-Newton ascent of ln p, until ½ gᵀHg is small; given up where what is missing to the highest maximum
//!                    of the rounds before is more than four times what the second half of the evaluations gained
//! 4  again           from other starts, until less than 2 % of all starts are expected to lead to maxima not yet seen,
//!                    or 14 R runs were followed
//! ```
//!
//! A series is short where R T K (K + D²) is at most 2·10⁶, D the number of columns: heights after a few steps say little, and
//! there is time to look at every run.
//!
//! | subject | file |
//! |---|---|
//! | settings | `settings.rs`: [`FitSettings`] |
//! | 1 | `starts.rs`, `split.rs` |
//! | 2 | `round.rs` |
//! | 3 | `ascent.rs`, in the coordinates of `coordinates.rs`; on what is in `data.rs` |
//! | 4 | `search.rs`, `maxima.rs` |
//! | how far it has come | `progress.rs`: [`SearchProgress`] |
//! | what it came to | `fitted.rs`: [`Fitted`]; `warning.rs`: [`FitWarning`] |

mod ascent;
pub(super) mod coordinates;
mod data;
pub(super) mod fitted;
mod maxima;
mod progress;
mod round;
mod search;
mod settings;
mod split;
pub(super) mod starts;
mod warning;

pub use fitted::Fitted;
pub use progress::SearchProgress;
pub use settings::FitSettings;
pub use warning::FitWarning;

use std::borrow::Cow;

use self::ascent::{Point, Until, ascend};
use self::data::Data;
use self::search::{FOLLOWED, Search};
use self::starts::Guesses;
use super::emission::statistics_of_states::learned;
use super::equal_rows::EqualRows;
use super::learning::{BatchEm, rows};
use super::{AnyEmission, Covariates, EmissionKind, Hmm, Learnable, PseudoObservations};
use crate::{Error, Result, Sequence};

/// The chain of fits with fewer states is made for a single number of states up to this.
const CHAINED: usize = 8;
/// The part of the restarts that such a fit on the way gets in a long series, in one round.
const ON_THE_WAY: usize = 5;

/// A search of the best models of one kind for the same data, one number of states after another.
///
/// Each fit is also started from the one before it, with states split, so that ln p never falls with K: ask for the
/// numbers of states in increasing order.
///
/// ```
/// use scotopic_filtering::{Sequence, hmm::{EmissionKind, FitSearch, FitSettings}};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let counts = [1.0, 0.0, 2.0, 1.0, 9.0, 11.0, 8.0, 12.0, 1.0, 0.0, 0.0, 2.0, 10.0, 9.0];
/// let data = [Sequence::of_numbers(counts)?];
/// let settings = FitSettings::default();
/// let mut search = FitSearch::new(EmissionKind::Poisson, &data, &settings)?;
/// let (one, two) = (search.fit(1)?, search.fit(2)?);
/// assert!(two.log_evidence > one.log_evidence + 5.0);
/// # Ok(()) }
/// ```
pub struct FitSearch<'a> {
    search: Search<'a, AnyEmission>,
    smaller: Option<Hmm>,
}

impl<'a> FitSearch<'a> {
    /// For all fits of these sequences.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting that makes no sense; [`Error::Size`](crate::Error::Size) for
    /// no data, or widths that differ; [`Error::Observation`](crate::Error::Observation) for numbers that are no
    /// observations of this kind; [`Error::Dependent`](crate::Error::Dependent) as [`Hmm::fit`].
    pub fn new(
        kind: EmissionKind,
        sequences: &'a [Sequence],
        settings: &'a FitSettings,
    ) -> Result<Self> {
        settings.check()?;
        let lags = settings.covariates.lags;
        let longest = sequences.iter().map(Sequence::len).max().unwrap_or(0);
        if lags > 0 && lags >= longest {
            let expected = format!("fewer than the {longest} observations of the longest sequence");
            return Err(Error::setting("lags", lags, expected));
        }
        let sequences: Cow<'a, [Sequence]> = match lags {
            0 => Cow::Borrowed(sequences),
            _ => Cow::Owned(
                sequences
                    .iter()
                    .map(|s| s.with_lags(lags))
                    .collect::<Result<_>>()?,
            ),
        };
        let rows: Vec<Cow<'a, [f64]>> = match &sequences {
            Cow::Borrowed(sequences) => rows(sequences)?,
            Cow::Owned(sequences) => {
                let all = rows(sequences)?.into_iter();
                all.map(|row| Cow::Owned(row.into_owned())).collect()
            }
        };
        let observations: usize = sequences.iter().map(Sequence::len).sum();
        let guesses = guesses(kind, &settings.covariates);
        let mut rng = starts::stream(settings.seed, 1, 2, 0);
        let borrowed: Vec<&[f64]> = rows.iter().map(|row| &**row).collect();
        let one = (guesses.clustered)(1, &borrowed, &mut rng)?;
        if settings.pseudo_count == 0.0 {
            one.check_data(&sequences)?;
        }
        let search = Search {
            pooled: pooled(one, &sequences),
            guesses,
            equal: EqualRows::of(&sequences),
            sequences,
            rows,
            settings,
            enough: settings.tolerance * observations as f64,
            progress: None,
        };
        Ok(Self {
            search,
            smaller: None,
        })
    }

    /// The same search, which `progress` hears of.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{EmissionKind, FitSearch, FitSettings, SearchProgress}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let data = [Sequence::of_numbers([1.0, 0.0, 2.0, 1.0, 9.0, 11.0, 8.0, 12.0, 1.0, 0.0])?];
    /// let (settings, progress) = (FitSettings::default(), SearchProgress::default());
    /// let fit = FitSearch::new(EmissionKind::Poisson, &data, &settings)?.watched(&progress).fit(2)?;
    /// assert_eq!(progress.highest(), Some(fit.log_evidence));
    /// assert!(progress.ended() > 0 && progress.evaluations() > progress.ended());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn watched(mut self, progress: &'a SearchProgress) -> Self {
        self.search.progress = Some(progress);
        self
    }

    /// The model of so many states with the highest ln p(o; θ) that is found.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no state; as [`Hmm::fit`], if no run comes to an end.
    pub fn fit(&mut self, states: usize) -> Result<Fitted<AnyEmission>> {
        if states == 0 {
            return Err(crate::Error::setting("states", states, "at least one"));
        }
        if self.smaller.as_ref().is_some_and(|m| m.states() >= states) {
            self.smaller = None;
        }
        let from = self.smaller.as_ref().map_or(1, |model| model.states() + 1);
        let most = if states <= CHAINED { states } else { from };
        for between in from..most {
            let all = self.search.settings.restarts;
            let (search, smaller) = (&self.search, self.smaller.as_ref());
            let fitted = match search.is_short(between, all) {
                true => search.states(between, all, FOLLOWED * all, smaller),
                false => {
                    let few = all.div_ceil(ON_THE_WAY);
                    search.states(between, few, few, smaller)
                }
            };
            // One that fails on the way is only not started from.
            if let Ok(fitted) = fitted {
                self.keep(&fitted);
            }
        }
        let restarts = self.search.settings.restarts;
        let fitted =
            self.search
                .states(states, restarts, FOLLOWED * restarts, self.smaller.as_ref())?;
        self.keep(&fitted);
        Ok(fitted)
    }

    fn keep(&mut self, fitted: &Fitted<AnyEmission>) {
        if fitted.is_ranked() {
            self.smaller = Some(fitted.model.clone());
        }
    }
}

impl Hmm<AnyEmission> {
    /// The model of K `states` with the highest ln p(o; θ) that is found: a [`FitSearch`] of one number of states, with
    /// shorter searches for fewer states on the way, up to K = 8.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{EmissionKind, FitSettings, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = [1.0, 0.0, 2.0, 1.0, 9.0, 11.0, 8.0, 12.0, 1.0, 0.0, 0.0, 2.0, 10.0, 9.0];
    /// let data = [Sequence::of_numbers(counts)?];
    /// let fit = Hmm::fit_states(EmissionKind::Poisson, 2, &data, &FitSettings::default())?;
    /// assert!(fit.converged);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`FitSearch::new`] and [`FitSearch::fit`].
    pub fn fit_states(
        kind: EmissionKind,
        states: usize,
        sequences: &[Sequence],
        settings: &FitSettings,
    ) -> Result<Fitted<AnyEmission>> {
        FitSearch::new(kind, sequences, settings)?.fit(states)
    }
}

impl<E: Learnable> Hmm<E> {
    /// The maximum of ln p(o; θ) above this model: a quasi-Newton ascent on the exact gradient, where [`Hmm::fit`] takes
    /// steps of EM. Probabilities that are zero stay zero. With pseudo-observations it is [`Hmm::fit`].
    ///
    /// # Errors
    /// As [`Hmm::fit`]; [`Error::NotPositiveDefinite`](crate::Error::NotPositiveDefinite) or
    /// [`Error::Entry`](crate::Error::Entry) where a state collapses.
    pub fn fit_from(self, sequences: &[Sequence], settings: &FitSettings) -> Result<Fitted<E>> {
        settings.check()?;
        let sequences = &*self.all_lagged(sequences)?;
        let em = BatchEm {
            max_iterations: settings.max_iterations,
            tolerance: settings.tolerance,
            pseudo_count: settings.pseudo_count,
        };
        if settings.pseudo_count > 0.0 {
            return Fitted::of_penalised(vec![self.fit(sequences, &em)], settings.pseudo_count);
        }
        self.emission().check_data(sequences)?;
        let zeros = self.structural_zeros(0.0);
        let equal = EqualRows::of(sequences);
        let data = Data {
            sequences,
            equal: equal.as_ref(),
            progress: None,
        };
        let mut start = Point::of(self.centred_on(sequences).recentred(), data)?;
        start.model = start.model.measured(&start.expected)?;
        let enough = settings.tolerance * start.expected.observations as f64;
        let pooled = pooled(start.model.emission().relabelled(&[0]), sequences);
        let keeps = |model: &Hmm<E>| {
            pooled.as_ref().is_none_or(|pooled| {
                let least = model.emission().relative_variances(pooled);
                least.iter().all(|r| *r >= settings.variance_floor)
            })
        };
        let model = start.model.clone();
        let until = Until {
            enough,
            most: settings.max_iterations,
            least: f64::NEG_INFINITY,
            keeps: &keeps,
        };
        match ascend(start, data, &until).maximum() {
            Some(ascent) => {
                let mut fitted = Fitted::of(ascent, (1, 1), Vec::new());
                fitted.free_parameters -= zeros;
                fitted.with_separated_states(sequences)
            }
            // EM says how the state collapses.
            None => Fitted::of_penalised(vec![model.fit(sequences, &em)], 1.0),
        }
    }
}

fn guesses(kind: EmissionKind, covariates: &Covariates) -> Guesses<AnyEmission> {
    let (one, other) = (covariates.clone(), covariates.clone());
    Guesses {
        clustered: Box::new(move |k, rows, rng| kind.guess_given(k, rows, &one, rng)),
        scattered: Box::new(move |k, rows, rng| kind.scattered_given(k, rows, &other, rng)),
    }
}

/// One state for all data: in one step, or where entries are missing in a few of EM.
pub(super) fn pooled<E: Learnable>(one: E, sequences: &[Sequence]) -> Option<E> {
    const STEPS: usize = 20;
    let partial = sequences.iter().any(Sequence::has_partial_rows);
    let mut one = one.recentred();
    for _ in 0..if partial { STEPS } else { 1 } {
        let rows = sequences.iter().flat_map(|s| s.iter().flatten());
        let none = vec![0.0; one.statistic_len()];
        let next = learned(&one, none, rows, PseudoObservations::NONE);
        one = next.ok()?.recentred();
    }
    Some(one)
}
