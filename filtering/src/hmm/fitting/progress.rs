//! How far a search has come.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a search has come, for another thread to look at; [`FitSearch::watched`](super::FitSearch::watched).
#[derive(Debug, Default)]
pub struct SearchProgress {
    evaluations: AtomicUsize,
    ended: AtomicUsize,
    highest: Mutex<Option<f64>>,
}

impl SearchProgress {
    /// Evaluations of ln p so far.
    pub fn evaluations(&self) -> usize {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// Runs that came to a maximum so far.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    /// The highest maximum of ln p so far, in nats; none before a run has ended.
    pub fn highest(&self) -> Option<f64> {
        self.highest.lock().ok().and_then(|highest| *highest)
    }

    pub(super) fn evaluated(&self) {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reached(&self, log_evidence: f64) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut highest) = self.highest.lock() {
            *highest = Some(highest.map_or(log_evidence, |h| h.max(log_evidence)));
        }
    }
}
