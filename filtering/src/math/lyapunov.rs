//! The stationary covariance of a linear recursion.

use nalgebra::DMatrix;

use super::cholesky::symmetric;

/// Doublings of the sum below: 2⁶⁰ terms.
const DOUBLINGS: usize = 60;
/// What is added last, relative to the sum.
const LEFT: f64 = f64::EPSILON * 1e-3;

/// P = F P Fᵀ + Q = Σ_k Fᵏ Q (Fᵏ)ᵀ of a stationary F, by doubling; `None` where the sum does not converge.
/// Each variance must have converged in its own units.
pub(crate) fn stationary_covariance(f: &DMatrix<f64>, q: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (mut power, mut sum) = (f.clone(), q.clone());
    for _ in 0..DOUBLINGS {
        let more = &power * &sum * power.transpose();
        let size = more.amax();
        if !size.is_finite() {
            return None;
        }
        sum += &more;
        let own = |i: usize| more[(i, i)].abs() <= LEFT * sum[(i, i)].abs();
        if size <= LEFT * sum.amax() && (0..f.nrows()).all(own) {
            return Some(symmetric(sum));
        }
        power = &power * &power;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stationary_variance_of_ar1_is_the_closed_form() {
        let one = |v: f64| DMatrix::from_element(1, 1, v);
        for phi in [0.0, 0.5, -0.9, 0.999_999] {
            let p = stationary_covariance(&one(phi), &one(2.0)).unwrap()[(0, 0)];
            let exact = 2.0 / ((1.0 - phi) * (1.0 + phi));
            // 1 − φ² loses six digits at 0.999999 in any arithmetic.
            assert!((p / exact - 1.0).abs() < 1e-9, "{phi} {p} {exact}");
        }
        assert!(stationary_covariance(&one(1.0), &one(2.0)).is_none());
    }

    /// A slow state in small units beside a fast one in large units.
    #[test]
    fn states_of_other_units_converge_each_in_its_own() {
        let diagonal =
            |a: f64, b: f64| DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![a, b]));
        let p = stationary_covariance(&diagonal(0.99, 0.1), &diagonal(2e-12, 1e18)).unwrap();
        let exact = [2e-12 / (0.01 * 1.99), 1e18 / (0.9 * 1.1)];
        for i in 0..2 {
            // A sum of doublings rounds a few units of the last place.
            assert!((p[(i, i)] / exact[i] - 1.0).abs() < 1e-13, "{}", p[(i, i)]);
        }
    }
}
