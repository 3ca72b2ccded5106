//! Standard errors from the observed information.

use nalgebra::DMatrix;

use super::coordinates::Coordinates;
use crate::math::cholesky::{cholesky, inverse, symmetric};

/// The difference of coordinates: of order 1, like they; the error of a central difference is its square.
const DIFFERENCE: f64 = 1e-4;

/// The standard errors of the values of all parameters: with the observed information I = −∂² ln p/∂u∂uᵀ by central
/// differences of the exact score, and J = ∂ value/∂u, the roots of the diagonal of J I⁻¹ Jᵀ (delta method). None of
/// those that are not free, or where I is not positive definite.
pub(super) fn standard_errors(
    coordinates: &Coordinates,
    u: &[f64],
    mut negative_score: impl FnMut(&[f64]) -> Option<Vec<f64>>,
) -> Vec<Option<f64>> {
    let k = u.len();
    let jacobian = coordinates.jacobian(u);
    let all = jacobian.first().map_or(0, Vec::len);
    let none = vec![None; coordinates.values(u).len()];
    let mut information = DMatrix::zeros(k, k);
    for j in 0..k {
        let mut at = |h: f64| {
            let mut moved = u.to_vec();
            moved[j] += h;
            negative_score(&moved)
        };
        let (Some(up), Some(down)) = (at(DIFFERENCE), at(-DIFFERENCE)) else {
            return none;
        };
        for i in 0..k {
            information[(i, j)] = (up[i] - down[i]) / (2.0 * DIFFERENCE);
        }
    }
    let Ok(factor) = cholesky("information", &symmetric(information)) else {
        return none;
    };
    let covariance = inverse(&factor);
    let error = |p: usize| {
        let column: Vec<f64> = jacobian.iter().map(|row| row[p]).collect();
        if column.iter().all(|slope| *slope == 0.0) {
            return None;
        }
        let variance: f64 = (0..k)
            .flat_map(|i| (0..k).map(move |j| (i, j)))
            .map(|(i, j)| column[i] * covariance[(i, j)] * column[j])
            .sum();
        Some(variance.sqrt())
    };
    match k {
        0 => none,
        _ => (0..all).map(error).collect(),
    }
}
