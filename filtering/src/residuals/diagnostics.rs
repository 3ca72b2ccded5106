//! Tests of a series of residuals against independent normal numbers of one variance.

use serde::Serialize;

use crate::math::incomplete::{chi_squared_tail, f_tails};

/// A statistic, and how probable one as extreme is if nothing is wrong. Not numbers where there are too few residuals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TestResult {
    /// The statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
}

/// What the residuals z of one entry look like (eq. F62).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their variance, sums divided by the count.
    pub variance: f64,
    /// m₃/m₂^{3/2}, 0 for normal numbers.
    pub skewness: f64,
    /// m₄/m₂², 3 for normal numbers.
    pub kurtosis: f64,
    /// Lags of the Ljung–Box test.
    pub lags: usize,
    /// Ljung–Box: Q = n(n + 2) Σ_{k=1}^{lags} ρ_k²/(n − k) against χ²(lags).
    pub independence: TestResult,
    /// Jarque–Bera: n/6 (S² + (K − 3)²/4) against χ²(2).
    pub normality: TestResult,
    /// Σ z² of the last third over that of the first against F(h, h), h = n/3; both tails.
    pub heteroscedasticity: TestResult,
}

/// ρ_0 … ρ_lags about the mean; residuals that are not there (NaN) are left out, and their neighbours join.
///
/// ```
/// use scotopic_filtering::autocorrelations;
/// let rho = autocorrelations(&[1.0, -1.0, 1.0, -1.0], 1);
/// assert_eq!(rho, [1.0, -0.75]);
/// ```
pub fn autocorrelations(residuals: &[f64], lags: usize) -> Vec<f64> {
    let z: Vec<f64> = residuals.iter().copied().filter(|z| !z.is_nan()).collect();
    let n = z.len();
    let mean = z.iter().sum::<f64>() / n as f64;
    let at = |k: usize| -> f64 {
        let pairs = z.iter().zip(&z[k.min(n)..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let whole = at(0);
    (0..=lags).map(|k| at(k) / whole).collect()
}

impl Diagnostics {
    /// The tests of one series; NaN are left out. `None` lags: min(10, n/5), and at least one.
    pub fn of(residuals: &[f64], lags: Option<usize>) -> Self {
        let z: Vec<f64> = residuals.iter().copied().filter(|z| !z.is_nan()).collect();
        let n = z.len();
        let count = n as f64;
        let lags = lags.unwrap_or((n / 5).min(10)).max(1);
        let mean = z.iter().sum::<f64>() / count;
        let moment = |p: i32| z.iter().map(|z| (z - mean).powi(p)).sum::<f64>() / count;
        let variance = moment(2);
        let skewness = moment(3) / variance.powf(1.5);
        let kurtosis = moment(4) / (variance * variance);
        let rho = autocorrelations(&z, lags);
        let sum = (1..=lags).map(|k| rho[k] * rho[k] / (count - k as f64));
        let q = match lags < n {
            true => count * (count + 2.0) * sum.sum::<f64>(),
            false => f64::NAN,
        };
        let jarque_bera = count / 6.0 * (skewness * skewness + (kurtosis - 3.0).powi(2) / 4.0);
        Self {
            count: n,
            mean,
            variance,
            skewness,
            kurtosis,
            lags,
            independence: TestResult {
                statistic: q,
                p_value: chi_squared_p(lags as f64, q),
            },
            normality: TestResult {
                statistic: jarque_bera,
                p_value: chi_squared_p(2.0, jarque_bera),
            },
            heteroscedasticity: variance_ratio(&z),
        }
    }
}

fn chi_squared_p(k: f64, statistic: f64) -> f64 {
    match statistic.is_finite() {
        true => chi_squared_tail(k, statistic),
        false => f64::NAN,
    }
}

fn variance_ratio(z: &[f64]) -> TestResult {
    let third = (z.len() as f64 / 3.0).round() as usize;
    let squares = |part: &[f64]| part.iter().map(|z| z * z).sum::<f64>();
    let statistic = squares(&z[z.len() - third..]) / squares(&z[..third]);
    let h = third as f64;
    let p_value = match statistic.is_finite() {
        true => {
            let (below, above) = f_tails(h, h, statistic);
            2.0 * below.min(above)
        }
        false => f64::NAN,
    };
    TestResult { statistic, p_value }
}
