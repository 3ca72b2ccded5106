//! One round of a search: runs are begun, and the best of each sort followed.

use rand::RngExt;

use super::ascent::{End, Point, SAME, Until, ascend};
use super::coordinates::visits;
use super::maxima::Runs;
use super::search::Search;
use super::split::{split, without};
use super::starts::{start, stream};
use crate::divided;
use crate::hmm::learning::m_step;
use crate::hmm::{Expectations, Hmm, Learnable, PseudoObservations, Sample};
use crate::{Error, Result, Sequence};

/// Evaluations of ln p cost T K (K + D²) each, of D columns. Where they cost less than this for all starts of a round together,
/// every run is followed: heights after a few steps say little of the maxima of short series, where there is time to look at each.
const WORTH: f64 = 2e6;
/// Steps of EM before runs are compared.
const SHORT: usize = 8;
/// Steps of EM after a state is taken away, before the models that are left are compared.
const RESETTLED: usize = 2;
/// Models that are left when a state is taken away, of which states are split.
const LEFT: usize = 2;
/// Splits of each state of a model with fewer states; of more than one such model, this many in all.
const SPLITS: usize = 2;
/// Runs whose expected visits and stays differ by less than this part of all observations, and their ln p by less than
/// [`SAME`], are on their way to the same maximum.
const ALIKE: f64 = 1e-3;

/// A run under way.
struct Run<E: Learnable> {
    point: Point<E>,
    is_split: bool,
    steps: usize,
}

impl<E: Learnable> Run<E> {
    fn height(&self) -> f64 {
        self.point.log_evidence()
    }

    fn is_like(&self, other: &Self) -> bool {
        let apart = ALIKE * self.point.expected.observations as f64;
        let near = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= apart);
        let (mine, its) = (&self.point.expected, &other.point.expected);
        (self.height() - other.height()).abs() <= SAME
            && near(sorted(visits(mine)), sorted(visits(its)))
            && near(sorted(stays(mine)), sorted(stays(its)))
    }
}

/// Σ_t ξ_t[i][i] `[K]`.
fn stays(expected: &Expectations) -> Vec<f64> {
    let k = expected.initial.len();
    expected
        .transitions
        .iter()
        .step_by(k + 1)
        .copied()
        .collect()
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

impl<E: Learnable + Sample + Send + Sync> Search<'_, E> {
    /// Begins runs from `restarts` starts from the data, those of round number `round`, and from splits of states of `smaller`;
    /// follows the better half of either, all of a short series, and gives up those that will hardly come up to `least`.
    pub(super) fn round(
        &self,
        states: usize,
        restarts: usize,
        round: usize,
        smaller: &[Hmm<E>],
        least: f64,
    ) -> Runs<E> {
        let begun = self.begin(states, restarts, round, smaller);
        let mut came = Runs::none();
        came.of = begun.len();
        let (mut of_data, mut of_splits) = (Vec::new(), Vec::new());
        for run in begun {
            match run {
                Ok(Some(run)) if run.is_split => of_splits.push(run),
                Ok(Some(run)) => of_data.push(run),
                Ok(None) => came.collapsed += 1,
                Err(error) => came.failed = Some(error),
            }
        }
        if !self.is_short(states, restarts) {
            better_half(&mut of_data);
            better_half(&mut of_splits);
        }
        of_data.extend(of_splits);
        let runs = once_each(of_data);
        let ended = divided(runs, self.settings.threads, |(run, times)| {
            (self.ascent(run.point, run.steps, least), times)
        });
        for (ascent, times) in ended {
            match ascent {
                End::Maximum(ascent) => came.ended.push((ascent, times)),
                End::Hopeless => came.hopeless += times,
                End::Collapsed => came.collapsed += times,
            }
        }
        came
    }

    /// Whether there is time to follow every run.
    pub(super) fn is_short(&self, states: usize, restarts: usize) -> bool {
        let observations: usize = self.sequences.iter().map(Sequence::len).sum();
        let columns = self.sequences.first().map_or(1, Sequence::width);
        let cost = (observations * states * (states + columns * columns)) as f64;
        cost * restarts as f64 <= WORTH
    }

    /// The models that are left of this one when a state is taken away, those that lose least.
    pub(super) fn left(&self, model: &Hmm<E>) -> Vec<Hmm<E>> {
        let all = (0..model.states()).collect();
        let left = divided(all, self.settings.threads, |state| {
            let model = without(model, state)?;
            self.short(self.run_of(model, false)?, RESETTLED)
        });
        let mut left: Vec<Run<E>> = left.into_iter().filter_map(Result::ok).flatten().collect();
        highest_first(&mut left);
        left.truncate(LEFT);
        left.into_iter().map(|run| run.point.model).collect()
    }

    /// Runs after a few steps of EM; `None` for one that collapsed.
    fn begin(
        &self,
        states: usize,
        restarts: usize,
        round: usize,
        smaller: &[Hmm<E>],
    ) -> Vec<Result<Option<Run<E>>>> {
        let of_data = if states == 1 { 1 } else { restarts };
        // Of many states, some are split, drawn for each start.
        let all = smaller.first().map_or(0, |model| SPLITS * model.states());
        let of_splits = all.min(SPLITS * restarts);
        let numbers: Vec<usize> = (0..of_data + of_splits).collect();
        let seed = self.settings.seed;
        divided(numbers, self.settings.threads, |number| {
            let model = match number.checked_sub(of_data) {
                None => start(
                    &self.guesses,
                    states,
                    &self.rows(),
                    &self.sequences,
                    seed,
                    round * of_data + number,
                )?,
                Some(number) => {
                    let mut rng = stream(seed, states, 1, round * of_splits + number);
                    let model = &smaller[number % smaller.len()];
                    let state = match all == of_splits {
                        true => number / smaller.len() % model.states(),
                        false => rng.random_range(0..model.states()),
                    };
                    let mut model = split(model, state, &self.rows(), &mut rng)?;
                    while model.states() < states {
                        let next = number % model.states();
                        model = split(&model, next, &self.rows(), &mut rng)?;
                    }
                    model
                }
            };
            self.short(self.run_of(model, number >= of_data)?, SHORT)
        })
    }

    fn run_of(&self, model: Hmm<E>, is_split: bool) -> Result<Run<E>> {
        Ok(Run {
            point: Point::of(model.recentred(), self.data())?,
            is_split,
            steps: 1,
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
            run.point = Point::of(model, self.data())?;
            run.steps += 1;
        }
        Ok(Some(run))
    }

    /// The rows that emissions are guessed from.
    pub(super) fn rows(&self) -> Vec<&[f64]> {
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

    /// Upwards to the maximum after so many steps, while there is hope to come up to `least`.
    pub(super) fn ascent(&self, point: Point<E>, steps: usize, least: f64) -> End<E> {
        let most = self.settings.max_iterations.saturating_sub(steps).max(1);
        let until = Until {
            enough: self.enough,
            most,
            least,
            keeps: &|model| self.keeps(model),
        };
        let mut end = ascend(point, self.data(), &until);
        if let End::Maximum(ascent) = &mut end {
            ascent.evaluations += steps;
            if let Some(progress) = self.progress {
                progress.reached(ascent.point.log_evidence());
            }
        }
        end
    }
}

/// Runs that are alike are followed once; with the number of them.
fn once_each<E: Learnable>(runs: Vec<Run<E>>) -> Vec<(Run<E>, usize)> {
    let mut each: Vec<(Run<E>, usize)> = Vec::new();
    for run in runs {
        match each.iter_mut().find(|(first, _)| first.is_like(&run)) {
            Some((_, times)) => *times += 1,
            None => each.push((run, 1)),
        }
    }
    each
}

fn better_half<E: Learnable>(runs: &mut Vec<Run<E>>) {
    highest_first(runs);
    runs.truncate(runs.len().div_ceil(2));
}

/// Stable: what is equal keeps its order, whatever the threads did.
fn highest_first<E: Learnable>(runs: &mut [Run<E>]) {
    runs.sort_by(|a, b| b.height().total_cmp(&a.height()));
}
