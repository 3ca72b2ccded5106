//! Batches over all threads.

use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::block_shape::rows_together;
use super::gradient::Gradient;
use super::latents::Latents;
use super::tape::Tape;
use super::unroll::{Outcome, Unroll};

/// The most tasks that a batch is cut into. Each has a gradient of its own to add to. Nothing here depends on the
/// number of threads, so neither do the bits of the sum.
const TASKS: usize = 32;

/// The memory that their gradients may take together; large dictionaries are cut into fewer tasks.
const GRADIENT_BYTES: usize = 256 << 20;

/// A small batch is cut into as many tasks as this, so that its threads have something to do, …
const AT_LEAST: usize = 4;

/// … unless fewer rows than these were left for a task, which would leave most of a product's registers empty.
const FEWEST: usize = 4;

thread_local! {
    /// The memory that a thread wrote its last tape on, for the next task and the next iteration. Pages got anew
    /// from the system cost a fifth of a training step. Nothing is read that was not written before.
    static TAPE: Cell<Tape> = Cell::default();
}

/// The memory of the last batch's gradients, for the next one's, up to [`SPARE_BYTES`].
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// What is kept between two iterations; a gradient of a dictionary larger than this is worth its pages.
const SPARE_BYTES: usize = 64 << 20;

/// Memory with anything in it, or none.
fn spare() -> Vec<f32> {
    let mut kept = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    kept.pop().unwrap_or_default()
}

/// Keeps memory for [`spare`].
fn keep(memory: impl Iterator<Item = Vec<f32>>) {
    let mut kept = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    kept.extend(memory);
    let mut bytes = 0;
    kept.retain(|memory| {
        bytes += 4 * memory.capacity();
        bytes <= SPARE_BYTES
    });
}

/// The objective's terms of a whole batch, and its gradient where it is asked for.
pub(crate) fn objective<L: Latents>(
    unroll: &Unroll<'_, L>,
    with_gradient: bool,
) -> (Outcome, Option<Gradient>) {
    let dictionary = unroll.network.dictionary();
    let latents = dictionary.latents;
    let batch = unroll.start.len() / (latents * L::COMPONENTS).max(1);
    let columns = match unroll.prior.transition() {
        Some(_) => dictionary.wide_pixels() + dictionary.wide_latents(),
        None => dictionary.wide_pixels(),
    };
    let done = on_all_threads(batch, latents * columns, |parts, memory| {
        let mut tape = TAPE.take();
        let mut gradient = with_gradient.then(|| unroll.no_gradient(memory));
        let part = |rows| unroll.run(rows, gradient.as_mut(), &mut tape);
        let outcomes = parts.into_iter().map(part).collect();
        TAPE.set(tape);
        (outcomes, gradient)
    });
    joined(done, unroll.start.len())
}

/// Runs a batch on all threads, in tasks with a gradient of `numbers` numbers each: gives every task its rows, a few at a
/// time, and where to get memory, and returns what the tasks gave, in their order.
pub(super) fn on_all_threads<T: Send>(
    batch: usize,
    numbers: usize,
    run: impl Fn(Vec<Range<usize>>, fn() -> Vec<f32>) -> T + Sync,
) -> Vec<T> {
    let affordable = GRADIENT_BYTES / (4 * numbers).max(1);
    let together = rows_together();
    let tasks = batch
        .div_ceil(together)
        .clamp(AT_LEAST, TASKS)
        .min(affordable)
        .min(batch.div_ceil(FEWEST))
        .max(1);
    let one = |task: usize| {
        let (from, to) = (task * batch / tasks, (task + 1) * batch / tasks);
        let parts = (to - from).div_ceil(together).max(1);
        let part = |i: usize| from + i * (to - from) / parts;
        run((0..parts).map(|i| part(i)..part(i + 1)).collect(), spare)
    };
    (0..tasks).into_par_iter().map(one).collect()
}

/// What tasks gave, in one, of states of `count` numbers.
pub(super) fn joined(
    done: Vec<(Vec<Outcome>, Option<Gradient>)>,
    count: usize,
) -> (Outcome, Option<Gradient>) {
    let mut gradients = Vec::with_capacity(done.len());
    let mut whole = Outcome {
        reconstruction: 0.0,
        divergence: 0.0,
        end: Vec::with_capacity(count),
    };
    for (outcomes, gradient) in done {
        for outcome in outcomes {
            whole.reconstruction += outcome.reconstruction;
            whole.divergence += outcome.divergence;
            whole.end.extend(outcome.end);
        }
        gradients.extend(gradient);
    }
    (whole, summed(gradients))
}

/// All gradients in one, in their order; `None` of none.
fn summed(gradients: Vec<Gradient>) -> Option<Gradient> {
    let mut gradients = gradients.into_iter();
    let mut whole = gradients.next()?;
    let rest: Vec<Gradient> = gradients.collect();
    add_all(&mut whole.atoms, &rest, |other| &other.atoms);
    add_all(&mut whole.weights, &rest, |other| &other.weights);
    let mut memory = Vec::with_capacity(2 * rest.len());
    for other in rest {
        memory.extend([other.atoms, other.weights]);
        let pairs = [
            (&mut whole.precision, other.precision),
            (&mut whole.homeostasis, other.homeostasis),
            (&mut whole.curvature, other.curvature),
            (&mut whole.gain, other.gain),
            (&mut whole.spread, other.spread),
            (&mut whole.rest, other.rest),
            (&mut whole.keep, other.keep),
            (&mut whole.bias, other.bias),
        ];
        for (sum, other) in pairs {
            add(sum, &other);
        }
        for (sum, other) in whole.step_sizes.iter_mut().zip(other.step_sizes) {
            *sum += other;
        }
        whole.start.extend(other.start);
        for (frame, rows) in whole.frames.iter_mut().zip(other.frames) {
            frame.extend(rows);
        }
    }
    keep(memory.into_iter().filter(|memory| memory.capacity() > 0));
    Some(whole)
}

/// Adds a large part of all others to that of the first, on all threads.
fn add_all(sum: &mut [f32], others: &[Gradient], part: fn(&Gradient) -> &[f32]) {
    const PIECE: usize = 4096;
    let pieces = sum.par_chunks_mut(PIECE).enumerate();
    pieces.for_each(|(piece, sum)| {
        for other in others {
            add(sum, &part(other)[piece * PIECE..]);
        }
    });
}

fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}
