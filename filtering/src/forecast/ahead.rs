//! What is known of observations farther and farther ahead.

use std::borrow::Cow;

use crate::gaussian::{Gaussian, LinearGaussian};
use crate::hmm::{Ahead as Lagged, AnyEmission, Hmm};
use crate::nonlinear::NonlinearFilter;
use crate::nonlinear::models::AnyStateSpace;
use crate::plds::Plds;
use crate::switching::SldsFilter;
use crate::{AnyFilter, Belief, Filter, PredictedObservation, Predictive, Result};

/// The state of the next observation as far as it is known, and from there that of the one after it, and so on: N of them cost N steps.
#[allow(clippy::large_enum_variant)] // one is made and moved on in place
pub(super) enum Ahead<'a> {
    /// p(s) `[K]`.
    Hmm(&'a Hmm<AnyEmission>, Vec<f64>),
    Lagged(Box<Lagged<'a>>),
    Gaussian(&'a LinearGaussian, Gaussian),
    Plds(&'a Plds, Gaussian),
    /// After updates in which nothing is seen.
    Slds(Cow<'a, SldsFilter>),
    /// The mean and the covariance.
    Nonlinear(&'a NonlinearFilter<AnyStateSpace>, (Vec<f64>, Vec<f64>)),
    /// By the moments of the filter's own prediction, after updates in which nothing is seen.
    Moments(Cow<'a, AnyFilter>),
}

impl<'a> Ahead<'a> {
    /// One step ahead of all that a filter has seen; of the kinds whose inputs do not move the state.
    ///
    /// # Errors
    /// As [`AnyFilter::predictive`].
    pub fn of(filter: &'a AnyFilter) -> Result<Self> {
        if let AnyFilter::HmmLagged(f) = filter {
            return Ok(Self::Lagged(Box::new(f.ahead()?)));
        }
        let seen = filter.observations();
        let belief = filter.belief();
        let known = belief
            .gaussian()
            .is_none_or(|q| q.covariance.iter().all(|v| v.is_finite()));
        if !known {
            return Ok(Self::Moments(Cow::Borrowed(filter)));
        }
        let hmm = |model: &'a Hmm<AnyEmission>, belief: &[f64]| {
            let ahead = match seen {
                0 => belief.to_vec(),
                _ => model.next_state(belief),
            };
            Self::Hmm(model, ahead)
        };
        let next = |model: &LinearGaussian, mean: &[f64], covariance: &[f64]| {
            model.state_ahead(&Gaussian::from_flat(mean, covariance), seen, 1)
        };
        Ok(match (filter, belief) {
            (AnyFilter::Hmm(f), Belief::Discrete(q)) => hmm(f.model(), q),
            (AnyFilter::HmmLearning(f), Belief::Discrete(q)) => hmm(f.model(), q),
            (AnyFilter::Gaussian(f), Belief::Gaussian(q)) => {
                Self::Gaussian(f.model(), next(f.model(), q.mean, q.covariance))
            }
            (AnyFilter::GaussianLearning(f), Belief::Gaussian(q)) => {
                Self::Gaussian(f.model(), next(f.model(), q.mean, q.covariance))
            }
            (AnyFilter::Plds(f), Belief::Gaussian(q)) => {
                Self::Plds(f.model(), next(f.model().predictor(), q.mean, q.covariance))
            }
            (AnyFilter::PldsLearning(f), Belief::Gaussian(q)) => {
                Self::Plds(f.model(), next(f.model().predictor(), q.mean, q.covariance))
            }
            (AnyFilter::Slds(f), _) => Self::Slds(Cow::Borrowed(f)),
            (AnyFilter::Nonlinear(f), _) => Self::Nonlinear(f, f.state_of_next()?),
            (AnyFilter::NonlinearLearning(f), _) => {
                Self::Nonlinear(f.filter(), f.filter().state_of_next()?)
            }
            _ => Self::Moments(Cow::Borrowed(filter)),
        })
    }

    /// On to the state of the next observation.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) where the prediction leaves the range of numbers.
    pub fn step(&mut self) -> Result<()> {
        match self {
            Self::Hmm(model, states) => *states = model.next_state(states),
            Self::Lagged(ahead) => ahead.step(),
            Self::Gaussian(model, state) => *state = model.next_state(state),
            Self::Plds(model, state) => *state = model.predictor().next_state(state),
            Self::Slds(filter) => {
                filter.to_mut().update(None)?;
            }
            Self::Nonlinear(filter, state) => *state = filter.next_state(&state.0, &state.1)?,
            Self::Moments(filter) => {
                filter.to_mut().update(None)?;
            }
        }
        Ok(())
    }

    /// The distribution of each entry of the observation, given its inputs.
    ///
    /// # Errors
    /// As [`AnyFilter::predictive_given`].
    pub fn predictive(&self, inputs: &[f64]) -> Result<Vec<Predictive>> {
        match self {
            Self::Hmm(model, states) => model.predictive(states, inputs),
            Self::Lagged(ahead) => ahead.predictive(),
            Self::Gaussian(model, state) => model.predictive(state),
            Self::Plds(model, state) => model.predictive(state),
            Self::Slds(filter) => filter.predictive(),
            Self::Nonlinear(filter, (mean, covariance)) => filter.predictive(mean, covariance),
            Self::Moments(filter) => by_moments(&filter.predicted_observation()?),
        }
    }
}

fn by_moments(predicted: &PredictedObservation) -> Result<Vec<Predictive>> {
    match predicted {
        PredictedObservation::Symbol(p) => Ok(vec![Predictive::symbols(p)?]),
        PredictedObservation::Numbers(moments) => {
            let entries = moments.mean.iter().zip(&moments.variance);
            entries.map(|(m, v)| Predictive::normal(*m, *v)).collect()
        }
    }
}
