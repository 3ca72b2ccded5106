//! ∇ ln p(y_1 … y_T) with respect to the parameters, by Fisher's identity.

use nalgebra::{DMatrix, DVector};

use super::model::LinearGaussian;
use crate::{Result, Sequence};

/// The gradient of the log evidence by the raw entries of the parameters; symmetric for Q, R and P0, where each
/// entry of a pair holds half of what moving both together does.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianGradient {
    /// By F `[n, n]`.
    pub transition: DMatrix<f64>,
    /// By b `[n]`.
    pub bias: DVector<f64>,
    /// By Q `[n, n]`.
    pub process_noise: DMatrix<f64>,
    /// By H `[m, n]`.
    pub observation: DMatrix<f64>,
    /// By d `[m]`.
    pub offset: DVector<f64>,
    /// By R `[m, m]`.
    pub observation_noise: DMatrix<f64>,
    /// By m0 `[n]`.
    pub initial_mean: DVector<f64>,
    /// By P0 `[n, n]`.
    pub initial_covariance: DMatrix<f64>,
    /// ln p(y_1 … y_T), in nats.
    pub log_evidence: f64,
}

/// What ln p gains by the entries of the system at one row (eq. F52).
pub(super) struct RowSlopes {
    /// By F_t, b_t and Q_t; none of the first row.
    pub moves: Option<(DMatrix<f64>, DVector<f64>, DMatrix<f64>)>,
    /// By H_t, d_t and R, 0 for what was not seen; none of a row of which nothing was.
    pub sees: Option<(DMatrix<f64>, DVector<f64>, DMatrix<f64>)>,
}

impl GaussianGradient {
    /// No slope.
    pub(super) fn zero(model: &LinearGaussian) -> Self {
        let (n, m) = (model.states(), model.width());
        Self {
            transition: DMatrix::zeros(n, n),
            bias: DVector::zeros(n),
            process_noise: DMatrix::zeros(n, n),
            observation: DMatrix::zeros(m, n),
            offset: DVector::zeros(m),
            observation_noise: DMatrix::zeros(m, m),
            initial_mean: DVector::zeros(n),
            initial_covariance: DMatrix::zeros(n, n),
            log_evidence: 0.0,
        }
    }

    /// Adds the slopes of one row.
    pub(super) fn add(&mut self, row: RowSlopes) {
        if let Some((f, b, q)) = row.moves {
            self.transition += f;
            self.bias += b;
            self.process_noise += q;
        }
        if let Some((h, d, r)) = row.sees {
            self.observation += h;
            self.offset += d;
            self.observation_noise += r;
        }
    }

    /// The gradient of both log evidences together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            transition: self.transition + other.transition,
            bias: self.bias + other.bias,
            process_noise: self.process_noise + other.process_noise,
            observation: self.observation + other.observation,
            offset: self.offset + other.offset,
            observation_noise: self.observation_noise + other.observation_noise,
            initial_mean: self.initial_mean + other.initial_mean,
            initial_covariance: self.initial_covariance + other.initial_covariance,
            log_evidence: self.log_evidence + other.log_evidence,
        }
    }
}

impl LinearGaussian {
    /// ∇_θ ln p(y_1 … y_T | θ) = E_q[∇_θ ln p(x, y | θ)] under the exact posterior (eq. F9); observations
    /// `[m]`.
    ///
    /// # Errors
    /// As [`LinearGaussian::smooth`], and [`Error::NotPositiveDefinite`](crate::Error::NotPositiveDefinite)
    /// for a Q or P0 with a direction of no variance.
    pub fn gradient(&self, observations: &Sequence) -> Result<GaussianGradient> {
        let (statistics, log_evidence) = self.statistics(observations)?;
        let (start, initial_covariance) = statistics
            .initial
            .gradient("initial_covariance", self.initial_covariance())?;
        let (moves, process_noise) = statistics
            .transition
            .gradient("process_noise", self.process_noise())?;
        let (sees, observation_noise) = statistics
            .observation
            .gradient("observation_noise", self.observation_noise())?;
        let n = self.states();
        Ok(GaussianGradient {
            transition: moves.columns(0, n).into_owned(),
            bias: moves.column(n).into_owned(),
            process_noise,
            observation: sees.columns(0, n).into_owned(),
            offset: sees.column(n).into_owned(),
            observation_noise,
            initial_mean: start.column(0).into_owned(),
            initial_covariance,
            log_evidence,
        })
    }
}
