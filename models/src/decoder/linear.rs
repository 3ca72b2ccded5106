//! The linear decoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::noise::NoiseKey;

use super::{Architecture, DecoderConfig};
use crate::draw::normal_vector;
use crate::image_dims::ImageDims;

/// f(z) = Φz with learned observation noise; no bias.
///
/// ```text
/// x̂ = Φ z,   Jᵀe = Φᵀ e
/// ```
///
/// The columns of Φ are stored as rows, one *atom* per latent: `atoms[k]` is what one spike of neuron k
/// adds to the picture. (The published code stores Φ itself, `phi.weight` = `atoms`ᵀ.)
///
/// Olshausen and Field 1996 (sparse coding); Vafaii, Galor, Yates, arXiv 2410.19315 (with spikes).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::decoder::Decoder;
/// use scotopic_models::LinearDictionary;
/// let device = Device::flex();
/// let phi = LinearDictionary::init(4, 9, 0.1, &device, 0);
/// let (mean, tape) = phi.forward(Tensor::<2>::ones([2, 4], &device));
/// assert_eq!(mean.dims(), [2, 9]);
/// assert_eq!(phi.pullback(&tape, mean).dims(), [2, 4]);
/// ```
#[derive(Module, Debug)]
pub struct LinearDictionary {
    /// Φᵀ, `[latent, pixels]`.
    pub atoms: Param<Tensor<2>>,
    /// ℓ, `[pixels]`: the unbounded logarithm of σ.
    pub log_sigma: Param<Tensor<1>>,
}

impl LinearDictionary {
    /// A dictionary of `latents` small random atoms of `pixels` each, and unit noise.
    pub fn init(latents: usize, pixels: usize, std: f64, device: &Device, seed: u64) -> Self {
        let key = NoiseKey::new(seed).stream(u32::MAX);
        let atoms = normal_vector(latents * pixels, std as f32, key, device);
        Self {
            atoms: Param::from_tensor(atoms.reshape([latents, pixels])),
            log_sigma: Param::from_tensor(Tensor::zeros([pixels], device)),
        }
    }

    /// The same dictionary with every atom scaled to length 1, as sparse coding requires after a step of
    /// learning: without it a cost on latents is escaped by long atoms.
    pub fn normalised(self) -> Self {
        let atoms = self.atoms.map(|atoms| {
            let tracked = atoms.is_require_grad();
            let atoms = atoms.detach();
            let length = atoms.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
            (atoms / length).detach().set_require_grad(tracked)
        });
        Self { atoms, ..self }
    }
}

impl Decoder for LinearDictionary {
    type Tape = ();

    fn forward(&self, z: Tensor<2>) -> (Tensor<2>, ()) {
        (z.matmul(self.atoms.val()), ())
    }

    fn pullback(&self, _: &(), error: Tensor<2>) -> Tensor<2> {
        error.matmul(self.atoms.val().transpose())
    }

    fn observation_noise(&self) -> ObservationNoise {
        ObservationNoise::from_unbounded(self.log_sigma.val())
    }

    fn pixels(&self) -> usize {
        self.log_sigma.val().dims()[0]
    }

    fn atoms(&self) -> Option<Tensor<2>> {
        Some(self.atoms.val())
    }
}

impl Architecture for LinearDictionary {
    const TENSORS: &'static str =
        "`decoder.atoms` holds one atom per latent: the image that one spike (or unit) of it adds";

    fn parameters(_: &DecoderConfig, latents: usize, image: ImageDims) -> usize {
        latents.saturating_mul(image.pixels())
    }

    fn from_config(
        config: &DecoderConfig,
        latents: usize,
        image: ImageDims,
        device: &Device,
        seed: u64,
    ) -> Self {
        let linear = Self::init(latents, image.pixels(), config.init_std, device, seed);
        match config.unit_norm {
            true => linear.normalised(),
            false => linear,
        }
    }
}
