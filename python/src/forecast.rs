//! Predicted observations, several steps ahead.

use std::sync::OnceLock;

use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use scotopic_filtering::{AnyFilter, Law, Moments, PredictedObservation, Predictive, Sequence};

use crate::arrays::matrix;
use crate::errors::Result;
use crate::files::{from_cbor, to_cbor};
use crate::inner::Inner;
use crate::interrupt::{Noise, heed};

/// The distribution of each entry of observations that are still to come, `[steps][width]`: made when they are first asked for, since
/// moments alone cost less.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Laws {
    rows: OnceLock<Vec<Vec<Predictive>>>,
    of: Option<(Inner, usize)>,
    width: usize,
}

impl Laws {
    /// Those that are known.
    fn known(rows: Vec<Vec<Predictive>>, width: usize) -> Self {
        Self {
            rows: OnceLock::from(rows),
            of: None,
            width,
        }
    }

    fn rows(&self) -> Result<&[Vec<Predictive>]> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows);
        }
        let rows = match &self.of {
            Some((filter, steps)) => filter.laws(*steps)?,
            None => Vec::new(),
        };
        Ok(self.rows.get_or_init(|| rows))
    }
}

#[pymethods]
impl Laws {
    #[new]
    fn new(bytes: &[u8]) -> PyResult<Self> {
        let (rows, width) = from_cbor(bytes, "distributions")?;
        Ok(Self::known(rows, width))
    }

    /// The quantiles `[steps, width]` of probability p: of mixtures those of the mixture; of counts and symbols the first that
    /// reaches p.
    fn quantile<'py>(&self, py: Python<'py>, p: f64) -> Result<Bound<'py, PyArray2<f64>>> {
        let values = py.detach(|| -> Result<Vec<f64>> {
            let rows = self.rows()?;
            let mut values = Vec::with_capacity(rows.len() * self.width);
            for (step, row) in (1..).zip(rows) {
                for law in row {
                    values.push(law.quantile(p)?);
                }
                heed(step)?;
            }
            Ok(values)
        })?;
        Ok(matrix(py, values, self.width)?)
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> Result<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let (py, laws) = (slf.py(), slf.get());
        let rows = py.detach(|| laws.rows())?;
        let bytes = PyBytes::new(py, &to_cbor(&(rows, laws.width))?);
        Ok((slf.get_type().into_any(), (bytes,)))
    }
}

/// `count` joint samples of the next `steps` observations of `outputs` entries, one after the other; of a model with inputs of the rows
/// that are `given`.
///
/// # Errors
/// Those of the filter.
pub fn samples(
    filter: &AnyFilter,
    (count, steps, outputs): (usize, usize, usize),
    given: Option<&Sequence>,
    noise: &mut Noise,
) -> scotopic_filtering::Result<Vec<f64>> {
    let mut values = Vec::with_capacity(count * steps * outputs);
    for _ in 0..count {
        let rows = match given {
            Some(given) => filter.simulate_given(given, noise)?,
            None => filter.simulate(steps, noise)?,
        };
        let each = rows.iter().flatten();
        values.extend(each.flat_map(|row| row[..outputs].iter().copied()));
    }
    Ok(values)
}

/// Means and variances `[steps, m]`, probabilities `[steps, M]` of symbols, and the distributions where they were made on the way, or
/// what they are of.
pub struct Forecast {
    means: Vec<f64>,
    variances: Vec<f64>,
    symbols: Vec<f64>,
    laws: Vec<Vec<Predictive>>,
    of: Option<(Inner, usize)>,
    width: usize,
}

impl Forecast {
    /// No step yet.
    pub fn new() -> Self {
        Self {
            means: Vec::new(),
            variances: Vec::new(),
            symbols: Vec::new(),
            laws: Vec::new(),
            of: None,
            width: 1,
        }
    }

    /// Of `steps` observations if nothing is seen on the way.
    ///
    /// # Errors
    /// Those of the filter, and an interrupt.
    pub fn of_unseen(mut ahead: Inner, steps: usize) -> Result<Self> {
        let mut forecast = Self::new();
        if let Inner::Any(AnyFilter::HmmLagged(filter)) = &ahead {
            // What lies between the steps is not unseen but still to come: its moments are carried along.
            for (h, laws) in (1..=steps).zip(filter.predictives()?) {
                forecast.push_laws(laws?);
                heed(h)?;
            }
            return Ok(forecast);
        }
        if ahead.has_laws() {
            forecast.of = Some((ahead.clone(), steps));
        }
        for h in 1..=steps {
            forecast.push(&ahead.predicted()?);
            ahead.update(None)?;
            heed(h)?;
        }
        Ok(forecast)
    }

    /// Adds the next step.
    fn push(&mut self, predicted: &PredictedObservation) {
        let Moments { mean, variance } = predicted.moments();
        self.width = mean.len();
        self.means.extend(mean);
        self.variances.extend(variance);
        if let PredictedObservation::Symbol(p) = predicted {
            self.symbols.extend(p);
        }
    }

    /// Adds the next step: the distribution of each entry.
    pub fn push_laws(&mut self, predictive: Vec<Predictive>) {
        self.width = predictive.len();
        self.means.extend(predictive.iter().map(Predictive::mean));
        self.variances
            .extend(predictive.iter().map(Predictive::variance));
        if let [only] = &predictive[..] {
            let symbol = |(w, law): &(f64, Law)| matches!(law, Law::Symbol(_)).then_some(*w);
            let symbols: Option<Vec<f64>> = only.parts().iter().map(symbol).collect();
            self.symbols.extend(symbols.into_iter().flatten());
        }
        self.laws.push(predictive);
    }

    /// Arrays by name, and the distributions.
    ///
    /// # Errors
    /// None.
    pub fn into_dict(self, py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let table = PyDict::new(py);
        let steps = self.means.len() / self.width.max(1);
        table.set_item("mean", matrix(py, self.means, self.width)?)?;
        table.set_item("variance", matrix(py, self.variances, self.width)?)?;
        if !self.symbols.is_empty() {
            let symbols = self.symbols.len() / steps;
            table.set_item("probabilities", matrix(py, self.symbols, symbols)?)?;
        }
        let laws = match self.of {
            None if self.laws.len() < steps => None,
            None => Some(Laws::known(self.laws, self.width)),
            of => Some(Laws {
                rows: OnceLock::new(),
                of,
                width: self.width,
            }),
        };
        table.set_item("_laws", laws)?;
        Ok(table)
    }
}
