//! Hidden Markov models: the hidden state is one of K.
//!
//! Shapes, everywhere in this room: π `[K]`; A `[K, K]`, `A[i][j] = p(s_t = j | s_{t−1} = i)`; ℓ_t `[K]`,
//! `ℓ_t[j] = ln p(o_t | s_t = j)`, all zero for a missing observation; kernels `[K, K]`,
//! `b[j][i] = b_t(s_{t−1} = i | s_t = j)`. Matrices are row after row.
//!
//! | question | file |
//! |---|---|
//! | π, A and the emission, checked | `model.rs`: [`Hmm`] |
//! | p(o\|s) | `emission/`: [`Emission`], [`Learnable`] |

mod emission;
mod model;

pub use emission::{
    AnyEmission, Categorical, DiagonalGaussian, Emission, FullGaussian, Learnable, Poisson,
};
pub use model::Hmm;
