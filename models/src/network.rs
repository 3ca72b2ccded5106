//! A generative model and its inference method, as one burn module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{
    Dynamics, Generative, Iterative, NaturalGradient, Perception, Predictive, RecordOptions,
    Stimulus, Trajectory, unroll,
};
use scotopic::noise::NoiseSource;
use scotopic::posterior::{ActivationKind, AnyPosterior, Family};
use scotopic::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::decoder::{DecoderConfig, DecoderNet};
use crate::encoder::{EncoderConfig, EncoderKind, EncoderNet};
use crate::image_dims::ImageDims;
use crate::inverse::{Amortized, Descent, IterativeAmortized, SemiAmortized};
use crate::prior::Prior;
use crate::transition::{Transition, TransitionKind};

/// Ways to infer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Natural-gradient descent on F, online: the iterative VAEs (iP-VAE, iG-VAE, …).
    #[default]
    NaturalGradient,
    /// One pass of an encoder: P-VAE, G-VAE, ….
    Amortized,
    /// A network that has learned to refine: ia-VAE.
    IterativeAmortized,
    /// An encoder, then gradient steps: sa-VAE.
    SemiAmortized,
    /// Gradient descent with a fixed step size and local learning: predictive coding, LCA.
    Descent,
}

impl Method {
    /// Whether there is an encoder (or an updater) to learn.
    pub fn has_encoder(self) -> bool {
        !matches!(self, Self::NaturalGradient | Self::Descent)
    }

    /// What learning records of an unroll: where F falls along the way it is averaged over all steps; a
    /// semi-amortized posterior and a point estimate are scored at their final state.
    pub fn learns_from(self) -> RecordOptions {
        match self {
            Self::SemiAmortized | Self::Descent => RecordOptions {
                every: usize::MAX,
                ..RecordOptions::GENERATED
            },
            _ => RecordOptions::GENERATED,
        }
    }

    /// Whether the step size is a parameter.
    pub fn has_step_size(self) -> bool {
        !matches!(self, Self::Amortized | Self::IterativeAmortized)
    }
}

/// A model: decoder, prior, and what its way of inference needs.
///
/// ```text
/// p(z) the prior,  p(x|z) = N(f(a(z)), σ²)          the generative model
/// u_{t+1} = refine(x, u_t)                            its inversion
/// ```
///
/// | published name | family | method |
/// |---|---|---|
/// | iP-VAE | Poisson | natural gradient |
/// | iG-VAE, iG_relu-VAE | Gaussian (activation none, relu) | natural gradient |
/// | P-VAE, G-VAE, Laplace VAE, categorical VAE | each | amortized |
/// | ia-VAE, sa-VAE | any | iterative-amortized, semi-amortized |
/// | PC | point | descent |
/// | LCA, sparse coding | soft- or hard-threshold | descent |
#[derive(Module, Debug)]
pub struct Network {
    /// f(z) and the observation noise.
    pub decoder: DecoderNet,
    /// p(z).
    pub prior: Prior,
    /// b, `[latent]`: logarithm of the homeostatic term of the natural-gradient rule.
    pub log_homeostasis: Option<Param<Tensor<1>>>,
    /// ln η, `[1]` for each component of the state, where steps have a size.
    pub log_step: Vec<Param<Tensor<1>>>,
    /// The recognition network, or the network that refines.
    pub encoder: Option<EncoderNet>,
    /// How the prior of a step follows from the belief before it.
    pub transition: Transition,
    /// How it infers.
    #[module(skip)]
    pub method: Method,
}

/// Sizes and initial values of a [`Network`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// What a datum is; found from the data, not configured.
    #[serde(skip, default = "no_picture")]
    pub picture: ImageDims,
    /// Latents (neurons) K.
    pub latents: usize,
    /// The family of latents.
    pub family: Family,
    /// The activation between latents and decoder (families gaussian and point).
    #[serde(alias = "transfer")]
    pub activation: ActivationKind,
    /// λ of the soft and hard thresholds; the precision of the prior for point estimates.
    pub threshold: f64,
    /// Lower end of the initial resting potentials (family poisson).
    pub resting_low: f64,
    /// Upper end of the initial resting potentials (family poisson).
    pub resting_high: f64,
    /// Initial b.
    pub log_homeostasis: f64,
    /// Initial ln η.
    pub log_step: f64,
    /// The prior of a step, given the belief before it (method natural-gradient).
    pub transition: TransitionKind,
    /// The generative network.
    pub decoder: DecoderConfig,
    /// The recognition network, where the method has one.
    pub encoder: EncoderConfig,
}

fn no_picture() -> ImageDims {
    ImageDims::row(256)
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            picture: no_picture(),
            latents: 512,
            family: Family::Poisson,
            activation: ActivationKind::None,
            threshold: 1.0,
            resting_low: -6.0,
            resting_high: -4.0,
            log_homeostasis: -3.0,
            log_step: 0.0,
            transition: TransitionKind::Carried,
            decoder: DecoderConfig::default(),
            encoder: EncoderConfig::default(),
        }
    }
}

impl NetworkConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that makes no sense.
    pub fn validate(&self, method: Method) -> Result<()> {
        if !(1..=1 << 20).contains(&self.latents) {
            return Err(Error::setting(
                "model.latents",
                self.latents,
                "must be between 1 and 1048576",
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
        if !(self.threshold.is_finite() && self.threshold >= 0.0) {
            let rule = "must be a number of at least 0";
            return Err(Error::setting("model.threshold", self.threshold, rule));
        }
        if self.activation != ActivationKind::None && !self.family.info().takes_activation {
            return Err(Error::setting(
                "model.activation",
                format!("{:?}", self.activation).to_lowercase(),
                "only latents of family \"gaussian\" or \"point\" pass through one; set it to \"none\"",
            ));
        }
        if self.family.info().is_point != (method == Method::Descent) {
            return Err(Error::setting(
                "model.family",
                self.family.info().name,
                "point estimates (point, soft-threshold, hard-threshold) and inference.method = \"descent\" belong together",
            ));
        }
        let online = method == Method::NaturalGradient;
        self.transition.validate(online, self.family)?;
        self.decoder.validate()?;
        if method.has_encoder() {
            self.encoder.validate()?;
            if method == Method::IterativeAmortized && self.encoder.kind == EncoderKind::Conv {
                return Err(Error::setting(
                    "model.encoder.kind",
                    "conv",
                    "the network that refines sees latents and gradients, not pictures: use \"mlp\" or \"linear\"",
                ));
            }
        }
        Ok(())
    }

    /// How many numbers the parameters of the model are; saturates instead of wrapping round.
    pub fn parameters(&self, method: Method) -> usize {
        let k = self.latents;
        let info = self.family.info();
        let components = info.components;
        let gained = info.learns_gain && self.activation != ActivationKind::None;
        let prior = match info.is_point {
            true => 0,
            false => (components + usize::from(gained)) * k,
        };
        let homeostasis = usize::from(method == Method::NaturalGradient) * k;
        let steps = usize::from(method.has_step_size()) * components;
        let states = components.saturating_mul(k);
        let twice = states.saturating_mul(2);
        let encoder = match method {
            Method::NaturalGradient | Method::Descent => 0,
            Method::IterativeAmortized => self.encoder.parameters(ImageDims::row(twice), twice),
            Method::Amortized | Method::SemiAmortized => {
                self.encoder.parameters(self.picture, states)
            }
        };
        let transition = self.transition.parameters(k);
        [prior, homeostasis, steps, encoder, transition]
            .into_iter()
            .fold(
                self.decoder.parameters(k, self.picture),
                usize::saturating_add,
            )
    }

    /// A model with random weights on `device`; the same seed gives the same model everywhere.
    ///
    /// # Errors
    /// As [`NetworkConfig::validate`], or if the networks do not fit the picture.
    pub fn init(&self, method: Method, device: &Device, seed: u64) -> Result<Network> {
        self.validate(method)?;
        let picture = self.picture;
        if !(1..=1 << 24).contains(&picture.pixels()) {
            return Err(Error::setting(
                "pixels of the data",
                picture.pixels(),
                "must be between 1 and 16777216",
            ));
        }
        self.decoder.validate_for(picture)?;
        let latents = self.latents;
        let components = self.family.info().components;
        let encoder = match method {
            Method::NaturalGradient | Method::Descent => None,
            Method::IterativeAmortized => {
                let inputs = ImageDims::row(2 * components * latents);
                let outputs = 2 * components * latents;
                Some(self.encoder.init(inputs, outputs, device, seed))
            }
            Method::Amortized | Method::SemiAmortized => {
                self.encoder.validate_for(picture)?;
                let outputs = components * latents;
                Some(self.encoder.init(picture, outputs, device, seed))
            }
        };
        let vector = |value: f64, n: usize| {
            let param = Param::from_tensor(Tensor::full([n], value, device));
            // Descent learns nothing but its decoder.
            param.set_require_grad(method != Method::Descent)
        };
        let steps = usize::from(method.has_step_size()) * components;
        Ok(Network {
            decoder: self.decoder.init(latents, picture, device, seed),
            prior: Prior::init(
                self.family,
                latents,
                self.activation,
                self.threshold,
                [self.resting_low, self.resting_high],
                device,
                seed,
            ),
            log_homeostasis: (method == Method::NaturalGradient)
                .then(|| vector(self.log_homeostasis, latents)),
            log_step: (0..steps).map(|_| vector(self.log_step, 1)).collect(),
            encoder,
            transition: Transition::init(self.transition, latents, device),
            method,
        })
    }
}

impl Network {
    /// The same model with atoms of length 1, for decoders that are to be kept so.
    pub fn normalised(self) -> Self {
        Self {
            decoder: self.decoder.normalised(),
            ..self
        }
    }

    /// Latents K.
    pub fn latents(&self) -> usize {
        self.prior.latents
    }

    /// The model as something that can infer, under the given rule: everything that does not change over
    /// an unroll is evaluated here.
    pub fn perception(
        &self,
        rule: NaturalGradient,
    ) -> Box<dyn Perception<Belief = AnyPosterior> + '_> {
        match (self.method, &self.encoder) {
            (Method::Amortized, Some(encoder)) => Box::new(self.amortized(encoder, rule)),
            (Method::SemiAmortized, Some(encoder)) => Box::new(SemiAmortized {
                start: self.amortized(encoder, rule),
                step_size: self.step_sizes(),
            }),
            (Method::IterativeAmortized, Some(updater)) => Box::new(IterativeAmortized {
                generative: self.generative(&rule),
                rest: self.rest(),
                updater,
                rule,
            }),
            (Method::Descent, _) => Box::new(Descent(self.iterative(rule))),
            // A method that needs an encoder has one from `NetworkConfig::init` on.
            _ => match self.transition.prior() {
                None => Box::new(self.iterative(rule)),
                Some(transition) => Box::new(Predictive {
                    iterative: self.iterative(rule),
                    transition,
                }),
            },
        }
    }

    /// The natural-gradient rule on this model, whatever its own method is.
    pub fn iterative(&self, rule: NaturalGradient) -> Iterative<'_, AnyPosterior, DecoderNet> {
        let like = self.decoder.observation_noise().log_sigma();
        let zeros = || Tensor::zeros([1, self.latents()], (&like.device(), like.dtype()));
        let cost = self.log_homeostasis.as_ref();
        let dynamics = Dynamics {
            step_size: self.step_sizes(),
            homeostasis: cost.map_or_else(zeros, |b| b.val().exp().unsqueeze::<2>()),
        };
        Iterative::new(&self.decoder, self.rest(), dynamics, rule)
    }

    /// `steps` steps of inference on a static image batch `[batch, pixels]`, from rest.
    pub fn infer(
        &self,
        image: Tensor<2>,
        steps: usize,
        rule: NaturalGradient,
        noise: &dyn NoiseSource,
        record: RecordOptions,
    ) -> Trajectory<AnyPosterior> {
        let perception = self.perception(rule);
        let rest = perception.rest(image.dims()[0]);
        let stimulus = Stimulus::Static(image);
        unroll(&*perception, &stimulus, rest, 0..steps, noise, record)
    }

    /// The belief before anything is seen: the prior, one row.
    pub fn rest(&self) -> AnyPosterior {
        let noise = self.decoder.observation_noise().log_sigma();
        let [_, pixels] = noise.dims();
        self.prior.belief(&noise.reshape([pixels]))
    }

    fn step_sizes(&self) -> Vec<Tensor<2>> {
        let sizes = self.log_step.iter();
        sizes.map(|log| log.val().exp().unsqueeze::<2>()).collect()
    }

    fn generative(&self, rule: &NaturalGradient) -> Generative<'_, DecoderNet> {
        Generative::new(&self.decoder, rule.kl, rule.expectation)
    }

    fn amortized<'a>(
        &'a self,
        encoder: &'a EncoderNet,
        rule: NaturalGradient,
    ) -> Amortized<'a, AnyPosterior, DecoderNet> {
        Amortized {
            generative: self.generative(&rule),
            rest: self.rest(),
            encoder,
            rule,
        }
    }
}
