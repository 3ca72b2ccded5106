//! A step up a quadratic landscape, for a limited time.

use nalgebra::{DMatrix, DVector};

use crate::generalised::integrator::LocalLinearisation;

/// The longest time τ of a step: nearly Newton's.
pub(super) const LONGEST: f64 = 4.0;

/// The ascent along `gradient` in a landscape of this `curvature` for a time exp(τ)/|det|^{1/dim}. Where
/// `diagonal_counts_as_one`, the determinant of a curvature without entries off its diagonal counts as one.
///
/// Directions that do not mix are solved one by one, Δ_i = g_i (e^{c_i t} − 1)/c_i: exact even where one is known so well
/// (e³²) that an exponential of the whole would round the others away.
pub(super) fn regularised_step(
    curvature: &DMatrix<f64>,
    gradient: &DVector<f64>,
    time: f64,
    diagonal_counts_as_one: bool,
) -> DVector<f64> {
    let n = gradient.len();
    let mut step = DVector::zeros(n);
    if n == 0 {
        return step;
    }
    // The iteration for singular values has no end among numbers that are none.
    if curvature.iter().any(|v| !v.is_finite()) {
        step.fill(f64::NAN);
        return step;
    }
    let diagonal = (0..n).all(|i| (0..n).all(|j| i == j || curvature[(i, j)] == 0.0));
    // What is known exactly, with a curvature of e³² or more, does not shorten the time of the rest.
    let log_det: f64 = match diagonal_counts_as_one && diagonal {
        true => 0.0,
        false => curvature
            .singular_values()
            .iter()
            .filter(|&&v| v > 1e-16 && v < libm::exp(32.0))
            .map(|&v| libm::log(v))
            .sum(),
    };
    let h = libm::exp(time - log_det / n as f64);
    if diagonal {
        return DVector::from_fn(n, |i, _| {
            let c = curvature[(i, i)];
            let reach = if c == 0.0 { h } else { libm::expm1(c * h) / c };
            gradient[i] * reach
        });
    }
    let forcing = DMatrix::from_column_slice(n, 1, gradient.as_slice());
    LocalLinearisation::new(n, 1).step(curvature, &forcing, h, &mut step);
    step
}

/// How far away the end of a way is on which a step of this `length` follows one of the length `before`: if steps go on
/// shrinking as they do, length·(r + r² + …) + length = length/(1 − r), r = length/before; without bound if they do not.
pub(super) fn left(length: f64, before: Option<f64>) -> f64 {
    match before {
        Some(before) if length < before => length / (1.0 - length / before),
        Some(_) if length == 0.0 => 0.0,
        _ => f64::INFINITY,
    }
}
