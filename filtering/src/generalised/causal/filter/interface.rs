//! The filter as every filter is used.

use super::CausalGeneralisedFilter;
use crate::generalised::model::Equations;
use crate::{Belief, Filter, GaussianBelief, Moments, PredictedObservation, Result, Step};

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// The number of observations taken in, missing ones included.
    pub fn bins(&self) -> u64 {
        self.bins
    }

    /// Means of the states of all levels, `[states]`.
    pub fn states(&self) -> &[f64] {
        &self.report.states
    }

    /// Covariance of the states, row-major `[states, states]`.
    pub fn state_covariance(&self) -> &[f64] {
        &self.report.state_covariance
    }

    /// Means of the causes of all levels, `[causes]`.
    pub fn causes(&self) -> &[f64] {
        &self.report.causes
    }

    /// Covariance of the causes, row-major `[causes, causes]`.
    pub fn cause_covariance(&self) -> &[f64] {
        &self.report.cause_covariance
    }

    /// What the newest observation did to the evidence.
    pub(in crate::generalised) fn step(&self) -> Step {
        Step {
            increment: self.last_log_density,
            elbo: self.log_evidence,
        }
    }
}

impl<E: Equations + Clone> Filter for CausalGeneralisedFilter<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let log_density = self.prepare(observation)?;
        self.take(observation, log_density);
        Ok(self.step())
    }

    fn belief(&self) -> Belief<'_> {
        let report = &self.report;
        Belief::Gaussian(GaussianBelief {
            mean: &report.states,
            covariance: &report.state_covariance,
            cause_mean: &report.causes,
            cause_covariance: &report.cause_covariance,
            ..GaussianBelief::default()
        })
    }

    fn elbo(&self) -> f64 {
        self.log_evidence
    }

    fn observations(&self) -> u64 {
        self.bins
    }

    fn width(&self) -> usize {
        self.stack.outputs
    }

    fn lag(&self) -> usize {
        self.config.lag
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        self.clone().predict_observation()
    }

    fn signal(&self) -> Moments {
        self.signal_with(self.parameters())
    }
}
