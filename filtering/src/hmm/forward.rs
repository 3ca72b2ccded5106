//! One step of the exact filter: what every scheme in this module that needs q_t and ln p(o_t|o_<t) runs.

use super::products;
use super::{Emission, Hmm};
use crate::{Error, Result};

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

/// The normalised step (eq. F13) in linear space, and ln p(o_t|o_<t) in nats:
///
/// ```text
/// pred_t = q_{t−1} A;   m_t = max_j ℓ_t[j];   u_t = pred_t ⊙ e^{ℓ_t − m_t};   z_t = Σ u_t;   q_t = u_t/z_t
/// ln p(o_t|o_<t) = ln z_t + m_t
/// ```
///
/// pred_1 = π (`before` is `None`). A missing observation has q_t = pred_t and ln p = 0 exactly; q_t is
/// still divided by its sum, so that a long gap does not add up roundings.
///
/// # Errors
/// What the emission says of the observation, [`Error::Impossible`] and [`Error::NotFinite`], all of
/// observation 0; `room` then holds unspecified values.
pub(crate) fn step<E: Emission>(
    model: &Hmm<E>,
    before: Option<&[f64]>,
    observation: Option<&[f64]>,
    room: Room<'_>,
) -> Result<f64> {
    let Room {
        predicted,
        likelihood,
        belief,
    } = room;
    let top = match observation {
        Some(observation) => model.emission().likelihood(observation, likelihood)?,
        None => {
            likelihood.fill(1.0);
            0.0
        }
    };
    let z = match before {
        Some(before) => {
            products::forward(before, model.transition(), likelihood, predicted, belief)
        }
        None => {
            predicted.copy_from_slice(model.initial());
            products::weigh(predicted, likelihood, belief)
        }
    };
    match observation {
        None => Ok(0.0),
        Some(_) if z > SMALLEST_WEIGHT && z.is_finite() => Ok(z.ln() + top),
        Some(observation) => in_logarithms(model, observation, predicted, belief),
    }
}

/// q_t ∝ e^{ln pred_t + ℓ_t} and ln p(o_t|o_<t), relative to the best state *that can be reached*.
#[cold]
fn in_logarithms<E: Emission>(
    model: &Hmm<E>,
    observation: &[f64],
    predicted: &[f64],
    belief: &mut [f64],
) -> Result<f64> {
    let common = model
        .emission()
        .relative_log_likelihood(observation, belief)?;
    let what = "a log-likelihood";
    for (l, p) in belief.iter_mut().zip(predicted) {
        if l.is_nan() || *l == f64::INFINITY {
            return Err(Error::NotFinite {
                index: 0,
                what,
                found: *l,
            });
        }
        *l += p.ln();
    }
    match crate::softmax(belief) {
        f64::NEG_INFINITY => Err(Error::Impossible { index: 0 }),
        total if total.is_finite() => Ok(total + common),
        found => Err(Error::NotFinite {
            index: 0,
            what: "ln p(o_t|o_<t)",
            found,
        }),
    }
}
