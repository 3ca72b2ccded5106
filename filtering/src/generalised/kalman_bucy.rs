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

pub use snapshot::KalmanBucySnapshot;

use super::integrator::MatrixExponential;
use super::model::stacked::finite;
use crate::sequence::check_row;
use crate::{Error, Result};

/// A linear system in white noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhiteNoiseSystem {
    /// A `[n, n]`.
    pub motion: DMatrix<f64>,
    /// C `[m, n]`.
    pub output: DMatrix<f64>,
    /// Q `[n, n]`, spectral density of the motion's noise.
    pub motion_noise: DMatrix<f64>,
    /// R `[m, m]`, spectral density of the output's noise.
    pub output_noise: DMatrix<f64>,
}

/// The steady covariance has settled when a step changes it by less than this, relatively.
const SETTLED: f64 = 1e-15;
/// Steps after which a covariance that still changes is said to have no steady value.
const PATIENCE: usize = 100_000;

impl WhiteNoiseSystem {
    /// Checks sizes and that R is positive definite; gives CᵀR⁻¹ `[n, m]`.
    fn weights(&self) -> Result<DMatrix<f64>> {
        let (n, m) = (self.motion.nrows(), self.output.nrows());
        for (name, matrix, shape) in [
            ("motion", &self.motion, (n, n)),
            ("output", &self.output, (m, n)),
            ("motion_noise", &self.motion_noise, (n, n)),
            ("output_noise", &self.output_noise, (m, m)),
        ] {
            if matrix.shape() != shape {
                let found = format!("{:?}", matrix.shape());
                return Err(Error::size(name, found, format!("{shape:?}")));
            }
            if let Some(v) = matrix.iter().find(|v| !v.is_finite()) {
                return Err(Error::entry(name, &[], v, "finite numbers"));
            }
        }
        let factor = self.output_noise.clone().cholesky();
        let factor = factor.ok_or_else(|| Error::NotPositiveDefinite {
            name: "output_noise".to_owned(),
            pivot: 0,
            value: self.output_noise.diagonal().min(),
        })?;
        Ok(factor.solve(&self.output).transpose())
    }

    /// M `[2n, 2n]`.
    fn hamiltonian(&self) -> Result<DMatrix<f64>> {
        let n = self.motion.nrows();
        let information = self.weights()? * &self.output;
        let mut m = DMatrix::zeros(2 * n, 2 * n);
        m.view_mut((0, 0), (n, n)).copy_from(&self.motion);
        m.view_mut((0, n), (n, n)).copy_from(&self.motion_noise);
        m.view_mut((n, 0), (n, n)).copy_from(&information);
        m.view_mut((n, n), (n, n))
            .copy_from(&-self.motion.transpose());
        Ok(m)
    }

    /// P after a time `dt` from `covariance` `[n, n]`.
    ///
    /// # Errors
    /// A wrong size, an R that is not positive definite, a covariance that has left the range of numbers.
    pub fn covariance_after(&self, covariance: &DMatrix<f64>, dt: f64) -> Result<DMatrix<f64>> {
        let n = self.motion.nrows();
        let e = MatrixExponential::new(2 * n)
            .exp(&self.hamiltonian()?, dt)
            .clone();
        riccati(&e, covariance)
    }

    /// The covariance at which P stays, `A P + P Aᵀ + Q = P CᵀR⁻¹C P`.
    ///
    /// # Errors
    /// As [`WhiteNoiseSystem::covariance_after`]; [`Error::Unsupported`] for a system whose covariance grows for
    /// ever: a direction that is unstable and not seen.
    pub fn steady_covariance(&self) -> Result<DMatrix<f64>> {
        let n = self.motion.nrows();
        let hamiltonian = self.hamiltonian()?;
        // Over a time of this length X and Y stay in range, and P converges at the rate of the filter.
        let dt = 2.0 / hamiltonian.norm().max(1e-300);
        let e = MatrixExponential::new(2 * n).exp(&hamiltonian, dt).clone();
        let mut p = DMatrix::identity(n, n);
        let mut change = f64::INFINITY;
        for _ in 0..PATIENCE {
            let next = riccati(&e, &p)?;
            let moved = (&next - &p).norm() / next.norm().max(1e-300);
            p = next;
            // Rounding keeps it moving a little: it has settled when it moves no less than before.
            if moved < SETTLED || (moved < 1e-13 && moved >= change) {
                return Ok(p);
            }
            change = moved;
        }
        Err(Error::Unsupported {
            what: "a white-noise system".to_owned(),
            asked: "settle at a steady covariance",
            why: "its covariance keeps changing; is every unstable direction seen?",
        })
    }

    /// The gain P CᵀR⁻¹ `[n, m]` at a covariance.
    ///
    /// # Errors
    /// A wrong size, or an R that is not positive definite.
    pub fn gain(&self, covariance: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        Ok(covariance * self.weights()?)
    }

    /// The exact discrete system over steps Δ: (F, Q_Δ, R_Δ) with F = e^{AΔ}, Q_Δ = ∫_0^Δ e^{Ar} Q e^{Aᵀr} dr and
    /// R_Δ = R/Δ (Van Loan 1978).
    pub fn sampled(&self, dt: f64) -> (DMatrix<f64>, DMatrix<f64>, DMatrix<f64>) {
        let n = self.motion.nrows();
        let mut m = DMatrix::zeros(2 * n, 2 * n);
        m.view_mut((0, 0), (n, n)).copy_from(&-&self.motion);
        m.view_mut((0, n), (n, n)).copy_from(&self.motion_noise);
        m.view_mut((n, n), (n, n))
            .copy_from(&self.motion.transpose());
        let e = MatrixExponential::new(2 * n).exp(&m, dt).clone();
        let f = e.view((n, n), (n, n)).transpose();
        let q = &f * e.view((0, n), (n, n));
        let q = (&q + q.transpose()) * 0.5;
        (f, q, &self.output_noise / dt)
    }
}

/// P = X Y⁻¹ for (X, Y) = e (P, I), made symmetric.
fn riccati(e: &DMatrix<f64>, p: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let n = p.nrows();
    let x = e.view((0, 0), (n, n)) * p + e.view((0, n), (n, n));
    let y = e.view((n, 0), (n, n)) * p + e.view((n, n), (n, n));
    // P = X Y⁻¹ is symmetric, so Yᵀ P = Xᵀ.
    let solved = y.transpose().lu().solve(&x.transpose());
    let p = solved.ok_or(Error::NotFinite {
        index: 0,
        what: "the covariance",
        found: f64::NAN,
    })?;
    match p.iter().find(|v| !v.is_finite()) {
        None => Ok((&p + p.transpose()) * 0.5),
        Some(&found) => Err(Error::NotFinite {
            index: 0,
            what: "the covariance",
            found,
        }),
    }
}

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
            return Err(Error::setting("dt", dt, "a positive time"));
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

/// One step of the discrete Kalman filter of a sampled system, for comparison: from the belief (m, P) before y
/// `[m]` to the belief after it and then one step ahead.
///
/// Returns the mean and covariance given y, those predicted for the next sample, and ln p(y | the past).
///
/// # Errors
/// [`Error::NotPositiveDefinite`] for a covariance of y that is not.
#[allow(clippy::type_complexity)]
pub fn sampled_kalman_step(
    (f, q, r): &(DMatrix<f64>, DMatrix<f64>, DMatrix<f64>),
    output: &DMatrix<f64>,
    (mean, covariance): (&DVector<f64>, &DMatrix<f64>),
    y: &DVector<f64>,
) -> Result<(
    (DVector<f64>, DMatrix<f64>),
    (DVector<f64>, DMatrix<f64>),
    f64,
)> {
    let innovation = y - output * mean;
    let spread = output * covariance * output.transpose() + r;
    let lowest = spread.diagonal().min();
    let factor = spread.cholesky().ok_or(Error::NotPositiveDefinite {
        name: "covariance of y".to_owned(),
        pivot: 0,
        value: lowest,
    })?;
    let gain = factor.solve(&(output * covariance)).transpose();
    let m = mean + &gain * &innovation;
    let keep = DMatrix::identity(mean.len(), mean.len()) - &gain * output;
    // Joseph's form stays symmetric and positive.
    let p = &keep * covariance * keep.transpose() + &gain * r * gain.transpose();
    let log_det: f64 = factor
        .l_dirty()
        .diagonal()
        .iter()
        .map(|d| 2.0 * libm::log(*d))
        .sum();
    let distance = innovation.dot(&factor.solve(&innovation));
    let ln_2pi = libm::log(2.0 * std::f64::consts::PI);
    let log_p = -0.5 * (distance + log_det + ln_2pi * y.len() as f64);
    let ahead = (f * &m, f * &p * f.transpose() + q);
    Ok(((m, p), ahead, log_p))
}
