//! Recursive maximum likelihood: ascent along the score.

use serde::{Deserialize, Serialize};

use super::carried::{Carried, Term};
use super::score::score_rows;
use super::scratch::Scratch;
use super::{Seen, settings};
use crate::hmm::kernel::kernel;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result};

/// No scaled step moves a parameter further, in its own unit, whatever was seen: an outlier then changes a rate or a
/// probability by a factor of e^¼ at most, and a mean by a quarter of a deviation. Twice what the default rate moves a logit by.
const LARGEST_STEP: f64 = 0.25;

/// S_t `[K, ·]` of eq. F8, and its expectation at the last observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rmle {
    pub(super) settings: settings::Rmle,
    carried: Carried,
    /// E_{q_{t−1}}[S_{t−1}], laid out as a row of [`Carried`].
    last: Vec<f64>,
    /// The running mean of the square of each entry of the gradient, laid out alike.
    #[serde(default)]
    squares: Vec<f64>,
    /// The running mean of the statistics of an observation, of all states together `[P]`, where steps are measured by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moments: Vec<f64>,
    #[serde(skip)]
    room: Scratch,
    #[serde(skip)]
    statistics: Scratch,
}

impl Rmle {
    pub(super) fn new<E: Learnable>(model: &Hmm<E>, settings: settings::Rmle) -> Self {
        let carried = Carried::new(model.states(), steps_len(model.emission(), &settings), true);
        Self {
            settings,
            last: vec![0.0; carried.row_len()],
            squares: vec![0.0; carried.row_len()],
            moments: Vec::new(),
            carried,
            room: Scratch::default(),
            statistics: Scratch::default(),
        }
    }

    /// Takes in an observation and returns the new model; on error nothing is changed.
    pub(super) fn learn<E: Learnable>(
        &mut self,
        model: &Hmm<E>,
        seen: &Seen<'_>,
    ) -> Result<Option<Hmm<E>>> {
        let whitened = steps_whitened(model.emission(), &self.settings);
        let gain = self.settings.gain.at(seen.number);
        let share = gain.max(1.0 / (seen.number as f64 + 1.0)).min(1.0);
        let mut moments = self.moments.clone();
        let measured;
        let model = match whitened {
            true => {
                measured = measured_by(model, seen, share, &mut moments)?;
                &measured
            }
            false => model,
        };
        let (k, q) = (model.states(), steps_len(model.emission(), &self.settings));
        let len = self.carried.row_len();
        let [b, rows, row, step, squares, units, belief, past, unit] =
            self.room.rooms([k * k, k * q, len, len, len, len, k, k, k]);
        // A file written before there were squares has none.
        self.squares.resize(len, 0.0);
        score_rows(
            model.emission(),
            seen.observation,
            rows,
            &mut self.statistics,
            whitened,
        );
        match seen.before {
            Some(before) => {
                kernel(before, model.transition(), seen.predicted, b);
                let term = Term::Score(model.transition(), seen.observation.map(|_| &*rows));
                self.carried.push(b, (1.0, 1.0), term);
                self.carried.expected(seen.belief, row, belief, past);
            }
            None => {
                row.fill(0.0);
                let own = row[k * (1 + k)..]
                    .chunks_exact_mut(q)
                    .zip(rows.chunks_exact(q));
                for ((row, score), w) in own.zip(seen.belief) {
                    row.iter_mut().zip(score).for_each(|(g, s)| *g = w * s);
                }
            }
        }
        let rate = self.settings.rate * gain;
        for ((step, new), last) in step.iter_mut().zip(&*row).zip(&self.last) {
            *step = new - last;
        }
        squares.copy_from_slice(&self.squares);
        if self.settings.scaled {
            units.fill(1.0);
            let emission = k * (1 + k);
            if !whitened {
                for units in units[emission..].chunks_exact_mut(k * q) {
                    model.emission().units(units);
                }
            }
            let entries = step.iter_mut().zip(squares.iter_mut()).zip(&*units);
            for ((step, square), unit) in entries {
                *square += share * (*step * *step - *square);
                let largest = LARGEST_STEP / unit.sqrt();
                *step = (rate * *step / square.max(*unit)).clamp(-largest, largest);
            }
        } else {
            step.iter_mut().for_each(|step| *step *= rate);
        }
        let new = match ascended(model, &step[k..], whitened) {
            Ok(model) => model,
            Err(error) => {
                if seen.before.is_some() {
                    self.carried.take_back();
                }
                return Err(error);
            }
        };
        if seen.before.is_none() {
            for (j, table) in self.carried.table().chunks_exact_mut(len).enumerate() {
                let own = k * (1 + k) + j * q;
                table[own..own + q].copy_from_slice(&rows[j * q..(j + 1) * q]);
            }
        }
        self.last.copy_from_slice(row);
        self.squares.copy_from_slice(squares);
        self.moments = moments;
        self.carried.fold(unit, belief, past);
        Ok(Some(new))
    }

    pub(super) fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        let q = steps_len(model.emission(), &self.settings);
        let p = model.emission().statistic_len();
        crate::error::check_finite("moments", p, &self.moments)?;
        let measured = self.moments.is_empty() || self.moments.len() == p;
        let k = model.states();
        let scores = self.last.iter().skip(k * (1 + k));
        let learned = scores.into_iter().any(|s| *s != 0.0);
        let whitened = steps_whitened(model.emission(), &self.settings);
        if whitened && self.moments.is_empty() && learned {
            let expected = "those of the data so far; a filter that was saved before they were kept has to begin again";
            return Err(Error::size("moments", "none", expected));
        }
        let fits = self.carried.fits(model.states(), q, true);
        let len = self.carried.row_len();
        let scaled = self.squares.is_empty() || self.squares.len() == len;
        let proper = self.squares.iter().all(|s| s.is_finite() && *s >= 0.0);
        match fits && scaled && proper && measured && self.last.len() == len {
            true => Ok(()),
            false => Err(Error::size("scores", "another size", "that of the model")),
        }
    }
}

/// Whether steps are in coordinates about the emission as it is; those of the formula alone are in its own.
fn steps_whitened<E: Learnable>(emission: &E, settings: &settings::Rmle) -> bool {
    settings.scaled && emission.steps_whitened()
}

/// The coordinates of a state in which steps are taken.
fn steps_len<E: Learnable>(emission: &E, settings: &settings::Rmle) -> usize {
    match steps_whitened(emission, settings) {
        true => emission.coordinates_len(),
        false => emission.parameters_len(),
    }
}

/// The model with the units that the observations so far give its emission, this one, of weight `share`, among them. All states have
/// the same, so that one that is rarely visited has them too.
fn measured_by<E: Learnable>(
    model: &Hmm<E>,
    seen: &Seen<'_>,
    share: f64,
    moments: &mut Vec<f64>,
) -> Result<Hmm<E>> {
    let (k, p) = (model.states(), model.emission().statistic_len());
    if let Some(observation) = seen.observation {
        let (mut rows, mut spare) = (vec![0.0; k * p], vec![0.0; p]);
        let emission = model.emission();
        emission.accumulate(observation, seen.belief, &mut spare, &mut rows);
        let first = moments.is_empty();
        moments.resize(p, 0.0);
        for (at, mean) in moments.iter_mut().enumerate() {
            let new: f64 = rows.iter().skip(at).step_by(p).sum();
            *mean += if first { new } else { share * (new - *mean) };
        }
    }
    let emission = model.emission().clone();
    let emission = match moments.is_empty() {
        true => emission,
        false => emission.measured(&moments.repeat(k)),
    };
    Hmm::from_flat(
        model.initial().to_vec(),
        model.transition().to_vec(),
        emission,
    )
}

/// θ + step: logits of A `[K, K]`, the new state first, then the emission's parameters `[K, Q]`.
fn ascended<E: Learnable>(model: &Hmm<E>, step: &[f64], whitened: bool) -> Result<Hmm<E>> {
    let k = model.states();
    let (turned, emission) = step.split_at(k * k);
    let mut transition = model.transition().to_vec();
    for (i, row) in transition.chunks_exact_mut(k).enumerate() {
        for (a, d) in row.iter_mut().zip(turned[i..].iter().step_by(k)) {
            *a *= d.exp();
        }
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|a| *a /= total);
    }
    let emission = match whitened {
        true => model.emission().displaced(emission)?,
        false => model.emission().ascended(emission)?,
    };
    Hmm::from_flat(model.initial().to_vec(), transition, emission)
}
