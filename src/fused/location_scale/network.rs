//! A Gaussian or Laplace posterior over a linear decoder, as plain numbers.

use crate::fused::dictionary::Dictionary;
use crate::fused::panels::padded;

/// What is learned, in row-major order without padding.
pub(crate) struct LocationScaleParameters {
    /// Φᵀ, `[latent, pixels]`.
    pub(crate) atoms: Vec<f32>,
    /// π, `[pixels]`.
    pub(crate) precision: Vec<f32>,
    /// eᵇ, `[latent]`.
    pub(crate) homeostasis: Vec<f32>,
    /// η of μ and of ξ.
    pub(crate) step_sizes: [f32; 2],
    /// ηH, `[latent]`, for the proximal step.
    pub(crate) curvature: Option<Vec<f32>>,
    /// e^γ, `[latent]`, where there is an activation.
    pub(crate) gain: Option<Vec<f32>>,
}

/// The fixed choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LocationScaleRule {
    /// The law of z.
    pub(crate) law: ScaleLaw,
    /// Whether f is relu; else it is the identity.
    pub(crate) relu: bool,
    /// N, at least 1.
    pub(crate) inner_iterations: usize,
    /// β_in; 0 for none.
    pub(crate) leak: f32,
    /// c_d, of μ and of ξ; finite.
    pub(crate) step_bounds: [f32; 2],
    /// c, of μ and of ξ; finite.
    pub(crate) bounds: [f32; 2],
}

/// Laws of latents with a location and a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScaleLaw {
    /// N(μ, s²).
    Normal,
    /// Laplace(μ, s).
    Laplace,
}

/// Everything that one refinement takes; arrays over latents are padded.
#[derive(Debug, Clone)]
pub(crate) struct LocationScaleNetwork {
    pub(super) dictionary: Dictionary,
    pub(super) homeostasis: Vec<f32>,
    pub(super) step_sizes: [f32; 2],
    /// Zero for the explicit step.
    pub(super) curvature: Vec<f32>,
    /// One where there is no activation.
    pub(super) gain: Vec<f32>,
    pub(super) rule: LocationScaleRule,
}

impl LocationScaleNetwork {
    pub(crate) fn new(parameters: LocationScaleParameters, rule: LocationScaleRule) -> Self {
        let latents = parameters.homeostasis.len();
        let wide = |values: Option<Vec<f32>>, otherwise: f32| {
            let mut values = values.unwrap_or_default();
            values.resize(padded(latents), otherwise);
            values
        };
        Self {
            dictionary: Dictionary::new(latents, &parameters.atoms, parameters.precision),
            homeostasis: wide(Some(parameters.homeostasis), 0.0),
            step_sizes: parameters.step_sizes,
            curvature: wide(parameters.curvature, 0.0),
            gain: wide(parameters.gain, 1.0),
            rule,
        }
    }
}
