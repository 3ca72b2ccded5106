//! Tuning to orientation, spatial frequency and contrast; cross-orientation suppression.
//!
//! Every drifting grating of a grid (orientation × frequency × contrast) is presented from the resting state; the response
//! is the mean number of spikes per step over whole cycles of drift, after a settling time. A neuron's
//! preferred grating is chosen in separate trials, so that chance does not favour the choice.
//! Contrast is the amplitude of the sinusoid in units of the standardised data.

use anyhow::{Context, Result, ensure};
use scotopic_datasets::stimulus::Grating;
use scotopic_datasets::{ImageShape, StimulusConfig};
use scotopic_measures::tuning::{
    FrequencyTuning, NakaRushton, OrientationTuning, cross_orientation_suppression, supersaturation,
};
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::analysed_model::median;
use super::gratings::{Protocol, Responses, responses};

/// The gratings and their timing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningConfig {
    /// Orientations, evenly spaced over 180 degrees from 0.
    pub orientations: usize,
    /// Spatial frequencies, ascending, in cycles per pixel.
    pub frequencies: Vec<f64>,
    /// Amplitudes, ascending.
    pub contrasts: Vec<f64>,
    /// Index of the contrast at which tuning to orientation, frequency and plaids is measured.
    pub reference: usize,
    /// Period of the drift, in steps.
    pub period: usize,
    /// Cycles of drift over which spikes are counted.
    pub cycles: usize,
    /// Settling time before counting, in steps.
    pub settle: usize,
    /// Trials per grating.
    pub trials: usize,
    /// Batch size, in sequences.
    pub batch: usize,
    /// A neuron responds if it fires more to its preferred grating than to a blank, by more spikes per
    /// step than this and by more than three standard errors of a difference of Poisson counts.
    pub least: f64,
}

impl Default for TuningConfig {
    fn default() -> Self {
        Self {
            orientations: 12,
            frequencies: vec![0.04, 0.06, 0.09, 0.13, 0.18, 0.26, 0.37],
            contrasts: vec![0.0625, 0.125, 0.25, 0.5, 1.0, 2.0],
            reference: 4,
            // Slow enough for potentials that take tens of steps to follow.
            period: 120,
            cycles: 1,
            settle: 24,
            trials: 4,
            batch: 256,
            least: 0.05,
        }
    }
}

impl TuningConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first invalid setting.
    pub fn validate(&self) -> Result<()> {
        ensure!(
            self.orientations >= 3,
            "orientations = {}: at least 3 are needed",
            self.orientations
        );
        ensure!(
            self.frequencies.len() >= 3,
            "frequencies: {} are given, at least 3 are needed",
            self.frequencies.len()
        );
        ensure!(
            self.contrasts.len() >= 4,
            "contrasts: {} are given, at least 4 are needed",
            self.contrasts.len()
        );
        ensure!(
            self.reference < self.contrasts.len(),
            "reference = {}: must name one of the {} contrasts, counted from 0",
            self.reference,
            self.contrasts.len()
        );
        ensure!(
            self.period >= 3 && self.cycles >= 1,
            "period = {}, cycles = {}: at least 3 steps and 1 cycle are needed",
            self.period,
            self.cycles
        );
        for grating in self.grid(self.reference, |g| g) {
            StimulusConfig::Grating(grating).validate()?;
        }
        Ok(())
    }

    /// Orientation by orientation, all frequencies, at one of the contrasts.
    fn grid(&self, contrast: usize, change: impl Fn(Grating) -> Grating) -> Vec<Grating> {
        let angle = |i: usize| 180.0 * i as f64 / self.orientations as f64;
        let each = (0..self.orientations)
            .flat_map(|i| self.frequencies.iter().map(move |&f| (angle(i), f)));
        each.map(|(orientation, spatial_frequency)| {
            change(Grating {
                orientation,
                spatial_frequency,
                temporal_frequency: 1.0 / self.period as f64,
                contrast: self.contrasts[contrast],
                ..Default::default()
            })
        })
        .collect()
    }

    fn protocol(&self) -> Protocol {
        Protocol {
            settle: self.settle,
            window: self.period * self.cycles,
            cycles: self.cycles,
            trials: self.trials,
            batch: self.batch,
            shuffled: None,
        }
    }
}

/// The tuning of all neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// The settings.
    pub settings: TuningConfig,
    /// Summary of the responsive neurons.
    pub summary: Population,
    /// Every neuron.
    pub units: Vec<UnitTuning>,
}

/// Medians and fractions over the responsive neurons; `None` where undefined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Neurons.
    pub units: usize,
    /// Responsive neurons.
    pub responsive: usize,
    /// 1 − circular variance of orientation.
    pub selectivity: Option<f64>,
    /// Half width at half height, degrees.
    pub half_width: Option<f64>,
    /// Preferred spatial frequency, cycles per pixel.
    pub frequency: Option<f64>,
    /// Its bandwidth, octaves.
    pub bandwidth: Option<f64>,
    /// Contrast of half of the Naka–Rushton curve.
    pub c50: Option<f64>,
    /// Its exponent.
    pub exponent: Option<f64>,
    /// How much it bends up to the reference contrast.
    pub saturation: Option<f64>,
    /// Its R².
    pub contrast_r2: Option<f64>,
    /// Fraction whose response at the highest contrast is a tenth or more below their highest.
    pub supersaturating: f64,
    /// Cross-orientation suppression.
    pub suppression: Option<f64>,
    /// Fraction that is suppressed.
    pub suppressed: f64,
    /// F1/F0.
    pub modulation: Option<f64>,
    /// Fraction of simple cells, F1/F0 > 1.
    pub simple: f64,
}

/// One neuron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitTuning {
    /// Index of the neuron.
    pub unit: usize,
    /// Whether it is responsive.
    pub responsive: bool,
    /// Spikes per step to its preferred grating.
    pub peak: f64,
    /// Spikes per step to a blank.
    pub blank: f64,
    /// To orientation, at the preferred frequency.
    pub orientation: Option<OrientationTuning>,
    /// To spatial frequency, at the preferred orientation.
    pub frequency: Option<FrequencyTuning>,
    /// To contrast, of the preferred grating.
    pub contrast: Option<NakaRushton>,
    /// (highest response − response at the highest contrast)/highest response.
    pub supersaturation: Option<f64>,
    /// 1 − R(plaid)/R(grating).
    pub suppression: Option<f64>,
    /// F1/F0 to the preferred grating; 2 at most.
    pub modulation: Option<f64>,
    /// Responses by orientation.
    pub by_orientation: Vec<f64>,
    /// Responses by frequency.
    pub by_frequency: Vec<f64>,
    /// Responses by contrast.
    pub by_contrast: Vec<f64>,
}

/// Measures the tuning of every neuron of a model that sees images of `shape`.
///
/// # Errors
/// If the latents are not spike counts, a setting is invalid, or the device fails.
pub fn tuning(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    settings: &TuningConfig,
) -> Result<Tuning> {
    analysed.require_spikes("tuning")?;
    settings.validate().context("the settings of tuning")?;
    let conditions = settings.orientations * settings.frequencies.len();
    // Gratings of the choice, all contrasts, plaids, a blank: one list, so that batches are full.
    let same = |g: Grating| g;
    let mut shown = settings.grid(settings.reference, same);
    for contrast in 0..settings.contrasts.len() {
        shown.extend(settings.grid(contrast, same));
    }
    shown.extend(settings.grid(settings.reference, |g| Grating {
        plaid_orientation: g.orientation + 90.0,
        plaid_contrast: g.contrast,
        ..g
    }));
    shown.push(Grating {
        contrast: 0.0,
        ..Default::default()
    });
    let seen = responses(analysed, shape, &shown, &settings.protocol(), 0)?;
    let units = (0..analysed.model.latents())
        .map(|unit| of_unit(&seen, unit, conditions, settings))
        .collect::<Result<Vec<_>>>()?;
    Ok(Tuning {
        settings: settings.clone(),
        summary: summed_up(&units, settings.contrasts[settings.reference]),
        units,
    })
}

fn of_unit(
    seen: &Responses,
    unit: usize,
    conditions: usize,
    settings: &TuningConfig,
) -> Result<UnitTuning> {
    let frequencies = settings.frequencies.len();
    let contrasts = settings.contrasts.len();
    let start = (0.0, 0);
    let choice = (0..conditions).map(|i| (seen.mean(i, unit), i));
    let (_, best) = choice.fold(start, |a, b| if b.0 > a.0 { b } else { a });
    let (angle, frequency) = (best / frequencies, best % frequencies);
    let at = |contrast: usize, condition: usize| (contrast + 1) * conditions + condition;
    let mean = |contrast: usize, condition: usize| seen.mean(at(contrast, condition), unit);
    let reference = settings.reference;
    let by_orientation: Vec<f64> = (0..settings.orientations)
        .map(|i| mean(reference, i * frequencies + frequency))
        .collect();
    let by_frequency: Vec<f64> = (0..frequencies)
        .map(|i| mean(reference, angle * frequencies + i))
        .collect();
    let by_contrast: Vec<f64> = (0..contrasts).map(|i| mean(i, best)).collect();
    let peak = mean(reference, best);
    let plaid = seen.mean((contrasts + 1) * conditions + best, unit);
    let blank = seen.mean((contrasts + 2) * conditions, unit);
    let counted = (settings.trials.max(1) * settings.period * settings.cycles) as f64;
    let first = seen.modulation(at(reference, best), unit);
    Ok(UnitTuning {
        unit,
        responsive: peak - blank > settings.least.max(3.0 * ((peak + blank) / counted).sqrt()),
        peak,
        blank,
        orientation: OrientationTuning::of(&by_orientation)?,
        frequency: FrequencyTuning::of(&settings.frequencies, &by_frequency)?,
        contrast: NakaRushton::fit(&settings.contrasts, &by_contrast)?,
        supersaturation: supersaturation(&by_contrast)?,
        suppression: cross_orientation_suppression(peak, plaid)?,
        modulation: (peak > 0.0).then(|| first / peak),
        by_orientation,
        by_frequency,
        by_contrast,
    })
}

fn summed_up(units: &[UnitTuning], reference: f64) -> Population {
    let responsive: Vec<&UnitTuning> = units.iter().filter(|u| u.responsive).collect();
    let middle = |of: &dyn Fn(&UnitTuning) -> Option<f64>| {
        median(responsive.iter().filter_map(|unit| of(unit)))
    };
    let fraction = |of: &dyn Fn(&UnitTuning) -> Option<bool>| {
        let passed = responsive.iter().filter(|unit| of(unit) == Some(true));
        passed.count() as f64 / responsive.len().max(1) as f64
    };
    Population {
        units: units.len(),
        responsive: responsive.len(),
        selectivity: middle(&|u| Some(u.orientation?.selectivity)),
        half_width: middle(&|u| u.orientation?.half_width),
        frequency: middle(&|u| Some(u.frequency?.peak)),
        bandwidth: middle(&|u| u.frequency?.bandwidth()),
        c50: middle(&|u| Some(u.contrast?.c50)),
        exponent: middle(&|u| Some(u.contrast?.n)),
        saturation: middle(&|u| u.contrast?.saturation(reference)),
        contrast_r2: middle(&|u| Some(u.contrast?.r2)),
        supersaturating: fraction(&|u| Some(u.supersaturation? >= 0.1)),
        suppression: middle(&|u| u.suppression),
        suppressed: fraction(&|u| Some(u.suppression? > 0.0)),
        modulation: middle(&|u| u.modulation),
        simple: fraction(&|u| Some(u.modulation? > 1.0)),
    }
}
