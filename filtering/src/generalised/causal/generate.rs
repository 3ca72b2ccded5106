//! Data generation: states, causes and observations from sampled noise (eq. G31).

use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::noise_process::GENERATED;
use super::sampled_noise;
use super::stack::{CausalStack, root_of_inverse};
use super::transition::{Channels, Transition};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::generalised::noise::Autocorrelation;
use crate::{Error, Result};

/// How data is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// The smoothness s of all noises in bins; 0 for white samples.
    pub smoothness: f64,
    /// The degree of the polynomial through the noise's samples along which it moves within a bin.
    pub order: usize,
    /// Parts of a bin after each of which the flow is linearised anew.
    pub steps: usize,
}

impl Default for Generation {
    /// s = ½, order 6, one linearisation per bin: the published generator.
    fn default() -> Self {
        Self {
            smoothness: 0.5,
            order: GENERATED,
            steps: 1,
        }
    }
}

/// Data and what made it; every matrix `[entries, bins]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// States of all levels.
    pub states: DMatrix<f64>,
    /// Causes of all levels.
    pub causes: DMatrix<f64>,
    /// Observations y.
    pub outputs: DMatrix<f64>,
}

impl Generation {
    /// Draws all noises and runs `model` for `bins` bins from its start. The top causes are `causes`
    /// `[top causes, bins]` where given, and else drawn from their prior.
    ///
    /// # Errors
    /// What of the model or the settings cannot be, or [`Error::NotFinite`] naming f if the flow leaves the
    /// numbers.
    pub fn run<E: Equations>(
        &self,
        model: GenerativeModel<E>,
        bins: usize,
        causes: Option<&DMatrix<f64>>,
        rng: &mut impl Rng,
    ) -> Result<Generated> {
        let stack = CausalStack::new(model, true, false)?;
        let smoothness = self.smoothness;
        let noise = Autocorrelation::SampledGaussian { smoothness };
        let mut c = noise.sample(stack.noises, bins, rng)?;
        let z = noise.sample(stack.outputs, bins, rng)?;
        if let Some(given) = causes {
            let top = stack.model.cause.mean.len();
            if given.shape() != (top, bins) {
                let found = format!("{:?}", given.shape());
                return Err(Error::size("causes", found, format!("({top}, {bins})")));
            }
            // c is in units of the prior's standard deviation about η.
            let lost = || Error::setting("causes", "a singular prior", "a prior with variance");
            let inverse = stack.cause_root.clone().try_inverse().ok_or_else(lost)?;
            let mut about = given.clone();
            for mut column in about.column_iter_mut() {
                for (v, eta) in column.iter_mut().zip(&stack.eta) {
                    *v -= eta;
                }
            }
            c.rows_mut(stack.noises - top, top)
                .copy_from(&(inverse * about));
        }
        self.flow(&stack, &c, &z)
    }

    /// The response of `model` to given noises of unit variance: c `[noises, bins]` (those of w of all
    /// levels, of z between levels, of the top causes) and z `[outputs, bins]`.
    ///
    /// # Errors
    /// As [`Generation::run`]; [`Error::Size`] for noises of another shape.
    pub fn respond<E: Equations>(
        &self,
        model: GenerativeModel<E>,
        c: &DMatrix<f64>,
        z: &DMatrix<f64>,
    ) -> Result<Generated> {
        let stack = CausalStack::new(model, true, false)?;
        for (name, noise, rows) in [("c", c, stack.noises), ("z", z, stack.outputs)] {
            if noise.shape() != (rows, z.ncols()) {
                let found = format!("{:?}", noise.shape());
                return Err(Error::size(name, found, format!("({rows}, {})", z.ncols())));
            }
        }
        self.flow(&stack, c, z)
    }

    fn flow<E: Equations>(
        &self,
        stack: &CausalStack<E>,
        c: &DMatrix<f64>,
        z: &DMatrix<f64>,
    ) -> Result<Generated> {
        let order = self.order;
        // Only the embedding is used, which does not depend on the smoothness.
        let window = sampled_noise::generated(order)?;
        let channels = Channels::new(vec![window], vec![0; stack.noises], false);
        let mut step = Transition::new(stack, &channels);
        let root = match stack.model.levels.first() {
            Some(level) => root_of_inverse(&level.output.expected(), "output_precision")?,
            None => DMatrix::zeros(0, 0),
        };
        let noise = root * z;
        let bins = c.ncols();
        let mut made = Generated {
            states: DMatrix::zeros(stack.states, bins),
            causes: DMatrix::zeros(stack.causes, bins),
            outputs: DMatrix::zeros(stack.outputs, bins),
        };
        let starts = stack.model.levels.iter().flat_map(|level| &level.start);
        let mut x: Vec<f64> = starts.copied().collect();
        let mut n = vec![0.0; channels.size];
        let mut theta = stack.theta.clone();
        let mut local = stack.local();
        for t in 0..bins {
            let embedding = &channels.processes[0].embedding;
            for (channel, &offset) in channels.offset.iter().enumerate() {
                for i in 0..=order {
                    n[offset + i] = (0..=order)
                        .map(|j| {
                            let at = (t + j).saturating_sub(order / 2).min(bins - 1);
                            embedding[(i, j)] * c[(channel, at)]
                        })
                        .sum();
                }
            }
            let here: Vec<f64> = c.column(t).iter().copied().collect();
            stack.motion(&x, &here, &mut theta, &mut local);
            let v = local.v.clone();
            stack.output(&x, &v, &mut theta, &mut local);
            made.states.column_mut(t).copy_from_slice(&x);
            made.causes.column_mut(t).copy_from_slice(&v);
            for i in 0..stack.outputs {
                made.outputs[(i, t)] = local.g[i] + noise[(i, t)];
            }
            if t + 1 < bins {
                if !step.compute(stack, &channels, &x, &n, self.steps.max(1)) {
                    return Err(Error::NotFinite {
                        index: t as u64,
                        what: "f (or its Jacobian; raise `steps` if f is stiff)",
                        found: f64::NAN,
                    });
                }
                x.copy_from_slice(&step.x);
            }
        }
        Ok(made)
    }
}
