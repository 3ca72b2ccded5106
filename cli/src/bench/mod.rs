//! Timing of the program: `scotopic bench`.
//!
//! A case is timed as often as asked for, after it has run twice unmeasured, with the device's queue empty before
//! and after. What is printed is enough to time another program on the same task: shapes, seed, median, 90th
//! percentile, peak memory.
//!
//! | subject | file |
//! |---|---|
//! | the groups of cases, those of inference | `cases` |
//! | those of training | `training` |
//! | the custom operations | `operations` |
//! | networks and images | `inputs` |
//! | all cases under every instruction set, as a page | `report` |
//! | the ratios that are aimed at | `aims` |
//! | time, memory and record of a case | this one |

use std::borrow::Cow;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use scotopic_filtering::simd::InstructionSet;
use serde::{Deserialize, Serialize};

mod aims;
mod cases;
mod inputs;
mod operations;
mod report;
mod training;
pub(crate) use cases::{Group, run};
pub(crate) use report::{Report, Setup};

/// How often, where, and from which seed.
#[derive(Debug, Clone)]
pub(crate) struct BenchConfig {
    /// Timed repetitions.
    pub samples: usize,
    /// The device, without autodiff.
    pub device: Device,
    /// Its name.
    pub device_name: String,
    /// Seed of weights, images and spikes.
    pub seed: u64,
}

/// Sizes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// B.
    pub batch: usize,
    /// M; 0 where there is no image.
    pub pixels: usize,
    /// K.
    pub latents: usize,
    /// T.
    pub steps: usize,
}

impl Shape {
    /// Patches of 16 × 16 pixels.
    pub const PATCHES: Self = Self {
        batch: 200,
        pixels: 256,
        latents: 512,
        steps: 16,
    };

    /// MNIST as the papers train on it.
    pub const MNIST: Self = Self {
        batch: 100,
        pixels: 784,
        latents: 512,
        steps: 128,
    };

    /// Films of 12 × 12 pixels; a step is a frame.
    pub const FILMS: Self = Self {
        batch: 64,
        pixels: 144,
        latents: 256,
        steps: 32,
    };
}

/// The result of one case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The group it belongs to.
    pub group: Cow<'static, str>,
    /// What was done.
    pub case: String,
    /// Where.
    pub device: String,
    /// Threads of the CPU.
    pub threads: usize,
    /// Vector instructions of the kernels on the CPU.
    pub simd: Cow<'static, str>,
    /// Sizes.
    pub shape: Shape,
    /// τ, for what draws relaxed samples.
    pub temperature: Option<f64>,
    /// f of the relaxed samples.
    pub indicator: Option<Cow<'static, str>>,
    /// The fraction of counts that were 0, where it was counted.
    pub zeros: Option<f64>,
    /// The seed.
    pub seed: u64,
    /// Timed repetitions.
    pub samples: usize,
    /// Seconds of the fastest.
    pub min_s: f64,
    /// Median seconds.
    pub median_s: f64,
    /// 90th percentile.
    pub p90_s: f64,
    /// The peak memory of the process during the case, where the system reports it (Linux), in bytes; with data, program
    /// and everything else.
    pub peak_bytes: Option<u64>,
}

impl Record {
    /// The case with what its samples and spikes were like.
    pub fn label(&self) -> String {
        let indicator = self.indicator.as_deref().unwrap_or_default();
        let temperature = self.temperature.map(|t| format!(", {indicator}, τ {t}"));
        let zeros = self.zeros.map(|z| format!(", {:.0} % zeros", 100.0 * z));
        let (temperature, zeros) = (temperature.unwrap_or_default(), zeros.unwrap_or_default());
        format!("{}{temperature}{zeros}", self.case)
    }
}

impl BenchConfig {
    /// Times `work`, which gets the number of the repetition.
    pub fn time(
        &self,
        group: &'static str,
        case: impl Into<String>,
        shape: Shape,
        mut work: impl FnMut(u32) -> Result<()>,
    ) -> Result<Record> {
        /// The first compiles kernels and tunes products, the second finds memory in place.
        const UNMEASURED: u32 = 2;
        for number in 0..UNMEASURED {
            work(number)?;
        }
        self.device.sync().map_err(|e| anyhow::anyhow!("{e}"))?;
        forget_peak();
        let mut seconds = Vec::with_capacity(self.samples);
        for number in 0..self.samples {
            let clock = Instant::now();
            work(UNMEASURED + number as u32)?;
            self.device.sync().map_err(|e| anyhow::anyhow!("{e}"))?;
            seconds.push(clock.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        Ok(Record {
            group: group.into(),
            case: case.into(),
            device: self.device_name.clone(),
            threads: rayon::current_num_threads(),
            simd: InstructionSet::in_use().name().into(),
            shape,
            temperature: None,
            indicator: None,
            zeros: None,
            seed: self.seed,
            samples: self.samples,
            min_s: quantile(&seconds, 0.0),
            median_s: quantile(&seconds, 0.5),
            p90_s: quantile(&seconds, 0.9),
            peak_bytes: crate::allocator::peak_memory(),
        })
    }
}

/// The quantile `q` of sorted numbers, between neighbours by their distance.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = q * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * at.fract(),
        _ => f64::NAN,
    }
}

/// Resets the system's peak memory, where it can (Linux), so that what follows is the case's own.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.5), 2.0);
        assert_eq!(quantile(&sorted, 0.75), 3.0);
        assert_eq!(quantile(&[7.0], 0.9), 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
