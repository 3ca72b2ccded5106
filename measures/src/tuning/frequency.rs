//! Spatial-frequency tuning.

use serde::{Deserialize, Serialize};

use crate::error::{check_list, check_rates, check_same};
use crate::numerics::crossing;
use crate::{Error, Result};

/// How a unit is tuned to spatial frequency.
///
/// ```text
/// bandwidth = log₂(high/low) octaves,      r(low) = r(high) = ½ max r
/// ```
///
/// The peak is the top of the parabola, in log₂ f, through the highest response and its two
/// neighbours; the flanks are interpolated linearly in log₂ f.
///
/// Source: De Valois, Albrecht & Thorell (1982), *Vision Research* 22:545.
///
/// ```
/// use scotopic_measures::tuning::FrequencyTuning;
/// # fn main() -> scotopic_measures::Result<()> {
/// let frequencies = [0.5, 1.0, 2.0, 4.0, 8.0];
/// let tuning = FrequencyTuning::of(&frequencies, &[0.0, 2.0, 4.0, 2.0, 0.0])?.expect("it responds");
/// assert_eq!((tuning.peak, tuning.low, tuning.high), (2.0, Some(1.0), Some(4.0)));
/// assert_eq!(tuning.bandwidth(), Some(2.0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrequencyTuning {
    /// Preferred frequency, in the unit given.
    pub peak: f64,
    /// Below the peak, where the response is half of the highest; `None` for a low-pass unit.
    pub low: Option<f64>,
    /// Above the peak; `None` for a high-pass unit.
    pub high: Option<f64>,
}

impl FrequencyTuning {
    /// From `responses` `[frequencies]` at ascending `frequencies` above 0; `None` if all are 0.
    ///
    /// # Errors
    /// [`Error::Size`] for fewer than 3 frequencies or another number of responses,
    /// [`Error::NotFinite`], [`Error::Value`] for a negative response or a frequency that is not above
    /// the one before.
    pub fn of(frequencies: &[f64], responses: &[f64]) -> Result<Option<Self>> {
        check_list("frequencies", frequencies, 3)?;
        let ascending = |i: usize| frequencies[i] > if i == 0 { 0.0 } else { frequencies[i - 1] };
        if let Some(at) = (0..frequencies.len()).find(|&i| !ascending(i)) {
            let expected = "a frequency above 0 and above the one before";
            return Err(Error::value("frequencies", at, frequencies[at], expected));
        }
        let name = "frequency responses";
        check_rates(name, responses, 0)?;
        check_same(
            name,
            "entries",
            responses.len(),
            frequencies.len(),
            "frequencies",
        )?;
        let octaves: Vec<f64> = frequencies.iter().map(|f| f.log2()).collect();
        let each = responses.iter().enumerate();
        let (height, top) = each.fold(
            (0.0, 0),
            |best, (i, &r)| if r > best.0 { (r, i) } else { best },
        );
        if height == 0.0 {
            return Ok(None);
        }
        let level = 0.5 * height;
        let place = |from: usize, to: usize, share: f64| {
            (octaves[from] + share * (octaves[to] - octaves[from])).exp2()
        };
        let high = crossing::fall(responses[top..].iter().copied(), level).map(|steps| {
            let whole = top + steps.floor() as usize;
            place(whole, (whole + 1).min(octaves.len() - 1), steps.fract())
        });
        let low = crossing::fall(responses[..=top].iter().rev().copied(), level).map(|steps| {
            let whole = top - steps.floor() as usize;
            place(whole, whole.saturating_sub(1), steps.fract())
        });
        Ok(Some(Self {
            peak: peak(&octaves, responses, top).exp2(),
            low,
            high,
        }))
    }

    /// log₂(high/low), in octaves; `None` if one of them is missing.
    pub fn bandwidth(&self) -> Option<f64> {
        Some((self.high? / self.low?).log2())
    }
}

/// Top of the parabola through the highest sample and its neighbours; at an end, the sample itself.
fn peak(x: &[f64], y: &[f64], top: usize) -> f64 {
    if top == 0 || top + 1 >= x.len() {
        return x[top];
    }
    let (left, right) = (x[top] - x[top - 1], x[top + 1] - x[top]);
    let up = (y[top] - y[top - 1]) / left;
    let down = (y[top + 1] - y[top]) / right;
    // Slopes at the middles of the two pieces; the top is where the slope between them passes 0.
    let bend = up - down;
    if bend <= 0.0 {
        return x[top];
    }
    let middle = x[top] - 0.5 * left;
    middle + up / bend * 0.5 * (left + right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_in_octaves() {
        // r = exp(−½ (log₂(f/3)/s)²): the half-height bandwidth is 2s√(2 ln 2) octaves.
        let frequencies: Vec<f64> = (-12..=24).map(|i| (f64::from(i) / 6.0).exp2()).collect();
        for s in [0.4, 0.7] {
            let r = |f: &f64| (-0.5 * ((f / 3.0).log2() / s).powi(2)).exp();
            let responses: Vec<f64> = frequencies.iter().map(r).collect();
            let tuning = FrequencyTuning::of(&frequencies, &responses)
                .unwrap()
                .unwrap();
            assert!((tuning.peak / 3.0 - 1.0).abs() < 2e-3, "{tuning:?}");
            let expected = 2.0 * s * (2.0 * std::f64::consts::LN_2).sqrt();
            // The highest sample lies up to 1/12 octave from the peak, and the flanks are straight lines.
            assert!(
                (tuning.bandwidth().unwrap() - expected).abs() < 0.03,
                "{tuning:?}"
            );
        }
    }

    #[test]
    fn low_pass_and_high_pass() {
        let f = [1.0, 2.0, 4.0, 8.0];
        let low = FrequencyTuning::of(&f, &[4.0, 3.0, 1.0, 0.0])
            .unwrap()
            .unwrap();
        assert_eq!((low.peak, low.low), (1.0, None));
        assert!((low.high.unwrap() - 2f64.powf(1.5)).abs() < 1e-12);
        assert_eq!(low.bandwidth(), None);
        let high = FrequencyTuning::of(&f, &[0.0, 1.0, 3.0, 4.0])
            .unwrap()
            .unwrap();
        assert_eq!((high.peak, high.high), (8.0, None));
        assert!((high.low.unwrap() - 2f64.powf(1.5)).abs() < 1e-12);
    }

    #[test]
    fn nonsense_is_named() {
        let f = [1.0, 2.0, 4.0];
        assert_eq!(FrequencyTuning::of(&f, &[0.0; 3]).unwrap(), None);
        assert!(FrequencyTuning::of(&[1.0, 1.0, 2.0], &[1.0; 3]).is_err());
        assert!(FrequencyTuning::of(&[0.0, 1.0, 2.0], &[1.0; 3]).is_err());
        assert!(FrequencyTuning::of(&f, &[1.0; 2]).is_err());
        assert!(FrequencyTuning::of(&f, &[1.0, f64::NAN, 1.0]).is_err());
    }
}
