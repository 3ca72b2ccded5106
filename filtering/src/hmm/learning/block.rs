//! Block online EM: K² per observation.

use serde::{Deserialize, Serialize};

use super::running::{Running, maximise};
use super::{Seen, settings};
use crate::hmm::counts::add_outer;
use crate::hmm::smoother::Backward;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result};

/// What the filter has seen of the present block, and the averages so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) settings: settings::BlockOnlineEm,
    average: Running,
    /// ∏(1 − γ_t) over the block so far.
    kept: f64,
    /// The belief before the block `[K]`; none before the first.
    prior: Vec<f64>,
    /// q_t `[·, K]`.
    beliefs: Vec<f64>,
    /// o_t `[·, D]`, and whether each was seen.
    observations: Vec<f64>,
    seen: Vec<bool>,
}

impl Block {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, settings: settings::BlockOnlineEm) -> Self {
        let (k, len) = (model.states(), settings.block);
        Self {
            average: Running::stationary(model),
            kept: 1.0,
            prior: Vec::with_capacity(k),
            beliefs: Vec::with_capacity(len * k),
            observations: Vec::with_capacity(len * model.width()),
            seen: Vec::with_capacity(len),
            settings,
        }
    }

    /// Takes in an observation and returns the new model at the end of a block; on error nothing is changed.
    pub(super) fn learn<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        now: &Seen<'_>,
    ) -> Result<Option<Hmm<E>>> {
        let (k, d) = (model.states(), model.width());
        let kept = self.kept;
        self.kept *= 1.0 - self.settings.gain.at(now.number);
        self.beliefs.extend_from_slice(now.belief);
        match now.observation {
            Some(observation) => self.observations.extend_from_slice(observation),
            None => self.observations.resize(self.observations.len() + d, 0.0),
        }
        self.seen.push(now.observation.is_some());
        if self.seen.len() < self.settings.block {
            return Ok(None);
        }
        let block = self.means(model);
        let mut average = self.average.clone();
        average.blend(self.kept, &self.average, 1.0 - self.kept, &block);
        let (n, e) = (&average.transitions, &average.emission);
        match maximise(model, n, e, self.settings.pseudo()) {
            Ok(new) => {
                self.average = average;
                self.kept = 1.0;
                self.prior.clear();
                self.prior.extend_from_slice(now.belief);
                self.beliefs.clear();
                self.observations.clear();
                self.seen.clear();
                Ok(Some(new))
            }
            Err(error) => {
                self.kept = kept;
                self.beliefs.truncate(self.beliefs.len() - k);
                self.observations.truncate(self.observations.len() - d);
                self.seen.pop();
                Err(error)
            }
        }
    }

    /// The mean over the block of ξ_{t−1,t} and γ_t φ(o_t), smoothed within it; the transition into the block
    /// counts, from the belief before it.
    fn means<E: Learnable>(&self, model: &Hmm<E>) -> Running {
        let (k, d) = (model.states(), model.width());
        let mut found = Running::zero(model);
        let mut statistic = vec![0.0; model.emission().statistic_len()];
        let mut back = Backward::new(k, model.transition());
        let len = self.seen.len();
        let mut ratios = vec![0.0; len * k];
        back.start(&self.beliefs[(len - 1) * k..]);
        for t in (0..len).rev() {
            if self.seen[t] {
                let observation = &self.observations[t * d..(t + 1) * d];
                let (weights, into) = (&back.marginal, &mut found.emission);
                model
                    .emission()
                    .accumulate(observation, weights, &mut statistic, into);
            }
            let before = match t {
                0 => &self.prior[..],
                _ => &self.beliefs[(t - 1) * k..t * k],
            };
            if before.is_empty() {
                continue;
            }
            if !back.step(before) {
                let pairs = found.transitions.iter_mut().zip(&back.pairwise);
                pairs.for_each(|(n, xi)| *n += xi);
            }
            ratios[t * k..(t + 1) * k].copy_from_slice(&back.ratio);
        }
        let mut outer = vec![0.0; k * k];
        add_outer(&self.beliefs[..(len - 1) * k], &ratios[k..], &mut outer);
        let mut transitions = len - 1;
        if !self.prior.is_empty() {
            add_outer(&self.prior, &ratios[..k], &mut outer);
            transitions = len;
        }
        let scale = 1.0 / transitions.max(1) as f64;
        let products = model.transition().iter().zip(&outer);
        for (n, (a, sum)) in found.transitions.iter_mut().zip(products) {
            *n = (*n + a * sum) * scale;
        }
        let scale = 1.0 / len as f64;
        found.emission.iter_mut().for_each(|e| *e *= scale);
        found
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        let (k, len) = (model.states(), self.seen.len());
        self.average.check(model)?;
        let fits = len < self.settings.block
            && (self.prior.is_empty() || self.prior.len() == k)
            && self.beliefs.len() == len * k
            && self.observations.len() == len * model.width();
        match fits {
            true => Ok(()),
            false => Err(Error::size("block", "another size", "that of the model")),
        }
    }
}
