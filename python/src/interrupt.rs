//! Ctrl-C during long computations of the library, which knows nothing of it.
//!
//! A computation runs on a thread of its own while this one, which signals come to, looks at them. Every pass of the
//! library reads its observations anew, and every draw asks for random numbers: once Ctrl-C was pressed, these end the thread that
//! asks for them by unwinding, and nothing of the computation is left.

use std::any::Any;
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::rand::{SeedableRng, TryRng};
use scotopic_filtering::{Sequence, SharedValues};

use crate::errors::Result;

/// How often signals are looked at: often enough to feel immediate, too rarely to cost anything.
const LOOK: Duration = Duration::from_millis(20);

/// Whether what a computation asks for was taken away.
#[derive(Clone, Default)]
struct Revocation(Arc<AtomicBool>);

/// What a thread ends with whose observations were taken away.
struct Revoked;

impl Revocation {
    /// Ends the thread if it was.
    #[inline]
    fn check(&self) {
        if self.0.load(Ordering::Relaxed) {
            // No panic: nothing is wrong, and nothing is printed.
            resume_unwind(Box::new(Revoked));
        }
    }
}

/// Observations that can be taken away.
struct Revocable {
    values: SharedValues,
    revocation: Revocation,
}

impl AsRef<[f64]> for Revocable {
    fn as_ref(&self) -> &[f64] {
        self.revocation.check();
        (*self.values).as_ref()
    }
}

/// Random numbers that can be taken away.
pub struct Noise {
    rng: Xoshiro256PlusPlus,
    revocation: Revocation,
}

impl TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        self.revocation.check();
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        self.revocation.check();
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> std::result::Result<(), Infallible> {
        self.revocation.check();
        self.rng.try_fill_bytes(dst)
    }
}

/// Sequences over shared numbers, cut after `ends` of them: what [`interruptible`] gives to its work.
pub struct Source<'a> {
    /// The numbers.
    pub values: &'a SharedValues,
    /// The entries of one observation.
    pub width: usize,
    /// Where in the numbers each sequence lies.
    pub ranges: &'a [std::ops::Range<usize>],
}

/// Runs `work` on the sequences without holding the interpreter. Ctrl-C, or another signal whose handler raises, ends it.
///
/// # Errors
/// Those of `work`, and what the signal's handler raised.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    source: &Source<'_>,
    work: impl FnOnce(&[Sequence]) -> scotopic_filtering::Result<T> + Send,
) -> Result<T> {
    followed(py, source, &mut |_| Ok(()), work)
}

/// The same, with a look at how far the work has come whenever signals are looked at.
///
/// # Errors
/// As [`interruptible`], and those of `look`.
pub fn followed<T: Send>(
    py: Python<'_>,
    source: &Source<'_>,
    look: &mut dyn FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce(&[Sequence]) -> scotopic_filtering::Result<T> + Send,
) -> Result<T> {
    let revocation = Revocation::default();
    let sequences = revocable(source, &revocation)?;
    watched(py, &revocation, look, || work(&sequences))
}

/// The sequences, which can be taken away.
fn revocable(
    source: &Source<'_>,
    revocation: &Revocation,
) -> scotopic_filtering::Result<Vec<Sequence>> {
    let values: SharedValues = Arc::new(Revocable {
        values: source.values.clone(),
        revocation: revocation.clone(),
    });
    let of = |range: &std::ops::Range<usize>| {
        Sequence::of_shared(source.width, values.clone(), range.clone())
    };
    source.ranges.iter().map(of).collect()
}

/// Runs `work` on the random numbers of a seed as [`interruptible`] does on observations.
///
/// # Errors
/// As [`interruptible`].
pub fn drawing<T: Send>(
    py: Python<'_>,
    seed: u64,
    work: impl FnOnce(&mut Noise) -> scotopic_filtering::Result<T> + Send,
) -> Result<T> {
    let revocation = Revocation::default();
    let mut noise = Noise {
        rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        revocation: revocation.clone(),
    };
    watched(py, &revocation, &mut |_| Ok(()), || work(&mut noise))
}

/// Runs `work` on a thread of its own, and looks at signals, and where `look` does, until it ends.
fn watched<T: Send>(
    py: Python<'_>,
    revocation: &Revocation,
    look: &mut dyn FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce() -> scotopic_filtering::Result<T> + Send,
) -> Result<T> {
    let mut raised = None;
    let ended = thread::scope(|scope| {
        let (done, wait) = channel::<()>();
        let worker = scope.spawn(|| {
            // Dropped at the end, however that is reached.
            let _done = done;
            work()
        });
        // The receiver is not to be shared between threads, but the borrow below is moved to none.
        let wait = std::sync::Mutex::new(wait);
        while raised.is_none() {
            let pause = || wait.lock().ok().map(|wait| wait.recv_timeout(LOOK));
            match py.detach(pause) {
                Some(Err(RecvTimeoutError::Timeout)) => {
                    raised = py.check_signals().and_then(|()| look(py)).err();
                }
                _ => break,
            }
        }
        revocation.0.store(raised.is_some(), Ordering::Relaxed);
        py.detach(|| worker.join())
    });
    match (ended, raised) {
        (_, Some(error)) => Err(error.into()),
        (Ok(result), None) => Ok(result?),
        (Err(panic), None) => resume_unwind(panic as Box<dyn Any + Send>),
    }
}

/// Looks at signals once in some thousand steps, counted from 1, of a loop that does not hold the interpreter.
///
/// # Errors
/// What a signal's handler raised.
pub fn heed(step: usize) -> PyResult<()> {
    match step.is_multiple_of(1 << 10) {
        true => Python::attach(|py| py.check_signals()),
        false => Ok(()),
    }
}
