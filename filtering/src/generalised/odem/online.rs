//! One pass: states by the filter, parameters and log-precisions by the score of the innovations.

mod snapshot;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use self::snapshot::OdemSnapshot;
use super::config::{OdemConfig, ParameterRule};
use crate::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::math::cholesky::not_definite;
use crate::{Error, Filter, Moments, Result, Step};

/// Online triple estimation; see the [module](super).
///
/// Which parameters and precisions are unknown is said by the model: entries of θ with prior variance, and
/// the components of the precisions of z and w.
///
/// ```
/// use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
/// use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
/// use scotopic_filtering::Filter;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let equations = Linear::ornstein_uhlenbeck(0.1);
/// let theta = equations.defaults();
/// let mut model = GenerativeModel::single(equations, &theta, 4.0, 4.0, 1.0, &[0.0])?;
/// model.levels[0].parameters.covariance[(0, 0)] = 0.01;
/// model.levels[0].output = NoisePrecision::unknown(1, 1.0, 1.0);
/// let mut odem = Odem::new(model, OdemConfig::default(), None)?;
/// for y in [0.1, 0.3, -0.2] {
///     odem.update(Some(&[y]))?;
/// }
/// assert_eq!(odem.parameters().len(), 1);
/// assert_eq!(odem.log_precisions().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "OdemSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Clone + Deserialize<'de>"
    )
)]
pub struct Odem<E> {
    /// At ψ, then at ψ + δ e_j for every entry j of ψ.
    filters: Vec<CausalGeneralisedFilter<E>>,
    densities: Vec<f64>,
    #[serde(rename = "settings")]
    config: OdemConfig,
    /// θ of all levels, and which of its entries are learned by their score.
    theta: Vec<f64>,
    scored: Vec<usize>,
    /// ψ: learned parameters, then log-precisions; its information; its prior standard deviations.
    slow: DVector<f64>,
    information: DMatrix<f64>,
    widths: DVector<f64>,
    /// Variances of the parameters that are learned by their score, at present.
    variances: Vec<f64>,
    /// How many times parameters or log-precisions have moved.
    updates: u64,
}

/// δ in prior standard deviations.
const STEP: f64 = 1e-4;
/// The information about an entry without prior variance, which does not move.
const CERTAIN: f64 = 1e16;

/// Parameters of a filter.
struct Point {
    theta: Vec<f64>,
    output: DMatrix<f64>,
    motion: Vec<DMatrix<f64>>,
}

impl<E: Equations + Clone> Odem<E> {
    /// A scheme that has seen nothing, at the prior means of `model`; `start_covariance` as for the filter.
    ///
    /// # Errors
    /// As [`CausalGeneralisedFilter::new`].
    pub fn new(
        model: GenerativeModel<E>,
        config: OdemConfig,
        start_covariance: Option<&DMatrix<f64>>,
    ) -> Result<Self> {
        config.check()?;
        model.check()?;
        let by_score = config.parameters == ParameterRule::Score;
        let (mut theta, mut scored) = (Vec::new(), Vec::new());
        let (mut slow, mut variances) = (Vec::new(), Vec::new());
        for level in &model.levels {
            let prior = &level.parameters;
            for i in prior.free().into_iter().filter(|_| by_score) {
                scored.push(theta.len() + i);
                slow.push(prior.mean[i]);
                variances.push(prior.covariance[(i, i)]);
            }
            theta.extend(prior.mean.iter());
        }
        let first = model.levels.first().map(|level| &level.output);
        let motions = model.levels.iter().map(|level| &level.motion);
        for precision in first.into_iter().chain(motions) {
            slow.extend(precision.log_precision.mean.iter());
            variances.extend(precision.log_precision.covariance.diagonal().iter());
        }
        let entries = |value: &dyn Fn(f64) -> f64| {
            DVector::from_iterator(variances.len(), variances.iter().map(|&v| value(v)))
        };
        let information = entries(&|v| if v > 0.0 { 1.0 / v } else { CERTAIN });
        let widths = entries(&|v| if v > 0.0 { libm::sqrt(v) } else { 1.0 });
        let filter_config = CausalConfig {
            learn_parameters: !by_score,
            outlier_threshold: None,
            ..config.filter
        };
        let filter = CausalGeneralisedFilter::new(model, filter_config, start_covariance)?;
        let filters = vec![filter; slow.len() + 1];
        let mut new = Self {
            densities: vec![0.0; filters.len()],
            filters,
            config,
            theta,
            variances: variances[..scored.len()].to_vec(),
            scored,
            slow: DVector::from_vec(slow),
            information: DMatrix::from_diagonal(&information),
            widths,
            updates: 0,
        };
        let points = new.points(&new.slow)?;
        new.set(&points)?;
        Ok(new)
    }

    /// The filter of the fast states, at the present parameters and log-precisions.
    pub fn filter(&self) -> &CausalGeneralisedFilter<E> {
        &self.filters[0]
    }

    /// Means of the free parameters, `[free]`, in the order of levels and entries.
    pub fn parameters(&self) -> &[f64] {
        match self.config.parameters {
            ParameterRule::Score => &self.slow.as_slice()[..self.scored.len()],
            ParameterRule::State => self.filters[0].parameters(),
        }
    }

    /// Variances of the free parameters, `[free]`.
    pub fn parameter_variances(&self) -> Vec<f64> {
        match self.config.parameters {
            ParameterRule::Score => self.variances.clone(),
            ParameterRule::State => self.filters[0].parameter_variances(),
        }
    }

    /// The log-precisions: components of z of the data's level, then of w, level by level.
    pub fn log_precisions(&self) -> &[f64] {
        &self.slow.as_slice()[self.scored.len()..]
    }

    /// The covariance of the log-precisions, `[n, n]`: from the inverse of the observed information.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] if the information is lost to rounding.
    pub fn log_precision_covariance(&self) -> Result<DMatrix<f64>> {
        let (first, n) = (self.scored.len(), self.slow.len() - self.scored.len());
        match self.information.clone().cholesky() {
            Some(factor) => Ok(factor.inverse().view((first, first), (n, n)).into_owned()),
            None => Err(lost(&self.information)),
        }
    }

    /// Parameters of each filter: ψ, and ψ + δ e_j; checked.
    fn points(&self, slow: &DVector<f64>) -> Result<Vec<Point>> {
        (0..self.filters.len())
            .map(|j| {
                let mut at = slow.clone();
                if let Some(entry) = j.checked_sub(1) {
                    at[entry] += STEP * self.widths[entry];
                }
                let (parameters, h) = at.as_slice().split_at(self.scored.len());
                let mut theta = self.theta.clone();
                for (&place, &value) in self.scored.iter().zip(parameters) {
                    theta[place] = value;
                }
                let levels = &self.filters[0].model().levels;
                let mut rest = h;
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
                check_precision("output_precision", &output)?;
                for precision in &motion {
                    check_precision("motion_precision", precision)?;
                }
                Ok(Point {
                    theta,
                    output,
                    motion,
                })
            })
            .collect()
    }

    fn set(&mut self, points: &[Point]) -> Result<()> {
        for (filter, point) in self.filters.iter_mut().zip(points) {
            if !self.scored.is_empty() {
                filter.set_parameters(&point.theta)?;
            }
            filter.set_precisions(&point.output, &point.motion)?;
        }
        Ok(())
    }

    /// The next ψ, its information and the variances of its parameters.
    fn learn(&self) -> Result<(DVector<f64>, DMatrix<f64>, Vec<f64>)> {
        let here = self.densities[0];
        let score = DVector::from_fn(self.slow.len(), |j, _| {
            (self.densities[j + 1] - here) / (STEP * self.widths[j])
        });
        // Gaussian innovations e of variance S carry Σ (∂e ∂e'/S + ½ ∂ln S ∂ln S').
        let mut information = &self.information * self.config.forgetting_factor;
        let n = self.slow.len();
        let (mut by_mean, mut by_variance) = (DVector::zeros(n), DVector::zeros(n));
        for (k, &[error, log_variance]) in self.filters[0].innovations().iter().enumerate() {
            let deviation = libm::exp(-0.5 * log_variance);
            for j in 0..n {
                let [moved, moved_variance] = self.filters[j + 1].innovations()[k];
                let step = STEP * self.widths[j];
                by_mean[j] = (moved - error) / step * deviation;
                by_variance[j] = (moved_variance - log_variance) / step;
            }
            information.ger(1.0, &by_mean, &by_mean, 1.0);
            information.ger(0.5, &by_variance, &by_variance, 1.0);
        }
        let Some(factor) = information.clone().cholesky() else {
            return Err(lost(&information));
        };
        let mut step = factor.solve(&score);
        for (step, width) in step.iter_mut().zip(&self.widths) {
            let most = self.config.largest_step * width;
            *step = step.clamp(-most, most);
        }
        let slow = &self.slow + step;
        if let Some(&found) = slow.iter().find(|v| !v.is_finite()) {
            return Err(Error::NotFinite {
                index: self.filters[0].bins(),
                what: "a parameter or a log-precision",
                found,
            });
        }
        let variances = match self.scored.is_empty() {
            true => Vec::new(),
            false => {
                let covariance = factor.inverse();
                (0..self.scored.len()).map(|i| covariance[(i, i)]).collect()
            }
        };
        Ok((slow, information, variances))
    }
}

fn lost(information: &DMatrix<f64>) -> Error {
    not_definite("information of parameters and log-precisions", information)
}

fn check_precision(name: &str, precision: &DMatrix<f64>) -> Result<()> {
    let finite = precision.iter().all(|v| v.is_finite());
    match finite && precision.clone().cholesky().is_some() {
        true => Ok(()),
        false => Err(not_definite(name, precision)),
    }
}

/// The evidence is that of the estimates as they were at each bin (predictive sequential evidence).
impl<E: Equations + Clone> Filter for Odem<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        for (density, filter) in self.densities.iter_mut().zip(&mut self.filters) {
            *density = filter.prepare(observation)?;
        }
        let learned = match observation {
            Some(_) if !self.slow.is_empty() => {
                let learned = self.learn()?;
                let points = self.points(&learned.0)?;
                // A parameter can make a linear model's transition overflow: this fails before anything is taken.
                if let Err(error) = self.set(&points) {
                    let before = self.points(&self.slow)?;
                    self.set(&before)?;
                    return Err(error);
                }
                Some(learned)
            }
            _ => None,
        };
        for (&density, filter) in self.densities.iter().zip(&mut self.filters) {
            filter.take(observation, density);
        }
        if let Some((slow, information, variances)) = learned {
            self.slow = slow;
            self.information = information;
            self.variances = variances;
        }
        // Parameters that are learned as states move in the filter.
        let as_states = self.config.parameters == ParameterRule::State;
        let moves = observation.is_some() && (as_states || !self.slow.is_empty());
        self.updates += u64::from(moves);
        Ok(self.filters[0].step())
    }

    fn parameter_updates(&self) -> Option<u64> {
        Some(self.updates)
    }

    fn signal(&self) -> Moments {
        self.filters[0].signal_with(self.parameters())
    }

    crate::filter::methods_of!(odem => &odem.filters[0]);
}
