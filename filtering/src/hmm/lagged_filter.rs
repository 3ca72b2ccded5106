//! A filter that remembers the observations which the next one depends on.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::lagged_forecast::Ahead;
use super::{AnyEmission, Emission, Hmm, Learning, Online};
use crate::sequence::check_partial_row;
use crate::{
    Belief, Error, Filter, Moments, PredictedObservation, Predictive, Result, Sequence, Step,
};

/// A filter of a model whose emission has [`Emission::lags`]: it takes in x_t alone, and shows the filter inside the rows
/// (x_t, x_{t−1} … x_{t−p}). A snapshot has the last p observations too.
///
/// ```
/// use scotopic_filtering::hmm::{Autoregression, Factorisation, Hmm, LaggedFilter};
/// use scotopic_filtering::Filter;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let wave = Autoregression::new(vec![vec![1.0]], vec![vec![vec![vec![0.5]]]], vec![vec![vec![1.0]]])?;
/// let model = Hmm::new(vec![1.0], vec![vec![1.0]], wave.into())?;
/// let mut filter = LaggedFilter::of(model.online(&Factorisation::Reversed)?);
/// assert_eq!(filter.update(Some(&[4.0]))?.increment, 0.0); // nothing before it
/// assert_eq!(filter.predicted_observation()?.moments().mean, [3.0]); // 1 + 0.5·4
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct LaggedFilter {
    inner: Inner,
    /// x_t, x_{t−1} … `[1 + p, D]`, the newest first; NaN for what is missing or lies before the first.
    past: Vec<f64>,
}

/// What filters the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
enum Inner {
    /// With fixed parameters.
    Fixed(Online),
    /// Learning.
    Learning(Learning<AnyEmission>),
}

/// The same expression of either.
macro_rules! each {
    ($self:expr, $f:ident => $body:expr) => {
        match $self {
            Inner::Fixed($f) => $body,
            Inner::Learning($f) => $body,
        }
    };
}

impl LaggedFilter {
    /// Of a filter that has seen nothing.
    pub fn of(filter: Online) -> Self {
        let past = vec![f64::NAN; filter.model().width()];
        let inner = Inner::Fixed(filter);
        Self { inner, past }
    }

    /// Of one that learns and has seen nothing.
    pub fn learning(filter: Learning<AnyEmission>) -> Self {
        let past = vec![f64::NAN; filter.model().width()];
        let inner = Inner::Learning(filter);
        Self { inner, past }
    }

    /// The model that the next observation is filtered with.
    pub fn model(&self) -> &Hmm {
        each!(&self.inner, f => f.model())
    }

    /// The model learned so far; averaged where a rule has an average.
    pub fn learned(&self) -> Hmm {
        match &self.inner {
            Inner::Fixed(f) => f.model().clone(),
            Inner::Learning(f) => f.averaged().unwrap_or_else(|| f.model().clone()),
        }
    }

    /// D.
    fn outputs(&self) -> usize {
        let emission = self.model().emission();
        emission.width() - emission.inputs().len()
    }

    fn states(&self) -> &[f64] {
        each!(&self.inner, f => f.belief())
    }

    /// The lags of the next observation.
    fn lags(&self) -> Result<&[f64]> {
        let lags = &self.past[..self.past.len() - self.outputs()];
        match lags.iter().all(|x| x.is_finite()) {
            true => Ok(lags),
            false => Err(Error::Unsupported {
                what: "an autoregression".to_owned(),
                asked: "predict an observation",
                why: "one of the observations that it depends on is missing, or lies before the first; forecast from a place \
                      where all of them are there",
            }),
        }
    }

    /// Whether an observation that the next one depends on is missing, or lies before the first.
    pub fn lacks_lags(&self) -> bool {
        self.lags().is_err()
    }

    /// The distribution of each entry `steps` ahead: the mixture of a normal law for each state, which is exact one step ahead and
    /// has the exact mean and variance farther on (eq. F95).
    ///
    /// # Errors
    /// [`Error::Unsupported`] where an observation that the next one depends on is missing.
    pub fn predictive(&self, steps: usize) -> Result<Vec<Predictive>> {
        let mut ahead = self.ahead()?;
        for _ in 1..steps {
            ahead.step();
        }
        ahead.predictive()
    }

    /// [`LaggedFilter::predictive`] of 1, 2, 3 … steps without end, each made of the one before.
    ///
    /// # Errors
    /// As [`LaggedFilter::predictive`].
    pub fn predictives(&self) -> Result<impl Iterator<Item = Result<Vec<Predictive>>> + '_> {
        let mut ahead = self.ahead()?;
        Ok((1..).map(move |h| {
            if h > 1 {
                ahead.step();
            }
            ahead.predictive()
        }))
    }

    /// What is known of the next observation.
    pub(crate) fn ahead(&self) -> Result<Ahead<'_>> {
        let first = self.observations() == 0;
        Ahead::of(self.model(), self.states(), first, self.lags()?)
    }

    /// The next `ahead` observations, drawn jointly.
    ///
    /// # Errors
    /// As [`LaggedFilter::predictive`]; as [`Hmm::sample`].
    pub fn simulate<R: Rng>(&self, ahead: usize, rng: &mut R) -> Result<Sequence> {
        let model = self.model();
        let mut start = self.states().to_vec();
        if self.observations() > 0 {
            let rows = model.transition().chunks_exact(model.states());
            start.fill(0.0);
            for (q, row) in self.states().iter().zip(rows) {
                start.iter_mut().zip(row).for_each(|(s, a)| *s += q * a);
            }
        }
        let (emission, transition) = (model.emission().clone(), model.transition().to_vec());
        let on = Hmm::from_flat(start, transition, emission)?;
        Ok(on.sample_after(self.lags()?, ahead, rng)?.1)
    }
}

impl Filter for LaggedFilter {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let (d, number) = (self.outputs(), self.observations());
        if let Some(row) = observation {
            check_partial_row(row, d).map_err(|e| e.at_observation(number))?;
        }
        let mut row = self.past.clone();
        row.copy_within(..self.past.len() - d, d);
        match observation {
            Some(x) => row[..d].copy_from_slice(x),
            None => row[..d].fill(f64::NAN),
        }
        let step = each!(&mut self.inner, f => f.update(Some(&row)))?;
        self.past = row;
        Ok(step)
    }

    fn belief(&self) -> Belief<'_> {
        Belief::Discrete(self.states())
    }

    fn elbo(&self) -> f64 {
        each!(&self.inner, f => f.elbo())
    }

    fn observations(&self) -> u64 {
        each!(&self.inner, f => f.observations())
    }

    fn width(&self) -> usize {
        self.outputs()
    }

    fn accepts_partial_rows(&self) -> bool {
        each!(&self.inner, f => Filter::accepts_partial_rows(f))
    }

    fn parameter_updates(&self) -> Option<u64> {
        each!(&self.inner, f => Filter::parameter_updates(f))
    }

    /// Nothing is said where an observation that the next one depends on is missing.
    fn predicted_observation(&self) -> Result<PredictedObservation> {
        if self.lacks_lags() {
            return Ok(PredictedObservation::Numbers(Moments::unknown(
                self.outputs(),
            )));
        }
        let laws = self.predictive(1)?;
        Ok(PredictedObservation::Numbers(Moments {
            mean: laws.iter().map(Predictive::mean).collect(),
            variance: laws.iter().map(Predictive::variance).collect(),
        }))
    }

    /// b + Σ_l A_l x_{t−l} on average over the states.
    fn signal(&self) -> Moments {
        let unknown = Moments::unknown(self.outputs());
        let lags = &self.past[self.outputs()..];
        let emission = self.model().emission();
        match emission.predictive_given(self.states(), lags) {
            Some(laws) => Moments {
                mean: laws.iter().map(Predictive::mean).collect(),
                ..unknown
            },
            None => unknown,
        }
    }
}

/// The form of a filter in a file, where no number is NaN.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    filter: Inner,
    past: Vec<Option<f64>>,
}

impl From<LaggedFilter> for Snapshot {
    fn from(filter: LaggedFilter) -> Self {
        let known = |x: f64| (!x.is_nan()).then_some(x);
        Self {
            filter: filter.inner,
            past: filter.past.into_iter().map(known).collect(),
        }
    }
}

impl TryFrom<Snapshot> for LaggedFilter {
    type Error = Error;
    fn try_from(saved: Snapshot) -> Result<Self> {
        let past: Vec<f64> = saved.past.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
        let width = each!(&saved.filter, f => f.model().width());
        if each!(&saved.filter, f => f.model().emission().lags()) == 0 {
            return Err(Error::setting(
                "emission",
                "one without lags",
                "an autoregression",
            ));
        }
        if past.len() != width || past.iter().any(|x| x.is_infinite()) {
            let found = format!("{} numbers", past.len());
            return Err(Error::size("past", found, format!("{width} finite ones")));
        }
        Ok(Self {
            inner: saved.filter,
            past,
        })
    }
}
