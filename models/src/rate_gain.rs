//! More spikes for the same picture.

use burn::module::Param;
use burn::tensor::Tensor;
use scotopic::posterior::Family;
use scotopic::{Error, Result};

use crate::decoder::DecoderNet;
use crate::network::Network;

impl Network {
    /// The same network with `gain` times the rates and atoms divided by it (eq. I37):
    ///
    /// ```text
    /// Φ → Φ/g,   u₀ → u₀ + ln g,   eᵇ → eᵇ/g
    /// ```
    ///
    /// Rates decode to the same picture, and the noise of the spikes in it, Σ_k λ_k‖φ_k‖², is divided by g. The step η stays what it
    /// is, so that u moves g times more slowly.
    ///
    /// # Errors
    /// [`Error::Setting`] if the gain is not a number above 0, or the network has no spikes over a linear decoder.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use scotopic_models::{Method, NetworkConfig};
    /// let config = NetworkConfig { latents: 8, ..Default::default() };
    /// let network = config.init(Method::NaturalGradient, &Device::flex(), 0)?;
    /// let rest: f32 = network.prior.rest[0].val().sum().into_scalar();
    /// let louder = network.with_rate_gain(4.0)?;
    /// let louder: f32 = louder.prior.rest[0].val().sum().into_scalar();
    /// assert!((louder - rest - 8.0 * 4f32.ln()).abs() < 1e-4);
    /// # Ok::<(), scotopic::Error>(())
    /// ```
    pub fn with_rate_gain(mut self, gain: f64) -> Result<Self> {
        if !(gain.is_finite() && gain > 0.0) {
            let rule = "the factor of the rates is a number above 0";
            return Err(Error::setting("train.rate_gain", gain, rule));
        }
        let DecoderNet::Linear(dictionary) = &mut self.decoder else {
            return Err(no_spikes(gain));
        };
        if self.prior.family != Family::Poisson {
            return Err(no_spikes(gain));
        }
        dictionary.atoms = changed(dictionary.atoms.clone(), |atoms| atoms / gain);
        for rest in &mut self.prior.rest {
            *rest = changed(rest.clone(), |u| u + gain.ln());
        }
        self.log_homeostasis = self
            .log_homeostasis
            .map(|cost| changed(cost, |b| b - gain.ln()));
        Ok(self)
    }
}

fn no_spikes(gain: f64) -> Error {
    Error::setting(
        "train.rate_gain",
        gain,
        "only networks of family poisson over a linear decoder have rates to raise; set it to 1",
    )
}

/// The parameter with another value; what is learned stays learned.
fn changed<const D: usize>(
    parameter: Param<Tensor<D>>,
    change: impl Fn(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    parameter.map(|value| {
        let learned = value.is_require_grad();
        change(value.detach()).detach().set_require_grad(learned)
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use scotopic::decoder::Decoder;

    use super::*;
    use crate::{DecoderConfig, DecoderKind, ImageDims, Method, NetworkConfig};

    /// A few units of rounding of f32.
    const ROUNDING: f32 = 1e-6;

    fn network(family: Family, kind: DecoderKind) -> Network {
        let config = NetworkConfig {
            picture: ImageDims::row(9),
            latents: 8,
            family,
            decoder: DecoderConfig {
                kind,
                init_std: 1.0,
                ..Default::default()
            },
            ..Default::default()
        };
        config
            .init(Method::NaturalGradient, &Device::flex(), 3)
            .unwrap()
    }

    /// Φλ at rest, and Σ_k λ_k φ_k², the variance of a sample's picture; both `[pixels]`.
    fn pictures(network: &Network) -> [Vec<f32>; 2] {
        let rates = network.prior.rest[0].val().exp().unsqueeze::<2>();
        let (mean, _) = network.decoder.forward(rates.clone());
        let atoms = network.decoder.atoms().unwrap();
        [mean, rates.matmul(atoms.square())].map(|t| t.into_data().try_to_vec().unwrap())
    }

    #[test]
    fn rates_decode_to_the_same_and_their_noise_is_divided() {
        let quiet = network(Family::Poisson, DecoderKind::Linear);
        let loud = quiet.clone().with_rate_gain(8.0).unwrap();
        let ([mean, noise], [same, less]) = (pictures(&quiet), pictures(&loud));
        for pixel in 0..9 {
            assert!((mean[pixel] - same[pixel]).abs() <= ROUNDING);
            assert!((noise[pixel] / 8.0 - less[pixel]).abs() <= ROUNDING * noise[pixel]);
        }
        let cost = |network: &Network| {
            let b = network.log_homeostasis.as_ref().unwrap().val();
            b.exp().sum().into_scalar::<f32>()
        };
        assert!((cost(&quiet) / 8.0 - cost(&loud)).abs() < ROUNDING);
    }

    #[test]
    fn what_has_no_rates_over_atoms_is_refused() {
        let refused =
            |network: Network, gain| network.with_rate_gain(gain).unwrap_err().to_string();
        let told = refused(network(Family::Gaussian, DecoderKind::Linear), 2.0);
        assert!(told.contains("train.rate_gain"), "{told}");
        let told = refused(network(Family::Poisson, DecoderKind::Mlp), 2.0);
        assert!(told.contains("train.rate_gain"), "{told}");
        for gain in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let told = refused(network(Family::Poisson, DecoderKind::Linear), gain);
            assert!(told.contains("above 0"), "{told}");
        }
    }
}
