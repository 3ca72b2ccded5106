//! One step of inference.
//!
//! ```text
//! u_p ← u                                            yesterday's posterior is today's prior
//! repeat N times:
//!   z ~ q(·; u)                                      spikes
//!   g = −J(z)ᵀ Σ⁻¹ (x − f(z))                        pulled-back prediction error
//!   ∇ = natural gradient of F: g + eᵇ [+ β_in(u − u_p)]
//!   u ← clamp(u + clamp(−η∇))
//! z' ~ q(·; u),  F = −ln p(x|z') + KL[q(u) ‖ q(u_p)]
//! ```
//!
//! For a linear decoder this is a spiking recurrent network,
//! `u ← u + ΦᵀΣ⁻¹x − ΦᵀΣ⁻¹Φz − eᵇ`: feed-forward drive, lateral competition, spikes.
//! (Vafaii, Galor, Yates, arXiv 2410.19315, sections 3 and 4; equations in docs/architecture.md.)

use burn::tensor::Tensor;

use crate::decoder::{Decoder, ObservationNoise};
use crate::error::{Error, Result};
use crate::free_energy::FreeEnergy;
use crate::noise::{Draw, NoiseSource};
use crate::posterior::{Clamps, KlForm, Posterior, Sampling};

/// Whether the divergence from the prior pulls on the state while it is being inferred.
///
/// At the first inner iteration the state *is* its prior and the pull is zero, so a leak shows only
/// with two inner iterations or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leak {
    /// No pull: a perfect integrator of prediction errors.
    None,
    /// The KL's natural gradient with this weight β_in.
    Kl(f64),
}

/// The fixed choices of the inference rule; everything learned is in [`Dynamics`].
#[derive(Debug, Clone, PartialEq)]
pub struct NaturalGradient {
    /// Inner iterations N per inference step, at least 1.
    pub inner_iterations: usize,
    /// The pull of the prior.
    pub leak: Leak,
    /// How spikes are drawn.
    pub sampling: Sampling,
    /// Bounds of state and step.
    pub clamps: Clamps,
    /// The form of KL in the free energy that is reported (and learned from).
    pub kl: KlForm,
}

impl NaturalGradient {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(1..=254).contains(&self.inner_iterations) {
            let rule = "must be between 1 and 254";
            return Err(Error::setting(
                "inference.inner",
                self.inner_iterations,
                rule,
            ));
        }
        if let Leak::Kl(beta) = self.leak
            && !(beta.is_finite() && beta >= 0.0)
        {
            let rule = "must be \"none\" or a number of at least 0";
            return Err(Error::setting("inference.leak", beta, rule));
        }
        if !(self.sampling.temperature.is_finite() && self.sampling.temperature >= 0.0) {
            let rule = "must be at least 0 (0 draws exact counts)";
            return Err(Error::setting(
                "schedule.temperature",
                self.sampling.temperature,
                rule,
            ));
        }
        for c in self.clamps.state.iter().chain(&self.clamps.step) {
            if !(c.is_finite() && *c > 0.0) {
                return Err(Error::setting(
                    "inference.clamp",
                    c,
                    "every bound must be above 0",
                ));
            }
        }
        Ok(())
    }
}

/// The learned constants of the rule, ready to use.
#[derive(Debug, Clone)]
pub struct Dynamics {
    /// η = exp(log η), one `[1, 1]` tensor per component of the state.
    pub step_size: Vec<Tensor<2>>,
    /// exp(b), `[1, latent]`: the cost of a spike that homeostasis has learned.
    pub homeostasis: Tensor<2>,
}

/// A generative model together with the way it is inverted.
#[derive(Debug)]
pub struct Perception<'a, D: Decoder> {
    /// The generative direction.
    pub decoder: &'a D,
    /// Its noise, evaluated once.
    pub noise: ObservationNoise,
    /// Learned constants of the rule.
    pub dynamics: Dynamics,
    /// Fixed choices of the rule.
    pub rule: NaturalGradient,
}

/// What one step gives.
#[derive(Debug, Clone)]
pub struct Step<P: Posterior> {
    /// The belief after the step.
    pub state: P,
    /// The spikes of the last inner iteration, `[batch, latent]`, which drove the potential.
    pub spikes: Tensor<2>,
    /// The fresh sample and its score, where it was asked for.
    pub generated: Option<Generated>,
}

/// A sample from the updated belief, what it predicts, and how well that fits.
#[derive(Debug, Clone)]
pub struct Generated {
    /// z', `[batch, latent]`.
    pub sample: Tensor<2>,
    /// f(z'), `[batch, pixels]`.
    pub mean: Tensor<2>,
    /// F of this step.
    pub free_energy: FreeEnergy,
}

impl<D: Decoder> Perception<'_, D> {
    /// One inference step at time `time` from `state`, which is also the prior of the step.
    ///
    /// # Shapes
    /// - `x`: `[batch, pixels]`; components of `state`: `[batch, latent]`
    pub fn step<P: Posterior>(
        &self,
        x: &Tensor<2>,
        state: &P,
        time: usize,
        noise: &impl NoiseSource,
        generate: bool,
    ) -> Step<P> {
        let mut belief = state.clone();
        let mut spikes = None;
        for inner in 0..self.rule.inner_iterations.max(1) {
            let z = belief.sample(self.rule.sampling, noise.noise(time, Draw::Infer { inner }));
            belief = self.descend(x, &belief, state, &z);
            spikes = Some(z);
        }
        let generated = generate.then(|| {
            let sample = belief.sample(self.rule.sampling, noise.noise(time, Draw::Generate));
            self.score(x, &belief, state, sample)
        });
        Step {
            // At least one inner iteration has run.
            spikes: spikes.unwrap_or_else(|| belief.mean()),
            state: belief,
            generated,
        }
    }

    /// One inner iteration: the natural-gradient step for given spikes `z`, `[batch, latent]`.
    pub fn descend<P: Posterior>(&self, x: &Tensor<2>, belief: &P, prior: &P, z: &Tensor<2>) -> P {
        let drives = self
            .natural_gradient(x, belief, prior, z)
            .into_iter()
            .zip(&self.dynamics.step_size)
            .map(|(gradient, step_size)| gradient * step_size.clone().neg())
            .collect();
        belief.advance(drives, &self.rule.clamps)
    }

    /// The natural gradient of F at `belief` estimated with spikes `z`, one tensor per component.
    pub fn natural_gradient<P: Posterior>(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        z: &Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let residual = x.clone() - self.decoder.decode(z.clone());
        let gradient = self.decoder.pullback(z, self.noise.weigh(residual)).neg();
        let leak = match self.rule.leak {
            Leak::None => None,
            Leak::Kl(beta) => Some((beta, prior)),
        };
        belief.natural_gradient(z, gradient, leak, self.dynamics.homeostasis.clone())
    }

    /// Decodes `sample`, `[batch, latent]`, and scores it: F of `belief` against `prior`.
    pub fn score<P: Posterior>(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        sample: Tensor<2>,
    ) -> Generated {
        let mean = self.decoder.decode(sample.clone());
        let free_energy = FreeEnergy {
            reconstruction: self.noise.negative_log_likelihood(x.clone(), mean.clone()),
            kl: belief.kl_from(prior, self.rule.kl),
        };
        Generated {
            sample,
            mean,
            free_energy,
        }
    }
}
