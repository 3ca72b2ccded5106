//! The energy of a generalised state, its gradient, and the Laplace posterior it stands for.
//!
//! ```text
//! V(ũ) = ½ eᵀ iS e + ½ ũᵀ P ũ           iS = blkdiag(R_n(s) ⊗ blkdiag(Π_z1 … Π_zL), R(s) ⊗ blkdiag(Π_w1 …))
//! ∂V/∂ũ = Jᵀ iS e + P ũ
//! Λ = Jᵀ iS J + P,     C = Λ⁻¹
//! ```
//!
//! The precision Λ is that of one instant: it is not carried along in time.

use nalgebra::{DMatrix, DVector};

use super::errors::TopOrder;
use super::layout::Layout;
use crate::generalised::precision::temporal_precision;
use crate::{Error, Result};

/// iS `[errors, errors]` from the precisions of all cause errors (the data's first) `[outputs + causes, …]` and
/// of all motion errors `[states, states]`.
///
/// # Errors
/// As [`temporal_precision`].
///
/// # Panics
/// For precisions of other sizes than the layout says.
pub fn generalised_precision(
    layout: &Layout,
    s: f64,
    top: TopOrder,
    cause: &DMatrix<f64>,
    motion: &DMatrix<f64>,
) -> Result<DMatrix<f64>> {
    let mut precision = DMatrix::zeros(layout.errors(), layout.errors());
    let r = temporal_precision(layout.orders, s)?;
    let mut add = |r: &DMatrix<f64>, block: &DMatrix<f64>, from: &dyn Fn(usize) -> usize| {
        for i in 0..r.nrows() {
            for j in 0..r.ncols() {
                let mut place = precision.view_mut((from(i), from(j)), block.shape());
                place += block * r[(i, j)];
            }
        }
    };
    add(&r, cause, &|order| layout.cause_error(order).start);
    if top != TopOrder::Marginal {
        add(&r, motion, &|order| layout.motion_error(order).start);
    } else if layout.orders > 1 {
        let r = temporal_precision(layout.orders - 1, s)?;
        add(&r, motion, &|order| layout.motion_error(order).start);
    }
    Ok(precision)
}

/// ½ eᵀ iS e over the rows that are `kept`.
pub(crate) fn energy(precision: &DMatrix<f64>, errors: &DVector<f64>, kept: &[bool]) -> f64 {
    let mut sum = 0.0;
    for (j, column) in precision.column_iter().enumerate() {
        if !kept[j] || errors[j] == 0.0 {
            continue;
        }
        let rows = column.iter().zip(errors.iter()).zip(kept);
        let product: f64 = rows.map(|((p, e), &k)| if k { p * e } else { 0.0 }).sum();
        sum += product * errors[j];
    }
    0.5 * sum
}

/// The inverse of a precision, and the log determinant of that inverse.
///
/// `floor` is added to the diagonal first; the published schemes use
/// max(ε(‖Λ‖_∞)·dim, e^−32), so that a singular Λ has an inverse.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] naming `what`.
pub(crate) fn covariance(
    what: &str,
    precision: &DMatrix<f64>,
    floor: f64,
    inverse: &mut DMatrix<f64>,
) -> Result<f64> {
    let size = precision.nrows();
    // Rows differ by many orders of magnitude, as derivatives do: they are brought to one scale first.
    let scale = DVector::from_fn(size, |i, _| {
        1.0 / libm::sqrt((precision[(i, i)] + floor).abs().max(f64::MIN_POSITIVE))
    });
    let scaled = DMatrix::from_fn(size, size, |i, j| {
        let symmetric = 0.5 * (precision[(i, j)] + precision[(j, i)]);
        (symmetric + if i == j { floor } else { 0.0 }) * scale[i] * scale[j]
    });
    let pivot = (0..size).find(|&i| {
        let lifted = precision[(i, i)] + floor;
        lifted.is_nan() || lifted <= 0.0
    });
    let factor = match (pivot, scaled.cholesky()) {
        (None, Some(factor)) => factor,
        (pivot, _) => {
            return Err(Error::NotPositiveDefinite {
                name: what.to_owned(),
                pivot: pivot.unwrap_or(0),
                value: pivot.map_or(f64::NAN, |i| precision[(i, i)]),
            });
        }
    };
    let l = factor.l_dirty();
    let log_det: f64 = (0..size)
        .map(|i| libm::log(l[(i, i)]) - libm::log(scale[i]))
        .sum();
    let mut unscaled = factor.inverse();
    for i in 0..size {
        for j in 0..size {
            unscaled[(i, j)] *= scale[i] * scale[j];
        }
    }
    inverse.copy_from(&unscaled);
    Ok(-2.0 * log_det)
}

/// C = (Jᵀ iS J + P)⁻¹ and its log determinant from square roots: with iS = UᵀU and a diagonal P, Λ = AᵀA for
/// A = [U J; √P], and R of A = QR gives C = R⁻¹R⁻ᵀ.
///
/// Λ itself loses twice the digits: with the motion known to e¹⁶ and one output in three states seen through its
/// derivatives only, its condition number passes 10¹⁶ where that of A is 10⁸.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] where A has no full rank to working precision: nothing that is seen says anything about a
/// direction of the unknowns.
pub(crate) fn covariance_from_roots(
    jacobian: &DMatrix<f64>,
    precision: &DMatrix<f64>,
    prior: &DMatrix<f64>,
    inverse: &mut DMatrix<f64>,
) -> Result<f64> {
    let size = jacobian.ncols();
    let open = || Error::NotPositiveDefinite {
        name: format!(
            "precision of the {size} generalised states (singular: data and motion of all orders leave a direction \
             of them open; take more orders N, a `state_ridge`, or the published `top_order` with `covariance_floor`)"
        ),
        pivot: 0,
        value: 0.0,
    };
    // Errors that do not count (the marginal top order) have no row in U.
    let rows: Vec<usize> = (0..precision.nrows())
        .filter(|&i| precision[(i, i)] > 0.0)
        .collect();
    let scale: Vec<f64> = rows
        .iter()
        .map(|&i| libm::sqrt(precision[(i, i)]))
        .collect();
    let scaled = DMatrix::from_fn(rows.len(), rows.len(), |a, b| {
        precision[(rows[a], rows[b])] / (scale[a] * scale[b])
    });
    let factor = scaled.cholesky().ok_or_else(open)?;
    let weighted = DMatrix::from_fn(rows.len(), size, |a, j| jacobian[(rows[a], j)] * scale[a]);
    let ridges: Vec<usize> = (0..size).filter(|&j| prior[(j, j)] > 0.0).collect();
    let mut a = DMatrix::zeros(rows.len() + ridges.len(), size);
    a.rows_mut(0, rows.len())
        .copy_from(&factor.l().tr_mul(&weighted));
    for (k, &j) in ridges.iter().enumerate() {
        a[(rows.len() + k, j)] = libm::sqrt(prior[(j, j)]);
    }
    if a.nrows() < size {
        return Err(open());
    }
    let norms: Vec<f64> = a.column_iter().map(|c| c.norm()).collect();
    for (mut column, &norm) in a.column_iter_mut().zip(&norms) {
        column /= norm.max(f64::MIN_POSITIVE);
    }
    let r = a.qr().r();
    let smallest = size as f64 * f64::EPSILON;
    if r.diagonal()
        .iter()
        .any(|d| d.is_nan() || d.abs() <= smallest)
    {
        return Err(open());
    }
    let mut root = DMatrix::identity(size, size);
    if !r.solve_upper_triangular_mut(&mut root) {
        return Err(open());
    }
    for (mut row, &norm) in root.row_iter_mut().zip(&norms) {
        row /= norm;
    }
    root.mul_to(&root.transpose(), inverse);
    let log_det: f64 = (0..size)
        .map(|i| libm::log(r[(i, i)].abs()) + libm::log(norms[i]))
        .sum();
    Ok(-2.0 * log_det)
}

/// max(ε(‖Λ‖_∞)·dim, e^−32), where ε(x) is the distance from x to the next number.
pub(crate) fn published_floor(precision: &DMatrix<f64>) -> f64 {
    let norm = precision
        .row_iter()
        .map(|row| row.iter().map(|v| v.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let spacing = norm.next_up() - norm;
    (spacing * precision.nrows() as f64).max(libm::exp(-32.0))
}

/// The inverse of a precision or covariance with e^−32 (more for large entries, by rounding) added to its
/// diagonal: what is known exactly gets a precision of e³².
pub(crate) fn regular_inverse(what: &str, matrix: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let mut inverse = DMatrix::zeros(matrix.nrows(), matrix.ncols());
    if matrix.nrows() > 0 {
        covariance(what, matrix, published_floor(matrix), &mut inverse)?;
    }
    Ok(inverse)
}

/// ln det A B.
pub(crate) fn log_det_of_product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let all = vec![true; a.nrows()];
    log_det(a, &all) + log_det(b, &all)
}

/// ln det of the part of a symmetric matrix in the rows that are `kept` and have something on the diagonal.
///
/// Where that part is not positive definite, singular values outside (10⁻¹⁶, 10¹⁶) are left out, as published.
pub(crate) fn log_det(matrix: &DMatrix<f64>, kept: &[bool]) -> f64 {
    let rows: Vec<usize> = (0..matrix.nrows())
        .filter(|&i| kept[i] && matrix[(i, i)] != 0.0)
        .collect();
    let part = DMatrix::from_fn(rows.len(), rows.len(), |i, j| matrix[(rows[i], rows[j])]);
    if let Some(factor) = part.clone().cholesky() {
        return 2.0
            * factor
                .l_dirty()
                .diagonal()
                .iter()
                .map(|d| libm::log(*d))
                .sum::<f64>();
    }
    // The iteration for singular values has no end among numbers that are none.
    if part.iter().any(|v| !v.is_finite()) {
        return f64::NAN;
    }
    part.singular_values()
        .iter()
        .filter(|&&v| v > 1e-16 && v < 1e16)
        .map(|&v| libm::log(v))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of inverses of matrices with a condition number up to 1e4.
    const ROUNDING: f64 = 1e-11;

    /// J, iS (one row of which does not count) and P of a small regular case, columns of J on different scales.
    fn case() -> (DMatrix<f64>, DMatrix<f64>, DMatrix<f64>) {
        let j = DMatrix::from_fn(5, 3, |i, k| {
            let scale = [1.0, 30.0, 0.02][k];
            scale * ((1 + i * 3 + 2 * k) as f64).sin()
        });
        let root = DMatrix::from_fn(5, 5, |i, k| match i.cmp(&k) {
            std::cmp::Ordering::Equal => 1.0 + i as f64,
            std::cmp::Ordering::Less => 0.3,
            std::cmp::Ordering::Greater => 0.0,
        });
        let mut precision = root.tr_mul(&root);
        precision.row_mut(4).fill(0.0);
        precision.column_mut(4).fill(0.0);
        let prior = DMatrix::from_diagonal(&DVector::from_vec(vec![0.5, 0.0, 0.0]));
        (j, precision, prior)
    }

    #[test]
    fn square_roots_give_the_inverse() {
        let (j, precision, prior) = case();
        let whole = j.tr_mul(&(&precision * &j)) + &prior;
        let (mut plain, mut rooted) = (DMatrix::zeros(3, 3), DMatrix::zeros(3, 3));
        let expected = covariance("Λ", &whole, 0.0, &mut plain).unwrap();
        let found = covariance_from_roots(&j, &precision, &prior, &mut rooted).unwrap();
        assert!((expected - found).abs() < ROUNDING * 100.0);
        assert!((&plain - &rooted).amax() < ROUNDING * plain.amax());
        assert!((rooted * whole - DMatrix::identity(3, 3)).amax() < ROUNDING * 100.0);
    }

    #[test]
    fn a_direction_that_nothing_sees_is_an_error() {
        let (mut j, precision, prior) = case();
        let twice = j.column(1) * 2.0;
        j.set_column(2, &twice);
        let mut rooted = DMatrix::zeros(3, 3);
        let error = covariance_from_roots(&j, &precision, &prior, &mut rooted).unwrap_err();
        assert!(error.to_string().contains("singular"), "{error}");
        assert_eq!(rooted, DMatrix::zeros(3, 3));
    }
}
