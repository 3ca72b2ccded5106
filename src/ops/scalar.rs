//! Branch-free `exp` and `ln` in f32, written so that the compiler turns loops over them into vector
//! instructions.
//!
//! Both are the classic minimax polynomials of the Cephes library (Moshier), evaluated with fused multiply-adds in a
//! fixed order: the result has the same bits on every CPU, which a call into the platform's mathematics library
//! does not promise. A CPU that has no such instruction (x86 before 2013) calls a function for each, which is
//! slow and rounds alike. Relative error of each is
//! below 2.5e-7 (tested below against f64).

/// `eˣ`; arguments are limited to [−87.3, 88.3], so the result is always a normal number.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // Adding and taking away 1.5·2²³ rounds to the nearest integer without an instruction for it.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > 88.3 { 88.3 } else { x };
    let x = if x < -87.3 { -87.3 } else { x };
    let rounded = x.mul_add(LOG2_E, ROUND);
    let n = rounded - ROUND;
    // ln 2 in two parts: n·0.693359375 is exact.
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let mut p: f32 = 1.987_569_1e-4;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 0.5);
    let y = (p * r).mul_add(r, r + 1.0);
    // The low bits of `rounded` are n itself; shifted into the exponent they are 2ⁿ.
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    y * scale
}

/// `ln x` for normal positive `x`.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // Mantissa in [½, 1) and its exponent; below √½ double it, so that the polynomial sees [√½, √2).
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let exponent = ((bits >> 23) as i32 - 126) as f32;
    let low = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let m = if low { mantissa + mantissa } else { mantissa } - 1.0;
    let e = if low { exponent - 1.0 } else { exponent };
    let square = m * m;
    let mut p: f32 = 7.037_683_6e-2;
    p = p.mul_add(m, -1.151_461e-1);
    p = p.mul_add(m, 1.167_699_8e-1);
    p = p.mul_add(m, -1.242_014_1e-1);
    p = p.mul_add(m, 1.424_932_3e-1);
    p = p.mul_add(m, -1.666_805_8e-1);
    p = p.mul_add(m, 2.000_071_5e-1);
    p = p.mul_add(m, -2.499_999_4e-1);
    p = p.mul_add(m, 3.333_333e-1);
    let mut y = p * m * square;
    y = e.mul_add(-2.121_944_4e-4, y);
    y = square.mul_add(-0.5, y);
    e.mul_add(0.693_359_4, m + y)
}

/// `σ(x) = 1/(1 + e⁻ˣ)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `cos 2πx` for x in (0, 1), absolute error below 2e-7: −sin y of y = 2π(¼ − |x − ½|), |y| ≤ π/2.
#[inline(always)]
pub fn cos_turns(x: f32) -> f32 {
    let y = std::f32::consts::TAU * (0.25 - (x - 0.5).abs());
    let square = y * y;
    let mut p: f32 = -2.505_21e-8;
    p = p.mul_add(square, 2.755_732e-6);
    p = p.mul_add(square, -1.984_127e-4);
    p = p.mul_add(square, 8.333_333e-3);
    p = p.mul_add(square, -0.166_666_67);
    -(y * square).mul_add(p, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_ln_agree_with_double_precision() {
        let (mut worst_exp, mut worst_ln) = (0f64, 0f64);
        for i in 0..200_000 {
            let x = -87.0 + 175.0 * i as f32 / 200_000.0;
            let exact = (x as f64).exp();
            worst_exp = worst_exp.max(((exp(x) as f64 - exact) / exact).abs());
            let y = exp(x * 0.3);
            let exact = (y as f64).ln();
            // Near 1 the logarithm itself is small: an absolute error of one unit in the last place of 1.
            worst_ln = worst_ln.max((ln(y) as f64 - exact).abs() / exact.abs().max(1.0));
        }
        assert!(worst_exp < 2.5e-7, "exp: {worst_exp:e}");
        assert!(worst_ln < 1.2e-7, "ln: {worst_ln:e}");
    }

    #[test]
    fn cosine_agrees_with_double_precision() {
        let worst = (1..100_000).map(|i| i as f32 / 100_000.0).map(|x| {
            let exact = (std::f64::consts::TAU * f64::from(x)).cos();
            (f64::from(cos_turns(x)) - exact).abs()
        });
        let worst = worst.fold(0.0, f64::max);
        assert!(worst < 2e-7, "{worst:e}");
    }

    #[test]
    fn extreme_arguments_stay_finite() {
        for x in [-1e30, -100.0, 100.0, 1e30] {
            assert!(exp(x).is_finite() && exp(x) > 0.0);
        }
        assert_eq!(sigmoid(-1e9), 1.0 / (1.0 + exp(88.3)));
        assert!((sigmoid(1e9) - 1.0).abs() < 1e-7);
    }
}
