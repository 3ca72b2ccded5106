//! The exact filter, one observation at a time.

use serde::{Deserialize, Serialize};

use super::emission::{AnyEmission, Emission};
use super::forward::Room;
use super::kernel::kernel_of_transposed;
use super::lag::{Lag, through};
use super::model::whole_only;
use super::{Hmm, products};
use crate::error::check_distribution;
use crate::math::square::transpose;
use crate::sequence::observed;
use crate::step::{Step, Sum};
use crate::{Belief, Error, Moments, PredictedObservation, Result};

/// A belief about the hidden state of an [`Hmm`], updated by each observation in O(K²) without allocation.
///
/// It is the reversed factorisation (eq. F2) with free factors, at its optimum after every step
/// (eq. F6): q_t is the exact filter, b_t the exact kernel p(s_{t−1}|s_t, o_<t), and the recursive ELBO is
/// the log evidence.
///
/// An update that fails leaves the filter as it was. Two filters that saw the same observations are
/// equal bit for bit, also where one of them was saved and loaded on the way — in a format that keeps
/// every `f64` (JSON does where it is read with `serde_json`'s feature `float_roundtrip`).
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Filter, Hmm};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let dice = Categorical::new(vec![vec![1.0 / 6.0; 6], vec![0.1, 0.1, 0.1, 0.1, 0.1, 0.5]])?;
/// let casino = Hmm::new(vec![0.5, 0.5], vec![vec![0.95, 0.05], vec![0.1, 0.9]], dice)?;
/// let mut filter = Filter::new(casino);
/// for eyes in [5, 5, 2, 5, 5] {
///     filter.update(Some(&[eyes as f64]))?;
/// }
/// assert!(filter.belief()[1] > 0.9); // a loaded die
/// let step = filter.update(None)?; // one throw not seen
/// assert_eq!(step.increment, 0.0);
/// assert_eq!(step.elbo, filter.elbo());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot<E>", into = "Snapshot<E>")]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
pub struct Filter<E: Emission = AnyEmission> {
    model: Hmm<E>,
    observations: u64,
    evidence: Sum,
    /// q_t `[K]`; π before the first observation.
    belief: Vec<f64>,
    /// q_{t−1} `[K]`: with pred_t and A, all of the newest kernel.
    before: Vec<f64>,
    /// pred_t `[K]`; π before the first observation.
    predicted: Vec<f64>,
    /// Aᵀ of the newest step `[K·K]`, which is not the model's after the model was replaced.
    step_transposed: Vec<f64>,
    /// Whether it is.
    in_step: bool,
    lag: Lag,
    room: Scratch,
}

/// Where an update computes before it is known to succeed. Its numbers are of no meaning between updates.
#[derive(Debug, Clone)]
struct Scratch {
    predicted: Vec<f64>,
    likelihood: Vec<f64>,
    belief: Vec<f64>,
}

impl Scratch {
    fn new(k: usize) -> Self {
        let row = || vec![0.0; k];
        Self {
            predicted: row(),
            likelihood: row(),
            belief: row(),
        }
    }
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<E: Emission> Filter<E> {
    /// A filter that has seen nothing.
    pub fn new(model: Hmm<E>) -> Self {
        let k = model.states();
        let initial = model.initial().to_vec();
        Self {
            observations: 0,
            evidence: Sum::default(),
            belief: initial.clone(),
            before: initial.clone(),
            predicted: initial,
            step_transposed: products::transposed(k, model.transition()),
            in_step: true,
            lag: Lag::new(k, 0),
            room: Scratch::new(k),
            model,
        }
    }

    /// Keeps the newest `lag` kernels, for [`Filter::lagged`]: K² numbers each, and K² operations more an
    /// update. Kernels kept before are forgotten.
    pub fn with_lag(mut self, lag: usize) -> Self {
        self.lag = Lag::new(self.model.states(), lag);
        self
    }

    /// Takes in observation o_t `[width]`, `None` for a missing one; the step has ln p(o_t|o_<t) and
    /// ln p(o_1…o_t), nats.
    ///
    /// # Errors
    /// [`Error::Observation`] for what is no observation of this model, [`Error::Impossible`] for one that
    /// no state that can be reached could have made, [`Error::NotFinite`]; each with the number of the
    /// observation, from 0. The filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let number = self.observations;
        self.advance(observation)
            .map_err(|e| e.at_observation(number))
    }

    /// An update by other transitions `a` `[K·K]`, rows that are distributions; the model's own stay as they are.
    pub(super) fn update_through(&mut self, a: &mut Vec<f64>, row: Option<&[f64]>) -> Result<Step> {
        let before = std::mem::replace(&mut self.in_step, false);
        self.model.exchange_transition(a);
        let step = self.update(row);
        self.model.exchange_transition(a);
        self.in_step = step.is_err() && before;
        step
    }

    fn advance(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let whole = whole_only(self.model.emission());
        let observation = observed(observation, self.model.width(), whole)?;
        let past = (self.observations > 0).then_some(&self.belief[..]);
        let room = Room {
            predicted: &mut self.room.predicted,
            likelihood: &mut self.room.likelihood,
            belief: &mut self.room.belief,
        };
        let increment = self.model.chain().step(past, observation, room)?;
        // Nothing can fail from here on: the oldest belief becomes the scratch of the next update.
        if past.is_some() {
            std::mem::swap(&mut self.before, &mut self.belief);
        }
        std::mem::swap(&mut self.belief, &mut self.room.belief);
        std::mem::swap(&mut self.predicted, &mut self.room.predicted);
        if !self.in_step {
            let a = self.model.transition();
            transpose(a, &mut self.step_transposed, self.model.states());
            self.in_step = true;
        }
        self.observations += 1;
        self.evidence = self.evidence.plus(increment);
        if self.observations > 1 {
            let (before, a) = (&self.before, &self.step_transposed);
            self.lag
                .push(|into| kernel_of_transposed(before, a, &self.predicted, into));
        }
        Ok(Step {
            increment,
            elbo: self.evidence.value(),
        })
    }

    /// q_t = p(s_t|o_1…o_t) `[K]`; π before the first observation.
    pub fn belief(&self) -> &[f64] {
        &self.belief
    }

    /// pred_t = p(s_t|o_1…o_{t−1}) `[K]`: the belief just before the newest observation; π for the first.
    pub fn predicted(&self) -> &[f64] {
        &self.predicted
    }

    /// p(s_{t+h}|o_1…o_t), into `[K]`; h = 0 is the belief. Before the first observation t = 0, and the
    /// state to come, s_1, is one step ahead: h = 1 is π, and so is h = 0.
    ///
    /// # Errors
    /// [`Error::Size`] where `into` is not `[K]`.
    pub fn predict(&self, h: usize, into: &mut [f64]) -> Result<()> {
        self.check_size("into", into.len(), self.belief.len())?;
        let h = if self.observations == 0 {
            h.saturating_sub(1)
        } else {
            h
        };
        through(&self.belief, (0..h).map(|_| self.model.transition()), into);
        Ok(())
    }

    /// The newest kernel `b[j][i] = p(s_{t−1} = i | s_t = j, o_<t)`, into `[K·K]`; a row of zeros where
    /// state j could not be reached. It is computed when it is asked for.
    ///
    /// # Errors
    /// [`Error::Size`] where `into` is not `[K·K]`; [`Error::Unsupported`] before the second observation,
    /// when there is no state before the newest.
    pub fn kernel(&self, into: &mut [f64]) -> Result<()> {
        self.check_size("into", into.len(), self.belief.len() * self.belief.len())?;
        if self.observations < 2 {
            return Err(Error::Unsupported {
                what: "a filter of fewer than two observations".to_owned(),
                asked: "give a backward kernel",
                why: "there is no state before the newest; update it first",
            });
        }
        kernel_of_transposed(&self.before, &self.step_transposed, &self.predicted, into);
        Ok(())
    }

    /// The belief p(s_{t−l}|o_1…o_t) of `l` observations ago in the light of all since, into `[K]`:
    /// q_t b_t b_{t−1} … b_{t−l+1}. l = 0 is the belief.
    ///
    /// # Errors
    /// [`Error::Size`] where `into` is not `[K]`; [`Error::Setting`] where l is above the lag of
    /// [`Filter::with_lag`], or above the number of kernels since.
    pub fn lagged(&self, l: usize, into: &mut [f64]) -> Result<()> {
        self.check_size("into", into.len(), self.belief.len())?;
        if l > self.lag.len() {
            let expected = format!("at most {}, the kernels kept (with_lag)", self.lag.len());
            return Err(Error::setting("l", l, expected));
        }
        through(&self.belief, self.lag.newest().take(l), into);
        // Sums that round can exceed 1.
        into.iter_mut().for_each(|p| *p = p.min(1.0));
        Ok(())
    }

    /// L_t, the recursive ELBO, nats: here the log evidence, and 0 before the first observation.
    pub fn elbo(&self) -> f64 {
        self.evidence.value()
    }

    /// ln p(o_1…o_t), nats: the bound is tight. Where the model was replaced on the way this is the
    /// prequential evidence, Σ_u ln p(o_u|o_<u) each under the model of its time.
    pub fn log_evidence(&self) -> f64 {
        self.elbo()
    }

    /// t, missing observations included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// The model that the next update will use.
    pub fn model(&self) -> &Hmm<E> {
        &self.model
    }

    /// The model out of the filter.
    pub fn into_model(self) -> Hmm<E> {
        self.model
    }

    /// New parameters θ, the same belief, as online learning has it; the old model comes back. Kernels
    /// of the past stay as they were fitted. Before the first observation the belief is the new π.
    ///
    /// # Errors
    /// [`Error::Size`] for another number of states or another width.
    pub fn replace_model(&mut self, model: Hmm<E>) -> Result<Hmm<E>> {
        self.check_size("model.states", model.states(), self.model.states())?;
        self.check_size("model.width", model.width(), self.model.width())?;
        if self.observations == 0 {
            self.belief.copy_from_slice(model.initial());
            self.before.copy_from_slice(model.initial());
            self.predicted.copy_from_slice(model.initial());
        }
        self.in_step = false;
        Ok(std::mem::replace(&mut self.model, model))
    }

    fn check_size(&self, name: &str, found: usize, expected: usize) -> Result<()> {
        if found == expected {
            return Ok(());
        }
        Err(Error::size(name, found, expected))
    }
}

impl<E: Emission> crate::Filter for Filter<E> {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::Discrete(&self.belief)
    }

    fn accepts_partial_rows(&self) -> bool {
        self.model().emission().accepts_partial_rows()
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        self.model
            .predicted_observation(&self.belief, self.observations)
    }

    fn signal(&self) -> Moments {
        self.model.signal(&self.belief)
    }
}

/// The form of a filter in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
struct Snapshot<E: Emission> {
    model: Hmm<E>,
    observations: u64,
    evidence: Sum,
    belief: Vec<f64>,
    before: Vec<f64>,
    predicted: Vec<f64>,
    /// The A of the newest step, where it is not the model's.
    step_transition: Option<Vec<f64>>,
    lag: Lag,
}

impl<E: Emission> From<Filter<E>> for Snapshot<E> {
    fn from(filter: Filter<E>) -> Self {
        let k = filter.model.states();
        let step_transition =
            (!filter.in_step).then(|| products::transposed(k, &filter.step_transposed));
        Self {
            model: filter.model,
            observations: filter.observations,
            evidence: filter.evidence,
            belief: filter.belief,
            before: filter.before,
            predicted: filter.predicted,
            step_transition,
            lag: filter.lag,
        }
    }
}

impl<E: Emission> TryFrom<Snapshot<E>> for Filter<E> {
    type Error = Error;
    fn try_from(saved: Snapshot<E>) -> Result<Self> {
        let k = saved.model.states();
        for (name, row) in [
            ("belief", &saved.belief),
            ("before", &saved.before),
            ("predicted", &saved.predicted),
        ] {
            if row.len() != k {
                return Err(Error::size(name, row.len(), format!("{k}, one a state")));
            }
            check_saved(name, &[], row)?;
        }
        let transition = saved.step_transition.as_deref();
        let transition = transition.unwrap_or(saved.model.transition());
        if transition.len() != k * k {
            let found = format!("{} entries", transition.len());
            return Err(Error::size("step_transition", found, format!("{k}×{k}")));
        }
        for (i, row) in transition.chunks(k).enumerate() {
            check_saved("step_transition", &[i], row)?;
        }
        if !saved.lag.is_valid(k) {
            let expected = format!("a ring of {k}×{k} kernels, as it was saved");
            return Err(Error::entry("lag", &[], "something else", expected));
        }
        Ok(Self {
            room: Scratch::new(k),
            step_transposed: products::transposed(k, transition),
            in_step: saved.step_transition.is_none(),
            model: saved.model,
            observations: saved.observations,
            evidence: saved.evidence,
            belief: saved.belief,
            before: saved.before,
            predicted: saved.predicted,
            lag: saved.lag,
        })
    }
}

/// Checks a distribution that was saved. Its numbers stay as they are, bit for bit: a prediction over many
/// rows of A may sum to one only as well as the rows did.
fn check_saved(name: &str, at: &[usize], values: &[f64]) -> Result<()> {
    check_distribution(name, at, &mut values.to_vec())
}
