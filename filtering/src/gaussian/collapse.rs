//! Noise that has collapsed: columns, or combinations of columns, that the states explain without a rest.

use nalgebra::DMatrix;

use crate::math::cholesky::{cholesky, symmetric};

/// A column takes part in a combination with at least this part of the largest weight, each in its own deviation.
const TAKES_PART: f64 = 1e-3;

/// The columns, from 0, that take part in a combination vᵀy of which less than a part `least` of its variance is noise,
/// vᵀR v < `least`·vᵀS v, with the covariance R `[m, m]` of the noise and S of the data; none where there is no such combination.
/// Where S itself has a combination without variance, its diagonal is taken.
///
/// ```
/// use scotopic_filtering::gaussian::collapsed_columns;
/// use scotopic_filtering::nalgebra::DMatrix;
/// let data = DMatrix::from_row_slice(3, 3, &[1.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 9.0]);
/// // The sum of the first and half the second is never wrong.
/// let noise = DMatrix::from_row_slice(3, 3, &[0.5, -1.0, 0.0, -1.0, 2.0, 0.0, 0.0, 0.0, 3.0]);
/// assert_eq!(collapsed_columns(&noise, &data, 1e-6), [0, 1]);
/// assert!(collapsed_columns(&data, &data, 1e-6).is_empty());
/// ```
pub fn collapsed_columns(noise: &DMatrix<f64>, data: &DMatrix<f64>, least: f64) -> Vec<usize> {
    let m = noise.nrows();
    let deviation: Vec<f64> = data.diagonal().iter().map(|v| v.sqrt()).collect();
    let scaled =
        |c: &DMatrix<f64>| DMatrix::from_fn(m, m, |i, j| c[(i, j)] / deviation[i] / deviation[j]);
    let (noise, data) = (scaled(noise), scaled(data));
    let root = match cholesky("data", &data) {
        Ok(factor) => factor.l(),
        Err(_) => DMatrix::identity(m, m),
    };
    let Some(inverse) = root.solve_lower_triangular(&DMatrix::identity(m, m)) else {
        return Vec::new();
    };
    let relative = symmetric(&inverse * noise * inverse.transpose());
    if relative.iter().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let eigen = relative.symmetric_eigen();
    let directions = inverse.transpose() * &eigen.eigenvectors;
    let mut part = vec![false; m];
    for (k, value) in eigen.eigenvalues.iter().enumerate() {
        if *value < least {
            let weights = directions.column(k);
            let enough = TAKES_PART * weights.amax();
            for (i, w) in weights.iter().enumerate() {
                part[i] |= w.abs() >= enough;
            }
        }
    }
    (0..m).filter(|&i| part[i]).collect()
}
