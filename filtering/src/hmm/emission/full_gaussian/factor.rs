//! The factor of one covariance, checked.

use nalgebra::DMatrix;

use crate::error::check_finite;
use crate::hmm::emission::binary_units::BinaryUnits;
use crate::math::cholesky::cholesky;
use crate::{Error, Result};

/// C⁻¹ `[D·D]` and ln|Σ| of one covariance, the latter in the units.
pub(in crate::hmm::emission) fn factor(
    name: &str,
    d: usize,
    covariance: &[f64],
    units: &BinaryUnits,
) -> Result<(Vec<f64>, f64)> {
    check_finite(name, d, covariance)?;
    let scale = covariance.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for i in 0..d {
        for j in 0..i {
            let (a, b) = (covariance[i * d + j], covariance[j * d + i]);
            // Rounding of a file with seven digits, no more.
            if (a - b).abs() > 1e-6 * scale {
                return Err(Error::entry(
                    name,
                    &[i, j],
                    a,
                    format!("{b}, as its mirror entry [{j}][{i}]"),
                ));
            }
        }
    }
    let c = cholesky(name, &DMatrix::from_row_slice(d, d, covariance))?.unpack();
    // From the pivots themselves, not their roots: ln √p and ½ ln p differ in the last bit.
    let pivot =
        |i: usize| covariance[i * (d + 1)] - (0..i).map(|k| c[(i, k)] * c[(i, k)]).sum::<f64>();
    let log_det = (0..d).fold(0.0, |sum, i| sum + units.variance(i, pivot(i)).ln());
    let mut whitening = vec![0.0; d * d];
    for column in 0..d {
        for i in column..d {
            let unit = if i == column { 1.0 } else { 0.0 };
            let inner: f64 = (column..i)
                .map(|k| c[(i, k)] * whitening[k * d + column])
                .sum();
            whitening[i * d + column] = (unit - inner) / c[(i, i)];
        }
    }
    Ok((whitening, log_det))
}
