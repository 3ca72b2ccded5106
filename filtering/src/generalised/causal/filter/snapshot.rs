//! Snapshots of the causal filter, without anything that can be recomputed.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{CausalGeneralisedFilter, JointBelief};
use crate::generalised::causal::config::CausalConfig;
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
    #[serde(rename = "settings")]
    pub config: CausalConfig,
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

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// What has to be kept to go on later.
    pub fn snapshot(&self) -> CausalSnapshot<E>
    where
        E: Clone,
    {
        CausalSnapshot {
            model: self.stack.model.clone(),
            config: self.config,
            mean: self.belief.mean.clone(),
            covariance: self.belief.covariance.clone(),
            third: self.belief.third.clone(),
            history: self.history.clone(),
            seen: self.seen.clone(),
            bins: self.bins,
            log_evidence: [self.log_evidence, self.last_log_density],
            input: self.stack.eta.clone(),
            theta: self.stack.theta.clone(),
            whitening: self.whitening.clone(),
            motion_root: self.stack.motion_root.clone(),
        }
    }

    /// The filter that a snapshot was taken of.
    ///
    /// # Errors
    /// As [`CausalGeneralisedFilter::new`]; [`Error::Size`] or [`Error::Entry`] for a snapshot that does not
    /// fit its own model, or holds what cannot be.
    pub fn restore(kept: CausalSnapshot<E>) -> Result<Self> {
        let (config, sizes) = (kept.config, kept.shapes());
        kept.check()?;
        let CausalSnapshot {
            model,
            mean,
            covariance,
            third,
            history,
            seen,
            bins,
            log_evidence,
            input,
            theta,
            whitening,
            motion_root,
            ..
        } = kept;
        let mut filter = Self::new(model, config, None)?;
        let expected = filter.shapes();
        for ((name, found), (_, expected)) in sizes.into_iter().zip(expected) {
            if found != expected {
                let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
                return Err(Error::size(format!("snapshot: {name}"), found, expected));
            }
        }
        filter.belief = JointBelief {
            mean,
            covariance,
            third,
        };
        (filter.history, filter.seen) = (history, seen);
        filter.bins = bins;
        [filter.log_evidence, filter.last_log_density] = log_evidence;
        filter.stack.eta = input;
        filter.put_parameters(&theta);
        filter.log_whitening = whitening.diagonal().iter().map(|&d| libm::log(d)).sum();
        filter.whitening = whitening;
        filter.stack.motion_root = motion_root;
        filter.prepare_linear()?;
        filter.read_out();
        Ok(filter)
    }

    fn shapes(&self) -> Vec<(&'static str, (usize, usize))> {
        let JointBelief {
            mean,
            covariance,
            third,
        } = &self.belief;
        let belief = (&mean[..], covariance, &third[..]);
        let past = (&self.history[..], &self.seen[..]);
        let set = (&self.stack.eta[..], &self.stack.theta[..]);
        shapes(belief, past, set, &self.whitening, &self.stack.motion_root)
    }
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
fn shapes(
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
    fn shapes(&self) -> Vec<(&'static str, (usize, usize))> {
        let belief = (&self.mean[..], &self.covariance, &self.third[..]);
        let past = (&self.history[..], &self.seen[..]);
        let set = (&self.input[..], &self.theta[..]);
        shapes(belief, past, set, &self.whitening, &self.motion_root)
    }

    /// Checks that every number can be what it is.
    fn check(&self) -> Result<()> {
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
