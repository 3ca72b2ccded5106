//! Orientation tuning.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::check_rates;
use crate::numerics::crossing;

/// How a unit is tuned to orientation.
///
/// For n responses r_k at θ_k = k·180°/n, k = 0 … n−1:
///
/// ```text
/// L = Σ r_k exp(2iθ_k) / Σ r_k
/// preferred = ½ arg L          selectivity = |L| = 1 − circular variance
/// contrast = (r_pref − r_orth)/(r_pref + r_orth)
/// ```
///
/// r_pref and r_orth are interpolated linearly at the preferred orientation and 90° from it.
///
/// Source: Ringach, Shapley & Hawken (2002), *J. Neuroscience* 22:5639.
///
/// ```
/// use scotopic_measures::tuning::OrientationTuning;
/// # fn main() -> scotopic_measures::Result<()> {
/// // 0°, 45°, 90°, 135°
/// let tuning = OrientationTuning::of(&[1.0, 3.0, 1.0, 0.0])?.expect("it responds");
/// assert!((tuning.preferred - 45.0).abs() < 1e-9);
/// assert!((tuning.selectivity - 3.0 / 5.0).abs() < 1e-12);
/// assert!((tuning.contrast - 1.0).abs() < 1e-9);
/// // 1.5 is crossed three quarters of the way to 1.
/// assert!((tuning.half_width.unwrap() - 33.75).abs() < 1e-9);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrientationTuning {
    /// Preferred orientation in degrees, from 0 up to 180; arbitrary where selectivity is 0.
    pub preferred: f64,
    /// 1 − circular variance: 0 for equal responses, 1 for a response to one orientation alone.
    pub selectivity: f64,
    /// (r_pref − r_orth)/(r_pref + r_orth).
    pub contrast: f64,
    /// Half of the width, in degrees, of the highest peak at half of its height above 0; `None` where
    /// the responses never fall below that.
    pub half_width: Option<f64>,
}

impl OrientationTuning {
    /// From `responses` `[orientations]`, evenly spaced over 180° from 0; `None` if all are 0.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) for fewer than 3 orientations,
    /// [`Error::NotFinite`](crate::Error::NotFinite), [`Error::Value`](crate::Error::Value) for a
    /// negative response.
    pub fn of(responses: &[f64]) -> Result<Option<Self>> {
        check_rates("orientation responses", responses, 3)?;
        let highest = responses.iter().fold(0.0f64, |m, &r| m.max(r));
        if highest == 0.0 {
            return Ok(None);
        }
        // Relative to the highest: no sum overflows.
        let r: Vec<f64> = responses.iter().map(|r| r / highest).collect();
        let spacing = 180.0 / r.len() as f64;
        let (mut x, mut y, mut total) = (0.0, 0.0, 0.0);
        for (k, r) in r.iter().enumerate() {
            let (sin, cos) = (2.0 * spacing * k as f64).to_radians().sin_cos();
            x += r * cos;
            y += r * sin;
            total += r;
        }
        let preferred = (0.5 * y.atan2(x).to_degrees()).rem_euclid(180.0);
        let preferred = if preferred < 180.0 { preferred } else { 0.0 };
        let (best, orthogonal) = (
            at(&r, preferred / spacing),
            at(&r, (preferred + 90.0) / spacing),
        );
        let both = best + orthogonal;
        Ok(Some(Self {
            preferred,
            selectivity: x.hypot(y) / total,
            contrast: if both > 0.0 {
                (best - orthogonal) / both
            } else {
                0.0
            },
            half_width: half_width(&r, spacing),
        }))
    }
}

/// A circular curve at a position between samples.
fn at(curve: &[f64], position: f64) -> f64 {
    let below = position.floor();
    let share = position - below;
    let n = curve.len();
    let below = below as usize % n;
    curve[below] + share * (curve[(below + 1) % n] - curve[below])
}

fn half_width(curve: &[f64], spacing: f64) -> Option<f64> {
    let n = curve.len();
    let start = (0.0f64, 0);
    let each = curve.iter().enumerate();
    let (height, peak) = each.fold(
        start,
        |best, (k, &r)| if r > best.0 { (r, k) } else { best },
    );
    let level = 0.5 * height;
    let up = crossing::fall((0..n).map(|step| curve[(peak + step) % n]), level)?;
    let down = crossing::fall((0..n).map(|step| curve[(peak + n - step) % n]), level)?;
    Some(0.5 * (up + down) * spacing)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cosine_has_half_its_modulation() {
        // r = 1 + m cos 2(θ − θ₀): |L| = m/2, (pref − orth)/(pref + orth) = m.
        for (m, preferred) in [(0.3, 20.0), (1.0, 111.0), (0.7, 179.0)] {
            let n = 72;
            let responses: Vec<f64> = (0..n)
                .map(|k| 2.5 * k as f64 - preferred)
                .map(|d: f64| 4.0 * (1.0 + m * (2.0 * d).to_radians().cos()))
                .collect();
            let tuning = OrientationTuning::of(&responses).unwrap().unwrap();
            assert!((tuning.preferred - preferred).abs() < 1e-9);
            assert!((tuning.selectivity - 0.5 * m).abs() < 1e-12);
            // Linear interpolation errs by (2.5° in radians)²/2 at most.
            assert!((tuning.contrast - m).abs() < 2e-3);
            match tuning.half_width {
                // 1 + m cos 2d = (1 + m)/2
                Some(width) => {
                    let expected = 0.5 * ((m - 1.0) / (2.0 * m)).acos().to_degrees();
                    assert!((width - expected).abs() < 0.2, "{width} {expected}");
                }
                None => assert!(m == 0.3), // the trough is above half of the peak
            }
        }
    }

    #[test]
    fn silent_and_untuned_units() {
        assert_eq!(OrientationTuning::of(&[0.0; 8]).unwrap(), None);
        let flat = OrientationTuning::of(&[2.0; 8]).unwrap().unwrap();
        assert!(flat.selectivity < 1e-15 && flat.contrast.abs() < 1e-12);
        assert_eq!(flat.half_width, None);
        let one = OrientationTuning::of(&[0.0, 0.0, 5.0, 0.0])
            .unwrap()
            .unwrap();
        assert_eq!(one.half_width, Some(22.5));
        assert!((one.preferred - 90.0).abs() < 1e-12 && (one.selectivity - 1.0).abs() < 1e-15);
        assert!(OrientationTuning::of(&[1.0, 2.0]).is_err());
        assert!(OrientationTuning::of(&[1.0, 2.0, -1.0]).is_err());
        assert!(OrientationTuning::of(&[1.0, 2.0, f64::INFINITY]).is_err());
    }

    proptest! {
        #[test]
        fn all_within_their_ranges(r in prop::collection::vec(0.0f64..1e300, 3..30)) {
            if let Some(t) = OrientationTuning::of(&r).unwrap() {
                prop_assert!((0.0..180.0).contains(&t.preferred));
                prop_assert!((0.0..=1.0 + 1e-12).contains(&t.selectivity));
                prop_assert!((-1.0..=1.0).contains(&t.contrast));
                prop_assert!(t.half_width.is_none_or(|w| w > 0.0 && w <= 180.0));
            }
        }
    }
}
