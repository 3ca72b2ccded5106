//! `AnyEmission` delegates to the emission it holds.

use rand::Rng;

use super::{AnyEmission, Emission, Learnable, Sample, ScorePart};
use crate::hmm::parameter_groups::ParameterGroup;
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{PredictedObservation, Predictive, Result, Sequence, Slope};

impl Emission for AnyEmission {
    fn states(&self) -> usize {
        each!(self, e => e.states())
    }
    fn width(&self) -> usize {
        each!(self, e => e.width())
    }
    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        each!(self, e => e.log_likelihood(observation, into))
    }
    fn relative_log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        each!(self, e => e.relative_log_likelihood(observation, into))
    }
    fn likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        each!(self, e => e.likelihood(observation, into))
    }
    fn accepts_partial_rows(&self) -> bool {
        each!(self, e => e.accepts_partial_rows())
    }
    fn relabelled(&self, order: &[usize]) -> Self {
        each!(self, e => e.relabelled(order).into())
    }
    fn expected(&self, weights: &[f64]) -> Option<PredictedObservation> {
        each!(self, e => e.expected(weights))
    }
    fn predictive(&self, weights: &[f64]) -> Option<Vec<Predictive>> {
        each!(self, e => e.predictive(weights))
    }
    fn inputs(&self) -> &[String] {
        each!(self, e => e.inputs())
    }
    fn lags(&self) -> usize {
        each!(self, e => e.lags())
    }
    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        each!(self, e => e.predictive_given(weights, given))
    }
}

impl Learnable for AnyEmission {
    fn statistic_len(&self) -> usize {
        each!(self, e => e.statistic_len())
    }
    fn statistic(&self, observation: &[f64], into: &mut [f64]) {
        each!(self, e => e.statistic(observation, into))
    }
    fn statistic_of_state(&self) -> bool {
        each!(self, e => e.statistic_of_state())
    }
    fn measured(self, statistics: &[f64]) -> Self {
        each!(self, e => e.measured(statistics).into())
    }
    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        each!(self, e => e.completed(observation, into))
    }
    fn accumulate(
        &self,
        observation: &[f64],
        weights: &[f64],
        statistic: &mut [f64],
        into: &mut [f64],
    ) {
        each!(self, e => e.accumulate(observation, weights, statistic, into))
    }
    fn expected_statistic(&self, into: &mut [f64]) {
        each!(self, e => e.expected_statistic(into))
    }
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        each!(self, e => e.maximise(statistics, pseudo).map(Into::into))
    }
    fn parameters_len(&self) -> usize {
        each!(self, e => e.parameters_len())
    }
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        each!(self, e => e.score(statistics, into))
    }
    fn score_parts(&self) -> Vec<ScorePart> {
        each!(self, e => e.score_parts())
    }
    fn slopes(&self, statistics: &[f64]) -> Vec<Slope> {
        each!(self, e => e.slopes(statistics))
    }
    fn units(&self, into: &mut [f64]) {
        each!(self, e => e.units(into))
    }
    fn ascended(&self, step: &[f64]) -> Result<Self> {
        each!(self, e => e.ascended(step).map(Into::into))
    }
    fn coordinates_len(&self) -> usize {
        each!(self, e => e.coordinates_len())
    }
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        each!(self, e => e.displaced(z).map(Into::into))
    }
    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        both!(self, base, (e, b) => e.score_about(b, z, statistics, into), _ => into.fill(f64::NAN))
    }
    fn information(&self, into: &mut [f64]) {
        each!(self, e => e.information(into))
    }
    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        both!(self, pooled, (e, p) => e.relative_variances(p), _ => vec![f64::NAN; self.states()])
    }
    fn is_separable(&self) -> bool {
        each!(self, e => e.is_separable())
    }
    fn steps_whitened(&self) -> bool {
        each!(self, e => e.steps_whitened())
    }
    fn centred_on(self, sequences: &[Sequence]) -> Self {
        each!(self, e => e.centred_on(sequences).into())
    }
    fn recentred(self) -> Self {
        each!(self, e => e.recentred().into())
    }
    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        each!(self, e => e.check_data(sequences))
    }
    fn free_parameters(&self) -> usize {
        each!(self, e => e.free_parameters())
    }

    fn structural_zeros(&self) -> usize {
        each!(self, e => e.structural_zeros())
    }
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        each!(self, e => e.parameter_groups())
    }
    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        each!(self, e => e.with_parameters(values).map(Into::into))
    }
    fn state_parameters(&self) -> Vec<f64> {
        each!(self, e => e.state_parameters())
    }
}

impl Sample for AnyEmission {
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]) {
        each!(self, e => e.sample(state, rng, into))
    }
    fn resting_lags(&self, state: usize) -> Vec<f64> {
        each!(self, e => e.resting_lags(state))
    }
}
