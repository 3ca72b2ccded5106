//! The exact filter of a linear system in white noise, in continuous and in discrete time.
//!
//! ```text
//! dx = A x dt + dB,  cov(dB) = Q dt;        y = C x + ν,  spectral density R (a sample over Δ has variance R/Δ)
//!
//! x̂̇ = A x̂ + P Cᵀ R⁻¹ (y − C x̂)            Ṗ = A P + P Aᵀ + Q − P Cᵀ R⁻¹ C P
//! ```
//!
//! (Kalman and Bucy 1961.) With y held constant over a step both follow from one exponential: for
//!
//! ```text
//! M = [ A        Q  ]        Ẋ = A X + Q Y,   Ẏ = CᵀR⁻¹C X − Aᵀ Y,   X(0) = P, Y(0) = I:   P(t) = X Y⁻¹
//!     [ CᵀR⁻¹C  −Aᵀ ]        ξ̇ = A ξ + Q λ,   λ̇ = CᵀR⁻¹(C ξ − y) − Aᵀ λ,   ξ(0) = x̂, λ(0) = 0:   x̂(t) = ξ − P λ
//! ```
//!
//! so nothing is discretised but y.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

mod snapshot;
mod system;

pub use snapshot::KalmanBucySnapshot;
pub use system::{WhiteNoiseSystem, sampled_kalman_step};

use self::system::riccati;
use super::integrator::MatrixExponential;
use super::model::stacked::finite;
use crate::sequence::check_row;
use crate::{Belief, Error, Filter, Moments, PredictedObservation, Result, Step};

/// How the covariance of a [`KalmanBucy`] filter moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CovarianceMode {
    /// With the Riccati equation.
    #[default]
    Riccati,
    /// It stays at its steady value.
    Steady,
}

/// The Kalman–Bucy filter, one held sample at a time.
///
/// ```
/// use scotopic_filtering::generalised::{CovarianceMode, KalmanBucy, WhiteNoiseSystem};
/// use scotopic_filtering::nalgebra::DMatrix;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let scalar = |value| DMatrix::from_element(1, 1, value);
/// let system = WhiteNoiseSystem {
///     motion: scalar(-0.5),
///     output: scalar(1.0),
///     motion_noise: scalar(0.4),
///     output_noise: scalar(0.1),
/// };
/// let mut filter = KalmanBucy::new(system, 0.05, CovarianceMode::Steady)?;
/// filter.update(&[1.0])?;
/// assert!((filter.covariance()[(0, 0)] - 0.15615528128088).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "KalmanBucySnapshot", into = "KalmanBucySnapshot")]
pub struct KalmanBucy {
    system: WhiteNoiseSystem,
    dt: f64,
    covariance_mode: CovarianceMode,
    /// exp(M Δ), and the response of (ξ, λ) to a constant y.
    exponential: DMatrix<f64>,
    response: DMatrix<f64>,
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
    seen: u64,
}

impl KalmanBucy {
    /// A filter with mean 0 and covariance I (or the steady one) over steps `dt`.
    ///
    /// # Errors
    /// As [`WhiteNoiseSystem::steady_covariance`]; [`Error::Setting`] for a step that is not positive.
    pub fn new(system: WhiteNoiseSystem, dt: f64, covariance_mode: CovarianceMode) -> Result<Self> {
        if !(dt > 0.0 && dt.is_finite()) {
            return Err(Error::setting("step", dt, "a positive time"));
        }
        let n = system.motion.nrows();
        let weights = system.weights()?;
        let m = weights.ncols();
        // (ξ, λ, y): y stays.
        let mut whole = DMatrix::zeros(2 * n + m, 2 * n + m);
        let covariance = match covariance_mode {
            CovarianceMode::Riccati => {
                let hamiltonian = system.hamiltonian()?;
                whole
                    .view_mut((0, 0), (2 * n, 2 * n))
                    .copy_from(&hamiltonian);
                whole.view_mut((n, 2 * n), (n, m)).copy_from(&-weights);
                DMatrix::identity(n, n)
            }
            // x̂̇ = (A − G C) x̂ + G y
            CovarianceMode::Steady => {
                let p = system.steady_covariance()?;
                let g = &p * weights;
                let closed = &system.motion - &g * &system.output;
                whole.view_mut((0, 0), (n, n)).copy_from(&closed);
                whole.view_mut((0, 2 * n), (n, m)).copy_from(&g);
                p
            }
        };
        let e = MatrixExponential::new(whole.nrows())
            .exp(&whole, dt)
            .clone();
        Ok(Self {
            exponential: e.view((0, 0), (2 * n, 2 * n)).into_owned(),
            response: e.view((0, 2 * n), (2 * n, m)).into_owned(),
            mean: DVector::zeros(n),
            covariance,
            system,
            dt,
            covariance_mode,
            seen: 0,
        })
    }

    /// Moves the belief over one step Δ during which y `[m]` was seen.
    ///
    /// # Errors
    /// A y of the wrong width or not finite; a covariance out of range. The filter is as it was then.
    pub fn update(&mut self, y: &[f64]) -> Result<()> {
        let n = self.mean.len();
        let at = |e: Error| e.at_observation(self.seen);
        check_row(y, self.response.ncols()).map_err(at)?;
        let y = DVector::from_column_slice(y);
        let moved = self.exponential.columns(0, n) * &self.mean + &self.response * y;
        let x = moved.rows(0, n).into_owned();
        match self.covariance_mode {
            CovarianceMode::Steady => self.mean = x,
            CovarianceMode::Riccati => {
                let p = riccati(&self.exponential, &self.covariance).map_err(at)?;
                self.mean = x - &p * moved.rows(n, n);
                self.covariance = p;
            }
        }
        self.seen += 1;
        Ok(())
    }

    /// Moves the belief over one step Δ during which nothing was seen: x̂̇ = A x̂, Ṗ = A P + P Aᵀ + Q. With a steady gain P
    /// stays what it is.
    ///
    /// # Errors
    /// A belief out of range. The filter is as it was then.
    pub fn update_missing(&mut self) -> Result<()> {
        let (f, q, _) = self.system.sampled(self.dt);
        let mean = &f * &self.mean;
        let covariance = match self.covariance_mode {
            CovarianceMode::Steady => self.covariance.clone(),
            CovarianceMode::Riccati => &f * &self.covariance * f.transpose() + q,
        };
        finite("the mean", mean.as_slice())
            .and(finite("the covariance", covariance.as_slice()))
            .map_err(|e| e.at_observation(self.seen))?;
        (self.mean, self.covariance) = (mean, covariance);
        self.seen += 1;
        Ok(())
    }

    /// x̂ at the end of the last step `[n]`.
    pub fn mean(&self) -> &[f64] {
        self.mean.as_slice()
    }

    /// P at the end of the last step `[n, n]`.
    pub fn covariance(&self) -> &DMatrix<f64> {
        &self.covariance
    }

    /// The system.
    pub fn system(&self) -> &WhiteNoiseSystem {
        &self.system
    }

    /// Δ.
    pub fn step(&self) -> f64 {
        self.dt
    }
}

/// It bounds no evidence: that of a path in continuous time is a ratio to pure noise.
impl Filter for KalmanBucy {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        match observation {
            Some(y) => Self::update(self, y)?,
            None => self.update_missing()?,
        }
        Ok(Step::NO_EVIDENCE)
    }

    fn belief(&self) -> Belief<'_> {
        Belief::normal(self.mean.as_slice(), self.covariance.as_slice())
    }

    fn elbo(&self) -> f64 {
        f64::NAN
    }

    fn observations(&self) -> u64 {
        self.seen
    }

    fn width(&self) -> usize {
        self.response.ncols()
    }

    /// Of a sample held over the next Δ, with the state as it is at its beginning: C x̂ and diag(C P Cᵀ + R/Δ).
    fn predicted_observation(&self) -> Result<PredictedObservation> {
        let mut moments = self.signal();
        let noise = self.system.output_noise.diagonal() / self.dt;
        for (v, r) in moments.variance.iter_mut().zip(noise.iter()) {
            *v += r;
        }
        Ok(PredictedObservation::Numbers(moments))
    }

    fn signal(&self) -> Moments {
        let output = self.system.output.transpose();
        let rows = output.as_slice().chunks_exact(self.mean.len().max(1));
        let (mean, covariance) = (self.mean.as_slice(), self.covariance.as_slice());
        Moments::linear(rows.map(|row| (row, 0.0)), mean, covariance)
    }
}
