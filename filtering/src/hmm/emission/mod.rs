//! Emissions p(o|s).
//!
//! An emission is added by its own file, which implements the traits of `traits.rs`, and by this one: its module, its
//! name among those exported, and a line of `registry!`.

mod categorical;
mod diagonal_gaussian;
mod full_gaussian;
mod origin;
mod poisson;
#[macro_use]
mod registry;
mod traits;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Result;

pub use categorical::Categorical;
pub use diagonal_gaussian::DiagonalGaussian;
pub use full_gaussian::FullGaussian;
pub use poisson::Poisson;
pub use traits::{Emission, Guess, Learnable, Sample};

registry! {
    Categorical, "categorical", "symbols 0, 1, …";
    Poisson, "poisson", "counts";
    DiagonalGaussian, "diagonal-gaussian", "Gaussian vectors with a diagonal covariance";
    FullGaussian, "full-gaussian", "Gaussian vectors with a full covariance";
}

mod any;
