//! What `--kind` and `--n-states` accept.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::LazyLock;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use scotopic_filtering::AnyModel;
use scotopic_filtering::hmm::EmissionKind;
use scotopic_filtering::plds::CountLaw;

/// Emission of each hidden state, or a continuous state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Hidden states that emit.
    Hmm(EmissionKind),
    /// A hidden vector that moves and is seen linearly.
    LinearGaussian,
    /// A hidden vector that moves and drives counts or spikes.
    Plds(CountLaw),
    /// A hidden vector whose dynamics a Markov chain of regimes chooses.
    Slds,
}

impl ModelKind {
    /// Whether no state has a variance that could shrink to nothing.
    pub fn lacks_variances(self) -> bool {
        use EmissionKind::{
            Bernoulli, Categorical, LogisticRegression, Poisson, PoissonRegression,
        };
        matches!(
            self,
            Self::Hmm(Categorical | Poisson | Bernoulli | LogisticRegression | PoissonRegression)
        )
    }

    /// Whether the kind takes inputs, an exposure, lags and inputs of transitions, where they are given.
    ///
    /// # Errors
    /// Names the option that it does not take.
    pub fn check_given(
        self,
        inputs: bool,
        exposure: bool,
        lags: bool,
        transition_inputs: bool,
    ) -> Result<()> {
        use EmissionKind::{
            Autoregression, LinearRegression, LogisticRegression, NegativeBinomial, Poisson,
            PoissonRegression,
        };
        let takes_inputs = matches!(
            self,
            Self::LinearGaussian
                | Self::Hmm(LogisticRegression | PoissonRegression | LinearRegression)
        );
        let takes_exposure = matches!(
            self,
            Self::Hmm(Poisson | NegativeBinomial | PoissonRegression)
        );
        ensure!(
            takes_inputs || !inputs,
            "--inputs is for a kind with a regression: logistic-regression, poisson-regression, linear-regression or linear-gaussian, and \
             for --component regression"
        );
        ensure!(
            takes_exposure || !exposure,
            "--exposure is for counts: poisson, negative-binomial or poisson-regression"
        );
        ensure!(
            matches!(self, Self::Hmm(Autoregression)) || !lags,
            "--lags is of the kind autoregression"
        );
        ensure!(
            matches!(self, Self::Hmm(kind) if kind != Autoregression) || !transition_inputs,
            "--transition-inputs is for kinds with hidden states, but for autoregression"
        );
        Ok(())
    }
}

impl ModelKind {
    /// Whether a row can be an observation of this kind.
    ///
    /// # Errors
    /// What it is not, by its entry.
    pub fn check(self, row: &[f64]) -> scotopic_filtering::Result<()> {
        match self {
            Self::Hmm(emission) => emission.check(row),
            Self::Plds(law) => law.check(row),
            Self::LinearGaussian | Self::Slds => Ok(()),
        }
    }
}

/// What a fit is of, which says the options that it uses: a kind, from the data or from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitOf {
    /// Hidden states from the data.
    HmmData,
    /// The same with inputs of transitions.
    DrivenHmmData,
    /// Hidden states of a file.
    HmmFile,
    /// The same with inputs of transitions.
    DrivenHmmFile,
    /// Passes of a learning rule over hidden states of a file.
    Passes,
    /// A linear-Gaussian model from the data.
    GaussianData,
    /// A linear-Gaussian model of a file.
    GaussianFile,
    /// A structural model.
    Structural,
    /// A Poisson or Bernoulli linear dynamical system from the data.
    PldsData,
    /// The same of a file.
    PldsFile,
    /// A switching linear dynamical system from the data.
    SldsData,
    /// The same of a file.
    SldsFile,
    /// A nonlinear model of a file.
    Nonlinear,
    /// A model of continuous time of a file, whose network is learned.
    Network,
    /// The same with equations by name.
    Generalised,
}

impl FitOf {
    /// Of a model of a file; `rule` asks for passes of a learning rule.
    pub fn file(model: &AnyModel, rule: bool) -> Self {
        match model {
            AnyModel::Hmm(_) if rule => Self::Passes,
            AnyModel::Hmm(_) => Self::HmmFile,
            AnyModel::DrivenHmm(_) => Self::DrivenHmmFile,
            AnyModel::LinearGaussian(_) | AnyModel::Driven(_) => Self::GaussianFile,
            AnyModel::Plds(_) => Self::PldsFile,
            AnyModel::Slds(_) => Self::SldsFile,
            AnyModel::Nonlinear(_) => Self::Nonlinear,
            AnyModel::Generalised(model) if model.network().is_some() => Self::Network,
            AnyModel::Generalised(_) => Self::Generalised,
        }
    }

    /// Those that take pseudo-observations.
    pub const WITH_PSEUDO_COUNT: [Self; 4] = [
        Self::HmmData,
        Self::HmmFile,
        Self::GaussianData,
        Self::GaussianFile,
    ];

    /// From the data.
    pub fn data(kind: ModelKind, transition_inputs: bool) -> Self {
        match kind {
            ModelKind::Hmm(_) if transition_inputs => Self::DrivenHmmData,
            ModelKind::Hmm(_) => Self::HmmData,
            ModelKind::LinearGaussian => Self::GaussianData,
            ModelKind::Plds(_) => Self::PldsData,
            ModelKind::Slds => Self::SldsData,
        }
    }

    /// What messages call it.
    pub fn described(self) -> &'static str {
        match self {
            Self::HmmData => "a fit of hidden states",
            Self::DrivenHmmData => "a fit of hidden states with inputs of their transitions",
            Self::HmmFile => "a fit of hidden states from a file (--model)",
            Self::DrivenHmmFile => {
                "a fit of hidden states with inputs of their transitions from a file (--model)"
            }
            Self::Passes => "a fit by passes of a learning rule (--rule)",
            Self::GaussianData => "a fit of a linear-gaussian model",
            Self::GaussianFile => "a fit of a linear-gaussian model from a file (--model)",
            Self::Structural => "a fit of a structural model",
            Self::PldsData => "a fit of plds or blds",
            Self::PldsFile => "a fit of plds or blds from a file (--model)",
            Self::SldsData => "a fit of slds",
            Self::SldsFile => "a fit of slds from a file (--model)",
            Self::Nonlinear => "a fit of a nonlinear model",
            Self::Network => "a fit of a network in continuous time",
            Self::Generalised => "a fit of a model of continuous time",
        }
    }
}

impl ValueEnum for ModelKind {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<ModelKind>> = LazyLock::new(|| {
            let discrete = EmissionKind::ALL.iter().copied().map(ModelKind::Hmm);
            let laws = [CountLaw::Poisson, CountLaw::Bernoulli].map(ModelKind::Plds);
            let vectors = [ModelKind::LinearGaussian].into_iter().chain(laws);
            discrete.chain(vectors).chain([ModelKind::Slds]).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Hmm(kind) => PossibleValue::new(kind.name())
                .help(format!("Hidden states that emit {}", kind.emits())),
            Self::Plds(CountLaw::Poisson) => PossibleValue::new("plds")
                .help("A hidden vector with linear dynamics and Poisson counts"),
            Self::Plds(CountLaw::Bernoulli) => PossibleValue::new("blds")
                .help("A hidden vector with linear dynamics and spikes, 0 or 1 a bin"),
            Self::Slds => PossibleValue::new("slds")
                .help("A hidden vector whose dynamics switch between --n-states regimes"),
            Self::LinearGaussian => PossibleValue::new("linear-gaussian").help(
                "A hidden vector with linear dynamics and linear observations (Kalman filter)",
            ),
        })
    }
}

/// Numbers of states: 3, or 1..4 for 1 to 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatesRange(pub RangeInclusive<u32>);

impl FromStr for StatesRange {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        /// Beyond this many, the transitions alone have 16 million entries.
        const MOST: u32 = 4096;
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first), number(last.trim_start_matches('='))),
            None => (number(text), number(text)),
        };
        match (first, last) {
            (Some(first), Some(last)) if 0 < first && first <= last && last <= MOST => {
                Ok(Self(first..=last))
            }
            _ => Err(format!(
                "expected a number from 1 to {MOST}, or a range such as 1..4"
            )),
        }
    }
}
