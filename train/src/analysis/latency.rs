//! Response latency against contrast.
//!
//! The most responsive neurons are each presented with their preferred static grating at every contrast, from
//! the resting state. The response is the rate e^u after every step, mean over trials; its latency the time at which it
//! first is half way from the rate at rest to its peak. (In V1 latency falls as contrast rises: Albrecht et
//! al. 2002, *J. Neurophysiol.* 88:888.)

use anyhow::{Context, Result, ensure};
use burn::tensor::{Tensor, TensorData};
use scotopic::inference::{RecordOptions, Stimulus, unroll};
use scotopic::posterior::Posterior;
use scotopic_datasets::stimulus::Grating;
use scotopic_datasets::{ImageShape, StimulusConfig};
use scotopic_measures::latency::{LatencyReference, half_time};
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::median;
use super::gratings::{Protocol, film, preferred};
use crate::parameters::read;

/// Phases that preferred gratings are chosen from, degrees.
const PHASES: [f64; 4] = [0.0, 90.0, 180.0, 270.0];
/// Steps between two read-backs.
const STRETCH: usize = 64;

/// The gratings, and the number of neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyConfig {
    /// Orientations among which the preferred one is chosen.
    pub orientations: usize,
    /// Spatial frequencies among which the preferred one is chosen, cycles per pixel.
    pub frequencies: Vec<f64>,
    /// Contrast at which it is chosen.
    pub reference: f64,
    /// Contrasts.
    pub contrasts: Vec<f64>,
    /// Number of neurons, the most responsive ones.
    pub neurons: usize,
    /// Steps of inference.
    pub steps: usize,
    /// Trials per grating.
    pub trials: usize,
    /// Batch size, in sequences.
    pub batch: usize,
    /// A response counts if its peak is above twice the rate at rest by more than this: the peak of
    /// fluctuations has no latency.
    pub least: f64,
}

impl Default for LatencyConfig {
    fn default() -> Self {
        Self {
            orientations: 12,
            frequencies: vec![0.04, 0.06, 0.09, 0.13, 0.18, 0.26, 0.37],
            reference: 1.0,
            contrasts: vec![0.125, 0.25, 0.5, 1.0, 2.0],
            neurons: 32,
            steps: 48,
            trials: 8,
            batch: 256,
            least: 0.05,
        }
    }
}

/// Latencies of a population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// The settings.
    pub settings: LatencyConfig,
    /// The neurons, most responsive first.
    pub units: Vec<usize>,
    /// For each contrast.
    pub at: Vec<AtContrast>,
}

/// Latencies at one contrast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtContrast {
    /// Amplitude of the gratings.
    pub contrast: f64,
    /// Neurons that responded.
    pub responding: usize,
    /// Median of their latencies, in steps.
    pub median: Option<f64>,
    /// Latency of each neuron, in the order of `units`; `None` where it did not respond.
    pub latencies: Vec<Option<f64>>,
    /// Rate at rest, then after every step, mean over neurons.
    pub course: Vec<f64>,
}

/// Measures latencies of a model that sees images of `shape`.
///
/// # Errors
/// If the latents are not spike counts, a setting is invalid, or the device fails.
pub fn latency(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    settings: &LatencyConfig,
) -> Result<Latencies> {
    analysed.require_spikes("response latency")?;
    ensure!(
        settings.steps > 0 && settings.neurons > 0 && !settings.contrasts.is_empty(),
        "latency needs at least one step, one neuron and one contrast"
    );
    let gratings = standing(settings);
    ensure!(
        !gratings.is_empty(),
        "latency needs at least one orientation and one frequency"
    );
    for grating in &gratings {
        StimulusConfig::Grating(*grating).validate()?;
    }
    let protocol = Protocol {
        settle: 0,
        window: settings.steps,
        cycles: 0,
        trials: 1,
        batch: settings.batch,
        shuffled: None,
    };
    let preferred = preferred(analysed, shape, &gratings, &protocol, settings.neurons)?;
    let rest = read(analysed.model.rest().mean())?;
    let at = settings.contrasts.iter().enumerate().map(|(i, &contrast)| {
        let shown: Vec<(usize, Grating)> = preferred
            .iter()
            .map(|best| {
                let grating = Grating {
                    contrast,
                    ..gratings[best.grating]
                };
                (best.unit, grating)
            })
            .collect();
        let courses = courses(analysed, shape, &shown, settings, 1 + i)?;
        of_contrast(contrast, &shown, &courses, &rest, settings)
    });
    Ok(Latencies {
        settings: settings.clone(),
        at: at.collect::<Result<_>>()?,
        units: preferred.iter().map(|best| best.unit).collect(),
    })
}

fn standing(settings: &LatencyConfig) -> Vec<Grating> {
    let mut gratings = Vec::new();
    for i in 0..settings.orientations {
        for &spatial_frequency in &settings.frequencies {
            gratings.extend(PHASES.map(|phase| Grating {
                orientation: 180.0 * i as f64 / settings.orientations as f64,
                spatial_frequency,
                temporal_frequency: 0.0,
                contrast: settings.reference,
                phase,
                ..Default::default()
            }));
        }
    }
    gratings
}

/// The rate of each neuron after every step while its own grating is shown, mean over trials: `[shown][time]`.
fn courses(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    shown: &[(usize, Grating)],
    settings: &LatencyConfig,
    stream: usize,
) -> Result<Vec<Vec<f64>>> {
    let trials = settings.trials.max(1);
    let perception = analysed.model.perception(analysed.rule());
    let mut all = vec![vec![0.0; settings.steps]; shown.len()];
    let at_a_time = (settings.batch / trials).max(1);
    for (number, (some, courses)) in shown
        .chunks(at_a_time)
        .zip(all.chunks_mut(at_a_time))
        .enumerate()
    {
        let gratings: Vec<Grating> = some.iter().map(|&(_, grating)| grating).collect();
        let film = film(analysed, shape, &gratings, &[0], 0).repeat_dim(1, trials);
        let (stimulus, sequences) = (Stimulus::Sequence(film), some.len() * trials);
        let own = own_neurons(analysed, some).repeat_dim(0, trials);
        // A separate batch for every contrast, so that no two share their noise.
        let noise = analysed.noise(number).stream(stream as u32);
        let mut state = perception.rest(sequences);
        for from in (0..settings.steps).step_by(STRETCH) {
            let mut rates = Vec::new();
            let end = settings.steps.min(from + STRETCH);
            for time in from..end {
                let times = time..time + 1;
                state = unroll(
                    &*perception,
                    &stimulus,
                    state,
                    times,
                    &noise,
                    RecordOptions::FINAL,
                )
                .state;
                rates.push((state.mean() * own.clone()).sum_dim(1));
            }
            let values = read(Tensor::cat(rates, 0))?;
            for (time, row) in (from..end).zip(values.chunks_exact(sequences)) {
                for (i, rate) in row.iter().enumerate() {
                    courses[i % some.len()][time] += f64::from(*rate) / trials as f64;
                }
            }
        }
    }
    Ok(all)
}

/// 1 where a sequence is that of the neuron, `[shown, latents]`.
fn own_neurons(analysed: &AnalysedModel<'_>, shown: &[(usize, Grating)]) -> Tensor<2> {
    let latents = analysed.model.latents();
    let mut own = vec![0f32; shown.len() * latents];
    for (row, (unit, _)) in own.chunks_exact_mut(latents).zip(shown) {
        row[*unit] = 1.0;
    }
    Tensor::from_data(
        TensorData::new(own, [shown.len(), latents]),
        analysed.device,
    )
}

fn of_contrast(
    contrast: f64,
    shown: &[(usize, Grating)],
    courses: &[Vec<f64>],
    rest: &[f32],
    settings: &LatencyConfig,
) -> Result<AtContrast> {
    let mut latencies = Vec::with_capacity(shown.len());
    let mut mean = vec![0.0; settings.steps + 1];
    for (&(unit, _), course) in shown.iter().zip(courses) {
        let baseline = f64::from(rest[unit]);
        let whole: Vec<f64> = std::iter::once(baseline)
            .chain(course.iter().copied())
            .collect();
        let peak = whole.iter().copied().fold(baseline, f64::max);
        latencies.push(match peak > 2.0 * baseline + settings.least {
            true => half_time(&whole, baseline, LatencyReference::Peak)
                .with_context(|| format!("the response of neuron {unit}"))?,
            false => None,
        });
        for (sum, rate) in mean.iter_mut().zip(&whole) {
            *sum += rate / shown.len() as f64;
        }
    }
    Ok(AtContrast {
        contrast,
        responding: latencies.iter().flatten().count(),
        median: median(latencies.iter().flatten().copied()),
        latencies,
        course: mean,
    })
}
