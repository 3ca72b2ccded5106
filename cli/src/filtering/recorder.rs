//! Recording of a filter's beliefs along a series: figures and scores.
//!
//! A belief is noted when it is formed and never changed by what comes later. What is kept does not grow with the data
//! ([`Timeline`]).

use std::collections::VecDeque;

use anyhow::{Result, ensure};
use scotopic_datasets::series::Time;
use scotopic_figures::phase_portrait::PhasePortrait;
use scotopic_figures::time_axis::TimeAxis;
use scotopic_figures::timeline::{COLUMNS, MinMax, PhasePoint, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::Panel;
use scotopic_filtering::{AnyFilter, AnyModel, Belief, Filter as _, GaussianBelief, Moments};

use super::credible::Band;
use super::recording::note_time;
use super::scores::Scores;
use super::truth;

mod drawing;

/// The most states (causes with them) and observed channels that a picture shows: below each other they must be told
/// apart.
const STATES: usize = 8;
const CHANNELS: usize = 6;
/// The most states whose errors have panels of their own: a band that is much narrower than the way of a state is seen
/// only there.
const ERRORS: usize = 4;

/// How a picture is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FigureOptions {
    /// The band.
    pub band: Band,
    /// The two states of a phase portrait, from 1; an animation has one of the first two by itself.
    pub portrait: Option<[usize; 2]>,
    /// Whether the picture is an animation.
    pub moves: bool,
}

/// What was observed at a bin, and what is true of it.
#[derive(Debug, Clone)]
struct Waiting {
    row: Option<Vec<f64>>,
    truth: Option<Vec<f64>>,
}

/// The beliefs of a filter, bin by bin, in bounded memory.
#[derive(Debug, Clone)]
pub struct BeliefRecorder {
    band: Band,
    described: String,
    panels: Vec<Panel>,
    left_out: Option<String>,
    /// The quantities shown of the state (causes after states), and of the channels.
    states: usize,
    channels: usize,
    /// The states whose errors are shown.
    errors: usize,
    portrait: Option<([usize; 2], PhasePortrait)>,
    timeline: Timeline,
    times: Option<TimeAxis>,
    scores: Scores,
    /// Rows whose bin the belief has not reached yet.
    waiting: VecDeque<Waiting>,
}

impl BeliefRecorder {
    /// Nothing seen yet; `channels` are the names of the observed columns, `states` those of the true states where these
    /// are known.
    ///
    /// # Errors
    /// For a phase portrait of states that are not there.
    pub fn new(
        filter: &AnyFilter,
        channels: &[String],
        states: Option<&[String]>,
        wanted: FigureOptions,
    ) -> Result<Self> {
        let model = filter.model();
        Self::of(
            model.described(),
            &model,
            filter.belief(),
            channels,
            states,
            wanted,
        )
    }

    /// The same of a model that is `described` so, with beliefs of the form of `belief`.
    ///
    /// # Errors
    /// As [`BeliefRecorder::new`].
    pub fn of(
        described: String,
        model: &AnyModel,
        belief: Belief<'_>,
        channels: &[String],
        states: Option<&[String]>,
        wanted: FigureOptions,
    ) -> Result<Self> {
        let width = model.width();
        let mut panels = Vec::new();
        let mut left_out = Vec::new();
        let named = |names: &[String], i: usize, what: &str| match names.get(i) {
            // A column without a name is called by its number.
            Some(name) if !name.trim().is_empty() && name.trim().parse::<f64>().is_err() => {
                name.trim().to_owned()
            }
            _ => format!("{what} {}", i + 1),
        };
        let mut labels = Vec::new();
        let mut errors = 0;
        let seen = width.min(CHANNELS);
        let shown = match belief {
            Belief::Discrete(belief) => {
                let name = |k: usize| format!("state {}", k + 1);
                panels.push(Panel::Shares((0..belief.len()).map(name).collect()));
                0
            }
            Belief::Gaussian(GaussianBelief {
                mean, cause_mean, ..
            }) => {
                let names = states.map_or(model.state_names(), |names| {
                    // The regime of a switching model comes first, and has no panel.
                    &names[names.len().saturating_sub(mean.len())..]
                });
                labels = (0..mean.len()).map(|i| named(names, i, "state")).collect();
                let causes = (1..=cause_mean.len()).map(|i| format!("cause {i}"));
                let all: Vec<String> = labels.iter().cloned().chain(causes).collect();
                if all.len() > STATES {
                    left_out.push(format!("the first {STATES} of {} states", all.len()));
                }
                let shown = all.len().min(STATES);
                if states.is_some() && mean.len() <= ERRORS {
                    errors = mean.len();
                }
                for (index, label) in all.into_iter().take(STATES).enumerate() {
                    panels.push(Panel::Span { label, index });
                    if index < errors {
                        panels.push(Panel::Residual {
                            label: "error".to_owned(),
                            index: shown + seen + index,
                        });
                    }
                }
                shown
            }
        };
        if width > CHANNELS {
            left_out.push(format!("the first {CHANNELS} of {width} columns"));
        }
        panels.extend((0..seen).map(|i| Panel::Span {
            label: named(channels, i, "observed"),
            index: shown + i,
        }));
        let portrait = match (wanted.portrait, wanted.moves && labels.len() > 1) {
            (Some(pair), _) => {
                for i in pair {
                    ensure!(
                        (1..=labels.len()).contains(&i),
                        "--phase-plot asks for state {i}, and {}",
                        match labels.len() {
                            0 => "a discrete model has no state that is a number".to_owned(),
                            n => format!("the model has states 1 to {n}"),
                        }
                    );
                }
                Some(pair.map(|i| i - 1))
            }
            (None, true) => Some([0, 1]),
            (None, false) => None,
        };
        Ok(Self {
            band: wanted.band,
            described,
            panels,
            left_out: (!left_out.is_empty()).then(|| left_out.join(", ")),
            states: shown,
            channels: seen,
            errors,
            portrait: portrait.map(|pair| {
                let labels = pair.map(|i| labels[i].clone());
                let radius = wanted.band.radius();
                (pair, PhasePortrait { labels, radius })
            }),
            timeline: Timeline::new(COLUMNS),
            times: None,
            scores: Scores::default(),
            waiting: VecDeque::new(),
        })
    }

    /// Notes the belief after `filter` took in `row`, and what is true at the bin of that row.
    pub fn see(&mut self, filter: &AnyFilter, row: Option<&[f64]>, truth: Option<&[f64]>) {
        let owned = |values: Option<&[f64]>| values.map(<[f64]>::to_vec);
        self.waiting.push_back(Waiting {
            row: owned(row),
            truth: owned(truth),
        });
        if self.waiting.len() <= filter.lag() {
            return;
        }
        let Some(Waiting { row, truth }) = self.waiting.pop_front() else {
            return;
        };
        let bin = filter.observations().saturating_sub(filter.lag() as u64);
        let (belief, signal) = (filter.belief(), filter.signal());
        self.note_belief(bin, belief, &signal, row.as_deref(), truth.as_deref());
    }

    /// Notes a belief about bin `bin`, from 1, what it says of the noise-free observation there, the row of that bin and what
    /// is true of it.
    pub fn note_belief(
        &mut self,
        bin: u64,
        belief: Belief<'_>,
        signal: &Moments,
        row: Option<&[f64]>,
        truth: Option<&[f64]>,
    ) {
        let moment = self.moment(belief, signal, row, truth);
        self.timeline.push(bin, moment);
    }

    fn moment(
        &mut self,
        belief: Belief<'_>,
        signal: &Moments,
        row: Option<&[f64]>,
        truth: Option<&[f64]>,
    ) -> TimelineColumn {
        let z = self.band.deviations();
        let mut moment = TimelineColumn {
            bins: 1,
            missing: u64::from(row.is_none()),
            ..TimelineColumn::default()
        };
        match belief {
            Belief::Discrete(belief) => {
                moment.truths = vec![0.0; belief.len()];
                // truth::check lets whole numbers from 1 pass.
                let state = truth.and_then(|x| Some(*x.first()? as usize - 1));
                if let Some(state) = state.filter(|k| *k < belief.len()) {
                    moment.truths[state] = 1.0;
                    self.scores.discrete(belief, state);
                }
                moment.shares = belief.to_vec();
            }
            Belief::Gaussian(belief) => {
                let GaussianBelief {
                    mean, covariance, ..
                } = belief;
                let truth = truth.map(|truth| {
                    let (regime, states) = truth::of_vector(truth, mean.len());
                    if let Some(regime) = regime {
                        self.scores.discrete(belief.regimes, regime);
                    }
                    states
                });
                if let Some(truth) = truth {
                    self.scores.normal(mean, covariance, truth, z);
                }
                let means = mean.iter().chain(belief.cause_mean);
                let beliefs = means.zip(variances(&belief));
                let spans = beliefs
                    .take(self.states)
                    .enumerate()
                    .map(|(i, (m, v))| Span {
                        truth: truth
                            .and_then(|x| x.get(i))
                            .map_or(MinMax::NONE, |x| MinMax::of(*x)),
                        ..Span::around(*m, z * v.max(0.0).sqrt())
                    });
                moment.spans.extend(spans);
                let n = mean.len();
                moment.spot = self.portrait.as_ref().map(|([i, j], _)| PhasePoint {
                    mean: [mean[*i], mean[*j]],
                    covariance: [(*i, *i), (*i, *j), (*j, *j)].map(|(a, b)| covariance[a * n + b]),
                    truth: truth.map(|x| [x[*i], x[*j]]),
                });
            }
        }
        let errors = self.errors.min(moment.spans.len());
        let errors: Vec<Span> = moment.spans[..errors].iter().map(error).collect();
        let signals = signal.mean.iter().zip(&signal.variance);
        let channels = signals.take(self.channels).enumerate();
        moment.spans.extend(channels.map(|(i, (mean, variance))| {
            Span {
                seen: row
                    .and_then(|y| y.get(i))
                    .filter(|y| !y.is_nan())
                    .map_or(MinMax::NONE, |y| MinMax::of(*y)),
                ..Span::around(*mean, z * variance.sqrt())
            }
        }));
        moment.spans.extend(errors);
        moment
    }

    /// The scores, if true states are known.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// The same with the name of the data in the title of its figure.
    pub fn of_data(mut self, name: &str) -> Self {
        self.described = format!("{}: {name}", self.described);
        self
    }

    /// The same with the times of bins that are known.
    pub fn timed(self, times: Option<TimeAxis>) -> Self {
        Self { times, ..self }
    }

    /// Notes the time of a bin, from 1, that the column `name` gives.
    pub fn note_time(&mut self, bin: u64, name: &str, time: Time) {
        note_time(&mut self.times, name, bin, time);
    }
}

/// The variances of states and causes.
fn variances<'a>(belief: &GaussianBelief<'a>) -> impl Iterator<Item = &'a f64> {
    let diagonal = |covariance: &'a [f64], n: usize| covariance.iter().step_by(n + 1);
    diagonal(belief.covariance, belief.mean.len())
        .chain(diagonal(belief.cause_covariance, belief.cause_mean.len()))
}

/// A belief relative to its mean: the band about 0, and the true value minus the mean.
fn error(belief: &Span) -> Span {
    let mean = belief.mean.low;
    Span {
        truth: MinMax::of(belief.truth.low - mean),
        ..Span::around(0.0, belief.high - mean)
    }
}

#[cfg(test)]
mod tests;
