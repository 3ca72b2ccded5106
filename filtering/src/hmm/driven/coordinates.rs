//! All parameters as one vector without bounds, and the function that a fit minimises.

use super::gradient::DrivenExpectations;
use super::model::DrivenHmm;
use crate::hmm::AnyEmission;
use crate::hmm::fitting::coordinates::{Coordinates, information};
use crate::math::bfgs::Valued;
use crate::{Result, Sequence};

/// The precision of the prior of a weight, for each squared deviation of its input: a standard deviation of 100 log odds for each
/// deviation, which no data contradict; where an input separates transitions, it keeps their weights finite.
const RIDGE: f64 = 1e-4;
/// The least information of an observation that a coordinate is scaled by; those of the chain have no units.
const LEAST: f64 = 1e-6;

/// z about a model: its coordinates without inputs, then its free weights, each in units in which an observation has an information
/// of 1.
pub(super) struct DrivenCoordinates<'a> {
    base: &'a DrivenHmm,
    chain: Coordinates<'a, AnyEmission>,
    /// The places of free weights in w.
    free: Vec<usize>,
    scales: Vec<f64>,
    /// λ of each weight `[M]`.
    ridge: Vec<f64>,
    observations: f64,
}

impl<'a> DrivenCoordinates<'a> {
    /// About `base`, the expectations under which are `expected`; `deviations` are those of the inputs `[M]`.
    pub fn about(base: &'a DrivenHmm, expected: &DrivenExpectations, deviations: &[f64]) -> Self {
        let observations = expected.chain.observations as f64;
        let ridge: Vec<f64> = deviations.iter().map(|d| RIDGE * d * d).collect();
        let free = base.places_of_free_weights();
        let mut all = information(base.base(), &expected.chain);
        let weight = |at: &usize| expected.information[*at] + ridge[at % ridge.len()];
        all.extend(free.iter().map(weight));
        let chain = Coordinates::about(base.base());
        let least = |at: usize| match at.checked_sub(chain.len()) {
            None => LEAST,
            // A weight has the unit of 1 over its input's.
            Some(at) => LEAST * deviations[free[at] % deviations.len()].powi(2),
        };
        let scales = all.iter().enumerate();
        let scales = scales.map(|(at, i)| 1.0 / (i / observations).max(least(at)).sqrt());
        Self {
            scales: scales.collect(),
            base,
            chain,
            free,
            ridge,
            observations,
        }
    }

    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// The model at z.
    ///
    /// # Errors
    /// Where z leaves the range of numbers.
    pub fn model(&self, z: &[f64]) -> Result<DrivenHmm> {
        let z = self.unscaled(z);
        let base = self.chain.model(&z[..self.chain.len()])?;
        let mut weights = self.base.weights().to_vec();
        for (at, z) in self.free.iter().zip(&z[self.chain.len()..]) {
            weights[*at] += z;
        }
        self.base.clone().with_base(base).with_flat_weights(weights)
    }

    fn unscaled(&self, z: &[f64]) -> Vec<f64> {
        z.iter().zip(&self.scales).map(|(z, s)| z * s).collect()
    }

    /// −[ln p(o|v) − ½ Σ λ_m w_ijm²] for each observation, and its gradient; none where `keeps` refuses the model.
    pub fn objective(
        &self,
        z: &[f64],
        sequences: &[Sequence],
        keeps: &dyn Fn(&DrivenHmm) -> bool,
    ) -> Valued {
        let model = self.model(z).ok().filter(|model| keeps(model))?;
        let expected = model.expectations(sequences).ok()?;
        let unscaled = self.unscaled(z);
        let (chain, slopes) = (&unscaled[..self.chain.len()], &expected.transition);
        let mut gradient =
            self.chain
                .gradient_of_slopes(chain, model.base(), &expected.chain, slopes);
        let mut value = expected.chain.log_evidence;
        for at in &self.free {
            let (w, ridge) = (model.weights()[*at], self.ridge[at % self.ridge.len()]);
            value -= 0.5 * ridge * w * w;
            gradient.push(expected.weights[*at] - ridge * w);
        }
        let scaled = gradient.iter().zip(&self.scales);
        let gradient = scaled.map(|(g, s)| -g * s / self.observations).collect();
        Some((-value / self.observations, gradient))
    }
}
