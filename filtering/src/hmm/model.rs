//! The model: π, A and an emission.

use serde::{Deserialize, Serialize};

use super::emission::{AnyEmission, Emission, Learnable};
use crate::error::check_distribution;
use crate::{Error, Result};

/// A hidden Markov model: s_1 ~ π, s_t ~ A[s_{t−1}], o_t ~ p(·|s_t).
///
/// Zeros in π and A are kept as they are: a transition that is impossible stays impossible.
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Hmm};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let dice = Categorical::new(vec![vec![1.0 / 6.0; 6], vec![0.1, 0.1, 0.1, 0.1, 0.1, 0.5]])?;
/// let casino = Hmm::new(vec![0.5, 0.5], vec![vec![0.95, 0.05], vec![0.1, 0.9]], dice)?;
/// assert_eq!(casino.states(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts<E>", into = "Parts<E>")]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
pub struct Hmm<E: Emission = AnyEmission> {
    initial: Vec<f64>,
    transition: Vec<f64>,
    emission: E,
}

impl<E: Emission> Hmm<E> {
    /// A model from π `[K]`, A `[K][K]` and an emission of K states.
    ///
    /// # Errors
    /// [`Error::Size`] where sizes do not go together, [`Error::Entry`] for a row that is not a
    /// distribution, by its place.
    pub fn new(initial: Vec<f64>, transition: Vec<Vec<f64>>, emission: E) -> Result<Self> {
        let k = initial.len();
        if transition.len() != k {
            return Err(Error::size(
                "transition",
                format!("{} rows", transition.len()),
                format!("{k}, one a state"),
            ));
        }
        if let Some(i) = transition.iter().position(|row| row.len() != k) {
            let name = format!("transition[{i}]");
            return Err(Error::size(
                name,
                format!("{} entries", transition[i].len()),
                format!("{k}, one a state"),
            ));
        }
        Self::from_flat(initial, transition.concat(), emission)
    }

    /// The same from a transition matrix `[K·K]`, row after row.
    ///
    /// # Errors
    /// As [`Hmm::new`].
    pub fn from_flat(mut initial: Vec<f64>, mut transition: Vec<f64>, emission: E) -> Result<Self> {
        let k = initial.len();
        if k == 0 {
            return Err(Error::size("initial", "no state", "at least one"));
        }
        if transition.len() != k * k {
            return Err(Error::size(
                "transition",
                format!("{} entries", transition.len()),
                format!("{k}×{k}"),
            ));
        }
        if emission.states() != k {
            return Err(Error::size(
                "emission",
                format!("{} states", emission.states()),
                format!("{k}, as `initial`"),
            ));
        }
        check_distribution("initial", &[], &mut initial)?;
        for (i, row) in transition.chunks_mut(k).enumerate() {
            check_distribution("transition", &[i], row)?;
        }
        Ok(Self {
            initial,
            transition,
            emission,
        })
    }

    /// K.
    pub fn states(&self) -> usize {
        self.initial.len()
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        self.emission.width()
    }

    /// π `[K]`.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// A `[K·K]`, row after row: row i is p(s_t | s_{t−1} = i).
    pub fn transition(&self) -> &[f64] {
        &self.transition
    }

    /// p(o|s).
    pub fn emission(&self) -> &E {
        &self.emission
    }

    /// Puts A in the place of the model's, which it becomes: `[K·K]`, rows that are distributions.
    pub(super) fn exchange_transition(&mut self, transition: &mut Vec<f64>) {
        debug_assert_eq!(transition.len(), self.transition.len());
        std::mem::swap(&mut self.transition, transition);
    }

    /// The same with another A `[K·K]`, rows that are distributions.
    pub(super) fn with_transition(self, transition: Vec<f64>) -> Self {
        Self { transition, ..self }
    }

    /// The same with another π `[K]`, a distribution.
    pub(super) fn with_initial(self, initial: Vec<f64>) -> Self {
        Self { initial, ..self }
    }

    /// The same states under other numbers: new state k is old state `order[k]`.
    ///
    /// # Errors
    /// [`Error::Setting`] if `order` is not each of 0 … K − 1 once.
    pub fn relabelled(&self, order: &[usize]) -> Result<Self> {
        let k = self.states();
        let mut seen = vec![false; k];
        let proper = order.len() == k
            && order
                .iter()
                .all(|&s| s < k && !std::mem::replace(&mut seen[s], true));
        if !proper {
            return Err(Error::setting(
                "order",
                format!("{order:?}"),
                format!("each of 0 … {} once", k - 1),
            ));
        }
        Ok(Self {
            initial: order.iter().map(|&s| self.initial[s]).collect(),
            transition: order
                .iter()
                .flat_map(|&i| order.iter().map(move |&j| self.transition[i * k + j]))
                .collect(),
            emission: self.emission.relabelled(order),
        })
    }
}

impl<E: Learnable> Hmm<E> {
    /// The entries that can be chosen freely: every distribution has one less than it has entries, and probabilities that are
    /// exactly 0 stay so and are none.
    pub fn free_parameters(&self) -> usize {
        self.parameters() - self.structural_zeros(0.0)
    }

    /// The same if no probability of 0 stays so.
    pub(super) fn parameters(&self) -> usize {
        let k = self.states();
        (k - 1) + k * (k - 1) + k * self.emission.free_parameters()
    }

    /// Probabilities that are zero and that EM with ε pseudo-observations leaves at zero: started from this model, it has so
    /// many parameters fewer to choose. Symbols become possible with ε > 0, transitions never.
    pub(super) fn structural_zeros(&self, pseudo_count: f64) -> usize {
        let zeros = |probabilities: &[f64]| probabilities.iter().filter(|p| **p == 0.0).count();
        let of_emission = match pseudo_count > 0.0 {
            true => 0,
            false => self.emission.structural_zeros(),
        };
        zeros(&self.initial) + zeros(&self.transition) + of_emission
    }

    /// The same model, with inputs counted from their means in these sequences; [`Learnable::centred_on`].
    pub(super) fn centred_on(self, sequences: &[crate::Sequence]) -> Self {
        Self {
            emission: self.emission.centred_on(sequences),
            ..self
        }
    }

    /// The same model, ready for statistics about its own means; [`Learnable::recentred`].
    pub(super) fn recentred(self) -> Self {
        Self {
            emission: self.emission.recentred(),
            ..self
        }
    }
}

/// What an observation has to be, if the emission takes whole rows only.
pub(super) fn whole_only<E: Emission>(emission: &E) -> Option<&'static str> {
    match emission.accepts_partial_rows() {
        true => None,
        false => Some(
            "a whole row: this emission uses no part of one (say None for a missing observation)",
        ),
    }
}

/// The form of a model in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<E> {
    initial: Vec<f64>,
    transition: Vec<Vec<f64>>,
    emission: E,
}

impl<E: Emission> TryFrom<Parts<E>> for Hmm<E> {
    type Error = Error;
    fn try_from(parts: Parts<E>) -> Result<Self> {
        Self::new(parts.initial, parts.transition, parts.emission)
    }
}

impl<E: Emission> From<Hmm<E>> for Parts<E> {
    fn from(model: Hmm<E>) -> Self {
        let k = model.states();
        Self {
            transition: model.transition.chunks(k).map(<[f64]>::to_vec).collect(),
            initial: model.initial,
            emission: model.emission,
        }
    }
}
