//! Block online EM: the smoother on a block of observations at a time.

use serde::{Deserialize, Serialize};

use super::em::Learned;
use super::kalman::{Kalman, Prepared};
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use super::regression::Regression;
use super::settings::BlockOnlineEm;
use super::statistics::Statistics;
use crate::Result;

/// The observations of the block so far, and the averages over the blocks before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    width: usize,
    /// Rows `[m]` one after another, zeros where missing.
    values: Vec<f64>,
    seen: Vec<bool>,
    transition: Option<Regression>,
    observation: Option<Regression>,
}

impl Block {
    pub fn new(rule: &BlockOnlineEm, model: &LinearGaussian) -> Self {
        let width = model.width();
        // A block too long for memory is refused where the filter's ring is made for it.
        let room = rule.block.min(1 << 16);
        Self {
            width,
            values: Vec::with_capacity(room * width),
            seen: Vec::with_capacity(room),
            transition: None,
            observation: None,
        }
    }

    pub fn fits(&self, rule: &BlockOnlineEm, filter: &Kalman) -> bool {
        let (n, m) = (filter.model().states(), filter.model().width());
        let of = |part: &Option<Regression>, sizes| {
            part.as_ref()
                .is_none_or(|p| p.coefficients.shape() == sizes)
        };
        self.width == m
            && self.seen.len() < rule.block
            && self.values.len() == self.seen.len() * m
            && !self.values.iter().any(|v| v.is_infinite())
            && filter.lag() == rule.block
            && filter.observations() >= self.seen.len() as u64
            && filter.kept() >= self.seen.len()
            && of(&self.transition, (n, n + 1))
            && of(&self.observation, (m, n + 1))
    }

    /// Takes in an observation that the filter has just taken in; a new model where it ends the block. Changes
    /// nothing where it fails.
    pub fn update(
        &mut self,
        rule: &BlockOnlineEm,
        learned: &Learned,
        filter: &Kalman,
        y: Option<&[f64]>,
    ) -> Result<Option<Prepared>> {
        self.push(y);
        if self.seen.len() < rule.block {
            return Ok(None);
        }
        match self.finish(rule, learned, filter) {
            Ok((model, transition, observation)) => {
                self.transition = Some(transition);
                self.observation = observation;
                self.values.clear();
                self.seen.clear();
                Ok(Some(model))
            }
            Err(error) => {
                self.seen.pop();
                self.values.truncate(self.seen.len() * self.width);
                Err(error)
            }
        }
    }

    fn push(&mut self, y: Option<&[f64]>) {
        match y {
            Some(y) => self.values.extend_from_slice(y),
            None => self.values.resize(self.values.len() + self.width, 0.0),
        }
        self.seen.push(y.is_some());
    }

    fn finish(
        &self,
        rule: &BlockOnlineEm,
        learned: &Learned,
        filter: &Kalman,
    ) -> Result<(Prepared, Regression, Option<Regression>)> {
        let model = filter.model();
        let statistics = self.smoothed(filter)?;
        let last = filter.observations();
        let kept: f64 = (last - self.seen.len() as u64..last)
            .map(|t| 1.0 - rule.gain.at(t).min(1.0))
            .product();
        let transition = average(
            self.transition.as_ref(),
            statistics.transition,
            model.process_noise(),
            1.0 - kept,
        );
        let observation = if statistics.observation.weight > 0.0 {
            Some(average(
                self.observation.as_ref(),
                statistics.observation,
                model.observation_noise(),
                1.0 - kept,
            ))
        } else {
            self.observation.clone()
        };
        let mut total = Statistics::new(model);
        total.transition.add(1.0, &transition);
        if let Some(observation) = &observation {
            total.observation.add(1.0, observation);
        }
        let next = model.maximised(&total, learned, rule.pseudo_count)?;
        let total = total.about(&next);
        let observation = observation.map(|_| total.observation);
        Ok((Prepared::new(next)?, total.transition, observation))
    }

    /// The statistics of the block: backwards through the filter's beliefs, the one before the block included.
    fn smoothed(&self, filter: &Kalman) -> Result<Statistics> {
        let model = filter.model();
        let mut statistics = Statistics::new(model);
        let mut belief = filter.belief();
        let rows = self.values.chunks_exact(self.width).zip(&self.seen).rev();
        for (back, (y, &seen)) in rows.enumerate() {
            if seen {
                statistics.add_observation(1.0, model, &belief, y)?;
            }
            if back + 1 < filter.kept() {
                let kernel = GaussianKernel::optimal(model, &filter.belief_before(back + 1))?;
                statistics.add_transition(1.0, model, &kernel, &belief);
                belief = kernel.push(&belief);
            }
        }
        Ok(statistics)
    }
}

/// (1 − γ) `past` + γ·(mean of `block`). Without a past, that of a model that fits these very inputs: no cross
/// moment, and residuals of covariance `noise`.
pub(crate) fn average(
    past: Option<&Regression>,
    mut block: Regression,
    noise: &nalgebra::DMatrix<f64>,
    gain: f64,
) -> Regression {
    block.scale(1.0 / block.weight);
    let mut average = block.clone();
    match past {
        Some(past) => {
            average.scale(gain);
            average.add(1.0 - gain, past);
        }
        None => {
            average.cross *= gain;
            average.residual = block.residual * gain + noise * (1.0 - gain);
        }
    }
    average
}
