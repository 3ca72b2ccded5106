//! Maximum likelihood of free linear-Gaussian models: EM to begin with, a quasi-Newton method to the end.

use nalgebra::DVector;

use super::driven::DrivenGaussian;
use super::em::{GaussianFit, GaussianFitted};
use super::entries::{Entries, ROUNDS, state_deviations};
use super::model::LinearGaussian;
use super::prior::{GRADIENT, Prior, STEP};
use crate::data_spread::deviations;
use crate::math::bfgs::{Limits, minimise};
use crate::{Result, Sequence};

/// EM steps before the quasi-Newton method: EM is fast far from the optimum, and slow near it.
const BEGINNING: usize = 30;

impl LinearGaussian {
    /// Fits the learned parameters to sequences of observations `[m]` by maximum likelihood: some steps of EM, then BFGS on
    /// the exact gradient (eq. F52) until it vanishes. With a pseudo-count c, and the noise R₀ of the model begun with,
    ///
    /// ```text
    /// ln p(y_1 … y_T) − ½ c (ln|R| + tr R⁻¹R₀)
    /// ```
    ///
    /// is maximised, as EM with these pseudo-observations does: R cannot shrink to nothing. The log evidence told is ln p of the
    /// first steps of EM, and at the end. A diffuse start has no statistics of EM, and entries that stay or are one number
    /// ([`GaussianFit::constraints`]) no M-step: BFGS begins at once, as [`DrivenGaussian::maximum_likelihood`] does.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let noisy = |t: i32| (0.3 * f64::from(t)).sin() + (f64::from(t) * 0.618_033_988_749_895).fract();
    /// let data = [Sequence::of_numbers((0..80).map(noisy))?];
    /// let guess = LinearGaussian::initial_guess(2, &data)?;
    /// let settings = GaussianFit { max_iterations: 300, pseudo_count: 0.1, ..GaussianFit::default() };
    /// let (em, whole) = (guess.fit(&data, &settings)?, guess.maximum_likelihood(&data, &settings)?);
    /// assert!(whole.log_evidence.last() > em.log_evidence.last());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`LinearGaussian::fit`].
    pub fn maximum_likelihood(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<GaussianFitted> {
        if !self.diffuse().is_empty() || !fit.constraints.is_empty() {
            return self.maximum_without_em(sequences, fit);
        }
        let begun = self.fit(
            sequences,
            &GaussianFit {
                max_iterations: fit.max_iterations.min(BEGINNING),
                tolerance: 0.0,
                ..fit.clone()
            },
        )?;
        let mut left = fit.max_iterations.saturating_sub(begun.iterations);
        let prior = Prior {
            count: fit.pseudo_count,
            noise: self.observation_noise(),
        };
        let mut end = Finish {
            model: begun.model.clone(),
            iterations: 0,
            converged: false,
        };
        for round in 0..ROUNDS {
            let Some(found) = end.model.finish(sequences, fit, &prior, left) else {
                match round {
                    0 => return Ok(begun),
                    _ => break,
                }
            };
            left -= found.iterations;
            let settled = found.iterations == 0;
            end = Finish {
                iterations: end.iterations + found.iterations,
                ..found
            };
            if settled {
                break;
            }
        }
        let evidence: Result<f64> = sequences.iter().map(|s| end.model.log_evidence(s)).sum();
        let mut log_evidence = begun.log_evidence;
        log_evidence.push(evidence?);
        Ok(GaussianFitted {
            model: end.model,
            log_evidence,
            iterations: begun.iterations + end.iterations,
            converged: end.converged,
        })
    }

    /// The same by BFGS alone.
    fn maximum_without_em(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<GaussianFitted> {
        sequences
            .iter()
            .try_for_each(|s| self.check_width(s.width()))?;
        let found =
            DrivenGaussian::without_inputs(self.clone()).maximum_likelihood(sequences, fit)?;
        Ok(GaussianFitted {
            model: found.model.base().clone(),
            log_evidence: found.log_evidence.to_vec(),
            iterations: found.iterations,
            converged: found.converged,
        })
    }

    /// BFGS in coordinates in the deviations that the states have by this model; `None` where it has none.
    fn finish(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
        prior: &Prior<'_>,
        iterations: usize,
    ) -> Option<Finish> {
        let mut beliefs = Vec::new();
        for sequence in sequences {
            beliefs.extend_from_slice(self.smooth(sequence).ok()?.smoothed());
        }
        let unit = DVector::from_vec(deviations(sequences));
        let state = state_deviations(&beliefs, self.states());
        let entries = Entries::new(self, fit.learned, unit, state);
        let start = entries.coordinates().ok()?;
        let limits = Limits {
            iterations,
            gradient: GRADIENT,
            step: STEP,
        };
        let found = minimise(&start, limits, |u| {
            let model = entries.model(u).ok()?;
            let mut total = None;
            for sequence in sequences {
                let own = model.adjoint_gradient(sequence).ok()?;
                total = Some(match total {
                    None => own,
                    Some(sum) => own.plus(sum),
                });
            }
            let mut total = total?;
            let penalty = prior.value(&model, &mut total.observation_noise)?;
            let gradient = entries.gradient(u, &total);
            let negative = gradient.iter().map(|g| -g).collect();
            Some((-total.log_evidence - penalty, negative))
        })?;
        Some(Finish {
            model: match found.iterations {
                0 => self.clone(),
                _ => entries.model(&found.at).ok()?,
            },
            iterations: found.iterations,
            converged: found.converged,
        })
    }
}

/// Where a run of the quasi-Newton method ended.
struct Finish {
    model: LinearGaussian,
    iterations: usize,
    converged: bool,
}
