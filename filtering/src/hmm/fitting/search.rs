//! The search of the maximum among many runs.

use std::borrow::Cow;
use std::ops::Range;

use rand::RngExt;

use super::ascent::{Ascent, Point, ascend};
use super::coordinates::visits;
use super::fitted::{Fitted, SAME, highest};
use super::settings::FitSettings;
use super::split::{doubled, split};
use super::starts::{Guesses, start, stream};
use super::warning::FitWarning;
use super::workers::each;
use crate::hmm::learning::{BatchEm, OUTLIERS, m_step};
use crate::hmm::{Hmm, Learnable, PseudoObservations, Sample};
use crate::{Error, Result, Sequence};

/// Runs that are begun for each that is followed to its maximum, and those that are looked at twice.
const BEGUN: usize = 4;
const LOOKED_AT_TWICE: usize = 2;
/// Evaluations of ln p cost T K (K + D²) each, of D columns. Where they cost less than this together, more runs are followed, up to all: heights after
/// a few steps say little of the maxima of short series, where there is time to look at each.
const WORTH: f64 = 2e6;
/// Steps of EM before the first look, and before the second.
const SHORT: [usize; 2] = [8, 16];
/// Splits of each state of the fit with fewer states.
const SPLITS: usize = 2;

/// The data of a search, and what is known of them beforehand.
pub(super) struct Search<'a, E: Learnable> {
    pub(super) guesses: Guesses<E>,
    pub(super) sequences: Cow<'a, [Sequence]>,
    pub(super) rows: Vec<Cow<'a, [f64]>>,
    /// One state for all data; none where their variance is zero.
    pub(super) pooled: Option<E>,
    pub(super) settings: &'a FitSettings,
    /// `tolerance` times the number of observations, nats.
    pub(super) enough: f64,
}

/// A run under way.
struct Run<E: Learnable> {
    point: Point<E>,
    is_split: bool,
    steps: usize,
}

/// What came of the runs of a search.
struct Runs<E: Learnable> {
    /// Those that were followed to their maximum.
    ended: Vec<Ascent<E>>,
    /// Runs begun, and those that collapsed.
    of: usize,
    collapsed: usize,
    failed: Option<Error>,
}

impl<E: Learnable> Runs<E> {
    /// The place of the highest maximum, and how many ended there.
    fn highest(&self) -> Option<(usize, usize)> {
        highest(&self.ended, |ascent| ascent.point.log_evidence())
    }

    fn add(&mut self, more: Self) {
        self.ended.extend(more.ended);
        self.of += more.of;
        self.collapsed += more.collapsed;
        self.failed = self.failed.take().or(more.failed);
    }
}

impl<E: Learnable + Sample + Send + Sync> Search<'_, E> {
    /// The highest maximum for so many states; `smaller` is the fit with fewer, which starts are made of.
    ///
    /// # Errors
    /// As [`Hmm::fit`], if no run comes to an end.
    pub(super) fn states(
        &self,
        states: usize,
        restarts: usize,
        smaller: Option<&Hmm<E>>,
    ) -> Result<Fitted<E>> {
        if self.settings.pseudo_count > 0.0 {
            return self.penalised(states, restarts, self.settings.pseudo_count);
        }
        // One state has one maximum, and the first M-step finds it.
        let restarts = if states == 1 { 1 } else { restarts };
        let mut runs = self.run(states, restarts, 0..BEGUN * restarts, smaller);
        let once = matches!(runs.highest(), Some((_, 1)));
        if once && states > 1 && self.followed(states, restarts) > restarts {
            // There is time for as many again.
            runs.add(self.run(
                states,
                restarts,
                BEGUN * restarts..2 * BEGUN * restarts,
                None,
            ));
        }
        let highest = runs.highest();
        let Runs {
            mut ended,
            of,
            collapsed,
            failed,
        } = runs;
        let Some((best, found)) = highest else {
            return match (collapsed, failed) {
                (0, Some(error)) => Err(error),
                _ => self.penalised(states, restarts, OUTLIERS),
            };
        };
        let reached = ended.len();
        let mut best = ended.swap_remove(best);
        let mut warnings = Vec::new();
        if let Some(smaller) = smaller {
            let least: f64 = self.log_evidence(smaller)?;
            if best.point.log_evidence() < least {
                best = self.no_worse(states, smaller, best)?;
                if best.point.log_evidence() <= least + SAME {
                    let states = smaller.states();
                    warnings.push(FitWarning::NothingGained { states });
                }
            }
        }
        if collapsed > 0 {
            warnings.push(FitWarning::Collapsed {
                runs: collapsed,
                of,
            });
        }
        if found == 1 && reached > 1 {
            warnings.push(FitWarning::FoundOnce { of: reached });
        }
        let fitted = Fitted::of(best, (found, reached), warnings);
        let fitted = fitted.with_separated_states(&self.sequences)?;
        Ok(fitted.with_rare_states())
    }

    /// Begins a run from each of these starts from the data, and from splits of a smaller fit, and follows the best.
    fn run(
        &self,
        states: usize,
        restarts: usize,
        starts: Range<usize>,
        smaller: Option<&Hmm<E>>,
    ) -> Runs<E> {
        let begun = self.begin(states, restarts, starts, smaller);
        let of = begun.len();
        let (mut runs, mut collapsed, mut failed) = (Vec::new(), 0, None);
        for run in begun {
            match run {
                Ok(Some(run)) => runs.push(run),
                Ok(None) => collapsed += 1,
                Err(error) => failed = Some(error),
            }
        }
        let threads = self.settings.threads;
        let most = self.followed(states, restarts);
        kept(&mut runs, LOOKED_AT_TWICE * most);
        let before = runs.len();
        let followed = each(runs, threads, |run| self.short(run, SHORT[1]));
        let mut runs: Vec<Run<E>> = followed
            .into_iter()
            .filter_map(Result::ok)
            .flatten()
            .collect();
        collapsed += before - runs.len();
        kept(&mut runs, most);
        let before = runs.len();
        let ended = each(runs, threads, |run| self.ascent(run.point, run.steps));
        let ended: Vec<Ascent<E>> = ended.into_iter().flatten().collect();
        collapsed += before - ended.len();
        Runs {
            ended,
            of,
            collapsed,
            failed,
        }
    }

    /// Runs that are followed to their maximum: one a restart, and more of a short series.
    pub(super) fn followed(&self, states: usize, restarts: usize) -> usize {
        let observations: usize = self.sequences.iter().map(Sequence::len).sum();
        let columns = self.sequences.first().map_or(1, Sequence::width);
        let cost = (observations * states * (states + columns * columns)) as f64;
        restarts.max((WORTH / cost) as usize)
    }

    /// Starts, from the data and from a fit with fewer states, after a few steps of EM; `None` for one that collapsed.
    fn begin(
        &self,
        states: usize,
        restarts: usize,
        starts: Range<usize>,
        smaller: Option<&Hmm<E>>,
    ) -> Vec<Result<Option<Run<E>>>> {
        let of_data = if states == 1 { 1 } else { starts.len() };
        // Of many states, some are split, drawn for each start.
        let all = smaller.map_or(0, |model| SPLITS * model.states());
        let of_splits = all.min(BEGUN * restarts);
        let numbers: Vec<usize> = (0..of_data + of_splits).collect();
        let seed = self.settings.seed;
        each(numbers, self.settings.threads, |number| {
            let is_split = number >= of_data;
            let model = match smaller {
                Some(model) if is_split => {
                    let number = number - of_data;
                    let mut rng = stream(seed, states, 1, number);
                    let state = match all == of_splits {
                        true => number % model.states(),
                        false => rng.random_range(0..model.states()),
                    };
                    let mut model = split(model, state, &self.rows(), &mut rng)?;
                    while model.states() < states {
                        let next = number % model.states();
                        model = split(&model, next, &self.rows(), &mut rng)?;
                    }
                    model
                }
                _ => start(
                    &self.guesses,
                    states,
                    &self.rows(),
                    &self.sequences,
                    seed,
                    starts.start + number,
                )?,
            };
            let run = Run {
                point: Point::of(model.recentred(), &self.sequences)?,
                is_split,
                steps: 1,
            };
            self.short(run, SHORT[0])
        })
    }

    /// A few steps of EM; `None` if the run collapsed.
    fn short(&self, mut run: Run<E>, steps: usize) -> Result<Option<Run<E>>> {
        let left = self.settings.max_iterations.saturating_sub(run.steps);
        for _ in 0..steps.min(left) {
            let model = match m_step(
                &run.point.model,
                &run.point.expected,
                PseudoObservations::NONE,
            ) {
                Ok(model) => model,
                // No spread is left at all.
                Err(Error::Entry { .. } | Error::NotPositiveDefinite { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            if !self.keeps(&model) {
                return Ok(None);
            }
            run.point = Point::of(model, &self.sequences)?;
            run.steps += 1;
        }
        Ok(Some(run))
    }

    /// The rows that emissions are guessed from.
    fn rows(&self) -> Vec<&[f64]> {
        self.rows.iter().map(|row| &**row).collect()
    }

    /// Whether every variance is above the floor.
    fn keeps(&self, model: &Hmm<E>) -> bool {
        let Some(pooled) = &self.pooled else {
            return true;
        };
        let least = model.emission().relative_variances(pooled);
        least.iter().all(|r| *r >= self.settings.variance_floor)
    }

    /// Upwards to the maximum after so many steps; `None` if the run collapsed.
    fn ascent(&self, point: Point<E>, steps: usize) -> Option<Ascent<E>> {
        let most = self.settings.max_iterations.saturating_sub(steps).max(1);
        let keeps = |model: &Hmm<E>| self.keeps(model);
        let mut ascent = ascend(point, &self.sequences, self.enough, most, &keeps)?;
        ascent.evaluations += steps;
        Some(ascent)
    }

    fn log_evidence(&self, model: &Hmm<E>) -> Result<f64> {
        let each = self.sequences.iter().map(|s| model.log_evidence(s));
        each.sum()
    }

    /// A maximum no lower than the fit with fewer states: that fit with a state twice, and upwards from there.
    fn no_worse(&self, states: usize, smaller: &Hmm<E>, best: Ascent<E>) -> Result<Ascent<E>> {
        let mut model = smaller.clone();
        while model.states() < states {
            let most_visited = {
                let visits = visits(&model.expectations(&self.sequences)?);
                (0..visits.len()).max_by(|a, b| visits[*a].total_cmp(&visits[*b]))
            };
            model = doubled(&model, most_visited.unwrap_or(0))?;
        }
        let point = Point::of(model, &self.sequences)?;
        Ok(self.ascent(point, 1).unwrap_or(best))
    }

    /// The best of the runs of EM with pseudo-observations.
    fn penalised(&self, states: usize, restarts: usize, count: f64) -> Result<Fitted<E>> {
        let em = BatchEm {
            max_iterations: self.settings.max_iterations,
            tolerance: self.settings.tolerance,
            pseudo_count: count,
        };
        let restarts = if states == 1 { 1 } else { restarts };
        let seed = self.settings.seed;
        let fits = each((0..restarts).collect(), self.settings.threads, |number| {
            let (guesses, rows) = (&self.guesses, &self.rows());
            start(guesses, states, rows, &self.sequences, seed, number)?.fit(&self.sequences, &em)
        });
        Fitted::of_penalised(fits, self.settings.pseudo_count)
            .map(|fitted| fitted.with_rare_states())
    }
}

/// The highest `most` runs, in order; the best of the splits is always among them.
fn kept<E: Learnable>(runs: &mut Vec<Run<E>>, most: usize) {
    let height = |run: &Run<E>| run.point.log_evidence();
    // Stable: what is equal keeps its order, whatever the threads did.
    runs.sort_by(|a, b| height(b).total_cmp(&height(a)));
    if let Some(at) = runs.iter().position(|run| run.is_split)
        && at >= most
    {
        runs.swap(at, most - 1);
    }
    runs.truncate(most);
}
