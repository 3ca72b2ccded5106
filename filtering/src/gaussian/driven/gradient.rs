//! ∇ ln p by the adjoint of the filter.

use nalgebra::{DMatrix, DVector};

use super::model::DrivenGaussian;
use crate::gaussian::GaussianGradient;
use crate::gaussian::adjoint::adjoint;
use crate::{Result, Sequence};

/// The gradient of ln p by the entries of the parameters; [`DrivenGaussian::gradient`].
#[derive(Debug, Clone, PartialEq)]
pub struct DrivenGradient {
    /// By those of the model without inputs; 0 by the entries of H that are inputs.
    pub base: GaussianGradient,
    /// By B `[n, M]`.
    pub control: DMatrix<f64>,
    /// By D `[m, M]`.
    pub direct: DMatrix<f64>,
}

impl DrivenGradient {
    pub(super) fn zero(model: &DrivenGaussian) -> Self {
        let inputs = model.effects();
        Self {
            base: GaussianGradient::zero(&model.base),
            control: DMatrix::zeros(model.states(), inputs),
            direct: DMatrix::zeros(model.outputs(), inputs),
        }
    }

    /// Adds the gradient of a sequence of rows (y_t, u_t): with the slopes of a row by b_t and d_t (eq. F52)
    ///
    /// ```text
    /// ∂B = Σ_t ∂b_t u_tᵀ,   ∂D = Σ_t ∂d_t u_tᵀ                                                            (F101)
    /// ```
    ///
    /// # Errors
    /// Those of rows, and of the adjoint.
    pub(super) fn add(&mut self, model: &DrivenGaussian, sequence: &Sequence) -> Result<()> {
        let m = model.outputs();
        let rows = model.rows(sequence)?;
        let mut own = Self::zero(model);
        let start = adjoint(&model.base, &rows, |t, slopes| {
            let given = sequence
                .get(t)
                .map_or(&[][..], |row| &row[m..m + model.effects()]);
            let u = DVector::from_column_slice(given).transpose();
            if let Some((_, b, _)) = &slopes.moves {
                own.control += b * &u;
            }
            if let Some((_, d, _)) = &slopes.sees {
                own.direct += d * &u;
            }
            own.base.add(slopes);
        })?;
        for r in &model.regressors {
            own.base.observation[(r.row, r.state)] = 0.0;
        }
        own.base.initial_mean = start.mean;
        own.base.initial_covariance = start.covariance;
        own.base.log_evidence = start.log_evidence;
        self.control += own.control;
        self.direct += own.direct;
        let before = std::mem::replace(&mut self.base, own.base);
        self.base = GaussianGradient::plus(self.base.clone(), before);
        Ok(())
    }
}

impl DrivenGaussian {
    /// The gradient of Σ ln p over sequences of rows (y_t, u_t) (eqs. F52, F101), in nats.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// // y = 0·u + noise of variance 2: ∂ ln p/∂D = Σ y u / 2.
    /// let noise = LinearGaussian::from_rows(&[[0.0]], &[[1.0]], &[[0.0]], &[[2.0]])?;
    /// let model = DrivenGaussian::new(noise, vec!["u".to_owned()])?;
    /// let rows = [Sequence::of_rows([[1.0, 3.0], [-2.0, 0.5]])?];
    /// assert!((model.gradient(&rows)?.direct[(0, 0)] - (3.0 - 1.0) / 2.0).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a diffuse start; as [`DrivenGaussian::log_evidence`].
    pub fn gradient(&self, sequences: &[Sequence]) -> Result<DrivenGradient> {
        let mut by = DrivenGradient::zero(self);
        sequences.iter().try_for_each(|s| by.add(self, s))?;
        Ok(by)
    }
}
