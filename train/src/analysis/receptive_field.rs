//! Spike-triggered averages under white noise, compared with atoms.

use anyhow::{Context, Result, ensure};
use burn::tensor::Tensor;
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic_datasets::stimulus::WhiteNoise;
use scotopic_datasets::{ImageShape, StimulusConfig};
use scotopic_measures::Rows;
use scotopic_measures::spike_triggered::SpikeTriggered;
use serde::{Deserialize, Serialize};

use super::analysed_model::median;
use super::{AnalysedModel, Dictionary};
use crate::parameters::read;

/// Steps whose spikes are read back at a time.
const STRETCH: usize = 32;
const SPIKES: RecordOptions = RecordOptions {
    every: 1,
    spikes: true,
    states: false,
    generated: false,
};
/// A gigabyte of spikes.
const MOST: usize = 1 << 28;

/// The white-noise stimulus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WhiteNoiseConfig {
    /// Steps of each sequence.
    pub steps: usize,
    /// Number of sequences.
    pub sequences: usize,
    /// Standard deviation of a pixel, in units of the standardised data.
    pub sigma: f64,
    /// Steps per frame.
    pub every: usize,
    /// Lags of the average, from 0, the step of the spike.
    pub lags: usize,
    /// Least number of spikes for a neuron to be compared with its atom.
    pub least: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for WhiteNoiseConfig {
    fn default() -> Self {
        Self {
            steps: 600,
            sequences: 48,
            sigma: 1.0,
            // A potential integrates its input: a frame of one step hardly moves it.
            every: 4,
            lags: 8,
            least: 50.0,
            seed: 0,
        }
    }
}

/// Spike-triggered averages and atoms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceptiveFields {
    /// The settings.
    pub settings: WhiteNoiseConfig,
    /// Neurons with enough spikes.
    pub measured: usize,
    /// Median over them of the correlation with their atoms.
    pub correlation: Option<f64>,
    /// Median over them of the lag with most energy.
    pub lag: Option<f64>,
    /// Every neuron.
    pub units: Vec<Field>,
    /// The average of each neuron at its best lag, `[latents, pixels]`; zeros for one that did not fire.
    #[serde(skip)]
    pub averages: Vec<f32>,
}

/// One neuron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Index of the neuron.
    pub unit: usize,
    /// Number of spikes.
    pub spikes: f64,
    /// The lag with most energy, in steps.
    pub lag: Option<usize>,
    /// Energy of the average relative to chance, minus 1.
    pub signal_to_noise: Option<f64>,
    /// Pearson's correlation over pixels of average and atom.
    pub correlation: Option<f64>,
}

/// Presents white noise to a model of images of `shape`.
///
/// # Errors
/// If the latents are not spike counts, the decoder is not linear, a setting is invalid, or the device
/// fails.
pub fn receptive_fields(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    settings: &WhiteNoiseConfig,
) -> Result<ReceptiveFields> {
    analysed.require_spikes("the spike-triggered average")?;
    let dictionary = Dictionary::of(analysed, "comparing receptive fields with atoms")?;
    let (steps, sequences) = (settings.steps, settings.sequences);
    let (latents, pixels) = (analysed.model.latents(), shape.pixels());
    let times = steps.saturating_mul(sequences);
    ensure!(
        settings.lags < steps && times.saturating_mul(latents) <= MOST,
        "{steps} steps in {sequences} sequences with {latents} neurons: needs more steps than lags ({}), and at most {MOST} counts",
        settings.lags
    );
    let noise = StimulusConfig::WhiteNoise(WhiteNoise {
        sigma: settings.sigma,
        mean: 0.0,
        every: settings.every,
        seed: settings.seed,
    });
    let indices: Vec<usize> = (0..sequences).collect();
    let frames = noise.frames(None, &indices, shape, steps)?;
    let stimuli = end_to_end(&frames.data, [steps, sequences, pixels]);
    let spikes = spikes(
        analysed,
        frames.data,
        [steps, sequences, pixels],
        settings.lags,
    )?;
    let triggered = SpikeTriggered::of(
        Rows::new("white noise", &stimuli, [times, pixels])?,
        Rows::new("spikes", &spikes, [times, latents])?,
        settings.lags,
    )?;
    let mut averages = vec![0f32; latents * pixels];
    let mut units = Vec::with_capacity(latents);
    for (unit, row) in averages.chunks_exact_mut(pixels).enumerate() {
        let lag = triggered.best_lag(unit);
        let average = lag.and_then(|lag| triggered.average(unit, lag));
        let average = average.unwrap_or_default();
        row.iter_mut()
            .zip(average)
            .for_each(|(v, &a)| *v = a as f32);
        units.push(Field {
            unit,
            spikes: triggered.spikes[unit],
            lag,
            signal_to_noise: triggered.signal_to_noise(unit),
            correlation: correlation(average, dictionary.atom(unit)),
        });
    }
    let enough = || units.iter().filter(|unit| unit.spikes >= settings.least);
    Ok(ReceptiveFields {
        settings: *settings,
        measured: enough().count(),
        correlation: median(enough().filter_map(|unit| unit.correlation)),
        lag: median(enough().filter_map(|unit| Some(unit.lag? as f64))),
        units,
        averages,
    })
}

/// Spikes of all sequences one after the other, `[sequences·time, latents]`, without those whose past lies
/// in the sequence before.
fn spikes(
    analysed: &AnalysedModel<'_>,
    frames: Vec<f32>,
    shape: [usize; 3],
    lags: usize,
) -> Result<Vec<f32>> {
    let [steps, sequences, _] = shape;
    let stimulus = Stimulus::Sequence(analysed.film(frames, shape));
    let perception = analysed.model.perception(analysed.rule());
    let (noise, latents) = (analysed.noise(0), analysed.model.latents());
    let mut state = perception.rest(sequences);
    let mut all = vec![0f32; sequences * steps * latents];
    for from in (0..steps).step_by(STRETCH) {
        let times = from..steps.min(from + STRETCH);
        let seen = unroll(
            &*perception,
            &stimulus,
            state,
            times.clone(),
            &noise,
            SPIKES,
        );
        state = seen.state;
        let counts: Vec<Tensor<2>> = seen.records.into_iter().filter_map(|m| m.spikes).collect();
        let counts = read(Tensor::cat(counts, 0)).context("the spikes of white noise")?;
        for (time, step) in times.zip(counts.chunks_exact(sequences * latents)) {
            if time + 1 < lags {
                continue;
            }
            for (sequence, row) in step.chunks_exact(latents).enumerate() {
                let start = (sequence * steps + time) * latents;
                all[start..start + latents].copy_from_slice(row);
            }
        }
    }
    Ok(all)
}

/// `[time, sequences, pixels]` as one sequence after the other, `[sequences·time, pixels]`.
fn end_to_end(frames: &[f32], [steps, sequences, pixels]: [usize; 3]) -> Vec<f32> {
    let mut all = Vec::with_capacity(frames.len());
    for sequence in 0..sequences {
        for time in 0..steps {
            let start = (time * sequences + sequence) * pixels;
            all.extend_from_slice(&frames[start..start + pixels]);
        }
    }
    all
}

/// Pearson's correlation; `None` where one side does not vary.
fn correlation(a: &[f64], b: &[f32]) -> Option<f64> {
    let n = a.len().min(b.len()) as f64;
    let (ma, mb) = (
        a.iter().sum::<f64>() / n,
        b.iter().map(|&v| f64::from(v)).sum::<f64>() / n,
    );
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - ma, f64::from(*b) - mb);
        aa += a * a;
        ab += a * b;
        bb += b * b;
    }
    let correlation = ab / (aa.sqrt() * bb.sqrt());
    correlation.is_finite().then_some(correlation)
}
