//! The covariance V(s) of the derivatives of smooth noise, its inverse R(s) in closed form, and det V(s).
//!
//! Noise of unit variance that is white noise convolved with a Gaussian kernel of standard deviation s (in
//! bins) has the autocorrelation ρ(τ) = exp(−τ²/4s²). With a = 1/(2s²) = −ρ''(0), for orders 0 … n − 1,
//!
//! ```text
//! V_ij    = Cov(e⁽ⁱ⁾, e⁽ʲ⁾) = (−1)ⁱ ρ⁽ⁱ⁺ʲ⁾(0) = (−1)^((j−i)/2) a^((i+j)/2) (i+j−1)!!   for i + j even, else 0
//! R_ij    = (V⁻¹)_ij = a^(−(i+j)/2) Σ_k k! / (2^(k−(i+j)/2) ((k−i)/2)! ((k−j)/2)! i! j!),
//!           k = max(i,j), max(i,j) + 2, … ≤ n − 1                                         for i + j even, else 0
//! det V   = a^(n(n−1)/2) ∏_{k<n} k!
//! ```
//!
//! (generalised coordinates: Friston, "Hierarchical models in the brain", 2008.) The sum is Hermite's: the
//! derivatives are what the polynomials He_k make uncorrelated. All its terms are positive, so R loses no
//! digit to cancellation, however small s is; inverting V would lose all of them.

use nalgebra::DMatrix;

use crate::{Error, Result};

/// The most orders with exact factorials in the closed form: 170! is the largest in an `f64`.
const MOST_ORDERS: usize = 60;

/// The smoothness that the published schemes use for s = 0, white noise.
pub const PUBLISHED_WHITE: f64 = 3.354_626_279_025_118_5e-4; // exp(−8)

/// V(s) `[n, n]`: the covariance of the derivatives 0 … n − 1 of noise of unit variance and smoothness `s`.
///
/// # Errors
/// [`Error::Setting`] for no order or more than 60, or for an s that is not positive: the derivatives of
/// white noise have no variance.
pub fn temporal_covariance(orders: usize, s: f64) -> Result<DMatrix<f64>> {
    check(orders, s)?;
    if s == 0.0 {
        let expected = "a positive number; derivatives of white noise have no finite variance";
        return Err(Error::setting("smoothness", s, expected));
    }
    let a = 0.5 / (s * s);
    Ok(DMatrix::from_fn(orders, orders, |i, j| {
        if (i + j) % 2 == 1 {
            return 0.0;
        }
        let sign = if i.abs_diff(j) % 4 == 0 { 1.0 } else { -1.0 };
        let odd_factorial: f64 = (1..i + j).step_by(2).map(|k| k as f64).product();
        sign * a.powi(((i + j) / 2) as i32) * odd_factorial
    }))
}

/// R(s) = V(s)⁻¹ `[n, n]`, by its closed form. For s = 0 it is the limit, R_00 alone on the diagonal.
///
/// ```
/// use scotopic_filtering::generalised::temporal_precision;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let r = temporal_precision(4, 0.5)?;
/// assert_eq!(r[(0, 0)], 1.5);
/// assert_eq!(r[(1, 3)], 0.125);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Setting`] for no order or more than 60, or for an s that is negative or not finite.
pub fn temporal_precision(orders: usize, s: f64) -> Result<DMatrix<f64>> {
    check(orders, s)?;
    let factorial = |k: usize| (2..=k).map(|i| i as f64).product::<f64>();
    let width = 2.0 * s * s;
    Ok(DMatrix::from_fn(orders, orders, |i, j| {
        if (i + j) % 2 == 1 {
            return 0.0;
        }
        let half = (i + j) / 2;
        let sum: f64 = (i.max(j)..orders)
            .step_by(2)
            .map(|k| {
                let halves = factorial((k - i) / 2) * factorial((k - j) / 2);
                factorial(k) / (2f64.powi((k - half) as i32) * halves * factorial(i) * factorial(j))
            })
            .sum();
        width.powi(half as i32) * sum
    }))
}

/// ln det V(s) = ½n(n − 1) ln a + Σ_{k<n} ln k!, which is −ln det R(s). Infinite for s = 0 and two orders or more.
///
/// # Errors
/// As [`temporal_precision`].
pub fn log_det_temporal_covariance(orders: usize, s: f64) -> Result<f64> {
    check(orders, s)?;
    if orders == 1 {
        return Ok(0.0);
    }
    let pairs = (orders * (orders - 1) / 2) as f64;
    // ∏_{k<n} k! holds each number j as often as there are k ≥ j, which is n − j times.
    let factorials: f64 = (2..orders)
        .map(|j| (orders - j) as f64 * libm::log(j as f64))
        .sum();
    Ok(factorials - pairs * libm::log(2.0 * s * s))
}

/// R_00 for n orders and any s: the factor by which the first n − 1 derivatives increase the precision of the value.
///
/// ```text
/// R_00 = ∏_{q=1}^{⌈n/2⌉−1} (2q + 1)/(2q)
/// ```
pub fn sharpening(orders: usize) -> f64 {
    (1..orders.div_ceil(2))
        .map(|q| (2 * q + 1) as f64 / (2 * q) as f64)
        .product()
}

fn check(orders: usize, s: f64) -> Result<()> {
    if orders == 0 || orders > MOST_ORDERS {
        return Err(Error::setting(
            "orders",
            orders,
            format!("from 1 (the value alone) to {MOST_ORDERS}"),
        ));
    }
    if !(s.is_finite() && s >= 0.0) {
        let expected = "a smoothness of 0 or more, in bins";
        return Err(Error::setting("smoothness", s, expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of the products of V and R, whose terms reach cond(V) = 6e7 at n = 8, s = ½.
    const ROUNDING: f64 = 1e-12;

    #[test]
    fn the_closed_form_inverts_the_covariance() {
        for s in [0.3, 0.5, 1.0, 2.0] {
            for n in 1..=8 {
                let v = temporal_covariance(n, s).unwrap();
                let r = temporal_precision(n, s).unwrap();
                let a = 0.5 / (s * s);
                // In the natural units of each derivative, a^(i/2), so that every row counts alike.
                let product = &v * &r;
                for i in 0..n {
                    for j in 0..n {
                        let unit = a.powf((i as f64 - j as f64) / 2.0);
                        let scale: f64 = (0..n).map(|k| (v[(i, k)] * r[(k, j)]).abs()).sum();
                        let expected = f64::from(u8::from(i == j));
                        let off = (product[(i, j)] - expected).abs() / unit;
                        assert!(
                            off <= ROUNDING * (1.0 + scale / unit),
                            "n {n} s {s}: {off:e}"
                        );
                    }
                }
                let log_det = v.determinant().ln();
                let closed = log_det_temporal_covariance(n, s).unwrap();
                assert!((log_det - closed).abs() < 1e-7 * (1.0 + closed.abs()));
                assert!((r[(0, 0)] - sharpening(n)).abs() < ROUNDING);
            }
        }
    }

    #[test]
    fn white_noise_is_the_limit_of_rough_noise() {
        let limit = temporal_precision(7, 0.0).unwrap();
        let rough = temporal_precision(7, 1e-9).unwrap();
        assert!((&limit - rough).amax() < 1e-15);
        assert_eq!(limit[(0, 0)], 2.1875);
        assert_eq!(limit.sum(), limit[(0, 0)]);
        assert!(temporal_covariance(3, 0.0).is_err());
        assert_eq!(log_det_temporal_covariance(3, 0.0).unwrap(), f64::INFINITY);
        assert!((PUBLISHED_WHITE - (-8f64).exp()).abs() < 1e-18);
    }

    #[test]
    fn bad_settings_are_named() {
        for (orders, s) in [(0, 0.5), (61, 0.5), (3, -0.5), (3, f64::NAN)] {
            assert!(matches!(
                temporal_precision(orders, s),
                Err(Error::Setting { .. })
            ));
        }
    }
}
