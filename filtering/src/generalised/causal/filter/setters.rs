//! Setters between bins: inputs, precisions, parameters, equations.

use nalgebra::DMatrix;

use super::CausalGeneralisedFilter;
use crate::generalised::causal::config::{CausalConfig, Linearisation};
use crate::generalised::causal::stack::{CausalStack, root_of_inverse};
use crate::generalised::causal::third_moments::ThirdMoments;
use crate::generalised::model::Equations;
use crate::math::cholesky::not_definite;
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
            return Err(Error::size("output_precision", output.nrows(), y));
        }
        let levels = &self.stack.motion_root;
        let fits = |(new, old): (&DMatrix<f64>, &DMatrix<f64>)| new.shape() == old.shape();
        if motion.len() != levels.len() || !motion.iter().zip(levels).all(fits) {
            return Err(Error::size("motion_precision", motion.len(), levels.len()));
        }
        let roots: Vec<_> = motion
            .iter()
            .map(|precision| root_of_inverse(precision, "motion_precision"))
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
            self.stack.theta.copy_from_slice(&self.scratch_theta);
            self.update.theta.copy_from_slice(&self.stack.theta);
        }
        done
    }

    /// Sets the equations of one level, counted from the data's 0, from the next bin on; the belief is kept. For
    /// equations that learn outside of the filter, as networks do.
    ///
    /// # Errors
    /// [`Error::Size`] for another number of states, causes, outputs or parameters, or a level that is not there;
    /// [`Error::Unsupported`] where g sees causes and did not, or the other way round, which another layout of the
    /// belief would be needed for; [`Error::NotFinite`] naming f. Nothing is changed then.
    pub fn set_equations(&mut self, level: usize, equations: E) -> Result<()> {
        let levels = self.stack.model.levels.len();
        let Some(place) = self.stack.model.levels.get_mut(level) else {
            return Err(Error::size("level", level, format!("below {levels}")));
        };
        let (old, new) = (place.equations.sizes(), equations.sizes());
        if old != new {
            let (found, expected) = (format!("{new:?}"), format!("{old:?}"));
            return Err(Error::size("equations", found, expected));
        }
        if place.equations.output_sees_causes() != equations.output_sees_causes() {
            return Err(Error::Unsupported {
                what: "a causal filter".to_owned(),
                asked: "take equations whose output sees causes where it did not, or no longer does",
                why: "the layout of its belief depends on it; make a new filter",
            });
        }
        let before = std::mem::replace(&mut place.equations, equations);
        if let Err(error) = self.prepare_linear() {
            self.stack.model.levels[level].equations = before;
            return Err(error);
        }
        if !self.stack.is_linear() {
            self.linear = None;
        }
        self.straight = straight(&self.stack, self.sees);
        self.hold_third();
        Ok(())
    }

    /// Third moments for nonlinear flows, none for linear ones. A belief without them is not skewed.
    fn hold_third(&mut self) {
        let carries = carries_third(&self.config, &self.stack);
        if carries == self.third.is_some() {
            return;
        }
        let states = self.layout.states;
        self.third = carries.then(|| ThirdMoments::new(states, self.layout.size()));
        let count = if carries { states.pow(3) } else { 0 };
        for belief in [&mut self.belief, &mut self.next, &mut self.trial] {
            belief.third.clear();
            belief.third.resize(count, 0.0);
        }
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
        // A flow that was bent may have become straight.
        transition.curvature.fill(0.0);
        if !transition.compute(&self.stack, &self.channels, x, n, self.config.steps) {
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

/// Whether third moments of the states are carried from bin to bin.
pub(super) fn carries_third<E: Equations>(config: &CausalConfig, stack: &CausalStack<E>) -> bool {
    config.linearisation == Linearisation::ThirdOrder && stack.states > 0 && !stack.is_linear()
}

/// Whether one linearisation of g is exact. Causes from levels above are not linear in what is filtered, nor is a g
/// whose parameters are free.
pub(super) fn straight<E: Equations>(stack: &CausalStack<E>, sees: bool) -> bool {
    let linear_in_states = || {
        stack.model.levels.first().is_some_and(|level| {
            let in_g =
                level.equations.output_has_parameters() && stack.free.iter().any(|f| f.0 == 0);
            level.equations.output_is_linear() && !in_g
        })
    };
    stack.is_linear() || !sees && linear_in_states()
}

/// U, upper triangular, with Π_z = U'U.
///
/// # Errors
/// [`Error::NotPositiveDefinite`].
pub(super) fn whitening(precision: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let factor = precision.clone().cholesky();
    let factor = factor.ok_or_else(|| not_definite("output_precision", precision))?;
    Ok(factor.unpack().transpose())
}
