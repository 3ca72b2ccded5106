//! Factorisations of the posterior as a value, all on one scale: the evidence lower bound L = −F, in nats.
//!
//! ```text
//! ln p(o_1…o_T) − L = KL( q(s_1…s_T) ‖ p(s_1…s_T | o_1…o_T) ) ≥ 0
//! ```
//!
//! for each of them, so that the gaps say what each assumption costs on the data at hand.
//!
//! | subject | file |
//! |---|---|
//! | W and L of any q and any kernels; the optimal step | `value.rs`: [`ValueFunction`]; one step of it, to be taken or not: `proposal.rs` |
//! | ln π, ln A and their messages | `log_dynamics.rs`: [`LogDynamics`] |
//! | a whole sequence under a factorisation | `batch.rs`: [`Hmm::posterior`](super::Hmm::posterior) |
//! | its marginals, pairs, kernels, bound, gap | `posterior.rs`: [`Posterior`] |
//! | one observation at a time | `online.rs`: [`Online`] |
//! | kernels that are free | `reversed.rs` |
//! | a chain run forward | `forward_markov.rs` |
//! | every moment on its own | `fully_factorised.rs` |
//! | windows on their own | `block.rs` |
//! | when coordinate ascent stops, where it starts again | `sweeps.rs`: [`Sweeps`] |
//! | kernels that ignore s_t, fitted or taken from the past | `decoupled.rs`: [`Decoupled`], `frozen.rs` |
//! | one kernel for all times and its learning, its gradient | `tied.rs`: [`TiedKernel`], `tied_gradient.rs`: [`TiedGradient`] |
//! | what the online ones but the free kernels share | `restricted.rs` |
//! | gradients and natural steps of the newest factors | `psi_gradient.rs` |
//! | −∞ in files; memory to compute in | `infinities.rs`, `scratch.rs` |

mod batch;
mod block;
mod decoupled;
mod forward_markov;
mod frozen;
mod fully_factorised;
mod infinities;
mod log_dynamics;
mod online;
mod posterior;
mod proposal;
mod psi_gradient;
mod restricted;
mod reversed;
mod scratch;
mod sweeps;
mod tied;
mod tied_gradient;
mod value;

pub use decoupled::{Decoupled, DecoupledStart};
pub use log_dynamics::LogDynamics;
pub use online::Online;
pub use posterior::Posterior;
pub use psi_gradient::{
    belief_gradient, kernel_gradient, natural_belief_step, natural_kernel_step,
};
pub use sweeps::Sweeps;
pub use tied::{TiedKernel, TiedLearning, TiedStart};
pub use tied_gradient::TiedGradient;
pub use value::ValueFunction;

use serde::{Deserialize, Serialize};

/// The form of the approximate posterior q(s_1 … s_T).
///
/// | | q | cost per observation | bound |
/// |---|---|---|---|
/// | `Reversed` | q_T ∏ b_t(s_{t−1}\|s_t), all free | K², online | exact |
/// | `ForwardMarkov` | q(s_1) ∏ q(s_t\|s_{t−1}), all free | K², whole sequence | exact |
/// | `FullyFactorised` | ∏ q_t(s_t) | K² per sweep, whole sequence | loose |
/// | `Block` | windows of w, each a chain | K² per sweep, whole sequence | between `FullyFactorised` (w = 1) and exact (w ≥ T) |
/// | `DecoupledLag1` | q_T ∏ m_t(s_{t−1}) | 2K² per inner update, online | loose |
/// | `Frozen` | the same with m_t = q_{t−1} | K², online | looser |
/// | `Tied` | q_T ∏ b(s_{t−1}\|s_t), one b | K², K⁴ where it is learned, online | loose: b sees no observation |
///
/// ```
/// use scotopic_filtering::{Sequence, hmm::{Categorical, Factorisation, Hmm, Sweeps}};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let coins = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], coins)?;
/// let flips = Sequence::of_symbols([0, 0, 1, 1, 0])?;
/// let naive = model.posterior(&flips, &Factorisation::FullyFactorised(Sweeps::default()))?;
/// let exact = model.posterior(&flips, &Factorisation::Reversed)?;
/// assert!(naive.gap(&model, &flips)? > 0.0);
/// assert!(exact.gap(&model, &flips)?.abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factorisation {
    /// Backward kernels, each fitted when its observation comes and then kept.
    Reversed,
    /// Forward kernels, each of which needs all later observations.
    ForwardMarkov,
    /// Naive mean field: every moment on its own, by coordinate ascent.
    FullyFactorised(Sweeps),
    /// Structured mean field: chains in windows, by coordinate ascent.
    Block {
        /// w, moments in a window.
        window: usize,
        /// When the ascent stops.
        #[serde(default)]
        sweeps: Sweeps,
    },
    /// Naive mean field online: (q_t, m_t) by coordinate ascent, the rest frozen.
    DecoupledLag1(Decoupled),
    /// Naive mean field online in one go.
    Frozen,
    /// One backward kernel for all times.
    Tied(TiedKernel),
}
