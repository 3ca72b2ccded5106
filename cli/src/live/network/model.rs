//! The network as it was trained, and what is measured at a step.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Tensor;
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic::spiking::{DriveMethod, Engine, Spike, Stream};
use scotopic_datasets::ImageShape;
use scotopic_train::device::{self, DeviceChoice};

use super::scene::Scene;
use crate::commands::model;
use crate::pictures::trained_model;

/// A checkpoint, ready to look.
pub struct LiveModel {
    /// What the page calls it.
    pub title: String,
    /// Channels, height, width.
    pub shape: ImageShape,
    /// Spikes, exactly.
    pub engine: Engine,
    /// Φᵀ, `[latent, pixels]`.
    pub atoms: Vec<f32>,
    /// π = σ⁻², `[pixels]`.
    precision: Vec<f32>,
    /// diag ΦᵀπΦ, `[latent]`.
    curvature: Vec<f32>,
    /// Σ_d ln σ_d + ½ ln 2π, in nats.
    offset: f64,
}

/// What is measured at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// E\[−ln p(x|z)\] + KL, in nats.
    pub free_energy: f64,
    /// The second of them: how far this step moved the belief.
    pub divergence: f64,
    /// R² of the reconstruction from the spikes of this step; not a number for a uniform input.
    pub r2_spikes: f64,
    /// R² of that from the rates.
    pub r2_rates: f64,
    /// Spikes of this step.
    pub spikes: u32,
    /// The fraction of neurons that were silent in it.
    pub zeros: f64,
}

/// The reconstructions at a step.
#[derive(Debug, Clone, Default)]
pub struct Reconstructed {
    /// Φz, `[pixels]`.
    pub spikes: Vec<f32>,
    /// Φλ, `[pixels]`.
    pub rates: Vec<f32>,
}

impl LiveModel {
    /// Reads the checkpoint at a path, and makes the scene that it looks at.
    ///
    /// # Errors
    /// If it cannot be used, or is not a network of spikes over a dictionary.
    pub fn open(path: &Path) -> Result<(Self, Scene)> {
        // The weights are copied out of it once; a card would gain nothing.
        let opened =
            device::open(DeviceChoice::Flex).or_else(|_| device::open(DeviceChoice::Auto))?;
        let (checkpoint, network) = model::open(path, &opened.device)?;
        let only = || {
            format!(
                "{} is not a network of spikes over a linear decoder, and only these run live: `scotopic infer` and \
                 `scotopic show` take every model",
                path.display()
            )
        };
        let rule = checkpoint.config.rule().at(1.0, Sampling::EXACT);
        let engine = network
            .engine(rule, DriveMethod::Events)
            .with_context(only)?;
        let noise = scotopic::decoder::Decoder::observation_noise(&network.decoder);
        let atoms = scotopic::decoder::Decoder::atoms(&network.decoder).with_context(only)?;
        let (atoms, precision) = (host(atoms)?, host(noise.precision())?);
        let offset = host(noise.offset())?.first().copied().unwrap_or_default();
        let curvature = atoms
            .chunks_exact(precision.len())
            .map(|atom| atom.iter().zip(&precision).map(|(a, p)| a * a * p).sum())
            .collect();
        let image = checkpoint.image;
        let scene = Scene::new(image.shape, image.standardisation, &checkpoint.config.data);
        let new = Self {
            title: trained_model(&checkpoint.config),
            shape: image.shape,
            engine,
            atoms,
            precision,
            curvature,
            offset: f64::from(offset),
        };
        Ok((new, scene))
    }

    /// The network from rest.
    pub fn stream(&self, seed: u64) -> Stream {
        self.engine.stream(NoiseKey::new(seed))
    }

    /// The free energy in nats, its expectation (eq. I24) and its divergence (eq. I4) in closed form, and what else is seen
    /// of a step that moved the potential to `after` from the prior `before`; the reconstructions go to `seen`.
    ///
    /// ```text
    /// F = −ln p(x|Φλ) + ½ Σ_k λ_k (ΦᵀπΦ)_kk + Σ_k [ λ_k (u_k − u'_k − 1) + λ'_k ],   λ = eᵘ, λ' = e^u', u' the prior of the step
    /// ```
    pub fn measure(
        &self,
        x: &[f32],
        spikes: &[Spike],
        (before, after): (&[f32], &[f32]),
        seen: &mut Reconstructed,
    ) -> Measured {
        let pixels = x.len();
        let zero = |into: &mut Vec<f32>| {
            into.clear();
            into.resize(pixels, 0.0);
        };
        zero(&mut seen.spikes);
        zero(&mut seen.rates);
        let mut total = 0;
        for spike in spikes {
            let atom = &self.atoms[spike.neuron as usize * pixels..][..pixels];
            add(&mut seen.spikes, atom, spike.count as f32);
            total += spike.count;
        }
        let (mut spread, mut divergence) = (0.0, 0.0);
        let potentials = before.iter().zip(after).zip(&self.curvature);
        for (((from, to), curvature), atom) in potentials.zip(self.atoms.chunks_exact(pixels)) {
            let (rate, earlier) = (f64::from(*to).exp(), f64::from(*from).exp());
            add(&mut seen.rates, atom, rate as f32);
            spread += 0.5 * rate * f64::from(*curvature);
            divergence += rate * (f64::from(to - from) - 1.0) + earlier;
        }
        let weighed = x.iter().zip(&seen.rates).zip(&self.precision);
        let squares = weighed.map(|((x, f), p)| f64::from(*p) * f64::from(x - f).powi(2));
        let expected = self.offset + 0.5 * squares.sum::<f64>() + spread;
        Measured {
            free_energy: expected + divergence,
            divergence,
            r2_spikes: r_squared(x, &seen.spikes),
            r2_rates: r_squared(x, &seen.rates),
            spikes: total,
            zeros: 1.0 - spikes.len() as f64 / after.len().max(1) as f64,
        }
    }
}

fn add(to: &mut [f32], atom: &[f32], factor: f32) {
    to.iter_mut()
        .zip(atom)
        .for_each(|(to, a)| *to += factor * a);
}

/// 1 − SSE/SST; not a number for a uniform input.
fn r_squared(x: &[f32], f: &[f32]) -> f64 {
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len().max(1) as f64;
    let sum = |of: &dyn Fn(usize) -> f64| (0..x.len()).map(|at| of(at).powi(2)).sum::<f64>();
    let (sse, sst) = (
        sum(&|at| f64::from(x[at] - f[at])),
        sum(&|at| f64::from(x[at]) - mean),
    );
    match sst > 1e-9 * x.len() as f64 * mean.powi(2) {
        true => 1.0 - sse / sst,
        false => f64::NAN,
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as::<f32>()
        .context("could not read from the device")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_squared_is_one_at_best_and_nothing_for_a_uniform_input() {
        let x = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(r_squared(&x, &x), 1.0);
        assert!(r_squared(&x, &[1.5; 4]).abs() < 1e-12);
        assert!(r_squared(&[2.0; 4], &x).is_nan());
        assert!(r_squared(&[0.0; 4], &x).is_nan());
    }
}
