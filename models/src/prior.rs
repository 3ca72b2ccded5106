//! The prior of a model, and the belief that stands for it.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{ActivationKind, AnyPosterior, Family, LatentSettings};

use crate::draw::uniform_vector;

/// The prior p(z), learned.
#[derive(Module, Debug)]
pub struct Prior {
    /// Natural states at rest, `[latent]` each: u₀; or μ₀ and ξ₀; or logits. None for point estimates.
    pub rest: Vec<Param<Tensor<1>>>,
    /// γ, `[latent]`: logarithm of the gain of the latent activation, where there is one.
    pub log_gain: Option<Param<Tensor<1>>>,
    /// Which family.
    #[module(skip)]
    pub family: Family,
    /// The activation.
    #[module(skip)]
    pub activation: ActivationKind,
    /// λ of the thresholds, or the precision of the quadratic cost.
    #[module(skip)]
    pub threshold: f64,
    /// K.
    #[module(skip)]
    pub latents: usize,
}

impl Prior {
    /// Log-rates drawn uniformly between `low` and `high` where the family wants them so; others start at 0, which
    /// is unit scale.
    pub fn init(
        family: Family,
        latents: usize,
        activation: ActivationKind,
        threshold: f64,
        [low, high]: [f64; 2],
        device: &Device,
        seed: u64,
    ) -> Self {
        let zeros = || Param::from_tensor(Tensor::zeros([latents], device));
        let info = family.info();
        let rest = if info.is_point {
            Vec::new()
        } else if info.uniform_rest {
            let key = NoiseKey::new(seed).stream(u32::MAX - 1);
            let drawn = uniform_vector(latents, low as f32, high as f32, key, device);
            vec![Param::from_tensor(drawn)]
        } else {
            (0..info.components).map(|_| zeros()).collect()
        };
        let gained = info.learns_gain && activation != ActivationKind::None;
        Self {
            rest,
            log_gain: gained.then(zeros),
            family,
            activation,
            threshold,
            latents,
        }
    }

    /// The prior as a belief, one row, on the device of `like`.
    pub fn belief(&self, like: &Tensor<1>) -> AnyPosterior {
        let zeros = || Tensor::zeros([1, self.latents], (&like.device(), like.dtype()));
        let rows = self.rest.iter().map(|rest| rest.val().unsqueeze::<2>());
        let rows = rows.chain(std::iter::repeat_with(zeros));
        let settings = LatentSettings {
            activation: self.activation,
            gain: self
                .log_gain
                .as_ref()
                .map(|gain| gain.val().exp().unsqueeze::<2>()),
            threshold: self.threshold,
        };
        let components = rows.take(self.family.info().components).collect();
        self.family.belief(components, &settings)
    }
}
