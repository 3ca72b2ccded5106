//! Mean fields over time: states independent of one another under q.

use nalgebra::DMatrix;

use super::belief::Gaussian;
use super::kernel::GaussianKernel;
use super::value::{Value, ValueRecursion};
use crate::math::cholesky::{cholesky, inverse, log_det, symmetric};
use crate::{Result, Sequence};

/// The best ∏_t N(x_t) of a whole sequence: the means are the smoothed ones, the covariances J_tt⁻¹ with J
/// the block-tridiagonal precision of the posterior,
///
/// ```text
/// J_tt = [t=1] P0⁻¹ + [t>1] Q⁻¹ + [t<T] FᵀQ⁻¹F + [y_t seen] HᵀR⁻¹H,   J_{t,t−1} = −Q⁻¹F,
/// ln p − L = ½ (Σ_t ln|J_tt| − ln|J|).
/// ```
///
/// ln|J| is Σ_t ln|S_t| of block elimination in time, S_t = J_tt − J_{t,t−1} S_{t−1}⁻¹ J_{t−1,t}.
pub(super) struct TemporalMeanField {
    pub covariances: Vec<DMatrix<f64>>,
    /// ln p − L ≥ 0, in nats.
    pub gap: f64,
}

pub(super) fn temporal(
    recursion: &ValueRecursion,
    observations: &Sequence,
) -> Result<TemporalMeanField> {
    let last = observations.len().saturating_sub(1);
    let mut covariances = Vec::with_capacity(observations.len());
    let mut gap = 0.0;
    let mut eliminated: Option<DMatrix<f64>> = None;
    for (t, y) in observations.iter().enumerate() {
        // S_{t−1} holds FᵀQ⁻¹F already.
        let (mut own, mut rest) = match &eliminated {
            None => {
                let p0 = inverse(&cholesky(
                    "initial_covariance",
                    recursion.model.initial_covariance(),
                )?);
                (p0.clone(), p0)
            }
            Some(before) => {
                let solved = cholesky("precision of the states", before)?.solve(&recursion.f_q);
                let q = &recursion.q_inverse;
                (q.clone(), q - recursion.f_q.transpose() * solved)
            }
        };
        for m in [&mut own, &mut rest] {
            if let Some(y) = y {
                *m += &recursion.seen(y)?.h_r_h;
            }
            if t < last {
                *m += &recursion.f_q_f;
            }
        }
        let rest = symmetric(rest);
        let factor = cholesky("J", &own)?;
        gap += 0.5 * (log_det(&factor) - log_det(&cholesky("precision of the states", &rest)?));
        covariances.push(inverse(&factor));
        eliminated = Some(rest);
    }
    Ok(TemporalMeanField { covariances, gap })
}

/// The kernel of online mean field with the past fixed (as in variational joint
/// filtering): b_t(x_{t−1}|x_t) = q_{t−1}(x_{t−1}), so that
/// L_t = E[ln p(x_t|x_{t−1}) + ln p(y_t|x_t)] + H[q_t] + what was there before.
pub(super) fn frozen(belief: &Gaussian) -> GaussianKernel {
    let n = belief.states();
    GaussianKernel {
        gain: DMatrix::zeros(n, n),
        offset: belief.mean.clone(),
        covariance: belief.covariance.clone(),
    }
}

/// The best kernel among those that do not look at x_t: E = 0, L = (Λ + FᵀQ⁻¹F)⁻¹ and the mean of the optimal
/// step.
pub(super) fn decoupled(
    recursion: &ValueRecursion,
    value: &Value,
    y: Option<&[f64]>,
) -> Result<GaussianKernel> {
    let (earlier, _) = recursion.best_means(value, y)?;
    let n = earlier.len();
    Ok(GaussianKernel {
        gain: DMatrix::zeros(n, n),
        offset: earlier,
        covariance: recursion.optimal_kernel(value)?.covariance,
    })
}
