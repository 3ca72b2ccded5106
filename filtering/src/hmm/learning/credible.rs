//! Credible intervals of Beta and Gamma distributions, for Dirichlet and Gamma posteriors.

use libm::lgamma;

use crate::{Error, Result};

/// Below this a term no longer changes a sum or product near 1.
const NEGLIGIBLE: f64 = 1e-16;
/// Terms of a series or continued fraction before giving up; both need about √max(a, b) of them.
const TERMS: usize = 100_000;

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

/// I_x(a, b), the regularised incomplete Beta function: its continued fraction, which converges fast for
/// x < (a + 1)/(a + b + 2); beyond, I_x(a, b) = 1 − I_{1−x}(b, a).
fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (a * x.ln() + b * (-x).ln_1p() + lgamma(a + b) - lgamma(a) - lgamma(b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// 1/(1 + d₁/(1 + d₂/(1 + …))), by the modified Lentz recurrence.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |v: f64| {
        if v.abs() < f64::MIN_POSITIVE {
            f64::MIN_POSITIVE
        } else {
            v
        }
    };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for m in 1..TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        value *= c * d;
        if (c * d - 1.0).abs() < NEGLIGIBLE {
            break;
        }
    }
    value
}

/// P(a, x), the regularised incomplete Gamma function: its series below a + 1, its fraction above.
fn gamma_cdf(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (a * x.ln() - x - lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * NEGLIGIBLE {
                break;
            }
        }
        return front * sum;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / f64::MIN_POSITIVE, 1.0 / b);
    let mut value = d;
    for n in 1..TERMS {
        let n = n as f64;
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        value *= c * d;
        if (c * d - 1.0).abs() < NEGLIGIBLE {
            break;
        }
    }
    1.0 - front * value
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
