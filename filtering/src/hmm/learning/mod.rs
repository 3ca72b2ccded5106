//! Parameters from data: while filtering, or from whole sequences.
//!
//! | subject | file |
//! |---|---|
//! | a filter whose model follows the observations | `mod.rs`: [`Learning`], [`Hmm::learn_online`] |
//! | which rules there are, their settings | `settings.rs`: [`Learn`]; [`Gain`](crate::Gain) |
//! | smoothing in blocks, the default | `block.rs`: [`BlockOnlineEm`] |
//! | an M-step every observation, from statistics of the whole past | `online_em.rs`: [`OnlineEm`] |
//! | smoothing a few steps back | `fixed_lag.rs`: [`FixedLag`] |
//! | ascent along the score | `rmle.rs`: [`Rmle`] |
//! | a posterior over parameters, with forgetting | `dirichlet.rs`: [`Dirichlet`], [`ParameterPosterior`] |
//! | intervals of such a posterior | `credible.rs`: [`beta_interval`], [`gamma_interval`] |
//! | Σ_t ξ_t and Σ_t γ_t φ(o_t) without a backward pass | `statistics.rs`: [`RecursiveStatistics`] |
//! | ∇ of any bound of the reversed factorisation | `score.rs`: [`RecursiveScore`] |
//! | ∇ ln p(o) of whole sequences | `gradient.rs`: [`Hmm::gradient`] |
//! | the same data again and again | `passes.rs`: [`Hmm::learn_passes`] |
//! | EM on whole sequences | `batch.rs`: [`Hmm::fit`], [`BatchEm`] |
//! | EM under another factorisation | `under.rs`: [`Hmm::fit_under`] |
//! | variational Bayes on whole sequences | `variational.rs`: [`Hmm::fit_variational`] |
//! | initial guesses from data | `guess.rs`: [`Hmm::guess`], [`Hmm::initial_guess`] |
//! | how a sum over the past is carried cheaply | `carried.rs` |
//! | running averages and the M-step | `running.rs`, `average.rs` |

mod average;
mod batch;
mod block;
mod carried;
mod credible;
mod dirichlet;
mod fixed_lag;
mod gradient;
mod guess;
mod m_step;
mod online_em;
mod passes;
mod rmle;
mod running;
mod score;
mod scratch;
mod settings;
mod statistics;
mod under;
mod variational;

pub(super) use batch::m_step;
pub use batch::{BatchEm, Fit};
pub use credible::{beta_interval, gamma_interval};
pub use dirichlet::ParameterPosterior;
pub use gradient::Gradient;
pub(super) use guess::{OUTLIERS, rows};
pub use passes::Passes;
pub use score::RecursiveScore;
pub use settings::{BlockOnlineEm, Dirichlet, FixedLag, Learn, OnlineEm, Rmle};
pub use statistics::{Counts, RecursiveStatistics};
pub use variational::{Concentrations, VariationalFit, VariationalStep};

use serde::{Deserialize, Serialize};

use self::average::Average;
use self::scratch::Scratch;
use super::forward::Room;
use super::model::whole_only;
use super::{Hmm, Learnable};
use crate::sequence::observed;
use crate::step::Sum;
use crate::{Belief, Error, Moments, PredictedObservation, Result, Step};

/// What the filter has made of one observation, for a rule to learn from.
struct Seen<'a> {
    /// t, from 0.
    number: u64,
    /// q_{t−1} `[K]`; none at the first.
    before: Option<&'a [f64]>,
    /// pred_t `[K]`.
    predicted: &'a [f64],
    /// q_t `[K]`.
    belief: &'a [f64],
    observation: Option<&'a [f64]>,
}

/// The state of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Rule {
    Block(block::Block),
    OnlineEm(online_em::OnlineEm),
    FixedLag(fixed_lag::FixedLag),
    Rmle(rmle::Rmle),
    Dirichlet(dirichlet::Dirichlet),
}

impl Rule {
    fn new<E: Learnable>(model: &Hmm<E>, learn: &Learn) -> Self {
        match learn.clone() {
            Learn::BlockOnlineEm(s) => Rule::Block(block::Block::new(model, s)),
            Learn::OnlineEm(s) => Rule::OnlineEm(online_em::OnlineEm::new(model, s)),
            Learn::FixedLag(s) => Rule::FixedLag(fixed_lag::FixedLag::new(model, s)),
            Learn::Rmle(s) => Rule::Rmle(rmle::Rmle::new(model, s)),
            Learn::Dirichlet(s) => Rule::Dirichlet(dirichlet::Dirichlet::new(model, s)),
        }
    }

    fn learn<E: Learnable>(&mut self, model: &Hmm<E>, seen: &Seen<'_>) -> Result<Option<Hmm<E>>> {
        match self {
            Rule::Block(rule) => rule.learn(model, seen),
            Rule::OnlineEm(rule) => rule.learn(model, seen),
            Rule::FixedLag(rule) => rule.learn(model, seen),
            Rule::Rmle(rule) => rule.learn(model, seen),
            Rule::Dirichlet(rule) => rule.learn(model, seen),
        }
    }

    /// What an observation has to be, if the rule keeps one statistic of it for all states.
    fn whole_only(&self) -> Option<&'static str> {
        match self {
            Rule::Block(_) | Rule::Rmle(_) => None,
            Rule::OnlineEm(_) | Rule::FixedLag(_) | Rule::Dirichlet(_) => Some(
                "a whole row: of the learning rules, block-online-em and rmle use rows that are missing in part (say None for a \
                 missing observation)",
            ),
        }
    }

    fn settings(&self) -> Learn {
        match self {
            Rule::Block(rule) => Learn::BlockOnlineEm(rule.settings.clone()),
            Rule::OnlineEm(rule) => Learn::OnlineEm(rule.settings.clone()),
            Rule::FixedLag(rule) => Learn::FixedLag(rule.settings.clone()),
            Rule::Rmle(rule) => Learn::Rmle(rule.settings.clone()),
            Rule::Dirichlet(rule) => Learn::Dirichlet(rule.settings.clone()),
        }
    }

    fn check<E: Learnable>(&self, model: &Hmm<E>) -> Result<()> {
        self.settings().check()?;
        match self {
            Rule::Block(rule) => rule.check(model),
            Rule::OnlineEm(rule) => rule.check(model),
            Rule::FixedLag(rule) => rule.check(model),
            Rule::Rmle(rule) => rule.check(model),
            Rule::Dirichlet(rule) => rule.check(model),
        }
    }
}

/// A filter whose parameters follow the observations.
///
/// Each observation is filtered with the parameters left by those before it, then learned from. π stays what it
/// was: one stream has one beginning. Memory is constant; a saved one (serde) continues bit for bit, if the format
/// keeps every bit of a number (text of `serde_json` does with its feature `float_roundtrip`).
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, Hmm, Learn};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.6, 0.4], vec![0.4, 0.6]])?;
/// let start = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], coins)?;
/// let mut learning = start.learn_online(&Learn::default())?;
/// for t in 0..20_000 {
///     learning.update(Some(&[f64::from(t / 10 % 2)]))?; // ten of one symbol, then ten of the other
/// }
/// let learned = learning.averaged().expect("20 000 observations are more than the burn-in");
/// assert!(learned.emission().probabilities()[0] > 0.97);
/// assert!((learned.transition()[0] - 0.9).abs() < 0.02);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts<E>", into = "Parts<E>")]
#[serde(bound(
    serialize = "E: Learnable + Serialize",
    deserialize = "E: Learnable + Deserialize<'de>"
))]
pub struct Learning<E: Learnable> {
    model: Hmm<E>,
    rule: Rule,
    average: Average,
    belief: Vec<f64>,
    observations: u64,
    updates: u64,
    evidence: Sum,
    room: Scratch,
    expected: Scratch,
}

impl<E: Learnable> Hmm<E> {
    /// Starts to filter and learn, from this model.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that makes no sense.
    pub fn learn_online(self, learn: &Learn) -> Result<Learning<E>> {
        learn.check()?;
        let of_state = matches!(learn, Learn::OnlineEm(_) | Learn::FixedLag(_));
        if of_state && self.emission().statistic_of_state() {
            return Err(Error::Unsupported {
                what: "this emission".to_owned(),
                asked: "be learned by online-em or fixed-lag",
                why: "they keep one statistic of an observation for all states, and it has one for each; block-online-em and rmle learn it",
            });
        }
        let model = self.centred_on(&[]).recentred();
        if matches!(learn, Learn::Dirichlet(_)) {
            dirichlet::check_prior(model.emission())?;
        }
        Ok(Learning {
            rule: Rule::new(&model, learn),
            average: Average::new(&model, learn.average_from()),
            belief: model.initial().to_vec(),
            observations: 0,
            updates: 0,
            evidence: Sum::default(),
            room: Scratch::default(),
            expected: Scratch::default(),
            model,
        })
    }
}

impl<E: Learnable> Learning<E> {
    /// Filters one observation `[width]`, `None` for a missing one, and learns from it. The step is
    /// ln p(o_t|o_<t; θ_{t−1}) and its sum: the prequential log evidence, nats.
    ///
    /// # Errors
    /// [`Error::Observation`], [`Error::Impossible`], [`Error::NotFinite`] with the observation's number;
    /// [`Error::Entry`] or [`Error::NotPositiveDefinite`] where the M-step finds no parameters (a `pseudo_count`
    /// above 0 is there to prevent it). Nothing is changed then: the observation can be left out.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let number = self.observations;
        self.learn_from(observation)
            .map_err(|e| e.at_observation(number))
    }

    fn learn_from(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let k = self.model.states();
        let whole = self.rule.whole_only().or(whole_only(self.model.emission()));
        let observation = observed(observation, self.model.width(), whole)?;
        let [predicted, likelihood, belief] = self.room.rooms([k; 3]);
        let before = (self.observations > 0).then_some(&self.belief[..]);
        let room = Room {
            predicted,
            likelihood,
            belief,
        };
        let increment = self.model.chain().step(before, observation, room)?;
        let seen = Seen {
            number: self.observations,
            before,
            predicted,
            belief,
            observation,
        };
        let learned = self.rule.learn(&self.model, &seen)?;
        self.belief.copy_from_slice(belief);
        self.observations += 1;
        self.evidence = self.evidence.plus(increment);
        if let Some(model) = learned {
            self.model = model;
            self.updates += 1;
            let expected = self
                .expected
                .room(k * self.model.emission().statistic_len());
            self.average.take(&self.model, self.observations, expected);
        }
        Ok(Step {
            increment,
            elbo: self.evidence.value(),
        })
    }

    /// q_t = p(s_t|o_≤t) `[K]`; π before the first observation.
    pub fn belief(&self) -> &[f64] {
        &self.belief
    }

    /// The parameters now, θ_t.
    pub fn model(&self) -> &Hmm<E> {
        &self.model
    }

    /// The mean of the parameters since the burn-in (Polyak averaging); `None` before its end.
    pub fn averaged(&self) -> Option<Hmm<E>> {
        self.average.model(&self.model)
    }

    /// Σ_t ln p(o_t|o_<t; θ_{t−1}), nats.
    pub fn elbo(&self) -> f64 {
        self.evidence.value()
    }

    /// The number of observations, missing ones included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// How many times the parameters were updated: of a rule that learns in blocks, 0 until the first block is full.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The settings.
    pub fn settings(&self) -> Learn {
        self.rule.settings()
    }

    /// What is known of the parameters, under [`Learn::Dirichlet`].
    pub fn posterior(&self) -> Option<&ParameterPosterior> {
        match &self.rule {
            Rule::Dirichlet(rule) => Some(rule.posterior()),
            _ => None,
        }
    }
}

impl<E: Learnable> crate::Filter for Learning<E> {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::Discrete(Self::belief(self))
    }

    fn accepts_partial_rows(&self) -> bool {
        self.rule.whole_only().is_none() && self.model.emission().accepts_partial_rows()
    }

    fn parameter_updates(&self) -> Option<u64> {
        Some(self.updates)
    }

    fn width(&self) -> usize {
        self.model().width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        self.model()
            .predicted_observation(Self::belief(self), Self::observations(self))
    }

    fn signal(&self) -> Moments {
        self.model().signal(Self::belief(self))
    }
}

/// The form of a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "E: Learnable + Serialize",
    deserialize = "E: Learnable + Deserialize<'de>"
))]
struct Parts<E: Learnable> {
    model: Hmm<E>,
    rule: Rule,
    average: Average,
    belief: Vec<f64>,
    observations: u64,
    #[serde(default)]
    updates: u64,
    evidence: Sum,
}

impl<E: Learnable> TryFrom<Parts<E>> for Learning<E> {
    type Error = Error;
    fn try_from(parts: Parts<E>) -> Result<Self> {
        parts.rule.check(&parts.model)?;
        parts.average.check(&parts.model)?;
        let size = parts.model.states();
        statistics::check_size("belief", Some(&parts.belief), size)?;
        // The numbers that were saved stay as they are, bit for bit.
        crate::error::check_distribution("belief", &[], &mut parts.belief.clone())?;
        Ok(Self {
            model: parts.model,
            rule: parts.rule,
            average: parts.average,
            belief: parts.belief,
            observations: parts.observations,
            updates: parts.updates,
            evidence: parts.evidence,
            room: Scratch::default(),
            expected: Scratch::default(),
        })
    }
}

impl<E: Learnable> From<Learning<E>> for Parts<E> {
    fn from(learning: Learning<E>) -> Self {
        Self {
            model: learning.model,
            rule: learning.rule,
            average: learning.average,
            belief: learning.belief,
            observations: learning.observations,
            updates: learning.updates,
            evidence: learning.evidence,
        }
    }
}
