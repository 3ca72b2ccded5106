//! Incomplete Beta and Gamma functions, and the tails of the distributions made of them.

use libm::lgamma;

/// Below this a term no longer changes a sum or product near 1.
const NEGLIGIBLE: f64 = 1e-16;
/// Terms of a series or continued fraction before giving up; both need about √max(a, b) of them.
const TERMS: usize = 100_000;

/// I_x(a, b), the regularised incomplete Beta function.
pub(crate) fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    beta_both(a, b, [x, 1.0 - x], [x.ln(), (-x).ln_1p()]).0
}

/// I_x(a, b) and I_y(b, a) for x + y = 1, of which the smaller is given to its last digits: [`beta_cdf`] of an x so near to 1 that
/// 1 − x has none left.
pub(crate) fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let ln = |x: f64, y: f64| if y < 0.5 { (-y).ln_1p() } else { x.ln() };
    beta_both(a, b, [x, y], [ln(x, y), ln(y, x)])
}

/// The continued fraction of I_x(a, b) converges fast for x < (a + 1)/(a + b + 2); beyond, I_x(a, b) = 1 − I_y(b, a).
fn beta_both(a: f64, b: f64, [x, y]: [f64; 2], [ln_x, ln_y]: [f64; 2]) -> (f64, f64) {
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let front = (a * ln_x + b * ln_y + lgamma(a + b) - lgamma(a) - lgamma(b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = front * beta_fraction(a, b, x) / a;
        (below, 1.0 - below)
    } else {
        let above = front * beta_fraction(b, a, y) / b;
        (1.0 - above, above)
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

/// P(a, x), the regularised incomplete Gamma function.
pub(crate) fn gamma_cdf(a: f64, x: f64) -> f64 {
    gamma_tails(a, x).0
}

/// P(a, x) and Q(a, x) = 1 − P(a, x), each to its own last digits: the series of P below a + 1, the fraction of Q above.
pub(crate) fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
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
        return (front * sum, 1.0 - front * sum);
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
    (1.0 - front * value, front * value)
}

/// P(X > x) for X ~ χ²(k).
pub(crate) fn chi_squared_tail(k: f64, x: f64) -> f64 {
    gamma_tails(0.5 * k, 0.5 * x).1
}

/// P(X ≤ x) and P(X > x) for X ~ F(a, b), the ratio of two mean squares with a and b degrees of freedom.
pub(crate) fn f_tails(a: f64, b: f64, x: f64) -> (f64, f64) {
    let below = a * x / (a * x + b);
    let above = b / (a * x + b);
    (
        beta_cdf(0.5 * a, 0.5 * b, below),
        beta_cdf(0.5 * b, 0.5 * a, above),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lgamma of libm.
    const ROUNDING: f64 = 1e-12;

    #[test]
    fn the_tails_of_the_usual_tests() {
        // scipy 1.x: chi2.sf(18.307038053275146, 10), f.sf(1.7, 30, 30), f.cdf(0.4, 33, 33)
        assert!((chi_squared_tail(10.0, 18.307_038_053_275_146) - 0.05).abs() < ROUNDING);
        // χ²(2) is exponential.
        assert!((chi_squared_tail(2.0, 80.0) / (-40.0f64).exp() - 1.0).abs() < 1e-11);
        // F(2, 2): P(X ≤ x) = x/(1 + x).
        let (below, above) = f_tails(2.0, 2.0, 3.0);
        assert!((below - 0.75).abs() < ROUNDING && (above - 0.25).abs() < ROUNDING);
    }
}
