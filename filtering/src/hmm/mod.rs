//! Hidden Markov models: the hidden state is one of K.
//!
//! Shapes, everywhere in this room: π `[K]`; A `[K, K]`, `A[i][j] = p(s_t = j | s_{t−1} = i)`; ℓ_t `[K]`,
//! `ℓ_t[j] = ln p(o_t | s_t = j)`, all zero for a missing observation; kernels `[K, K]`,
//! `b[j][i] = b_t(s_{t−1} = i | s_t = j)`. Matrices are row after row.
//!
//! | question | file |
//! |---|---|
//! | π, A and the emission, checked | `model.rs`: [`Hmm`] |
//! | ln p(o_1…o_T), q_t for a whole sequence | `filtered.rs`: [`Hmm::log_evidence`], [`Hmm::filter`] |
//! | γ_t, ξ_t | `smoother.rs`: [`Hmm::smooth`] |
//! | expected counts, the E-step | `expectations.rs`: [`Hmm::expectations`] |
//! | one step of the exact filter, its kernel, its arithmetic | `forward.rs`, `kernel.rs`, `products.rs` |
//! | p(o\|s) | `emission/`: [`Emission`], [`Learnable`] |

mod emission;
mod expectations;
mod filtered;
mod forward;
mod kernel;
mod model;
mod products;
mod smoother;

pub use emission::{
    AnyEmission, Categorical, DiagonalGaussian, Emission, FullGaussian, Learnable, Poisson,
};
pub use expectations::Expectations;
pub use filtered::Filtered;
pub use model::Hmm;
pub use smoother::Smoothed;
