//! The trait of all filters: one observation in; a belief, a predicted observation and a bound out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result, Step};

/// An online filter: takes in one observation at a time and updates a belief about the hidden state.
///
/// | filter | belief | `elbo` | [`Filter::predicted_observation`] |
/// |---|---|---|---|
/// | [`hmm::Filter`](crate::hmm::Filter), [`hmm::Learning`](crate::hmm::Learning) | probabilities | ln p, exact | exact |
/// | [`hmm::Online`](crate::hmm::Online), [`hmm::LaggedFilter`](crate::hmm::LaggedFilter) | probabilities | a bound, exact where reversed | of its belief |
/// | [`hmm::DrivenHmmFilter`](crate::hmm::DrivenHmmFilter) | probabilities | ln p, exact | none without the inputs of its row |
/// | [`gaussian::Kalman`](crate::gaussian::Kalman), [`gaussian::GaussianLearning`](crate::gaussian::GaussianLearning) | normal | ln p, exact | exact |
/// | [`gaussian::GaussianFilter`](crate::gaussian::GaussianFilter) | normal | a bound, exact where reversed | of its belief |
/// | [`gaussian::DrivenFilter`](crate::gaussian::DrivenFilter) | normal | ln p, exact | none without the inputs of its row |
/// | [`plds::PldsFilter`](crate::plds::PldsFilter), [`plds::PldsLearning`](crate::plds::PldsLearning) | normal | a bound of its forecasts | of its belief |
/// | [`switching::SldsFilter`](crate::switching::SldsFilter) | normal, and probabilities of regimes | ln p̂ of its forecasts | of its belief |
/// | [`nonlinear::NonlinearFilter`](crate::nonlinear::NonlinearFilter), [`nonlinear::NonlinearLearning`](crate::nonlinear::NonlinearLearning) | normal | a bound or its estimate | moments on the points of its rule |
/// | causal filter, [`Odem`](crate::generalised::odem::Odem) | normal | ln p under its linearisation | g linearised at the predicted mean |
/// | [`KalmanBucy`](crate::generalised::KalmanBucy) | normal | none | exact as the time step vanishes |
/// | [`PredictiveCoding`](crate::generalised::predictive_coding::PredictiveCoding) | a point | none | of its point |
/// | [`Dem`](crate::generalised::dem::Dem) | normal, `lag` bins late | none | none |
///
/// A filter that learns filters each observation under the parameters learned from those before it.
///
/// ```
/// use scotopic_filtering::gaussian::{Kalman, LinearGaussian};
/// use scotopic_filtering::{Filter, Result};
///
/// /// The mean squared error of one-step forecasts of the first entry.
/// fn forecast_error(filter: &mut impl Filter, observations: &[f64]) -> Result<f64> {
///     let mut sum = 0.0;
///     for y in observations {
///         sum += (y - filter.predicted_observation()?.moments().mean[0]).powi(2);
///         filter.update(Some(&[*y]))?;
///     }
///     Ok(sum / observations.len() as f64)
/// }
/// # fn main() -> Result<()> {
/// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
/// assert!(forecast_error(&mut Kalman::new(walk)?, &[0.3, 0.1, 0.4])? < 0.1);
/// # Ok(()) }
/// ```
pub trait Filter {
    /// Takes in the next observation `[width]`, `None` for a missing one: nothing that was seen, so that the log
    /// evidence stays, and a bound that is not exact falls at most.
    ///
    /// # Errors
    /// What is wrong with the observation, or what left the range of numbers. The filter is then as it was.
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step>;

    /// The belief about the state at t − [`Filter::lag`] after t observations.
    fn belief(&self) -> Belief<'_>;

    /// L_t in nats: ln p(o_1…o_t) where the filter is exact, else its bound; 0 before the first observation, not a
    /// number where a scheme bounds no evidence of the samples.
    fn elbo(&self) -> f64;

    /// t, missing observations included.
    fn observations(&self) -> u64;

    /// The entries of one observation.
    fn width(&self) -> usize;

    /// Whether an entry of an observation may be missing, NaN, so that the rest of the row counts; else such a row is an error. A
    /// row of NaN alone is then as `None`.
    fn accepts_partial_rows(&self) -> bool {
        false
    }

    /// How many times a filter that learns has updated its parameters; `None` for one that does not learn, or does not count.
    fn parameter_updates(&self) -> Option<u64> {
        None
    }

    /// How many observations the belief lies behind the newest.
    fn lag(&self) -> usize {
        0
    }

    /// The distribution of the next observation given those so far, by its moments; of the first one before any.
    /// It allocates; the table above says where it is exact.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the model does not say what an observation is like, [`Error::NotFinite`] where
    /// the prediction leaves the range of numbers.
    fn predicted_observation(&self) -> Result<PredictedObservation> {
        Err(unsupported())
    }

    /// What [`Filter::belief`] says of the noise-free part of each entry of its observation: its mean, and its
    /// variance as far as it comes from not knowing the state. Not a number for what the kind of model does not say.
    fn signal(&self) -> Moments {
        Moments::unknown(self.width())
    }

    /// Serialises the state; the filter continues bit for bit if the format keeps every bit of a number.
    ///
    /// # Errors
    /// Those of the format.
    fn snapshot<S: Serializer>(&self, format: S) -> std::result::Result<S::Ok, S::Error>
    where
        Self: Serialize + Sized,
    {
        self.serialize(format)
    }

    /// The filter that a snapshot was taken of.
    ///
    /// # Errors
    /// Those of the format, and for what cannot be a filter of this kind.
    fn restore<'de, D: Deserializer<'de>>(format: D) -> std::result::Result<Self, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Self::deserialize(format)
    }
}

/// A belief about the hidden state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Belief<'a> {
    /// q(s) `[K]`.
    Discrete(&'a [f64]),
    /// N(mean, covariance).
    Gaussian(GaussianBelief<'a>),
}

/// Means and covariances of states and, in generalised models, of causes. A scheme that keeps a point alone has an
/// empty covariance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GaussianBelief<'a> {
    /// μ `[n]`.
    pub mean: &'a [f64],
    /// Σ `[n, n]`, row by row.
    pub covariance: &'a [f64],
    /// Means of the causes `[causes]`.
    pub cause_mean: &'a [f64],
    /// Their covariance `[causes, causes]`.
    pub cause_covariance: &'a [f64],
    /// Probabilities of the regimes `[K]` of a switching model; mean and covariance are over all of them.
    pub regimes: &'a [f64],
}

impl<'a> Belief<'a> {
    /// N(mean, covariance) of a model without causes.
    pub fn normal(mean: &'a [f64], covariance: &'a [f64]) -> Self {
        Self::Gaussian(GaussianBelief {
            mean,
            covariance,
            ..GaussianBelief::default()
        })
    }

    /// Means and covariances; none of a discrete state.
    pub fn gaussian(self) -> Option<GaussianBelief<'a>> {
        match self {
            Self::Gaussian(belief) => Some(belief),
            Self::Discrete(_) => None,
        }
    }
}

/// A predicted observation.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedObservation {
    /// The probability of each symbol `[M]`.
    Symbol(Vec<f64>),
    /// The moments of its numbers.
    Numbers(Moments),
}

impl PredictedObservation {
    /// Mean and variance of each entry, those of its number for a symbol.
    pub fn moments(&self) -> Moments {
        match self {
            Self::Numbers(moments) => moments.clone(),
            Self::Symbol(p) => {
                let numbers: Vec<f64> = (0..p.len()).map(|symbol| symbol as f64).collect();
                Moments::mixture(p, &numbers, &vec![0.0; p.len()])
            }
        }
    }
}

/// Means and variances, one of each an entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f64>,
    /// Variances.
    pub variance: Vec<f64>,
}

impl Moments {
    /// Moments of `width` entries of which nothing is said.
    pub(crate) fn unknown(width: usize) -> Self {
        Self {
            mean: vec![f64::NAN; width],
            variance: vec![f64::NAN; width],
        }
    }

    /// The moments of a mixture with weights `[K]` of parts with means and variances `[K, width]`.
    pub(crate) fn mixture(weights: &[f64], means: &[f64], variances: &[f64]) -> Self {
        let width = means.len() / weights.len().max(1);
        let parts = |values: &[f64], i: usize, of: &dyn Fn(f64, usize) -> f64| -> f64 {
            let rows = values.chunks_exact(width).enumerate();
            let parts = weights.iter().zip(rows);
            parts
                .map(|(w, (k, row))| w * of(row[i], k * width + i))
                .sum()
        };
        let mean: Vec<f64> = (0..width).map(|i| parts(means, i, &|m, _| m)).collect();
        let spread = |i: usize| {
            let of = |v: f64, at: usize| v + (means[at] - mean[i]) * (means[at] - mean[i]);
            parts(variances, i, &of)
        };
        let variance = (0..width).map(spread).collect();
        Self { mean, variance }
    }

    /// Moments of H x + offset for x ~ N(mean, covariance), from the rows of H and the variances of additive noise.
    pub(crate) fn linear<'a>(
        rows: impl Iterator<Item = (&'a [f64], f64)>,
        mean: &[f64],
        covariance: &[f64],
    ) -> Self {
        let n = mean.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let moments = rows.map(|(row, offset)| {
            let spread = (0..n).map(|i| row[i] * dot(row, &covariance[i * n..(i + 1) * n]));
            (offset + dot(row, mean), spread.sum::<f64>().max(0.0))
        });
        let (mean, variance) = moments.unzip();
        Self { mean, variance }
    }
}

/// What a filter answers whose model does not say what observations are like.
pub(crate) fn unsupported() -> Error {
    Error::Unsupported {
        what: "a filter of this model".to_owned(),
        asked: "predict an observation",
        why: "the model says how likely an observation is, not what it is like on average",
    }
}

/// The methods of [`Filter`] that a type has of its own under the same names.
macro_rules! own_methods {
    () => {
        fn update(&mut self, observation: Option<&[f64]>) -> $crate::Result<$crate::Step> {
            Self::update(self, observation)
        }
        fn elbo(&self) -> f64 {
            Self::elbo(self)
        }
        fn observations(&self) -> u64 {
            Self::observations(self)
        }
    };
}
pub(crate) use own_methods;

/// The methods of [`Filter`], but for `update`, of a type that has another filter in it.
macro_rules! methods_of {
    ($this:ident => $inner:expr) => {
        fn belief(&self) -> $crate::Belief<'_> {
            let $this = self;
            $crate::Filter::belief($inner)
        }
        fn elbo(&self) -> f64 {
            let $this = self;
            $crate::Filter::elbo($inner)
        }
        fn observations(&self) -> u64 {
            let $this = self;
            $crate::Filter::observations($inner)
        }
        fn width(&self) -> usize {
            let $this = self;
            $crate::Filter::width($inner)
        }
        fn lag(&self) -> usize {
            let $this = self;
            $crate::Filter::lag($inner)
        }
        fn predicted_observation(&self) -> $crate::Result<$crate::PredictedObservation> {
            let $this = self;
            $crate::Filter::predicted_observation($inner)
        }
    };
}
pub(crate) use methods_of;
