//! Credible intervals of Beta and Gamma distributions, for Dirichlet and Gamma posteriors.

use crate::math::incomplete::{beta_cdf, gamma_cdf};
use crate::{Error, Result};

/// The equal-tailed interval of probability `level` of Beta(a, b): each entry of a Dirichlet(α) is
/// Beta(α_j, Σ_l α_l − α_j).
///
/// ```
/// let (low, high) = scotopic_filtering::hmm::beta_interval(1.0, 1.0, 0.9)?;
/// assert!((low - 0.05).abs() < 1e-12 && (high - 0.95).abs() < 1e-12);
/// # Ok::<(), scotopic_filtering::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for a, b that are not positive and finite, or a level that is not between 0 and 1.
pub fn beta_interval(a: f64, b: f64, level: f64) -> Result<(f64, f64)> {
    check(&[("a", a), ("b", b)], level)?;
    let quantile = |p: f64| bisect(0.0, 1.0, |x| beta_cdf(a, b, x) < p);
    Ok((quantile(0.5 * (1.0 - level)), quantile(0.5 * (1.0 + level))))
}

/// The equal-tailed interval of probability `level` of Gamma(a, b), shape a and rate b (mean a/b).
///
/// ```
/// // Gamma(1, 2) is exponential: its quantiles are −ln(1 − p)/2.
/// let (low, high) = scotopic_filtering::hmm::gamma_interval(1.0, 2.0, 0.5)?;
/// assert!((low + 0.75f64.ln() / 2.0).abs() < 1e-12 && (high + 0.25f64.ln() / 2.0).abs() < 1e-12);
/// # Ok::<(), scotopic_filtering::Error>(())
/// ```
///
/// # Errors
/// As [`beta_interval`].
pub fn gamma_interval(a: f64, b: f64, level: f64) -> Result<(f64, f64)> {
    check(&[("a", a), ("b", b)], level)?;
    let mut top = a + 10.0 * a.sqrt() + 10.0;
    let quantile = |p: f64, top: &mut f64| {
        while gamma_cdf(a, *top) < p {
            *top *= 2.0;
        }
        bisect(0.0, *top, |x| gamma_cdf(a, x) < p) / b
    };
    let low = quantile(0.5 * (1.0 - level), &mut top);
    Ok((low, quantile(0.5 * (1.0 + level), &mut top)))
}

fn check(shapes: &[(&'static str, f64)], level: f64) -> Result<()> {
    for &(field, value) in shapes {
        if !(value > 0.0 && value.is_finite()) {
            return Err(Error::setting(field, value, "a positive finite number"));
        }
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::setting(
            "level",
            level,
            "a probability between 0 and 1",
        ));
    }
    Ok(())
}

/// Where `below` turns false between two ends.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    // A double has 53 bits; small quantiles need some more halvings of the interval.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle == low || middle == high {
            break;
        }
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lgamma of libm, and differences from 1 in the upper tail.
    const ROUNDING: f64 = 1e-10;

    #[test]
    fn closed_forms_of_the_beta() {
        for x in [0.01, 0.2, 0.5, 0.77, 0.999] {
            for a in [0.3f64, 1.0, 2.5, 40.0] {
                assert!((beta_cdf(a, 1.0, x) - f64::powf(x, a)).abs() < ROUNDING);
                assert!((beta_cdf(1.0, a, x) - (1.0 - f64::powf(1.0 - x, a))).abs() < ROUNDING);
            }
            // Beta(1/2, 1/2) is the arcsine law; Beta(2, 3) is a polynomial.
            let arcsine = 2.0 / std::f64::consts::PI * f64::sqrt(x).asin();
            assert!((beta_cdf(0.5, 0.5, x) - arcsine).abs() < ROUNDING);
            let polynomial = x * x * (6.0 - 8.0 * x + 3.0 * x * x);
            assert!((beta_cdf(2.0, 3.0, x) - polynomial).abs() < ROUNDING);
        }
    }

    #[test]
    fn closed_forms_of_the_gamma() {
        for x in [0.01f64, 0.5, 1.9, 2.1, 7.0, 40.0] {
            assert!((gamma_cdf(1.0, x) - (1.0 - (-x).exp())).abs() < ROUNDING);
            let third = 1.0 - (-x).exp() * (1.0 + x + 0.5 * x * x);
            assert!((gamma_cdf(3.0, x) - third).abs() < ROUNDING);
        }
    }

    #[test]
    fn large_shapes_are_nearly_normal() {
        let (low, high) = beta_interval(4e5, 6e5, 0.954_499_736).unwrap();
        let deviation = (0.24f64 / 1e6).sqrt();
        assert!(
            (low - (0.4 - 2.0 * deviation)).abs() < 0.01 * deviation,
            "{low}"
        );
        assert!(
            (high - (0.4 + 2.0 * deviation)).abs() < 0.01 * deviation,
            "{high}"
        );
        let (low, high) = gamma_interval(1e6, 2.0, 0.954_499_736).unwrap();
        assert!(
            (low - 499_000.0).abs() < 5.0 && (high - 501_000.0).abs() < 5.0,
            "{low} {high}"
        );
    }

    #[test]
    fn senseless_shapes_are_refused() {
        assert!(beta_interval(0.0, 1.0, 0.9).is_err());
        assert!(beta_interval(1.0, 1.0, 1.0).is_err());
        assert!(gamma_interval(1.0, f64::INFINITY, 0.9).is_err());
    }
}
