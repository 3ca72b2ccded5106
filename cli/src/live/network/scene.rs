//! The picture that the network looks at, at one step: what was drawn, prepared as in training, with contrast, noise and
//! occlusion.

use anyhow::{Result, ensure};
use scotopic_datasets::whitening::Whitener;
use scotopic_datasets::{
    DataConfig, ImageShape, Picture, Standardisation, WhiteningConfig, WhiteningKind,
};

use crate::live::commands::Pixels;

/// What the sliders say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dials {
    /// Factor of the deviations from the blank picture.
    pub contrast: f32,
    /// Standard deviation of the pixel noise, fresh at every step, on the scale of the input.
    pub noise: f32,
    /// The share of the columns that is blank, from the right.
    pub occlusion: f32,
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            contrast: 1.0,
            noise: 0.0,
            occlusion: 0.0,
        }
    }
}

/// Pixels on the scale of the model.
pub struct Scene {
    shape: ImageShape,
    standardisation: Standardisation,
    whitener: Option<Whitener>,
    /// A black picture, in place of one.
    blank: Vec<f32>,
    still: Vec<f32>,
}

impl Scene {
    /// A black picture.
    pub fn new(shape: ImageShape, standardisation: Standardisation, data: &DataConfig) -> Self {
        let whitening: Option<&WhiteningConfig> = match data {
            DataConfig::DeadLeaves(c) => Some(&c.whitening),
            DataConfig::Images(c) => Some(&c.whitening),
            _ => None,
        };
        let whitening = whitening.filter(|w| w.kind != WhiteningKind::None || w.local_contrast);
        let mut new = Self {
            shape,
            standardisation,
            whitener: whitening.map(Whitener::new),
            blank: Vec::new(),
            still: Vec::new(),
        };
        new.blank = new.prepared(&vec![0; shape.pixels()]);
        new.still = new.blank.clone();
        new
    }

    /// Whether pictures are whitened before the network sees them.
    pub fn is_whitened(&self) -> bool {
        self.whitener.is_some()
    }

    /// Shows a picture from now on.
    ///
    /// # Errors
    /// If it has another size.
    pub fn show(&mut self, pixels: &Pixels) -> Result<()> {
        let ImageShape {
            channels,
            height,
            width,
        } = self.shape;
        ensure!(
            pixels.shape == [channels, height, width],
            "the picture has {:?} channels, rows and columns, and the network sees {:?}: load the page again",
            pixels.shape,
            [channels, height, width]
        );
        self.still = self.prepared(&pixels.values);
        Ok(())
    }

    /// As in training: grey values from 0 to 1, whitened where training images were, standardised.
    fn prepared(&mut self, values: &[u8]) -> Vec<f32> {
        let (height, width) = (self.shape.height, self.shape.width);
        let mut pixels: Vec<f32> = values.iter().map(|v| f32::from(*v) / 255.0).collect();
        if let Some(whitener) = &mut self.whitener {
            for plane in pixels.chunks_mut(height * width) {
                // Mirrored at the edges, as if the picture went on: the filter takes it for one period of a torus.
                let mirror = |at: usize, size: usize| match at / size {
                    1 => at % size,
                    _ => size - 1 - at % size,
                };
                let mut large = Picture::from_fn(3 * height, 3 * width, |y, x| {
                    f64::from(plane[mirror(y, height) * width + mirror(x, width)])
                });
                whitener.apply(&mut large);
                for (at, pixel) in plane.iter_mut().enumerate() {
                    *pixel = large.at(height + at / width, width + at % width) as f32;
                }
            }
        }
        self.standardisation.apply(&mut pixels);
        pixels
    }

    /// The input of a step; `noise` gives standard normal numbers.
    pub fn input(&self, dials: Dials, mut noise: impl FnMut() -> f32, into: &mut Vec<f32>) {
        let width = self.shape.width;
        let covered = (dials.occlusion.clamp(0.0, 1.0) * width as f32).round() as usize;
        let seen = width.saturating_sub(covered);
        into.clear();
        let pairs = self.still.iter().zip(&self.blank).enumerate();
        into.extend(pairs.map(|(at, (x, blank))| {
            let x = match at % width < seen {
                true => blank + dials.contrast * (x - blank),
                false => *blank,
            };
            match dials.noise > 0.0 {
                true => x + dials.noise * noise(),
                false => x,
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 4,
        };
        let standardisation = Standardisation {
            mean: 0.5,
            std: 0.25,
        };
        let mut scene = Scene::new(shape, standardisation, &DataConfig::Idx(Default::default()));
        let pixels = Pixels {
            serial: 0,
            shape: [1, 1, 4],
            values: vec![0, 255, 0, 255],
        };
        scene.show(&pixels).unwrap();
        scene
    }

    #[test]
    fn sliders_do_what_they_say() {
        let scene = scene();
        let of = |dials: Dials| {
            let mut x = Vec::new();
            scene.input(dials, || 1.0, &mut x);
            x
        };
        let plain = Dials::default();
        assert_eq!(of(plain), [-2.0, 2.0, -2.0, 2.0]);
        let (contrast, occlusion, noise) = (0.5, 0.25, 0.5);
        assert_eq!(of(Dials { contrast, ..plain }), [-2.0, 0.0, -2.0, 0.0]);
        assert_eq!(of(Dials { occlusion, ..plain }), [-2.0, 2.0, -2.0, -2.0]);
        assert_eq!(of(Dials { noise, ..plain }), [-1.5, 2.5, -1.5, 2.5]);
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let pixels = Pixels {
            serial: 0,
            shape: [1, 2, 2],
            values: vec![0; 4],
        };
        let error = scene().show(&pixels).unwrap_err().to_string();
        assert!(
            error.contains("[1, 2, 2]") && error.contains("[1, 1, 4]"),
            "{error}"
        );
    }
}
