//! What Gaussian and Laplace posteriors have in common: a location, and the logarithm of a scale.

use burn::tensor::Tensor;

use super::{Clamps, exactly, unit_sample};
use crate::noise::Noise;
use crate::ops::Law;

/// z = μ + sε with s = e^ξ, both `[batch, latent]`; ε of a unit law.
#[derive(Debug, Clone)]
pub(super) struct LocationScale {
    pub(super) location: Tensor<2>,
    pub(super) log_scale: Tensor<2>,
}

impl LocationScale {
    pub(super) fn components(&self) -> Vec<Tensor<2>> {
        vec![self.location.clone(), self.log_scale.clone()]
    }

    pub(super) fn from_components(family: &str, components: Vec<Tensor<2>>) -> Self {
        let [location, log_scale] = exactly(family, components);
        Self {
            location,
            log_scale,
        }
    }

    pub(super) fn sample(&self, law: Law, noise: Noise) -> Tensor<2> {
        unit_sample(&self.location, law, noise, |unit| {
            self.location.clone() + self.log_scale.clone().exp() * unit
        })
    }

    /// sε of a given sample, `[batch, latent]`.
    pub(super) fn excursion(&self, z: &Tensor<2>) -> Tensor<2> {
        z.clone() - self.location.clone()
    }

    /// s².
    pub(super) fn square(&self) -> Tensor<2> {
        (self.log_scale.clone() * 2.0).exp()
    }

    /// The state after the drives; an implicit step of the location is divided by 1 + ηs²H.
    pub(super) fn advance(
        &self,
        family: &str,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        let [mut location, log_scale] = exactly(family, drives);
        if let Some(curvature) = curvature {
            location = location / (self.square() * curvature.clone() + 1.0);
        }
        Self {
            location: clamps.tanh_clamped(0, &self.location, location),
            log_scale: clamps.tanh_clamped(1, &self.log_scale, log_scale),
        }
    }
}
