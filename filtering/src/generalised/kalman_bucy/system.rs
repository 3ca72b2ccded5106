//! The linear system in white noise: its Riccati flow, its steady state, and its samples.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::generalised::integrator::MatrixExponential;
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
    pub(super) fn weights(&self) -> Result<DMatrix<f64>> {
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
    pub(super) fn hamiltonian(&self) -> Result<DMatrix<f64>> {
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
pub(super) fn riccati(e: &DMatrix<f64>, p: &DMatrix<f64>) -> Result<DMatrix<f64>> {
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
