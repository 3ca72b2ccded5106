//! Incomplete Gamma and Beta functions of large parameters: the normal law with the first corrections, uniformly in x (N. M. Temme,
//! "The asymptotic expansion of the incomplete gamma functions", 1979; "Asymptotic estimates for Student's t-distribution and
//! incomplete beta functions", 1982; DLMF 8.12 and 8.18).

use libm::{erfc, exp};

use super::stirling::{beta_excess, excess, relative_to_mean};

/// Beyond so many nats a density is 0.
const NOTHING: f64 = 800.0;
/// Below this η the correction of the Beta function is that of η = 0: a difference of two large numbers has no digits there.
const AT_MEAN: f64 = 1e-8;

/// c₀, c₁ and c₂ of Q(a, x) in powers of η: c₀ = 1/μ − 1/η, c_k = c_{k−1}′/η + (−1)ᵏ γ_k/μ.
const FIRST: [f64; 15] = [
    -1.0 / 3.0,
    1.0 / 12.0,
    -0.014_814_814_814_814_815,
    0.001_157_407_407_407_407_4,
    3.527_336_860_670_194e-4,
    -1.787_551_440_329_218e-4,
    3.919_263_178_522_438e-5,
    -2.185_448_510_679_992_2e-6,
    -1.854_062_210_715_16e-6,
    8.296_711_340_953_086e-7,
    -1.766_595_273_682_608e-7,
    6.707_853_543_401_499e-9,
    1.026_180_978_424_030_8e-8,
    -4.382_036_018_453_353e-9,
    9.147_699_582_236_79e-10,
];
const SECOND: [f64; 12] = [
    -0.001_851_851_851_851_852,
    -0.003_472_222_222_222_222,
    0.002_645_502_645_502_645_5,
    -9.902_263_374_485_596e-4,
    2.057_613_168_724_28e-4,
    -4.018_775_720_164_609e-7,
    -1.809_855_033_448_997_8e-5,
    7.649_160_916_081_111e-6,
    -1.612_090_089_456_344_6e-6,
    4.647_127_802_807_434e-9,
    1.378_633_446_915_721e-7,
    -5.752_545_603_517_705e-8,
];
const THIRD: [f64; 10] = [
    0.004_133_597_883_597_883,
    -0.002_681_327_160_493_827_2,
    7.716_049_382_716_049e-4,
    2.009_387_860_082_304_5e-6,
    -1.073_665_322_636_516_1e-4,
    5.292_344_882_912_012_5e-5,
    -1.276_063_518_861_872_8e-5,
    3.423_578_734_096_138e-8,
    1.372_195_731_090_629_3e-6,
    -6.298_992_138_380_055e-7,
];

/// P(a, x) and Q(a, x) of an a of ten thousand or more.
pub(super) fn gamma_uniform(a: f64, x: f64) -> (f64, f64) {
    let off = (x - a) / a;
    let over = excess(off, || libm::log(x) - libm::log(a));
    if a * over > NOTHING {
        return ends(off);
    }
    let eta = (2.0 * over).sqrt().copysign(off);
    let of = |series: &[f64]| series.iter().rev().fold(0.0, |sum, c| sum * eta + c);
    let sum = of(&FIRST) + (of(&SECOND) + of(&THIRD) / a) / a;
    let more = exp(-a * over) / (std::f64::consts::TAU * a).sqrt() * sum;
    let z = (a * over).sqrt().copysign(off);
    (0.5 * erfc(-z) - more, 0.5 * erfc(z) + more)
}

/// I_x(a, b) and 1 − I_x(a, b) where a and b are a hundred million or more.
pub(super) fn beta_uniform(a: f64, b: f64, at: [f64; 2], ln: [f64; 2]) -> (f64, f64) {
    let (off, _) = relative_to_mean(a, b, at[0], at[1]);
    let over = beta_excess(a, b, at, ln);
    if over > NOTHING {
        return ends(off);
    }
    let all = a + b;
    let z = over.sqrt().copysign(off);
    let eta = z * (2.0 / all).sqrt();
    let odds = (b / a).sqrt();
    let first = match eta.abs() < AT_MEAN {
        true => (odds - 1.0 / odds) / 3.0,
        // √(x₀y₀)/(x − x₀)
        false => 1.0 / eta - odds / off,
    };
    let more = exp(-over) / (std::f64::consts::TAU * all).sqrt() * first;
    (0.5 * erfc(-z) + more, 0.5 * erfc(z) - more)
}

/// Nothing below, or nothing above.
fn ends(off: f64) -> (f64, f64) {
    match off < 0.0 {
        true => (0.0, 1.0),
        false => (1.0, 0.0),
    }
}
