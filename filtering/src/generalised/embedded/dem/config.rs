//! Settings of dynamic expectation maximisation, and the published quirks by name.

use serde::{Deserialize, Serialize};

use crate::generalised::embedded::embedding::{Edge, Window};
use crate::generalised::embedded::errors::TopOrder;
use crate::generalised::model::stacked::{Derivatives, PUBLISHED_STEP};
use crate::generalised::precision::PUBLISHED_WHITE;
use crate::generalised::scheme::Embedding;
use crate::{Error, Result};

/// What the published implementations do that the theory does not ask for. All off by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Published {
    /// The highest order of the error of motion is 0 in e but keeps its row in J.
    pub top_order: bool,
    /// Windows before the first bin are rounded towards zero, not down.
    pub edges: bool,
    /// Jacobians by x and v are forward differences with a step of e^−8.
    pub forward_differences: bool,
    /// s = 0 stands for s = e^−8.
    pub white_floor: bool,
    /// max(ε(‖Λ‖_∞)·dim, e^−32) is added to Λ before it is inverted.
    pub covariance_floor: bool,
    /// Errors with a fixed precision of e¹⁶ or more do not count in F, and states with such a precision are
    /// reported with variance 0.
    pub masks: bool,
    /// Mean-field terms have half their weight.
    pub half_mean_field: bool,
    /// After a rejected sweep the best point is evaluated again, its log-precisions and C_p included, with one step of
    /// the M-step at most, instead of a smaller step being taken.
    pub stale_restore: bool,
    /// F of a sweep is that of the log-precisions before the last step of its M-step; the next sweep filters with those
    /// after it.
    pub late_precisions: bool,
    /// The determinant of a curvature without entries off its diagonal counts as one in the time of a step, which then
    /// is nearly Newton's whatever τ is.
    pub diagonal_time: bool,
    /// The step after the last sweep, if that was kept, is part of the parameters that are reported: no sweep has
    /// tried them.
    pub untried_step: bool,
    /// Sweeps end when a step is small (e^−4 of the way so far), however many of that size are still to come.
    pub small_step: bool,
    /// Generalised filtering: within a step neither do states feel how parameters and log-precisions change, nor these the
    /// states.
    pub uncoupled: bool,
    /// Generalised filtering: when passes end because F stands still, the pass before the last is reported.
    pub pass_before_last: bool,
}

impl Published {
    /// Everything as published: needed to reproduce recorded numbers.
    pub fn spm() -> Self {
        Self {
            top_order: true,
            edges: true,
            forward_differences: true,
            white_floor: true,
            covariance_floor: true,
            masks: true,
            half_mean_field: true,
            stale_restore: true,
            late_precisions: true,
            diagonal_time: true,
            untried_step: true,
            small_step: true,
            uncoupled: true,
            pass_before_last: true,
        }
    }
}

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
        if self.substeps == 0 {
            return Err(Error::setting("substeps", 0, "at least one step a bin"));
        }
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(Error::setting("rate", self.rate, "a positive number"));
        }
        if !(self.state_ridge >= 0.0 && self.state_ridge.is_finite()) {
            let expected = "a precision, at least 0";
            return Err(Error::setting("state_ridge", self.state_ridge, expected));
        }
        if self.embedding.smoothness == 0.0 && !self.published.white_floor {
            let expected = "a positive number: derivatives of white noise have no precision \
                            (use a small one, `published.white_floor`, or a Kalman–Bucy filter)";
            return Err(Error::setting("smoothness", 0, expected));
        }
        Ok(())
    }

    /// s, or what stands for it.
    pub(crate) fn smoothness(&self) -> f64 {
        match self.embedding.smoothness {
            0.0 if self.published.white_floor => PUBLISHED_WHITE,
            s => s,
        }
    }

    pub(crate) fn top(&self) -> TopOrder {
        match self.published.top_order {
            true => TopOrder::Published,
            false => TopOrder::Marginal,
        }
    }

    pub(crate) fn derivatives(&self) -> Derivatives {
        match self.published.forward_differences {
            true => Derivatives::Forward {
                step: PUBLISHED_STEP,
            },
            false => Derivatives::Exact,
        }
    }

    pub(crate) fn effective_window(&self) -> Window {
        match self.window {
            Window::Centred(_) if self.published.edges => Window::Centred(Edge::Published),
            window => window,
        }
    }
}
