//! The observed information, and standard errors from it.

use nalgebra::DMatrix;

use super::coordinates::Coordinates;
use crate::math::cholesky::{cholesky, inverse, symmetric};

/// The difference of coordinates: of order 1, like they; the error of a central difference is its square.
const DIFFERENCE: f64 = 1e-4;

/// Coordinates with less information than this are flat: a variance near 0, a moving average at the edge of the invertible. They are of order 1.
const FLAT: f64 = 1e-7;

/// I⁻¹ `[k, k]` with the observed information I = −∂² ln p/∂u∂uᵀ by central differences of the exact score, over the coordinates
/// that are not flat, and NaN for those that are; none where I is not positive definite, and where there is no coordinate.
pub(super) fn covariance(
    u: &[f64],
    mut negative_score: impl FnMut(&[f64]) -> Option<Vec<f64>>,
) -> Option<DMatrix<f64>> {
    let k = u.len();
    let mut information = DMatrix::zeros(k, k);
    for j in 0..k {
        let mut at = |h: f64| {
            let mut moved = u.to_vec();
            moved[j] += h;
            negative_score(&moved)
        };
        let (up, down) = (at(DIFFERENCE)?, at(-DIFFERENCE)?);
        for i in 0..k {
            information[(i, j)] = (up[i] - down[i]) / (2.0 * DIFFERENCE);
        }
    }
    let curved: Vec<usize> = (0..k).filter(|&i| information[(i, i)] > FLAT).collect();
    let among = DMatrix::from_fn(curved.len(), curved.len(), |i, j| {
        information[(curved[i], curved[j])]
    });
    let factor = cholesky("information", &symmetric(among)).ok()?;
    let inverse = inverse(&factor);
    let mut covariance = DMatrix::from_element(k, k, f64::NAN);
    for (i, &row) in curved.iter().enumerate() {
        for (j, &column) in curved.iter().enumerate() {
            covariance[(row, column)] = inverse[(i, j)];
        }
    }
    (!curved.is_empty()).then_some(covariance)
}

/// What a gradient still promises, in nats: ½ gᵀI⁻¹g over the coordinates that curve. Along a flat one the slope falls to nothing
/// within a length like its own (eᵘ of a variance, u⁻³ of a partial autocorrelation). No number where I is not positive definite.
pub(super) fn promised(u: &[f64], gradient: &[f64], covariance: Option<&DMatrix<f64>>) -> f64 {
    let Some(covariance) = covariance else {
        return f64::NAN;
    };
    let flat = |i: usize| covariance[(i, i)].is_nan();
    let curved: Vec<f64> = (0..u.len())
        .map(|i| if flat(i) { 0.0 } else { gradient[i] })
        .collect();
    let along = (0..u.len()).filter(|&i| flat(i));
    let levelled: f64 = along.map(|i| gradient[i].abs() * u[i].abs().max(1.0)).sum();
    0.5 * quadratic(covariance, &curved) + levelled
}

/// The standard errors of the values of all parameters: with J = ∂ value/∂u, the roots of the diagonal of J I⁻¹ Jᵀ (delta
/// method). None of those that are not free or flat, or where there is no I⁻¹.
pub(super) fn standard_errors(
    coordinates: &Coordinates,
    u: &[f64],
    covariance: Option<&DMatrix<f64>>,
) -> Vec<Option<f64>> {
    let jacobian = coordinates.jacobian(u);
    let Some(covariance) = covariance else {
        return vec![None; coordinates.values(u).len()];
    };
    let error = |p: usize| {
        let column: Vec<f64> = jacobian.iter().map(|row| row[p]).collect();
        if column.iter().all(|slope| *slope == 0.0) {
            return None;
        }
        let variance = quadratic(covariance, &column);
        variance.is_finite().then(|| variance.sqrt())
    };
    let all = jacobian.first().map_or(0, Vec::len);
    (0..all).map(error).collect()
}

/// vᵀ C v over the entries of v that are not 0.
pub(super) fn quadratic(c: &DMatrix<f64>, v: &[f64]) -> f64 {
    let entries: Vec<usize> = (0..v.len()).filter(|&i| v[i] != 0.0).collect();
    let pairs = entries
        .iter()
        .flat_map(|&i| entries.iter().map(move |&j| (i, j)));
    pairs.map(|(i, j)| v[i] * c[(i, j)] * v[j]).sum()
}
