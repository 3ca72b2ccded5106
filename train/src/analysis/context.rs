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

mod config;

use anyhow::{Context as _, Result};
use scotopic_datasets::ImageShape;
use scotopic_datasets::stimulus::Grating;
use scotopic_measures::tuning::DivisiveNormalisation;
use serde::{Deserialize, Serialize};

use super::analysed_model::median;
use super::gratings::{Disc, Preferred, Protocol, Responses, Shown, preferred, responses};
use super::{AnalysedModel, Dictionary};

pub use config::ContextConfig;

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
    settings
        .pairs()
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
    let pairs = settings.pairs();
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
}
