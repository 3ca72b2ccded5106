//! A state-space model of any kind, chosen at run time.

use crate::Result;
use crate::gaussian::{DrivenGaussian, LinearGaussian, StructuralModel};
use crate::generalised::GeneralisedModel;
use crate::hmm::{DrivenHmm, Emission, Hmm};
use crate::nonlinear::StateSpace;
use crate::nonlinear::models::AnyStateSpace;
use crate::plds::{CountLaw, Plds};
use crate::switching::Slds;

/// A model of one of the kinds that filters are made for.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyModel {
    /// `hmm`: initial probabilities, transitions, emission.
    Hmm(Hmm),
    /// `hmm` with `transition_inputs`: weights of inputs in its transitions.
    DrivenHmm(Box<DrivenHmm>),
    /// `linear-gaussian`: F, Q, H, R and the rest.
    LinearGaussian(LinearGaussian),
    /// `linear-gaussian` with `inputs`: B, D, and entries of H that are inputs.
    Driven(Box<DrivenGaussian>),
    /// `plds`: a hidden vector seen through counts or spikes.
    Plds(Plds),
    /// `slds`: a hidden vector whose linear dynamics a Markov chain chooses.
    Slds(Box<Slds>),
    /// A nonlinear model of the library, by its own name.
    Nonlinear(AnyStateSpace),
    /// `generalised`: equations of motion, precisions, embedding.
    Generalised(Box<GeneralisedModel>),
}

impl AnyModel {
    /// The linear-Gaussian model of a structural one at values of all parameters, with inputs where it has a regression.
    ///
    /// # Errors
    /// As [`StructuralModel::linear_gaussian`].
    pub fn of_structural(model: &StructuralModel, values: &[f64]) -> Result<Self> {
        Ok(match model.inputs() {
            [] => Self::LinearGaussian(model.linear_gaussian(values)?),
            _ => Self::Driven(Box::new(model.driven(values)?)),
        })
    }

    /// The names of all kinds, for messages and help.
    pub const KINDS: &str = "hmm, linear-gaussian, plds, slds, generalised, ar1-poisson, sin-quadratic, \
                             stochastic-volatility, diagonal-linear";

    /// The name of the kind in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hmm(_) | Self::DrivenHmm(_) => "hmm",
            Self::LinearGaussian(_) | Self::Driven(_) => "linear-gaussian",
            Self::Plds(_) => "plds",
            Self::Slds(_) => "slds",
            Self::Generalised(_) => "generalised",
            Self::Nonlinear(model) => model.kind(),
        }
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        match self {
            Self::Hmm(model) if self.lags() > 0 => model.width() - model.emission().inputs().len(),
            Self::Hmm(model) => model.width(),
            Self::DrivenHmm(model) => model.width(),
            Self::LinearGaussian(model) => model.width(),
            Self::Driven(model) => model.width(),
            Self::Plds(model) => model.width(),
            Self::Slds(model) => model.width(),
            Self::Nonlinear(model) => model.observed(),
            Self::Generalised(model) => model.sizes().1,
        }
    }

    /// The names of the last entries of an observation that are given and not predicted; none without inputs.
    pub fn inputs(&self) -> &[String] {
        match self {
            Self::Hmm(model) if self.lags() == 0 => model.emission().inputs(),
            Self::DrivenHmm(model) => model.inputs(),
            Self::Driven(model) => model.inputs(),
            _ => &[],
        }
    }

    /// Which of [`AnyModel::inputs`] is the time of a row, of a model of continuous time whose rows come at any times.
    pub fn time(&self) -> Option<&str> {
        match self {
            Self::Driven(model) if model.is_continuous() => {
                model.inputs().last().map(String::as_str)
            }
            _ => None,
        }
    }

    /// How many observations before it an observation depends on, directly; 0 but for an autoregression.
    pub fn lags(&self) -> usize {
        match self {
            Self::Hmm(model) => model.emission().lags(),
            _ => 0,
        }
    }

    /// What the states are called: none, or a name for each.
    pub fn state_names(&self) -> &[String] {
        match self {
            Self::LinearGaussian(model) => model.state_names(),
            Self::Driven(model) => model.base().state_names(),
            _ => &[],
        }
    }

    /// A short description.
    pub fn described(&self) -> String {
        match self {
            Self::Hmm(model) => format!("hidden Markov model of {}", many(model.states(), "state")),
            Self::DrivenHmm(model) => {
                let size = many(model.states(), "state");
                format!("input-driven hidden Markov model of {size}")
            }
            Self::LinearGaussian(model) => {
                let size = many(model.states(), "dimension");
                format!("linear-Gaussian model of {size}")
            }
            Self::Driven(model) => {
                let size = many(model.states(), "dimension");
                format!("linear-Gaussian model of {size}")
            }
            Self::Plds(model) => {
                let size = many(model.states(), "latent");
                let name = match model.law() {
                    CountLaw::Poisson => "Poisson",
                    CountLaw::Bernoulli => "Bernoulli",
                };
                format!("{name} linear dynamical system of {size}")
            }
            Self::Slds(model) => {
                let size = many(model.states(), "dimension");
                let regimes = many(model.regimes_len(), "regime");
                format!("switching linear dynamical system of {size} and {regimes}")
            }
            Self::Nonlinear(model) => {
                format!("nonlinear model of {}", many(model.dim(), "dimension"))
            }
            Self::Generalised(model) => {
                let size = many(model.sizes().0, "state");
                format!("continuous-time model of {size}")
            }
        }
    }
}

/// A number of things: 1 state, 2 states.
///
/// ```
/// use scotopic_filtering::many;
/// assert_eq!((many(1, "state"), many(0, "row")), ("1 state".to_owned(), "0 rows".to_owned()));
/// ```
pub fn many(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
