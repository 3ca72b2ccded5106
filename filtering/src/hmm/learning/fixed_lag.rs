//! Online EM with states smoothed a fixed number of steps back: lag·K² per observation.

use serde::{Deserialize, Serialize};

use super::running::{Running, maximise};
use super::scratch::Scratch;
use super::{Seen, settings};
use crate::hmm::kernel::kernel;
use crate::hmm::products::product;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result};

/// The newest kernels and observations, and the averages of what lies further back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FixedLag {
    pub(super) settings: settings::FixedLag,
    average: Running,
    /// b of the last `lag` steps `[lag, K, K]`, a ring: step t at t mod lag.
    kernels: Vec<f64>,
    /// φ of the last `lag` observations `[lag, P]`, the same ring; zero for a missing one.
    statistics: Vec<f64>,
    #[serde(skip)]
    room: Scratch,
}

impl FixedLag {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, settings: settings::FixedLag) -> Self {
        let (k, p) = (model.states(), model.emission().statistic_len());
        Self {
            average: Running::stationary(model),
            kernels: vec![0.0; settings.lag * k * k],
            statistics: vec![0.0; settings.lag * p],
            settings,
            room: Scratch::default(),
        }
    }

    /// Takes in an observation and returns the new model, if there is one; on error nothing is changed.
    pub(super) fn learn<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        now: &Seen<'_>,
    ) -> Result<Option<Hmm<E>>> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        let (lag, t) = (self.settings.lag, now.number);
        let [b, statistic, n, e, belief, past] = self.room.rooms([k * k, p, k * k, k * p, k, k]);
        match now.observation {
            Some(observation) => model.emission().statistic(observation, statistic),
            None => statistic.fill(0.0),
        }
        match now.before {
            Some(before) => kernel(before, model.transition(), now.predicted, b),
            None => b.fill(0.0),
        }
        let slot = |t: u64| {
            if lag == 0 {
                0
            } else {
                (t % lag as u64) as usize
            }
        };
        n.copy_from_slice(&self.average.transitions);
        e.copy_from_slice(&self.average.emission);
        if t >= lag as u64 {
            // γ_t = q_t; γ_{u−1} = γ_u b_u, down to the state `lag` steps back.
            belief.copy_from_slice(now.belief);
            for back in 0..lag as u64 {
                let b = if back == 0 {
                    &*b
                } else {
                    ring(&self.kernels, slot(t - back), k * k)
                };
                product(belief, b, past);
                belief.copy_from_slice(past);
            }
            let u = t - lag as u64;
            let (b, statistic) = match lag {
                0 => (&*b, &*statistic),
                _ => (
                    ring(&self.kernels, slot(u), k * k),
                    ring(&self.statistics, slot(u), p),
                ),
            };
            let gain = self.settings.gain.at(u);
            let keep = 1.0 - gain;
            for (row, w) in e.chunks_exact_mut(p).zip(&*belief) {
                row.iter_mut()
                    .zip(statistic)
                    .for_each(|(e, x)| *e = keep * *e + gain * w * x);
            }
            n.iter_mut().for_each(|n| *n *= keep);
            if u > 0 {
                for (j, (b, w)) in b.chunks_exact(k).zip(&*belief).enumerate() {
                    for (i, b) in b.iter().enumerate() {
                        n[i * k + j] += gain * w * b;
                    }
                }
            }
        }
        let mut new = None;
        if t >= lag as u64 && (t + 1).is_multiple_of(self.settings.every) {
            new = Some(maximise(model, n, e, self.settings.pseudo())?);
        }
        self.average.transitions.copy_from_slice(n);
        self.average.emission.copy_from_slice(e);
        if lag > 0 {
            let at = slot(t);
            self.kernels[at * k * k..(at + 1) * k * k].copy_from_slice(b);
            self.statistics[at * p..(at + 1) * p].copy_from_slice(statistic);
        }
        Ok(new)
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        self.average.check(model)?;
        let lag = self.settings.lag;
        match self.kernels.len() == lag * k * k && self.statistics.len() == lag * p {
            true => Ok(()),
            false => Err(Error::size("ring", "another size", "that of the lag")),
        }
    }
}

/// Entry `slot` of a ring of arrays of `len`.
fn ring(values: &[f64], slot: usize, len: usize) -> &[f64] {
    &values[slot * len..(slot + 1) * len]
}
