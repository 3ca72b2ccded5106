//! The filter: one observation in, a Gaussian belief, a kernel and a bound out.
//!
//! | step of an update | file |
//! |---|---|
//! | where nothing is seen and f is linear, the exact prediction | `filter/exact_prediction.rs` |
//! | the linearised prediction, and the mode under it | `filter/first_guess.rs`, `filter/mode.rs` |
//! | natural gradients of the newest bound | `filter/natural_gradient.rs` |
//! | the next state, with W_t fitted | `filter/next_state.rs`, `filter/value_fit.rs` |
//!
//! What a filter can be asked is in `filter/queries.rs`, how it is written down in `filter/snapshot.rs`.

mod exact_prediction;
mod first_guess;
mod mode;
mod natural_gradient;
mod next_state;
mod queries;
mod snapshot;
mod value_fit;

use std::mem::swap;

use serde::{Deserialize, Serialize};

use self::snapshot::Snapshot;
use super::bound::Past;
use super::noise::Noise;
use super::state::State;
use super::workspace::Workspace;
use super::{ElboKind, NonlinearConfig, StateSpace, Value};
use crate::step::Step;
use crate::{Error, Result};

/// An online filter with q_t = N(μ_t, Σ_t), kernels b_t(x_{t−1}|x_t) = N(E x_t + f, L) and a recursive bound.
///
/// Each update starts from the linearised prediction and the mode under it, and then improves q_t and b_t
/// together by natural gradients of the newest bound with the past frozen. Memory is constant, and no update
/// allocates where the model does not.
///
/// ```
/// use scotopic_filtering::nonlinear::{NonlinearFilter, Representation, NonlinearConfig, models::SinQuadratic};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = SinQuadratic::new(0.09, 0.25, 0.0, 1.0)?;
/// let config = NonlinearConfig { representation: Representation::table(), ..NonlinearConfig::default() };
/// let mut filter = NonlinearFilter::new(model, config)?;
/// let step = filter.update(Some(&[-1.3]))?;
/// filter.update(None)?; // a missing observation: the belief spreads
/// assert!(step.elbo < 0.0 && filter.covariance()[0] > 0.09);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    try_from = "Snapshot<M>",
    into = "Snapshot<M>",
    bound(
        serialize = "M: StateSpace + Clone + Serialize",
        deserialize = "M: StateSpace + Deserialize<'de>"
    )
)]
pub struct NonlinearFilter<M: StateSpace> {
    pub(crate) model: M,
    config: NonlinearConfig,
    pub(crate) noise: Noise,
    prior: Noise,
    pub(crate) state: State,
    pub(crate) next: State,
    /// Whether `next` is the outcome of a proposal that went well.
    ready: bool,
    work: Workspace,
}

impl<M: StateSpace> NonlinearFilter<M> {
    /// A filter that has seen nothing.
    ///
    /// # Errors
    /// [`Error::Setting`] for a configuration that makes no sense, [`Error::Size`] and [`Error::NotPositiveDefinite`] for
    /// matrices that are not covariances.
    pub fn new(model: M, config: NonlinearConfig) -> Result<Self> {
        let n = model.dim();
        if n == 0 || model.observed() == 0 {
            return Err(Error::size("the model", 0, "a state and an observation"));
        }
        if model.initial_mean().len() != n {
            return Err(Error::size("initial_mean", model.initial_mean().len(), n));
        }
        config.check(n)?;
        let noise = Noise::new("process_noise", model.noise(), n)?;
        let prior = Noise::new("initial_covariance", model.initial_covariance(), n)?;
        let state = State::start(&model, &config, &prior.precision);
        let work = Workspace::new(&model, &config)?;
        Ok(Self {
            next: state.clone(),
            state,
            ready: false,
            model,
            config,
            noise,
            prior,
            work,
        })
    }

    /// Takes the next observation `[m]` in, `None` for a missing one, whose increment is 0: it is no evidence. What
    /// q loses there, where f bends, is counted with the next observation that is seen.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is not of the model, [`Error::NotFinite`] where the bound or the
    /// covariance leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        self.propose(observation)?;
        Ok(self.commit())
    }

    /// The first half of an update: works the next state out and leaves the present one.
    ///
    /// # Errors
    /// As [`NonlinearFilter::update`].
    pub(crate) fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        self.ready = false;
        let number = self.state.time;
        if let Some(y) = observation {
            self.model.check(y).map_err(|e| e.at_observation(number))?;
        }
        if observation.is_none() && self.predict_exactly()? {
            self.next.evaluations = 0;
            self.next.unsettled = self.state.unsettled;
            self.write(observation, 0.0, true);
        } else {
            let bound = self.first_guess(observation);
            let bound = self.improve(observation, bound);
            if !bound.is_finite() {
                return Err(Error::not_finite(number, "the evidence lower bound", bound));
            }
            self.write(observation, bound, false);
        }
        self.write_score(observation)?;
        self.ready = true;
        Ok(())
    }

    /// The second half: the next state becomes the present one, if there is one.
    pub(crate) fn commit(&mut self) -> Step {
        if std::mem::take(&mut self.ready) {
            swap(&mut self.state, &mut self.next);
        }
        self.step()
    }

    /// What the newest update did.
    pub(crate) fn step(&self) -> Step {
        Step {
            increment: self.state.increment,
            elbo: self.elbo(),
        }
    }

    /// The past, as the bound needs it.
    fn past<'a>(model: &'a M, prior: &'a Noise, state: &'a State) -> Past<'a> {
        match &state.value {
            _ if state.time == 0 => Past::First(model.initial_mean(), prior),
            Value::Quadratic(w) => Past::Quadratic(w),
            Value::Table(w) => Past::Table(w),
        }
    }

    fn evaluate(&mut self, observation: Option<&[f64]>, proposal: bool) -> f64 {
        let past = Self::past(&self.model, &self.prior, &self.state);
        let work = &mut self.work;
        let (joint, slopes) = match proposal {
            true => (&work.proposal, &mut work.proposed),
            false => (&work.joint, &mut work.slopes),
        };
        let (model, noise) = (&self.model, &self.noise);
        work.bound
            .evaluate(model, noise, past, observation, joint, slopes)
    }

    fn write_score(&mut self, observation: Option<&[f64]>) -> Result<()> {
        let (Some(fit), Some(next)) = (&mut self.work.fit, &mut self.next.score) else {
            return Ok(());
        };
        let carry = self.config.elbo == ElboKind::Reversed && self.state.time > 0;
        let past = self.state.score.as_ref().filter(|_| carry);
        let past = past.map(|score| (score, &self.state.mean[..]));
        if !fit.step(&self.model, observation, &self.work.joint, past, next) {
            return Err(Error::not_finite(self.state.time, "the score", f64::NAN));
        }
        Ok(())
    }
}
