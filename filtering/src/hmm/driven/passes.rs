//! The passes over a sequence, forward and back, with the transitions of each row.

use super::model::DrivenHmm;
use crate::hmm::forward::{Chain, Room};
use crate::hmm::kernel::pairwise;
use crate::hmm::model::whole_only;
use crate::hmm::products::product;
use crate::sequence::observed;
use crate::step::Sum;
use crate::{Error, Result, Sequence};

/// The transition to a row, given all observations.
pub(super) struct Transition<'a> {
    /// A of the row `[K·K]`.
    pub a: &'a [f64],
    /// ξ `[K·K]`: p(s_{t−1} = i, s_t = j | o_1…o_T).
    pub pairwise: &'a [f64],
    /// What the row is given.
    pub given: &'a [f64],
}

/// What of a row the emission observes, and what it is given.
///
/// # Errors
/// [`Error::Observation`] of observation 0 for what is none.
pub(super) fn parts<'a>(
    model: &DrivenHmm,
    row: Option<&'a [f64]>,
) -> Result<(Option<&'a [f64]>, &'a [f64])> {
    let (own, given) = model.split(row)?;
    let (width, whole) = (model.base().width(), whole_only(model.base().emission()));
    Ok((observed(own, width, whole)?, given))
}

/// Shows `each` the belief `[K]` and ln p(o_t|o_<t) of every step of the exact filter (eq. F13, A of each row by eq. F104);
/// ln p(o_1…o_T | v_1…v_T).
///
/// # Errors
/// [`Error::Size`] for a sequence of no observations; what is wrong with an observation, with its number.
pub(super) fn forward(
    model: &DrivenHmm,
    sequence: &Sequence,
    mut each: impl FnMut(&[f64], f64),
) -> Result<f64> {
    if sequence.is_empty() {
        return Err(Error::size("sequence", "no observation", "at least one"));
    }
    let k = model.states();
    let mut a = vec![0.0; k * k];
    let (mut predicted, mut likelihood) = (vec![0.0; k], vec![0.0; k]);
    let (mut before, mut belief) = (vec![0.0; k], vec![0.0; k]);
    let mut sum = Sum::default();
    for (t, row) in sequence.iter().enumerate() {
        let room = Room {
            predicted: &mut predicted,
            likelihood: &mut likelihood,
            belief: &mut belief,
        };
        let increment = || -> Result<f64> {
            let (own, given) = parts(model, row)?;
            if t > 0 {
                model.transition_given(given, &mut a)?;
            }
            let on = Chain {
                transition: &a,
                ..model.base().chain()
            };
            on.step((t > 0).then_some(&before[..]), own, room)
        };
        let increment = increment().map_err(|e| e.at_observation(t as u64))?;
        sum = sum.plus(increment);
        each(&belief, increment);
        std::mem::swap(&mut before, &mut belief);
    }
    Ok(sum.value())
}

/// Shows `each` γ_t `[K]` of every row and the transition to the row after it, from the last to the first, from the beliefs
/// `[T·K]` of [`forward`].
///
/// # Errors
/// As [`forward`].
pub(super) fn backward(
    model: &DrivenHmm,
    sequence: &Sequence,
    beliefs: &[f64],
    mut each: impl FnMut(usize, &[f64], Option<Transition<'_>>),
) -> Result<()> {
    let k = model.states();
    let (mut a, mut xi) = (vec![0.0; k * k], vec![0.0; k * k]);
    let (mut marginal, mut predicted) = (vec![0.0; k], vec![0.0; k]);
    for (t, belief) in beliefs.chunks_exact(k).enumerate().rev() {
        if t + 1 == sequence.len() {
            marginal.copy_from_slice(belief);
            each(t, &marginal, None);
            continue;
        }
        let at = |e: Error| e.at_observation(t as u64 + 1);
        let (_, given) = model.split(sequence.get(t + 1)).map_err(at)?;
        model.transition_given(given, &mut a).map_err(at)?;
        product(belief, &a, &mut predicted);
        pairwise(belief, &a, &predicted, &marginal, &mut xi);
        for (g, row) in marginal.iter_mut().zip(xi.chunks_exact(k)) {
            *g = row.iter().sum();
        }
        let next = Transition {
            a: &a,
            pairwise: &xi,
            given,
        };
        each(t, &marginal, Some(next));
    }
    Ok(())
}
