//! Event-driven inference with a trained network: exact counts, no gradient, no tensors.
//!
//! ```text
//! u ← u_p, then N times   z ~ Poisson(eᵘ),  u ← clamp(u + clamp(d)),  d + ηλH(e^d − 1) = η(Φᵀπ(x − Φz) − eᵇ − β_in(u − u_p))
//! ```
//!
//! The prior u_p of a step is the potential after the last, as published, the same at every step, or predicted (eq. T1). With N = 1 the
//! pull towards it has no effect.
//!
//! Most counts are zero, and a zero changes nothing. [`DriveMethod`] says how the drive Φᵀπ(x − Φz) is made of
//! those that are not.
//!
//! | subject | file |
//! |---|---|
//! | the engine, batches | this one |
//! | one input over time, without allocation | [`Stream`] |
//! | the drive by events and by lateral weights | `drive` |
//! | stopping rules | [`StoppingRule`] |
//! | the state of some images | `block` |

use std::sync::Arc;

use rayon::prelude::*;

use super::network::SpikingNetwork;
use crate::error::{Error, Result};
use crate::fused::StepPrior;
use crate::noise::NoiseKey;

mod block;
mod drive;
mod stopping_rule;
mod stream;
pub use drive::DriveMethod;
pub use stopping_rule::StoppingRule;
pub use stream::{Spike, Stream};

use block::{Block, Weights, check};
use drive::Drive;

/// A trained network, ready to perceive. Made by [`Iterative::engine`](crate::inference::Iterative::engine).
#[derive(Debug, Clone)]
pub struct Engine {
    weights: Arc<Weights>,
    form: DriveMethod,
}

/// What is left of a batch of images.
#[derive(Debug, Clone, PartialEq)]
pub struct Percept {
    /// Membrane potentials u after the last step, `[batch, latent]`; their rates are eᵘ.
    pub potentials: Vec<f32>,
    /// Steps that each image was looked at, `[batch]`.
    pub steps: Vec<u32>,
    /// Spikes fired over all steps, `[batch]`; where a step is N refinements, in the last of each.
    pub spikes: Vec<u64>,
}

impl Engine {
    /// # Errors
    /// If the rule is one that the engine does not have (see [`Iterative::engine`](crate::inference::Iterative::engine)).
    pub(crate) fn new(
        network: SpikingNetwork,
        rest: Vec<f32>,
        prior: StepPrior,
        form: DriveMethod,
    ) -> Result<Self> {
        let rule = &network.rule;
        if rule.rate_floor != 0.0 {
            return Err(Error::setting(
                "sampling.rate_floor",
                rule.rate_floor,
                "the engine draws from the rates themselves: 0",
            ));
        }
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        if !(finite(&network.dictionary.atoms)
            && finite(&network.dictionary.precision)
            && finite(&rest))
        {
            return Err(Error::setting(
                "weights",
                "not finite",
                "the network must be trained without divergence",
            ));
        }
        let drive = Drive::new(&network, form);
        let weights = Arc::new(Weights {
            network,
            rest,
            prior,
            drive,
        });
        Ok(Self { weights, form })
    }

    /// Neurons K.
    pub fn latents(&self) -> usize {
        self.weights.network.dictionary.latents
    }

    /// Pixels M of an image.
    pub fn pixels(&self) -> usize {
        self.weights.network.dictionary.pixels
    }

    /// How the drive is computed.
    pub fn form(&self) -> DriveMethod {
        self.form
    }

    /// The potential before anything is seen, `[latent]`.
    pub fn rest(&self) -> &[f32] {
        &self.weights.rest
    }

    /// The bytes of weights that a step may touch.
    pub fn weight_bytes(&self) -> usize {
        self.weights.drive.weight_bytes(&self.weights.network)
    }

    /// Looks at every image for `steps` steps from rest, or until it has settled.
    ///
    /// The counts are those of exact inference under the same key with tensor operations
    /// ([`unroll`](crate::inference::unroll()) at τ = 0).
    ///
    /// # Shapes
    /// - `images`: `[batch, pixels]`
    ///
    /// # Errors
    /// If `images` is no whole number of images, or a pixel is not finite.
    pub fn perceive(
        &self,
        images: &[f32],
        steps: usize,
        settle: Option<StoppingRule>,
        noise: &NoiseKey,
    ) -> Result<Percept> {
        let (k, m) = (self.latents(), self.pixels());
        if !images.len().is_multiple_of(m) {
            return Err(Error::Shape {
                what: "images",
                expected: vec![images.len() / m, m],
                found: vec![images.len()],
            });
        }
        check(images)?;
        if let Some(settle) = settle {
            settle.validate()?;
        }
        let batch = images.len() / m;
        let mut percept = Percept {
            potentials: vec![0.0; batch * k],
            steps: vec![0; batch],
            spikes: vec![0; batch],
        };
        let images = images.par_chunks(m * Drive::ROWS).enumerate();
        images
            .zip(percept.potentials.par_chunks_mut(k * Drive::ROWS))
            .zip(percept.steps.par_chunks_mut(Drive::ROWS))
            .zip(percept.spikes.par_chunks_mut(Drive::ROWS))
            .for_each(|((((number, images), potentials), taken), spikes)| {
                let mut block = Block::new(&self.weights, taken.len(), number * Drive::ROWS);
                block.show(&self.weights, images);
                let mut watches: Vec<_> = taken
                    .iter()
                    .map(|_| settle.map(stopping_rule::Watch::new))
                    .collect();
                for time in 0..steps {
                    block.step(&self.weights, images, noise, time);
                    let mut going_on = false;
                    for (row, watch) in watches.iter_mut().enumerate() {
                        if !block.awake(row) {
                            continue;
                        }
                        taken[row] += 1;
                        spikes[row] += block.events(row).total();
                        let moved = |w: &mut stopping_rule::Watch| {
                            w.settled(block.moved(&self.weights, row))
                        };
                        if watch.as_mut().is_some_and(moved) {
                            block.sleep(row);
                        } else {
                            going_on = true;
                        }
                    }
                    if !going_on {
                        break;
                    }
                }
                let rows = potentials
                    .chunks_mut(k)
                    .zip(block.potentials(&self.weights));
                rows.for_each(|(to, from)| to.copy_from_slice(from));
            });
        Ok(percept)
    }

    /// One input over time, from rest.
    pub fn stream(&self, noise: NoiseKey) -> Stream {
        Stream::new(self.weights.clone(), noise)
    }
}
