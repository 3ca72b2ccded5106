//! The sufficient statistics of a linear-Gaussian model, expected under the smoothed posterior.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::belief::Gaussian;
use super::imputed::{imputed, is_partial};
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use super::regression::{Moment, Regression};
use crate::{Result, Sequence};

/// The three regressions of the model, about the model that the statistics were taken with.
///
/// | | outputs | inputs | Θ |
/// |---|---|---|---|
/// | `initial` | x_1 | 1 | m0 |
/// | `transition` | x_t, t ≥ 2 | (x_{t−1}, 1) | `[F b]` |
/// | `observation` | y_t where seen | (x_t, 1) | `[H d]` |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    pub(crate) initial: Regression,
    pub(crate) transition: Regression,
    pub(crate) observation: Regression,
}

impl Statistics {
    /// No data yet.
    pub(crate) fn new(model: &LinearGaussian) -> Self {
        Self {
            initial: Regression::new(start_coefficients(model)),
            transition: Regression::new(beside(model.transition(), model.bias())),
            observation: Regression::new(beside(model.observation(), model.offset())),
        }
    }

    /// x_1, by the input (1).
    pub fn initial(&self) -> &Regression {
        &self.initial
    }

    /// x_t, by the inputs (x_{t−1}, 1).
    pub fn transition(&self) -> &Regression {
        &self.transition
    }

    /// y_t, by the inputs (x_t, 1), where seen.
    pub fn observation(&self) -> &Regression {
        &self.observation
    }

    /// Adds `factor` times `other`: statistics of other sequences, about any model of the same sizes.
    pub fn add(&mut self, factor: f64, other: &Statistics) {
        self.initial.add(factor, &other.initial);
        self.transition.add(factor, &other.transition);
        self.observation.add(factor, &other.observation);
    }

    /// The same data about another model.
    pub(crate) fn about(&self, model: &LinearGaussian) -> Self {
        Self {
            initial: self.initial.about(&start_coefficients(model)),
            transition: self
                .transition
                .about(&beside(model.transition(), model.bias())),
            observation: self
                .observation
                .about(&beside(model.observation(), model.offset())),
        }
    }

    /// Adds x_1, of which `belief` is the smoothed belief.
    pub(crate) fn add_start(&mut self, belief: &Gaussian) {
        let n = belief.states();
        let m0 = self.initial.coefficients.column(0);
        self.initial.add_moment(
            1.0,
            &Moment {
                residual: &belief.mean - m0,
                inputs: DVector::from_element(1, 1.0),
                residual_covariance: belief.covariance.clone(),
                cross_covariance: DMatrix::zeros(n, 1),
                inputs_covariance: DMatrix::zeros(1, 1),
            },
        );
    }

    /// Adds one transition, `weight` times: `later` is the smoothed belief about x_t, `kernel` the one of x_{t−1} given x_t. With
    /// D = I − F E, the residual x_t − F x_{t−1} − b is D x_t − F f − b − F ε, ε ~ N(0, L): its covariance is a
    /// sum, D P Dᵀ + F L Fᵀ.
    pub(crate) fn add_transition(
        &mut self,
        weight: f64,
        model: &LinearGaussian,
        kernel: &GaussianKernel,
        later: &Gaussian,
    ) {
        let (f, n) = (model.transition(), model.states());
        let (gain, spread, p) = (&kernel.gain, &kernel.covariance, &later.covariance);
        let left = DMatrix::identity(n, n) - f * gain;
        let left_p = &left * p;
        let f_spread = f * spread;
        let earlier = kernel.push(later);
        let moment = Moment {
            residual: &left * &later.mean - f * &kernel.offset - model.bias(),
            residual_covariance: &left_p * left.transpose() + &f_spread * f.transpose(),
            cross_covariance: with_zero_column(&left_p * gain.transpose() - f_spread),
            inputs: with_one(&earlier.mean),
            inputs_covariance: with_zero_border(&earlier.covariance),
        };
        self.transition.add_moment(weight, &moment);
    }

    /// Adds one observation `[m]`, `weight` times, of a state of which `belief` is the smoothed belief; entries that are missing (NaN) by
    /// what the model says of them (eq. F54).
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) for an R that cannot be factored.
    pub(crate) fn add_observation(
        &mut self,
        weight: f64,
        model: &LinearGaussian,
        belief: &Gaussian,
        y: &[f64],
    ) -> Result<()> {
        let h = model.observation();
        if is_partial(y) {
            let whole = imputed(model, y)?;
            let slope = whole.slope - h;
            let spread = &slope * &belief.covariance;
            let moment = Moment {
                residual: whole.constant + &slope * &belief.mean - model.offset(),
                residual_covariance: &spread * slope.transpose() + whole.noise,
                cross_covariance: with_zero_column(spread),
                inputs: with_one(&belief.mean),
                inputs_covariance: with_zero_border(&belief.covariance),
            };
            self.observation.add_moment(weight, &moment);
            return Ok(());
        }
        let h_p = h * &belief.covariance;
        let moment = Moment {
            residual: DVector::from_column_slice(y) - h * &belief.mean - model.offset(),
            residual_covariance: &h_p * h.transpose(),
            cross_covariance: with_zero_column(-h_p),
            inputs: with_one(&belief.mean),
            inputs_covariance: with_zero_border(&belief.covariance),
        };
        self.observation.add_moment(weight, &moment);
        Ok(())
    }
}

impl LinearGaussian {
    /// The expected sufficient statistics of a sequence of observations `[m]`, and its log evidence in nats.
    ///
    /// # Errors
    /// As [`LinearGaussian::smooth`].
    pub fn statistics(&self, observations: &Sequence) -> Result<(Statistics, f64)> {
        self.check_proper("the statistics of a linear-Gaussian model", "be taken")?;
        let smoothed = self.smooth(observations)?;
        let mut statistics = Statistics::new(self);
        if let Some(first) = smoothed.smoothed.first() {
            statistics.add_start(first);
        }
        for (kernel, later) in smoothed
            .kernels
            .iter()
            .zip(smoothed.smoothed.iter().skip(1))
        {
            statistics.add_transition(1.0, self, kernel, later);
        }
        for (belief, y) in smoothed.smoothed.iter().zip(observations.iter()) {
            if let Some(y) = y {
                statistics.add_observation(1.0, self, belief, y)?;
            }
        }
        Ok((statistics, smoothed.log_evidence()))
    }
}

/// The matrix `[F b]`.
pub(crate) fn beside(m: &DMatrix<f64>, v: &DVector<f64>) -> DMatrix<f64> {
    let columns = m.ncols();
    let mut wide = m.clone().insert_column(columns, 0.0);
    wide.set_column(columns, v);
    wide
}

fn start_coefficients(model: &LinearGaussian) -> DMatrix<f64> {
    DMatrix::from_column_slice(model.states(), 1, model.initial_mean().as_slice())
}

fn with_one(v: &DVector<f64>) -> DVector<f64> {
    v.clone().insert_row(v.len(), 1.0)
}

fn with_zero_column(m: DMatrix<f64>) -> DMatrix<f64> {
    let columns = m.ncols();
    m.insert_column(columns, 0.0)
}

fn with_zero_border(m: &DMatrix<f64>) -> DMatrix<f64> {
    let n = m.nrows();
    m.clone().insert_column(n, 0.0).insert_row(n, 0.0)
}
