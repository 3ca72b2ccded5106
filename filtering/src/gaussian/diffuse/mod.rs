//! States without a prior (exact diffuse initialisation): P0 = P* + κ P∞, κ → ∞.
//!
//! | subject | file |
//! |---|---|
//! | P∞ = A Aᵀ | `basis.rs` |
//! | the filter until its belief is proper | `belief.rs` |
//! | smoothing | `smooth.rs`; covariances: `roots.rs`; what nothing is said of: `unseen.rs` |

mod basis;
mod belief;
mod roots;
mod smooth;
mod unseen;

pub(crate) use basis::DiffuseBasis;
pub(crate) use belief::DiffuseBelief;
pub(in crate::gaussian) use smooth::smoothed;
