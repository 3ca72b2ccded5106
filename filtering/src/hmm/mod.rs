//! Hidden Markov models.
//!
//! Shapes, throughout this module: π `[K]`; A `[K, K]`, `A[i][j] = p(s_t = j | s_{t−1} = i)`; ℓ_t `[K]`,
//! `ℓ_t[j] = ln p(o_t | s_t = j)`, all zero for a missing observation; kernels `[K, K]`,
//! `b[j][i] = b_t(s_{t−1} = i | s_t = j)`. Matrices are row after row.
//!
//! | subject | file |
//! |---|---|
//! | π, A and the emission, checked | `model.rs`: [`Hmm`] |
//! | a belief, updated by each observation; smoothing a fixed lag back | `filter.rs`: [`Filter`]; `lag.rs` |
//! | ln p(o_1…o_T), q_t for a whole sequence | `filtered.rs`: [`Hmm::log_evidence`], [`Hmm::filter`] |
//! | γ_t, ξ_t | `smoother.rs`: [`Hmm::smooth`] |
//! | expected counts, the E-step; rows that repeat | `expectations.rs`: [`Hmm::expectations`]; `equal_rows.rs` |
//! | the most probable path | `viterbi.rs`: [`Hmm::viterbi`] |
//! | samples from a model | `sample.rs`: [`Hmm::sample`] |
//! | predicted observations | `prediction.rs` |
//! | observations that depend on those before: their rows, filter, forecast | `lagged_rows.rs`, `lagged_filter.rs`: [`LaggedFilter`]; `lagged_forecast.rs` |
//! | transitions that depend on inputs | `driven/`: [`DrivenHmm`], [`DrivenHmmFilter`] |
//! | one step of the exact filter, its kernel, its arithmetic | `forward.rs`, `kernel.rs`, `products.rs`, `backward.rs`, `counts.rs` |
//! | other factorisations of the posterior, their bounds; W | `factorisation/`: [`Factorisation`], [`Hmm::posterior`], [`Hmm::online`], [`ValueFunction`] |
//! | factorisations beside each other; the order of learned states | `comparison.rs`: [`Hmm::compare`]; `label_matching.rs`: [`Hmm::parameter_error`] |
//! | parameters from data, online and batch | `learning/`: [`Hmm::learn_online`], [`Hmm::fit`], [`Hmm::gradient`] |
//! | the maximum of ln p(o; θ), among many starts | `fitting/`: [`FitSearch`], [`Hmm::fit_states`], [`Hmm::fit_from`] |
//! | p(o\|s) | `emission/`: [`Emission`], [`Learnable`], [`Guess`], [`Sample`] |

mod backward;
mod clusters;
mod comparison;
mod counts;
mod driven;
mod emission;
mod emission_rows;
mod equal_rows;
mod expectations;
mod factorisation;
mod filter;
mod filtered;
mod fitting;
mod forward;
mod kernel;
mod label_matching;
mod lag;
mod lagged_filter;
mod lagged_forecast;
mod lagged_rows;
mod learning;
mod model;
mod parameter_groups;
mod prediction;
mod products;
mod pseudo_observations;
mod roots;
mod sample;
mod smoother;
mod viterbi;

pub use comparison::LearnUnder;
pub use driven::{
    DrivenHmm, DrivenHmmFilter, DrivenHmmFitted, DrivenHmmGradient, DrivenHmmSmoothed,
};
pub use emission::*;
pub use expectations::Expectations;
pub use factorisation::{
    Decoupled, DecoupledStart, Factorisation, LogDynamics, Online, Posterior, Sweeps, TiedGradient,
    TiedKernel, TiedLearning, TiedStart, ValueFunction, belief_gradient, kernel_gradient,
    natural_belief_step, natural_kernel_step,
};
pub use filter::Filter;
pub use filtered::Filtered;
pub use fitting::{FitSearch, FitSettings, FitWarning, Fitted, SearchProgress};
pub use lagged_filter::LaggedFilter;
pub(crate) use lagged_forecast::Ahead;
pub use learning::{
    BatchEm, BlockOnlineEm, Concentrations, Counts, Dirichlet, Fit, FixedLag, Gradient, Learn,
    Learning, OnlineEm, ParameterPosterior, Passes, RecursiveScore, RecursiveStatistics, Rmle,
    VariationalFit, VariationalStep, beta_interval, gamma_interval,
};
pub use model::Hmm;
pub use parameter_groups::{ParameterGroup, entry_name};
pub use pseudo_observations::{PseudoObservations, PseudoVariance};
pub use smoother::Smoothed;

pub(crate) use smoother::marginals;
