//! Convergence of a curve over time.

use serde::{Deserialize, Serialize};

use crate::error::check_list;
use crate::{Error, Result};

/// A curve summed up: its value at chosen steps, at the end, and when it comes near the end for good.
///
/// ```text
/// settled(x) = min { t : |v_s − v_end| ≤ x |v_end| for all s ≥ t }
/// ```
///
/// ```
/// use scotopic_measures::curves::Convergence;
/// # fn main() -> scotopic_measures::Result<()> {
/// let curve = [0.0, 50.0, 95.0, 120.0, 99.0, 100.0]; // an R² in percent, say, after every step
/// let convergence = Convergence::of(&curve, &[0, 2, 100], 0.05)?;
/// assert_eq!(convergence.at, [Some(0.0), Some(95.0), None]);
/// assert_eq!((convergence.last, convergence.settled), (100.0, 4)); // 120 is too far again
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// The value at each step asked for; `None` beyond the end.
    pub at: Vec<Option<f64>>,
    /// The value at the end.
    pub last: f64,
    /// The first step, from 0, from which on the curve stays within the tolerance; at most the last.
    pub settled: usize,
}

impl Convergence {
    /// Sums up `curve` `[time]`: values at `steps`, counted from 0, and the step from which on it stays
    /// within the fraction `within` of its last value.
    ///
    /// # Errors
    /// [`Error::Size`] for an empty curve, [`Error::NotFinite`], [`Error::Setting`] for a negative
    /// fraction.
    pub fn of(curve: &[f64], steps: &[usize], within: f64) -> Result<Self> {
        Ok(Self {
            settled: settled(curve, within)?,
            at: steps.iter().map(|&step| curve.get(step).copied()).collect(),
            last: curve.last().copied().unwrap_or_default(),
        })
    }
}

/// The first step, from 0, from which on `curve` `[time]` stays within the fraction `within` of its
/// last value.
///
/// ```
/// # fn main() -> scotopic_measures::Result<()> {
/// use scotopic_measures::curves::settled;
/// assert_eq!(settled(&[8.0, 4.0, 2.0, 1.0, 1.0], 0.01)?, 3);
/// assert_eq!(settled(&[8.0, 4.0, 2.0, 1.0, 1.0], 1.0)?, 2);
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`Convergence::of`].
pub fn settled(curve: &[f64], within: f64) -> Result<usize> {
    check_list("curve", curve, 1)?;
    if !(within >= 0.0 && within.is_finite()) {
        return Err(Error::setting("within", within, "a fraction, 0 or more"));
    }
    let last = curve.last().copied().unwrap_or_default();
    let near = |v: &f64| (v - last).abs() <= within * last.abs();
    Ok(curve
        .iter()
        .rposition(|v| !near(v))
        .map_or(0, |far| far + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_exponential_decay_settles_after_its_logarithm() {
        // 1 + e^{−t/10} is within 1 % of 1 from t = 10 ln 100 = 46.05 on.
        let curve: Vec<f64> = (0..500)
            .map(|t| 1.0 + (-f64::from(t) / 10.0).exp())
            .collect();
        assert_eq!(settled(&curve, 0.01).unwrap(), 47);
    }

    #[test]
    fn edges() {
        assert_eq!(settled(&[5.0], 0.0), Ok(0));
        assert_eq!(settled(&[1.0, 0.0], 0.5), Ok(1)); // nothing but 0 is within a fraction of 0
        assert_eq!(settled(&[-2.1, -2.0], 0.1), Ok(0));
        assert!(settled(&[], 0.1).is_err());
        assert!(settled(&[f64::NAN], 0.1).is_err());
        assert!(settled(&[1.0], -0.1).is_err());
        assert!(settled(&[1.0], f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn a_wider_tolerance_is_reached_no_later(
            curve in prop::collection::vec(-1e300f64..1e300, 1..50),
            a in 0.0f64..2.0,
            b in 0.0f64..2.0,
        ) {
            let (narrow, wide) = (a.min(b), a.max(b));
            let late = settled(&curve, narrow).unwrap();
            prop_assert!(settled(&curve, wide).unwrap() <= late);
            prop_assert!(late < curve.len());
        }
    }
}
