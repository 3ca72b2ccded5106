//! The recursion (eq. F3) of the backward value, for any kernels, and its optimum.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::belief::{Gaussian, entropy};
use super::flat::LN_2_PI;
use super::kernel::GaussianKernel;
use super::matrices::{check_covariance, check_vector, matrix, rows};
use super::model::LinearGaussian;
use crate::math::cholesky::{cholesky, inverse, log_det, quadratic, symmetric, trace_of_product};
use crate::sequence::check_partial_row;
use crate::{Error, Result};

/// W_t(x) = −½ xᵀΛx + hᵀx + c, Λ `[n, n]`, h `[n]`, in nats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Value {
    pub(crate) precision: DMatrix<f64>,
    pub(crate) linear: DVector<f64>,
    pub(crate) constant: f64,
}

impl Value {
    /// Λ `[n, n]`.
    pub fn precision(&self) -> &DMatrix<f64> {
        &self.precision
    }

    /// h `[n]`.
    pub fn linear(&self) -> &DVector<f64> {
        &self.linear
    }

    /// c.
    pub fn constant(&self) -> f64 {
        self.constant
    }

    /// `L_t = E_q[W_t] + H[q]` for a belief q = N(μ, Σ):
    /// −½(μᵀΛμ + tr(ΛΣ)) + hᵀμ + c + ½ ln|2πe Σ|.
    ///
    /// # Errors
    /// [`Error::Size`] for a belief of another size, [`Error::NotPositiveDefinite`] for one with a
    /// direction of no variance.
    pub fn elbo(&self, belief: &Gaussian) -> Result<f64> {
        check_size("belief", belief.states(), self.linear.len())?;
        let energy = quadratic(&self.precision, &belief.mean)
            + trace_of_product(&self.precision, &belief.covariance);
        Ok(-0.5 * energy
            + self.linear.dot(&belief.mean)
            + self.constant
            + entropy("covariance of the belief", &belief.covariance)?)
    }

    /// The belief q_t ∝ e^{W_t} that makes the bound largest: Σ = Λ⁻¹, μ = Λ⁻¹h.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a Λ that is not positive definite.
    pub fn optimum(&self) -> Result<Gaussian> {
        let factor = cholesky("precision of the value", &self.precision)?;
        Ok(Gaussian {
            mean: factor.solve(&self.linear),
            covariance: inverse(&factor),
        })
    }
}

/// The recursion (eq. F3) of one model, with the inverses it needs taken once.
///
/// ```
/// use scotopic_filtering::gaussian::{LinearGaussian, ValueRecursion};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let walk = LinearGaussian::from_rows(&[[0.9]], &[[0.1]], &[[1.0]], &[[1.0]])?;
/// let recursion = ValueRecursion::new(&walk)?;
/// let first = recursion.start(Some(&[0.5]))?;
/// let kernel = recursion.optimal_kernel(&first)?;
/// let second = recursion.advance(&first, &kernel, Some(&[0.2]))?;
/// let bound = second.elbo(&second.optimum()?)?;
/// let data = scotopic_filtering::Sequence::of_numbers([0.5, 0.2])?;
/// assert!((bound - walk.log_evidence(&data)?).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRecursion {
    pub(crate) model: LinearGaussian,
    start: Value,
    /// Q⁻¹ `[n, n]`.
    pub(crate) q_inverse: DMatrix<f64>,
    /// Fᵀ Q⁻¹ `[n, n]`.
    pub(crate) f_q: DMatrix<f64>,
    /// Fᵀ Q⁻¹ F `[n, n]`.
    pub(crate) f_q_f: DMatrix<f64>,
    /// ½ ln|2πQ|.
    q_norm: f64,
    whole: Information,
}

/// What an observation says of the state: of one with missing entries, rows and columns of these are zero.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Information {
    /// R⁻¹ `[m, m]`.
    r_inverse: DMatrix<f64>,
    /// Hᵀ R⁻¹ `[n, m]`.
    h_r: DMatrix<f64>,
    /// Hᵀ R⁻¹ H `[n, n]`.
    pub h_r_h: DMatrix<f64>,
    /// ½ ln|2πR|.
    r_norm: f64,
}

impl Information {
    /// Of the entries `seen`.
    fn new(model: &LinearGaussian, seen: &[usize]) -> Result<Self> {
        let (h, r) = (model.observation(), model.observation_noise());
        let (n, m) = (model.states(), model.width());
        let factor = cholesky(
            "observation_noise",
            &r.select_rows(seen).select_columns(seen),
        )?;
        let (own, h_own) = (inverse(&factor), h.select_rows(seen));
        let h_r_own = h_own.transpose() * &own;
        let (mut r_inverse, mut h_r) = (DMatrix::zeros(m, m), DMatrix::zeros(n, m));
        for (k, &i) in seen.iter().enumerate() {
            h_r.set_column(i, &h_r_own.column(k));
            for (l, &j) in seen.iter().enumerate() {
                r_inverse[(i, j)] = own[(k, l)];
            }
        }
        Ok(Self {
            h_r_h: symmetric(&h_r_own * h_own),
            h_r,
            r_inverse,
            r_norm: 0.5 * (seen.len() as f64 * LN_2_PI + log_det(&factor)),
        })
    }
}

impl ValueRecursion {
    /// The recursion of `model`.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a P0 or Q with a direction of no variance.
    pub fn new(model: &LinearGaussian) -> Result<Self> {
        model.check_proper("the value recursion", "begin")?;
        let n = model.states() as f64;
        let f = model.transition();
        let p0 = cholesky("initial_covariance", model.initial_covariance())?;
        let q = cholesky("process_noise", model.process_noise())?;
        let norm = |size: f64, log_det: f64| 0.5 * (size * LN_2_PI + log_det);
        let p0_inverse = inverse(&p0);
        let q_inverse = inverse(&q);
        let linear = p0.solve(model.initial_mean());
        let f_q = f.transpose() * &q_inverse;
        let all: Vec<usize> = (0..model.width()).collect();
        Ok(Self {
            start: Value {
                constant: -0.5 * model.initial_mean().dot(&linear) - norm(n, log_det(&p0)),
                precision: p0_inverse,
                linear,
            },
            f_q_f: symmetric(&f_q * f),
            f_q,
            q_inverse,
            q_norm: norm(n, log_det(&q)),
            whole: Information::new(model, &all)?,
            model: model.clone(),
        })
    }

    /// The model.
    pub fn model(&self) -> &LinearGaussian {
        &self.model
    }

    /// W_1(x) = ln p(x) + ln p(y_1|x); `y` `[m]`, `None` for a missing observation, NaN for a
    /// missing entry.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of a wrong width or an infinite entry.
    pub fn start(&self, y: Option<&[f64]>) -> Result<Value> {
        self.observe(self.start.clone(), y)
    }

    /// W_t from W_{t−1} by a kernel b_t = N(E x + f, L), optimal or not. With D = I − F E, e = F f + b,
    ///
    /// ```text
    /// Λ_t = EᵀΛE + DᵀQ⁻¹D + HᵀR⁻¹H
    /// h_t = Eᵀ(h − Λf) + DᵀQ⁻¹e + HᵀR⁻¹(y − d)
    /// c_t = c + hᵀf − ½fᵀΛf − ½tr(ΛL) − ½eᵀQ⁻¹e − ½tr(FᵀQ⁻¹F L) − ½ln|2πQ| + ½ln|2πe L|
    ///         − ½(y − d)ᵀR⁻¹(y − d) − ½ln|2πR|.
    /// ```
    ///
    /// # Errors
    /// [`Error::Observation`] as for [`ValueRecursion::start`]; [`Error::Size`] for a kernel or value of
    /// another size; [`Error::NotPositiveDefinite`] for an L with a direction of no variance.
    pub fn advance(
        &self,
        value: &Value,
        kernel: &GaussianKernel,
        y: Option<&[f64]>,
    ) -> Result<Value> {
        let n = self.model.states();
        check_size("value", value.linear.len(), n)?;
        check_size("kernel", kernel.offset.len(), n)?;
        let (gain, offset, spread) = (&kernel.gain, &kernel.offset, &kernel.covariance);
        let f = self.model.transition();
        // x − F x' − b = D x − e − F ε. The sign of e is the one of the formula above.
        let left = DMatrix::identity(n, n) - f * gain;
        let right = f * offset + self.model.bias();
        let left_q = left.transpose() * &self.q_inverse;
        let bent = &value.precision * offset;
        let precision = gain.transpose() * &value.precision * gain + &left_q * &left;
        let linear = gain.transpose() * (&value.linear - &bent) + &left_q * &right;
        let constant = value.constant + value.linear.dot(offset)
            - 0.5 * offset.dot(&bent)
            - 0.5 * trace_of_product(&value.precision, spread)
            - 0.5 * quadratic(&self.q_inverse, &right)
            - 0.5 * trace_of_product(&self.f_q_f, spread)
            - self.q_norm
            + entropy("covariance of the kernel", spread)?;
        let precision = symmetric(precision);
        self.observe(
            Value {
                precision,
                linear,
                constant,
            },
            y,
        )
    }

    /// Adds ln p(y|x).
    fn observe(&self, mut value: Value, y: Option<&[f64]>) -> Result<Value> {
        let Some(y) = y else { return Ok(value) };
        check_partial_row(y, self.model.width())?;
        let seen = self.seen(y)?;
        let d = self.model.offset();
        let y = DVector::from_fn(
            y.len(),
            |i, _| if y[i].is_nan() { 0.0 } else { y[i] - d[i] },
        );
        value.precision += &seen.h_r_h;
        value.linear += &seen.h_r * &y;
        value.constant -= 0.5 * quadratic(&seen.r_inverse, &y) + seen.r_norm;
        Ok(value)
    }

    /// What the entries of an observation that are not NaN say.
    pub(crate) fn seen(&self, y: &[f64]) -> Result<Cow<'_, Information>> {
        if !y.iter().any(|v| v.is_nan()) {
            return Ok(Cow::Borrowed(&self.whole));
        }
        let seen: Vec<usize> = (0..y.len()).filter(|&i| !y[i].is_nan()).collect();
        Information::new(&self.model, &seen).map(Cow::Owned)
    }

    /// The kernel that makes W_t largest everywhere, given W_{t−1} (eq. F6):
    /// L = (Λ + FᵀQ⁻¹F)⁻¹, E = L FᵀQ⁻¹, f = L (h − FᵀQ⁻¹ b).
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a Λ + FᵀQ⁻¹F that is not positive definite, which no recursion
    /// reaches from a valid model.
    pub fn optimal_kernel(&self, value: &Value) -> Result<GaussianKernel> {
        check_size("value", value.linear.len(), self.model.states())?;
        let factor = cholesky(
            "precision of the value before a transition",
            &(&value.precision + &self.f_q_f),
        )?;
        Ok(GaussianKernel {
            gain: factor.solve(&self.f_q),
            offset: factor.solve(&(&value.linear - &self.f_q * self.model.bias())),
            covariance: inverse(&factor),
        })
    }

    /// The means (α of x_{t−1}, μ of x_t) that are best together, given W_{t−1} and the observation: those
    /// of the optimal step. Every family of Gaussian factors with free means has them.
    pub(crate) fn best_means(
        &self,
        value: &Value,
        y: Option<&[f64]>,
    ) -> Result<(DVector<f64>, DVector<f64>)> {
        let kernel = self.optimal_kernel(value)?;
        let mean = self.advance(value, &kernel, y)?.optimum()?.mean;
        Ok((&kernel.gain * &mean + &kernel.offset, mean))
    }
}

fn check_size(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::size(name, found, format!("{expected} states")))
}

/// The form of a value in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    precision: Vec<Vec<f64>>,
    linear: Vec<f64>,
    constant: f64,
}

impl TryFrom<Parts> for Value {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let linear: DVector<f64> = parts.linear.into();
        check_vector("linear", &linear, linear.len())?;
        let constant = parts.constant;
        if !constant.is_finite() {
            return Err(Error::entry("constant", &[], constant, "a finite number"));
        }
        let precision = matrix("precision", &parts.precision)?;
        Ok(Self {
            precision: check_covariance("precision", precision, linear.len())?,
            linear,
            constant,
        })
    }
}

impl From<Value> for Parts {
    fn from(value: Value) -> Self {
        Self {
            precision: rows(&value.precision),
            linear: value.linear.as_slice().to_vec(),
            constant: value.constant,
        }
    }
}
