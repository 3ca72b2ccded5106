//! The state of some images over time.

use super::drive::{Drive, Events, Field};
use crate::error::{Error, Result};
use crate::fused::StepPrior;
use crate::noise::{Draw, Noise, NoiseKey, NoiseSource};
use crate::ops::Relaxation;
use crate::ops::relaxed_poisson::lanes::{Elements, Request};
use crate::ops::relaxed_poisson::processor::sample_task;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::potential::{Row, refine};

/// What is read at every step and written at none.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) network: SpikingNetwork,
    /// The potential before anything is seen, `[latent]`.
    pub(super) rest: Vec<f32>,
    /// The prior of a step.
    pub(super) prior: StepPrior,
    pub(super) drive: Drive,
}

impl Weights {
    /// Whether a step is more than one refinement of the potential that it began with.
    fn many(&self) -> bool {
        self.prior.is_another_state() || self.network.rule.inner_iterations > 1
    }
}

/// The state of up to [`Drive::ROWS`] images, and the workspace of a step.
#[derive(Debug, Clone)]
pub(super) struct Block {
    first_row: usize,
    rows: usize,
    /// u and what it becomes, `[row, latent]`, rows padded like everything here.
    potentials: Vec<f32>,
    next: Vec<f32>,
    z: Vec<f32>,
    /// Where a step is more than one refinement: u after the last step, u_p, and what a prediction takes.
    last: Vec<f32>,
    prior: Vec<f32>,
    drives: Vec<f32>,
    events: Vec<Events>,
    input: Vec<f32>,
    e: Vec<f32>,
    pulled: Vec<f32>,
    awake: Vec<bool>,
}

impl Block {
    /// At rest, before `rows` images, the first of which is number `first_row` of its batch.
    pub(super) fn new(weights: &Weights, rows: usize, first_row: usize) -> Self {
        let network = &weights.network;
        let (k, wide_k) = (
            network.dictionary.latents,
            network.dictionary.wide_latents(),
        );
        let latents = || vec![0f32; rows * wide_k];
        let mut potentials = latents();
        for row in potentials.chunks_mut(wide_k) {
            row[..k].copy_from_slice(&weights.rest);
        }
        let where_many = || match weights.many() {
            true => latents(),
            false => Vec::new(),
        };
        Self {
            first_row,
            rows,
            next: potentials.clone(),
            z: latents(),
            last: where_many(),
            prior: match weights.many() {
                true => potentials.clone(),
                false => Vec::new(),
            },
            potentials,
            drives: where_many(),
            events: vec![Events::with_capacity(k); rows],
            input: match weights.drive.takes_input() {
                true => latents(),
                false => Vec::new(),
            },
            e: vec![0.0; rows * network.dictionary.wide_pixels()],
            pulled: latents(),
            awake: vec![true; rows],
        }
    }

    /// Takes in new images, `[row, pixels]`: what depends on them alone is computed once.
    pub(super) fn show(&mut self, weights: &Weights, images: &[f32]) {
        if weights.drive.takes_input() {
            let (network, drive) = (&weights.network, &weights.drive);
            drive.input(network, images, &mut self.e, &mut self.input);
        }
    }

    /// Step number `time` of every image that is awake. Counts are those of the last refinement, and 0 of the other images.
    pub(super) fn step(
        &mut self,
        weights: &Weights,
        images: &[f32],
        noise: &NoiseKey,
        time: usize,
    ) {
        if weights.many() {
            self.predict(weights);
        }
        for inner in 0..weights.network.rule.inner_iterations {
            let Noise::Keyed(key) = noise.noise(time, Draw::Infer { inner }) else {
                return; // a key gives keys
            };
            self.refine(weights, images, key);
        }
    }

    /// Puts every image that is awake at the prior of a step.
    fn predict(&mut self, weights: &Weights) {
        let wide_k = weights.network.dictionary.wide_latents();
        self.last.copy_from_slice(&self.potentials);
        match &weights.prior {
            StepPrior::Carried => self.prior.copy_from_slice(&self.potentials),
            StepPrior::Static(rest) => {
                let rows = self.prior.chunks_exact_mut(wide_k);
                rows.for_each(|row| row.copy_from_slice(rest));
            }
            StepPrior::Learned(transition) => {
                transition.predict(self.rows, &self.last, &mut self.drives, &mut self.prior);
            }
        }
        for row in (0..self.rows).filter(|row| self.awake[*row]) {
            let at = row * wide_k..(row + 1) * wide_k;
            self.potentials[at.clone()].copy_from_slice(&self.prior[at]);
        }
    }

    /// One refinement of every image that is awake.
    fn refine(&mut self, weights: &Weights, images: &[f32], key: NoiseKey) {
        let network = &weights.network;
        let (k, wide_k) = (
            network.dictionary.latents,
            network.dictionary.wide_latents(),
        );
        let request = Request::new(
            key,
            key.first_element(&[self.rows, k]),
            Relaxation::NONE,
            false,
        );
        let mut row = 0;
        while row < self.rows {
            // Rows side by side that are all awake, or all asleep, at once.
            let awake = self.awake[row];
            let same = self.awake[row..].iter().take_while(|a| **a == awake);
            let next = row + same.count();
            let at = row * wide_k..next * wide_k;
            let z = &mut self.z[at.clone()];
            match awake {
                true => {
                    let elements = Elements {
                        u: &self.potentials[at],
                        z,
                        slope: &mut [],
                        width: k,
                        pitch: wide_k,
                        first: ((self.first_row + row) * k) as u32,
                    };
                    sample_task(elements, request);
                }
                false => z.fill(0.0),
            }
            row = next;
        }
        for (events, z) in self.events.iter_mut().zip(self.z.chunks(wide_k)) {
            events.list(&z[..k]);
        }
        let field = Field {
            rows: self.rows,
            images,
            input: &self.input,
            z: &self.z,
            events: &self.events,
            e: &mut self.e,
            pulled: &mut self.pulled,
        };
        weights.drive.drive(network, field);
        for row in (0..self.rows).filter(|row| self.awake[*row]) {
            let at = row * wide_k..row * wide_k + k;
            let u = &self.potentials[at.clone()];
            let row = Row {
                u,
                prior: match self.prior.is_empty() {
                    true => u,
                    false => &self.prior[at.clone()],
                },
                pulled: &self.pulled[at.clone()],
                next: &mut self.next[at],
                slopes: None,
            };
            refine(network, row);
        }
        std::mem::swap(&mut self.potentials, &mut self.next);
        for row in (0..self.rows).filter(|row| !self.awake[*row]) {
            let at = row * wide_k..row * wide_k + k;
            self.potentials[at.clone()].copy_from_slice(&self.next[at]);
        }
    }

    /// ‖Δu‖ of a row's last step.
    pub(super) fn moved(&self, weights: &Weights, row: usize) -> f32 {
        let (k, wide_k) = (
            weights.network.dictionary.latents,
            weights.network.dictionary.wide_latents(),
        );
        let at = row * wide_k..row * wide_k + k;
        let last = match weights.many() {
            true => &self.last[at.clone()],
            false => &self.next[at.clone()],
        };
        let pairs = self.potentials[at].iter().zip(last);
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    }

    /// The spikes of a row's last step.
    pub(super) fn events(&self, row: usize) -> &Events {
        &self.events[row]
    }

    pub(super) fn awake(&self, row: usize) -> bool {
        self.awake[row]
    }

    /// The row stays where it is from now on.
    pub(super) fn sleep(&mut self, row: usize) {
        self.awake[row] = false;
    }

    /// The potential that the last step of a row was measured against, `[latent]`.
    pub(super) fn prior(&self, weights: &Weights, row: usize) -> &[f32] {
        let dictionary = &weights.network.dictionary;
        let start = row * dictionary.wide_latents();
        let priors = match weights.many() {
            true => &self.prior,
            false => &self.next,
        };
        &priors[start..start + dictionary.latents]
    }

    /// Potentials of all rows, one after the other, `[latent]` each.
    pub(super) fn potentials<'a>(&'a self, weights: &Weights) -> impl Iterator<Item = &'a [f32]> {
        let k = weights.network.dictionary.latents;
        let rows = self
            .potentials
            .chunks(weights.network.dictionary.wide_latents());
        rows.map(move |row| &row[..k])
    }
}

/// Names the first pixel that is not a number.
pub(super) fn check(pixels: &[f32]) -> Result<()> {
    match pixels.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::setting(
            "pixel",
            format!("{} at position {at}", pixels[at]),
            "every pixel must be a finite number",
        )),
    }
}
