//! Directions of the state that no observation sees.

use nalgebra::DMatrix;
use nalgebra::linalg::SVD;

use super::basis::{DiffuseBasis, SEEN};
use crate::{Error, Result};

/// Of a basis A `[n, r]`, what is not seen by rows W `[k, n]`, and the rest.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    /// Directions `[n, left]` A a with W A a = 0.
    directions: DMatrix<f64>,
    /// For each state `[n]` what entries of directions are made of: rounding leaves 1e-16 of it, and more where little is seen.
    sizes: Vec<f64>,
    /// What is left of A `[n, r − left]`.
    pub others: DMatrix<f64>,
}

impl Unseen {
    /// The `left` directions of which W says least, by the singular values of W A, its columns scaled to what they are made of: how
    /// many are left is known from the filter, so that no rounding decides it.
    pub fn of(w: &DMatrix<f64>, basis: &DiffuseBasis, left: usize) -> Result<Self> {
        let a = basis.matrix();
        let (n, r) = a.shape();
        let left = left.min(r);
        if left == 0 {
            return Ok(Self {
                directions: DMatrix::zeros(n, 0),
                sizes: vec![0.0; n],
                others: a,
            });
        }
        let seen = w * &a;
        let made_of = w.abs() * a.abs();
        let mut scaled = a;
        let mut rows = DMatrix::zeros(seen.nrows().max(r), r);
        for j in 0..r {
            let size = match made_of.column(j).norm() {
                size if size > 0.0 => size,
                _ => 1.0,
            };
            scaled.column_mut(j).unscale_mut(size);
            let own = seen.column(j) / size;
            rows.view_mut((0, j), (own.len(), 1)).copy_from(&own);
        }
        let svd = SVD::try_new(rows, false, true, f64::EPSILON, 10_000);
        let Some((values, v)) = svd.and_then(|svd| Some((svd.singular_values, svd.v_t?))) else {
            let what = "what observations say of a diffuse start";
            let found = f64::NAN;
            return Err(Error::NotFinite {
                index: 0,
                what,
                found,
            });
        };
        let v = v.transpose();
        let mut order: Vec<usize> = (0..r).collect();
        order.sort_by(|i, j| values[*j].total_cmp(&values[*i]));
        let (known, unknown) = order.split_at(r - left);
        let (known, unknown) = (v.select_columns(known), v.select_columns(unknown));
        Ok(Self {
            directions: &scaled * &unknown,
            sizes: scaled.row_iter().map(|row| row.abs().sum()).collect(),
            others: scaled * known,
        })
    }

    /// Whether a direction moves state i.
    pub fn moves(&self, i: usize) -> bool {
        self.directions.row(i).norm() > SEEN * self.sizes[i]
    }
}
