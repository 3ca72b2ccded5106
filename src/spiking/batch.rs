//! A batch on all threads.

use rayon::prelude::*;

use super::tape::Tape;
use super::unroll::{Gradient, Outcome, Unroll};

/// The most tasks that a batch is cut into. It does not depend on the number of threads, so neither do the
/// bits of the gradient; each task has a gradient of its own to add to.
const TASKS: usize = 32;

/// The rows that go through time together: what one block of a product holds, so that a dictionary is read once for
/// as many rows as can be.
const TOGETHER: usize = 13;

/// A small batch is cut into as many tasks as this, so that its threads have something to do, …
const AT_LEAST: usize = 4;

/// … unless fewer rows than these were left for a task, which would leave most of a product's registers empty.
const FEWEST: usize = 4;

/// The objective's terms of a whole batch, and its gradient where it is asked for.
pub(crate) fn objective(unroll: &Unroll<'_>, with_gradient: bool) -> Outcome {
    let batch = unroll.start.len() / unroll.network.latents.max(1);
    let tasks = batch
        .div_ceil(TOGETHER)
        .clamp(AT_LEAST, TASKS)
        .min(batch.div_ceil(FEWEST))
        .max(1);
    let outcomes: Vec<Outcome> = (0..tasks)
        .into_par_iter()
        .map_init(Tape::default, |tape, task| {
            let (from, to) = (task * batch / tasks, (task + 1) * batch / tasks);
            let parts = (to - from).div_ceil(TOGETHER).max(1);
            let mut joined: Option<Outcome> = None;
            for part in 0..parts {
                let rows =
                    from + part * (to - from) / parts..from + (part + 1) * (to - from) / parts;
                let outcome = unroll.run(rows, with_gradient, tape);
                joined = Some(match joined {
                    None => outcome,
                    Some(before) => before.joined_with(outcome),
                });
            }
            joined
        })
        .flatten()
        .collect();
    summed(outcomes)
}

/// All tasks in one, in order.
fn summed(outcomes: Vec<Outcome>) -> Outcome {
    let mut outcomes = outcomes.into_iter();
    let mut whole = Outcome {
        reconstruction: 0.0,
        divergence: 0.0,
        end: Vec::new(),
        gradient: None,
    };
    let Some(first) = outcomes.next() else {
        return whole;
    };
    whole = first;
    let rest: Vec<Outcome> = outcomes.collect();
    let others: Vec<&[f32]> = rest
        .iter()
        .filter_map(|o| Some(o.gradient.as_ref()?.atoms.as_slice()))
        .collect();
    // The largest part on all threads; the rest is added up with the terms.
    if let Some(gradient) = &mut whole.gradient {
        const PIECE: usize = 4096;
        let pieces = gradient.atoms.par_chunks_mut(PIECE).enumerate();
        pieces.for_each(|(piece, sum)| {
            for other in &others {
                add(sum, &other[piece * PIECE..]);
            }
        });
    }
    for mut other in rest {
        if let Some(gradient) = &mut other.gradient {
            gradient.atoms = Vec::new();
        }
        whole = whole.joined_with(other);
    }
    whole
}

impl Outcome {
    /// Both together: terms and gradients added, rows behind each other.
    fn joined_with(mut self, other: Outcome) -> Outcome {
        self.reconstruction += other.reconstruction;
        self.divergence += other.divergence;
        self.end.extend(other.end);
        if let (Some(sum), Some(gradient)) = (&mut self.gradient, other.gradient) {
            sum.add(gradient);
        }
        self
    }
}

impl Gradient {
    fn add(&mut self, other: Gradient) {
        add(&mut self.atoms, &other.atoms);
        add(&mut self.precision, &other.precision);
        add(&mut self.homeostasis, &other.homeostasis);
        add(&mut self.curvature, &other.curvature);
        self.step_size += other.step_size;
        self.start.extend(other.start);
    }
}

fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}
