//! Quantiles of the normal distribution.

use crate::{Error, Result};

/// z with P(|N(0, 1)| ≤ z) = `level`: the half width of an interval of that probability, in standard deviations.
///
/// P = erf(z/√2) is solved by halving; the part outside is kept small by erfc where `level` is near 1.
///
/// ```
/// let z = scotopic_filtering::deviations_of(0.95)?;
/// assert!((z - 1.959963984540054).abs() < 1e-12);
/// # Ok::<(), scotopic_filtering::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for a level that is not between 0 and 1.
pub fn deviations_of(level: f64) -> Result<f64> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::setting(
            "level",
            level,
            "a probability above 0 and below 1",
        ));
    }
    let outside = 1.0 - level;
    // erfc is 0 in doubles before 40 standard deviations; 80 halvings of 40 reach the last bit.
    let (mut low, mut high) = (0.0f64, 40.0f64);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        match libm::erfc(middle * std::f64::consts::FRAC_1_SQRT_2) > outside {
            true => low = middle,
            false => high = middle,
        }
    }
    Ok(0.5 * (low + high))
}

/// Φ(z) = P(N(0, 1) ≤ z), to its last digits in the lower tail.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹ of a probability given by both tails, below and above z: the smaller one decides. −∞ or ∞ where it is 0.
pub(crate) fn normal_quantile_of_tails(below: f64, above: f64) -> f64 {
    let tail = below.min(above);
    let sign = if below < above { -1.0 } else { 1.0 };
    if tail <= 0.0 {
        return sign * f64::INFINITY;
    }
    // As in deviations_of; the interval is halved until nothing lies between its ends.
    let (mut low, mut high) = (0.0f64, 40.0f64);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return sign * middle;
        }
        match normal_cdf(-middle) > tail {
            true => low = middle,
            false => high = middle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published tables of the normal distribution have this many digits.
    const TABLE: f64 = 1e-12;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (level, z) in [
            (0.5, 0.674_489_750_196_081_7),
            (0.9, 1.644_853_626_951_472_7),
            (0.99, 2.575_829_303_548_900_4),
            (0.954_499_736_103_641_6, 2.0),
        ] {
            let found = deviations_of(level).unwrap();
            assert!((found - z).abs() < TABLE, "{level}: {found}");
        }
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        for level in [0.0, 1.0, -0.1, 1.5, f64::NAN] {
            let error = deviations_of(level).unwrap_err().to_string();
            assert!(error.contains("level"), "{error}");
        }
    }
}
