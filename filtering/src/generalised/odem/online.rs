//! One pass: states by the filter, log-precisions by the score of the innovations.

use nalgebra::{DMatrix, DVector};

use super::settings::OdemSettings;
use crate::generalised::causal::CausalGeneralisedFilter;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::generalised::scheme::Scheme;
use crate::{Error, Result};

/// The step δ of log-precisions by which sensitivities are taken.
const STEP: f64 = 1e-4;

/// Online triple estimation; see the [module](super).
///
/// Which parameters and precisions are unknown is said by the model: entries of θ with prior variance, and
/// the components of the precisions of z and w.
///
/// ```
/// use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
/// use scotopic_filtering::generalised::odem::{Odem, OdemSettings};
/// use scotopic_filtering::generalised::scheme::Scheme;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let equations = Linear::ornstein_uhlenbeck(0.1);
/// let theta = equations.defaults();
/// let mut model = GenerativeModel::single(equations, &theta, 4.0, 4.0, 1.0, &[0.0])?;
/// model.levels[0].parameters.covariance[(0, 0)] = 0.01;
/// model.levels[0].output = NoisePrecision::unknown(1, 1.0, 1.0);
/// let mut odem = Odem::new(model, OdemSettings::default(), None)?;
/// for y in [0.1, 0.3, -0.2] {
///     odem.update(Some(&[y]))?;
/// }
/// assert_eq!(odem.parameters().len(), 1);
/// assert_eq!(odem.log_precisions().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Odem<E> {
    /// At h, then at h + δ e_j for every unknown log-precision j.
    filters: Vec<CausalGeneralisedFilter<E>>,
    densities: Vec<f64>,
    settings: OdemSettings,
    h: DVector<f64>,
    information: DMatrix<f64>,
}

impl<E: Equations + Clone> Odem<E> {
    /// A scheme that has seen nothing, at the prior means of `model`; `start_covariance` as for the filter.
    ///
    /// # Errors
    /// As [`CausalGeneralisedFilter::new`].
    pub fn new(
        model: GenerativeModel<E>,
        settings: OdemSettings,
        start_covariance: Option<&DMatrix<f64>>,
    ) -> Result<Self> {
        settings.check()?;
        model.check()?;
        let (mut h, mut variances) = (Vec::new(), Vec::new());
        let first = model.levels.first().map(|level| &level.output);
        let motions = model.levels.iter().map(|level| &level.motion);
        for precision in first.into_iter().chain(motions) {
            h.extend(precision.log_precision.mean.iter());
            variances.extend(precision.log_precision.covariance.diagonal().iter());
        }
        // No variance: known, with all the information there can be.
        let certain: f64 = 1e12;
        let information = DVector::from_iterator(
            variances.len(),
            variances
                .iter()
                .map(|&v: &f64| if v > 0.0 { 1.0 / v } else { certain }),
        );
        let filter = CausalGeneralisedFilter::new(model, settings.filter, start_covariance)?;
        let filters = vec![filter; h.len() + 1];
        let mut new = Self {
            densities: vec![0.0; filters.len()],
            filters,
            settings,
            h: DVector::from_vec(h),
            information: DMatrix::from_diagonal(&information),
        };
        let precisions = precisions(&new.filters, &new.h)?;
        for (filter, (output, motion)) in new.filters.iter_mut().zip(&precisions) {
            filter.set_precisions(output, motion)?;
        }
        Ok(new)
    }

    /// The filter of the fast states, at the present log-precisions.
    pub fn filter(&self) -> &CausalGeneralisedFilter<E> {
        &self.filters[0]
    }

    /// Means of the free parameters, `[free]`.
    pub fn parameters(&self) -> &[f64] {
        self.filters[0].parameters()
    }

    /// Variances of the free parameters, `[free]`.
    pub fn parameter_variances(&self) -> Vec<f64> {
        self.filters[0].parameter_variances()
    }

    /// The log-precisions: components of z of the data's level, then of w, level by level.
    pub fn log_precisions(&self) -> &[f64] {
        self.h.as_slice()
    }

    /// The covariance of the log-precisions, `[n, n]`: the inverse of their observed information.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] if the information is lost to rounding.
    pub fn log_precision_covariance(&self) -> Result<DMatrix<f64>> {
        match self.information.clone().cholesky() {
            Some(factor) => Ok(factor.inverse()),
            None => Err(lost(&self.information)),
        }
    }
}

fn lost(information: &DMatrix<f64>) -> Error {
    Error::NotPositiveDefinite {
        name: "information of the log-precisions".to_owned(),
        pivot: 0,
        value: information
            .diagonal()
            .iter()
            .copied()
            .fold(f64::NAN, f64::min),
    }
}

/// Precisions of z and of w of every level.
type Precisions = (DMatrix<f64>, Vec<DMatrix<f64>>);

/// The precisions of filter 0, at h, and of filter j + 1, at h + δ e_j.
fn precisions<E: Equations>(
    filters: &[CausalGeneralisedFilter<E>],
    h: &DVector<f64>,
) -> Result<Vec<Precisions>> {
    let mut all = Vec::with_capacity(filters.len());
    for (j, filter) in filters.iter().enumerate() {
        let mut at = h.clone();
        if j > 0 {
            at[j - 1] += STEP;
        }
        let levels = &filter.model().levels;
        let mut rest = at.as_slice();
        let mut take = |count: usize| {
            let (now, later) = rest.split_at(count);
            rest = later;
            now
        };
        let output = match levels.first() {
            Some(first) => first.output.at(take(first.output.components.len())),
            None => DMatrix::zeros(0, 0),
        };
        let motion: Vec<_> = levels
            .iter()
            .map(|level| level.motion.at(take(level.motion.components.len())))
            .collect();
        for (name, precision) in std::iter::once(("precision of z", &output))
            .chain(motion.iter().map(|m| ("precision of w", m)))
        {
            let finite = precision.iter().all(|v| v.is_finite());
            if !finite || precision.clone().cholesky().is_none() {
                return Err(Error::NotPositiveDefinite {
                    name: name.to_owned(),
                    pivot: 0,
                    value: precision
                        .diagonal()
                        .iter()
                        .copied()
                        .fold(f64::NAN, f64::min),
                });
            }
        }
        all.push((output, motion));
    }
    Ok(all)
}

impl<E: Equations + Clone> Odem<E> {
    /// The next log-precisions, their information and the precisions of all filters.
    fn learn(&self) -> Result<(DVector<f64>, DMatrix<f64>, Vec<Precisions>)> {
        let here = self.densities[0];
        let score = DVector::from_iterator(
            self.h.len(),
            self.densities[1..]
                .iter()
                .map(|moved| (moved - here) / STEP),
        );
        let information = &self.information * self.settings.memory + &score * score.transpose();
        let step = match information.clone().cholesky() {
            Some(factor) => factor.solve(&score),
            None => return Err(lost(&information)),
        };
        let most = self.settings.largest_step;
        let h = &self.h + step.map(|s| s.clamp(-most, most));
        if let Some(&found) = h.iter().find(|v| !v.is_finite()) {
            return Err(Error::NotFinite {
                index: self.bins(),
                what: "a log-precision",
                found,
            });
        }
        let precisions = precisions(&self.filters, &h)?;
        Ok((h, information, precisions))
    }
}

impl<E: Equations + Clone> Scheme for Odem<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<()> {
        for (density, filter) in self.densities.iter_mut().zip(&mut self.filters) {
            *density = filter.prepare(observation)?;
        }
        let learned = match observation {
            Some(_) if !self.h.is_empty() => Some(self.learn()?),
            _ => None,
        };
        // Nothing below fails: the precisions have been checked.
        for (&density, filter) in self.densities.iter().zip(&mut self.filters) {
            filter.take(observation, density);
        }
        if let Some((h, information, precisions)) = learned {
            for (filter, (output, motion)) in self.filters.iter_mut().zip(&precisions) {
                filter.set_precisions(output, motion)?;
            }
            self.h = h;
            self.information = information;
        }
        Ok(())
    }

    fn bins(&self) -> u64 {
        self.filters[0].bins()
    }

    fn delay(&self) -> usize {
        self.filters[0].delay()
    }

    fn states(&self) -> &[f64] {
        self.filters[0].states()
    }

    fn state_covariance(&self) -> &[f64] {
        self.filters[0].state_covariance()
    }

    fn causes(&self) -> &[f64] {
        self.filters[0].causes()
    }

    fn cause_covariance(&self) -> &[f64] {
        self.filters[0].cause_covariance()
    }

    /// Of the estimates as they were at each bin (predictive sequential evidence).
    fn log_evidence(&self) -> Option<f64> {
        self.filters[0].log_evidence()
    }
}
