//! The directions of the state that have no prior: P∞ = A Aᵀ.

use nalgebra::DMatrix;

/// A direction counts as seen by a row h where hᵀA is more than this part of Σ|h||A|: rounding leaves some 1e-16 there.
const SEEN: f64 = 1e-9;

/// The columns of A `[n, rank]`, a square root of the diffuse part of the covariance P = P* + κ A Aᵀ, κ → ∞. Kept as a
/// root, its rank is exact: each number that sees it takes one column away, and after the last the belief is proper.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DiffuseBasis {
    n: usize,
    columns: Vec<Vec<f64>>,
}

impl DiffuseBasis {
    /// One direction for each state marked.
    pub fn new(diffuse: &[bool]) -> Self {
        let n = diffuse.len();
        let unit = |i: usize| (0..n).map(|k| f64::from(u8::from(k == i))).collect();
        let marked = (0..n).filter(|&i| diffuse[i]);
        Self {
            n,
            columns: marked.map(unit).collect(),
        }
    }

    /// From columns `[n]` that a file holds.
    pub fn from_columns(n: usize, columns: Vec<Vec<f64>>) -> Self {
        Self { n, columns }
    }

    /// The columns `[n]`.
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// How many directions are left.
    pub fn rank(&self) -> usize {
        self.columns.len()
    }

    /// A ← F A, `apply` being F times a column.
    pub fn transform(&mut self, apply: impl Fn(&[f64]) -> Vec<f64>) {
        for column in &mut self.columns {
            *column = apply(column);
        }
    }

    /// Where the row h `[n]` sees a direction: F∞ = hᵀ A Aᵀ h, and in `gain` K₀ = A Aᵀ h / F∞; the direction is taken
    /// out of A. A Householder reflection brings it to one column, which is dropped.
    pub fn take(&mut self, h: &[f64], gain: &mut [f64]) -> Option<f64> {
        let seen: Vec<f64> = self.columns.iter().map(|a| dot(h, a)).collect();
        let most: f64 = self.columns.iter().map(|a| size(h, a).powi(2)).sum();
        let square: f64 = seen.iter().map(|w| w * w).sum();
        if square.is_nan() || square <= SEEN * SEEN * most {
            return None;
        }
        let combine = |weights: &[f64], out: &mut [f64]| {
            out.fill(0.0);
            for (a, w) in self.columns.iter().zip(weights) {
                out.iter_mut().zip(a).for_each(|(o, a)| *o += w * a);
            }
        };
        combine(&seen, gain);
        gain.iter_mut().for_each(|k| *k /= square);
        let pivot = (0..seen.len())
            .max_by(|&i, &j| seen[i].abs().total_cmp(&seen[j].abs()))
            .unwrap_or(0);
        let mut mirror = seen;
        mirror[pivot] += square.sqrt().copysign(mirror[pivot]);
        let norm: f64 = mirror.iter().map(|v| v * v).sum();
        let mut along = vec![0.0; self.n];
        combine(&mirror, &mut along);
        for (a, v) in self.columns.iter_mut().zip(&mirror) {
            let factor = 2.0 * v / norm;
            a.iter_mut().zip(&along).for_each(|(a, d)| *a -= factor * d);
        }
        self.columns.remove(pivot);
        Some(square)
    }

    /// A `[n, rank]`.
    pub fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.n, self.columns.len(), |i, j| self.columns[j][i])
    }

    /// The diagonal entry i of A Aᵀ: above 0 where the variance of state i is infinite.
    pub fn variance(&self, i: usize) -> f64 {
        self.columns.iter().map(|a| a[i] * a[i]).sum()
    }

    /// A Aᵀ `[n, n]`, row after row.
    pub fn product(&self) -> Vec<f64> {
        let n = self.n;
        let mut p = vec![0.0; n * n];
        for a in &self.columns {
            for i in 0..n {
                for j in 0..n {
                    p[i * n + j] += a[i] * a[j];
                }
            }
        }
        p
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn size(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_out_of_the_basis() {
        let mut basis = DiffuseBasis::new(&[true, false, true, true]);
        let mut gain = [0.0; 4];
        let rows = [[1.0, 3.0, 2.0, 0.5], [0.3, 0.0, -1.0, 4.0]];
        let before = basis.product();
        let infinite = basis.take(&rows[0], &mut gain).unwrap();
        assert!((infinite - 5.25).abs() < 1e-12);
        // P∞ − K₀ K₀ᵀ F∞, the update of Koopman's exact filter.
        for i in 0..4 {
            for j in 0..4 {
                let expected = before[i * 4 + j] - gain[i] * gain[j] * infinite;
                assert!((basis.product()[i * 4 + j] - expected).abs() < 1e-12);
            }
        }
        assert_eq!(basis.rank(), 2);
        assert!(basis.take(&rows[0], &mut gain).is_none());
        assert!(basis.take(&rows[1], &mut gain).is_some());
        assert_eq!(basis.rank(), 1);
    }
}
