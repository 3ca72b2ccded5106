//! Linear-Gaussian state-space models: the hidden state is a vector x ∈ ℝⁿ, observed as y ∈ ℝᵐ,
//!
//! ```text
//! x_1 ~ N(m0, P0),   x_t = F x_{t−1} + b + N(0, Q),   y_t = H x_t + d + N(0, R).
//! ```
//!
//! Shapes, throughout this module: F, Q, P0 `[n, n]`; b, m0 `[n]`; H `[m, n]`; d `[m]`; R `[m, m]`; backward
//! kernels x_{t−1} | x_t ~ N(E x_t + f, L), E and L `[n, n]`, f `[n]`; values W_t(x) = −½xᵀΛx + hᵀx + c, Λ `[n, n]`,
//! h `[n]`. An observation is a row of m numbers; NaN stands for one that is missing, and `None` for a row of which nothing is
//! seen.
//!
//! | subject | file |
//! |---|---|
//! | F, b, Q, H, d, R, m0, P0, checked | `model.rs`: [`LinearGaussian`] |
//! | the filter, one observation at a time | `kalman.rs`: [`Kalman`]; its inner loops: `flat.rs` |
//! | a whole sequence: smoothed beliefs | `smoother.rs`: [`Smoothed`] |
//! | N(μ, Σ) | `belief.rs`: [`Gaussian`] |
//! | b_t(x_{t−1}\|x_t) and its optimum | `kernel.rs`: [`GaussianKernel`] |
//! | the recursion (eq. F3) with any kernels | `value.rs`: [`Value`], [`ValueRecursion`] |
//! | factorisations and their bounds | `factorisation.rs`: [`GaussianFactorisation`] |
//! | kernels of a restricted family, online | `restricted.rs`: [`Restricted`]; `diagonal.rs`, `mean_field.rs` |
//! | expected sufficient statistics | `statistics.rs`: [`Statistics`]; `regression.rs`: [`Regression`] |
//! | ∇ ln p | `gradient.rs`: [`GaussianGradient`]; without Q⁻¹: `adjoint.rs` |
//! | missing entries of observations | `imputed.rs` |
//! | states without a prior | `diffuse/` |
//! | components by name, maximum likelihood | `structural/`: [`StructuralModel`] |
//! | initial guesses from data | `guess.rs`: [`LinearGaussian::initial_guess`] |
//! | fitting to whole sequences | `em.rs`: [`GaussianFit`], [`Learned`]; to the optimum: `maximum.rs`, on coordinates of `entries.rs`, kept from R = 0 by `prior.rs` |
//! | the maximum among several starts | `search/`: [`LinearGaussian::search`], [`GaussianFound`] |
//! | entries that a fit holds, by name | `constraints.rs`: [`Constraints`], `entry.rs`: [`Entry`]; of a model: `constrained.rs` |
//! | learning while filtering | `learning.rs`: [`GaussianLearning`]; settings: `settings.rs`; `block.rs`, `quadratic.rs` |
//! | inputs: B u_t, D u_t, entries of H that are data | `driven/`: [`DrivenGaussian`], [`DrivenFilter`] |
//! | predicted observations | `prediction.rs` |
//! | the posterior under Gaussian sites in place of observations | `sites.rs` |
//! | samples from the model | `sample.rs` |

mod adjoint;
mod belief;
mod block;
mod collapse;
mod comparison;
mod constrained;
mod constraints;
mod diagonal;
mod diffuse;
mod driven;
mod em;
mod entries;
mod entry;
mod factorisation;
mod family;
mod flat;
mod gradient;
mod guess;
mod imputed;
mod kalman;
mod kernel;
mod learning;
mod matrices;
mod maximum;
mod mean_field;
mod model;
mod plan;
mod prediction;
mod prior;
mod quadratic;
mod regression;
mod restricted;
mod rows;
mod sample;
mod search;
mod settings;
mod sites;
mod smoother;
mod start;
mod start_kind;
mod statistics;
mod structural;
mod value;

pub use belief::Gaussian;
pub use collapse::collapsed_columns;
pub use constraints::Constraints;
pub use driven::{DrivenFilter, DrivenFitted, DrivenGaussian, DrivenGradient};
pub use em::{GaussianFit, GaussianFitted, Learned};
pub use entry::Entry;
pub use factorisation::{GaussianFilter, GaussianPosterior};
pub use family::GaussianFactorisation;
pub use gradient::GaussianGradient;
pub use kalman::Kalman;
pub use kernel::GaussianKernel;
pub use learning::GaussianLearning;
pub use model::LinearGaussian;
pub use regression::Regression;
pub use restricted::Restricted;
pub use search::{GaussianFound, GaussianWarning};
pub use settings::{BlockOnlineEm, GaussianLearn, OnlineEm, Rmle};
pub use smoother::Smoothed;
pub use statistics::Statistics;
pub use structural::{
    Component, StructuralFit, StructuralLikelihood, StructuralModel, StructuralSettings,
};
pub use value::{Value, ValueRecursion};

pub(crate) use belief::entropy as normal_entropy;
pub(crate) use block::average;
pub(crate) use entry::Parameter;
pub(crate) use flat::{From as Before, Into as After, LN_2_PI, Plan, advance, flat};
pub(crate) use matrices::{matrix, rows};
pub(crate) use sites::{Posterior, Site};
