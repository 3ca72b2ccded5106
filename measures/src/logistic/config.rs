//! The settings of a read-out, and its training.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Classifier;
use super::objective::{Objective, check_labels};
use crate::numerics::lbfgs::{self, StoppingCriteria};
use crate::{Error, Result, Rows};

/// How to train a multinomial logistic regression.
///
/// ```text
/// p(k | x) = exp(w_k·x + b_k) / Σ_j exp(w_j·x + b_j)
/// minimise   ½ Σ_k |w_k|² − C Σ_i ln p(y_i | x_i)
/// ```
///
/// The intercepts b are not penalised. With two classes both have weights; this is a binary regression
/// w = w₁ − w₀ under half the penalty, ¼|w|².
///
/// ```
/// use scotopic_measures::{Rows, logistic::LogisticConfig};
/// # fn main() -> scotopic_measures::Result<()> {
/// let x = [0.0, 0.2, 1.0, 1.1, 2.0, 2.1]; // [samples, features] = [6, 1]
/// let labels = [0u8, 0, 1, 1, 2, 2];
/// let x = Rows::new("codes", &x, [6, 1])?;
/// let config = LogisticConfig { c: 100.0, ..Default::default() };
/// let read_out = config.train(x, &labels, 3)?;
/// assert_eq!(read_out.predict(x)?, [0, 0, 1, 1, 2, 2]);
/// assert_eq!(read_out.accuracy(x, &labels)?, 1.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticConfig {
    /// C, the weight of the data against the penalty.
    pub c: f64,
    /// Bring each feature to mean 0 and variance 1 over the training samples first; a constant
    /// feature is only centred.
    pub standardise: bool,
    /// At most so many steps of L-BFGS.
    pub iterations: usize,
    /// Stop when no derivative of the objective, divided by C times the number of samples, is larger.
    pub tolerance: f64,
}

impl Default for LogisticConfig {
    fn default() -> Self {
        Self {
            c: 1.0,
            standardise: true,
            iterations: 1000,
            tolerance: 1e-4,
        }
    }
}

impl LogisticConfig {
    /// Trains on `x` `[samples, features]` with one label below `classes` for each sample.
    ///
    /// Starts from zero and takes no random number: the same data give the same bits.
    ///
    /// # Errors
    /// [`Error::Size`] if there is not one label for each sample, [`Error::Value`] for a label that is
    /// not below `classes`, [`Error::Setting`].
    pub fn train<L>(&self, x: Rows<'_>, labels: &[L], classes: usize) -> Result<Classifier>
    where
        L: Copy + Into<usize>,
    {
        self.validate(classes)?;
        let labels = check_labels(x, labels, classes)?;
        let scaling = if self.standardise {
            Scaling::of(x)
        } else {
            Scaling::none(x.columns())
        };
        let scaled = scaling.apply(x);
        let objective = Objective {
            x: &scaled,
            features: x.columns(),
            labels: &labels,
            classes,
            penalty: 1.0 / (self.c * x.rows() as f64),
        };
        let start = vec![0.0; classes * (x.columns() + 1)];
        let stop = StoppingCriteria {
            iterations: self.iterations,
            gradient: self.tolerance,
        };
        let end = lbfgs::minimise(|w| objective.value_and_gradient(w), start, stop);
        let (weights, intercepts) = end.at.split_at(classes * x.columns());
        Ok(Classifier {
            classes,
            mean: scaling.mean,
            scale: scaling.scale,
            weights: weights.to_vec(),
            intercepts: intercepts.to_vec(),
            iterations: end.iterations,
            objective: end.value * self.c * x.rows() as f64,
            converged: end.gradient <= self.tolerance,
        })
    }

    fn validate(&self, classes: usize) -> Result<()> {
        if !(self.c > 0.0 && self.c.is_finite()) {
            return Err(Error::setting("c", self.c, "a positive number; 1 is usual"));
        }
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            let expected = "a positive number; 0.0001 is usual";
            return Err(Error::setting("tolerance", self.tolerance, expected));
        }
        if !(2..=65_536).contains(&classes) {
            return Err(Error::setting("classes", classes, "from 2 to 65536"));
        }
        Ok(())
    }
}

/// (x − mean)/scale for each feature.
struct Scaling {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Scaling {
    fn none(features: usize) -> Self {
        Self {
            mean: vec![0.0; features],
            scale: vec![1.0; features],
        }
    }

    fn of(x: Rows<'_>) -> Self {
        let n = x.rows() as f64;
        let mut mean = x.sum_rows(x.columns(), |_, row, sum| {
            sum.iter_mut()
                .zip(row)
                .for_each(|(s, &v)| *s += f64::from(v));
        });
        mean.iter_mut().for_each(|m| *m /= n);
        let mut scale = x.sum_rows(x.columns(), |_, row, sum| {
            for ((s, &v), m) in sum.iter_mut().zip(row).zip(&mean) {
                *s += (f64::from(v) - m).powi(2);
            }
        });
        for (s, m) in scale.iter_mut().zip(&mean) {
            *s = (*s / n).sqrt();
            // What rounding leaves of a constant feature must not be blown up.
            if *s <= 1e-12 * m.abs() {
                *s = 1.0;
            }
        }
        Self { mean, scale }
    }

    fn apply(&self, x: Rows<'_>) -> Vec<f32> {
        let mut scaled = x.values().to_vec();
        scaled.par_chunks_exact_mut(x.columns()).for_each(|row| {
            for ((v, m), s) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *v = ((f64::from(*v) - m) / s) as f32;
            }
        });
        scaled
    }
}
