//! The iterative Poisson VAE.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{
    Dynamics, NaturalGradient, Perception, Record, Stimulus, Trajectory, unroll,
};
use scotopic::noise::{NoiseKey, NoiseSource};
use scotopic::posterior::PoissonPosterior;
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::dictionary::{LinearDictionary, LinearDictionaryConfig};
use crate::draw::uniform_vector;

/// The iP-VAE: a spiking network that explains its input by natural-gradient descent on free energy.
///
/// ```text
/// p(z) = Poisson(e^{u₀}),  p(x|z) = N(f(z), σ²)          the generative model
/// u_{t+1} = clamp(u_t + clamp(−η(−Jᵀ Σ⁻¹(x − f(z_t)) + eᵇ)))   its inversion, z_t ~ Poisson(e^{u_t})
/// ```
///
/// All that is learned: the decoder (with σ), the resting potential u₀, the homeostatic cost eᵇ of a
/// spike, and the step size η. There is no encoder.
///
/// H. Vafaii, D. Galor, J. L. Yates, "Brain-like variational inference", arXiv 2410.19315.
///
/// See the crate's first page for an example.
#[derive(Module, Debug)]
pub struct IterativeVae<D: Module = LinearDictionary> {
    /// f(z) and the observation noise.
    pub decoder: D,
    /// u₀, `[latent]`: log-rates of the prior, in nats.
    pub resting: Param<Tensor<1>>,
    /// b, `[latent]`: logarithm of the homeostatic term.
    pub log_homeostasis: Param<Tensor<1>>,
    /// ln η, `[1]`.
    pub log_step: Param<Tensor<1>>,
}

/// Sizes and initial values of an [`IterativeVae`] with a linear decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IterativeVaeConfig {
    /// Observed dimensions M; found from the data, not configured.
    #[serde(skip)]
    pub pixels: usize,
    /// Latents (neurons) K.
    pub latents: usize,
    /// Standard deviation of the initial atoms.
    pub init_deviation: f64,
    /// Lower end of the initial resting potentials.
    pub resting_low: f64,
    /// Upper end of the initial resting potentials.
    pub resting_high: f64,
    /// Initial b.
    pub log_homeostasis: f64,
    /// Initial ln η.
    pub log_step: f64,
}

impl Default for IterativeVaeConfig {
    fn default() -> Self {
        Self {
            pixels: 256,
            latents: 512,
            init_deviation: 1e-4,
            resting_low: -6.0,
            resting_high: -4.0,
            log_homeostasis: -3.0,
            log_step: 0.0,
        }
    }
}

impl IterativeVaeConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if !(1..=1 << 20).contains(&self.latents) {
            return Err(Error::setting(
                "model.latents",
                self.latents,
                "must be between 1 and 1048576",
            ));
        }
        if !(1..=1 << 24).contains(&self.pixels) {
            return Err(Error::setting(
                "pixels of the data",
                self.pixels,
                "must be between 1 and 16777216",
            ));
        }
        if !(self.init_deviation.is_finite() && self.init_deviation > 0.0) {
            return Err(Error::setting(
                "model.init_deviation",
                self.init_deviation,
                "must be above 0",
            ));
        }
        if !(self.resting_low.is_finite()
            && self.resting_high.is_finite()
            && self.resting_low <= self.resting_high)
        {
            let rule = "must be finite and at most model.resting_high";
            return Err(Error::setting("model.resting_low", self.resting_low, rule));
        }
        for (key, value) in [
            ("model.log_homeostasis", self.log_homeostasis),
            ("model.log_step", self.log_step),
        ] {
            if !(-20.0..=20.0).contains(&value) {
                return Err(Error::setting(key, value, "must be between -20 and 20"));
            }
        }
        Ok(())
    }

    /// A model with small random atoms on `device`; the same seed gives the same model everywhere.
    ///
    /// # Errors
    /// As [`IterativeVaeConfig::validate`].
    pub fn init(&self, device: &Device, seed: u64) -> Result<IterativeVae> {
        self.validate()?;
        let Self {
            pixels, latents, ..
        } = *self;
        let key = NoiseKey::new(seed).stream(u32::MAX - 1);
        let (low, high) = (self.resting_low as f32, self.resting_high as f32);
        Ok(IterativeVae {
            decoder: LinearDictionaryConfig {
                pixels,
                latents,
                deviation: self.init_deviation,
            }
            .init(device, seed),
            resting: Param::from_tensor(uniform_vector(latents, low, high, key, device)),
            log_homeostasis: Param::from_tensor(Tensor::full(
                [latents],
                self.log_homeostasis,
                device,
            )),
            log_step: Param::from_tensor(Tensor::full([1], self.log_step, device)),
        })
    }
}

impl<D: Module + Decoder> IterativeVae<D> {
    /// The belief before anything is seen: the prior, for `batch` data.
    pub fn rest(&self, batch: usize) -> PoissonPosterior {
        let resting = self.resting.val();
        let [latent] = resting.dims();
        PoissonPosterior::new(resting.unsqueeze::<2>().expand([batch, latent]))
    }

    /// The model as something that can infer, under the given rule.
    pub fn perception(&self, rule: NaturalGradient) -> Perception<'_, D> {
        Perception {
            decoder: &self.decoder,
            noise: self.decoder.observation_noise(),
            dynamics: Dynamics {
                step_size: vec![self.log_step.val().exp().unsqueeze::<2>()],
                homeostasis: self.log_homeostasis.val().exp().unsqueeze::<2>(),
            },
            rule,
        }
    }

    /// `steps` steps of inference on a static image batch `[batch, pixels]`, from rest.
    pub fn infer(
        &self,
        image: Tensor<2>,
        steps: usize,
        rule: NaturalGradient,
        noise: &impl NoiseSource,
        record: Record,
    ) -> Trajectory<PoissonPosterior> {
        let rest = self.rest(image.dims()[0]);
        unroll(
            &self.perception(rule),
            &Stimulus::Static(image),
            rest,
            0..steps,
            noise,
            record,
        )
    }
}
