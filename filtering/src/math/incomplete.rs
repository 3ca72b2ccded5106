//! Incomplete Beta and Gamma functions, and the tails of the distributions made of them.

use super::stirling::{beta_front, gamma_front};
use super::uniform::{beta_uniform, gamma_uniform};

/// Below this a term no longer changes a sum or product near 1.
const NEGLIGIBLE: f64 = 1e-16;
/// Most terms of a series or continued fraction; none that is asked for needs so many.
const TERMS: usize = 1_000_000;
/// From this parameter on the uniform expansion of the Gamma function has all digits.
const UNIFORM_GAMMA: f64 = 1e4;
/// From both parameters of this size on that of the Beta function has.
const UNIFORM_BETA: f64 = 1e8;
/// Where b (b/a)² is below this, I_x(a, b) is an incomplete Gamma function to so much.
const APART: f64 = 1e-13;
/// From this parameter on the sum of the finite side ends before its terms change sign: after some nine of its roots.
const SUMMED: f64 = 100.0;

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

/// By what is left of the mean, x < (a + 1)/(a + b + 2); beyond, I_x(a, b) = 1 − I_y(b, a).
fn beta_both(a: f64, b: f64, [x, y]: [f64; 2], ln @ [ln_x, ln_y]: [f64; 2]) -> (f64, f64) {
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let apart = |small: f64, large: f64| small * (small / large).powi(2) < APART;
    // J. Wise, "The incomplete beta function as a contour integral", 1950.
    let scaled =
        |small: f64, large: f64, ln: f64| gamma_tails(small, -(large + 0.5 * (small - 1.0)) * ln);
    if a < b && apart(a, b) {
        return scaled(a, b, ln_y);
    }
    if b < a && apart(b, a) {
        let (above, below) = scaled(b, a, ln_x);
        return (below, above);
    }
    if a.min(b) >= UNIFORM_BETA {
        return beta_uniform(a, b, [x, y], ln);
    }
    let front = beta_front(a, b, [x, y], ln);
    let below_mean = x < (a + 1.0) / (a + b + 2.0);
    if front == 0.0 {
        return if below_mean { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    if below_mean {
        let below = front * beta_part(a, b, x, y);
        (below, 1.0 - below)
    } else {
        let above = front * beta_part(b, a, y, x);
        (1.0 - above, above)
    }
}

/// I_x(a, b)/(xᵃ yᵇ/B(a, b)) for x below the mean.
fn beta_part(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if a < b || b < SUMMED {
        return beta_fraction(a, b, x) / a;
    }
    // F(1, 1 − b; a + 1; −x/y)/(a y): the fraction needs √a terms, this √b.
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 0..TERMS {
        let n = n as f64;
        term *= (b - 1.0 - n) / (a + 1.0 + n) * (x / y);
        sum += term;
        if term <= sum * NEGLIGIBLE {
            break;
        }
    }
    sum / (a * y)
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

/// P(a, x) and Q(a, x) = 1 − P(a, x), each to its own last digits: the series of P below a + 1, the fraction of Q above; of a large a
/// the uniform expansion.
pub(crate) fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 || a.is_infinite() {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    if a >= UNIFORM_GAMMA {
        return gamma_uniform(a, x);
    }
    let front = gamma_front(a, x);
    if front == 0.0 {
        return if x < a { (0.0, 1.0) } else { (1.0, 0.0) };
    }
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

    /// Integrals of the density by mpmath with 50 digits.
    #[test]
    fn beta_functions_of_parameters_of_any_size() {
        for (a, b, x, y, below, above) in [
            (
                1e9,
                1e9,
                0.49996645898034586,
                0.5000335410196541,
                0.0013498980216481764,
                0.998_650_101_978_351_8,
            ),
            (
                1e9,
                1e9,
                0.5000143287235962,
                0.4999856712764038,
                0.900_008_499_863_445_4,
                0.099_991_500_136_554_61,
            ),
            (
                1e5,
                1e5,
                0.49664590641897377,
                0.5033540935810262,
                0.001_349_798_315_830_222,
                0.998_650_201_684_169_7,
            ),
            (
                1e5,
                1e5,
                0.5014328687778143,
                0.49856713122218566,
                0.900_008_118_267_407_7,
                0.09999188173259232,
            ),
            (
                1e11,
                1e6,
                0.999989970100449,
                1.0029899551005465e-05,
                0.001_361_740_468_014_351,
                0.998_638_259_531_985_6,
            ),
            (
                1e11,
                1e6,
                0.9999900129158068,
                9.98708419323765e-06,
                0.900_046_143_277_524_6,
                0.099_953_856_722_475_42,
            ),
            (
                3e8,
                2e12,
                0.0001499515284569559,
                0.999850048471543,
                0.001_349_215_938_649_43,
                0.998_650_784_061_350_5,
            ),
            (
                3e8,
                2e12,
                0.00014998859985926603,
                0.9998500114001407,
                0.900_006_330_708_96,
                0.099_993_669_291_040_03,
            ),
            (
                2e2,
                3e7,
                5.252422825733027e-06,
                0.9999947475771742,
                0.000_643_228_156_738_264,
                0.999_356_771_843_261_8,
            ),
            (
                2e2,
                3e7,
                7.270768204825277e-06,
                0.9999927292317952,
                0.897_638_855_585_890_5,
                0.10236114441410944,
            ),
            (
                1e6,
                150.0,
                0.9998132884343262,
                0.0001867115656738842,
                0.0024635448684256246,
                0.997_536_455_131_574_4,
            ),
            (
                1e6,
                150.0,
                0.9998657152880398,
                0.00013428471196019425,
                0.903_503_490_688_086_3,
                0.096_496_509_311_913_63,
            ),
        ] {
            let found = beta_tails(a, b, x, y);
            // The last digit of the smaller of x and y moves the tails by some 1e-12 where deviations are 1e-5 of the mean.
            for (found, right) in [(found.0, below), (found.1, above)] {
                let off: f64 = found / right - 1.0;
                assert!(off.abs() < 1e-9, "{a} {b} {x}: {found} {right}");
            }
        }
    }

    /// Integrals of the density by mpmath with 60 digits; where the expansion takes over the series gives the same.
    #[test]
    fn gamma_functions_of_parameters_of_any_size() {
        for (a, x, below, above) in [
            (
                20_182.0,
                2e4,
                0.099_808_814_521_045_51,
                0.900_191_185_478_954_5,
            ),
            (
                997_001.0,
                1e6,
                0.998_653_796_281_758_9,
                0.001_346_203_718_241_104_6,
            ),
            (
                10_000_128_161.0,
                1e10,
                0.099_990_810_581_403_47,
                0.900_009_189_418_596_5,
            ),
            (
                9_999_200_001.0,
                1e10,
                0.999_999_999_999_999_3,
                6.215_910_151_918_876e-16,
            ),
            (
                1_000_006_000_001.0,
                1e12,
                9.866_200_501_806_592e-10,
                0.999_999_999_013_38,
            ),
            (
                10_000_000_050_000_001.0,
                1e16,
                0.308_537_536_525_578_64,
                0.691_462_463_474_421_4,
            ),
            (
                99_999_999_987_500_007_424.0,
                1e20,
                0.894_350_090_726_980_7,
                0.105_649_909_273_019_3,
            ),
        ] {
            let found = gamma_tails(a, x);
            for (found, right) in [(found.0, below), (found.1, above)] {
                let off: f64 = found / right - 1.0;
                // a + 1 is rounded from 2⁵³ on.
                let room = 1e-9 + a.sqrt() * f64::EPSILON;
                assert!(off.abs() < room, "{a} {x}: {found} {right}");
            }
        }
        let (a, below) = (UNIFORM_GAMMA, UNIFORM_GAMMA * (1.0 - f64::EPSILON));
        for z in [-6.0, -3.0, -0.4, 0.0, 1.0, 2.5, 6.0] {
            let x = a + z * a.sqrt();
            let (series, uniform) = (gamma_tails(below, x), gamma_tails(a, x));
            for (one, other) in [(series.0, uniform.0), (series.1, uniform.1)] {
                assert!((one / other - 1.0).abs() < 1e-10, "{z}: {one} {other}");
            }
        }
    }
}
