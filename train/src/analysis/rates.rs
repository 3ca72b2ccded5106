//! The distribution of firing rates over neurons.

use anyhow::Result;
use scotopic_datasets::ImageSet;
use scotopic_measures::Rows;
use scotopic_measures::rates::{LogHistogram, LogNormal, mean_rates};
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::median;
use super::representation::{RepresentationConfig, representations};

/// Bins of the histogram.
const BINS: usize = 30;

/// Rates of the neurons, each the mean over images of e^u after the last step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateDistribution {
    /// Images.
    pub images: usize,
    /// Steps of inference.
    pub step: usize,
    /// Mean over neurons.
    pub mean: f64,
    /// Median over neurons.
    pub median: f64,
    /// The fraction of all spikes that the most active tenth of the neurons fires.
    pub top_tenth: f64,
    /// The log-normal distribution fitted to them; `None` where all rates are equal.
    pub log_normal: Option<LogNormal>,
    /// Kolmogorov–Smirnov distance to it.
    pub distance: Option<f64>,
    /// Neurons counted in bins of equal width in ln r, from the lowest rate to the highest.
    pub histogram: Option<LogHistogram>,
    /// Spikes per step of every neuron.
    pub rates: Vec<f64>,
}

/// The distribution of rates over the first images of `set`.
///
/// # Errors
/// If the latents are not spike counts, there are no images, or the device fails.
pub fn rates(
    analysed: &AnalysedModel<'_>,
    set: &ImageSet,
    settings: &RepresentationConfig,
) -> Result<RateDistribution> {
    analysed.require_spikes("the distribution of firing rates")?;
    let last = settings.steps.iter().max().copied().unwrap_or(0);
    let at_last = RepresentationConfig {
        steps: vec![last],
        ..*settings
    };
    let mut seen = representations(analysed, set, &at_last)?;
    let seen = seen.remove(0); // one number of steps was requested
    let rows = Rows::new("rates", &seen.values, [seen.images, seen.latents])?;
    of_rates(mean_rates(rows)?, seen.images, last)
}

fn of_rates(rates: Vec<f64>, images: usize, step: usize) -> Result<RateDistribution> {
    let log_normal = LogNormal::fit(&rates)?;
    let distance = match log_normal {
        Some(fit) => fit.distance(&rates)?,
        None => None,
    };
    let mut sorted = rates.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let total: f64 = sorted.iter().sum();
    let top: f64 = sorted.iter().take(sorted.len().div_ceil(10)).sum();
    let firing = || rates.iter().copied().filter(|&r| r > 0.0);
    let (low, high) = (
        firing().fold(f64::INFINITY, f64::min),
        firing().fold(0.0, f64::max),
    );
    let histogram = match low < high {
        true => Some(LogHistogram::of(&rates, low, high, BINS)?),
        false => None,
    };
    Ok(RateDistribution {
        images,
        step,
        mean: total / rates.len().max(1) as f64,
        median: median(rates.iter().copied()).unwrap_or(0.0),
        top_tenth: if total > 0.0 { top / total } else { 0.0 },
        log_normal,
        distance,
        histogram,
        rates,
    })
}
