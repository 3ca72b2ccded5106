//! Poisson and Bernoulli linear dynamical systems: a hidden vector with linear dynamics, seen through counts.
//!
//! ```text
//! x_1 ~ N(m0, P0),   x_t = F x_{t−1} + b + N(0, Q),   η_ti = c_i·x_t + d_i,
//! y_ti ~ Poisson(ε exp η_ti)   or   y_ti ~ Bernoulli(1/(1 + exp(−η_ti)))                       (F70)
//! ```
//!
//! | subject | file |
//! |---|---|
//! | laws of observations, expectations under a Gaussian | `law.rs`: [`CountLaw`]; `nodes.rs` |
//! | the model | `model.rs`: [`Plds`]; in files: `file.rs` |
//! | C as the inner loops read it | `loadings.rs` |
//! | the variational correction (eqs. F71, F72) | `correction.rs` |
//! | the filter with its prequential score | `filter.rs`: [`PldsFilter`] |
//! | the smoother over whole sequences (eq. F74) | `smoother.rs`: [`PldsSmoothed`]; `sites.rs` |
//! | variational EM (eqs. F75, F76) | `fit.rs`: [`PldsFit`], [`PldsFitted`]; `start.rs`, `neuron.rs` |
//! | expected statistics, which add up | `statistics.rs`: [`PldsStatistics`] |
//! | learning while filtering | `learning.rs`: [`PldsLearning`], [`PldsLearn`] |
//! | held-out neurons given the others (eq. F77) | `co_smoothing.rs`: [`CoSmoothing`] |
//! | what a belief says of observations; samples | `prediction.rs` |
//!
//! # References
//! - J. H. Macke, L. Buesing, J. P. Cunningham, B. M. Yu, K. V. Shenoy, M. Sahani, "Empirical models of spiking in neural
//!   populations", NeurIPS 2011.
//! - L. Buesing, J. H. Macke, M. Sahani, "Spectral learning of linear dynamics from generalised-linear observations with
//!   application to neural population data", NeurIPS 2012.
//! - M. E. Khan, W. Lin, "Conjugate-computation variational inference", AISTATS 2017.
//! - F. Pei et al., "Neural Latents Benchmark '21", NeurIPS 2021: the co-smoothing score.

#![allow(clippy::needless_range_loop)] // entries of matrices, by row and column

mod co_smoothing;
mod correction;
mod file;
mod filter;
mod fit;
mod law;
mod learning;
mod loadings;
mod model;
mod neuron;
mod nodes;
mod prediction;
mod sites;
mod smoother;
mod start;
mod statistics;

pub use co_smoothing::CoSmoothing;
pub use filter::PldsFilter;
pub use fit::{PldsFit, PldsFitted};
pub use law::CountLaw;
pub use learning::{PldsLearn, PldsLearning};
pub use model::Plds;
pub use smoother::PldsSmoothed;
pub use statistics::PldsStatistics;
