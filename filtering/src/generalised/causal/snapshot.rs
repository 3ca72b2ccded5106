//! What has to be kept of a causal filter to go on later: nothing that can be computed again.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::filter::CausalGeneralisedFilter;
use super::settings::CausalSettings;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result};

/// The belief, the last observations, and what was set since the start. A filter serialises as this, and
/// going on from it gives the same numbers bit for bit, if the format keeps every digit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CausalSnapshot<E> {
    /// The model.
    pub model: GenerativeModel<E>,
    /// The settings.
    pub settings: CausalSettings,
    /// The joint mean, as long as [`CausalGeneralisedFilter::joint_size`].
    pub mean: Vec<f64>,
    /// The joint covariance, square.
    pub covariance: DMatrix<f64>,
    /// Third central moments of the states and free parameters, `[states, states, states]`, where they are
    /// carried; empty for none.
    #[serde(default)]
    pub third: Vec<f64>,
    /// The last observations, newest first, `[memory, outputs]`.
    pub history: Vec<f64>,
    /// Which of them were seen, `[memory]`.
    pub seen: Vec<bool>,
    /// Observations taken in.
    pub bins: u64,
    /// Σ ln p(y_t | y_1 … y_{t−1}), and its last term.
    pub log_evidence: [f64; 2],
    /// The known prior mean of the top causes.
    pub input: Vec<f64>,
    /// θ of all levels.
    pub theta: Vec<f64>,
    /// U with U'U the precision of z.
    pub whitening: DMatrix<f64>,
    /// S with S S' the covariance of w, level by level.
    pub motion_root: Vec<DMatrix<f64>>,
}

impl<E: Equations + Clone> From<CausalGeneralisedFilter<E>> for CausalSnapshot<E> {
    fn from(filter: CausalGeneralisedFilter<E>) -> Self {
        filter.snapshot()
    }
}

impl<E: Equations> TryFrom<CausalSnapshot<E>> for CausalGeneralisedFilter<E> {
    type Error = Error;

    fn try_from(kept: CausalSnapshot<E>) -> Result<Self> {
        CausalGeneralisedFilter::restore(kept)
    }
}

/// Every array's name and shape, in one order for a snapshot and for a filter.
pub(super) fn shapes(
    (mean, covariance, third): (&[f64], &DMatrix<f64>, &[f64]),
    (history, seen): (&[f64], &[bool]),
    (input, theta): (&[f64], &[f64]),
    whitening: &DMatrix<f64>,
    motion_root: &[DMatrix<f64>],
) -> Vec<(&'static str, (usize, usize))> {
    let mut all = vec![
        ("mean", (mean.len(), 1)),
        ("covariance", covariance.shape()),
        ("third", (third.len(), 1)),
        ("history", (history.len(), 1)),
        ("seen", (seen.len(), 1)),
        ("input", (input.len(), 1)),
        ("theta", (theta.len(), 1)),
        ("whitening", whitening.shape()),
        ("motion_root", (motion_root.len(), 1)),
    ];
    all.extend(motion_root.iter().map(|m| ("motion_root", m.shape())));
    all
}

impl<E> CausalSnapshot<E> {
    pub(super) fn shapes(&self) -> Vec<(&'static str, (usize, usize))> {
        let belief = (&self.mean[..], &self.covariance, &self.third[..]);
        let past = (&self.history[..], &self.seen[..]);
        let set = (&self.input[..], &self.theta[..]);
        shapes(belief, past, set, &self.whitening, &self.motion_root)
    }

    /// Checks that every number can be what it is.
    pub(super) fn check(&self) -> Result<()> {
        let roots = self.motion_root.iter().flat_map(|m| m.iter());
        let numbers = (self.mean.iter().chain(self.covariance.iter()))
            .chain(&self.third)
            .chain(self.history.iter().chain(&self.log_evidence))
            .chain(self.input.iter().chain(&self.theta))
            .chain(self.whitening.iter().chain(roots));
        if let Some(v) = numbers.copied().find(|v| !v.is_finite()) {
            return Err(Error::entry("snapshot", &[], v, "finite numbers"));
        }
        // Rounding may leave a variance of zero a little below.
        let slack = -1e-9 * (1.0 + self.covariance.amax());
        if let Some(v) = self
            .covariance
            .diagonal()
            .iter()
            .copied()
            .find(|&v| v < slack)
        {
            return Err(Error::entry(
                "snapshot: covariance",
                &[],
                v,
                "variances, at least 0",
            ));
        }
        if let Some(v) = self
            .whitening
            .diagonal()
            .iter()
            .copied()
            .find(|&v| v <= 0.0)
        {
            return Err(Error::entry(
                "snapshot: whitening",
                &[],
                v,
                "a positive diagonal",
            ));
        }
        Ok(())
    }
}
