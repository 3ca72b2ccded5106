//! The filter while its belief is diffuse.

use nalgebra::{DMatrix, DVector};

use super::basis::DiffuseBasis;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::flat::{LN_2_PI, Plan};
use crate::gaussian::model::LinearGaussian;

/// N(m, P* + κ A Aᵀ), κ → ∞.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DiffuseBelief {
    pub mean: DVector<f64>,
    /// P* `[n, n]`.
    pub finite: DMatrix<f64>,
    pub basis: DiffuseBasis,
}

/// One number taken in: what the smoother goes back through.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    /// The row of H̃ `[n]`.
    pub h: DVector<f64>,
    /// ỹ.
    pub white: f64,
    /// K₀ = P∞h/F∞ `[n]`, where h saw a diffuse direction.
    pub infinite: Option<DVector<f64>>,
}

impl DiffuseBelief {
    /// The start of a model; proper where no state is diffuse.
    pub fn start(model: &LinearGaussian) -> Self {
        let marks = match model.diffuse() {
            [] => vec![false; model.states()],
            marks => marks.to_vec(),
        };
        Self {
            mean: model.initial_mean().clone(),
            finite: model.initial_covariance().clone(),
            basis: DiffuseBasis::new(&marks),
        }
    }

    /// F m + b, F P* Fᵀ + Q and F A.
    pub fn moved(&self, model: &LinearGaussian) -> Self {
        let f = model.transition();
        let mut basis = self.basis.clone();
        basis.transform(|i| (0..f.ncols()).map(move |j| (j, f[(i, j)])));
        let now = Gaussian {
            mean: self.mean.clone(),
            covariance: self.finite.clone(),
        };
        let next = model.next_state(&now);
        Self {
            mean: next.mean,
            finite: next.covariance,
            basis,
        }
    }

    /// Takes in the numbers of one observation (eq. F51), whitened by the plan of those that are seen. Returns
    /// ln p(y | before), without ½ ln 2π of the numbers that fixed a direction, and what was done.
    pub fn observe(&mut self, plan: &Plan, y: &[f64]) -> (f64, Vec<Taken>) {
        let n = self.mean.len();
        let mut all = Vec::with_capacity(plan.m);
        let mut log = -plan.log_norm();
        for r in 0..plan.m {
            let (h, white) = plan.whitened(r, y);
            let h = DVector::from_column_slice(h);
            let v = white - h.dot(&self.mean);
            let m = &self.finite * &h;
            let s = h.dot(&m) + 1.0;
            let mut gain = vec![0.0; n];
            let infinite = self
                .basis
                .take(h.as_slice(), &mut gain)
                .map(|infinite| (DVector::from_vec(gain), infinite));
            match &infinite {
                Some((k, infinite)) => {
                    self.mean += k * v;
                    self.finite += k * k.transpose() * s - &m * k.transpose() - k * m.transpose();
                    log += 0.5 * (LN_2_PI - infinite.ln());
                }
                None => {
                    let k = &m / s;
                    self.mean += &k * v;
                    // Joseph form: (I − k hᵀ) P* (I − k hᵀ)ᵀ + k kᵀ.
                    let left = DMatrix::identity(n, n) - &k * h.transpose();
                    self.finite = &left * &self.finite * left.transpose() + &k * k.transpose();
                    log -= 0.5 * (s.ln() + v * v / s);
                }
            }
            self.finite = crate::math::cholesky::symmetric(std::mem::take(&mut self.finite));
            all.push(Taken {
                h,
                white,
                infinite: infinite.map(|(k, _)| k),
            });
        }
        (log, all)
    }

    /// Whether no direction is left without a prior.
    pub fn is_proper(&self) -> bool {
        self.basis.rank() == 0
    }

    /// The belief with infinite variances where it has no prior; the mean says nothing there.
    pub fn shown(&self) -> Gaussian {
        let n = self.mean.len();
        let mut covariance = self.finite.clone();
        for i in 0..n {
            let unit: Vec<f64> = (0..n).map(|j| f64::from(u8::from(i == j))).collect();
            if self.basis.sees(&unit) {
                covariance[(i, i)] = f64::INFINITY;
            }
        }
        Gaussian {
            mean: self.mean.clone(),
            covariance,
        }
    }

    /// The belief about H x + d, with infinite variances where it has no prior; the noise of y not counted.
    pub fn signal(&self, model: &LinearGaussian) -> Gaussian {
        let h = model.observation();
        let mut covariance = h * &self.finite * h.transpose();
        for (i, row) in h.row_iter().enumerate() {
            let row: Vec<f64> = row.iter().copied().collect();
            if self.basis.sees(&row) {
                covariance[(i, i)] = f64::INFINITY;
            }
        }
        Gaussian {
            mean: h * &self.mean + model.offset(),
            covariance,
        }
    }
}
