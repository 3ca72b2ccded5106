//! Settings of dynamic expectation maximisation.

use serde::{Deserialize, Serialize};

use super::published::{Deviation, Published};
use crate::error::check_count;
use crate::generalised::embedded::embedding::Window;
use crate::generalised::scheme::Embedding;
use crate::{Error, Result};

/// The first τ of a published run that learns a model declared linear.
const LINEAR_FIRST_TIME: f64 = 4.0;

/// Settings of [`super::Dem`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemConfig {
    /// Orders N and d, smoothness s.
    pub embedding: Embedding,
    /// How samples become derivatives.
    pub window: Window,
    /// Steps per bin (nD).
    pub substeps: usize,
    /// The rate K of the descent on the energy, per bin.
    pub rate: f64,
    /// The precision of x about 0 (a ridge), at order 0 only; 0 for none.
    pub state_ridge: f64,
    /// Sweeps over the series to learn parameters and log-precisions (nE).
    pub sweeps: usize,
    /// Steps of the log-precisions per sweep (nM).
    pub precision_steps: usize,
    /// The time τ of the first step of the parameters, exp(τ) in units of their curvature: 0 is careful, 4 is nearly a
    /// Newton step. Half is added after a sweep that raised F, up to 4. The published program begins with 0, or with 4 if it
    /// is declared linear (its states enter f and g linearly).
    pub first_time: f64,
    /// Which published quirks to reproduce.
    pub published: Published,
}

impl Default for DemConfig {
    /// The published defaults of numbers (N = 6, d = 2, s = ½, one step a bin, unit rate, 8 sweeps of at most 8
    /// steps), none of the quirks.
    fn default() -> Self {
        Self {
            embedding: Embedding::default(),
            window: Window::default(),
            substeps: 1,
            rate: 1.0,
            state_ridge: 0.0,
            sweeps: 8,
            precision_steps: 8,
            first_time: 0.0,
            published: Published::default(),
        }
    }
}

impl DemConfig {
    /// The scheme as published, with these orders and smoothness, and with the long first step of a model that is linear in
    /// its states: that of all recorded runs that learn. Of these the ones with four free parameters need it (F
    /// ends up to 2.4 nats away with 0); with two the curvature has no entries off its diagonal, and any first time gives a
    /// Newton step (`published.diagonal_time`).
    pub fn published(embedding: Embedding) -> Self {
        Self {
            embedding,
            first_time: LINEAR_FIRST_TIME,
            published: Published::spm(),
            ..Self::default()
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.embedding.check()?;
        check_count("substeps", self.substeps, 1..=1000)?;
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(Error::setting("rate", self.rate, "a positive number"));
        }
        if !(self.state_ridge >= 0.0 && self.state_ridge.is_finite()) {
            let expected = "a precision, at least 0";
            return Err(Error::setting("state_ridge", self.state_ridge, expected));
        }
        if self.embedding.smoothness == 0.0 && !self.published.has(Deviation::WhiteFloor) {
            let expected = "a positive number: derivatives of white noise have no precision \
                            (use a small one, `published.white_floor`, or a Kalman–Bucy filter)";
            return Err(Error::setting("smoothness", 0, expected));
        }
        Ok(())
    }
}
