//! What the certified step takes of a linear decoder (eqs. I32–I36).

use burn::tensor::Tensor;

use crate::decoder::ObservationNoise;

/// The quadratic part of F in rates, and a diagonal that bounds it.
///
/// ```text
/// H = ΦᵀΣ⁻¹Φ,   D_k = Σ_j |H_kj|      ΔᵀHΔ ≤ Σ_k D_k Δ_k²  for every Δ
/// ```
pub(super) struct Majoriser {
    /// D, `[1, latent]`.
    pub(super) bound: Tensor<2>,
    /// ½ diag H, `[1, latent]`: what one more spike per step adds to the variance term of F.
    pub(super) variance_cost: Tensor<2>,
}

impl Majoriser {
    /// For atoms Φᵀ, `[latent, pixels]`. H itself, `[latent, latent]`, is formed once and dropped.
    pub(super) fn of(noise: &ObservationNoise, atoms: Tensor<2>) -> Self {
        let [latent, _] = atoms.dims();
        let interactions = (atoms.clone() * noise.precision()).matmul(atoms.clone().transpose());
        Self {
            bound: interactions.abs().sum_dim(1).reshape([1, latent]),
            variance_cost: noise.curvature(atoms) * 0.5,
        }
    }
}

/// η of a certified step: the learned one, at most 1/max(β_in, 1), which eq. I36 needs. A larger one acts as the bound
/// and gets no gradient.
pub(super) fn certified_step_size(learned: Tensor<2>, leak: f64) -> Tensor<2> {
    learned.clamp_max(1.0 / leak.max(1.0))
}
