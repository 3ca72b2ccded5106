//! Dead leaves: pictures of discs that occlude one another, as leaves do on the ground. They need no
//! file, and share with photographs what matters to a model of early vision: edges, occlusion, and a
//! power spectrum that falls as a power of the frequency (with the defaults about f^−2.5), because
//! the sizes of the discs have no scale of their own,
//!
//! ```text
//! p(r) ∝ r⁻³,  radius_min ≤ r ≤ radius_max          grey ~ U[0, 1] per disc
//! ```
//!
//! Sources: Matheron (1968) for the model; Alvarez, Gousseau & Morel (1999), *The size of objects in
//! natural and artificial images*; Lee, Mumford & Huang (2001), *Occlusion models for natural images:
//! a statistical study of a scale-invariant dead leaves model*, IJCV 41:35–59, for r⁻³.

mod draw;
mod power_law;

pub use draw::{Leaves, draw};
pub use power_law::PowerLaw;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::images::MAX_PATCH_PIXELS;
use crate::patches::{Cut, Cutter};
use crate::rng::stream;
use crate::whitening::Whitener;
use crate::{Error, ImageSet, Result, Splits, WhiteningConfig};

/// The configuration `source = "dead-leaves"`, and the default data of the program.
///
/// ```
/// use scotopic_datasets::{DataConfig, DeadLeavesConfig};
/// let coarse = DeadLeavesConfig { radius_min: 4.0, ..Default::default() };
/// DataConfig::DeadLeaves(coarse).validate().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLeavesConfig {
    /// Side of a patch.
    pub size: usize,
    /// How many patches to train on.
    pub train: usize,
    /// How many patches to validate with, from other pictures.
    pub validation: usize,
    /// Names the pictures and the positions of the patches.
    pub seed: u64,
    /// Side of one picture, in pixels.
    pub canvas: usize,
    /// Patches per picture; fewer of them means more variety and more time.
    pub patches_per_picture: usize,
    /// Pixels at every edge of a picture that are not used.
    pub border: usize,
    /// The smallest radius, in pixels.
    pub radius_min: f64,
    /// The largest radius, in pixels.
    pub radius_max: f64,
    /// α of p(r) ∝ r^−α.
    pub exponent: f64,
    /// Samples across a pixel, and down: each pixel is the mean of `supersample²` samples.
    pub supersample: usize,
    /// Patches with less than this multiple of their picture's standard deviation are drawn again; 0 keeps
    /// all. (A blank patch has no variance to explain, so that its R² says nothing.)
    pub min_contrast: f64,
    /// The filter.
    pub whitening: WhiteningConfig,
    /// Shift and scale by mean and standard deviation of the training patches.
    pub standardise: bool,
}

impl Default for DeadLeavesConfig {
    fn default() -> Self {
        Self {
            size: 12,
            train: 20_000,
            validation: 2000,
            seed: 0,
            canvas: 128,
            patches_per_picture: 32,
            border: 8,
            radius_min: 2.0,
            radius_max: 64.0,
            exponent: 3.0,
            supersample: 3,
            min_contrast: 0.25,
            whitening: WhiteningConfig::default(),
            standardise: true,
        }
    }
}

const SOURCE: &str = "dead-leaves";
/// More leaves than this per picture would take minutes.
const MAX_LEAVES: f64 = 2e7;

impl DeadLeavesConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::config(SOURCE, field, found, expected))
        };
        if self.canvas == 0 || self.canvas > 2048 {
            return wrong("canvas", self.canvas.to_string(), "1 to 2048");
        }
        let room = self.canvas.saturating_sub(self.border.saturating_mul(2));
        if self.size == 0 || self.size > room {
            let expected = format!("1 to {room}, which is canvas − 2·border");
            return wrong("size", self.size.to_string(), &expected);
        }
        if self.train == 0 {
            return wrong("train", "0".into(), "at least 1");
        }
        let most = MAX_PATCH_PIXELS / (self.size * self.size);
        for (field, n) in [("train", self.train), ("validation", self.validation)] {
            if n > most {
                return wrong(field, n.to_string(), &format!("at most {most}"));
            }
        }
        if self.patches_per_picture == 0 {
            return wrong("patches_per_picture", "0".into(), "at least 1");
        }
        if !(0.1..=1e4).contains(&self.radius_min) {
            return wrong(
                "radius_min",
                self.radius_min.to_string(),
                "0.1 to 10000 pixels",
            );
        }
        if !(self.radius_max >= self.radius_min && self.radius_max <= 1e4) {
            let expected = format!("radius_min ({}) to 10000 pixels", self.radius_min);
            return wrong("radius_max", self.radius_max.to_string(), &expected);
        }
        if !(0.0..=10.0).contains(&self.exponent) {
            return wrong(
                "exponent",
                self.exponent.to_string(),
                "0 to 10; 3 is scale-invariant",
            );
        }
        if !(1..=8).contains(&self.supersample) {
            return wrong("supersample", self.supersample.to_string(), "1 to 8");
        }
        let leaves = self.leaves().expected();
        if leaves > MAX_LEAVES {
            let expected = format!(
                "larger leaves or a smaller canvas: this needs about {leaves:.0} leaves a picture"
            );
            return wrong("radius_min", self.radius_min.to_string(), &expected);
        }
        if !(0.0..=2.0).contains(&self.min_contrast) {
            return wrong("min_contrast", self.min_contrast.to_string(), "0 to 2");
        }
        self.whitening.validate(SOURCE)
    }

    /// What one picture of this configuration is drawn with.
    pub fn leaves(&self) -> Leaves {
        Leaves {
            canvas: self.canvas,
            supersample: self.supersample,
            radii: PowerLaw {
                min: self.radius_min,
                max: self.radius_max,
                exponent: self.exponent,
            },
        }
    }

    pub(crate) fn load(&self, note: &mut dyn FnMut(&str)) -> Result<Splits> {
        let mut split = |name, patches: usize, pictures, positions| {
            let n = patches.div_ceil(self.patches_per_picture);
            note(&format!(
                "{name}: {patches} patches from {n} pictures of dead leaves"
            ));
            let cutter = Cutter {
                side: self.size,
                border: self.border,
                seed: self.seed,
                stream: positions,
                min_contrast: self.min_contrast,
            };
            self.cut_patches(name, patches, pictures, cutter)
        };
        let (pictures, patches) = (stream::TRAIN_PICTURE, stream::TRAIN_PATCH);
        let train = split("dead leaves, training", self.train, pictures, patches)?;
        let (pictures, patches) = (stream::VALIDATION_PICTURE, stream::VALIDATION_PATCH);
        let validation = split(
            "dead leaves, validation",
            self.validation,
            pictures,
            patches,
        )?;
        Splits::new(train, validation, None, self.standardise)
    }

    fn cut_patches(
        &self,
        name: &str,
        patches: usize,
        pictures: u64,
        cutter: Cutter,
    ) -> Result<ImageSet> {
        let n = patches.div_ceil(self.patches_per_picture);
        let leaves = self.leaves();
        let cut: Vec<Cut> = (0..n)
            .into_par_iter()
            .map_init(
                || Whitener::new(&self.whitening),
                |whitener, i| {
                    let mut picture = draw(&leaves, self.seed, &[pictures, i as u64]);
                    whitener.apply(&mut picture);
                    // Neighbouring patches of the set come from different pictures, so that the
                    // first few are as varied as any.
                    cutter.cut_all(&picture, (i..patches).step_by(n).collect())
                },
            )
            .collect();
        cutter.collect(name, 1, patches, cut)
    }
}

#[cfg(test)]
mod tests;
