//! Maximum likelihood by a quasi-Newton method on the exact gradient.

use super::model::DrivenGaussian;
use super::problem::Problem;
use super::reduction::Reduction;
use crate::data_spread::{check_independence, check_variation};
use crate::gaussian::GaussianFit;
use crate::gaussian::entries::ROUNDS;
use crate::gaussian::entry::Parameter;
use crate::gaussian::prior::{GRADIENT, STEP};
use crate::math::bfgs::{Limits, minimise};
use crate::{Error, Result, Sequence};

/// What a fit ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct DrivenFitted {
    /// The model of highest likelihood that was found.
    pub model: DrivenGaussian,
    /// ln p of all sequences in nats: of the model begun with, and at the end.
    pub log_evidence: [f64; 2],
    /// Steps of the quasi-Newton method.
    pub iterations: usize,
    /// Whether the gradient vanishes.
    pub converged: bool,
}

impl DrivenGaussian {
    /// Fits the learned parameters to sequences of rows (y_t, u_t) by maximum likelihood: BFGS on the exact gradient
    /// (eq. F101), with a pseudo-count as [`LinearGaussian::maximum_likelihood`](crate::gaussian::LinearGaussian::maximum_likelihood).
    /// Entries of H that are inputs stay what they are, and so do those that [`GaussianFit::constraints`] fixes; those that it ties begin
    /// with their mean. A variance that is 0 stays 0: the coefficient of a regression that does
    /// not walk. Of a diffuse start, which has no m0 and P0 to learn, nor an H or, of several such states, F, and of a model of continuous time the gradient is taken by
    /// differences of the exact ln p; time is measured in mean intervals between rows.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::{DrivenGaussian, GaussianFit, LinearGaussian};
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let row = |t: i32| {
    ///     let u = (0.3 * f64::from(t)).sin();
    ///     [2.0 * u + (f64::from(t) * 0.618_033_988_749_895).fract(), u]
    /// };
    /// let data = [Sequence::of_rows((0..80).map(row))?];
    /// let start = DrivenGaussian::initial_guess(1, &data, &["u".to_owned()])?;
    /// let fit = start.maximum_likelihood(&data, &GaussianFit::default())?;
    /// assert!(fit.log_evidence[1] > fit.log_evidence[0]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that makes no sense, entries that cannot be held and what has no maximum beside a diffuse start, [`Error::Dependent`] for columns without variance of their own where R
    /// would follow them to nothing, those of rows, [`Error::NotPositiveDefinite`] for learned covariances that are singular.
    pub fn maximum_likelihood(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<DrivenFitted> {
        let begun = self.begun(&fit.constraints, &fit.learned)?;
        let mut fitted = begun.maximum_likelihood_begun(sequences, fit)?;
        fitted.model = fitted.model.kept(&fit.constraints, &begun)?;
        Ok(fitted)
    }

    fn maximum_likelihood_begun(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<DrivenFitted> {
        let centres = self.centres(sequences, fit);
        if centres.iter().all(|c| *c == 0.0) {
            return self.maximum_likelihood_about_centres(sequences, fit);
        }
        let centred: Vec<Sequence> = sequences
            .iter()
            .map(|s| self.less(s, &centres))
            .collect::<Result<_>>()?;
        let start = self.with_inputs_moved(&centres, 1.0)?;
        let mut fitted = start.maximum_likelihood_about_centres(&centred, fit)?;
        fitted.model = fitted.model.with_inputs_moved(&centres, -1.0)?;
        Ok(fitted)
    }

    fn maximum_likelihood_about_centres(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<DrivenFitted> {
        let interval = self.interval(sequences);
        if interval == 1.0 {
            return self.maximum_likelihood_in_intervals(sequences, fit);
        }
        let scaled: Vec<Sequence> = sequences
            .iter()
            .map(|s| self.in_intervals(s, interval))
            .collect::<Result<_>>()?;
        let start = self.with_time_unit(interval);
        let mut fitted = start.maximum_likelihood_in_intervals(&scaled, fit)?;
        fitted.model = fitted.model.with_time_unit(1.0 / interval);
        Ok(fitted)
    }

    fn maximum_likelihood_in_intervals(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<DrivenFitted> {
        crate::gaussian::em::check_pseudo_count(fit.pseudo_count)?;
        fit.learned.check(&self.base)?;
        let outputs: Vec<Sequence> = sequences
            .iter()
            .map(|s| self.outputs_of(s))
            .collect::<Result<_>>()?;
        self.check_basis(fit, &outputs)?;
        // An R or a d that is held does not follow columns without variance.
        let held = |p| fit.constraints.holds(p);
        let follows = !held(Parameter::ObservationNoise) && !held(Parameter::Offset);
        let follows = follows && fit.learned.observation_noise && fit.learned.offset;
        if fit.pseudo_count == 0.0 && follows {
            match fit.learned.diagonal {
                true => check_variation(&outputs)?,
                false => check_independence(&outputs)?,
            }
        }
        let first = Problem::new(self, sequences, &outputs, fit)?;
        first.coordinates()?;
        let before = first.evidence(self)?;
        let (mut model, mut iterations, mut converged) = (self.clone(), 0, false);
        for _ in 0..ROUNDS {
            let problem = Problem::new(&model, sequences, &outputs, fit)?;
            let problem = problem.penalised_about(self.base.observation_noise());
            // A covariance may have lost a direction on the way.
            let Ok(start) = problem.coordinates() else {
                break;
            };
            let (entries, units) = problem.entries();
            let free = Reduction::new(&fit.constraints, &entries, &units, start)?;
            let limits = Limits {
                iterations: fit.max_iterations.saturating_sub(iterations),
                gradient: GRADIENT,
                step: STEP,
            };
            let exact = self.base.diffuse().is_empty() && !self.timed;
            let found = minimise(free.start(), limits, |v| {
                let u = free.whole(v);
                let (value, gradient) = match exact {
                    true => problem.exact(&u)?,
                    false => problem.by_differences(&u, |k| free.moves(k))?,
                };
                Some((value, free.gradient(&gradient)))
            });
            let Some(found) = found else {
                let expected = "a start that has a likelihood";
                return Err(Error::setting("model", "none", expected));
            };
            converged = found.converged;
            if found.iterations == 0 {
                break;
            }
            iterations += found.iterations;
            model = problem.model(&free.whole(&found.at))?;
        }
        Ok(DrivenFitted {
            log_evidence: [before, first.evidence(&model)?],
            model,
            iterations,
            converged,
        })
    }

    /// The outputs of rows.
    ///
    /// # Errors
    /// As rows.
    pub(super) fn outputs_of(&self, sequence: &Sequence) -> Result<Sequence> {
        let mut outputs = Sequence::new(self.outputs())?;
        for row in self.rows(sequence)? {
            outputs.push(row.y)?;
        }
        Ok(outputs.made_of(sequence))
    }
}
