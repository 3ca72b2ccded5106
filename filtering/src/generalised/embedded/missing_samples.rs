//! Windows in which samples are missing.
//!
//! A window of n samples y gives ỹ = W y, and its errors e = ỹ − g̃ have the precision R(s) ⊗ Π. A sample that was not seen
//! has no precision: it is integrated out. With W_m `[n, missing]` the columns of W that belong to missing samples,
//!
//! ```text
//! R_o = R − R W_m (W_mᵀ R W_m)⁻¹ W_mᵀ R = Qᵀ R Q,      Q = I − W_m (W_mᵀ R W_m)⁻¹ W_mᵀ R,      Q W_m = 0
//! ```
//!
//! which is what (R⁻¹ + λ W_m W_mᵀ)⁻¹ tends to for λ → ∞, noise without bounds on these samples. So the scheme goes on as
//! it is, with Q e for the errors of the data and Q J for their slopes. Q e = e + W_m c is the error with the missing
//! samples c filled by what the belief expects of them: whatever stood in their place does not matter, and it is this ỹ
//! that moves along its Taylor expansion during a step. Where nothing in the window was seen Q = 0.
//!
//! A belief is recorded before its own window pulls at it. In a bin without a sample it rests on what its predecessors saw, of
//! which a window of two or three samples (N ≤ 3) keeps the past only: it goes straight on. Interpolating instead brings in the next
//! sample, which errs less there and more in the bins after it.
//!
//! The evidence of the window is that of the samples in it that were seen,
//!
//! ```text
//! F_t changes by  ½ missing·outputs·ln 2π − ½ outputs·ln det(W_mᵀ R W_m) − ½ missing·ln det Π.
//! ```

use nalgebra::{DMatrix, DVector};

use super::embedding::Weights;
use super::energy::log_det;
use super::layout::Layout;
use crate::{Error, Result};

/// What missing samples make of one window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MissingSamples {
    /// Q `[n, n]`.
    projection: DMatrix<f64>,
    /// How many orders the window lost: as many as samples are missing.
    lost: usize,
    /// ln det W_mᵀ R W_m.
    log_det: f64,
}

impl MissingSamples {
    /// The window with these `weights`, of which the samples that were not `seen` (by place in the window) are missing;
    /// none if all were. `r` is R(s) `[n, n]`.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where rounding leaves missing samples that cannot be distinguished.
    pub fn new(
        weights: &Weights,
        r: &DMatrix<f64>,
        seen: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>> {
        let n = r.nrows();
        let missing: Vec<usize> = (0..weights.weights.ncols()).filter(|&i| !seen(i)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let unclear = || Error::NotPositiveDefinite {
            name: "precision of the missing samples of a window".to_owned(),
            pivot: 0,
            value: 0.0,
        };
        // R = UᵀU, brought to one scale first: its entries differ as powers of s.
        let scale = DVector::from_fn(n, |i, _| libm::sqrt(r[(i, i)]));
        let scaled = DMatrix::from_fn(n, n, |i, j| r[(i, j)] / (scale[i] * scale[j]));
        let factor = scaled.cholesky().ok_or_else(unclear)?;
        let mut root = factor.l().transpose();
        for (mut column, &s) in root.column_iter_mut().zip(scale.iter()) {
            column *= s;
        }
        let columns = weights.weights.select_columns(&missing);
        let qr = (&root * &columns).qr();
        let triangle = qr.r();
        let mut solved = qr.q().tr_mul(&root);
        if !triangle.solve_upper_triangular_mut(&mut solved) {
            return Err(unclear());
        }
        let whole = missing.len() >= n;
        let projection = match whole {
            true => DMatrix::zeros(n, n),
            false => DMatrix::identity(n, n) - columns * solved,
        };
        if projection.iter().any(|q| !q.is_finite()) {
            return Err(unclear());
        }
        let logs = triangle.diagonal().map(|d| libm::log(d.abs()));
        Ok(Some(Self {
            projection,
            lost: missing.len(),
            log_det: 2.0 * logs.sum(),
        }))
    }

    /// A window that says nothing: fewer samples than orders are left of one that has more.
    pub fn whole(r: &DMatrix<f64>) -> Self {
        let n = r.nrows();
        Self {
            projection: DMatrix::zeros(n, n),
            lost: n,
            log_det: log_det(r, &vec![true; n]),
        }
    }

    /// The part of the window's orders that is left.
    pub fn share(&self) -> f64 {
        let n = self.projection.nrows();
        (n - self.lost.min(n)) as f64 / n as f64
    }

    /// Q times the rows of the data of `errors` `[errors]`.
    pub fn project(&self, layout: &Layout, errors: &mut [f64]) {
        let rows = |order| layout.cause_error(order).take(layout.outputs);
        let before: Vec<f64> = (0..layout.orders)
            .flat_map(|order| rows(order).map(|row| errors[row]))
            .collect();
        for order in 0..layout.orders {
            for (k, row) in rows(order).enumerate() {
                let parts = before.iter().skip(k).step_by(layout.outputs);
                let weights = self.projection.row(order);
                errors[row] = parts.zip(weights.iter()).map(|(e, q)| e * q).sum();
            }
        }
    }

    /// The same for each column of `rows` `[errors, …]`.
    pub fn project_columns(&self, layout: &Layout, rows: &mut DMatrix<f64>) {
        let size = layout.errors();
        for column in rows.as_mut_slice().chunks_mut(size) {
            self.project(layout, column);
        }
    }

    /// What F_t changes by, for the precision Π of the outputs `[outputs, outputs]`, of which some are `kept` in F.
    pub fn free_energy(&self, precision: &DMatrix<f64>, kept: &[bool]) -> f64 {
        let ln_2pi = libm::log(2.0 * std::f64::consts::PI);
        let counted = kept.iter().filter(|&&k| k).count() as f64;
        let lost = self.lost as f64;
        0.5 * (lost * precision.nrows() as f64 * ln_2pi
            - counted * self.log_det
            - lost * log_det(precision, kept))
    }
}

/// The inverse of a precision that leaves directions open, which get a variance as large as rounding can tell.
pub(crate) fn open_covariance(precision: &DMatrix<f64>) -> DMatrix<f64> {
    let size = precision.nrows();
    let scale = DVector::from_fn(size, |i, _| match precision[(i, i)] > 0.0 {
        true => 1.0 / libm::sqrt(precision[(i, i)]),
        false => 1.0,
    });
    let scaled = DMatrix::from_fn(size, size, |i, j| {
        0.5 * (precision[(i, j)] + precision[(j, i)]) * scale[i] * scale[j]
    });
    // The iteration for eigenvalues has no end among numbers that are none.
    if scaled.iter().any(|v| !v.is_finite()) {
        return scaled;
    }
    let eigen = scaled.symmetric_eigen();
    let least = size as f64 * f64::EPSILON;
    let root = DMatrix::from_fn(size, size, |i, k| {
        eigen.eigenvectors[(i, k)] * scale[i] / libm::sqrt(eigen.eigenvalues[k].max(least))
    });
    &root * root.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generalised::embedded::embedding::{SampleEmbedding, Window};
    use crate::generalised::precision::{temporal_covariance, temporal_precision};

    fn window(n: usize) -> Weights {
        let embedding = SampleEmbedding::new(n, Window::default()).unwrap();
        embedding.weights(10.0, 20).unwrap()
    }

    fn temporal(missing: &MissingSamples, r: &DMatrix<f64>) -> DMatrix<f64> {
        missing.projection.tr_mul(&(r * &missing.projection))
    }

    /// Noise without bounds on a sample: (V + λ w wᵀ)⁻¹, off the limit by 1/λ.
    #[test]
    fn a_missing_sample_is_one_of_unbounded_noise() {
        for (n, s, lost) in [(1, 0.5, vec![0]), (3, 0.5, vec![1]), (5, 1.0, vec![0, 3])] {
            let (weights, r) = (window(n), temporal_precision(n, s).unwrap());
            let missing = MissingSamples::new(&weights, &r, |i| !lost.contains(&i))
                .unwrap()
                .unwrap();
            let columns = weights.weights.select_columns(&lost);
            let v = temporal_covariance(n, s).unwrap();
            let off = |noise: f64| {
                let loud = (&v + &columns * columns.transpose() * noise)
                    .try_inverse()
                    .unwrap();
                (loud - temporal(&missing, &r)).amax() / r.amax()
            };
            assert!(
                off(1e4) < 1e-3 && off(1e6) < 1e-5,
                "{n}: {} {}",
                off(1e4),
                off(1e6)
            );
            assert!((&missing.projection * &columns).amax() < 1e-12 * columns.amax());
        }
    }

    /// The density of samples T e, e with covariance V, is that of the seen ones times that of the others given them:
    /// what the window loses is computed from V alone here.
    #[test]
    fn the_evidence_is_that_of_the_samples_seen() {
        let (n, s) = (5, 0.7);
        let (weights, r) = (window(n), temporal_precision(n, s).unwrap());
        let taylor = weights.weights.clone().try_inverse().unwrap();
        let v = &taylor * temporal_covariance(n, s).unwrap() * taylor.transpose();
        let samples = DVector::from_vec(vec![0.3, -0.2, 0.5, 0.1, -0.4]);
        let density = |places: &[usize]| {
            let part = v.select_rows(places).select_columns(places);
            let y = samples.select_rows(places);
            let ln_2pi = (2.0 * std::f64::consts::PI).ln();
            let distance = y.dot(&part.clone().lu().solve(&y).unwrap());
            -0.5 * (distance + part.determinant().ln() + ln_2pi * places.len() as f64)
        };
        let embedded = &weights.weights * &samples;
        let energy = |r: &DMatrix<f64>| -0.5 * embedded.dot(&(r * &embedded));
        let whole = density(&[0, 1, 2, 3, 4]) - energy(&r);
        let one = DMatrix::identity(1, 1);
        for seen in [vec![0, 1, 2, 4], vec![1, 3], vec![2], vec![]] {
            let missing = MissingSamples::new(&weights, &r, |i| seen.contains(&i))
                .unwrap()
                .unwrap();
            let found =
                whole + energy(&temporal(&missing, &r)) + missing.free_energy(&one, &[true]);
            let expected = if seen.is_empty() { 0.0 } else { density(&seen) };
            assert!(
                (found - expected).abs() < 1e-9,
                "{seen:?}: {found} for {expected}"
            );
            assert!((missing.share() - seen.len() as f64 / n as f64).abs() < 1e-15);
        }
    }

    #[test]
    fn open_directions_are_wide_and_the_others_exact() {
        let precision = DMatrix::from_diagonal(&DVector::from_vec(vec![4.0, 0.0, 1e6]));
        let covariance = open_covariance(&precision);
        assert!((covariance[(0, 0)] - 0.25).abs() < 1e-14);
        assert!((covariance[(2, 2)] * 1e6 - 1.0).abs() < 1e-12);
        assert!(covariance[(1, 1)] > 1e12 && covariance[(1, 1)].is_finite());
    }
}
