//! Networks as equations of motion, learned from the beliefs of a filter: x' = f(x, v) + w, y = g(x, v) + z.
//!
//! # Objective
//!
//! For any distribution q of the states, causes and motions behind observations y
//!
//! ```text
//! −ln p(y | θ)  ≤  F(q, θ) = E_q[−ln p(y, x, v | θ)] − H[q],
//! ```
//!
//! with equality where q is the posterior at θ. θ are the weights of f and g and the precisions Π_w, Π_z. Filtering
//! brings q to the posterior; learning holds q and lowers F by θ. Of F only the expected energy depends on θ then,
//!
//! ```text
//! E(θ) = Σ_b ½ E_q[e_w' Π_w e_w]/σ_w² − ½ ln |Π_w| + ½ E_q[e_z' Π_z e_z]/σ_z² − ½ ln |Π_z|,
//! e_w = Σ_i w_i (x'_{b−i} − f(x_{b−i}, v_{b−i})),     e_z = Σ_i w_i (y_{b−i} − g(x_{b−i}, v_{b−i})),
//! ```
//!
//! with w and σ² the whitening of noise that remembers ([`TransitionCollector`]). At the θ that q was filtered with its slope is
//! minus that of the evidence (Fisher's identity), so that a step down E is one up the evidence; and a θ with less E has
//! less F (expectation–maximisation, without the need to reach the minimum).
//!
//! **What is held fixed**: the beliefs, means and covariances, and with them how x_b and x_{b+1} make the motion x'_b.
//!
//! **How the covariance enters**: the expectation is over the points of a cubature ([`RegressionPoints`]). For a linear f it is
//! exact, ½ e' Π e at the mean and ½ tr(Π J P J'), J = ∂e/∂(x, v, x') and P the covariance; for a network the
//! same to second order, without its Jacobian. The trace is what keeps a network from fitting the error of a mean.
//!
//! **The precisions** have a closed minimum, Σ = E_q[e e']/σ², taken after the weights ([`NoiseStructure`]).
//!
//! **What is not exact.** Beliefs are smoothed over a few bins, not over the whole series; those of a nonlinear model
//! are Gaussian; the change of φ_1(f_x) with θ is left out. At the true flow all three leave the average slope near 0, which is
//! what makes it the place where learning ends.
//!
//! | subject | file |
//! |---|---|
//! | a network as a burn module, from plain weights and back | `map.rs`: [`NeuralMap`] |
//! | the expected energy on tensors | `energy.rs`: [`Batch`], [`expected_energy`] |
//! | settings | `config.rs`: [`FlowLearningConfig`], [`NoiseStructure`] |
//! | M-step: weights and precisions | `m_step.rs` |
//! | filter, learn, filter again: whole series | `offline.rs`: [`learn`] |
//! | while filtering | `online.rs`: [`OnlineFlow`] |
//!
//! # References
//! - R. Neal, G. Hinton, "A view of the EM algorithm that justifies incremental, sparse, and other variants", 1998.
//! - Z. Ghahramani, S. Roweis, "Learning nonlinear dynamical systems using an EM algorithm", NeurIPS 1998.
//! - K. Friston, N. Trujillo-Barreto, J. Daunizeau, "DEM", NeuroImage 41, 2008.
//!
//! [`TransitionCollector`]: scotopic::filtering::generalised::causal::TransitionCollector
//! [`RegressionPoints`]: scotopic::filtering::generalised::RegressionPoints

mod config;
mod energy;
mod m_step;
mod map;
mod offline;
mod online;

pub use config::{FlowLearningConfig, NoiseStructure};
pub use energy::{Batch, expected_energy};
pub use map::NeuralMap;
pub use offline::{FlowFit, Round, learn};
pub use online::OnlineFlow;
