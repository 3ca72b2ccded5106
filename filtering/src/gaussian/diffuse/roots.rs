//! Smoothed beliefs by square roots: sums of squares throughout, no covariance is subtracted. A coefficient that all rows determine
//! together, and the first rows hardly, has a mean and a variance that differences of covariances know to half of their digits at best: that of
//! a regressor of a million and a little more or less beside a level, to none.

use nalgebra::{DMatrix, DVector};

use super::basis::DiffuseBasis;
use super::belief::Taken;
use super::unseen::Unseen;
use crate::Result;
use crate::gaussian::model::LinearGaussian;
use crate::math::cholesky::{semidefinite_root, symmetric};

/// S `[n, ≤ n]` with P* = S Sᵀ of the beliefs forward.
#[derive(Debug, Clone)]
pub(super) struct Root(DMatrix<f64>);

impl Root {
    pub fn start(model: &LinearGaussian) -> Result<Self> {
        let covariance = model.initial_covariance();
        Ok(Self(noisy(semidefinite_root(
            "initial_covariance",
            covariance,
        )?)))
    }

    /// [F S, G], where Q = G Gᵀ.
    pub fn moved(&self, f: &DMatrix<f64>, g: &DMatrix<f64>) -> Self {
        Self(narrowed(beside(&(f * &self.0), g)))
    }

    /// Takes in one number of unit noise: by the factor of J. E. Potter (1963), or where it fixed a direction [(I − K₀hᵀ)S, K₀]; `mean`
    /// moves by the gain of this root, in whose digits it is consistent with what is said ahead.
    pub fn observe(&mut self, taken: &Taken, mean: &mut DVector<f64>) {
        let along = self.0.tr_mul(&taken.h);
        let v = taken.white - taken.h.dot(mean);
        match &taken.infinite {
            None => {
                let s = 1.0 + along.dot(&along);
                let gain = &self.0 * &along;
                *mean += &gain * (v / s);
                self.0 -= gain * along.transpose() / (s + s.sqrt());
            }
            Some(k) => {
                *mean += k * v;
                let left = &self.0 - k * along.transpose();
                let k = DMatrix::from_column_slice(k.len(), 1, k.as_slice());
                self.0 = narrowed(beside(&left, &k));
            }
        }
    }
}

/// W and z, side by side `[k, n + 1]`: what the observations from a row on say of its state x, of which m was predicted, is
/// −½ |W (x − m) − z|².
#[derive(Debug, Clone)]
pub(super) struct Ahead(DMatrix<f64>);

impl Ahead {
    /// Of no observation of n states.
    pub fn none(n: usize) -> Self {
        Self(DMatrix::zeros(0, n + 1))
    }

    fn states(&self) -> usize {
        self.0.ncols() - 1
    }

    /// One number of unit noise more, and by how much it is above that of the predicted mean.
    pub fn observe(&mut self, h: &DVector<f64>, innovation: f64) {
        let row = DMatrix::from_fn(1, h.len() + 1, |_, j| {
            h.get(j).copied().unwrap_or(innovation)
        });
        self.0 = above(&self.0, &row);
    }

    /// Back through x' = F x + G w, w ~ N(0, I), which is integrated out: the rows of W x' and of w, made triangular in (w, x). The mean of x
    /// was `moved` by its observation after it was predicted, and that of x' was predicted from there.
    pub fn pull(&mut self, f: &DMatrix<f64>, g: &DMatrix<f64>, moved: &DVector<f64>) {
        let (r, n) = (g.ncols(), self.states());
        if self.0.nrows() == 0 {
            return;
        }
        let w = self.0.columns(0, n);
        let pulled = w * f;
        let z = self.0.column(n) + &pulled * moved;
        let z = DMatrix::from_column_slice(z.len(), 1, z.as_slice());
        let seen = beside(&beside(&(w * g), &pulled), &z);
        // The rows of observations are the larger ones: first, where rounding of theirs does not reach the others.
        let rows = above(&seen, &DMatrix::identity(r, r + n + 1));
        let triangle = rows.qr().r();
        // A last row is what no state explains.
        let kept = triangle.nrows().min(r + n) - r;
        self.0 = triangle.view((r, r), (kept, n + 1)).into_owned();
    }

    /// The mean less m, and the covariance, of x = m + A a + S e, a without a prior and e ~ N(0, I), given what is said ahead: B c and
    /// B (CᵀC)⁻¹ Bᵀ, with B = [S, A], C the rows of W B and of e, and c the least squares of C c = z. Of `left` directions
    /// nothing is said: they are left out of A, and a state that they move has an infinite variance and no mean.
    pub fn belief(
        &self,
        root: &Root,
        basis: &DiffuseBasis,
        left: usize,
    ) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let (n, s) = root.0.shape();
        let w = self.0.columns(0, n).into_owned();
        let unseen = Unseen::of(&w, basis, left)?;
        let b = beside(&root.0, &unseen.others);
        let width = b.ncols();
        let (mean, mut covariance) = match width {
            0 => (DVector::zeros(n), DMatrix::zeros(n, n)),
            _ => {
                let z = self.0.columns(n, 1).into_owned();
                let seen = beside(&(w * &b), &z);
                let mut rows = above(&seen, &DMatrix::identity(s, width + 1));
                if rows.nrows() < width {
                    rows = above(&rows, &DMatrix::zeros(width - rows.nrows(), width + 1));
                }
                let triangle = rows.qr().r();
                // X C = B, column after column.
                let mut x = DMatrix::zeros(n, width);
                for j in 0..width {
                    let mut own = b.column(j).into_owned();
                    for i in 0..j {
                        own.axpy(-triangle[(i, j)], &x.column(i), 1.0);
                    }
                    x.set_column(j, &(own / triangle[(j, j)]));
                }
                let mean = &x * triangle.view((0, width), (width, 1)).column(0);
                (mean, symmetric(&x * x.transpose()))
            }
        };
        for i in (0..n).filter(|i| unseen.moves(*i)) {
            covariance[(i, i)] = f64::INFINITY;
        }
        Ok((mean, covariance))
    }
}

/// G with Q = G Gᵀ, without columns of zeros.
pub(super) fn noise_root(model: &LinearGaussian) -> Result<DMatrix<f64>> {
    Ok(noisy(semidefinite_root(
        "process_noise",
        model.process_noise(),
    )?))
}

/// The columns that are not zero.
fn noisy(root: DMatrix<f64>) -> DMatrix<f64> {
    let kept: Vec<usize> = (0..root.ncols())
        .filter(|&j| root.column(j).amax() > 0.0)
        .collect();
    root.select_columns(&kept)
}

/// As many columns as rows at most, with the same product C Cᵀ.
fn narrowed(root: DMatrix<f64>) -> DMatrix<f64> {
    match root.ncols() > root.nrows() {
        true => root.transpose().qr().r().transpose(),
        false => root,
    }
}

fn beside(left: &DMatrix<f64>, right: &DMatrix<f64>) -> DMatrix<f64> {
    let mut all = DMatrix::zeros(left.nrows(), left.ncols() + right.ncols());
    all.columns_mut(0, left.ncols()).copy_from(left);
    all.columns_mut(left.ncols(), right.ncols())
        .copy_from(right);
    all
}

fn above(upper: &DMatrix<f64>, lower: &DMatrix<f64>) -> DMatrix<f64> {
    let mut all = DMatrix::zeros(upper.nrows() + lower.nrows(), upper.ncols());
    all.rows_mut(0, upper.nrows()).copy_from(upper);
    all.rows_mut(upper.nrows(), lower.nrows()).copy_from(lower);
    all
}
