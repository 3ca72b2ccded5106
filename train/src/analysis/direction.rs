//! Selectivity for the direction of motion, with the same frames in random order as the control.
//!
//! Every grating of a grid (direction × frequency) drifts from the resting state on; the response is the mean number of spikes per
//! step after a settling time. A neuron's preferred grating is chosen in separate trials, so that chance does not favour the choice.
//!
//! ```text
//! index = (R_preferred − R_opposite)/(R_preferred + R_opposite)
//! ```
//!
//! R_opposite is the response to the same bars that drift the other way. Frames in random order have no direction: what the index
//! is there, a neuron owes to chance and to which frames follow each other.

use anyhow::{Context, Result, ensure};
use scotopic_datasets::stimulus::Grating;
use scotopic_datasets::{ImageShape, StimulusConfig};
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::mean;
use super::gratings::{Protocol, Responses, responses};

/// The gratings and their timing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionConfig {
    /// Directions, an even number, evenly spaced over 360 degrees from 0.
    pub directions: usize,
    /// Spatial frequencies in cycles per pixel.
    pub frequencies: Vec<f64>,
    /// Speed of the bars, pixels per step.
    pub speed: f64,
    /// Amplitude of the sinusoid, in units of the standardised data.
    pub contrast: f64,
    /// Settling time before counting, in steps.
    pub settle: usize,
    /// Steps over which spikes are counted.
    pub window: usize,
    /// Trials per grating.
    pub trials: usize,
    /// Batch size, in sequences.
    pub batch: usize,
    /// Seed of the random order of frames.
    pub seed: u64,
    /// A neuron responds if it fires more spikes per step than this to its preferred grating, above the mean over all gratings.
    pub least: f64,
}

impl Default for DirectionConfig {
    fn default() -> Self {
        Self {
            directions: 16,
            frequencies: vec![0.06, 0.09, 0.13, 0.18, 0.25],
            // That of the films of the presets.
            speed: 1.0,
            contrast: 1.0,
            settle: 8,
            window: 40,
            trials: 8,
            batch: 256,
            seed: 0,
            least: 0.05,
        }
    }
}

impl DirectionConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first invalid setting.
    pub fn validate(&self) -> Result<()> {
        ensure!(
            self.directions >= 4 && self.directions.is_multiple_of(2),
            "directions = {}: an even number from 4 on is needed, so that each has an opposite",
            self.directions
        );
        ensure!(
            !self.frequencies.is_empty() && self.window > 0,
            "frequencies and window: at least one frequency and one step are needed"
        );
        for grating in self.grid() {
            StimulusConfig::Grating(grating).validate()?;
        }
        Ok(())
    }

    /// Direction by direction, all frequencies.
    fn grid(&self) -> Vec<Grating> {
        let angle = |i: usize| 360.0 * i as f64 / self.directions as f64;
        let each =
            (0..self.directions).flat_map(|i| self.frequencies.iter().map(move |&f| (angle(i), f)));
        each.map(|(orientation, spatial_frequency)| Grating {
            orientation,
            spatial_frequency,
            temporal_frequency: self.speed * spatial_frequency,
            contrast: self.contrast,
            ..Default::default()
        })
        .collect()
    }

    fn protocol(&self, shuffled: Option<u64>) -> Protocol {
        Protocol {
            settle: self.settle,
            window: self.window,
            cycles: 0,
            trials: self.trials,
            batch: self.batch,
            shuffled,
        }
    }
}

/// The direction selectivity of all neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// The settings.
    pub settings: DirectionConfig,
    /// Neurons that respond.
    pub responsive: usize,
    /// Mean index of these; `None` if there are none.
    pub index: Option<f64>,
    /// The same of their responses to frames in random order.
    pub shuffled: Option<f64>,
    /// Every neuron.
    pub units: Vec<UnitDirection>,
}

/// One neuron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UnitDirection {
    /// Index of the neuron.
    pub unit: usize,
    /// Whether it is responsive.
    pub responsive: bool,
    /// Its preferred direction in degrees, counter-clockwise from motion to the right.
    pub preferred: f64,
    /// Spikes per step to its preferred grating.
    pub peak: f64,
    /// Its index; `None` if it fires to neither direction.
    pub index: Option<f64>,
    /// Its index for frames in random order.
    pub shuffled: Option<f64>,
}

/// Measures the direction selectivity of every neuron of a model that sees images of `shape`.
///
/// # Errors
/// If the latents are not spike counts, a setting is invalid, or the device fails.
pub fn direction(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    settings: &DirectionConfig,
) -> Result<Direction> {
    analysed.require_spikes("direction selectivity")?;
    settings.validate().context("the settings of direction")?;
    // Gratings of the choice, and the same again.
    let shown = [settings.grid(), settings.grid()].concat();
    let see = |shuffled, first| {
        let protocol = settings.protocol(shuffled);
        responses(analysed, shape, &shown, &protocol, first)
    };
    let (seen, random) = (see(None, 0)?, see(Some(settings.seed), shown.len())?);
    let units: Vec<UnitDirection> = (0..analysed.model.latents())
        .map(|unit| of_unit(&seen, &random, unit, settings))
        .collect();
    let responsive = || units.iter().filter(|unit| unit.responsive);
    Ok(Direction {
        settings: settings.clone(),
        responsive: responsive().count(),
        index: mean(responsive().filter_map(|unit| unit.index)),
        shuffled: mean(responsive().filter_map(|unit| unit.shuffled)),
        units,
    })
}

fn of_unit(
    seen: &Responses,
    random: &Responses,
    unit: usize,
    settings: &DirectionConfig,
) -> UnitDirection {
    let conditions = settings.directions * settings.frequencies.len();
    let index = |seen: &Responses| {
        let best = preferred(seen, unit, conditions);
        let at = |condition: usize| seen.mean(conditions + condition, unit);
        let (peak, opposite) = (at(best), at((best + conditions / 2) % conditions));
        let sum = peak + opposite;
        (best, peak, (sum > 0.0).then(|| (peak - opposite) / sum))
    };
    let (best, peak, own) = index(seen);
    let all = (0..conditions).map(|i| seen.mean(conditions + i, unit));
    let average = all.sum::<f64>() / conditions as f64;
    let turn = best / settings.frequencies.len();
    UnitDirection {
        unit,
        responsive: peak - average > settings.least,
        preferred: 360.0 * turn as f64 / settings.directions as f64,
        peak,
        index: own,
        shuffled: index(random).2,
    }
}

/// The grating of the first half that a neuron fires most to.
fn preferred(seen: &Responses, unit: usize, conditions: usize) -> usize {
    let choice = (0..conditions).map(|i| (seen.mean(i, unit), i));
    let (_, best) = choice.fold((0.0, 0), |a, b| if b.0 > a.0 { b } else { a });
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_a_grating_drifts_the_other_way() {
        let settings = DirectionConfig::default();
        let grid = settings.grid();
        let shape = ImageShape {
            channels: 1,
            height: 9,
            width: 9,
        };
        for (i, grating) in grid.iter().enumerate() {
            let opposite = grid[(i + grid.len() / 2) % grid.len()];
            let back = Grating {
                temporal_frequency: -grating.temporal_frequency,
                ..*grating
            };
            for time in [0, 3] {
                let pairs = opposite
                    .frame(shape, time)
                    .into_iter()
                    .zip(back.frame(shape, time));
                // Two ways to the same cosine in f32.
                pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{i}: {a} {b}"));
            }
        }
    }

    #[test]
    fn settings_without_opposites_are_refused() {
        let odd = DirectionConfig {
            directions: 5,
            ..Default::default()
        };
        assert!(
            odd.validate()
                .unwrap_err()
                .to_string()
                .contains("directions = 5")
        );
        let fast = DirectionConfig {
            speed: 9.0,
            ..Default::default()
        };
        assert!(fast.validate().is_err());
    }
}
