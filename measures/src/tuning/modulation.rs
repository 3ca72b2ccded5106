//! The modulation of a response in time.

use crate::error::check_rates;
use crate::{Error, Result};

/// F1/F0 of a `response` `[time]` that lasts `cycles` whole cycles of a drifting grating,
///
/// ```text
/// F0 = (1/N) Σ r_t          F1 = (2/N) |Σ r_t exp(−2πi·cycles·t/N)|
/// ```
///
/// Above 1 for simple cells, below for complex ones; π/2 for a half-wave rectified sinusoid, at most 2.
/// `None` if the response is 0 throughout.
///
/// Source: Skottun et al. (1991), *Vision Research* 31:1079.
///
/// ```
/// use scotopic_measures::tuning::modulation_ratio;
/// # fn main() -> scotopic_measures::Result<()> {
/// // Two cycles of 1 + cos.
/// let ratio = modulation_ratio(&[2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 1.0], 2)?;
/// assert!((ratio.unwrap() - 1.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Setting`] unless there is at least one cycle and more than two samples in each,
/// [`Error::Size`] for fewer than 3 samples, [`Error::NotFinite`], [`Error::Value`] for a negative
/// response.
pub fn modulation_ratio(response: &[f64], cycles: usize) -> Result<Option<f64>> {
    check_rates("response", response, 3)?;
    let n = response.len();
    if cycles == 0 || cycles.saturating_mul(2) >= n {
        let expected = "at least 1 and fewer than half of the samples";
        return Err(Error::setting("cycles", cycles, expected));
    }
    let scale = response.iter().fold(0.0f64, |m, &r| m.max(r));
    if scale == 0.0 {
        return Ok(None);
    }
    let (mut sum, mut re, mut im) = (0.0, 0.0, 0.0);
    for (t, r) in response.iter().enumerate() {
        // The phase is reduced to whole samples first: no digit is lost for long responses.
        let phase = (cycles as u128 * t as u128 % n as u128) as f64 / n as f64;
        let (sin, cos) = (std::f64::consts::TAU * phase).sin_cos();
        sum += r / scale;
        re += r / scale * cos;
        im += r / scale * sin;
    }
    Ok(Some(2.0 * re.hypot(im) / sum))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, TAU};

    use super::*;

    #[test]
    fn known_ratios() {
        let n = 3000;
        let wave = |t: usize| (TAU * 3.0 * t as f64 / n as f64 + 0.4).sin();
        let rectified: Vec<f64> = (0..n).map(|t| wave(t).max(0.0)).collect();
        let ratio = modulation_ratio(&rectified, 3).unwrap().unwrap();
        assert!((ratio - FRAC_PI_2).abs() < 1e-4);
        let doubled: Vec<f64> = (0..n).map(|t| wave(t).powi(2)).collect(); // a complex cell
        assert!(modulation_ratio(&doubled, 3).unwrap().unwrap() < 1e-12);
        let mut one = vec![0.0; n];
        one[7] = 5.0;
        assert!((modulation_ratio(&one, 3).unwrap().unwrap() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn edges() {
        assert_eq!(modulation_ratio(&[0.0; 5], 1), Ok(None));
        assert!(modulation_ratio(&[1.0; 5], 0).is_err());
        assert!(modulation_ratio(&[1.0; 6], 3).is_err());
        assert!(modulation_ratio(&[1.0; 6], usize::MAX).is_err());
        assert!(modulation_ratio(&[1.0, f64::NAN, 0.0], 1).is_err());
    }
}
