//! Hidden Markov models whose transitions depend on inputs (an input–output HMM; the transitions of a GLM-HMM).
//!
//! ```text
//! p(s_t = j | s_{t−1} = i, v_t) ∝ A_ij exp[w_ij·(v_t − v₀)]                                    (eq. F104)
//! ```
//!
//! | subject | file |
//! |---|---|
//! | A, w, v₀ and the names of inputs, checked | `model.rs`: [`DrivenHmm`] |
//! | its file | `file.rs` |
//! | the filter, and forecasts given inputs | `filter.rs`: [`DrivenHmmFilter`] |
//! | passes forward and back; smoothing | `passes.rs`, `smooth.rs`: [`DrivenHmmSmoothed`] |
//! | ∇ ln p | `gradient.rs`: [`DrivenHmmGradient`] |
//! | maximum likelihood | `fit.rs`: [`DrivenHmmFitted`], in the coordinates of `coordinates.rs` |
//! | samples | `sample.rs` |

mod coordinates;
mod file;
mod filter;
mod fit;
mod gradient;
mod model;
mod passes;
mod sample;
mod smooth;

pub use filter::DrivenHmmFilter;
pub use fit::DrivenHmmFitted;
pub use gradient::DrivenHmmGradient;
pub use model::DrivenHmm;
pub use smooth::DrivenHmmSmoothed;
