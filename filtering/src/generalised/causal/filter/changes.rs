//! What can be changed between bins: inputs, precisions, parameters.

use nalgebra::DMatrix;

use super::CausalGeneralisedFilter;
use crate::generalised::causal::stack::root_of_inverse;
use crate::generalised::model::Equations;
use crate::{Error, Result};

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// Sets the known prior mean η of the top causes from the next bin on, `[top causes]`.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`]; nothing is changed then.
    pub fn set_input(&mut self, eta: &[f64]) -> Result<()> {
        if eta.len() != self.stack.eta.len() {
            return Err(Error::size("input", eta.len(), self.stack.eta.len()));
        }
        crate::error::check_finite("input", eta.len().max(1), eta)?;
        if self.stack.eta == eta {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.stack.eta, eta.to_vec());
        self.prepare_linear()
            .inspect_err(|_| self.stack.eta = before)
    }

    /// Sets the precisions of z `[outputs, outputs]` and of w of each level `[states, states]` from the next
    /// bin on. The belief is kept: noises are held in units of their standard deviation.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::NotPositiveDefinite`]; nothing is changed then.
    pub fn set_precisions(&mut self, output: &DMatrix<f64>, motion: &[DMatrix<f64>]) -> Result<()> {
        let y = self.stack.outputs;
        if output.shape() != (y, y) {
            return Err(Error::size("precision of z", output.nrows(), y));
        }
        let levels = &self.stack.motion_root;
        let fits = |(new, old): (&DMatrix<f64>, &DMatrix<f64>)| new.shape() == old.shape();
        if motion.len() != levels.len() || !motion.iter().zip(levels).all(fits) {
            return Err(Error::size("precision of w", motion.len(), levels.len()));
        }
        let roots: Vec<_> = motion
            .iter()
            .map(|precision| root_of_inverse(precision, "precision of w"))
            .collect::<Result<_>>()?;
        let whitening = whitening(output)?;
        let before = std::mem::replace(&mut self.stack.motion_root, roots);
        self.prepare_linear()
            .inspect_err(|_| self.stack.motion_root = before)?;
        self.whiten(whitening);
        Ok(())
    }

    /// Sets θ of all levels, stacked, from the next bin on; free parameters that are filtered are not touched.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`], or [`Error::NotFinite`] naming f; nothing is changed then.
    pub fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        if theta.len() != self.stack.theta.len() {
            return Err(Error::size(
                "parameters",
                theta.len(),
                self.stack.theta.len(),
            ));
        }
        crate::error::check_finite("parameters", theta.len().max(1), theta)?;
        self.scratch_theta.copy_from_slice(&self.stack.theta);
        self.put_parameters(theta);
        let done = self.prepare_linear();
        if done.is_err() {
            std::mem::swap(&mut self.stack.theta, &mut self.scratch_theta);
            self.update.theta.copy_from_slice(&self.stack.theta);
        }
        done
    }

    pub(super) fn put_parameters(&mut self, theta: &[f64]) {
        self.stack.theta.copy_from_slice(theta);
        self.update.theta.copy_from_slice(theta);
    }

    /// Takes U with Π_z = U'U.
    pub(super) fn whiten(&mut self, upper: DMatrix<f64>) {
        self.log_whitening = upper.diagonal().iter().map(|&d| libm::log(d)).sum();
        self.whitening = upper;
    }

    /// The transition of a linear model, once and for all; where it fails the one before is kept.
    pub(super) fn prepare_linear(&mut self) -> Result<()> {
        if !self.stack.is_linear() {
            return Ok(());
        }
        let zeros = vec![0.0; self.layout.present()];
        let (x, n) = zeros.split_at(self.layout.states);
        let mut transition = self.transition.clone();
        if !transition.compute(&self.stack, &self.channels, x, n, self.settings.steps) {
            return Err(self.not_finite("f (its Jacobian over a bin; raise `steps`)"));
        }
        self.transition = transition;
        self.linear = Some(self.transition.x.clone());
        let local = &mut self.update.local;
        self.stack.output(
            x,
            &vec![0.0; self.stack.causes],
            &mut self.update.theta,
            local,
        );
        Ok(())
    }
}

/// U, upper triangular, with Π_z = U'U.
///
/// # Errors
/// [`Error::NotPositiveDefinite`].
pub(super) fn whitening(precision: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let lost = || Error::NotPositiveDefinite {
        name: "precision of z".to_owned(),
        pivot: 0,
        value: precision
            .diagonal()
            .iter()
            .copied()
            .fold(f64::NAN, f64::min),
    };
    let lower = precision.clone().cholesky().ok_or_else(lost)?.unpack();
    Ok(lower.transpose())
}
