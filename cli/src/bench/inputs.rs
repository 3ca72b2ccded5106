//! Networks and images for timing.

use anyhow::Result;
use burn::tensor::Device;
use scotopic::decoder::Decoder;
use scotopic::noise::{NoiseKey, uniform};
use scotopic_models::{
    DecoderConfig, Family, ImageDims, Method, Network, NetworkConfig, TransitionKind,
};

use super::Shape;

/// A network with the firing rates of a trained one, or of another family: H = diag ΦᵀΦ of 0.64 at 256 pixels.
pub(super) fn lively(shape: Shape, family: Family, device: &Device, seed: u64) -> Result<Network> {
    lively_in_time(shape, family, TransitionKind::Carried, device, seed)
}

/// The same with a prior in time.
pub(super) fn lively_in_time(
    shape: Shape,
    family: Family,
    transition: TransitionKind,
    device: &Device,
    seed: u64,
) -> Result<Network> {
    let config = NetworkConfig {
        family,
        transition,
        picture: ImageDims::row(shape.pixels),
        latents: shape.latents,
        decoder: DecoderConfig {
            init_std: 0.8 / (shape.pixels as f64).sqrt(),
            ..Default::default()
        },
        resting_low: -3.0,
        resting_high: -2.0,
        ..Default::default()
    };
    Ok(config.init(Method::NaturalGradient, device, seed)?)
}

/// A network that fires with probability `1 − zeros` for any input: atoms too small to change a potential, and no
/// cost of spikes to speak of. (P(0) = exp(−eᵘ).)
pub(super) fn still(shape: Shape, device: &Device, seed: u64, zeros: f64) -> Result<Network> {
    let rest = (-zeros.ln()).ln();
    let config = NetworkConfig {
        picture: ImageDims::row(shape.pixels),
        latents: shape.latents,
        decoder: DecoderConfig {
            init_std: 1e-7,
            ..Default::default()
        },
        resting_low: rest,
        resting_high: rest,
        log_homeostasis: -20.0,
        ..Default::default()
    };
    Ok(config.init(Method::NaturalGradient, device, seed)?)
}

/// The sizes of a trained network, else those given.
pub(super) fn shape_of(trained: Option<&Network>, shape: Shape) -> Shape {
    match trained {
        None => shape,
        Some(model) => Shape {
            pixels: model.decoder.pixels(),
            latents: model.latents(),
            ..shape
        },
    }
}

/// Images of independent pixels between −1 and 1, `[batch, pixels]`.
pub(super) fn images(shape: Shape, seed: u64) -> Vec<f32> {
    let key = NoiseKey::new(seed).stream(1);
    let count = shape.batch * shape.pixels;
    let unit = (0..count as u32).map(|i| uniform(key.words(i, 0)[0]));
    unit.map(|unit| 2.0 * unit - 1.0).collect()
}
