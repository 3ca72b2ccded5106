//! The filter: a Gaussian for each regime, and a prequential score.

use serde::{Deserialize, Serialize};

use super::components::{Components, Work};
use super::densities::Plans;
use super::model::Slds;
use crate::error::{check_distribution, check_finite};
use crate::gaussian::Gaussian;
use crate::sequence::observed;
use crate::step::{Step, Sum};
use crate::{Belief, Error, GaussianBelief, Result};

/// An online filter with q_t(s_t = k) and N(m_k, P_k) of x_t in each regime: all K² transitions are followed by Kalman filters, and the K
/// that end in the same regime become one Gaussian of their mean and covariance (eqs. F114, F115; the generalised pseudo-Bayesian filter of
/// order 2).
///
/// ```text
/// p̂(y_t|y_<t) = Σ_ij q_{t−1}(i) A_ij N(y_t; of the Kalman filter of regime j from N(m_i, P_i)),   L_t = Σ ln p̂
/// ```
///
/// p̂ is a normalised distribution of y_t made of y_1 … y_{t−1} alone. So L_t is a prequential score: its expectation under the model is
/// never above that of ln p(y_1…y_t), of a single sequence it may be. It is ln p itself for one regime, and for two observations or fewer.
/// The bound of [`Slds::smooth`] is below ln p for every sequence.
///
/// An update allocates nothing unless entries are missing (NaN), of which the others are used.
///
/// ```
/// use scotopic_filtering::gaussian::LinearGaussian;
/// use scotopic_filtering::switching::{Slds, SldsFilter};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let level = |variance: f64| LinearGaussian::from_rows(&[[1.0]], &[[variance]], &[[1.0]], &[[0.1]]);
/// let model = Slds::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], vec![level(0.01)?, level(4.0)?])?;
/// let mut filter = SldsFilter::new(model)?;
/// for y in [0.1, 0.0, 0.1, 4.0] {
///     filter.update(Some(&[y]))?;
/// }
/// assert!(filter.regimes()[1] > 0.99); // it moves
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct SldsFilter {
    model: Slds,
    plans: Plans,
    observations: u64,
    score: Sum,
    now: Components,
    next: Components,
    mean: Vec<f64>,
    covariance: Vec<f64>,
    work: Work,
}

impl SldsFilter {
    /// A filter that has seen nothing.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for an R that cannot be factored, which no valid model has.
    pub fn new(model: Slds) -> Result<Self> {
        let plans = Plans::new(&model)?;
        let now = Components::start(model.initial(), model.start());
        let n = model.states();
        let mut filter = Self {
            work: Work::new(model.initial(), model.transition(), &plans),
            plans,
            observations: 0,
            score: Sum::default(),
            next: now.clone(),
            now,
            mean: vec![0.0; n],
            covariance: vec![0.0; n * n],
            model,
        };
        filter.now.moments(&mut filter.mean, &mut filter.covariance);
        Ok(filter)
    }

    /// Takes the next observation `[m]` in; NaN for a missing entry, `None` for a missing row.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of another width or an infinite entry; [`Error::Impossible`]; [`Error::NotFinite`] where the belief
    /// leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let t = self.observations;
        let increment = self.taken(observation).map_err(|e| e.at_observation(t))?;
        std::mem::swap(&mut self.now, &mut self.next);
        self.now.moments(&mut self.mean, &mut self.covariance);
        self.observations += 1;
        self.score = self.score.plus(increment);
        Ok(Step {
            increment,
            elbo: self.elbo(),
        })
    }

    fn taken(&mut self, observation: Option<&[f64]>) -> Result<f64> {
        let first = self.observations == 0;
        let row = observed(observation, self.model.width(), None)?;
        let partial = match row.filter(|row| row.iter().any(|y| y.is_nan())) {
            Some(row) => Some(Plans::of_seen(&self.model, row)?),
            None => None,
        };
        let (plans, row) = match &partial {
            Some((plans, seen)) => (plans, Some(&seen[..])),
            None => (&self.plans, row),
        };
        let relative = (self.work).step(plans, row, first, &self.now, &mut self.next)?;
        Ok(match row {
            Some(_) => relative - plans.log_norm,
            None => 0.0,
        })
    }

    /// The model.
    pub fn model(&self) -> &Slds {
        &self.model
    }

    /// q_t(s_t = k) `[K]`.
    pub fn regimes(&self) -> &[f64] {
        &self.now.weights
    }

    /// N(m_k, P_k) of x_t in regime k.
    ///
    /// # Errors
    /// [`Error::Setting`] for a regime that the model has not.
    pub fn component(&self, k: usize) -> Result<Gaussian> {
        if k >= self.model.regimes_len() {
            let expected = format!("below {}", self.model.regimes_len());
            return Err(Error::setting("regime", k, expected));
        }
        let (mean, covariance) = self.now.part(k);
        Ok(Gaussian::from_flat(mean, covariance))
    }

    /// E x_t `[n]`, over the regimes.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Cov x_t `[n, n]`, over the regimes.
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// L_t, nats.
    pub fn elbo(&self) -> f64 {
        self.score.value()
    }

    /// t, missing observations included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    pub(super) fn components(&self) -> &Components {
        &self.now
    }
}

/// Two filters are equal that will do the same from here on.
impl PartialEq for SldsFilter {
    fn eq(&self, other: &Self) -> bool {
        self.model == other.model
            && (self.observations, self.score) == (other.observations, other.score)
            && self.now == other.now
    }
}

impl crate::Filter for SldsFilter {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::Gaussian(GaussianBelief {
            mean: &self.mean,
            covariance: &self.covariance,
            regimes: &self.now.weights,
            ..GaussianBelief::default()
        })
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn predicted_observation(&self) -> Result<crate::PredictedObservation> {
        let entries = self.predictive()?;
        Ok(crate::PredictedObservation::Numbers(crate::Moments {
            mean: entries.iter().map(crate::Predictive::mean).collect(),
            variance: entries.iter().map(crate::Predictive::variance).collect(),
        }))
    }

    fn signal(&self) -> crate::Moments {
        let parts = (0..self.model.regimes_len()).map(|k| self.now.part(k));
        self.model.signal_of(&self.now.weights, parts)
    }
}

/// The form of a filter in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    model: Slds,
    observations: u64,
    score: Sum,
    belief: Components,
}

impl From<SldsFilter> for Snapshot {
    fn from(filter: SldsFilter) -> Self {
        Self {
            model: filter.model,
            observations: filter.observations,
            score: filter.score,
            belief: filter.now,
        }
    }
}

impl TryFrom<Snapshot> for SldsFilter {
    type Error = Error;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        let mut filter = Self::new(snapshot.model)?;
        let (k, n) = (filter.model.regimes_len(), filter.model.states());
        let belief = snapshot.belief;
        let sizes = [
            belief.weights.len(),
            belief.means.len(),
            belief.covariances.len(),
        ];
        if sizes != [k, k * n, k * n * n] {
            let found = format!("{sizes:?} numbers");
            let expected = format!("those of {k} regimes and a state of {n}");
            return Err(Error::size("belief", found, expected));
        }
        // Weights are kept bit for bit.
        check_distribution("weights", &[], &mut belief.weights.clone())?;
        check_finite("means", n, &belief.means)?;
        for spread in belief.covariances.chunks_exact(n * n) {
            Gaussian::new(
                nalgebra::DVector::zeros(n),
                nalgebra::DMatrix::from_row_slice(n, n, spread),
            )?;
        }
        belief.moments(&mut filter.mean, &mut filter.covariance);
        filter.next.clone_from(&belief);
        filter.now = belief;
        (filter.observations, filter.score) = (snapshot.observations, snapshot.score);
        Ok(filter)
    }
}
