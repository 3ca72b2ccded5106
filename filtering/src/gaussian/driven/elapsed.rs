//! The transition over the time between two rows of a model of continuous time.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::gaussian::LinearGaussian;
use crate::generalised::MatrixExponential;
use crate::math::binary::{exponent, power_of_two};
use crate::math::cholesky::symmetric;
use crate::{Error, Result};

/// e^{AΔ}, ∫₀^Δ e^{As} ds and the covariance that comes in over Δ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Elapsed {
    pub transition: DMatrix<f64>,
    pub integral: DMatrix<f64>,
    pub noise: DMatrix<f64>,
}

impl Elapsed {
    /// The exact transition over Δ ≥ 0 of dx = A x dt + dW, Cov dW = Q_c dt, by matrix exponentials (C. F. Van Loan, "Computing
    /// integrals involving the matrix exponential", 1978) of a step h = Δ/2ᵏ that A moves little, doubled k times:
    ///
    /// ```text
    /// exp(h [−A Q_c; 0 Aᵀ]) = [· X; 0 Y],   F = Yᵀ,   Q = YᵀX,     exp(h [A I; 0 0]) = [F J; 0 I]
    /// Q ← Q + F Q Fᵀ,   J ← J + F J,   F ← F F                                                              (F103)
    /// ```
    ///
    /// so that e^{−AΔ} of a fast decay is never formed. k follows from A alone: Q_c is taken in a power of two of its own size, in
    /// whatever units it is.
    pub fn over(a: &DMatrix<f64>, diffusion: &DMatrix<f64>, time: f64) -> Self {
        let n = a.nrows();
        let norm = a.column_iter().map(|c| c.lp_norm(1)).fold(0.0, f64::max);
        let (mut h, mut doublings) = (time, 0);
        while (norm * h).is_finite() && norm * h > 0.5 {
            h *= 0.5;
            doublings += 1;
        }
        let (unit, back) = unit_of(diffusion, h);
        let mut exponential = MatrixExponential::new(2 * n);
        let mut block = DMatrix::zeros(2 * n, 2 * n);
        block.view_mut((0, 0), (n, n)).copy_from(&-a);
        block
            .view_mut((0, n), (n, n))
            .copy_from(&(diffusion * unit));
        block.view_mut((n, n), (n, n)).copy_from(&a.transpose());
        let whole = exponential.exp(&block, h);
        let mut f = whole.view((n, n), (n, n)).transpose();
        let mut q = symmetric(&f * whole.view((0, n), (n, n))) * back;
        block.fill(0.0);
        block.view_mut((0, 0), (n, n)).copy_from(a);
        block.view_mut((0, n), (n, n)).fill_with_identity();
        let mut j = exponential.exp(&block, h).view((0, n), (n, n)).into_owned();
        for _ in 0..doublings {
            q = symmetric(&q + &f * &q * f.transpose());
            j = &j + &f * &j;
            f = &f * &f;
        }
        Self {
            transition: f,
            integral: j,
            noise: q,
        }
    }
}

/// Mean and covariance of the stationary distribution of dx = (A x + b) dt + dW, if A has one: those of the transition over a time in
/// which A moves the state.
pub(in crate::gaussian) fn stationary_of_rates(
    rates: &LinearGaussian,
) -> Option<(DVector<f64>, DMatrix<f64>)> {
    let size = rates.transition().amax();
    let time = if size > 0.0 { 1.0 / size } else { 1.0 };
    let over = Elapsed::over(rates.transition(), rates.process_noise(), time);
    let bias = &over.integral * rates.bias();
    rates
        .with_dynamics(over.transition, bias, over.noise)
        .stationary()
}

/// 2ᵉ and 2^−e for which the largest sum of a column of 2ᵉ h Q_c lies from 1/16 to 1/8: less than what A, which moves the state by at
/// most ½, adds to the norm of the whole.
fn unit_of(diffusion: &DMatrix<f64>, h: f64) -> (f64, f64) {
    const BELOW: i32 = 4;
    let sums = diffusion.column_iter().map(|c| c.lp_norm(1));
    let size = sums.fold(0.0, f64::max) * h;
    match size.is_normal() {
        true => {
            let e = (-BELOW - exponent(size)).clamp(-1000, 1000);
            (power_of_two(e), power_of_two(-e))
        }
        false => (1.0, 1.0),
    }
}

/// The time of the newest row, and the transition over the last interval, which often is the next one as well.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    pub now: Option<f64>,
    #[serde(skip)]
    kept: Option<(f64, Elapsed)>,
}

impl Clock {
    /// The system of a row at `time`, its entry number `entry`, with the rates of `base` and what inputs add to b_t already in
    /// `rate` (eq. F102).
    ///
    /// # Errors
    /// [`Error::Observation`] for a time before that of the row before.
    pub fn system(
        &mut self,
        base: &LinearGaussian,
        (entry, time): (usize, f64),
        rate: &DVector<f64>,
    ) -> Result<LinearGaussian> {
        let before = self.now.unwrap_or(time);
        let interval = time - before;
        if interval < 0.0 || !interval.is_finite() {
            let expected = format!("a time of {before} or after: sort the rows");
            return Err(Error::observation(entry, time, expected));
        }
        self.now = Some(time);
        let kept = self.kept.take().filter(|(own, _)| *own == interval);
        let (_, over) = self.kept.insert(kept.unwrap_or_else(|| {
            let over = Elapsed::over(base.transition(), base.process_noise(), interval);
            (interval, over)
        }));
        Ok(base.with_dynamics(
            over.transition.clone(),
            &over.integral * rate,
            over.noise.clone(),
        ))
    }
}
