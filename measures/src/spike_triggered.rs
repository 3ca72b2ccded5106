//! What a unit was shown before it fired: the spike-triggered average.
//!
//! For spike counts n_t and stimuli s_t, over the times t at which all lags are known (N of them):
//!
//! ```text
//! average(lag) = Σ_t w_t s_{t−lag} − mean_t s_{t−lag},        w_t = n_t / Σ n
//! ```
//!
//! If the counts had nothing to do with the stimuli, every order in time would be as likely as the one
//! seen, and the energy of the average would be, in the mean over all orders,
//!
//! ```text
//! noise = (Σ w² − 1/N) · N/(N − 1) · Σ_{lag, pixel} var_t s_{t−lag}
//! signal to noise = Σ_{lag, pixel} average² / noise − 1
//! ```
//!
//! about 0 without relation, whatever the correlations in space; with correlations in time *and* in the
//! counts it is larger.
//!
//! Sources: de Boer & Kuyper (1968), *IEEE Trans. Biomed. Eng.* 15:169; Chichilnisky (2001), *Network*
//! 12:199.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Rows};

/// Spike-triggered averages of all units.
///
/// ```
/// use scotopic_measures::{Rows, spike_triggered::SpikeTriggered};
/// # fn main() -> scotopic_measures::Result<()> {
/// // One pixel; the unit fires one step after it was bright.
/// let stimuli = Rows::new("stimuli", &[1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0], [7, 1])?;
/// let spikes = Rows::new("spikes", &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0], [7, 1])?;
/// let triggered = SpikeTriggered::of(stimuli, spikes, 2)?;
/// // At lag 1 all four spikes saw 1; the mean over the six times is 1/3.
/// assert!((triggered.average(0, 1).unwrap()[0] - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!(triggered.best_lag(0), Some(1));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpikeTriggered {
    /// Lags: 0 is the step of the spike itself.
    pub lags: usize,
    /// Pixels of a stimulus.
    pub pixels: usize,
    /// `[units, lags, pixels]`, in the unit of the stimuli; zeros for a unit that did not fire.
    pub averages: Vec<f64>,
    /// Spikes of each unit at the times used.
    pub spikes: Vec<f64>,
    /// Energy of each unit's average that is expected without any relation.
    pub noise: Vec<f64>,
}

impl SpikeTriggered {
    /// From `stimuli` `[time, pixels]` and `spikes` `[time, units]`, for lags 0 … `lags` − 1.
    ///
    /// # Errors
    /// [`Error::Size`] if the two do not last equally long, or for fewer than `lags` + 1 times;
    /// [`Error::Setting`] for no lag, [`Error::Value`] for a negative count.
    pub fn of(stimuli: Rows<'_>, spikes: Rows<'_>, lags: usize) -> Result<Self> {
        spikes.check_rows(stimuli.rows(), stimuli.name())?;
        spikes.check_not_negative()?;
        if lags == 0 {
            return Err(Error::setting("lags", lags, "at least 1"));
        }
        if stimuli.rows() <= lags {
            let expected = format!("at least {}, one more than lags", lags.saturating_add(1));
            let found = stimuli.rows();
            return Err(Error::size(stimuli.name(), "rows (time)", found, expected));
        }
        let pixels = stimuli.columns();
        let times = (lags - 1)..stimuli.rows();
        let n = times.len() as f64;
        let (means, variances): (Vec<Vec<f64>>, Vec<f64>) = (0..lags)
            .into_par_iter()
            .map(|lag| moments(stimuli, times.start - lag..times.end - lag))
            .unzip();
        let variance: f64 = variances.iter().sum();
        let units: Vec<(Vec<f64>, f64, f64)> = (0..spikes.columns())
            .into_par_iter()
            .map(|unit| {
                let mut average = vec![0.0; lags * pixels];
                let (mut sum, mut squares) = (0.0, 0.0);
                for t in times.clone() {
                    let count = f64::from(spikes.row(t)[unit]);
                    if count == 0.0 {
                        continue;
                    }
                    sum += count;
                    squares += count * count;
                    for (lag, average) in average.chunks_exact_mut(pixels).enumerate() {
                        let pairs = average.iter_mut().zip(stimuli.row(t - lag));
                        pairs.for_each(|(a, &s)| *a += count * f64::from(s));
                    }
                }
                if sum == 0.0 {
                    return (average, 0.0, 0.0);
                }
                let means = means.iter().flatten();
                let pairs = average.iter_mut().zip(means);
                pairs.for_each(|(a, mean)| *a = *a / sum - mean);
                let uneven = (squares / (sum * sum) - 1.0 / n).max(0.0);
                (average, sum, uneven * n / (n - 1.0) * variance)
            })
            .collect();
        let mut all = Self {
            lags,
            pixels,
            averages: Vec::with_capacity(units.len() * lags * pixels),
            spikes: Vec::with_capacity(units.len()),
            noise: Vec::with_capacity(units.len()),
        };
        for (average, sum, noise) in units {
            all.averages.extend(average);
            all.spikes.push(sum);
            all.noise.push(noise);
        }
        Ok(all)
    }

    /// The average `[pixels]` of `unit` at `lag`; `None` if there is no such unit or lag.
    pub fn average(&self, unit: usize, lag: usize) -> Option<&[f64]> {
        if lag >= self.lags || unit >= self.spikes.len() {
            return None;
        }
        let start = (unit * self.lags + lag) * self.pixels;
        self.averages.get(start..start + self.pixels)
    }

    /// The lag with the most energy; `None` for a unit that did not fire.
    pub fn best_lag(&self, unit: usize) -> Option<usize> {
        self.spikes.get(unit).filter(|&&spikes| spikes > 0.0)?;
        let energies = (0..self.lags).map(|lag| (self.energy(unit, lag), lag));
        let best = energies.reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, lag)| lag)
    }

    /// Energy of the average over what is expected by chance, minus 1; `None` for a unit that did not
    /// fire, or always fired the same.
    pub fn signal_to_noise(&self, unit: usize) -> Option<f64> {
        let noise = *self.noise.get(unit)?;
        let energy: f64 = (0..self.lags).map(|lag| self.energy(unit, lag)).sum();
        (noise > 0.0).then(|| energy / noise - 1.0)
    }

    fn energy(&self, unit: usize, lag: usize) -> f64 {
        let average = self.average(unit, lag).unwrap_or_default();
        average.iter().map(|a| a * a).sum()
    }
}

/// Mean of each pixel, and the sum over pixels of the variance, over some of the times.
fn moments(stimuli: Rows<'_>, times: std::ops::Range<usize>) -> (Vec<f64>, f64) {
    let n = times.len() as f64;
    let mut mean = vec![0.0; stimuli.columns()];
    for t in times.clone() {
        let pairs = mean.iter_mut().zip(stimuli.row(t));
        pairs.for_each(|(m, &s)| *m += f64::from(s) / n);
    }
    let squares = |t: usize| -> f64 {
        let pairs = stimuli.row(t).iter().zip(&mean);
        pairs.map(|(&s, m)| (f64::from(s) - m).powi(2)).sum()
    };
    let variance = times.map(squares).sum::<f64>() / n;
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    #[test]
    fn a_linear_unit_shows_its_filter() {
        // rate = exp(k·s_{t−2}) for white Gaussian s: the average is k at lag 2 and 0 elsewhere.
        let mut draws = CounterRng(71);
        let k = [0.5, -0.3, 0.0, 0.2];
        let times = 40_000;
        let stimuli = draws.normals(times * 4);
        let rows = Rows::new("stimuli", &stimuli, [times, 4]).unwrap();
        let rate = |t: usize| -> f64 {
            let drive: f64 = rows
                .row(t)
                .iter()
                .zip(k)
                .map(|(&s, k)| f64::from(s) * k)
                .sum();
            drive.exp()
        };
        let spikes: Vec<f32> = (0..times)
            .map(|t| if t < 2 { 0.0 } else { rate(t - 2) as f32 })
            .collect();
        let spikes = Rows::new("spikes", &spikes, [times, 1]).unwrap();
        let triggered = SpikeTriggered::of(rows, spikes, 4).unwrap();
        for lag in 0..4 {
            for (average, k) in triggered.average(0, lag).unwrap().iter().zip(k) {
                let expected = if lag == 2 { k } else { 0.0 };
                // Standard error √(E e^{2x}/(E e^x)²/N), x of variance 0.38: 0.006; five of them.
                assert!(
                    (average - expected).abs() < 0.03,
                    "lag {lag}: {average} {expected}"
                );
            }
        }
        assert_eq!(triggered.best_lag(0), Some(2));
        assert!(triggered.signal_to_noise(0).unwrap() > 100.0);
    }

    #[test]
    fn chance_is_the_mean_over_shuffled_spikes() {
        let mut draws = CounterRng(72);
        let (times, units) = (50, 4000);
        // Correlated in space, with a mean.
        let stimuli: Vec<f32> = (0..times)
            .flat_map(|_| {
                let common = 3.0 + draws.normal();
                [common as f32, (common + draws.normal()) as f32]
            })
            .collect();
        let mut spikes = vec![0.0f32; times * units];
        for unit in 0..units {
            // The same counts for each unit, in an order of its own.
            let mut counts: Vec<f32> = (0..times)
                .map(|t| [0.0, 0.0, 1.0, 2.0, 5.0][t % 5])
                .collect();
            for i in (1..times).rev() {
                counts.swap(i, draws.between(0.0, (i + 1) as f64) as usize);
            }
            (0..times).for_each(|t| spikes[t * units + unit] = counts[t]);
        }
        let triggered = SpikeTriggered::of(
            Rows::new("stimuli", &stimuli, [times, 2]).unwrap(),
            Rows::new("spikes", &spikes, [times, units]).unwrap(),
            1,
        )
        .unwrap();
        let each = (0..units).map(|unit| triggered.signal_to_noise(unit).unwrap());
        let mean = each.sum::<f64>() / units as f64;
        // A χ² of between 1 and 2 degrees: standard deviation below √2; over √4000 units 0.022.
        assert!(mean.abs() < 0.1, "{mean}");
    }

    #[test]
    fn silent_and_constant_units() {
        let stimuli = Rows::new("stimuli", &[1.0, 2.0, 4.0], [3, 1]).unwrap();
        let spikes = Rows::new("spikes", &[0.0, 2.0, 0.0, 2.0, 0.0, 2.0], [3, 2]).unwrap();
        let triggered = SpikeTriggered::of(stimuli, spikes, 1).unwrap();
        assert_eq!(triggered.spikes, [0.0, 6.0]);
        assert_eq!(triggered.best_lag(0), None);
        assert_eq!(triggered.signal_to_noise(0), None);
        assert!(triggered.average(1, 0).unwrap()[0].abs() < 1e-12);
        assert_eq!(triggered.signal_to_noise(1), None);
        assert_eq!(triggered.average(2, 0), None);
        assert_eq!(triggered.average(0, 1), None);
    }

    #[test]
    fn nonsense_is_named() {
        let stimuli = Rows::new("stimuli", &[1.0, 2.0, 4.0], [3, 1]).unwrap();
        let short = Rows::new("spikes", &[0.0, 2.0], [2, 1]).unwrap();
        let negative = Rows::new("spikes", &[0.0, -1.0, 2.0], [3, 1]).unwrap();
        assert!(SpikeTriggered::of(stimuli, short, 1).is_err());
        assert!(SpikeTriggered::of(stimuli, negative, 1).is_err());
        assert!(SpikeTriggered::of(stimuli, stimuli, 0).is_err());
        assert!(SpikeTriggered::of(stimuli, stimuli, 3).is_err());
        assert!(SpikeTriggered::of(stimuli, stimuli, usize::MAX).is_err());
    }
}
