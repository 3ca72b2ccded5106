//! How firing rates are distributed over units.
//!
//! In cortex the logarithm of the rate is nearly normal: most spikes come from few units.
//!
//! ```text
//! μ = mean(ln r)     σ² = mean((ln r − μ)²)      over the units with r > 0, the maximum-likelihood fit
//! F(r) = Φ((ln r − μ)/σ)
//! D = sup |F_n(r) − F(r)|                        Kolmogorov–Smirnov, F_n the fraction of units up to r
//! ```
//!
//! Source: Buzsáki & Mizuseki (2014), *Nature Reviews Neuroscience* 15:264.

use serde::{Deserialize, Serialize};

use crate::error::check_rates;
use crate::numerics::normal;
use crate::{Error, Result, Rows};

/// Mean of each unit over the samples of `responses` `[samples, units]`, in spikes per sample.
///
/// ```
/// use scotopic_measures::{Rows, rates};
/// # fn main() -> scotopic_measures::Result<()> {
/// let counts = Rows::new("counts", &[0.0, 3.0, 1.0, 5.0], [2, 2])?;
/// assert_eq!(rates::mean_rates(counts)?, [0.5, 4.0]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Value`] for a negative response.
pub fn mean_rates(responses: Rows<'_>) -> Result<Vec<f64>> {
    responses.check_not_negative()?;
    let mut sums = responses.sum_rows(responses.columns(), |_, row, sums| {
        let each = sums.iter_mut().zip(row);
        each.for_each(|(sum, &z)| *sum += f64::from(z));
    });
    let n = responses.rows() as f64;
    sums.iter_mut().for_each(|sum| *sum /= n);
    Ok(sums)
}

/// A log-normal distribution of rates.
///
/// ```
/// use scotopic_measures::rates::LogNormal;
/// # fn main() -> scotopic_measures::Result<()> {
/// let e = std::f64::consts::E;
/// let rates = [0.0, 1.0, e * e]; // one unit is silent
/// let fit = LogNormal::fit(&rates)?.expect("two units fire");
/// assert_eq!((fit.mean, fit.deviation, fit.firing), (1.0, 1.0, 2));
/// assert!((fit.cumulative(e) - 0.5).abs() < 1e-15); // the median is e^μ
/// // F = Φ(−1) and Φ(1) where the fraction jumps from 0 to ½ and from ½ to 1.
/// assert!((fit.distance(&rates)?.unwrap() - 0.3413447).abs() < 1e-7);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogNormal {
    /// μ, the mean of ln r.
    pub mean: f64,
    /// σ, the standard deviation of ln r.
    pub deviation: f64,
    /// Units with r > 0, to which it was fitted.
    pub firing: usize,
}

impl LogNormal {
    /// The maximum-likelihood fit to the `rates` above 0, one for each unit; `None` unless at least
    /// two units fire at different rates.
    ///
    /// # Errors
    /// [`Error::NotFinite`], or [`Error::Value`] for a negative rate.
    pub fn fit(rates: &[f64]) -> Result<Option<Self>> {
        check_rates("rates", rates, 0)?;
        let logs: Vec<f64> = rates.iter().filter(|&&r| r > 0.0).map(|r| r.ln()).collect();
        let n = logs.len().max(1) as f64;
        let mean = logs.iter().sum::<f64>() / n;
        let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n;
        let different = logs.windows(2).any(|pair| pair[0] != pair[1]);
        Ok((different && variance > 0.0).then(|| Self {
            mean,
            deviation: variance.sqrt(),
            firing: logs.len(),
        }))
    }

    /// F(rate), the fraction of firing units up to `rate`; 0 for a rate that is not above 0.
    pub fn cumulative(&self, rate: f64) -> f64 {
        if rate > 0.0 {
            normal::cumulative((rate.ln() - self.mean) / self.deviation)
        } else {
            0.0
        }
    }

    /// The Kolmogorov–Smirnov distance D to the `rates` above 0; `None` if there are none.
    ///
    /// Between the rates it was fitted to, D is smaller than from a distribution given beforehand;
    /// significance needs Lilliefors' table (D√n = 0.89 at 5 %).
    ///
    /// # Errors
    /// [`Error::NotFinite`], or [`Error::Value`] for a negative rate.
    pub fn distance(&self, rates: &[f64]) -> Result<Option<f64>> {
        check_rates("rates", rates, 0)?;
        let mut firing: Vec<f64> = rates.iter().copied().filter(|&r| r > 0.0).collect();
        firing.sort_by(f64::total_cmp);
        let n = firing.len() as f64;
        let gaps = firing.iter().enumerate().map(|(i, &rate)| {
            let f = self.cumulative(rate);
            (f - i as f64 / n).max((i + 1) as f64 / n - f)
        });
        Ok(gaps.reduce(f64::max))
    }
}

/// Units counted in bins of equal width in ln r.
///
/// ```
/// use scotopic_measures::rates::LogHistogram;
/// # fn main() -> scotopic_measures::Result<()> {
/// let histogram = LogHistogram::of(&[0.0, 0.5, 1.0, 5.0, 20.0, 99.0, 100.0, 101.0], 1.0, 100.0, 2)?;
/// assert_eq!(histogram.counts, [2, 3]);
/// assert_eq!((histogram.silent, histogram.below, histogram.above), (1, 1, 1));
/// assert!((histogram.edges[1] - 10.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogHistogram {
    /// Edges of the bins, one more than there are bins.
    pub edges: Vec<f64>,
    /// Units from one edge up to, not including, the next; the last bin includes its upper edge.
    pub counts: Vec<usize>,
    /// Units with a rate of exactly 0.
    pub silent: usize,
    /// Units that fire below the first edge.
    pub below: usize,
    /// Units above the last edge.
    pub above: usize,
}

impl LogHistogram {
    /// Counts `rates` in `bins` bins from `low` to `high`.
    ///
    /// # Errors
    /// [`Error::NotFinite`], or [`Error::Value`] for a negative rate; [`Error::Setting`] unless
    /// 0 < low < high and there are 1 to 10⁶ bins.
    pub fn of(rates: &[f64], low: f64, high: f64, bins: usize) -> Result<Self> {
        check_rates("rates", rates, 0)?;
        if !(low > 0.0 && low.is_finite()) {
            return Err(Error::setting("low", low, "a rate above 0"));
        }
        if !(high > low && high.is_finite()) {
            return Err(Error::setting("high", high, "a rate above `low`"));
        }
        if !(1..=1_000_000).contains(&bins) {
            return Err(Error::setting("bins", bins, "from 1 to 1000000"));
        }
        let width = (high / low).ln() / bins as f64;
        let mut edges: Vec<f64> = (0..=bins).map(|i| low * (width * i as f64).exp()).collect();
        edges[bins] = high;
        let mut histogram = Self {
            edges,
            counts: vec![0; bins],
            silent: 0,
            below: 0,
            above: 0,
        };
        for &rate in rates {
            if rate == 0.0 {
                histogram.silent += 1;
            } else if rate < low {
                histogram.below += 1;
            } else if rate > high {
                histogram.above += 1;
            } else {
                let passed = histogram.edges.partition_point(|&edge| edge <= rate);
                histogram.counts[passed.saturating_sub(1).min(bins - 1)] += 1;
            }
        }
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    #[test]
    fn a_log_normal_is_recognised() {
        let mut draws = CounterRng(21);
        let rates: Vec<f64> = (0..4000)
            .map(|_| (0.7 * draws.normal() - 1.2).exp())
            .collect();
        let fit = LogNormal::fit(&rates).unwrap().unwrap();
        // Standard errors: 0.7/√4000 = 0.011 and 0.7/√8000 = 0.008; five of them.
        assert!((fit.mean + 1.2).abs() < 0.055 && (fit.deviation - 0.7).abs() < 0.04);
        let d = fit.distance(&rates).unwrap().unwrap();
        assert!(d < 1.1 / 4000f64.sqrt(), "{d}"); // Lilliefors at 1 %: 1.03/√n
        // Exponential rates are not: ln r is skewed, D → 0.0707 (numpy, 100000 quantiles).
        let rates: Vec<f64> = (0..4000).map(|_| -draws.between(1e-12, 1.0).ln()).collect();
        let fit = LogNormal::fit(&rates).unwrap().unwrap();
        assert!(fit.distance(&rates).unwrap().unwrap() > 0.05);
    }

    #[test]
    fn few_or_equal_rates_have_no_fit() {
        for rates in [&[][..], &[0.0, 0.0], &[0.0, 2.0], &[3.0, 3.0, 0.0]] {
            assert_eq!(LogNormal::fit(rates).unwrap(), None);
        }
        assert!(LogNormal::fit(&[1.0, f64::NAN]).is_err());
        assert!(LogNormal::fit(&[1.0, -1.0]).is_err());
    }

    #[test]
    fn every_unit_is_counted_once() {
        let mut draws = CounterRng(22);
        let mut rates: Vec<f64> = (0..500).map(|_| (4.0 * draws.normal()).exp()).collect();
        rates.extend([0.0; 7]);
        let histogram = LogHistogram::of(&rates, 0.01, 100.0, 13).unwrap();
        let inside: usize = histogram.counts.iter().sum();
        assert_eq!(inside + histogram.below + histogram.above, 500);
        assert_eq!(histogram.silent, 7);
        for edge in &histogram.edges {
            let at = LogHistogram::of(&[*edge], 0.01, 100.0, 13).unwrap();
            assert_eq!(at.counts.iter().sum::<usize>(), 1);
        }
        assert!(LogHistogram::of(&rates, 0.0, 1.0, 3).is_err());
        assert!(LogHistogram::of(&rates, 2.0, 1.0, 3).is_err());
        assert!(LogHistogram::of(&rates, 1.0, 2.0, 0).is_err());
    }
}
