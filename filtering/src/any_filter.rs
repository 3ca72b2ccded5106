//! A filter of any kind, chosen at run time: the registry of names and constructors.
//!
//! A new filter has its own file and its entries here: a variant of [`AnyFilter`], and where it is made by name.

use serde::de::value::{Error as NameError, MapDeserializer};
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::any_model::AnyModel;
use crate::factorisation_names::{elbo_kind, gaussian_factorisation, hmm_factorisation};
use crate::gaussian::{DrivenFilter, GaussianFilter, GaussianLearn, GaussianLearning};
use crate::generalised::GeneralisedModel;
use crate::generalised::causal::CausalGeneralisedFilter;
use crate::generalised::model::AnyEquations;
use crate::generalised::odem::{Odem, OdemConfig};
use crate::hmm::{AnyEmission, DrivenHmmFilter, Emission, LaggedFilter, Learn, Learning, Online};
use crate::nonlinear::models::AnyStateSpace;
use crate::nonlinear::{LearningConfig, NonlinearConfig, NonlinearFilter, NonlinearLearning};
use crate::plds::{PldsFilter, PldsLearn, PldsLearning};
use crate::switching::SldsFilter;
use crate::{Belief, Error, Filter, Moments, PredictedObservation, Result, Step};

/// A filter of any kind, fixed or learning. A snapshot continues where it was. The names of the variants in
/// files are those of the first version, whose snapshots are read too.
///
/// ```
/// use scotopic_filtering::gaussian::LinearGaussian;
/// use scotopic_filtering::{AnyFilter, AnyModel, Filter};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
/// let mut filter = AnyFilter::new(AnyModel::LinearGaussian(walk), "diagonal")?;
/// filter.update(Some(&[0.3]))?;
/// assert_eq!(filter.observations(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
pub enum AnyFilter {
    /// A discrete model with fixed parameters.
    #[serde(rename = "Discrete")]
    Hmm(Online),
    /// A discrete model that learns.
    #[serde(rename = "DiscreteLearning")]
    HmmLearning(Learning<AnyEmission>),
    /// A discrete model whose observations depend on those before, with fixed parameters or learning.
    HmmLagged(LaggedFilter),
    /// A discrete model with inputs in its transitions, with fixed parameters.
    HmmDriven(DrivenHmmFilter),
    /// A linear-Gaussian model with fixed parameters.
    Gaussian(#[serde(deserialize_with = "gaussian_of_any_version")] GaussianFilter),
    /// A linear-Gaussian model that learns.
    GaussianLearning(GaussianLearning),
    /// A linear-Gaussian model with inputs, with fixed parameters.
    Driven(DrivenFilter),
    /// A Poisson or Bernoulli linear dynamical system with fixed parameters.
    Plds(PldsFilter),
    /// One that learns.
    PldsLearning(PldsLearning),
    /// A switching linear dynamical system with fixed parameters.
    Slds(SldsFilter),
    /// A nonlinear model with fixed parameters.
    Nonlinear(NonlinearFilter<AnyStateSpace>),
    /// A nonlinear model that learns.
    NonlinearLearning(NonlinearLearning<AnyStateSpace>),
    /// A continuous-time model with fixed parameters, and its description.
    Causal(CausalGeneralisedFilter<AnyEquations>, Box<GeneralisedModel>),
    /// A continuous-time model with learned parameters and precisions.
    Odem(Odem<AnyEquations>, Box<GeneralisedModel>),
}

/// The first version kept the text of the model beside the filter, which has it too.
fn gaussian_of_any_version<'de, D: Deserializer<'de>>(
    format: D,
) -> std::result::Result<GaussianFilter, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(clippy::large_enum_variant)] // taken apart at once
    enum Kept {
        First(GaussianFilter, IgnoredAny),
        Now(GaussianFilter),
    }
    match Kept::deserialize(format)? {
        Kept::First(filter, _) | Kept::Now(filter) => Ok(filter),
    }
}

/// How to learn: the settings of a rule of one kind of model.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyLearning {
    /// One of the rules of discrete models.
    Hmm(Learn),
    /// One of the rules of linear-Gaussian models.
    LinearGaussian(GaussianLearn),
    /// Block online EM of a Poisson or Bernoulli linear dynamical system.
    Plds(PldsLearn),
    /// Recursive maximum likelihood.
    Nonlinear(LearningConfig),
    /// Online triple estimation; without settings of its own it assumes the noise of the model.
    Generalised(Option<OdemConfig>),
}

impl AnyLearning {
    /// The rules that a kind of model can learn by, the default first.
    pub fn rules(model: &AnyModel) -> &'static str {
        match model {
            AnyModel::Hmm(_) => "block-online-em, online-em, fixed-lag, rmle, dirichlet",
            AnyModel::LinearGaussian(_) => "block-online-em, online-em, rmle",
            AnyModel::DrivenHmm(_) | AnyModel::Driven(_) | AnyModel::Slds(_) => {
                "none: it is fitted to whole sequences, by scotopic fit"
            }
            AnyModel::Plds(_) => "block-online-em",
            AnyModel::Nonlinear(_) => "rmle",
            AnyModel::Generalised(_) => "odem",
        }
    }

    /// A rule with its defaults; without a name the rule that is best nearly everywhere.
    ///
    /// # Errors
    /// [`Error::Setting`] for a rule that the kind of model does not know, [`Error::Unsupported`] for a kind that knows none.
    pub fn named(model: &AnyModel, name: Option<&str>) -> Result<Self> {
        let rules = Self::rules(model);
        let fixed = match model {
            AnyModel::Driven(_) => Some("a linear-gaussian model with inputs"),
            AnyModel::DrivenHmm(_) => Some("a hidden Markov model with inputs of its transitions"),
            AnyModel::Slds(_) => Some("a switching linear dynamical system"),
            _ => None,
        };
        if let Some(what) = fixed {
            let why = "it is fitted to whole sequences, by scotopic fit";
            return Err(unsupported(what, "learn online", why));
        }
        if let Some(name) = name.filter(|name| !rules.split(", ").any(|known| known == *name)) {
            return Err(Error::setting("rule", name, rules));
        }
        let Some(name) = name else {
            return Ok(match model {
                AnyModel::Hmm(_) => Self::Hmm(Learn::default()),
                AnyModel::LinearGaussian(_) => Self::LinearGaussian(GaussianLearn::default()),
                AnyModel::DrivenHmm(_) | AnyModel::Driven(_) | AnyModel::Slds(_) => {
                    return Err(Error::setting("rule", "none", rules));
                }
                AnyModel::Plds(_) => Self::Plds(PldsLearn::default()),
                AnyModel::Nonlinear(_) => Self::Nonlinear(LearningConfig::default()),
                AnyModel::Generalised(_) => Self::Generalised(None),
            });
        };
        let tagged = MapDeserializer::<_, NameError>::new([("rule", name)].into_iter());
        let read = match model {
            AnyModel::Hmm(_) => Learn::deserialize(tagged).map(Self::Hmm),
            AnyModel::LinearGaussian(_) => {
                GaussianLearn::deserialize(tagged).map(Self::LinearGaussian)
            }
            _ => return Self::named(model, None),
        };
        read.map_err(|error| Error::setting("rule", format!("{name} ({error})"), rules))
    }
}

fn nonlinear_config(name: &str) -> Result<NonlinearConfig> {
    Ok(NonlinearConfig {
        elbo: elbo_kind(name)?,
        ..NonlinearConfig::default()
    })
}

fn unsupported(what: &str, asked: &'static str, why: &'static str) -> Error {
    let what = what.to_owned();
    Error::Unsupported { what, asked, why }
}

fn only_reversed(what: &str, factorisation: &str) -> Result<()> {
    if factorisation == "reversed" {
        return Ok(());
    }
    Err(unsupported(
        what,
        "be filtered under a factorisation",
        "it is filtered causally, in one way: leave --factorisation out (the published schemes of continuous time, DEM and LAP, are in \
         scotopic compare)",
    ))
}

impl AnyFilter {
    /// A filter of `model` under a factorisation, by name.
    ///
    /// # Errors
    /// [`Error::Setting`] for a factorisation that the kind of model does not know, [`Error::Unsupported`] for one
    /// that needs the future; what the filters say of models that cannot be filtered.
    pub fn new(model: AnyModel, factorisation: &str) -> Result<Self> {
        Ok(match model {
            AnyModel::Hmm(model) => {
                let lagged = model.emission().lags() > 0;
                let online = model.online(&hmm_factorisation(factorisation)?)?;
                match lagged {
                    true => Self::HmmLagged(LaggedFilter::of(online)),
                    false => Self::Hmm(online),
                }
            }
            AnyModel::DrivenHmm(model) => {
                only_reversed("an hmm with inputs in its transitions", factorisation)?;
                Self::HmmDriven(DrivenHmmFilter::new(*model))
            }
            AnyModel::LinearGaussian(model) => {
                Self::Gaussian(model.online(gaussian_factorisation(factorisation)?)?)
            }
            AnyModel::Driven(model) => {
                only_reversed("a linear-gaussian model with inputs", factorisation)?;
                Self::Driven(DrivenFilter::new(*model)?)
            }
            AnyModel::Plds(model) => {
                only_reversed(
                    "a Poisson or Bernoulli linear dynamical system",
                    factorisation,
                )?;
                Self::Plds(PldsFilter::new(model)?)
            }
            AnyModel::Slds(model) => {
                only_reversed("a switching linear dynamical system", factorisation)?;
                Self::Slds(SldsFilter::new(*model)?)
            }
            AnyModel::Nonlinear(model) => {
                let config = nonlinear_config(factorisation)?;
                Self::Nonlinear(NonlinearFilter::new(model, config)?)
            }
            AnyModel::Generalised(model) => {
                only_reversed("a model of continuous time", factorisation)?;
                Self::Causal(model.filter()?, model)
            }
        })
    }

    /// A filter of `model` that learns while it filters.
    ///
    /// # Errors
    /// As [`AnyFilter::new`]; [`Error::Unsupported`] for a rule of another kind of model, or exact statistics under a
    /// loose factorisation.
    pub fn learning(model: AnyModel, how: &AnyLearning, factorisation: &str) -> Result<Self> {
        let exact = matches!(model, AnyModel::Hmm(_) | AnyModel::LinearGaussian(_));
        if exact && factorisation != "reversed" {
            return Err(unsupported(
                "a filter under a loose factorisation",
                "learn",
                "learning while filtering goes by exact statistics: take --factorisation reversed, or leave --learn \
                 out (nonlinear models learn under reversed, jelbo, vjf)",
            ));
        }
        Ok(match (model, how) {
            (AnyModel::Hmm(model), AnyLearning::Hmm(learn)) => {
                let lagged = model.emission().lags() > 0;
                let learning = model.learn_online(learn)?;
                match lagged {
                    true => Self::HmmLagged(LaggedFilter::learning(learning)),
                    false => Self::HmmLearning(learning),
                }
            }
            (AnyModel::LinearGaussian(model), AnyLearning::LinearGaussian(learn)) => {
                Self::GaussianLearning(model.learn_online(learn)?)
            }
            (AnyModel::Plds(model), AnyLearning::Plds(learn)) => {
                only_reversed(
                    "a Poisson or Bernoulli linear dynamical system",
                    factorisation,
                )?;
                Self::PldsLearning(model.learn_online(*learn)?)
            }
            (AnyModel::Nonlinear(model), AnyLearning::Nonlinear(learn)) => {
                let config = nonlinear_config(factorisation)?;
                Self::NonlinearLearning(NonlinearLearning::new(model, config, *learn)?)
            }
            (AnyModel::Generalised(model), AnyLearning::Generalised(config)) => {
                only_reversed("a model of continuous time", factorisation)?;
                Self::Odem(model.odem(*config)?, model)
            }
            (model, _) => {
                let rules = AnyLearning::rules(&model);
                return Err(Error::setting(
                    "rule",
                    "that of another kind of model",
                    rules,
                ));
            }
        })
    }

    /// The names of the last entries of an observation that are given and not predicted; none without inputs.
    pub fn inputs(&self) -> &[String] {
        match self {
            Self::Hmm(f) => f.model().emission().inputs(),
            Self::HmmLearning(f) => f.model().emission().inputs(),
            Self::HmmDriven(f) => f.model().inputs(),
            Self::Driven(f) => f.model().inputs(),
            _ => &[],
        }
    }

    /// Whether the next observation depends on one that is missing or lies before the first, so that nothing is predicted of it.
    pub fn lacks_lags(&self) -> bool {
        matches!(self, Self::HmmLagged(f) if f.lacks_lags())
    }

    /// The model as it is now, learned so far; averaged where a discrete model that learns has an average.
    pub fn model(&self) -> AnyModel {
        match self {
            Self::Hmm(f) => AnyModel::Hmm(f.model().clone()),
            Self::HmmLearning(f) => {
                AnyModel::Hmm(f.averaged().unwrap_or_else(|| f.model().clone()))
            }
            Self::HmmLagged(f) => AnyModel::Hmm(f.learned()),
            Self::HmmDriven(f) => AnyModel::DrivenHmm(Box::new(f.model().clone())),
            Self::Gaussian(f) => AnyModel::LinearGaussian(f.model().clone()),
            Self::GaussianLearning(f) => AnyModel::LinearGaussian(f.model().clone()),
            Self::Driven(f) => AnyModel::Driven(Box::new(f.model().clone())),
            Self::Plds(f) => AnyModel::Plds(f.model().clone()),
            Self::PldsLearning(f) => AnyModel::Plds(f.model().clone()),
            Self::Slds(f) => AnyModel::Slds(Box::new(f.model().clone())),
            Self::Nonlinear(f) => AnyModel::Nonlinear(f.model().clone()),
            Self::NonlinearLearning(f) => AnyModel::Nonlinear(f.model().clone()),
            Self::Causal(_, model) => AnyModel::Generalised(model.clone()),
            Self::Odem(f, model) => AnyModel::Generalised(Box::new(model.learned(f))),
        }
    }
}

/// The same expression of each filter.
macro_rules! each {
    ($self:expr, $f:ident => $body:expr) => {
        match $self {
            Self::Hmm($f) => $body,
            Self::HmmLearning($f) => $body,
            Self::HmmLagged($f) => $body,
            Self::HmmDriven($f) => $body,
            Self::Gaussian($f) => $body,
            Self::GaussianLearning($f) => $body,
            Self::Driven($f) => $body,
            Self::Plds($f) => $body,
            Self::PldsLearning($f) => $body,
            Self::Slds($f) => $body,
            Self::Nonlinear($f) => $body,
            Self::NonlinearLearning($f) => $body,
            Self::Causal($f, _) => $body,
            Self::Odem($f, _) => $body,
        }
    };
}

impl Filter for AnyFilter {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        each!(self, f => Filter::update(f, observation))
    }

    fn belief(&self) -> Belief<'_> {
        each!(self, f => Filter::belief(f))
    }

    fn elbo(&self) -> f64 {
        each!(self, f => Filter::elbo(f))
    }

    fn observations(&self) -> u64 {
        each!(self, f => Filter::observations(f))
    }

    fn width(&self) -> usize {
        each!(self, f => Filter::width(f))
    }

    fn accepts_partial_rows(&self) -> bool {
        each!(self, f => Filter::accepts_partial_rows(f))
    }

    fn parameter_updates(&self) -> Option<u64> {
        each!(self, f => Filter::parameter_updates(f))
    }

    fn lag(&self) -> usize {
        each!(self, f => Filter::lag(f))
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        each!(self, f => Filter::predicted_observation(f))
    }

    fn signal(&self) -> Moments {
        each!(self, f => Filter::signal(f))
    }
}
