//! The custom operations: samples of spikes, and the evidence of hidden Markov models.

use anyhow::Result;
use burn::tensor::{Device, Distribution, Tensor, activation::log_softmax};
use scotopic::noise::NoiseKey;
use scotopic::ops::{Indicator, poisson_counts, recursive_elbo, relaxed_poisson};

use super::{BenchConfig, Record, Shape};

/// The log-rate of the samples: 0.37 spikes.
const LOG_RATE: f64 = -1.0;
/// The temperature of relaxed samples.
const TEMPERATURE: f64 = 0.5;
/// Series, their length and states.
const SERIES: Shape = Shape {
    batch: 64,
    pixels: 0,
    latents: 16,
    steps: 1000,
};

/// Samples of [200, 512] neurons; ln p of 64 series of 1 000 observations under 16 states, and its gradient.
pub(super) fn operations(
    group: &'static str,
    settings: &BenchConfig,
    tell: &mut dyn FnMut(Record) -> Result<()>,
) -> Result<()> {
    let (device, noise) = (&settings.device, NoiseKey::new(settings.seed));
    let neurons = Shape {
        steps: 1,
        pixels: 0,
        ..Shape::PATCHES
    };
    let u = Tensor::<2>::full([neurons.batch, neurons.latents], LOG_RATE, device);
    let relaxation = TEMPERATURE as f32;
    let timed = settings.time(group, "relaxed Poisson sample", neurons, |number| {
        drop(relaxed_poisson(u.clone(), relaxation, noise.step(number)));
        Ok(())
    })?;
    tell(Record {
        temperature: Some(TEMPERATURE),
        indicator: Some(Indicator::Sigmoid.name().into()),
        ..timed
    })?;
    tell(settings.time(group, "Poisson counts", neurons, |number| {
        drop(poisson_counts(u.clone(), noise.step(number)));
        Ok(())
    })?)?;
    let (l, initial, transition) = hidden_markov(device);
    tell(settings.time(group, "recursive ELBO", SERIES, |_| {
        drop(evidence(&l, &initial, &transition));
        Ok(())
    })?)?;
    let (l, initial, transition) = hidden_markov(&device.clone().autodiff());
    let (l, transition) = (l.require_grad(), transition.require_grad());
    let timed = settings.time(group, "recursive ELBO and its gradient", SERIES, |_| {
        let gradients = evidence(&l, &initial, &transition).backward();
        drop((l.grad(&gradients), transition.grad(&gradients)));
        Ok(())
    })?;
    tell(timed)
}

/// Σ ln p of all series.
fn evidence(l: &Tensor<3>, initial: &Tensor<2>, transition: &Tensor<2>) -> Tensor<1> {
    let initial = log_softmax(initial.clone(), 1);
    let transition = log_softmax(transition.clone(), 1);
    recursive_elbo(l.clone(), initial, transition)
        .increments
        .sum()
}

/// ln p(x_t | s) of every series, logits of p(s_1) and of p(s_t | s_{t−1}).
fn hidden_markov(device: &Device) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
    let Shape {
        batch,
        latents,
        steps,
        ..
    } = SERIES;
    (
        Tensor::random(
            [batch, steps, latents],
            Distribution::Uniform(-3.0, 0.0),
            device,
        ),
        Tensor::random([1, latents], Distribution::Uniform(-1.0, 0.0), device),
        Tensor::random([latents, latents], Distribution::Uniform(-4.0, 0.0), device),
    )
}
