//! What a stimulus beside the preferred one does to a response: masks, the surround, and what was shown before.
//!
//! The most responsive neurons are each presented with their preferred drifting grating
//!
//! ```text
//! masking      under an orthogonal grating, all pairs of contrasts: the normalisation model is fitted to them
//! surround     within discs around the centre of their filter, of growing radius
//! adaptation   after the same grating, after an orthogonal one, and after a blank
//! ```
//!
//! from the resting state; responses are mean spikes per step, over whole cycles of drift where they settle first. Which grating a neuron
//! prefers is decided in separate trials. Contrast is the amplitude of the sinusoid in units of the standardised data.
//!
//! Sources: Heeger (1992), *Visual Neuroscience* 9:181; Cavanaugh, Bair & Movshon (2002), *J. Neurophysiol.* 88:2530; Ohzawa,
//! Sclar & Freeman (1985), *J. Neurophysiol.* 54:651.

use anyhow::{Context as _, Result, ensure};
use scotopic_datasets::stimulus::Grating;
use scotopic_datasets::{ImageShape, StimulusConfig};
use scotopic_measures::tuning::DivisiveNormalisation;
use serde::{Deserialize, Serialize};

use super::analysed_model::median;
use super::gratings::{Disc, Preferred, Protocol, Responses, Shown, preferred, responses};
use super::{AnalysedModel, Dictionary};

/// The stimuli and their timing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextConfig {
    /// Orientations among which the preferred one is chosen, evenly spaced over 180 degrees from 0.
    pub orientations: usize,
    /// Spatial frequencies among which the preferred one is chosen, cycles per pixel.
    pub frequencies: Vec<f64>,
    /// Contrast at which it is chosen, and of the surround and of adaptation.
    pub reference: f64,
    /// Contrasts of the preferred grating under a mask.
    pub contrasts: Vec<f64>,
    /// Contrasts of the mask; 0 is none.
    pub masks: Vec<f64>,
    /// Radii of the discs, pixels, ascending; the response to the whole image is measured as well.
    pub radii: Vec<f64>,
    /// Period of the drift, in steps.
    pub period: usize,
    /// Settling time before spikes are counted, in steps.
    pub settle: usize,
    /// How long the adapting grating is shown, and then the response to the test is counted, in steps.
    pub adapting: [usize; 2],
    /// Number of neurons, the most responsive ones.
    pub neurons: usize,
    /// Trials per condition.
    pub trials: usize,
    /// Batch size, in sequences.
    pub batch: usize,
    /// A neuron counts if it fires more than so many spikes per step to its preferred grating.
    pub least: f64,
}

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            orientations: 12,
            frequencies: vec![0.04, 0.06, 0.09, 0.13, 0.18, 0.26, 0.37],
            reference: 1.0,
            contrasts: vec![0.0, 0.125, 0.25, 0.5, 1.0, 2.0],
            masks: vec![0.0, 0.5, 1.0, 2.0],
            radii: vec![1.5, 2.5, 3.5, 4.5, 6.0, 8.0],
            period: 120,
            settle: 24,
            adapting: [120, 16],
            neurons: 64,
            trials: 4,
            batch: 256,
            least: 0.05,
        }
    }
}

impl ContextConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first invalid setting.
    pub fn validate(&self) -> Result<()> {
        ensure!(
            self.orientations >= 3 && !self.frequencies.is_empty(),
            "orientations and frequencies: at least 3 and 1 are needed"
        );
        let pairs = self.contrasts.len() * self.masks.len();
        ensure!(
            self.contrasts.len() >= 3 && self.masks.len() >= 2 && self.masks.contains(&0.0),
            "contrasts and masks: {pairs} pairs are given; at least 3 contrasts and 2 masks, one of them 0, are needed"
        );
        ensure!(
            !self.radii.is_empty() && self.radii.iter().all(|r| *r > 0.0),
            "radii: at least one is needed, all above 0"
        );
        ensure!(
            self.period >= 3 && self.adapting.iter().all(|steps| *steps > 0),
            "period and adapting: at least 3 steps and 1 step each are needed"
        );
        ensure!(self.neurons > 0, "neurons: at least one is needed");
        let each = self.contrasts.iter().chain(&self.masks);
        for contrast in each.chain([&self.reference]).copied() {
            for grating in self.grid(contrast) {
                StimulusConfig::Grating(grating).validate()?;
            }
        }
        Ok(())
    }

    /// Orientation by orientation, all frequencies.
    fn grid(&self, contrast: f64) -> Vec<Grating> {
        let angle = |i: usize| 180.0 * i as f64 / self.orientations as f64;
        let each = (0..self.orientations)
            .flat_map(|i| self.frequencies.iter().map(move |&f| (angle(i), f)));
        each.map(|(orientation, spatial_frequency)| Grating {
            orientation,
            spatial_frequency,
            temporal_frequency: 1.0 / self.period as f64,
            contrast,
            ..Default::default()
        })
        .collect()
    }

    /// Whole cycles after a settling time.
    fn drifting(&self) -> Protocol {
        Protocol {
            settle: self.settle,
            window: self.period,
            cycles: 1,
            trials: self.trials,
            batch: self.batch,
            shuffled: None,
        }
    }

    /// The adapting stimulus, then the test.
    fn adapted(&self) -> Protocol {
        let [settle, window] = self.adapting;
        Protocol {
            settle,
            window,
            cycles: 0,
            ..self.drifting()
        }
    }
}

/// Effects of context on the most responsive neurons; `None` where undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextEffects {
    /// The settings.
    pub settings: ContextConfig,
    /// Median weight of the mask in the normalisation model.
    pub mask: Option<f64>,
    /// Median R² of the model.
    pub r2: Option<f64>,
    /// Median R² of the model that does not see the mask.
    pub r2_unmasked: Option<f64>,
    /// Median suppression by the surround.
    pub surround: Option<f64>,
    /// Median radius of the largest response, pixels.
    pub radius: Option<f64>,
    /// Median adaptation to the same grating.
    pub adaptation: Option<f64>,
    /// Median adaptation to the orthogonal one.
    pub cross_adaptation: Option<f64>,
    /// The neurons, most responsive first.
    pub units: Vec<UnitContext>,
}

/// One neuron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitContext {
    /// Index of the neuron.
    pub unit: usize,
    /// Spikes per step to its preferred grating when that was chosen.
    pub peak: f64,
    /// The model of masking.
    pub masking: Option<DivisiveNormalisation>,
    /// Responses to the pairs of contrasts, grating by grating.
    pub by_contrast: Vec<f64>,
    /// 1 − R(whole image)/R(best disc).
    pub surround: Option<f64>,
    /// Radius of the best disc, pixels; `None` if no disc is better than the whole image.
    pub radius: Option<f64>,
    /// Responses to the discs, then to the whole image.
    pub by_radius: Vec<f64>,
    /// 1 − R(after the same)/R(after a blank).
    pub adaptation: Option<f64>,
    /// 1 − R(after the orthogonal)/R(after a blank).
    pub cross_adaptation: Option<f64>,
    /// Responses after a blank, the same, the orthogonal grating.
    pub after: [f64; 3],
}

/// Measures the effects of context in a model with a linear decoder that sees images of `shape`.
///
/// # Errors
/// If the latents are not spike counts, the decoder is not linear, a setting is invalid, or the device fails.
pub fn context(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    settings: &ContextConfig,
) -> Result<ContextEffects> {
    analysed.require_spikes("effects of context")?;
    settings.validate().context("the settings of context")?;
    let dictionary = Dictionary::of(analysed, "the surround")?;
    let gratings = settings.grid(settings.reference);
    let chosen = preferred(
        analysed,
        shape,
        &gratings,
        &settings.drifting(),
        settings.neurons,
    )?;
    let chosen: Vec<Preferred> = chosen
        .into_iter()
        .filter(|best| best.response > settings.least)
        .collect();
    // Noise of its own for every set of conditions.
    let mut batches = gratings.len();
    let mut present = |shown: Vec<Shown>, protocol: &Protocol| -> Result<Responses> {
        let from = batches;
        batches += shown.len();
        responses(analysed, shape, &shown, protocol, from)
    };
    let masked = present(
        each(&chosen, &gratings, |_, grating| masks(settings, grating)),
        &settings.drifting(),
    )?;
    let discs = present(
        each(&chosen, &gratings, |best, grating| {
            let centre = centre(dictionary.atom(best.unit), shape);
            areas(settings, grating, centre)
        }),
        &settings.drifting(),
    )?;
    let after = present(
        each(&chosen, &gratings, |_, grating| adaptors(grating).to_vec()),
        &settings.adapted(),
    )?;
    let units = chosen
        .iter()
        .enumerate()
        .map(|(i, best)| of_unit(i, best, [&masked, &discs, &after], settings))
        .collect::<Result<Vec<_>>>()?;
    let middle = |of: &dyn Fn(&UnitContext) -> Option<f64>| median(units.iter().filter_map(of));
    Ok(ContextEffects {
        settings: settings.clone(),
        mask: middle(&|u| Some(u.masking?.mask)),
        r2: middle(&|u| Some(u.masking?.r2)),
        r2_unmasked: middle(&|u| Some(u.masking?.r2_unmasked)),
        surround: middle(&|u| u.surround),
        radius: middle(&|u| u.radius),
        adaptation: middle(&|u| u.adaptation),
        cross_adaptation: middle(&|u| u.cross_adaptation),
        units,
    })
}

/// The conditions of all neurons, one neuron after the other.
fn each(
    chosen: &[Preferred],
    gratings: &[Grating],
    of: impl Fn(&Preferred, Grating) -> Vec<Shown>,
) -> Vec<Shown> {
    let all = chosen
        .iter()
        .flat_map(|best| of(best, gratings[best.grating]));
    all.collect()
}

/// All pairs of contrasts: of the grating, and of an orthogonal mask.
fn masks(settings: &ContextConfig, grating: Grating) -> Vec<Shown> {
    pairs(settings)
        .into_iter()
        .map(|[contrast, mask]| {
            Shown::from(Grating {
                contrast,
                plaid_orientation: grating.orientation + 90.0,
                plaid_contrast: mask,
                ..grating
            })
        })
        .collect()
}

fn pairs(settings: &ContextConfig) -> Vec<[f64; 2]> {
    let contrasts = settings.contrasts.iter();
    contrasts
        .flat_map(|&c| settings.masks.iter().map(move |&m| [c, m]))
        .collect()
}

/// The discs around the centre of the filter, then the whole image.
fn areas(settings: &ContextConfig, grating: Grating, centre: [f64; 2]) -> Vec<Shown> {
    let disc = |radius| Shown {
        disc: Some(Disc { centre, radius }),
        ..grating.into()
    };
    let discs = settings.radii.iter().map(|&radius| disc(radius));
    discs.chain([grating.into()]).collect()
}

/// The grating after a blank, after itself, after the orthogonal one.
fn adaptors(grating: Grating) -> [Shown; 3] {
    let blank = Grating {
        contrast: 0.0,
        ..grating
    };
    let orthogonal = Grating {
        orientation: grating.orientation + 90.0,
        ..grating
    };
    [blank, grating, orthogonal].map(|before| Shown {
        before,
        ..grating.into()
    })
}

/// The centre of mass of the squared weights of a filter: row and column, over all channels. That of the image for a filter of
/// zeros.
fn centre(atom: &[f32], shape: ImageShape) -> [f64; 2] {
    let plane = shape.height * shape.width;
    let (mut sum, mut row, mut column) = (0.0, 0.0, 0.0);
    for (i, &weight) in atom.iter().enumerate() {
        let energy = f64::from(weight).powi(2);
        sum += energy;
        row += energy * (i % plane / shape.width) as f64;
        column += energy * (i % shape.width) as f64;
    }
    match sum > 0.0 {
        true => [row / sum, column / sum],
        false => [shape.height, shape.width].map(|n| (n as f64 - 1.0) / 2.0),
    }
}

fn of_unit(
    number: usize,
    best: &Preferred,
    [masked, discs, after]: [&Responses; 3],
    settings: &ContextConfig,
) -> Result<UnitContext> {
    let own = |seen: &Responses, count: usize| -> Vec<f64> {
        let conditions = number * count..(number + 1) * count;
        conditions.map(|i| seen.mean(i, best.unit)).collect()
    };
    let pairs = pairs(settings);
    let by_contrast = own(masked, pairs.len());
    let by_radius = own(discs, settings.radii.len() + 1);
    let after: [f64; 3] = std::array::from_fn(|i| after.mean(3 * number + i, best.unit));
    let (areas, whole) = by_radius.split_at(settings.radii.len());
    let start = (whole[0], None);
    let (most, radius) =
        areas
            .iter()
            .zip(&settings.radii)
            .fold(start, |best, (&response, &radius)| {
                match response > best.0 {
                    true => (response, Some(radius)),
                    false => best,
                }
            });
    let less = |response: f64, than: f64| (than > 0.0).then(|| 1.0 - response / than);
    Ok(UnitContext {
        unit: best.unit,
        peak: best.response,
        masking: DivisiveNormalisation::fit(&pairs, &by_contrast)
            .with_context(|| format!("the responses of neuron {} to masks", best.unit))?,
        surround: less(whole[0], most),
        radius,
        adaptation: less(after[1], after[0]),
        cross_adaptation: less(after[2], after[0]),
        by_contrast,
        by_radius,
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 1,
        height: 4,
        width: 6,
    };

    #[test]
    fn filters_have_their_centre_of_mass() {
        let mut atom = vec![0f32; 24];
        atom[6 + 2] = 2.0;
        atom[2 * 6 + 2] = -2.0;
        assert_eq!(centre(&atom, SHAPE), [1.5, 2.0]);
        assert_eq!(centre(&[0.0; 24], SHAPE), [1.5, 2.5]);
    }

    #[test]
    fn the_best_disc_is_found() {
        let settings = ContextConfig {
            radii: vec![1.0, 2.0],
            ..Default::default()
        };
        let shown = areas(&settings, Grating::default(), [1.0, 1.0]);
        let radii: Vec<Option<f64>> = shown.iter().map(|s| Some(s.disc?.radius)).collect();
        assert_eq!(radii, [Some(1.0), Some(2.0), None]);
    }

    #[test]
    fn settings_that_say_nothing_are_refused() {
        let wrong = |config: ContextConfig| config.validate().unwrap_err().to_string();
        let with = |masks: &[f64]| ContextConfig {
            masks: masks.to_vec(),
            ..Default::default()
        };
        assert!(wrong(with(&[0.5, 1.0])).contains("one of them 0"));
        assert!(
            wrong(ContextConfig {
                radii: vec![0.0],
                ..Default::default()
            })
            .contains("above 0")
        );
        assert!(ContextConfig::default().validate().is_ok());
    }
}
