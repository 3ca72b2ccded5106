//! One step of the exact filter, and a pass of it: what every scheme in this module that needs q_t and ln p(o_t|o_<t) runs.

use super::filtered::check_sequence;
use super::lagged_rows::lagged;
use super::products;
use super::{Emission, Hmm};
use crate::step::Sum;
use crate::{Error, Result, Sequence};

/// Below this, z_t is found again from logarithms: the products that it sums may have lost digits, or all
/// of themselves, because the state that explains the observation best can hardly be reached.
const SMALLEST_WEIGHT: f64 = 1e-30;

/// Where a step puts what it computes; each `[K]`.
pub(crate) struct Room<'a> {
    /// pred_t = p(s_t|o_<t).
    pub predicted: &'a mut [f64],
    /// e^{ℓ_t − m_t}; scratch.
    pub likelihood: &'a mut [f64],
    /// q_t = p(s_t|o_≤t).
    pub belief: &'a mut [f64],
}

/// What the recursions take of a model: π `[K]`, A `[K·K]` and p(o|s).
pub(crate) struct Chain<'a, E> {
    pub initial: &'a [f64],
    pub transition: &'a [f64],
    pub emission: &'a E,
    /// Whether π and the rows of A sum to 1. What is missing then has ln p = 0 exactly.
    pub stochastic: bool,
}

impl<E: Emission> Hmm<E> {
    pub(super) fn chain(&self) -> Chain<'_, E> {
        Chain {
            initial: self.initial(),
            transition: self.transition(),
            emission: self.emission(),
            stochastic: true,
        }
    }
}

/// What the filter found at one observation.
pub(super) struct Now<'a> {
    /// p(s_t|o_≤t) `[K]`.
    pub belief: &'a [f64],
    /// ln p(o_t|o_<t).
    pub increment: f64,
}

impl<E: Emission> Chain<'_, E> {
    /// The normalised step (eq. F13) in linear space, and ln p(o_t|o_<t) in nats:
    ///
    /// ```text
    /// pred_t = q_{t−1} A;   m_t = max_j ℓ_t[j];   u_t = pred_t ⊙ e^{ℓ_t − m_t};   z_t = Σ u_t;   q_t = u_t/z_t
    /// ln p(o_t|o_<t) = ln z_t + m_t
    /// ```
    ///
    /// pred_1 = π (`before` is `None`). ℓ_t of a missing observation is 0, and q_t = pred_t; it is still divided by its sum, so
    /// that a long gap does not add up roundings.
    ///
    /// # Errors
    /// What the emission says of the observation, [`Error::Impossible`] and [`Error::NotFinite`], all of
    /// observation 0; `room` then holds unspecified values.
    pub(crate) fn step(
        &self,
        before: Option<&[f64]>,
        observation: Option<&[f64]>,
        room: Room<'_>,
    ) -> Result<f64> {
        self.step_given(before, observation, room, |row, into| {
            self.emission.likelihood(row, into)
        })
    }

    fn step_given(
        &self,
        before: Option<&[f64]>,
        observation: Option<&[f64]>,
        room: Room<'_>,
        likelihood_of: impl FnOnce(&[f64], &mut [f64]) -> Result<f64>,
    ) -> Result<f64> {
        let Room {
            predicted,
            likelihood,
            belief,
        } = room;
        let top = match observation {
            Some(observation) => likelihood_of(observation, likelihood)?,
            None => {
                likelihood.fill(1.0);
                0.0
            }
        };
        let z = match before {
            Some(before) => {
                products::forward(before, self.transition, likelihood, predicted, belief)
            }
            None => {
                predicted.copy_from_slice(self.initial);
                products::weigh(predicted, likelihood, belief)
            }
        };
        match observation {
            None if self.stochastic => Ok(0.0),
            _ if z > SMALLEST_WEIGHT && z.is_finite() => Ok(z.ln() + top),
            _ => self.in_logarithms(observation, predicted, belief),
        }
    }

    /// q_t ∝ e^{ln pred_t + ℓ_t} and ln p(o_t|o_<t), relative to the best state *that can be reached*.
    #[cold]
    fn in_logarithms(
        &self,
        observation: Option<&[f64]>,
        predicted: &[f64],
        belief: &mut [f64],
    ) -> Result<f64> {
        belief.fill(0.0);
        let common = match observation {
            Some(observation) => self.emission.relative_log_likelihood(observation, belief)?,
            None => 0.0,
        };
        for (l, p) in belief.iter_mut().zip(predicted) {
            if l.is_nan() || *l == f64::INFINITY {
                return Err(Error::not_finite(0, "a log-likelihood", *l));
            }
            *l += p.ln();
        }
        match crate::softmax(belief) {
            f64::NEG_INFINITY => Err(Error::Impossible { index: 0 }),
            total if total.is_finite() => Ok(total + common),
            found => Err(Error::not_finite(0, "ln p(o_t|o_<t)", found)),
        }
    }

    /// Shows `each` what every step of the filter found; ln p(o_1…o_T).
    pub(super) fn pass(&self, sequence: &Sequence, each: impl FnMut(Now<'_>)) -> Result<f64> {
        let of = |_: usize, row: &[f64], into: &mut [f64]| self.emission.likelihood(row, into);
        self.pass_given(sequence, of, each)
    }

    /// The same with [`Emission::likelihood`] of the observation at t from `likelihood_of`.
    pub(super) fn pass_given(
        &self,
        sequence: &Sequence,
        mut likelihood_of: impl FnMut(usize, &[f64], &mut [f64]) -> Result<f64>,
        mut each: impl FnMut(Now<'_>),
    ) -> Result<f64> {
        let sequence = &*lagged(self.emission, sequence)?;
        check_sequence(sequence, self.emission)?;
        let k = self.initial.len();
        let (mut predicted, mut likelihood) = (vec![0.0; k], vec![0.0; k]);
        let (mut before, mut belief) = (vec![0.0; k], vec![0.0; k]);
        let mut sum = Sum::default();
        for (t, observation) in sequence.iter().enumerate() {
            let room = Room {
                predicted: &mut predicted,
                likelihood: &mut likelihood,
                belief: &mut belief,
            };
            let past = (t > 0).then_some(&before[..]);
            let increment = self.step_given(past, observation, room, |row, into| {
                likelihood_of(t, row, into)
            });
            let increment = increment.map_err(|e| e.at_observation(t as u64))?;
            sum = sum.plus(increment);
            each(Now {
                belief: &belief,
                increment,
            });
            std::mem::swap(&mut before, &mut belief);
        }
        Ok(sum.value())
    }
}
