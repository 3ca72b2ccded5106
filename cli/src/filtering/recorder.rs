//! Recording of a filter's beliefs along a series: figures and scores.
//!
//! A belief is noted when it is formed and never changed by what comes later. What is kept does not grow with the data
//! ([`Timeline`]).

use std::collections::VecDeque;
use std::path::Path;

use anyhow::{Result, ensure};
use scotopic_datasets::series::Time;
use scotopic_figures::phase_portrait::PhasePortrait;
use scotopic_figures::time_axis::TimeAxis;
use scotopic_figures::timeline::{COLUMNS, MinMax, PhasePoint, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::{Panel, Trajectory};
use scotopic_figures::{Format, shares};
use scotopic_filtering::{AnyFilter, AnyModel, Belief, Filter as _, GaussianBelief, Moments};

use super::credible::Band;
use super::recording::note_time;
use super::scores::Scores;
use super::truth;

/// The most states (causes with them) and observed channels that a picture shows: below each other they must be told
/// apart.
const STATES: usize = 8;
const CHANNELS: usize = 6;
/// The most states whose errors have panels of their own: a band that is much narrower than the way of a state is seen
/// only there.
const ERRORS: usize = 4;
/// The most frames of an animation.
const FRAMES: usize = 300;

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

    /// The scores in one line; none without true states.
    pub fn judged(&self) -> Option<String> {
        let scores = &self.scores;
        let one = match (scores.hits(), scores.surprise()) {
            (Some(hits), Some(surprise)) => {
                let percent = 100.0 * hits;
                let what = if scores.rmse().is_some() {
                    "regime"
                } else {
                    "state"
                };
                Some(format!(
                    "true {what} most probable in {percent:.1} % of the bins, ln q of it {:.4} nats per bin",
                    -surprise
                ))
            }
            _ => None,
        };
        let (Some(rmse), Some(coverage)) = (scores.rmse(), scores.coverage()) else {
            return one;
        };
        let coverage = 100.0 * coverage;
        let within = match self.band {
            Band::Level(_) => format!("the {}", self.band),
            Band::Deviations(_) => self.band.to_string(),
        };
        let nees = scores
            .nees()
            .map_or(String::new(), |nees| format!(", NEES {nees:.3}"));
        let one = one.map_or(String::new(), |one| format!("{one}; "));
        Some(format!(
            "{one}RMSE {rmse:.4}, {coverage:.1} % of the true states within {within}{nees}"
        ))
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

    /// Draws what was seen: a figure for a name in .svg or .png, an animation for one in .gif.
    ///
    /// # Errors
    /// For another name, or if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let band = self.band.to_string();
        let mut title = self.described.clone();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let note = self.note();
        let figure = Trajectory {
            title: &title,
            note: &note,
            band: &band,
            panels: &self.panels,
            portrait: self.portrait.as_ref().map(|(_, portrait)| portrait),
            timeline: &self.timeline,
            times: self.times.as_ref(),
        };
        let figure = match Format::of(path)? {
            Format::Svg | Format::Png => figure.picture()?,
            Format::Gif => figure.frames(FRAMES)?,
        };
        Ok(figure.write(path)?)
    }

    fn note(&self) -> String {
        let mut said = Vec::new();
        said.extend(self.timeline.bins().map(|(from, to)| match from == to {
            true => format!("observation {from}"),
            false => format!("observations {from} to {to}"),
        }));
        said.extend(self.left_out.clone());
        if self.errors > 0 {
            said.push("error: truth less mean".to_owned());
        }
        let each = self.timeline.each();
        let discrete = self.states == 0;
        if each > 1 {
            said.push(format!(
                "{each} observations in a column: {}smallest to largest value{}",
                if discrete { "mean probabilities, " } else { "" },
                if discrete { "" } else { ", widest band" },
            ));
        }
        if discrete && self.scores.hits().is_some() {
            let areas = shares::stacks(
                self.timeline
                    .columns()
                    .first()
                    .map_or(0, |c| c.shares.len()),
            );
            said.push(match areas {
                true => "the true state is above the areas".to_owned(),
                false => "the true state is the dark line".to_owned(),
            });
        }
        said.extend(self.judged());
        said.join("; ")
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
mod tests {
    use super::super::model;
    use super::*;

    /// A noisy random walk; the belief is compared with the true path.
    #[test]
    fn coverage_and_extremes_survive_a_long_series() {
        let model = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\noffset = [0.0]\nbias = [0.0]\ninitial_mean = [0.0]\n\
                     initial_covariance = [[1.0]]\n";
        let mut filter = AnyFilter::new(model::parse(model).unwrap(), "reversed").unwrap();
        let names = ["level".to_owned()];
        let mut portrayal =
            BeliefRecorder::new(&filter, &names, Some(&[]), FigureOptions::default()).unwrap();
        // Noise of about unit variance from a fixed sequence: three uniform numbers of variance 1/12 each, times 2.
        let mut seed = 1u64;
        let mut uniform = move || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        let mut noise = move || 2.0 * (uniform() + uniform() + uniform());
        let (mut x, mut most, mut inside) = (0.0f64, f64::NEG_INFINITY, 0u32);
        let z = Band::default().deviations();
        let bins = 20_000u32;
        for t in 0..bins {
            x = 0.9 * x + noise();
            let y = [x + noise()];
            let row = (t % 10 != 3).then_some(&y[..]);
            filter.update(row).unwrap();
            portrayal.see(&filter, row, Some(&[x]));
            let belief = filter.belief().gaussian().unwrap();
            let (mean, variance) = (belief.mean[0], belief.covariance[0]);
            most = most.max(mean);
            inside += u32::from((mean - x).abs() <= z * variance.sqrt());
        }
        let columns = portrayal.timeline.columns();
        assert!(columns.len() <= COLUMNS && portrayal.timeline.each() == 16);
        let drawn = columns.iter().map(|c| c.spans[0].mean.high);
        assert_eq!(drawn.fold(f64::NEG_INFINITY, f64::max), most);
        let missing: u64 = columns.iter().map(|c| c.missing).sum();
        assert_eq!(missing, 2000);
        assert!(columns.iter().all(|c| {
            let s = &c.spans[0];
            s.low < s.mean.low && s.mean.high < s.high
        }));
        let coverage = portrayal.scores().coverage().unwrap();
        assert_eq!(coverage, f64::from(inside) / f64::from(bins));
        // A right model: 90 % within, up to four standard deviations of so many correlated draws.
        assert!((coverage - 0.9).abs() < 0.02, "{coverage}");
        assert!((portrayal.scores().nees().unwrap() - 1.0).abs() < 0.06);
        assert!(portrayal.judged().unwrap().contains("90 % credible band"));
        assert!(portrayal.note().contains("16 observations in a column"));
    }

    #[test]
    fn a_late_belief_is_noted_at_the_bin_it_is_about() {
        let model = "kind = \"generalised\"\noutput_precision = 100.0\nmotion_precision = 10.0\nstart_variance = 1.0\n\
                     output_log_variance = 1.0\n[equations]\nkind = \"ornstein_uhlenbeck\"\nrate = 0.1\n\
                     [embedding]\nstates = 1\nsmoothness = 0.0\n";
        let rule = super::super::names::LearnSpec::Settings(
            "rule = \"odem\"\n[filter]\ndelay = 2\n".to_owned(),
        );
        let model = model::parse(model).unwrap();
        let how = rule.of(&model).unwrap();
        let mut filter = AnyFilter::learning(model, &how, "reversed").unwrap();
        assert_eq!(filter.lag(), 2);
        let mut portrayal = BeliefRecorder::new(
            &filter,
            &[],
            Some(&["x".to_owned()]),
            FigureOptions::default(),
        )
        .unwrap();
        for t in 1..=5 {
            let row = [f64::from(t)];
            filter.update(Some(&row)).unwrap();
            portrayal.see(&filter, Some(&row), Some(&[10.0 * f64::from(t)]));
        }
        assert_eq!(portrayal.timeline.bins(), Some((1, 3)));
        // The state, its cause, what is seen, the error of the state.
        let at = |k: usize| portrayal.timeline.columns()[k].spans.clone();
        assert_eq!((at(0)[0].truth.low, at(0)[2].seen.low), (10.0, 1.0));
        assert_eq!((at(2)[0].truth.low, at(2)[2].seen.low), (30.0, 3.0));
        let last = at(2);
        assert_eq!(last[3].truth.low, 30.0 - last[0].mean.low);
    }

    #[test]
    fn many_states_and_columns_are_shown_in_part_and_said() {
        let eye = |n: usize, v: f64| {
            let row = |i: usize| {
                let entry = |j: usize| if i == j { v } else { 0.0 };
                format!("{:?}", (0..n).map(entry).collect::<Vec<f64>>())
            };
            format!("[{}]", (0..n).map(row).collect::<Vec<_>>().join(", "))
        };
        let zeros = format!("{:?}", vec![0.0; 10]);
        let model = format!(
            "kind = \"linear-gaussian\"\ntransition = {}\nprocess_noise = {e}\nobservation = {e}\n\
             observation_noise = {e}\noffset = {zeros}\nbias = {zeros}\ninitial_mean = {zeros}\n\
             initial_covariance = {e}\n",
            eye(10, 0.5),
            e = eye(10, 1.0)
        );
        let mut filter = AnyFilter::new(model::parse(&model).unwrap(), "reversed").unwrap();
        let wanted = FigureOptions {
            portrait: Some([9, 10]),
            ..FigureOptions::default()
        };
        let names: Vec<String> = (1..=10).map(|i| format!("{i}")).collect();
        let mut portrayal = BeliefRecorder::new(&filter, &names, None, wanted).unwrap();
        let row = [1.0; 10];
        filter.update(Some(&row)).unwrap();
        portrayal.see(&filter, Some(&row), None);
        assert_eq!(portrayal.panels.len(), STATES + CHANNELS);
        assert!(portrayal.note().contains("the first 8 of 10 states"));
        assert!(portrayal.note().contains("the first 6 of 10 columns"));
        let label = |k: usize| match &portrayal.panels[k] {
            Panel::Span { label, .. } => label.clone(),
            _ => String::new(),
        };
        assert_eq!(
            (label(0), label(8)),
            ("state 1".into(), "observed 1".into())
        );
        let nowhere = FigureOptions {
            portrait: Some([1, 11]),
            ..wanted
        };
        let error = BeliefRecorder::new(&filter, &names, None, nowhere).unwrap_err();
        assert!(error.to_string().contains("states 1 to 10"), "{error}");
        assert_eq!(portrayal.judged(), None);
    }
}
