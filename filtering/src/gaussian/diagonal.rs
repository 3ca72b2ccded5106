//! Reversed kernels and beliefs that are diagonal over the entries of the state, fitted to the bound.

use nalgebra::DMatrix;

use super::belief::Gaussian;
use super::kernel::GaussianKernel;
use super::value::{Value, ValueRecursion};
use crate::Result;

/// The newest factors of q = N(μ, diag s) ∏ N(e ∘ x_t + f, diag l) that make L_t largest with W_{t−1} as it
/// is (A. Campbell et al. 2021, figure 1, fit these by stochastic gradients; here the optimum is closed).
///
/// Under such factors x_{t−1} has mean α = e ∘ μ + f and variances e²s + l, and Cov(x_{t−1}, x_t) = e s, so
/// with A = Λ + FᵀQ⁻¹F, G = FᵀQ⁻¹ and B = Q⁻¹ + HᵀR⁻¹H
///
/// ```text
/// L_t = quadratic(α, μ) − ½ Σ_i [A_ii (e_i² s_i + l_i) − 2 G_ii e_i s_i + B_ii s_i − ln l_i − ln s_i] + …
/// ```
///
/// Means and variances do not meet: α and μ are those of the optimal step, and
/// l_i = 1/A_ii, e_i = G_ii/A_ii, s_i = 1/(B_ii − G_ii²/A_ii) = 1/(Λ_t)_ii. Exact where F, Q, H, R and P0 are
/// diagonal.
pub(super) fn newest(
    recursion: &ValueRecursion,
    value: &Value,
    y: Option<&[f64]>,
) -> Result<GaussianKernel> {
    let (earlier, mean) = recursion.best_means(value, y)?;
    let a = (&value.precision + &recursion.f_q_f).diagonal();
    let gain = recursion.f_q.diagonal().component_div(&a);
    Ok(GaussianKernel {
        offset: earlier - gain.component_mul(&mean),
        gain: DMatrix::from_diagonal(&gain),
        covariance: DMatrix::from_diagonal(&a.map(|a| 1.0 / a)),
    })
}

/// The diagonal belief that is best for a W_t: μ = Λ⁻¹h, s_i = 1/Λ_ii.
pub(super) fn belief(value: &Value) -> Result<Gaussian> {
    Ok(Gaussian {
        mean: value.optimum()?.mean,
        covariance: DMatrix::from_diagonal(&value.precision.diagonal().map(|p| 1.0 / p)),
    })
}
