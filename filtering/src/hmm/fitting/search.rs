//! The search of the maximum among many runs.

use std::borrow::Cow;
use std::slice;

use super::ascent::{Ascent, Point, SAME};
use super::coordinates::visits;
use super::data::Data;
use super::fitted::Fitted;
use super::maxima::Runs;
use super::progress::SearchProgress;
use super::settings::FitSettings;
use super::split::doubled;
use super::starts::{Guesses, start};
use super::warning::FitWarning;
use crate::divided;
use crate::hmm::equal_rows::EqualRows;
use crate::hmm::learning::{BatchEm, OUTLIERS};
use crate::hmm::{Hmm, Learnable, Sample};
use crate::{Result, Sequence};

/// A search ends when this part of all starts, or less, is expected to lead to maxima not yet seen,
const UNSEEN: f64 = 0.02;
/// or when so many runs were followed for each start of a round: of some series every run has a maximum of its own;
pub(super) const FOLLOWED: usize = 14;
/// or when after so many runs begun for each start of a round fewer than one of so many came to a maximum: the others collapsed.
const BEGUN: usize = 4;

/// The data of a search, and what is known of them beforehand.
pub(super) struct Search<'a, E: Learnable> {
    pub(super) guesses: Guesses<E>,
    pub(super) sequences: Cow<'a, [Sequence]>,
    /// Which rows of them are equal, where many are.
    pub(super) equal: Option<EqualRows>,
    pub(super) rows: Vec<Cow<'a, [f64]>>,
    /// One state for all data; none where their variance is zero.
    pub(super) pooled: Option<E>,
    pub(super) settings: &'a FitSettings,
    /// `tolerance` times the number of observations, nats.
    pub(super) enough: f64,
    /// What hears of evaluations and of runs that end.
    pub(super) progress: Option<&'a SearchProgress>,
}

impl<E: Learnable + Sample + Send + Sync> Search<'_, E> {
    /// The highest maximum for so many states, in rounds of `restarts` starts from the data, until `most` runs or more were followed
    /// where more seem of use; `smaller` is the fit with fewer states, which starts are made of.
    ///
    /// # Errors
    /// As [`Hmm::fit`], if no run comes to an end.
    pub(super) fn states(
        &self,
        states: usize,
        restarts: usize,
        most: usize,
        smaller: Option<&Hmm<E>>,
    ) -> Result<Fitted<E>> {
        if self.settings.pseudo_count > 0.0 {
            return self.penalised(states, restarts, self.settings.pseudo_count);
        }
        let first = smaller.map_or(&[][..], slice::from_ref);
        let mut runs = self.round(states, restarts, 0, first, f64::NEG_INFINITY);
        let more = |runs: &Runs<E>| {
            let collapsing = runs.of >= BEGUN * restarts && runs.followed() * BEGUN < runs.of;
            runs.unseen() > UNSEEN && runs.followed() < most && !collapsing
        };
        for round in 1.. {
            // One state has one maximum, and the first M-step finds it.
            if states == 1 || !more(&runs) {
                break;
            }
            let (left, least) = match runs.highest() {
                Some(best) => {
                    let best = &runs.ended[best].0.point;
                    (self.left(&best.model), best.log_evidence())
                }
                None => (Vec::new(), f64::NEG_INFINITY),
            };
            runs.add(self.round(states, restarts, round, &left, least));
        }
        let Some(at) = runs.highest() else {
            return match (runs.collapsed, runs.failed) {
                (0, Some(error)) => Err(error),
                _ => self.penalised(states, restarts, OUTLIERS),
            };
        };
        let (reached, found) = (
            runs.followed(),
            runs.found(runs.ended[at].0.point.log_evidence()),
        );
        let Runs {
            mut ended,
            of,
            collapsed,
            ..
        } = runs;
        let mut best = ended.swap_remove(at).0;
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

    pub(super) fn data(&self) -> Data<'_> {
        Data {
            sequences: &self.sequences,
            equal: self.equal.as_ref(),
            progress: self.progress,
        }
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
                let visits = visits(&self.data().expectations(&model)?);
                (0..visits.len()).max_by(|a, b| visits[*a].total_cmp(&visits[*b]))
            };
            model = doubled(&model, most_visited.unwrap_or(0))?;
        }
        let point = Point::of(model, self.data())?;
        Ok(self
            .ascent(point, 1, f64::NEG_INFINITY)
            .maximum()
            .unwrap_or(best))
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
        let fits = divided((0..restarts).collect(), self.settings.threads, |number| {
            let (guesses, rows) = (&self.guesses, &self.rows());
            let fit = start(guesses, states, rows, &self.sequences, seed, number)?
                .fit(&self.sequences, &em)?;
            if let Some(progress) = self.progress {
                progress.reached(fit.log_evidence());
            }
            Ok(fit)
        });
        Fitted::of_penalised(fits, self.settings.pseudo_count)
            .map(|fitted| fitted.with_rare_states())
    }
}
