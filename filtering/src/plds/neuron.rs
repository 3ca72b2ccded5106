//! The loadings c and the offset d of one neuron: Newton's method on the expected log-likelihood (eq. F76).

use nalgebra::{DMatrix, DVector};

use super::law::CountLaw;
use super::model::Plds;
use crate::gaussian::Gaussian;
use crate::{Error, Result};

/// Newton's method ends when the next step promises at most this, in nats an observation.
const ENOUGH: f64 = 1e-9;
/// Most steps; three are usual.
const MOST: usize = 50;
/// A step is halved at most so often.
const HALVINGS: usize = 30;

/// Rows of counts beside the beliefs about the states that they are of.
pub(super) struct Rows<'a> {
    law: CountLaw,
    /// ln ε.
    shift: f64,
    pairs: Vec<(&'a [f64], &'a Gaussian)>,
}

/// The expected log-likelihood of a neuron at (c, d), with its slope and its curvature `[n + 1]`, `[n + 1, n + 1]`.
#[derive(Debug, Clone)]
pub(super) struct Slopes {
    pub value: f64,
    pub gradient: DVector<f64>,
    /// Positive semi-definite: exact for counts, without the terms of third derivatives for spikes.
    pub curvature: DMatrix<f64>,
    /// Observations of the neuron.
    pub count: f64,
}

impl<'a> Rows<'a> {
    pub fn new(model: &Plds, pairs: Vec<(&'a [f64], &'a Gaussian)>) -> Self {
        Self {
            law: model.law(),
            shift: model.exposure().ln(),
            pairs,
        }
    }

    /// Neuron `i` where it was seen, with S c, mean and variance of its linear predictor.
    fn each(
        &self,
        i: usize,
        theta: &DVector<f64>,
        mut at: impl FnMut(f64, &Gaussian, &[f64], f64, f64),
    ) {
        let n = theta.len() - 1;
        let mut spread = vec![0.0; n];
        for (row, belief) in self.pairs.iter().filter(|(row, _)| !row[i].is_nan()) {
            let columns = belief.covariance().as_slice().chunks_exact(n);
            let (mut mean, mut variance) = (theta[n] + self.shift, 0.0);
            for (a, column) in columns.enumerate() {
                // Symmetric: a column is a row.
                spread[a] = column.iter().zip(theta.iter()).map(|(s, c)| s * c).sum();
                variance += spread[a] * theta[a];
                mean += belief.mean()[a] * theta[a];
            }
            at(row[i], belief, &spread, mean, variance);
        }
    }

    /// E ln p of neuron `i`, constants left out.
    pub fn value(&self, i: usize, theta: &DVector<f64>) -> f64 {
        let mut sum = 0.0;
        self.each(i, theta, |y, _, _, mean, variance| {
            sum += self.law.expected(y, mean, variance).value;
        });
        sum
    }

    pub fn slopes(&self, i: usize, theta: &DVector<f64>) -> Slopes {
        let n = theta.len() - 1;
        let mut found = Slopes {
            value: 0.0,
            gradient: DVector::zeros(n + 1),
            curvature: DMatrix::zeros(n + 1, n + 1),
            count: 0.0,
        };
        let mut z = vec![1.0; n + 1];
        let exact = self.law == CountLaw::Poisson;
        self.each(i, theta, |y, belief, spread, mean, variance| {
            let e = self.law.expected(y, mean, variance);
            found.value += e.value;
            found.count += 1.0;
            for a in 0..n {
                let m = belief.mean()[a];
                found.gradient[a] += e.slope * m - e.curvature * spread[a];
                z[a] = if exact { m + spread[a] } else { m };
            }
            found.gradient[n] += e.slope;
            let covariance = belief.covariance().as_slice();
            let curvature = found.curvature.as_mut_slice();
            for a in 0..=n {
                let scale = e.curvature * z[a];
                let column = &mut curvature[a * (n + 1)..(a + 1) * (n + 1)];
                for (into, z) in column.iter_mut().zip(&z) {
                    *into += scale * z;
                }
                if a < n {
                    let own = &covariance[a * n..(a + 1) * n];
                    for (into, s) in column.iter_mut().zip(own) {
                        *into += e.curvature * s;
                    }
                }
            }
        });
        found
    }

    /// (c, d) of neuron `i` at the maximum, from `theta`.
    pub fn best(&self, i: usize, theta: DVector<f64>) -> Result<DVector<f64>> {
        let mut theta = theta;
        for _ in 0..MOST {
            let slopes = self.slopes(i, &theta);
            // A neuron that is silent, or was not recorded, has nothing left to gain.
            let Some(step) = direction(&slopes.curvature, &slopes.gradient) else {
                break;
            };
            if slopes.gradient.dot(&step) <= ENOUGH * slopes.count {
                break;
            }
            match self.raised(i, &theta, &step, slopes.value) {
                Some(next) => theta = next,
                None => break,
            }
        }
        match theta.iter().all(|v| v.is_finite()) {
            true => Ok(theta),
            false => Err(Error::entry("loadings", &[i], f64::NAN, "finite numbers")),
        }
    }

    /// The first of steps 1, ½, ¼, … that raises the expected log-likelihood above `value`.
    pub fn raised(
        &self,
        i: usize,
        theta: &DVector<f64>,
        step: &DVector<f64>,
        value: f64,
    ) -> Option<DVector<f64>> {
        let mut size = 1.0;
        for _ in 0..HALVINGS {
            let next = theta + step * size;
            if self.value(i, &next) >= value {
                return Some(next);
            }
            size *= 0.5;
        }
        None
    }
}

/// H⁻¹g; `None` where H is singular to rounding.
pub(super) fn direction(curvature: &DMatrix<f64>, gradient: &DVector<f64>) -> Option<DVector<f64>> {
    let factor = crate::math::cholesky::cholesky("curvature", curvature).ok()?;
    let step = factor.solve(gradient);
    step.iter().all(|v| v.is_finite()).then_some(step)
}

impl Plds {
    /// (c_i, d_i).
    pub(super) fn row(&self, i: usize) -> DVector<f64> {
        let n = self.states();
        let row = self.loadings().row(i).transpose();
        row.insert_row(n, self.offset()[i])
    }

    /// The same model with all (c_i, d_i).
    pub(super) fn with_rows(&self, rows: &[DVector<f64>]) -> Result<Self> {
        let (n, neurons) = (self.states(), self.width());
        let c = DMatrix::from_fn(neurons, n, |i, a| rows[i][a]);
        self.with_loadings(c, DVector::from_fn(neurons, |i, _| rows[i][n]))
    }
}
