//! Gratings and plaids, the stimuli that receptive fields are measured with.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::{Frames, Show};
use crate::transform::Turn;
use crate::{Error, ImageShape, Result};

/// A sinusoid that drifts across its bars, and perhaps a second one over it,
///
/// ```text
/// x(t, r, c) = mean + contrast·cos(2π(f·u − ν·t) + φ) + plaid_contrast·cos(2π(f·u′ − ν·t) + φ)
/// u  = x cos θ + y sin θ,     x = c − (w−1)/2 to the right,  y = (h−1)/2 − r upwards
/// u′ = the same with θ′
/// ```
///
/// θ turns the whole picture counter-clockwise: at 0° the bars are vertical and drift to the right, at
/// 90° they are horizontal and drift upwards. Contrasts and mean are on the scale of the model's images.
/// A plaid of two gratings at right angles measures cross-orientation suppression.
///
/// ```
/// use scotopic_datasets::{ImageShape, stimulus::Grating};
/// let still = Grating { spatial_frequency: 0.25, temporal_frequency: 0.0, ..Default::default() };
/// let shape = ImageShape { channels: 1, height: 1, width: 5 };
/// let row = still.frame(shape, 0);
/// for (value, expected) in row.iter().zip([-1.0, 0.0, 1.0, 0.0, -1.0]) {
///     assert!((value - expected).abs() < 1e-6);
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grating {
    /// θ, degrees.
    pub orientation: f64,
    /// f, cycles per pixel, 0 to 0.5.
    pub spatial_frequency: f64,
    /// ν, cycles per step, −0.5 to 0.5; negative drifts the other way.
    pub temporal_frequency: f64,
    /// Amplitude of the grating.
    pub contrast: f64,
    /// φ, degrees.
    pub phase: f64,
    /// The grey between the bars.
    pub mean: f64,
    /// θ′ of the second grating, degrees.
    pub plaid_orientation: f64,
    /// Amplitude of the second grating; 0: there is none.
    pub plaid_contrast: f64,
}

impl Default for Grating {
    fn default() -> Self {
        Self {
            orientation: 0.0,
            spatial_frequency: 0.125,
            temporal_frequency: 0.05,
            contrast: 1.0,
            phase: 0.0,
            mean: 0.0,
            plaid_orientation: 90.0,
            plaid_contrast: 0.0,
        }
    }
}

impl Grating {
    pub(super) const WHAT: &'static str = "stimulus `grating`";

    pub(super) fn validate(&self) -> Result<()> {
        let far = 1e6;
        for (field, value, least, most) in [
            ("orientation", self.orientation, -far, far),
            ("spatial_frequency", self.spatial_frequency, 0.0, 0.5),
            ("temporal_frequency", self.temporal_frequency, -0.5, 0.5),
            ("contrast", self.contrast, 0.0, far),
            ("phase", self.phase, -far, far),
            ("mean", self.mean, -far, far),
            ("plaid_orientation", self.plaid_orientation, -far, far),
            ("plaid_contrast", self.plaid_contrast, 0.0, far),
        ] {
            if !(least..=most).contains(&value) {
                let expected = format!("{least} to {most}");
                return Err(Error::setting(Self::WHAT, field, value, expected));
            }
        }
        Ok(())
    }

    /// The frame at step `t`, the same in every channel.
    pub fn frame(&self, shape: ImageShape, t: usize) -> Vec<f32> {
        let (cy, cx) = (
            (shape.height as f64 - 1.0) / 2.0,
            (shape.width as f64 - 1.0) / 2.0,
        );
        let gratings = [
            (Turn::degrees(self.orientation), self.contrast),
            (Turn::degrees(self.plaid_orientation), self.plaid_contrast),
        ];
        let phase = self.phase.to_radians() - TAU * self.temporal_frequency * t as f64;
        let value = |row: usize, column: usize| {
            let (y, x) = (cy - row as f64, column as f64 - cx);
            let wave = |(turn, contrast): (Turn, f64)| {
                let u = x * turn.cos + y * turn.sin;
                contrast * (TAU * self.spatial_frequency * u + phase).cos()
            };
            (self.mean + gratings.map(wave).iter().sum::<f64>()) as f32
        };
        let value = &value;
        let rows = 0..shape.height;
        let plane: Vec<f32> = rows
            .flat_map(|row| (0..shape.width).map(move |column| value(row, column)))
            .collect();
        plane.repeat(shape.channels)
    }

    pub(super) fn frames(&self, show: &Show<'_>) -> Result<Frames> {
        let mut frame = Vec::new();
        show.each(|t, b, out| {
            if b == 0 {
                frame = self.frame(show.shape, t);
            }
            out.extend_from_slice(&frame);
        })
    }
}
