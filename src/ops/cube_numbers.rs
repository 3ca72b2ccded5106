//! The arithmetic that GPU kernels share: the generator of the noise, exp, ln and cos.
//!
//! These are the polynomials of [`crate::ops::scalar`] again, because the accuracy of a shader's own
//! functions is left to the driver (WGSL allows e^x an error of 3 + 2|x| units in the last place), and
//! a count that two devices should agree on cannot depend on that.

use cubecl::prelude::*;

const LOG2_E: f32 = std::f32::consts::LOG2_E;

#[derive(CubeType, Clone, Copy)]
pub(crate) struct Words {
    pub a: u32,
    pub b: u32,
    pub c: u32,
    pub d: u32,
}

#[cube]
pub(crate) fn philox4x32(
    element: u32,
    group: u32,
    step: u32,
    stream: u32,
    key0: u32,
    key1: u32,
) -> Words {
    let mut c0 = element;
    let mut c1 = group;
    let mut c2 = step;
    let mut c3 = stream;
    let mut k0 = key0;
    let mut k1 = key1;
    #[unroll]
    for _ in 0..10u32 {
        let hi0 = u32::mul_hi(0xD251_1F53u32, c0);
        let lo0 = 0xD251_1F53u32 * c0;
        let hi1 = u32::mul_hi(0xCD9E_8D57u32, c2);
        let lo1 = 0xCD9E_8D57u32 * c2;
        c0 = hi1 ^ c1 ^ k0;
        c1 = lo1;
        c2 = hi0 ^ c3 ^ k1;
        c3 = lo0;
        k0 += 0x9E37_79B9u32;
        k1 += 0xBB67_AE85u32;
    }
    Words {
        a: c0,
        b: c1,
        c: c2,
        d: c3,
    }
}

#[cube]
pub(crate) fn exp_of(x: f32) -> f32 {
    let x = clamp(x, -87.3f32, 88.3f32);
    let n = f32::floor(x * LOG2_E + 0.5f32);
    let r = (x - n * 0.693_359_4f32) - n * -2.121_944_4e-4f32;
    let mut p = 1.987_569_1e-4f32;
    p = p * r + 1.398_199_9e-3f32;
    p = p * r + 8.333_452e-3f32;
    p = p * r + 4.166_579_6e-2f32;
    p = p * r + 1.666_666_5e-1f32;
    p = p * r + 0.5f32;
    let y = p * r * r + r + 1.0f32;
    y * f32::reinterpret(u32::cast_from(i32::cast_from(n) + 127i32) << 23u32)
}

#[cube]
pub(crate) fn ln_of(x: f32) -> f32 {
    let bits = u32::reinterpret(x);
    let mantissa = f32::reinterpret((bits & 0x007f_ffffu32) | 0x3f00_0000u32);
    let exponent = f32::cast_from(bits >> 23u32) - 126.0f32;
    let low = mantissa < 0.707_106_77f32;
    let m = select(low, mantissa + mantissa, mantissa) - 1.0f32;
    let e = select(low, exponent - 1.0f32, exponent);
    let square = m * m;
    let mut p = 7.037_683_6e-2f32;
    p = p * m - 1.151_461e-1f32;
    p = p * m + 1.167_699_8e-1f32;
    p = p * m - 1.242_014_1e-1f32;
    p = p * m + 1.424_932_3e-1f32;
    p = p * m - 1.666_805_8e-1f32;
    p = p * m + 2.000_071_5e-1f32;
    p = p * m - 2.499_999_4e-1f32;
    p = p * m + 3.333_333e-1f32;
    let y = p * m * square + e * -2.121_944_4e-4f32 - 0.5f32 * square;
    (m + y) + e * 0.693_359_4f32
}

#[cube]
pub(crate) fn uniform(word: u32) -> f32 {
    (f32::cast_from(word >> 9u32) + 0.5f32) * (1.0f32 / 8_388_608.0f32)
}

/// cos 2πx for x in (0, 1), as [`crate::ops::scalar::cos_turns`].
#[cube]
pub(crate) fn cos_turns(x: f32) -> f32 {
    let y = 6.283_185_5f32 * (0.25f32 - f32::abs(x - 0.5f32));
    let square = y * y;
    let mut p = square * -2.505_21e-8f32 + 2.755_732e-6f32;
    p = p * square - 1.984_127e-4f32;
    p = p * square + 8.333_333e-3f32;
    p = p * square - 0.166_666_67f32;
    -(y + y * square * p)
}
