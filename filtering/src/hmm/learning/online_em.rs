//! Online EM: the statistics of the whole past at every observation.

use serde::{Deserialize, Serialize};

use super::carried::{Carried, Term};
use super::running::{Running, maximise};
use super::scratch::Scratch;
use super::statistics::turn;
use super::{Seen, settings};
use crate::hmm::kernel::kernel;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result};

/// N_t `[K, K, K]` and E_t `[K, K·P]` as running averages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OnlineEm {
    pub(super) settings: settings::OnlineEm,
    carried: Carried,
    #[serde(skip)]
    room: Scratch,
}

impl OnlineEm {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, settings: settings::OnlineEm) -> Self {
        let k = model.states();
        let mut carried = Carried::new(k, model.emission().statistic_len(), false);
        // What a stationary stream is expected to hold, whichever the present state.
        let start = Running::stationary(model);
        let len = carried.row_len();
        for row in carried.table().chunks_exact_mut(len) {
            let (turned, emission) = row[k..].split_at_mut(k * k);
            turn(k, &start.transitions, turned);
            emission.copy_from_slice(&start.emission);
        }
        Self {
            settings,
            carried,
            room: Scratch::default(),
        }
    }

    /// Takes in an observation and returns the new model, if there is one; on error nothing is changed.
    pub(super) fn learn<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        seen: &Seen<'_>,
    ) -> Result<Option<Hmm<E>>> {
        let (k, p) = (model.states(), model.emission().statistic_len());
        let len = self.carried.row_len();
        let gain = self.settings.gain.at(seen.number);
        let [b, statistic, row, transitions, belief, past, unit] =
            self.room.rooms([k * k, p, len, k * k, k, k, k]);
        if let Some(observation) = seen.observation {
            model.emission().statistic(observation, statistic);
        }
        let Some(before) = seen.before else {
            // No kernel leads here: all rows are alike but for the observation's own.
            for (j, row) in self.carried.table().chunks_exact_mut(len).enumerate() {
                row.iter_mut().for_each(|x| *x *= 1.0 - gain);
                if seen.observation.is_some() {
                    let row = row[k * (1 + k) + j * p..].iter_mut();
                    row.zip(&*statistic).for_each(|(x, y)| *x += gain * y);
                }
            }
            return Ok(None);
        };
        kernel(before, model.transition(), seen.predicted, b);
        let term = Term::Statistic(seen.observation.map(|_| &*statistic));
        self.carried.push(b, (1.0 - gain, gain), term);
        let count = seen.number + 1;
        let mut new = None;
        if count >= self.settings.first && count.is_multiple_of(self.settings.every) {
            self.carried.expected(seen.belief, row, belief, past);
            turn(k, &row[k..k + k * k], transitions);
            let emission = &row[k + k * k..];
            match maximise(model, transitions, emission, self.settings.pseudo()) {
                Ok(model) => new = Some(model),
                Err(error) => {
                    self.carried.take_back();
                    return Err(error);
                }
            }
        }
        self.carried.fold(unit, belief, past);
        Ok(new)
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        let p = model.emission().statistic_len();
        match self.carried.fits(model.states(), p, false) {
            true => Ok(()),
            false => Err(Error::size(
                "statistics",
                "another size",
                "that of the model",
            )),
        }
    }
}
