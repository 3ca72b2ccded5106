//! The stimuli of context, and their timing.

use anyhow::{Result, ensure};
use scotopic_datasets::StimulusConfig;
use scotopic_datasets::stimulus::Grating;
use serde::{Deserialize, Serialize};

use crate::analysis::gratings::Protocol;

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
    /// How long the adapting grating is shown, in steps; the response to the test is counted over a whole cycle, for most neurons are
    /// silent in parts of it.
    pub adapting: usize,
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
            adapting: 120,
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
            self.period >= 3 && self.adapting > 0,
            "period and adapting: at least 3 steps and 1 step are needed"
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
    pub(super) fn grid(&self, contrast: f64) -> Vec<Grating> {
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
    pub(super) fn drifting(&self) -> Protocol {
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
    pub(super) fn adapted(&self) -> Protocol {
        Protocol {
            settle: self.adapting,
            ..self.drifting()
        }
    }

    /// The contrasts of grating and mask, grating by grating.
    pub(super) fn pairs(&self) -> Vec<[f64; 2]> {
        let contrasts = self.contrasts.iter();
        contrasts
            .flat_map(|&c| self.masks.iter().map(move |&m| [c, m]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
