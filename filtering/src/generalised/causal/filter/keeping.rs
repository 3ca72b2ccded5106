//! Into a snapshot and back.

use super::{Belief, CausalGeneralisedFilter};
use crate::generalised::causal::snapshot::{self, CausalSnapshot};
use crate::generalised::model::Equations;
use crate::{Error, Result};

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// What has to be kept to go on later.
    pub fn snapshot(&self) -> CausalSnapshot<E>
    where
        E: Clone,
    {
        CausalSnapshot {
            model: self.stack.model.clone(),
            settings: self.settings,
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
        let (settings, sizes) = (kept.settings, kept.shapes());
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
        let mut filter = Self::new(model, settings, None)?;
        let expected = filter.shapes();
        for ((name, found), (_, expected)) in sizes.into_iter().zip(expected) {
            if found != expected {
                let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
                return Err(Error::size(format!("snapshot: {name}"), found, expected));
            }
        }
        filter.belief = Belief {
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
        let Belief {
            mean,
            covariance,
            third,
        } = &self.belief;
        let belief = (&mean[..], covariance, &third[..]);
        let past = (&self.history[..], &self.seen[..]);
        let set = (&self.stack.eta[..], &self.stack.theta[..]);
        snapshot::shapes(belief, past, set, &self.whitening, &self.stack.motion_root)
    }
}
