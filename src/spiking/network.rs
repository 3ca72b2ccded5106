//! The spiking network of a Poisson posterior and a linear decoder, as plain numbers.

use crate::fused::Dictionary;
use crate::inference::Leak;
use crate::ops::Relaxation;
use crate::posterior::KlForm;

/// Everything that one refinement takes.
///
/// ```text
/// z ~ Poisson(eᵘ),  e = π(x − Φz),  ∇ = −Φᵀe + eᵇ [+ β_in(u − u_p)]
/// u ← clamp(u + clamp(d)),  d + ηλH(e^d − 1) = −η∇
/// ```
#[derive(Debug, Clone)]
pub(crate) struct SpikingNetwork {
    /// Φ and π.
    pub(crate) dictionary: Dictionary,
    /// eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// η.
    pub(crate) step_size: f32,
    /// ηH, H = diag ΦᵀΣ⁻¹Φ, `[latent]`, for the proximal step; ηD, D the row sums of |ΦᵀΣ⁻¹Φ|, for the certified one.
    pub(crate) curvature: Option<Vec<f32>>,
    /// H = diag ΦᵀΣ⁻¹Φ, `[latent]`, where the expectation in F is exact.
    pub(crate) spread: Option<Vec<f32>>,
    /// What is not learned.
    pub(crate) rule: SpikingRule,
}

/// The fixed choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpikingRule {
    /// N, at least 1.
    pub(crate) inner_iterations: usize,
    /// β_in, or none.
    pub(crate) leak: Leak,
    /// Soft ceiling of the step; infinite together with that of the potential for none.
    pub(crate) step_ceiling: f32,
    /// Soft ceiling of the potential.
    pub(crate) ceiling: f32,
    /// τ and the indicator.
    pub(crate) relaxation: Relaxation,
    /// Added to the rate before sampling.
    pub(crate) rate_floor: f32,
    /// The form of the KL.
    pub(crate) kl: KlForm,
}
