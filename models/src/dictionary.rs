//! The linear decoder.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::{Decoder, ObservationNoise};
use scotopic::noise::NoiseKey;

use crate::draw::normal_matrix;

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
/// use scotopic_models::LinearDictionaryConfig;
/// let device = Device::flex();
/// let phi = LinearDictionaryConfig { pixels: 9, latents: 4, deviation: 0.1 }.init(&device, 0);
/// let z = Tensor::<2>::ones([2, 4], &device);
/// assert_eq!(phi.decode(z.clone()).dims(), [2, 9]);
/// assert_eq!(phi.pullback(&z, Tensor::ones([2, 9], &device)).dims(), [2, 4]);
/// ```
#[derive(Module, Debug)]
pub struct LinearDictionary {
    /// Φᵀ, `[latent, pixels]`.
    pub atoms: Param<Tensor<2>>,
    /// ℓ, `[pixels]`: the unbounded logarithm of σ.
    pub log_sigma: Param<Tensor<1>>,
}

/// Sizes and initial values of a [`LinearDictionary`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearDictionaryConfig {
    /// Observed dimensions M.
    pub pixels: usize,
    /// Latents K.
    pub latents: usize,
    /// Standard deviation of the initial atoms.
    pub deviation: f64,
}

impl LinearDictionaryConfig {
    /// A dictionary of small random atoms and unit noise.
    pub fn init(&self, device: &Device, seed: u64) -> LinearDictionary {
        let key = NoiseKey::new(seed).stream(u32::MAX);
        let atoms = normal_matrix(
            [self.latents, self.pixels],
            self.deviation as f32,
            key,
            device,
        );
        LinearDictionary {
            atoms: Param::from_tensor(atoms),
            log_sigma: Param::from_tensor(Tensor::zeros([self.pixels], device)),
        }
    }
}

impl Decoder for LinearDictionary {
    fn decode(&self, z: Tensor<2>) -> Tensor<2> {
        z.matmul(self.atoms.val())
    }

    fn pullback(&self, _z: &Tensor<2>, error: Tensor<2>) -> Tensor<2> {
        error.matmul(self.atoms.val().transpose())
    }

    fn observation_noise(&self) -> ObservationNoise {
        ObservationNoise::from_unbounded(self.log_sigma.val())
    }
}
