//! One input over time.

use std::sync::Arc;

use super::block::{Block, Weights, check};
use crate::error::{Error, Result};
use crate::noise::NoiseKey;

/// A neuron that fired in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spike {
    /// Which neuron.
    pub neuron: u32,
    /// How often within the step.
    pub count: u32,
}

/// A network that keeps watching: every call takes the input of one step, which may be another each time.
///
/// Nothing is allocated per step. It shares the weights of its engine. Made by [`Engine::stream`](super::Engine::stream).
#[derive(Debug, Clone)]
pub struct Stream {
    weights: Arc<Weights>,
    block: Block,
    shown: Vec<f32>,
    spikes: Vec<Spike>,
    noise: NoiseKey,
    time: usize,
}

impl Stream {
    pub(super) fn new(weights: Arc<Weights>, noise: NoiseKey) -> Self {
        Self {
            block: Block::new(&weights, 1, 0),
            // Not a number: no image is equal to it, so the first is taken in.
            shown: vec![f32::NAN; weights.network.dictionary.pixels],
            spikes: Vec::with_capacity(weights.network.dictionary.latents),
            noise,
            time: 0,
            weights,
        }
    }

    /// One step: the spikes that the potential fires, which then move it towards `image`, `[pixels]`. Where a step is N refinements,
    /// the spikes of the last.
    ///
    /// # Errors
    /// If `image` is of another size, or a pixel is not finite. The stream is then where it was.
    pub fn step(&mut self, image: &[f32]) -> Result<&[Spike]> {
        if image.len() != self.weights.network.dictionary.pixels {
            return Err(Error::Shape {
                what: "image",
                expected: vec![self.weights.network.dictionary.pixels],
                found: vec![image.len()],
            });
        }
        if self.shown != image {
            check(image)?;
            self.shown.copy_from_slice(image);
            self.block.show(&self.weights, image);
        }
        self.block
            .step(&self.weights, image, &self.noise, self.time);
        self.time += 1;
        self.spikes.clear();
        let events = self.block.events(0);
        let spikes = events.places.iter().zip(&events.counts);
        self.spikes.extend(spikes.map(|(&neuron, &count)| Spike {
            neuron,
            count: count as u32,
        }));
        Ok(&self.spikes)
    }

    /// The membrane potential u, `[latent]`, as it stands.
    pub fn potential(&self) -> &[f32] {
        self.block.potentials(&self.weights).next().unwrap_or(&[])
    }

    /// The prior u_p of the last step, `[latent]`; before the first, the potential at rest.
    pub fn prior(&self) -> &[f32] {
        self.block.prior(&self.weights, 0)
    }

    /// Steps taken.
    pub fn time(&self) -> usize {
        self.time
    }
}
