//! Online posteriors whose newest kernel is not free: W is carried, not only the belief.

use serde::{Deserialize, Serialize};

use super::decoupled::{self, Decoupled};
use super::frozen;
use super::log_dynamics::{LogDynamics, log_likelihood};
use super::scratch::Scratch;
use super::tied::Tied;
use super::value::ValueFunction;
use crate::hmm::{AnyEmission, Emission, Hmm};
use crate::step::Step;
use crate::{Error, Result, softmax};

/// How the newest kernel is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rule {
    Decoupled(Decoupled),
    Frozen,
    Tied(Box<Tied>),
}

impl Rule {
    fn name(&self) -> &'static str {
        match self {
            Rule::Decoupled(_) => "a decoupled posterior",
            Rule::Frozen => "a frozen posterior",
            Rule::Tied(_) => "a tied posterior",
        }
    }
}

/// W_t of eq. F3 with kernels of a restricted form, and q_t ∝ e^{W_t}, the best belief given them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved<E>", into = "Saved<E>")]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
pub(super) struct Restricted<E: Emission = AnyEmission> {
    model: Hmm<E>,
    dynamics: LogDynamics,
    rule: Rule,
    value: ValueFunction,
    /// q_t, or π before any observation.
    belief: Vec<f64>,
    /// The newest kernel: m_t `[K]`, or b `[K, K]` of a tied posterior; the last one before any.
    kernel: Vec<f64>,
    /// ln Σ_s e^{W(s) − max W}, from 0 to ln K.
    spread: f64,
    room: Room,
}

/// Memory of one update; `[K]` each.
#[derive(Debug, Clone, PartialEq, Default)]
struct Room {
    loglik: Scratch,
    m: Scratch,
    message: Scratch,
    q: Scratch,
    score: Scratch,
}

impl<E: Emission> Restricted<E> {
    pub fn new(model: Hmm<E>, rule: Rule) -> Self {
        let k = model.states();
        let kernel = match &rule {
            Rule::Tied(_) => k * k,
            Rule::Decoupled(_) | Rule::Frozen => k,
        };
        Self {
            dynamics: LogDynamics::of(&model),
            value: ValueFunction::before(k),
            belief: model.initial().to_vec(),
            kernel: vec![0.0; kernel],
            spread: 0.0,
            room: Room::default(),
            model,
            rule,
        }
    }

    /// Takes in the next observation; everything that can fail comes before the first change.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let t = self.observations();
        self.propose(observation).map_err(|e| e.at_observation(t))?;
        if !self.value.proposal_is_finite()? {
            return Err(self.no_finite_bound(t));
        }
        if let (Rule::Tied(tied), true) = (&mut self.rule, t > 0) {
            tied.carry(&self.value, &self.dynamics)?;
        }
        let rise = self.value.accept()?;
        self.belief.copy_from_slice(self.value.relative());
        let spread = softmax(&mut self.belief);
        // Not the difference of two large numbers.
        let increment = rise + (spread - self.spread);
        self.spread = spread;
        if t > 0 {
            match &mut self.rule {
                Rule::Tied(tied) => {
                    self.kernel.copy_from_slice(tied.kernel());
                    tied.learn(&self.dynamics, &self.belief, t);
                }
                Rule::Decoupled(_) | Rule::Frozen => {
                    std::mem::swap(&mut self.kernel, self.room.m.of(self.model.states()));
                }
            }
        }
        Ok(Step {
            increment,
            elbo: self.elbo(),
        })
    }

    /// The kernel, into the workspace, and the W it proposes.
    fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        let k = self.model.states();
        let loglik = self.room.loglik.of(k);
        log_likelihood(&self.model, observation, loglik)?;
        if self.value.observations() == 0 {
            return self.value.propose_first(&self.dynamics, loglik);
        }
        let (m, message) = (self.room.m.of(k), self.room.message.of(k));
        match &self.rule {
            Rule::Tied(tied) => {
                self.value.propose_tied(tied.kernel(), tied.gain(), loglik);
                return Ok(());
            }
            Rule::Frozen => frozen::fit(&self.dynamics, &self.belief, m, message),
            Rule::Decoupled(settings) => {
                let room = decoupled::Room {
                    m,
                    message,
                    q: self.room.q.of(k),
                    score: self.room.score.of(k),
                };
                let (dynamics, value) = (&self.dynamics, &self.value);
                if !decoupled::fit(settings, dynamics, value, &self.belief, loglik, room) {
                    return Err(Error::Impossible { index: 0 });
                }
            }
        }
        self.value.propose_decoupled(m, message, loglik);
        Ok(())
    }

    /// Why no state has a finite value: the observation is impossible, or structural zeros are in the way.
    #[cold]
    fn no_finite_bound(&self, t: u64) -> Error {
        let k = self.model.states();
        let possible = (0..k).any(|j| {
            let reached = if t == 0 {
                self.dynamics.initial()[j] > f64::NEG_INFINITY
            } else {
                let column = self.dynamics.into_state(j).iter();
                column
                    .zip(&self.belief)
                    .any(|(a, q)| *q > 0.0 && *a > f64::NEG_INFINITY)
            };
            reached && self.room.loglik.last()[j] > f64::NEG_INFINITY
        });
        if !possible {
            return Error::Impossible { index: t };
        }
        Error::Unsupported {
            what: format!("{} (observation {t})", self.rule.name()),
            asked: "give a finite bound for this model",
            why: "its kernel puts weight on a past that zeros of the transitions or of the emission rule \
                  out; use Reversed or DecoupledLag1, or smooth the zeros with a pseudo-count",
        }
    }

    pub fn belief(&self) -> &[f64] {
        &self.belief
    }

    pub fn kernel(&self, into: &mut [f64]) -> Result<()> {
        let k = self.model.states();
        if into.len() != k * k {
            return Err(Error::size("into", into.len(), format!("{k}×{k}")));
        }
        if self.observations() < 2 {
            return Err(Error::Unsupported {
                what: "a posterior of fewer than two observations".to_owned(),
                asked: "give a backward kernel",
                why: "there is no state before the newest; update it first",
            });
        }
        for row in into.chunks_exact_mut(self.kernel.len()) {
            row.copy_from_slice(&self.kernel);
        }
        Ok(())
    }

    /// m_t `[K]`, where the kernel is no more than that.
    pub fn decoupled_kernel(&self) -> Option<&[f64]> {
        match self.rule {
            Rule::Decoupled(_) | Rule::Frozen => Some(&self.kernel),
            Rule::Tied(_) => None,
        }
    }

    pub fn elbo(&self) -> f64 {
        self.value.level() + self.spread
    }

    pub fn observations(&self) -> u64 {
        self.value.observations()
    }

    pub fn model(&self) -> &Hmm<E> {
        &self.model
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "E: Emission + Serialize",
    deserialize = "E: Emission + Deserialize<'de>"
))]
struct Saved<E: Emission> {
    model: Hmm<E>,
    rule: Rule,
    value: ValueFunction,
    belief: Vec<f64>,
    kernel: Vec<f64>,
    spread: f64,
}

impl<E: Emission> From<Restricted<E>> for Saved<E> {
    fn from(now: Restricted<E>) -> Self {
        Self {
            model: now.model,
            rule: now.rule,
            value: now.value,
            belief: now.belief,
            kernel: now.kernel,
            spread: now.spread,
        }
    }
}

impl<E: Emission> TryFrom<Saved<E>> for Restricted<E> {
    type Error = Error;
    fn try_from(saved: Saved<E>) -> Result<Self> {
        let k = saved.model.states();
        let rule = match saved.rule {
            Rule::Tied(tied) => Rule::Tied(Box::new(tied.checked(k)?)),
            Rule::Decoupled(settings) => {
                settings.check()?;
                Rule::Decoupled(settings)
            }
            Rule::Frozen => Rule::Frozen,
        };
        let fresh = Self::new(saved.model, rule);
        for (name, found, expected) in [
            ("value", saved.value.states(), k),
            ("belief", saved.belief.len(), k),
            ("kernel", saved.kernel.len(), fresh.kernel.len()),
        ] {
            if found != expected {
                return Err(Error::size(name, found, expected));
            }
        }
        for (name, values) in [("belief", &saved.belief), ("kernel", &saved.kernel)] {
            if let Some(at) = values.iter().position(|p| !(0.0..=1.0 + 1e-6).contains(p)) {
                return Err(Error::entry(name, &[at], values[at], "a probability"));
            }
        }
        if !saved.spread.is_finite() {
            return Err(Error::entry("spread", &[], saved.spread, "a finite number"));
        }
        Ok(Self {
            value: saved.value,
            belief: saved.belief,
            kernel: saved.kernel,
            spread: saved.spread,
            ..fresh
        })
    }
}
