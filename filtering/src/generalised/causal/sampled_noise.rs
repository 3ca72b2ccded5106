//! Noise sampled at the bins: a moving window of samples, and the path between them.

use nalgebra::{DMatrix, DVector};

use super::noise_process::{GENERATED, NUGGET, NoiseProcess};
use crate::generalised::noise::sampled_kernel;
use crate::{Error, Result};

/// The positions −⌊N/2⌋ … ⌈N/2⌉ about the bin.
fn position(i: usize, order: usize) -> f64 {
    i as f64 - (order / 2) as f64
}

/// (c, c', …, c^(N)) at the bin of the polynomial through the samples about it, `[N + 1, N + 1]`: the inverse of the
/// Taylor matrix T_ij = p_i^j/j!.
fn interpolation(order: usize) -> Result<DMatrix<f64>> {
    let k = order + 1;
    let taylor = DMatrix::from_fn(k, k, |i, j| {
        (1..=j).fold(1.0, |power, m| power * position(i, order) / m as f64)
    });
    let expected = "a lower order: the Taylor matrix is singular";
    let singular = || Error::setting("order", order, expected);
    taylor.try_inverse().ok_or_else(singular)
}

/// The path that noise with correlations `rho` is expected to take over the bin, as coefficients of a polynomial of
/// degree N from N + 1 samples `[N + 1, N + 1]`.
///
/// The generator's path m is the polynomial of degree [`GENERATED`] through as many samples about the bin. Those that are
/// not among the N + 1 are as expected from these. Of this path a polynomial p of degree N keeps the value at the bin
/// and is nearest over the bin, ∫_0^1 (p − m)² least: with M_kl = ∫_0^1 r^{k+l}/(k! l!) dr
///
/// ```text
/// p_0 = m_0,      p_k = m_k + Σ_j (M_≤⁻¹ M_>)_kj m_j,      k = 1 … N,  j = N + 1 … GENERATED
/// ```
fn expected_path(rho: &[f64], order: usize) -> Result<DMatrix<f64>> {
    let (k, all) = (order + 1, GENERATED + 1);
    let whole = interpolation(GENERATED)?;
    let at = |i: usize| GENERATED / 2 + i - order / 2;
    let among = |i: usize, j: usize| rho[i.abs_diff(j)];
    let kept = DMatrix::from_fn(k, k, |i, j| among(i, j) + if i == j { NUGGET } else { 0.0 });
    let cross = DMatrix::from_fn(k, all, |i, j| among(at(i), j));
    let singular = || Error::setting("smoothness", order, "a smaller smoothness");
    let mut samples = kept.cholesky().ok_or_else(singular)?.solve(&cross);
    for i in 0..k {
        samples.column_mut(at(i)).fill(0.0);
        samples[(i, at(i))] = 1.0;
    }
    let path = whole * samples.transpose();
    let mut kept = path.rows(0, k).into_owned();
    if order == 0 {
        return Ok(kept);
    }
    let factorial = |n: usize| (1..=n).map(|m| m as f64).product::<f64>();
    let shared = |k: usize, l: usize| 1.0 / ((k + l + 1) as f64 * factorial(k) * factorial(l));
    let low = DMatrix::from_fn(order, order, |i, j| shared(i + 1, j + 1));
    let high = DMatrix::from_fn(order, all - k, |i, j| shared(i + 1, k + j));
    let moved = low.cholesky().ok_or_else(singular)?.solve(&high) * path.rows(k, all - k);
    let mut rows = kept.rows_mut(1, order);
    rows += moved;
    Ok(kept)
}

/// N + 1 samples about the bin, and the path that noise is expected to take from one bin to the next.
pub(super) fn sampled(smoothness: f64, order: usize) -> Result<NoiseProcess> {
    let rho = sampled_kernel(smoothness, order.max(GENERATED) + 1);
    let path = match order < GENERATED {
        true => expected_path(&rho, order)?,
        false => interpolation(order)?,
    };
    windowed(smoothness, order, path)
}

/// The generator's own path of this degree, through white samples.
pub(super) fn generated(order: usize) -> Result<NoiseProcess> {
    windowed(0.0, order, interpolation(order)?)
}

/// Samples whose window moves on by one at the end of a bin; `inverse` `[N + 1, N + 1]` is n = (c, c', …) of a window.
fn windowed(smoothness: f64, order: usize, inverse: DMatrix<f64>) -> Result<NoiseProcess> {
    let k = order + 1;
    let singular = || Error::setting("order", order, "a lower order: the path is singular");
    let taylor = inverse.clone().try_inverse().ok_or_else(singular)?;
    let rho = sampled_kernel(smoothness, k);
    let correlation = DMatrix::from_fn(k, k, |i, j| {
        rho[i.abs_diff(j)] + if i == j { NUGGET } else { 0.0 }
    });
    // The best prediction of the next sample from the window, and what it misses.
    let ahead = DVector::from_fn(k, |i, _| rho[k - i]);
    let weights = correlation
        .clone()
        .cholesky()
        .ok_or_else(|| Error::setting("smoothness", smoothness, "a smaller smoothness"))?
        .solve(&ahead);
    let missed = (rho[0] + NUGGET - weights.dot(&ahead)).max(NUGGET);
    let mut window = DMatrix::zeros(k, k);
    for i in 0..k - 1 {
        window[(i, i + 1)] = 1.0;
    }
    window.set_row(k - 1, &weights.transpose());
    let enters = inverse.column(k - 1).into_owned();
    let flow = DMatrix::from_fn(k, k, |i, j| f64::from(u8::from(j == i + 1)));
    Ok(NoiseProcess {
        flow,
        diffusion: DMatrix::zeros(k, k),
        step: &inverse * window * &taylor,
        fresh: &enters * enters.transpose() * missed,
        stationary: &inverse * correlation * inverse.transpose(),
        embedding: inverse,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding through Taylor matrices of order 6.
    const ROUNDING: f64 = 1e-7;

    /// ∫_0^1 of the path over the bin, `[N + 1]`, from a window.
    fn over_the_bin(path: &DMatrix<f64>) -> DVector<f64> {
        let mut weight = 1.0;
        let weights = DVector::from_fn(path.nrows(), |k, _| {
            weight /= (k + 1) as f64;
            weight
        });
        path.tr_mul(&weights)
    }

    /// What a process of order N misses of the generator's noise over a bin, as a part of its variance; from samples of
    /// the generator themselves.
    fn missed(smoothness: f64, order: usize) -> f64 {
        let all = GENERATED + 1;
        let rho = sampled_kernel(smoothness, all);
        let whole = over_the_bin(&interpolation(GENERATED).unwrap());
        let mut apart = whole.clone();
        let found = over_the_bin(&sampled(smoothness, order).unwrap().embedding);
        for (i, weight) in found.iter().enumerate() {
            apart[GENERATED / 2 - order / 2 + i] -= weight;
        }
        let r = DMatrix::from_fn(all, all, |i, j| rho[i.abs_diff(j)]);
        apart.dot(&(&r * &apart)) / whole.dot(&(&r * &whole))
    }

    #[test]
    fn a_window_holds_the_value_at_the_bin_and_what_can_be_known_of_the_path() {
        for smoothness in [0.25, 0.5, 1.0] {
            let before: Vec<f64> = (0..=GENERATED).map(|n| missed(smoothness, n)).collect();
            for order in 0..=GENERATED {
                let path = sampled(smoothness, order).unwrap().embedding;
                for i in 0..=order {
                    let expected = f64::from(u8::from(i == order / 2));
                    assert!((path[(0, i)] - expected).abs() < ROUNDING, "{path}");
                }
            }
            println!("s {smoothness}: missed {before:?}");
            // At s = ¼, ½ and 1; a process that is constant within a bin misses a part that exceeds rounding.
            assert!(before[0] > 0.1 && before[0] < 0.9);
            assert!(before[1] < 0.03 && before[2] < 0.01 && before[3] < 2e-3);
            assert!(before[4] < 1e-4 && before[5] < 1e-4 && before[6] < ROUNDING);
        }
    }

    /// A smoothness whose square is no number is as white as one of 0, for the generator of noise too.
    #[test]
    fn the_least_smoothness_is_that_of_white_noise() {
        use crate::generalised::noise::Autocorrelation;
        for smoothness in [1e-12, 1e-170, 1e-300, f64::from_bits(1)] {
            for order in 0..=GENERATED {
                let (found, white) = (sampled(smoothness, order), sampled(0.0, order));
                assert_eq!(found.unwrap().step, white.unwrap().step, "{smoothness:e}");
            }
            let continuous = Autocorrelation::Gaussian { smoothness };
            assert_eq!(continuous.at_lags(2), [1.0, 0.0, 0.0], "{smoothness:e}");
        }
    }

    #[test]
    fn the_generators_own_degree_is_the_polynomial_through_the_samples() {
        for order in [GENERATED, GENERATED + 2] {
            let found = sampled(0.5, order).unwrap().embedding;
            assert_eq!(found, generated(order).unwrap().embedding);
        }
    }
}
