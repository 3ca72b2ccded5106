//! A filter of any kind, fixed or learning, behind one interface.

use anyhow::{Result, bail};
use scotopic_filtering::Step;
use scotopic_filtering::gaussian::{GaussianFilter, GaussianLearn, GaussianLearning};
use scotopic_filtering::generalised::causal::CausalGeneralisedFilter;
use scotopic_filtering::generalised::model::AnyEquations;
use scotopic_filtering::generalised::odem::Odem;
use scotopic_filtering::generalised::scheme::Scheme as _;
use scotopic_filtering::hmm::{Learn, Learning, Online};
use scotopic_filtering::nonlinear::models::AnyStateSpace;
use scotopic_filtering::nonlinear::{self, NonlinearConfig, StateSpace};
use serde::{Deserialize, Serialize};

use super::names::{NONLINEAR, Rule, discrete, gaussian, scheme, without_rule};
use super::{Generalised, Model};

/// The belief about the present state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Belief {
    /// q_t(s) `[K]`.
    Discrete {
        /// The probability of each state.
        belief: Vec<f64>,
    },
    /// N(mean, covariance).
    Gaussian {
        /// μ_t `[n]`.
        mean: Vec<f64>,
        /// The diagonal of Σ_t `[n]`.
        variance: Vec<f64>,
        /// Means of the causes v, of a model in continuous time that has some.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        cause_mean: Vec<f64>,
        /// Their variances.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        cause_variance: Vec<f64>,
    },
}

/// A filter during a series; a snapshot of it continues where it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
pub enum Running {
    /// A discrete model with fixed parameters.
    Discrete(Online),
    /// A discrete model that learns.
    DiscreteLearning(Learning<scotopic_filtering::hmm::AnyEmission>),
    /// A linear-Gaussian model with fixed parameters.
    Gaussian(GaussianFilter, Model),
    /// A linear-Gaussian model that learns.
    GaussianLearning(GaussianLearning),
    /// A nonlinear model with fixed parameters.
    Nonlinear(nonlinear::NonlinearFilter<AnyStateSpace>),
    /// A nonlinear model that learns.
    NonlinearLearning(nonlinear::NonlinearLearning<AnyStateSpace>),
    /// A model of continuous time that stays as it is.
    Causal(CausalGeneralisedFilter<AnyEquations>, Box<Generalised>),
    /// A continuous-time model with learned parameters and precisions.
    Odem(Odem<AnyEquations>, Box<Generalised>),
}

impl Running {
    /// A filter of `model` under a factorisation.
    ///
    /// # Errors
    /// For a factorisation that the kind of model does not know, or that needs the future.
    pub fn new(model: Model, factorisation: &str) -> Result<Self> {
        Ok(match model {
            Model::Hmm(model) => Self::Discrete(model.online(&discrete(factorisation)?)?),
            Model::LinearGaussian(linear) => {
                let which = gaussian(factorisation)?;
                Self::Gaussian(linear.clone().online(which)?, Model::LinearGaussian(linear))
            }
            Model::Nonlinear(model) => {
                let settings = NonlinearConfig {
                    elbo: scheme(factorisation)?,
                    ..NonlinearConfig::default()
                };
                Self::Nonlinear(nonlinear::NonlinearFilter::new(model, settings)?)
            }
            Model::Generalised(model) => {
                only_reversed(factorisation)?;
                Self::Causal(model.filter()?, model)
            }
        })
    }

    /// A filter of `model` that learns by a rule: a name, or settings in TOML with a `rule`.
    ///
    /// # Errors
    /// For a rule that the kind of model does not know, or settings that make no sense.
    pub fn learning(model: Model, rule: &Rule, factorisation: &str) -> Result<Self> {
        let discrete_or_linear = matches!(model, Model::Hmm(_) | Model::LinearGaussian(_));
        if factorisation != "reversed" && discrete_or_linear {
            bail!(
                "learning while filtering goes by exact statistics: take --factorisation reversed, or leave --learn out \
                 (nonlinear models learn under {NONLINEAR})"
            );
        }
        Ok(match model {
            Model::Hmm(model) => {
                let learn: Learn =
                    rule.settings("block-online-em, online-em, fixed-lag, rmle, dirichlet")?;
                Self::DiscreteLearning(model.learn_online(&learn)?)
            }
            Model::LinearGaussian(model) => {
                let learn: GaussianLearn = rule.settings("block-online-em, online-em, rmle")?;
                Self::GaussianLearning(model.learn_online(&learn)?)
            }
            Model::Nonlinear(model) => {
                let settings = NonlinearConfig {
                    elbo: scheme(factorisation)?,
                    ..NonlinearConfig::default()
                };
                let learn = match rule {
                    Rule::Default => nonlinear::LearningConfig::default(),
                    Rule::Named(name) if name == "rmle" => nonlinear::LearningConfig::default(),
                    Rule::Named(name) => {
                        bail!("a nonlinear model learns by the rule rmle, not {name}")
                    }
                    Rule::Settings(text) => without_rule(text, "rmle")?,
                };
                Self::NonlinearLearning(nonlinear::NonlinearLearning::new(model, settings, learn)?)
            }
            Model::Generalised(model) => {
                only_reversed(factorisation)?;
                let settings = match rule {
                    Rule::Default => None,
                    Rule::Named(name) if name == "odem" => None,
                    Rule::Named(name) => {
                        bail!("a model of continuous time learns by the rule odem, not {name}")
                    }
                    Rule::Settings(text) => Some(without_rule(text, "odem")?),
                };
                Self::Odem(model.odem(settings)?, model)
            }
        })
    }

    /// Takes in the next observation, `None` for a missing one.
    ///
    /// # Errors
    /// For an observation that is none, or that the model rules out; the filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> scotopic_filtering::Result<Step> {
        match self {
            Self::Discrete(f) => f.update(observation),
            Self::DiscreteLearning(f) => f.update(observation),
            Self::Gaussian(f, _) => f.update(observation),
            Self::GaussianLearning(f) => f.update(observation),
            Self::Nonlinear(f) => f.update(observation),
            Self::NonlinearLearning(f) => f.update(observation),
            Self::Causal(f, _) => {
                f.update(observation)?;
                Ok(step_of(f))
            }
            Self::Odem(f, _) => {
                f.update(observation)?;
                Ok(step_of(f.filter()))
            }
        }
    }

    /// The present belief.
    pub fn belief(&self) -> Belief {
        let normal = |mean: &[f64], covariance: &[f64]| {
            let n = mean.len();
            let variance = (0..n).map(|i| covariance[i * n + i]).collect();
            Belief::Gaussian {
                mean: mean.to_vec(),
                variance,
                cause_mean: Vec::new(),
                cause_variance: Vec::new(),
            }
        };
        match self {
            Self::Discrete(f) => Belief::Discrete {
                belief: f.belief().to_vec(),
            },
            Self::DiscreteLearning(f) => Belief::Discrete {
                belief: f.belief().to_vec(),
            },
            Self::Gaussian(f, _) => {
                let belief = f.belief();
                normal(belief.mean().as_slice(), belief.covariance().as_slice())
            }
            Self::GaussianLearning(f) => normal(f.filter().mean(), f.filter().covariance()),
            Self::Nonlinear(f) => normal(f.mean(), f.covariance()),
            Self::NonlinearLearning(f) => normal(f.filter().mean(), f.filter().covariance()),
            Self::Causal(f, _) => moving(f),
            Self::Odem(f, _) => moving(f.filter()),
        }
    }

    /// The covariance of the state `[n, n]`, row by row; empty for a discrete model.
    pub fn covariance(&self) -> Vec<f64> {
        match self {
            Self::Discrete(_) | Self::DiscreteLearning(_) => Vec::new(),
            Self::Gaussian(f, _) => f.belief().covariance().as_slice().to_vec(),
            Self::GaussianLearning(f) => f.filter().covariance().to_vec(),
            Self::Nonlinear(f) => f.covariance().to_vec(),
            Self::NonlinearLearning(f) => f.filter().covariance().to_vec(),
            Self::Causal(f, _) => f.state_covariance().to_vec(),
            Self::Odem(f, _) => f.filter().state_covariance().to_vec(),
        }
    }

    /// How many bins the belief lies behind the last observation.
    pub fn delay(&self) -> usize {
        match self {
            Self::Causal(f, _) => f.lag(),
            Self::Odem(f, _) => f.filter().lag(),
            _ => 0,
        }
    }

    /// The model as it is now, learned so far.
    pub fn model(&self) -> Model {
        match self {
            Self::Discrete(f) => Model::Hmm(f.model().clone()),
            Self::DiscreteLearning(f) => {
                Model::Hmm(f.averaged().unwrap_or_else(|| f.model().clone()))
            }
            Self::Gaussian(_, model) => model.clone(),
            Self::GaussianLearning(f) => Model::LinearGaussian(f.model().clone()),
            Self::Nonlinear(f) => Model::Nonlinear(f.model().clone()),
            Self::NonlinearLearning(f) => Model::Nonlinear(f.model().clone()),
            Self::Causal(_, model) => Model::Generalised(model.clone()),
            Self::Odem(f, model) => Model::Generalised(Box::new(learned(f, model))),
        }
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        match self {
            Self::Discrete(f) => f.model().width(),
            Self::DiscreteLearning(f) => f.model().width(),
            Self::Gaussian(_, model) => model.width(),
            Self::GaussianLearning(f) => f.model().width(),
            Self::Nonlinear(f) => f.model().observed(),
            Self::NonlinearLearning(f) => f.model().observed(),
            Self::Causal(_, model) | Self::Odem(_, model) => model.sizes().1,
        }
    }

    /// Observations taken in so far, those of earlier runs included.
    pub fn observations(&self) -> u64 {
        match self {
            Self::Discrete(f) => f.observations(),
            Self::DiscreteLearning(f) => f.observations(),
            Self::Gaussian(f, _) => f.observations(),
            Self::GaussianLearning(f) => f.filter().observations(),
            Self::Nonlinear(f) => f.observations(),
            Self::NonlinearLearning(f) => f.filter().observations(),
            Self::Causal(f, _) => f.bins(),
            Self::Odem(f, _) => f.bins(),
        }
    }

    /// L_t, in nats.
    pub fn elbo(&self) -> f64 {
        match self {
            Self::Discrete(f) => f.elbo(),
            Self::DiscreteLearning(f) => f.elbo(),
            Self::Gaussian(f, _) => f.elbo(),
            Self::GaussianLearning(f) => f.filter().elbo(),
            Self::Nonlinear(f) => f.elbo(),
            Self::NonlinearLearning(f) => f.elbo(),
            Self::Causal(f, _) => f.log_evidence().unwrap_or_default(),
            Self::Odem(f, _) => f.filter().log_evidence().unwrap_or_default(),
        }
    }

    /// The names of the numbers of a belief, for the header of a table.
    pub fn belief_names(&self) -> Vec<String> {
        match self.belief() {
            Belief::Discrete { belief } => (1..=belief.len()).map(|k| format!("q{k}")).collect(),
            Belief::Gaussian {
                mean, cause_mean, ..
            } => {
                let named = |name: &str, n: usize| {
                    (1..=n).map(|i| format!("{name}{i}")).collect::<Vec<_>>()
                };
                let (n, v) = (mean.len(), cause_mean.len());
                [
                    named("mean", n),
                    named("var", n),
                    named("cause_mean", v),
                    named("cause_var", v),
                ]
                .concat()
            }
        }
    }
}

fn only_reversed(factorisation: &str) -> Result<()> {
    if factorisation != "reversed" {
        bail!(
            "models of continuous time are filtered causally, with memory; the published schemes (DEM, LAP) are in \
             scotopic compare: leave --factorisation out"
        );
    }
    Ok(())
}

fn step_of(filter: &CausalGeneralisedFilter<AnyEquations>) -> Step {
    Step {
        increment: filter.last_log_density(),
        elbo: filter.log_evidence().unwrap_or_default(),
    }
}

fn moving(filter: &CausalGeneralisedFilter<AnyEquations>) -> Belief {
    let diagonal = |covariance: &[f64], n: usize| (0..n).map(|i| covariance[i * n + i]).collect();
    let (n, v) = (filter.states().len(), filter.causes().len());
    Belief::Gaussian {
        mean: filter.states().to_vec(),
        variance: diagonal(filter.state_covariance(), n),
        cause_mean: filter.causes().to_vec(),
        cause_variance: diagonal(filter.cause_covariance(), v),
    }
}

/// The file of a model with what was learned put in.
fn learned(odem: &Odem<AnyEquations>, model: &Generalised) -> Generalised {
    let mut new = model.clone();
    let file = &mut new.model;
    if let Ok(built) = model.build()
        && let Some(level) = built.levels.first()
    {
        let mut theta: Vec<f64> = level.parameters.mean.iter().copied().collect();
        for (place, value) in level.parameters.free().into_iter().zip(odem.parameters()) {
            theta[place] = *value;
        }
        file.parameters = Some(theta);
    }
    let mut logs = odem.log_precisions().iter();
    if file.output_log_variance > 0.0 {
        file.output_precision = logs.next().map_or(file.output_precision, |h| h.exp());
    }
    if file.motion_log_variance > 0.0 {
        file.motion_precision = logs.next().map_or(file.motion_precision, |h| h.exp());
    }
    new
}
