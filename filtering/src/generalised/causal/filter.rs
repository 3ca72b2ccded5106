//! The causal filter: its state, and the sequence of an update.
//!
//! | subject | file |
//! |---|---|
//! | the prior before the first observation | `filter/start.rs` |
//! | correction by an observation | `filter/correction.rs` |
//! | read-outs of the belief | `filter/readout.rs` |
//! | the joint belief about past bins | `filter/joint_smoothing.rs` |
//! | setters between bins | `filter/setters.rs` |
//! | snapshots | `filter/snapshot.rs` |
//! | prediction over a bin, and of observations | `filter/prediction.rs` |
//! | what every filter can do | `filter/interface.rs` |
mod correction;
mod interface;
mod joint_smoothing;
mod prediction;
mod readout;
mod setters;
mod snapshot;
mod start;

pub use snapshot::CausalSnapshot;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::config::CausalConfig;
use super::innovation::Innovation;
use super::layout::CausalLayout;
use super::noise_shape::NoiseShape;
use super::stack::{CausalLocal, CausalStack};
use super::third_moments::ThirdMoments;
use super::transition::{Channels, Transition};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result};

/// Filtering of states, causes and (if asked) parameters from y_1 … y_t alone, with a posterior that
/// keeps: see the [module](super) for the derivation.
///
/// ```
/// use scotopic_filtering::generalised::causal::{CausalGeneralisedFilter, CausalConfig};
/// use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
/// use scotopic_filtering::Filter;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let equations = Linear::convolution();
/// let theta = equations.defaults();
/// let e8 = f64::exp(8.0);
/// let model = GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0])?;
/// let mut filter = CausalGeneralisedFilter::new(model, CausalConfig::default(), None)?;
/// filter.update(Some(&[0.01, 0.02, -0.01, 0.0]))?;
/// filter.update(None)?; // a gap
/// assert_eq!(filter.bins(), 2);
/// assert_eq!(filter.states().len(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    into = "CausalSnapshot<E>",
    try_from = "CausalSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Deserialize<'de>"
    )
)]
pub struct CausalGeneralisedFilter<E> {
    pub(super) stack: CausalStack<E>,
    pub(super) channels: Channels,
    config: CausalConfig,
    layout: CausalLayout,
    innovation: Innovation,
    transition: Transition,
    /// The offset of the linear transition, x_{t+1} = head·(x, n) + offset; none for a nonlinear model.
    linear: Option<Vec<f64>>,
    /// Whether g depends on causes, and whether one linearisation of it is exact.
    sees: bool,
    straight: bool,
    /// U with Π_z = U'U, and ln |U|.
    whitening: DMatrix<f64>,
    log_whitening: f64,
    /// For a nonlinear flow and a belief that may be skewed.
    third: Option<ThirdMoments>,
    walk: Vec<f64>,
    scratch_theta: Vec<f64>,
    belief: JointBelief,
    next: JointBelief,
    trial: JointBelief,
    scratch: DMatrix<f64>,
    update: CorrectionWorkspace,
    /// The last observations, newest first, `[memory, outputs]`, and whether each was seen.
    history: Vec<f64>,
    seen: Vec<bool>,
    bins: u64,
    log_evidence: f64,
    last_log_density: f64,
    report: Report,
}

/// A mean and a covariance of the joint state, and the third moments of its states.
#[derive(Debug, Clone, PartialEq)]
struct JointBelief {
    mean: Vec<f64>,
    covariance: DMatrix<f64>,
    /// Third central moments of the states, `[states, states, states]`, where they are carried; else empty.
    third: Vec<f64>,
}

impl JointBelief {
    fn copy_from(&mut self, other: &Self) {
        self.mean.copy_from_slice(&other.mean);
        self.covariance.copy_from(&other.covariance);
        self.third.copy_from_slice(&other.third);
    }
}

/// Memory of the correction.
#[derive(Debug, Clone, PartialEq)]
struct CorrectionWorkspace {
    local: CausalLocal,
    theta: Vec<f64>,
    c: Vec<f64>,
    x: Vec<f64>,
    v: Vec<f64>,
    point: Vec<f64>,
    /// Rows of the linearised, whitened, predicted observation, each over the joint state.
    rows: Vec<f64>,
    residual: Vec<f64>,
    difference: Vec<f64>,
    /// Every entry's innovation given the entries before, and the log of its variance, in units of y.
    innovations: Vec<[f64; 2]>,
    gain: Vec<f64>,
    product: Vec<f64>,
}

/// The reported belief.
#[derive(Debug, Clone, PartialEq)]
struct Report {
    states: Vec<f64>,
    state_covariance: Vec<f64>,
    causes: Vec<f64>,
    cause_covariance: Vec<f64>,
    weights: Vec<f64>,
    columns: Vec<f64>,
}

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// A filter that has seen nothing. At the first bin the states have the model's start as mean and
    /// `start_covariance` `[states, states]` as covariance (none: the start is known); noises and causes
    /// have their stationary distribution.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Size`], [`Error::Entry`] or [`Error::NotPositiveDefinite`] for what in
    /// the model or the settings cannot be.
    pub fn new(
        model: GenerativeModel<E>,
        config: CausalConfig,
        start_covariance: Option<&DMatrix<f64>>,
    ) -> Result<Self> {
        config.check()?;
        let white = config.motion == NoiseShape::White;
        let stack = CausalStack::new(model, !white, config.learn_parameters)?;
        if config.cause == NoiseShape::White && (stack.causes > 0) {
            return Err(Error::setting(
                "cause",
                "white in continuous time",
                "a shape with a variance, for example `sampled` with smoothness 0 and order 0",
            ));
        }
        let motion_channels = if white { 0 } else { stack.moving() };
        let kind = (0..stack.noises)
            .map(|c| usize::from(c >= motion_channels))
            .collect();
        let processes = vec![
            config.motion.process("motion")?,
            config.cause.process("cause")?,
        ];
        let channels = Channels::new(processes, kind, white);
        let past = config.noise_lags.max(config.lag).max(config.keep);
        let sees = match stack.model.levels.first() {
            Some(level) => stack.causes > 0 && level.equations.output_sees_causes(),
            None => false,
        };
        let straight = setters::straight(&stack, sees);
        let asked = config.lag > 0 || config.keep > 0;
        let keeps_causes = asked || sees && config.noise_lags > 0;
        let layout = CausalLayout {
            states: stack.states,
            moving: stack.moving(),
            noises: channels.size,
            kept_causes: if keeps_causes { stack.causes } else { 0 },
            past,
        };
        let carries = setters::carries_third(&config, &stack);
        let third = carries.then(|| ThirdMoments::new(layout.states, layout.size()));
        let mut belief = start::start(&stack, &channels, &layout, start_covariance)?;
        if carries {
            belief.third = vec![0.0; layout.states.pow(3)];
        }
        let walk = (0..stack.free.len())
            .map(|k| {
                let (l, i) = stack.free[k];
                let variance = stack.model.levels[l].parameters.covariance[(i, i)];
                config.parameter_drift * variance
            })
            .collect();
        let size = layout.size();
        let (y, x, v) = (stack.outputs, stack.moving(), stack.causes);
        let update = CorrectionWorkspace {
            local: stack.local(),
            theta: stack.theta.clone(),
            c: vec![0.0; stack.noises],
            x: vec![0.0; stack.states],
            v: vec![0.0; v],
            point: vec![0.0; size],
            rows: vec![0.0; y * size],
            residual: vec![0.0; y],
            difference: vec![0.0; y],
            innovations: vec![[0.0; 2]; y],
            gain: vec![0.0; size],
            product: vec![0.0; size],
        };
        let report = Report {
            states: vec![0.0; x],
            state_covariance: vec![0.0; x * x],
            causes: vec![0.0; v],
            cause_covariance: vec![0.0; v * v],
            weights: vec![0.0; v * layout.present()],
            columns: vec![0.0; v * layout.present()],
        };
        let mut filter = Self {
            innovation: Innovation::new(config.output, config.noise_lags)?,
            transition: Transition::new(&stack, &channels),
            linear: None,
            sees,
            straight,
            third,
            whitening: DMatrix::zeros(y, y),
            log_whitening: 0.0,
            walk,
            scratch_theta: stack.theta.clone(),
            next: belief.clone(),
            trial: belief.clone(),
            scratch: DMatrix::zeros(size, size),
            belief,
            update,
            history: vec![0.0; config.noise_lags * y],
            seen: vec![false; config.noise_lags],
            bins: 0,
            log_evidence: 0.0,
            last_log_density: 0.0,
            report,
            stack,
            channels,
            config,
            layout,
        };
        if let Some(level) = filter.stack.model.levels.first() {
            let precision = level.output.expected();
            filter.whiten(setters::whitening(&precision)?);
        }
        filter.prepare_linear()?;
        filter.read_out();
        Ok(filter)
    }

    /// The settings.
    pub fn config(&self) -> &CausalConfig {
        &self.config
    }

    /// The model.
    pub fn model(&self) -> &GenerativeModel<E> {
        &self.stack.model
    }

    /// θ of the data's level as it is now, `[parameters]`.
    pub(super) fn parameters_of_first(&self) -> &[f64] {
        let count = self.stack.model.levels.first();
        let count = count.map_or(0, |level| level.equations.sizes().parameters);
        &self.stack.theta[..count]
    }

    /// The number of entries of the joint state: states, free parameters, noises and the past that is kept.
    pub fn joint_size(&self) -> usize {
        self.layout.size()
    }

    /// ln p(y_t | y_1 … y_{t−1}) of the last observation, in nats; 0 for a missing one.
    pub fn last_log_density(&self) -> f64 {
        self.last_log_density
    }

    /// The means of the free parameters, `[free]`, in the order of levels and entries.
    pub fn parameters(&self) -> &[f64] {
        &self.belief.mean[self.layout.moving..self.layout.states]
    }

    /// The variances of the free parameters, `[free]`.
    pub fn parameter_variances(&self) -> Vec<f64> {
        (self.layout.moving..self.layout.states)
            .map(|i| self.belief.covariance[(i, i)])
            .collect()
    }

    fn not_finite(&self, what: &'static str) -> Error {
        Error::NotFinite {
            index: self.bins,
            what,
            found: f64::NAN,
        }
    }
}

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// Computes the next belief without taking it: the log density of the observation.
    ///
    /// # Errors
    /// As [`Filter::update`](crate::Filter::update).
    pub(in crate::generalised) fn prepare(&mut self, observation: Option<&[f64]>) -> Result<f64> {
        let y = self.stack.outputs;
        if let Some(row) = observation {
            crate::sequence::check_row(row, y).map_err(|e| e.at_observation(self.bins))?;
        }
        if self.bins == 0 {
            self.next.copy_from(&self.belief);
            if let Some(third) = &mut self.third {
                third.forget();
            }
        } else {
            self.predict()?;
        }
        match observation {
            Some(row) => self.correct(row),
            None => {
                self.trial.copy_from(&self.next);
                Ok(0.0)
            }
        }
    }

    /// Innovations of the last observation that was prepared and the logs of their variances, one an output,
    /// each given those before it.
    pub(in crate::generalised) fn innovations(&self) -> &[[f64; 2]] {
        &self.update.innovations
    }

    /// Takes the belief that [`CausalGeneralisedFilter::prepare`] computed from the same observation.
    pub(in crate::generalised) fn take(&mut self, observation: Option<&[f64]>, log_density: f64) {
        let y = self.stack.outputs;
        std::mem::swap(&mut self.belief, &mut self.trial);
        if self.config.noise_lags > 0 {
            let kept = self.history.len() - y;
            self.history.copy_within(..kept, y);
            self.seen.copy_within(..self.config.noise_lags - 1, 1);
            self.seen[0] = observation.is_some();
            if let Some(row) = observation {
                self.history[..y].copy_from_slice(row);
            }
        }
        self.bins += 1;
        self.last_log_density = log_density;
        self.log_evidence += log_density;
        self.read_out();
    }
}
