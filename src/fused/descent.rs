//! Descent of the energy of point estimates ([`point`](super::point)), and what learning takes of the state where it ends.
//!
//! No step is differentiated: ∂F/∂Φ and ∂F/∂π are those of ½‖x − Φa‖²_π at the last a, held fixed.
//!
//! Of an image that stays, p is either Φᵀπ(x − Φa), 2MK multiplications a step, or drive less inhibition,
//!
//! ```text
//! p = ΦᵀΣ⁻¹x − Ga,   G = ΦᵀΣ⁻¹Φ
//! ```
//!
//! K² of them once G is there (the form in which the locally competitive algorithm is written). The fewer are taken.

use std::ops::Range;

use rayon::prelude::*;

use super::batch::{joined, on_all_threads};
use super::gradient::Gradient;
use super::panels::Panels;
use super::point::{PointNetwork, activities, step, total_cost};
use super::products::{add_outer, product};
use super::residual::{score_error, weigh};
use super::rows::{Rows, RowsMut};
use super::unroll::Outcome;

/// What is descended.
pub(crate) struct Descent<'a> {
    pub(crate) network: &'a PointNetwork,
    /// One image per row, or one per row and step: `[time, batch, pixels]`; the last frame stays.
    pub(crate) frames: Vec<Vec<f32>>,
    /// The states to begin with, `[batch, latent]`.
    pub(crate) start: Vec<f32>,
    /// T.
    pub(crate) steps: usize,
    /// What ½‖x − Φa‖²/σ² of one datum weighs in the objective.
    pub(crate) weight: f32,
}

/// Arrays of some rows, padded.
struct Room {
    u: Vec<f32>,
    a: Vec<f32>,
    p: Vec<f32>,
    e: Vec<f32>,
    drive: Vec<f32>,
}

impl Descent<'_> {
    /// The terms of F at the end, the state there, and where it is asked for the gradient by Φᵀ and π.
    pub(crate) fn run(&self, with_gradient: bool) -> (Outcome, Option<Gradient>) {
        let dictionary = &self.network.dictionary;
        let batch = self.start.len() / dictionary.latents.max(1);
        let inhibition = self.inhibition(batch);
        let numbers = dictionary.latents * dictionary.wide_pixels();
        let done = on_all_threads(batch, numbers, |parts, memory| {
            let mut gradient = with_gradient.then(|| Gradient::zero(dictionary, memory()));
            let part = |rows| self.rows(rows, inhibition.as_ref(), gradient.as_mut());
            let outcomes = parts.into_iter().map(part).collect();
            (outcomes, gradient)
        });
        joined(done, self.start.len())
    }

    /// G, where it saves multiplications.
    fn inhibition(&self, batch: usize) -> Option<Panels> {
        let dictionary = &self.network.dictionary;
        let (k, m) = (dictionary.latents, dictionary.pixels);
        let refinements = batch.saturating_mul(self.steps * self.network.inner_iterations);
        // By K multiplications.
        let by_errors = refinements.saturating_mul(2 * m);
        let by_inhibition = refinements.saturating_mul(k) + (k + batch).saturating_mul(m);
        if self.frames.len() > 1 || by_errors <= by_inhibition {
            return None;
        }
        /// Atoms that one task takes.
        const TOGETHER: usize = 24;
        let (wide_k, wide_m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        let mut gram = vec![0f32; k * wide_k];
        let tasks = gram.par_chunks_mut(TOGETHER * wide_k);
        let tasks = tasks.zip(dictionary.atoms.par_chunks(TOGETHER * wide_m));
        tasks.for_each(|(gram, atoms)| {
            let mut weighed = atoms.to_vec();
            for atom in weighed.chunks_mut(wide_m) {
                for (weight, precision) in atom.iter_mut().zip(&dictionary.precision) {
                    *weight *= precision;
                }
            }
            dictionary.pull_back(atoms.len() / wide_m, &weighed, gram);
        });
        Some(Panels::of(&gram, wide_k))
    }

    /// The same of some rows; adds to the gradient if there is one.
    fn rows(
        &self,
        rows: Range<usize>,
        inhibition: Option<&Panels>,
        gradient: Option<&mut Gradient>,
    ) -> Outcome {
        let network = self.network;
        let dictionary = &network.dictionary;
        let (k, m) = (dictionary.latents, dictionary.pixels);
        let (wide_k, wide_m) = (dictionary.wide_latents(), dictionary.wide_pixels());
        let count = rows.len();
        let latents = || vec![0f32; count * wide_k];
        let mut room = Room {
            u: latents(),
            a: latents(),
            p: latents(),
            e: vec![0f32; count * wide_m],
            drive: latents(),
        };
        let start = self.start[rows.start * k..rows.end * k].chunks(k);
        for (u, start) in room.u.chunks_mut(wide_k).zip(start) {
            u[..k].copy_from_slice(start);
        }
        if inhibition.is_some() {
            // Of no activity, the error is the image.
            self.errors(0, &rows, &mut room);
            dictionary.pull_back(count, &room.e, &mut room.drive);
        }
        for time in 0..self.steps {
            for _ in 0..network.inner_iterations {
                activities(network.cost, &room.u, &mut room.a);
                match inhibition {
                    None => {
                        self.errors(time, &rows, &mut room);
                        dictionary.pull_back(count, &room.e, &mut room.p);
                    }
                    Some(gram) => {
                        let a = Rows {
                            values: &room.a,
                            pitch: wide_k,
                        };
                        let p = RowsMut {
                            values: &mut room.p,
                            pitch: wide_k,
                        };
                        product(count, a, gram, p);
                        for (p, drive) in room.p.iter_mut().zip(&room.drive) {
                            *p = drive - *p;
                        }
                    }
                }
                let rows = room.u.chunks_mut(wide_k).zip(room.a.chunks(wide_k));
                for ((u, a), p) in rows.zip(room.p.chunks(wide_k)) {
                    step(network, &mut u[..k], &a[..k], &p[..k]);
                }
            }
        }
        activities(network.cost, &room.u, &mut room.a);
        let mut outcome = Outcome {
            reconstruction: self.errors(self.steps.saturating_sub(1), &rows, &mut room),
            divergence: 0.0,
            end: Vec::with_capacity(count * k),
        };
        for (u, a) in room.u.chunks(wide_k).zip(room.a.chunks(wide_k)) {
            outcome.divergence += f64::from(total_cost(network.cost, &u[..k], &a[..k]));
            outcome.end.extend(&u[..k]);
        }
        if let Some(gradient) = gradient {
            let variance: Vec<f32> = dictionary.precision.iter().map(|p| 1.0 / p).collect();
            for e in room.e.chunks_mut(wide_m) {
                score_error(&mut e[..m], &mut gradient.precision, &variance, self.weight);
            }
            let [a, e] = [(&room.a, wide_k), (&room.e, wide_m)]
                .map(|(values, pitch)| Rows { values, pitch });
            let atoms = RowsMut {
                values: &mut gradient.atoms,
                pitch: wide_m,
            };
            add_outer(k, count, a, e, atoms);
        }
        outcome
    }

    /// π(x − Φa) of rows at a step, and the sum of ½‖x − Φa‖²/σ².
    fn errors(&self, time: usize, rows: &Range<usize>, room: &mut Room) -> f64 {
        let dictionary = &self.network.dictionary;
        let (m, wide_m) = (dictionary.pixels, dictionary.wide_pixels());
        dictionary.decode(rows.len(), &room.a, &mut room.e);
        let frame = &self.frames[time.min(self.frames.len() - 1)];
        let images = frame[rows.start * m..rows.end * m].chunks(m);
        let errors = room.e.chunks_mut(wide_m).zip(images);
        errors
            .map(|(e, x)| f64::from(weigh(&mut e[..m], x, &dictionary.precision)))
            .sum()
    }
}
