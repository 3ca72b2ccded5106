//! Response latency.

use crate::error::check_list;
use crate::numerics::crossing;
use crate::{Error, Result};

/// The reference level of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyReference {
    /// The highest value.
    Peak,
    /// The mean of the last so many values.
    Steady(usize),
}

/// The time, in steps from the first entry, at which a `response` `[time]` first reaches half of its top
/// above `baseline`, linearly interpolated:
///
/// ```text
/// level = baseline + ½ (top − baseline)
/// t + (level − r_t)/(r_{t+1} − r_t)          for the first t with r_t < level ≤ r_{t+1}
/// ```
///
/// 0 if the first entry is at the level already; `None` if the top does not rise above the baseline.
///
/// ```
/// use scotopic_measures::latency::{LatencyReference, half_time};
/// # fn main() -> scotopic_measures::Result<()> {
/// let response = [0.0, 0.0, 1.0, 8.0, 5.0, 4.0, 4.0];
/// assert_eq!(half_time(&response, 0.0, LatencyReference::Peak)?, Some(2.0 + 3.0 / 7.0)); // 4 of 8
/// assert_eq!(half_time(&response, 0.0, LatencyReference::Steady(2))?, Some(2.0 + 1.0 / 7.0)); // 2 of 4
/// assert_eq!(half_time(&[1.0, 1.0, 1.0], 1.0, LatencyReference::Peak)?, None);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] for no entry, [`Error::NotFinite`], [`Error::Setting`] for a baseline that is not
/// finite or a steady part that is empty or longer than the response.
pub fn half_time(response: &[f64], baseline: f64, top: LatencyReference) -> Result<Option<f64>> {
    check_list("response", response, 1)?;
    if !baseline.is_finite() {
        return Err(Error::setting("baseline", baseline, "a finite number"));
    }
    let top = match top {
        LatencyReference::Peak => response.iter().fold(f64::NEG_INFINITY, |m, &r| m.max(r)),
        LatencyReference::Steady(last) => {
            if last == 0 || last > response.len() {
                let expected = "from 1 to the length of the response";
                return Err(Error::setting("steady", last, expected));
            }
            let steady = &response[response.len() - last..];
            steady.iter().map(|r| r / last as f64).sum()
        }
    };
    if top <= baseline {
        return Ok(None);
    }
    let level = 0.5 * baseline + 0.5 * top;
    let reached = response.iter().position(|&r| r >= level);
    Ok(reached.map(|at| match at.checked_sub(1) {
        None => 0.0,
        Some(before) => before as f64 + crossing::share(response[before], response[at], level),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_rise_takes_ln_two() {
        // r = 1 − exp(−t/τ) passes ½ at τ ln 2; between samples the chord is 1/(8τ²) too low at most.
        let tau = 20.0;
        let rise: Vec<f64> = (0..400)
            .map(|t| 1.0 - (-f64::from(t) / tau).exp())
            .collect();
        let half = half_time(&rise, 0.0, LatencyReference::Steady(10))
            .unwrap()
            .unwrap();
        assert!((half - tau * std::f64::consts::LN_2).abs() < 0.01, "{half}");
    }

    #[test]
    fn edges() {
        assert_eq!(
            half_time(&[5.0, 1.0], 0.0, LatencyReference::Peak),
            Ok(Some(0.0))
        );
        assert_eq!(
            half_time(&[0.0, 0.0], 0.0, LatencyReference::Peak),
            Ok(None)
        );
        assert_eq!(
            half_time(&[-3.0, -2.0], 0.0, LatencyReference::Peak),
            Ok(None)
        );
        assert_eq!(
            half_time(&[2.0, 4.0], 2.0, LatencyReference::Peak),
            Ok(Some(0.5))
        );
        // A transient that is over before the steady part.
        assert_eq!(
            half_time(&[0.0, 9.0, 0.0, 0.0], 0.0, LatencyReference::Steady(2)),
            Ok(None)
        );
        assert!(half_time(&[], 0.0, LatencyReference::Peak).is_err());
        assert!(half_time(&[f64::NAN], 0.0, LatencyReference::Peak).is_err());
        assert!(half_time(&[1.0], f64::NAN, LatencyReference::Peak).is_err());
        assert!(half_time(&[1.0], 0.0, LatencyReference::Steady(0)).is_err());
        assert!(half_time(&[1.0], 0.0, LatencyReference::Steady(2)).is_err());
        let vast = half_time(&[-f64::MAX, f64::MAX], -f64::MAX, LatencyReference::Peak);
        assert!(vast.unwrap().unwrap().is_finite());
    }
}
