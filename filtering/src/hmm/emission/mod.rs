//! Emissions p(o|s).
//!
//! An emission is added by its own file, which implements the traits of `traits.rs`, and by this one: its module, its
//! name among those exported, and a line of `registry!`.

mod autoregression;
mod bernoulli;
mod binary_units;
mod categorical;
mod covariates;
mod diagonal_gaussian;
mod full_gaussian;
mod guess;
mod negative_binomial;
mod origin;
mod poisson;
#[macro_use]
mod registry;
mod regression;
mod slopes;
pub(super) mod statistics_of_states;
mod student_t;
mod traits;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Result;

pub use autoregression::Autoregression;
pub use bernoulli::Bernoulli;
pub use categorical::Categorical;
pub use covariates::Covariates;
pub use diagonal_gaussian::DiagonalGaussian;
pub use full_gaussian::FullGaussian;
pub use guess::Guess;
pub use negative_binomial::NegativeBinomial;
pub use poisson::Poisson;
pub use regression::{LinearRegression, LogisticRegression, PoissonRegression, Regression};
pub use slopes::ScorePart;
pub use student_t::StudentT;
pub use traits::{Emission, Learnable, Sample};

registry! {
    Categorical, "categorical", "symbols 0, 1, …";
    Poisson, "poisson", "counts";
    DiagonalGaussian, "diagonal-gaussian", "Gaussian vectors with a diagonal covariance";
    FullGaussian, "full-gaussian", "Gaussian vectors with a full covariance";
    Bernoulli, "bernoulli", "columns of 0 or 1";
    NegativeBinomial, "negative-binomial", "counts whose rate varies";
    StudentT, "student-t", "numbers with heavy tails";
    LogisticRegression, "logistic-regression", "choices 0 or 1 given inputs";
    PoissonRegression, "poisson-regression", "counts given inputs";
    LinearRegression, "linear-regression", "numbers given inputs";
    Autoregression, "autoregression", "numbers given those before (AR-HMM)";
}

mod any;
