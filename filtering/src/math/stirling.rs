//! Densities of Gamma and Beta laws without the cancellation of large logarithms (C. Loader, "Fast and accurate computation of
//! binomial probabilities", 2000).

use libm::lgamma;

/// ½ ln 2π.
const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_8;
/// From here on the series of ln Γ has all digits.
const LARGE: f64 = 10.0;
/// To here t − ln(1 + t) is a series.
const NEAR: f64 = 0.3;

/// t − ln(1 + t) for 1 + t = r/s with the logarithms of r and s.
pub(super) fn excess(t: f64, ln_ratio: impl Fn() -> f64) -> f64 {
    if t.is_nan() || t.abs() > NEAR {
        return t - ln_ratio();
    }
    // ln(1 + t) = 2 (z + z³/3 + z⁵/5 + …), z = t/(2 + t)
    let z = t / (2.0 + t);
    let (mut power, mut sum, mut n) = (z * z * z, 0.0, 3.0);
    loop {
        let before = sum;
        sum += power / n;
        if sum == before {
            return t * z - 2.0 * sum;
        }
        (power, n) = (power * z * z, n + 2.0);
    }
}

/// ln Γ(z) − (z − ½) ln z + z − ½ ln 2π.
pub(super) fn remainder(z: f64) -> f64 {
    if z < LARGE {
        return lgamma(z) - (z - 0.5) * libm::log(z) + z - HALF_LN_2_PI;
    }
    let w = 1.0 / (z * z);
    let series = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    series.iter().rev().fold(0.0, |sum, c| sum * w + c) / z
}

/// xᵃ e⁻ˣ/Γ(a).
pub(super) fn gamma_front(a: f64, x: f64) -> f64 {
    let over = excess((x - a) / a, || libm::log(x) - libm::log(a));
    (a / std::f64::consts::TAU).sqrt() * libm::exp(-a * over - remainder(a))
}

/// ½(a + b)η² = a (t − ln(1 + t)) + b (s − ln(1 + s)) for x = x₀(1 + t), y = y₀(1 + s), x₀ = a/(a + b).
pub(super) fn beta_excess(a: f64, b: f64, [x, y]: [f64; 2], [ln_x, ln_y]: [f64; 2]) -> f64 {
    let (t, s) = relative_to_mean(a, b, x, y);
    let ln_all = libm::log(a + b);
    let first = excess(t, || ln_x - libm::log(a) + ln_all);
    let second = excess(s, || ln_y - libm::log(b) + ln_all);
    a * first + b * second
}

/// x/x₀ − 1 and y/y₀ − 1, by the smaller of x and y, which has the digits.
pub(super) fn relative_to_mean(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let (mean_x, mean_y) = (a / (a + b), b / (a + b));
    let off = match x < y {
        true => x - mean_x,
        false => mean_y - y,
    };
    (off / mean_x, -off / mean_y)
}

/// xᵃ yᵇ/B(a, b) for x + y = 1.
pub(super) fn beta_front(a: f64, b: f64, at: [f64; 2], ln: [f64; 2]) -> f64 {
    // ab/(a + b) without leaving the range of numbers.
    let root = (a / (a + b) * b / std::f64::consts::TAU).sqrt();
    let rest = remainder(a + b) - remainder(a) - remainder(b);
    root * libm::exp(rest - beta_excess(a, b, at, ln))
}
