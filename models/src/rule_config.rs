//! The inference rule as a configuration.

use scotopic::inference::{Expectation, Leak, NaturalGradient, StepForm};
use scotopic::ops::Indicator;
use scotopic::posterior::{Clamps, KlForm, Sampling};
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::network::Method;

/// `"none"`, or the weight β_in of the prior's pull.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LeakConfig {
    /// The word "none".
    Off(Off),
    /// β_in.
    Beta(f64),
}

/// The one word that [`LeakConfig`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Off {
    /// No leak.
    None,
}

/// Fixed choices of the inference rule; defaults are those of the published linear Poisson model but for the
/// step, which is proximal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleConfig {
    /// How beliefs are found.
    pub method: Method,
    /// T: inference steps while training.
    pub steps: usize,
    /// N: inner iterations per step.
    #[serde(alias = "inner")]
    pub inner_steps: usize,
    /// Pull of the prior: during inner iterations of the natural gradient; in the gradients of the
    /// (semi-)amortized refinements.
    pub leak: LeakConfig,
    /// "proximal", with bounded self-inhibition (linear decoders); "certified", after which the free energy in rates is
    /// never higher (Poisson latents, linear decoders, no ceilings); "backtracking", as long as the free energy of the
    /// sample is not higher after it (any decoder, no ceilings but of the step); or "explicit", the published step.
    pub step: StepForm,
    /// Soft ceiling of the potential (log-rate), once open.
    pub potential_ceiling: f64,
    /// Soft ceiling of one step of the potential, once open.
    pub step_ceiling: f64,
    /// Bound of the log-scale of Gaussian and Laplace latents, once open.
    pub scale_ceiling: f64,
    /// Bound of one step of it, once open.
    pub scale_step_ceiling: f64,
    /// All ceilings before they open.
    pub initial_ceiling: f64,
    /// f of the relaxed spikes of training: "sigmoid" (published, biased), "linear", "cubic", "quintic" or "cosine".
    pub indicator: Indicator,
    /// Added to every rate before sampling.
    pub rate_floor: f64,
    /// The form of KL in the objective; a setting of the objective, so it is read and written there.
    #[serde(skip)]
    pub kl: KlForm,
    /// Whether the reconstruction term is taken at a sample or exactly; of the objective too.
    #[serde(skip)]
    pub expectation: Expectation,
}

impl Default for RuleConfig {
    fn default() -> Self {
        Self {
            method: Method::NaturalGradient,
            steps: 16,
            inner_steps: 1,
            leak: LeakConfig::Off(Off::None),
            step: StepForm::Proximal,
            potential_ceiling: 10.0,
            step_ceiling: 10.0,
            scale_ceiling: 2.0,
            scale_step_ceiling: 3.0,
            initial_ceiling: 2.0,
            indicator: Indicator::Sigmoid,
            rate_floor: 0.0,
            kl: KlForm::Exact,
            expectation: Expectation::Sample,
        }
    }
}

impl RuleConfig {
    /// The rule with its ceilings opened to ε (0: as at the start of training, 1: fully).
    pub fn at(&self, opening: f64, sampling: Sampling) -> NaturalGradient {
        let open = |c: f64| self.initial_ceiling + opening * (c - self.initial_ceiling);
        NaturalGradient {
            inner_iterations: self.inner_steps,
            leak: match self.leak {
                LeakConfig::Off(_) => Leak::None,
                LeakConfig::Beta(beta) => Leak::Kl(beta),
            },
            sampling: Sampling {
                indicator: self.indicator,
                rate_floor: self.rate_floor,
                ..sampling
            },
            clamps: Clamps {
                state: vec![open(self.potential_ceiling), open(self.scale_ceiling)],
                step: vec![open(self.step_ceiling), open(self.scale_step_ceiling)],
            },
            form: self.step,
            kl: self.kl,
            expectation: self.expectation,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(1..1 << 24).contains(&self.steps) {
            return Err(Error::setting(
                "inference.steps",
                self.steps,
                "must be between 1 and 16777215",
            ));
        }
        if !(self.rate_floor.is_finite() && self.rate_floor >= 0.0) {
            return Err(Error::setting(
                "inference.rate_floor",
                self.rate_floor,
                "must be at least 0",
            ));
        }
        for (key, ceiling) in [
            ("inference.potential_ceiling", self.potential_ceiling),
            ("inference.step_ceiling", self.step_ceiling),
            ("inference.scale_ceiling", self.scale_ceiling),
            ("inference.scale_step_ceiling", self.scale_step_ceiling),
            ("inference.initial_ceiling", self.initial_ceiling),
        ] {
            if !(ceiling.is_finite() && ceiling > 0.0) {
                return Err(Error::setting(key, ceiling, "must be a number above 0"));
            }
        }
        for opening in [0.0, 1.0] {
            self.at(opening, Sampling::EXACT).validate()?;
        }
        Ok(())
    }
}
