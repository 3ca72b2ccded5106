//! A step of any decoder after which F is not higher under the same noise (eq. I38).

use burn::tensor::Tensor;

use super::{Iterative, Leak};
use crate::decoder::Decoder;
use crate::noise::Noise;
use crate::posterior::{KlForm, Posterior};

/// α of the trials, from the longest step to the shortest.
const TRIALS: [f64; 5] = [1.0, 0.25, 0.0625, 0.015625, 0.00390625];

impl<P: Posterior, D: Decoder> Iterative<'_, P, D> {
    /// One inner iteration of [`StepForm::Backtracking`](super::StepForm): the step for spikes `z`, `[batch, latent]`, of
    /// `belief`, which were drawn with `noise`. Nothing is read back from the device.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use scotopic::{inference::{Perception, StepForm}, noise::NoiseKey};
    /// use scotopic::noise::{Draw, NoiseSource};
    /// use scotopic::posterior::{Posterior, Sampling};
    /// use scotopic_models::{DecoderKind, ImageDims, Method, NetworkConfig, RuleConfig};
    /// let mut config = NetworkConfig { picture: ImageDims::row(16), latents: 8, ..Default::default() };
    /// config.decoder.kind = DecoderKind::Mlp;
    /// let model = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// let rule = RuleConfig { step: StepForm::Backtracking, ..Default::default() };
    /// let mlp = model.iterative(rule.at(1.0, Sampling::EXACT));
    /// let (x, rest) = (Tensor::<2>::ones([3, 16], &Device::flex()) * 100.0, mlp.rest(3));
    /// let noise = NoiseKey::new(0).noise(0, Draw::Infer { inner: 0 });
    /// let z = rest.sample(Sampling::EXACT, noise.clone());
    /// let after = mlp.backtrack(&x, &rest, &rest, &z, &noise);
    /// let rise = mlp.sampled_free_energy(&x, &after, &rest, &after.sample(Sampling::EXACT, noise))
    ///     - mlp.sampled_free_energy(&x, &rest, &rest, &z);
    /// assert!(rise.max().into_scalar::<f32>() <= 0.0);
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn backtrack(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        z: &Tensor<2>,
        noise: &Noise,
    ) -> P {
        let drives = self.bounded_drives(x, belief, prior, z);
        let moved = |share: Tensor<2>| {
            let parts = belief.components().into_iter().zip(&drives);
            let parts = parts.map(|(part, drive)| part + drive.clone() * share.clone());
            belief.with_components(parts.collect())
        };
        let [batch, _] = z.dims();
        let all = |share: f64| Tensor::full([batch, 1], share, (&z.device(), z.dtype()));
        let here = self.sampled_free_energy(x, belief, prior, z);
        let mut share = all(0.0);
        // The longest is tried last, so that it stands where several are good.
        for trial in TRIALS.into_iter().rev() {
            let there = moved(all(trial));
            let sample = there.sample(self.rule.sampling, noise.clone());
            let value = self.sampled_free_energy(x, &there, prior, &sample);
            let better = value.lower_equal(here.clone()).reshape([batch, 1]);
            share = share.mask_fill(better, trial);
        }
        moved(share)
    }

    /// −η∇ of every component, `[batch, latent]`, within the bounds of a step.
    fn bounded_drives(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        z: &Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let gradients = self.natural_gradient(x, belief, prior, z).into_iter();
        let bounds = self.rule.clamps.step.iter();
        gradients
            .zip(&self.dynamics.step_size)
            .zip(bounds)
            .map(|((gradient, step_size), bound)| {
                (gradient * step_size.clone().neg()).clamp(-bound, *bound)
            })
            .collect()
    }

    /// G of eq. I38 at `belief`, of which `z` is a sample, both `[batch, latent]`, but for a constant: `[batch]`, in nats.
    pub fn sampled_free_energy(
        &self,
        x: &Tensor<2>,
        belief: &P,
        prior: &P,
        z: &Tensor<2>,
    ) -> Tensor<1> {
        let [batch, _] = z.dims();
        let mean = self.generative.decoder.decode(belief.activate(z.clone()));
        let mut value = self.generative.noise.square_norm(x.clone() - mean) * 0.5;
        let mut add = |terms: Tensor<2>| value = value.clone() + terms.sum_dim(1).reshape([batch]);
        if belief.log_rate().is_some() {
            add(belief.mean() * self.dynamics.homeostasis.clone());
        }
        // The cost of a point estimate is part of its gradient, whatever the leak.
        let pull = match self.rule.leak {
            _ if belief.cost().is_some() => Some(1.0),
            Leak::Kl(beta) => Some(beta),
            Leak::None => None,
        };
        if let Some(beta) = pull {
            add(belief.kl_from(prior, KlForm::Exact) * beta);
        }
        value
    }
}
