//! q(x) given q(s): a linear-Gaussian model whose dynamics change with time, under Gaussian sites.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};

use super::densities::Densities;
use crate::gaussian::{LinearGaussian, Posterior, Site};
use crate::math::cholesky::{cholesky, inverse, symmetric};
use crate::{Result, Sequence};

/// The Gaussian q(x_1…x_T) ∝ exp E_q(s)[ln p(x, y, s)] for regime probabilities γ `[T·K]` (eqs. F111, F112). With all averages under γ_t,
///
/// ```text
/// Q̄_t⁻¹ = Σ_k γ_tk Q_k⁻¹,   [F̄_t b̄_t] = Q̄_t Σ_k γ_tk Q_k⁻¹[F_k b_k]
/// ```
///
/// and what the regimes differ from [F̄ b̄] is a site on x_{t−1}, beside that of y_t on x_t.
pub(super) fn posterior(
    densities: &Densities<'_>,
    sequence: &Sequence,
    marginals: &[f64],
) -> Result<Posterior> {
    let model = densities.model;
    let (k, n) = (model.regimes_len(), model.states());
    let rows = marginals.chunks_exact(k);
    let none = || Site {
        precision: DMatrix::zeros(n, n),
        shift: DVector::zeros(n),
    };
    let mut sites: Vec<Option<Site>> = Vec::with_capacity(sequence.len());
    let mut dynamics: Vec<Cow<'_, LinearGaussian>> = Vec::with_capacity(sequence.len());
    for ((t, weights), row) in rows.enumerate().zip(sequence.iter()) {
        let mut own = None;
        if let Some(row) = densities.row(row)? {
            row.add_site(weights, own.get_or_insert_with(none));
        }
        sites.push(own);
        match densities.only(weights) {
            // Exactly the Kalman filter's where the regime is known.
            Some(regime) => dynamics.push(Cow::Borrowed(regime)),
            None if t == 0 => dynamics.push(Cow::Borrowed(model.start())),
            None => {
                let (mean, site) = averaged(densities, weights)?;
                let before = sites[t - 1].get_or_insert_with(none);
                before.precision = symmetric(&before.precision + site.precision);
                before.shift += site.shift;
                dynamics.push(Cow::Owned(mean));
            }
        }
    }
    Posterior::new(model.start(), |t| &*dynamics[t], &sites)
}

/// The model with F̄, b̄, Q̄, and the site on the state before:
///
/// ```text
/// J = Σ_k γ_k (F_k − F̄)ᵀQ_k⁻¹(F_k − F̄),   h = −Σ_k γ_k (F_k − F̄)ᵀQ_k⁻¹(b_k − b̄)
/// ```
fn averaged(densities: &Densities<'_>, weights: &[f64]) -> Result<(LinearGaussian, Site)> {
    let model = densities.model;
    let n = model.states();
    let (mut precision, mut slope) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
    let mut shift = DVector::zeros(n);
    let each = || {
        model
            .regimes()
            .iter()
            .zip(&densities.precisions)
            .zip(weights)
    };
    for ((regime, own), weight) in each() {
        let own = own * *weight;
        slope += &own * regime.transition();
        shift += &own * regime.bias();
        precision += own;
    }
    let factor = cholesky("the average of the precisions of the regimes", &precision)?;
    let (f, b) = (factor.solve(&slope), factor.solve(&shift));
    let mut site = Site {
        precision: DMatrix::zeros(n, n),
        shift: DVector::zeros(n),
    };
    for ((regime, own), weight) in each() {
        let (away, beside) = (regime.transition() - &f, regime.bias() - &b);
        let weighted = away.transpose() * own * *weight;
        site.precision += &weighted * &away;
        site.shift -= weighted * beside;
    }
    site.precision = symmetric(site.precision);
    Ok((model.start().with_dynamics(f, b, inverse(&factor)), site))
}
