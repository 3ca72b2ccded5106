//! Poisson counts at large rates: transformed rejection with squeeze.

use crate::noise::{NoiseKey, uniform};
use crate::ops::scalar::{exp, ln};

/// One Poisson count with rate `e^log_rate` ≥ 10, by algorithm PTRS of W. Hörmann, "The transformed
/// rejection method for generating Poisson random variables", Insurance: Mathematics and Economics 12
/// (1993) 39–45.
///
/// ```text
/// k = ⌊(2a/us + b)·U + λ + 0.43⌋,  us = ½ − |U|,  U uniform on (−½, ½)
/// accept when  ln(V·1/α / (a/us² + b)) ≤ ln Poisson(k; λ)
/// ```
///
/// Everything is done on the distance of k from ⌊λ⌋ and with [`log_pmf`] in its saddle-point form, so
/// that f32 is enough at λ = 10⁶, where k·ln λ alone would need more digits than f32 has.
pub(super) fn count(log_rate: f32, key: NoiseKey, element: u32) -> f32 {
    // e^u by the polynomial that the GPU kernel uses too: the same rate, so the same count. (Beyond
    // u = 88.3 the rate stays at its largest value.)
    let rate = exp(log_rate);
    let whole = rate.floor();
    let fraction = rate - whole;
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    // Accepts with probability > 0.8 a try; after 2·2³¹ tries the mean is returned.
    for group in 0..u32::MAX {
        let words = key.words(element, group);
        for pair in [[words[0], words[1]], [words[2], words[3]]] {
            let (u, v) = (uniform(pair[0]) - 0.5, uniform(pair[1]));
            let us = 0.5 - u.abs();
            let offset = ((2.0 * a / us + b) * u + fraction + 0.43).floor();
            let k = whole + offset;
            if us >= 0.07 && v <= squeeze {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if ln(v * inverse_alpha / (a / (us * us) + b)) <= log_pmf(k, rate, offset - fraction) {
                return k;
            }
        }
    }
    whole
}

/// ln Poisson(k; λ) in saddle-point form (Loader 2000, "Fast and accurate computation of binomial
/// probabilities"), with `excess = k − λ` given exactly:
///
/// ```text
/// ln p = −½ ln 2πk − δ(k) − λ·φ((k − λ)/λ),   φ(x) = (1 + x) ln(1 + x) − x
/// δ(k) = 1/12k − 1/360k³ + 1/1260k⁵           Stirling's remainder
/// ```
pub(super) fn log_pmf(k: f32, rate: f32, excess: f32) -> f32 {
    if k < 1.0 {
        return -rate;
    }
    if k < 2.0 {
        return ln(rate) - rate;
    }
    let x = excess / rate;
    let phi = if x.abs() < 0.1 {
        // Σ_{n≥2} (−x)ⁿ/(n(n−1)): the closed form cancels here.
        let y = -x;
        let series = 1.0 / 2.0
            + y * (1.0 / 6.0 + y * (1.0 / 12.0 + y * (1.0 / 20.0 + y * (1.0 / 30.0 + y / 42.0))));
        x * x * series
    } else {
        (1.0 + x) * ln(1.0 + x) - x
    };
    let inverse = 1.0 / k;
    let square = inverse * inverse;
    let stirling = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1260.0));
    -0.5 * ln(std::f32::consts::TAU * k) - stirling - rate * phi
}

#[cfg(test)]
mod tests {
    use super::log_pmf;

    /// Σ ln i in f64 as the factorial: an independent evaluation of the same number.
    #[test]
    fn log_pmf_is_accurate_where_f32_would_cancel() {
        for rate in [12.0f64, 100.0, 3_000.0, 1_000_000.0] {
            let spread = rate.sqrt();
            for z in [-3.0, -1.0, 0.0, 0.5, 3.5] {
                let k = (rate + z * spread).floor().max(2.0);
                let ln_factorial: f64 = (1..=k as u64).map(|i| (i as f64).ln()).sum();
                let exact = k * rate.ln() - rate - ln_factorial;
                let ours = f64::from(log_pmf(k as f32, rate as f32, (k - rate) as f32));
                // 2e-5 in ln p: an acceptance probability off by 2e-5 of itself, far below what 10⁸
                // samples could show.
                assert!(
                    (ours - exact).abs() < 2e-5,
                    "rate {rate}, k {k}: {ours} against {exact}"
                );
            }
        }
    }
}
