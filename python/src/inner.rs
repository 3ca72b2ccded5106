//! The filter inside a [`Filter`](crate::filter::Filter), of any kind.

use pyo3::prelude::*;
use scotopic_cli::filtering::snapshot;
use scotopic_cli::usage::with_causes;
use scotopic_filtering::gaussian::Kalman;
use scotopic_filtering::hmm::{self, Emission as _};
use scotopic_filtering::{
    AnyFilter, AnyModel, Belief, ForecastSettings, Law, PredictedObservation, Predictive, Step,
};
use serde::{Deserialize, Serialize};

use crate::callables::{EquationFilter, Raised, first};
use crate::errors::{Failure, Result, setting};
use crate::files::{from_cbor, to_cbor};
use crate::interrupt::heed;

/// What a snapshot of a filter that keeps a lag begins with; the others have the format of the program.
const LAGGED: &[u8] = b"scotopic lagged filter 1\n";

/// A filter that smooths a fixed lag back.
#[derive(Clone, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
pub enum Lagged {
    /// Of a hidden Markov model.
    Hmm(hmm::Filter),
    /// Of a linear-Gaussian model.
    Kalman(Kalman),
}

/// A filter of any kind.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
pub enum Inner {
    /// Of the library, chosen at run time.
    Any(AnyFilter),
    /// That smooths a fixed lag back.
    Lagged(Lagged),
    /// Of functions of Python, and where they leave what they raise.
    Equation(EquationFilter, Raised),
}

/// The same expression of each filter.
macro_rules! each {
    ($inner:expr, $f:ident => $body:expr) => {
        match $inner {
            Inner::Any($f) => $body,
            Inner::Lagged(Lagged::Hmm($f)) => $body,
            Inner::Lagged(Lagged::Kalman($f)) => $body,
            Inner::Equation(EquationFilter::Nonlinear($f), _) => $body,
            Inner::Equation(EquationFilter::Generalised($f), _) => $body,
        }
    };
}

impl Inner {
    /// The filter's update.
    ///
    /// # Errors
    /// Those of the filter, and what a function of Python raised; it is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let Self::Equation(filter, raised) = self else {
            return Ok(each!(self, f => scotopic_filtering::Filter::update(f, observation))?);
        };
        // A function that raises leaves the filter as it was, also where its NaN was of no consequence.
        let mut next = filter.clone();
        let step = match &mut next {
            EquationFilter::Nonlinear(f) => scotopic_filtering::Filter::update(f, observation),
            EquationFilter::Generalised(f) => scotopic_filtering::Filter::update(f, observation),
        };
        let step = first(raised, step)?;
        *filter = next;
        Ok(step)
    }

    /// The filter's belief.
    pub fn belief(&self) -> Belief<'_> {
        each!(self, f => scotopic_filtering::Filter::belief(f))
    }

    /// The predicted observation.
    ///
    /// # Errors
    /// Those of the filter.
    pub fn predicted(&self) -> Result<PredictedObservation> {
        let predicted = each!(self, f => scotopic_filtering::Filter::predicted_observation(f));
        match self {
            Self::Equation(_, raised) => first(raised, predicted),
            _ => Ok(predicted?),
        }
    }

    /// Whether the distributions of observations are known; of functions of Python they are not.
    pub fn has_laws(&self) -> bool {
        !matches!(self, Self::Equation(..))
    }

    /// The distribution of each entry of the next `steps` observations, if nothing is seen on the way.
    ///
    /// # Errors
    /// Those of the filter, and an interrupt.
    pub fn laws(&self, steps: usize) -> Result<Vec<Vec<Predictive>>> {
        if let (Self::Any(filter), 1..) = (self, steps) {
            let settings = ForecastSettings {
                ahead: steps,
                quantiles: Vec::new(),
                ..ForecastSettings::default()
            };
            return Ok(filter.forecast(&settings)?.predictive);
        }
        let mut ahead = self.clone();
        let mut rows = Vec::with_capacity(steps);
        for h in 1..=steps {
            rows.push(ahead.next_laws()?);
            ahead.update(None)?;
            heed(h)?;
        }
        Ok(rows)
    }

    /// Those of the next observation, of a filter that looks back.
    fn next_laws(&self) -> Result<Vec<Predictive>> {
        let unknown = || setting("lag", "some", "0, where a distribution is asked for");
        match self {
            Self::Lagged(Lagged::Hmm(f)) => {
                // What is believed after a missing observation is what is predicted.
                let mut next = f.clone();
                next.update(None)?;
                let laws = f.model().emission().predictive(next.belief());
                laws.ok_or_else(unknown)
            }
            Self::Lagged(Lagged::Kalman(f)) => {
                let next = f.predict_observation(1);
                let variances = next.covariance().diagonal();
                let each = next.mean().iter().zip(variances.iter());
                let normal = |(mean, variance): (&f64, &f64)| {
                    let (mean, variance) = (*mean, *variance);
                    Predictive::new(vec![(1.0, Law::Normal { mean, variance })])
                };
                Ok(each
                    .map(normal)
                    .collect::<scotopic_filtering::Result<_>>()?)
            }
            Self::Any(_) | Self::Equation(..) => Err(unknown()),
        }
    }

    /// The model; none of functions of Python.
    pub fn model(&self) -> Option<AnyModel> {
        match self {
            Self::Any(f) => Some(f.model()),
            Self::Lagged(Lagged::Hmm(f)) => Some(AnyModel::Hmm(f.model().clone())),
            Self::Lagged(Lagged::Kalman(f)) => Some(AnyModel::LinearGaussian(f.model().clone())),
            Self::Equation(..) => None,
        }
    }

    /// L_t, nats.
    pub fn elbo(&self) -> f64 {
        each!(self, f => scotopic_filtering::Filter::elbo(f))
    }

    /// t.
    pub fn observations(&self) -> u64 {
        each!(self, f => scotopic_filtering::Filter::observations(f))
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        each!(self, f => scotopic_filtering::Filter::width(f))
    }

    /// A snapshot.
    ///
    /// # Errors
    /// For functions of Python.
    pub fn to_bytes(&self) -> PyResult<Vec<u8>> {
        match self {
            Self::Any(filter) => snapshot::to_bytes(filter)
                .map_err(|error| Failure::Parameter(with_causes(&error)).into()),
            Self::Lagged(filter) => Ok([LAGGED, &to_cbor(filter)?].concat()),
            Self::Equation(..) => {
                let message =
                    "a filter of functions of Python cannot be saved: its equations are code";
                Err(Failure::Parameter(message.to_owned()).into())
            }
        }
    }

    /// The filter of a snapshot.
    ///
    /// # Errors
    /// If it is none, was cut short, or was changed.
    pub fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        match bytes.strip_prefix(LAGGED) {
            Some(body) => Ok(Self::Lagged(from_cbor(body, "filter")?)),
            None => snapshot::from_bytes(bytes, "the snapshot")
                .map(Self::Any)
                .map_err(|error| Failure::Parameter(with_causes(&error)).into()),
        }
    }
}
