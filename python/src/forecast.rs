//! Predicted observations, several steps ahead.

use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_filtering::gaussian::Gaussian;
use scotopic_filtering::{Law, Moments, PredictedObservation, Predictive};

use crate::arrays::matrix;
use crate::errors::Result;

/// Means and variances `[steps, m]`, and probabilities `[steps, M]` of symbols.
pub struct Forecast {
    means: Vec<f64>,
    variances: Vec<f64>,
    symbols: Vec<f64>,
    width: usize,
}

impl Forecast {
    /// No step yet.
    pub fn new() -> Self {
        Self {
            means: Vec::new(),
            variances: Vec::new(),
            symbols: Vec::new(),
            width: 1,
        }
    }

    /// Adds the next step.
    pub fn push(&mut self, predicted: &PredictedObservation) {
        let Moments { mean, variance } = predicted.moments();
        self.width = mean.len();
        self.means.extend(mean);
        self.variances.extend(variance);
        if let PredictedObservation::Symbol(p) = predicted {
            self.symbols.extend(p);
        }
    }

    /// Adds the next step: the distribution of each entry.
    pub fn push_laws(&mut self, predictive: &[Predictive]) {
        self.width = predictive.len();
        self.means.extend(predictive.iter().map(Predictive::mean));
        self.variances
            .extend(predictive.iter().map(Predictive::variance));
        if let [only] = predictive {
            let symbol = |(w, law): &(f64, Law)| matches!(law, Law::Symbol(_)).then_some(*w);
            let symbols: Option<Vec<f64>> = only.parts().iter().map(symbol).collect();
            self.symbols.extend(symbols.into_iter().flatten());
        }
    }

    /// Adds the next step: a normal distribution.
    pub fn push_belief(&mut self, predicted: &Gaussian) {
        self.width = predicted.mean().len();
        self.means.extend(predicted.mean());
        self.variances
            .extend(predicted.covariance().diagonal().iter());
    }

    /// The means and the variances.
    ///
    /// # Errors
    /// None.
    #[allow(clippy::type_complexity)] // two arrays
    pub fn moments(
        self,
        py: Python<'_>,
    ) -> Result<(Bound<'_, PyArray2<f64>>, Bound<'_, PyArray2<f64>>)> {
        let means = matrix(py, self.means, self.width)?;
        Ok((means, matrix(py, self.variances, self.width)?))
    }

    /// Arrays by name.
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
        Ok(table)
    }
}
