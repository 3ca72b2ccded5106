//! Gaussian and Laplace posteriors over a linear decoder as plain numbers, for the objective as one piece.

use super::plain_numbers::numbers;
use super::{Expectation, Iterative, Leak};
use crate::decoder::Decoder;
use crate::fused::{LocationScaleNetwork, LocationScaleParameters, LocationScaleRule, ScaleLaw};
use crate::ops::Law;
use crate::posterior::{ActivationKind, Posterior};

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// The network as plain numbers; `None` where `start` is not Gaussian or Laplace, the decoder not linear, the
    /// activation none that is linear in pieces, the expectation in F exact, a clamp missing, or numbers are not f32.
    pub(super) fn location_scale_network(&self, start: &P) -> Option<LocationScaleNetwork> {
        let form = start.reparameterisation()?;
        if self.generative.expectation == Expectation::Exact {
            return None;
        }
        let law = match form.law {
            Law::Normal => ScaleLaw::Normal,
            Law::Laplace => ScaleLaw::Laplace,
            Law::Gumbel => return None,
        };
        let relu = match form.activation.as_ref().map(|activation| activation.kind) {
            None | Some(ActivationKind::None) => false,
            Some(ActivationKind::Relu) => true,
            Some(_) => return None,
        };
        let [first, second] = self.dynamics.step_size.as_slice() else {
            return None;
        };
        let inner_iterations = self.rule.inner_iterations.max(1);
        let rule = LocationScaleRule {
            law,
            relu,
            inner_iterations,
            // At the first inner iteration the belief is its prior, and nothing pulls.
            leak: match self.rule.leak {
                Leak::Kl(beta) if inner_iterations > 1 => beta as f32,
                _ => 0.0,
            },
            step_bounds: finite(&self.rule.clamps.step)?,
            bounds: finite(&self.rule.clamps.state)?,
        };
        let some = |tensor| numbers(tensor).map(Some);
        let parameters = LocationScaleParameters {
            atoms: numbers(&self.generative.decoder.atoms()?)?,
            precision: numbers(&self.generative.noise.precision())?,
            homeostasis: numbers(&self.dynamics.homeostasis)?,
            step_sizes: [*numbers(first)?.first()?, *numbers(second)?.first()?],
            curvature: self.curvature.as_ref().map_or(Some(None), some)?,
            gain: form
                .activation
                .as_ref()
                .map_or(Some(None), |a| some(&a.gain))?,
        };
        Some(LocationScaleNetwork::new(parameters, rule))
    }
}

/// Bounds of μ and ξ, where both are there and are bounds.
fn finite(bounds: &[f64]) -> Option<[f32; 2]> {
    let bounds: [f64; 2] = bounds.try_into().ok()?;
    let finite = bounds.iter().all(|bound| bound.is_finite());
    finite.then(|| bounds.map(|bound| bound as f32))
}
