//! Filters: one observation at a time.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use scotopic_cli::usage::with_causes;
use scotopic_filtering::gaussian::Kalman;
use scotopic_filtering::hmm::{self, Emission};
use scotopic_filtering::{AnyFilter, AnyModel, Belief};

use crate::after_each::Beliefs;
use crate::arrays::{matrix, stack, vector};
use crate::callables::Equation;
use crate::driven::DrivenGaussian;
use crate::driven_hmm::DrivenHmm;
use crate::errors::{Failure, Result, setting};
use crate::files::to_toml;
use crate::forecast::{Forecast, samples};
use crate::gaussian::LinearGaussian;
use crate::given::Given;
use crate::hmm::Hmm;
use crate::inner::{Inner, Lagged};
use crate::interrupt::drawing;
use crate::observation::{OBSERVATION, read};
use crate::observations::Observations;
use crate::plds::Plds;
use crate::rules::learning;

/// A belief about a hidden state that takes in one observation at a time.
#[pyclass(module = "scotopic._scotopic", subclass)]
pub struct Filter {
    inner: Box<Inner>,
    given: Given,
    row: Vec<f64>,
    /// Shared with an `extend` at work on a copy that will replace `inner`; let go of also where that panics.
    extending: Arc<()>,
}

/// What another thread meets while a filter is taking in observations.
fn in_use() -> Failure {
    Failure::Misuse(
        "the filter is taking in observations in another thread: give each thread a filter of its own, of copy()"
            .to_owned(),
    )
}

/// The model in a Python object: one of the classes here, or the text of a model file.
///
/// # Errors
/// For an object that is neither, or a text that is no model.
pub fn any_model(model: &Bound<'_, PyAny>) -> Result<AnyModel> {
    if let Ok(hmm) = model.cast::<Hmm>() {
        return Ok(AnyModel::Hmm(hmm.get().model.clone()));
    }
    if let Ok(driven) = model.cast::<DrivenHmm>() {
        let model = driven.get().model.clone();
        return Ok(AnyModel::DrivenHmm(Box::new(model)));
    }
    if let Ok(gaussian) = model.cast::<LinearGaussian>() {
        return Ok(AnyModel::LinearGaussian(gaussian.get().model.clone()));
    }
    if let Ok(driven) = model.cast::<DrivenGaussian>() {
        let model = driven.get().model.clone();
        return Ok(AnyModel::Driven(Box::new(model)));
    }
    if let Ok(plds) = model.cast::<Plds>() {
        return Ok(AnyModel::Plds(plds.get().model.clone()));
    }
    let text: String = model.extract()?;
    let read = scotopic_cli::filtering::model::parse(&text);
    read.map_err(|error| Failure::Parameter(with_causes(&error)))
}

impl Filter {
    /// The filter of a thread that may change it.
    fn alone<'py>(slf: &Bound<'py, Self>) -> Result<PyRefMut<'py, Self>> {
        let filter = slf.try_borrow_mut().map_err(|_| in_use())?;
        match Arc::strong_count(&filter.extending) {
            1 => Ok(filter),
            _ => Err(in_use()),
        }
    }

    fn of(inner: Inner) -> Result<Self> {
        Ok(Self {
            given: Given::of(inner.model())?,
            inner: Box::new(inner),
            row: Vec::new(),
            extending: Arc::default(),
        })
    }
}

#[pymethods]
impl Filter {
    /// A filter of `model` that has seen nothing; of a snapshot in bytes, taken by this or by the program, the filter
    /// that it was taken of.
    #[new]
    #[pyo3(signature = (model, factorisation="reversed", learn=None, settings="{}", lag=0))]
    fn new(
        model: &Bound<'_, PyAny>,
        factorisation: &str,
        learn: Option<&str>,
        settings: &str,
        lag: usize,
    ) -> Result<Self> {
        if let Ok(bytes) = model.cast::<PyBytes>() {
            return Self::of(Inner::from_bytes(bytes.as_bytes())?);
        }
        if let Ok(equation) = model.cast::<Equation>() {
            let equation = equation.get();
            let inner = Inner::Equation(equation.filter.clone(), equation.raised.clone());
            return Self::of(inner);
        }
        let model = any_model(model)?;
        let inner = match (lag, learn) {
            (0, None) => Inner::Any(AnyFilter::new(model, factorisation)?),
            (0, Some(rule)) => {
                let rule = Some(rule).filter(|rule| !rule.is_empty());
                let how = learning(&model, rule, settings)?;
                Inner::Any(AnyFilter::learning(model, &how, factorisation)?)
            }
            (_, Some(_)) => return Err(setting("lag", lag, "0 for a filter that learns")),
            (_, None) if factorisation != "reversed" => {
                return Err(setting(
                    "lag",
                    lag,
                    "0 unless the factorisation is reversed",
                ));
            }
            (_, None) => match model {
                AnyModel::Hmm(model) => {
                    if model.emission().lags() > 0 {
                        return Err(setting(
                            "lag",
                            lag,
                            "0: a filter of an autoregression keeps no smoothed states (predict_proba has those of a series)",
                        ));
                    }
                    if lag > 100_000 {
                        return Err(setting(
                            "lag",
                            lag,
                            "at most 100000: each takes K² numbers of memory",
                        ));
                    }
                    Inner::Lagged(Lagged::Hmm(hmm::Filter::new(model).with_lag(lag)))
                }
                AnyModel::LinearGaussian(model) => {
                    Inner::Lagged(Lagged::Kalman(Kalman::new(model)?.with_lag(lag)?))
                }
                _ => {
                    return Err(setting(
                        "lag",
                        lag,
                        "0 unless the model is linear-Gaussian without inputs, or an HMM without inputs of its transitions",
                    ));
                }
            },
        };
        Self::of(inner)
    }

    /// Takes in the next observation, with its inputs, its exposure and the inputs of the transition to it if the model has any; ln p(o_t|o_<t), or the change of the
    /// bound, nats.
    #[pyo3(signature = (observation, inputs=None, exposure=None, transition_inputs=None))]
    fn update(
        slf: &Bound<'_, Self>,
        observation: &Bound<'_, PyAny>,
        inputs: Option<&Bound<'_, PyAny>>,
        exposure: Option<&Bound<'_, PyAny>>,
        transition_inputs: Option<&Bound<'_, PyAny>>,
    ) -> Result<f64> {
        let filter = &mut *Self::alone(slf)?;
        let mut seen = read(observation, OBSERVATION, &mut filter.row)?;
        let given = [inputs, exposure, transition_inputs];
        if filter.given.count() > 0 || given.iter().any(Option::is_some) {
            let outputs = filter.inner.width() - filter.given.count();
            seen = filter.given.append(seen, given, outputs, &mut filter.row)?;
        }
        let row = seen.then_some(&filter.row[..]);
        Ok(filter.inner.update(row)?.increment)
    }

    /// Takes in rows: the beliefs after each, as `belief` has them, and ln p(o_t|o_<t) `[T]`.
    #[allow(clippy::type_complexity)] // three arrays
    fn extend<'py>(
        slf: &Bound<'py, Self>,
        data: &Observations,
    ) -> Result<(
        Bound<'py, PyArray2<f64>>,
        Option<Bound<'py, PyAny>>,
        Bound<'py, PyArray1<f64>>,
    )> {
        let py = slf.py();
        // A failure leaves the filter as it was; until the end other threads read it as it was.
        let (mut inner, extending) = {
            let filter = Self::alone(slf)?;
            (filter.inner.clone(), filter.extending.clone())
        };
        let Beliefs {
            means,
            covariances,
            increments,
        } = Beliefs::after_each(py, &mut inner, data)?;
        slf.try_borrow_mut().map_err(|_| in_use())?.inner = inner;
        drop(extending);
        let n = means.len() / increments.len().max(1);
        let covariances = match covariances.is_empty() {
            true => None,
            false => Some(stack(py, covariances, [n, n])?.into_any()),
        };
        Ok((matrix(py, means, n)?, covariances, vector(py, increments)))
    }

    /// The belief: probabilities `[K]` of a discrete state, the mean `[n]` of another.
    #[getter]
    fn belief<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        match self.inner.belief() {
            Belief::Discrete(q) => PyArray1::from_slice(py, q),
            Belief::Gaussian(belief) => PyArray1::from_slice(py, belief.mean),
        }
    }

    /// The covariance `[n, n]` of the belief; none of a discrete state or a point.
    #[getter]
    fn covariance<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f64>>>> {
        match self.inner.belief() {
            Belief::Gaussian(belief) if !belief.covariance.is_empty() => Ok(Some(matrix(
                py,
                belief.covariance.to_vec(),
                belief.mean.len(),
            )?)),
            _ => Ok(None),
        }
    }

    /// The means `[causes]` of the causes of a generalised model; none where there are none.
    #[getter]
    fn causes<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        match self.inner.belief() {
            Belief::Gaussian(belief) if !belief.cause_mean.is_empty() => {
                Some(PyArray1::from_slice(py, belief.cause_mean))
            }
            _ => None,
        }
    }

    /// L_t, nats: ln p(o_1…o_t) where the filter is exact, else its bound.
    #[getter]
    fn elbo(&self) -> f64 {
        self.inner.elbo()
    }

    /// t, missing observations included.
    #[getter]
    fn n_observations(&self) -> u64 {
        self.inner.observations()
    }

    /// The entries of one observation, without those that are given with it.
    #[getter]
    fn n_features(&self) -> usize {
        self.inner.width() - self.given.count()
    }

    /// The names of the inputs, and of the exposure if there is one.
    #[getter]
    fn given(&self) -> (Vec<String>, Option<String>) {
        self.given.names()
    }

    /// The names of the inputs of the transitions.
    #[getter]
    fn transition_inputs(&self) -> Vec<String> {
        self.given.driving().to_vec()
    }

    /// The model as it is now: an `Hmm`, a `DrivenHmm`, a `LinearGaussian`, a `DrivenGaussian` or a `Plds`, or the text of a model file for
    /// the other kinds; none of functions of Python.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.inner.model() {
            Some(AnyModel::Hmm(model)) => Ok(Bound::new(py, Hmm::from(model))?.into_any()),
            Some(AnyModel::DrivenHmm(model)) => {
                Ok(Bound::new(py, DrivenHmm::from(*model))?.into_any())
            }
            Some(AnyModel::LinearGaussian(model)) => {
                Ok(Bound::new(py, LinearGaussian::from(model))?.into_any())
            }
            Some(AnyModel::Driven(model)) => {
                Ok(Bound::new(py, DrivenGaussian::from(*model))?.into_any())
            }
            Some(AnyModel::Plds(model)) => Ok(Bound::new(py, Plds::from(model))?.into_any()),
            Some(model) => Ok(to_toml(&model)?.into_pyobject(py)?.into_any()),
            None => Ok(py.None().into_bound(py)),
        }
    }

    /// The next `steps` observations if nothing is seen on the way: moments, probabilities of symbols, and the distributions of the
    /// entries. Of a model with inputs one for each row of `given`, the inputs and the exposure `[steps, inputs]`.
    #[pyo3(signature = (steps=1, given=None))]
    fn forecast<'py>(
        slf: &Bound<'py, Self>,
        steps: usize,
        given: Option<&Observations>,
    ) -> Result<Bound<'py, PyDict>> {
        let py = slf.py();
        // Of a copy: other threads may go on with the filter meanwhile.
        let (inner, names) = {
            let filter = slf.try_borrow().map_err(|_| in_use())?;
            (Inner::clone(&filter.inner), filter.given.clone())
        };
        let given = given.map(Observations::one).transpose()?;
        let forecast = py.detach(|| match given {
            Some(given) => {
                let mut forecast = Forecast::new();
                names.forecast(&inner, given, &mut forecast)?;
                Ok(forecast)
            }
            None => Forecast::of_unseen(inner, steps),
        })?;
        Ok(forecast.into_dict(py)?)
    }

    /// `count` joint samples of the next `steps` observations, one after the other `[count·steps, D]`, likewise.
    fn simulate<'py>(
        slf: &Bound<'py, Self>,
        steps: usize,
        count: usize,
        seed: u64,
        given: Option<&Observations>,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        let py = slf.py();
        let (inner, outputs) = {
            let filter = slf.try_borrow().map_err(|_| in_use())?;
            (filter.inner.clone(), filter.n_features())
        };
        let Inner::Any(filter) = &*inner else {
            let expected = "0: samples are drawn of filters of the library without a lag";
            return Err(setting("n_samples", count, expected));
        };
        let given = given.map(Observations::one).transpose()?;
        let values = drawing(py, seed, |noise| {
            samples(filter, (count, steps, outputs), given, noise)
        })?;
        Ok(matrix(py, values, outputs)?)
    }

    /// The belief about the state of `back` observations ago in the light of all since: probabilities `[K]`, or a mean
    /// `[n]` and a covariance `[n, n]`.
    fn smooth<'py>(&self, py: Python<'py>, back: usize) -> Result<Bound<'py, PyAny>> {
        match &*self.inner {
            Inner::Lagged(Lagged::Hmm(filter)) => {
                let mut belief = vec![0.0; filter.belief().len()];
                filter.lagged(back, &mut belief)?;
                Ok(vector(py, belief).into_any())
            }
            Inner::Lagged(Lagged::Kalman(filter)) => {
                let belief = filter.lagged(back)?;
                let mean = vector(py, belief.mean().as_slice().to_vec());
                let n = belief.states();
                let covariance = matrix(py, belief.covariance().as_slice().to_vec(), n)?;
                Ok((mean, covariance).into_pyobject(py)?.into_any())
            }
            _ => Err(setting(
                "lag",
                0,
                "above 0 when the filter is made, to smooth so far back",
            )),
        }
    }

    /// The whole filter as bytes, from which it continues bit for bit.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.inner.to_bytes()?))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let restore = slf.get_type().getattr("restore")?;
        Ok((restore, (slf.borrow().snapshot(slf.py())?,)))
    }

    fn __repr__(&self) -> String {
        let (t, elbo) = (self.n_observations(), self.elbo());
        let described = self.inner.model().map(|model| model.described());
        let described = described.unwrap_or("model of Python functions".to_owned());
        format!("<Filter of a {described}: {t} observations, elbo {elbo:.6}>")
    }
}
