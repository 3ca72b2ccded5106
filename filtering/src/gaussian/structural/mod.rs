//! Structural time series models: components, added up into a linear-Gaussian model.
//!
//! | subject | file |
//! |---|---|
//! | components by name | `component.rs`: [`Component`] |
//! | components, fixed and tied parameters | `model.rs`: [`StructuralModel`] |
//! | ranges of parameters; free coordinates | `parameter.rs`, `coordinates.rs`; AR and MA: `stationary.rs` |
//! | F, Q, h, r and their derivatives | `form.rs` |
//! | the exact diffuse likelihood (eq. F51) | `pass.rs`, `likelihood.rs`: [`StructuralLikelihood`] |
//! | its score (eq. F52) | `score.rs` |
//! | as a linear-Gaussian model | `linear.rs` |
//! | maximum likelihood | `fit.rs`: [`StructuralFit`]; `fit_settings.rs`, `problem.rs`, `data.rs`, `standard.rs`, `starts.rs`, `arma_starts.rs`; ends of ranges: `boundary.rs`; standard errors: `information.rs`, `summary.rs` |

mod arma_starts;
mod boundary;
mod component;
mod coordinates;
mod data;
mod fit;
mod fit_settings;
mod form;
mod information;
mod likelihood;
mod linear;
mod model;
mod parameter;
mod pass;
mod problem;
mod score;
mod standard;
mod starts;
mod stationary;
mod summary;

pub use component::Component;
pub use fit::StructuralFit;
pub use fit_settings::StructuralSettings;
pub use likelihood::StructuralLikelihood;
pub use model::StructuralModel;
