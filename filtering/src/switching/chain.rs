//! The chain of regimes given a weight of each at each time: what is left of the model once the states are averaged over. It is a hidden
//! Markov model whose observations are the weights themselves.

use std::sync::Arc;

use super::model::Slds;
use crate::hmm::{Emission, Hmm, Smoothed};
use crate::{Error, Result, Sequence};

/// Entry `self.0[k]` of an observation `[K]` is ln p(o|s = k).
#[derive(Clone)]
struct Weights(Vec<usize>);

impl Emission for Weights {
    fn states(&self) -> usize {
        self.0.len()
    }

    fn width(&self) -> usize {
        self.0.len()
    }

    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()> {
        let entries = self.0.iter().map(|&entry| observation[entry]);
        into.iter_mut().zip(entries).for_each(|(l, o)| *l = o);
        Ok(())
    }

    fn relabelled(&self, order: &[usize]) -> Self {
        Self(order.iter().map(|&k| self.0[k]).collect())
    }
}

fn chain(model: &Slds) -> Result<Hmm<Weights>> {
    let (initial, transition) = (model.initial().to_vec(), model.transition().to_vec());
    let weights = Weights((0..initial.len()).collect());
    Hmm::from_flat(initial, transition, weights)
}

/// Weights ℓ `[T·K]` as observations.
///
/// # Errors
/// [`Error::NotFinite`].
pub(super) fn observed(k: usize, weights: Vec<f64>) -> Result<Sequence> {
    if let Some(at) = weights.iter().position(|l| !l.is_finite()) {
        let what = "the expected log-density of a regime";
        return Err(Error::not_finite((at / k) as u64, what, weights[at]));
    }
    let all = 0..weights.len();
    Sequence::of_shared(k, Arc::new(weights), all)
}

/// q(s_1…s_T) under weights e^ℓ, and the logarithm of the sum over all paths, its `log_evidence`; `None` for no time at all.
///
/// # Errors
/// [`Error::Impossible`] where no path has any weight.
pub(super) fn smoothed(model: &Slds, weights: &Sequence) -> Result<Option<Smoothed>> {
    match weights.is_empty() {
        true => Ok(None),
        false => chain(model)?.smooth(weights).map(Some),
    }
}

/// The path of highest weight; of several one with the lowest regimes last.
pub(super) fn best_path(model: &Slds, weights: &Sequence) -> Result<Vec<usize>> {
    match weights.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(chain(model)?.viterbi(weights)?.0),
    }
}
