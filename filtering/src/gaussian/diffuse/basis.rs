//! The directions of the state that have no prior: P∞ = A Aᵀ.

use nalgebra::DMatrix;

/// A direction counts as seen by a row h where hᵀA is more than this part of Σ|h||A|: rounding leaves some 1e-16 there, and a part
/// more with every step.
pub(super) const SEEN: f64 = 1e-9;

/// An entry of A is 0 where no more than this part is left of what it is the difference of: rounding leaves some 1e-16 there. A row that
/// sees one state alone would else take what rounding left of it for a direction.
const LEFT: f64 = 1e-11;

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

    /// A ← F A, by the entries (j, F_ij) of each row i of F. A direction that F maps to nothing is gone.
    pub fn transform<R: Iterator<Item = (usize, f64)>>(&mut self, row: impl Fn(usize) -> R) {
        for column in &mut self.columns {
            let entry = |i: usize| {
                let (sum, size) = row(i).fold((0.0, 0.0), |(sum, size), (j, f)| {
                    let part: f64 = f * column[j];
                    (sum + part, size + part.abs())
                });
                settled(sum, size)
            };
            *column = (0..self.n).map(entry).collect();
        }
        self.columns.retain(|a| a.iter().any(|v| *v != 0.0));
    }

    /// hᵀA where the row h `[n]` sees a direction: what of it observations do not know has an infinite variance. The one criterion of
    /// the likelihood, of what is shown of states and of predictions.
    fn seen(&self, h: &[f64]) -> Option<Vec<f64>> {
        let seen: Vec<f64> = self.columns.iter().map(|a| dot(h, a)).collect();
        let most: f64 = self.columns.iter().map(|a| size(h, a).powi(2)).sum();
        let square: f64 = seen.iter().map(|w| w * w).sum();
        (square > SEEN * SEEN * most).then_some(seen)
    }

    /// Whether hᵀx has an infinite variance.
    pub fn sees(&self, h: &[f64]) -> bool {
        self.seen(h).is_some()
    }

    /// Where the row h `[n]` sees a direction: F∞ = hᵀ A Aᵀ h, and in `gain` K₀ = A Aᵀ h / F∞; the direction is taken
    /// out of A. A Householder reflection brings it to one column, which is dropped.
    pub fn take(&mut self, h: &[f64], gain: &mut [f64]) -> Option<f64> {
        let seen = self.seen(h)?;
        let square: f64 = seen.iter().map(|w| w * w).sum();
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
        let sizes: Vec<f64> = (0..self.n)
            .map(|i| self.columns.iter().map(|a| a[i].abs()).sum())
            .collect();
        for (a, v) in self.columns.iter_mut().zip(&mirror) {
            let factor = 2.0 * v / norm;
            let entries = a.iter_mut().zip(&along).zip(&sizes);
            entries.for_each(|((a, d), size)| *a = settled(*a - factor * d, *size));
        }
        self.columns.remove(pivot);
        Some(square)
    }

    /// A `[n, rank]`.
    pub fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.n, self.columns.len(), |i, j| self.columns[j][i])
    }
}

/// A difference of numbers of this size, and 0 where rounding alone is left of it.
fn settled(difference: f64, size: f64) -> f64 {
    match difference.abs() <= LEFT * size {
        true => 0.0,
        false => difference,
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

    /// A Aᵀ `[n, n]`, row after row.
    fn product(basis: &DiffuseBasis) -> Vec<f64> {
        let a = basis.matrix();
        let product = &a * a.transpose();
        product.as_slice().to_vec()
    }

    #[test]
    fn what_was_seen_is_out_of_the_basis() {
        let mut basis = DiffuseBasis::new(&[true, false, true, true]);
        let mut gain = [0.0; 4];
        let rows = [[1.0, 3.0, 2.0, 0.5], [0.3, 0.0, -1.0, 4.0]];
        let before = product(&basis);
        let infinite = basis.take(&rows[0], &mut gain).unwrap();
        assert!((infinite - 5.25).abs() < 1e-12);
        // P∞ − K₀ K₀ᵀ F∞, the update of Koopman's exact filter.
        for i in 0..4 {
            for j in 0..4 {
                let expected = before[i * 4 + j] - gain[i] * gain[j] * infinite;
                assert!((product(&basis)[i * 4 + j] - expected).abs() < 1e-12);
            }
        }
        assert_eq!(basis.rank(), 2);
        assert!(basis.take(&rows[0], &mut gain).is_none());
        assert!(basis.take(&rows[1], &mut gain).is_some());
        assert_eq!(basis.rank(), 1);
    }

    /// A row that sees one state alone, again: whether it is seen twice is not left to rounding.
    #[test]
    fn what_is_known_stays_known() {
        let mut gain = [0.0; 4];
        for turn in 0..50 {
            let angle = 0.1 + f64::from(turn);
            let mut basis = DiffuseBasis::new(&[true; 4]);
            let all = [1.0, angle.sin(), angle.cos(), (3.0 * angle).sin()];
            basis.take(&all, &mut gain).unwrap();
            let alone = [0.0, 1.0, 0.0, 0.0];
            basis.take(&alone, &mut gain).unwrap();
            assert!(!basis.sees(&alone) && basis.take(&alone, &mut gain).is_none());
            // Level and last two inputs are known but for two directions, and the sum of all is known.
            assert!(!basis.sees(&all), "{turn}");
            assert!((0..4).filter(|i| *i != 1).all(|i| {
                let mut unit = [0.0; 4];
                unit[i] = 1.0;
                basis.sees(&unit)
            }));
            let step = |i: usize| std::iter::once((i, 0.9));
            basis.transform(step);
            assert_eq!((basis.rank(), basis.sees(&alone)), (2, false));
        }
    }
}
