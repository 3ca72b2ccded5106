//! The missing entries of an observation, given the state and those that are seen.

use nalgebra::{DMatrix, DVector};

use super::model::LinearGaussian;
use crate::Result;
use crate::math::cholesky::{cholesky, symmetric};

/// y | x, y_o ~ N(constant + slope x, noise): with B = R_mo R_oo⁻¹ of missing (m) and seen (o) entries
///
/// ```text
/// y_o as seen,   y_m = H_m x + d_m + B (y_o − H_o x − d_o) + N(0, R_mm − B R_om)                 (F54)
/// ```
pub(super) struct Imputed {
    /// `[m]`.
    pub constant: DVector<f64>,
    /// `[m, n]`; zero rows of what is seen.
    pub slope: DMatrix<f64>,
    /// `[m, m]`; zero rows and columns of what is seen.
    pub noise: DMatrix<f64>,
}

/// Whether entries are missing from an observation.
pub(super) fn is_partial(y: &[f64]) -> bool {
    y.iter().any(|v| v.is_nan())
}

/// # Errors
/// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) for an R that cannot be factored, which no valid model has.
pub(super) fn imputed(model: &LinearGaussian, y: &[f64]) -> Result<Imputed> {
    let (n, m) = (model.states(), model.width());
    let (missing, seen): (Vec<usize>, Vec<usize>) = (0..m).partition(|&i| y[i].is_nan());
    let (h, d, r) = (
        model.observation(),
        model.offset(),
        model.observation_noise(),
    );
    let part = |rows: &[usize], columns: &[usize]| r.select_rows(rows).select_columns(columns);
    let factor = cholesky("observation_noise", &part(&seen, &seen))?;
    let gain = factor.solve(&part(&seen, &missing)).transpose();
    let (h_seen, d_seen) = (h.select_rows(&seen), d.select_rows(&seen));
    let y_seen = DVector::from_iterator(seen.len(), seen.iter().map(|&i| y[i]));
    let of_missing = d.select_rows(&missing) + &gain * (y_seen - d_seen);
    let slope_missing = h.select_rows(&missing) - &gain * h_seen;
    let noise_missing = symmetric(part(&missing, &missing) - &gain * part(&seen, &missing));
    let mut all = Imputed {
        constant: DVector::from_iterator(m, y.iter().map(|v| if v.is_nan() { 0.0 } else { *v })),
        slope: DMatrix::zeros(m, n),
        noise: DMatrix::zeros(m, m),
    };
    for (k, &i) in missing.iter().enumerate() {
        all.constant[i] = of_missing[k];
        all.slope.set_row(i, &slope_missing.row(k));
        for (l, &j) in missing.iter().enumerate() {
            all.noise[(i, j)] = noise_missing[(k, l)];
        }
    }
    Ok(all)
}
