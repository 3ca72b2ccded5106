//! Ctrl-C during long computations of the library, which knows nothing of it.
//!
//! A computation runs on a thread of its own while this one, which signals come to, looks at them. Every pass of the
//! library reads its observations anew: once Ctrl-C was pressed, they end the thread that reads them by unwinding, and
//! nothing of the computation is left.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use scotopic_filtering::{Sequence, SharedValues};

use crate::errors::Result;

/// How often signals are looked at: often enough to feel immediate, too rarely to cost anything.
const LOOK: Duration = Duration::from_millis(20);

/// Observations that can be taken away.
struct Revocable {
    values: SharedValues,
    revoked: Arc<AtomicBool>,
}

/// What a thread ends with whose observations were taken away.
struct Revoked;

impl AsRef<[f64]> for Revocable {
    fn as_ref(&self) -> &[f64] {
        if self.revoked.load(Ordering::Relaxed) {
            // No panic: nothing is wrong, and nothing is printed.
            resume_unwind(Box::new(Revoked));
        }
        (*self.values).as_ref()
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
    let revoked = Arc::new(AtomicBool::new(false));
    let values: SharedValues = Arc::new(Revocable {
        values: source.values.clone(),
        revoked: revoked.clone(),
    });
    let of = |range: &std::ops::Range<usize>| {
        Sequence::of_shared(source.width, values.clone(), range.clone())
    };
    let sequences = source.ranges.iter().map(of);
    let sequences = sequences.collect::<scotopic_filtering::Result<Vec<_>>>()?;
    let mut raised = None;
    let ended = thread::scope(|scope| {
        let (done, wait) = channel::<()>();
        let worker = scope.spawn(|| {
            // Dropped at the end, however that is reached.
            let _done = done;
            work(&sequences)
        });
        // The receiver is not to be shared between threads, but the borrow below is moved to none.
        let wait = std::sync::Mutex::new(wait);
        while raised.is_none() {
            let look = || wait.lock().ok().map(|wait| wait.recv_timeout(LOOK));
            match py.detach(look) {
                Some(Err(RecvTimeoutError::Timeout)) => raised = py.check_signals().err(),
                _ => break,
            }
        }
        revoked.store(raised.is_some(), Ordering::Relaxed);
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
