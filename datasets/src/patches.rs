//! Square patches cut at random positions away from the border.

use std::sync::Arc;

use crate::rng::CounterRng;
use crate::{ImageSet, ImageShape, PatchOrigin, Picture, Result};

/// What to cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutter {
    /// Side of a patch.
    pub side: usize,
    /// Pixels on every side of a picture that no patch may touch: the FFT wraps round there.
    pub border: usize,
    pub seed: u64,
    /// Training and validation patches have streams of their own.
    pub stream: u64,
    /// A patch whose standard deviation is below this multiple of its picture's is drawn again.
    pub min_contrast: f64,
}

/// How often a patch with too little contrast is drawn again before the best one is taken.
const TRIES: usize = 64;

impl Cutter {
    /// The smallest side of a picture that a patch can be cut from.
    pub fn smallest_side(&self) -> usize {
        self.side.saturating_add(self.border.saturating_mul(2))
    }

    /// Which of `pictures` patch `patch` comes from, uniformly.
    pub fn picture_of(&self, patch: usize, pictures: usize) -> usize {
        CounterRng::new(self.seed, &[self.stream, patch as u64, 0]).below(pictures as u64) as usize
    }

    /// Cuts patch number `patch`; the position depends on that number and the picture. A position with
    /// less than `least` standard deviation is drawn again, up to [`TRIES`] times; then the best is taken.
    /// The picture must not be smaller than [`smallest_side`](Self::smallest_side). Returns its row and column.
    fn cut(&self, picture: &Picture, patch: usize, least: f64, into: &mut [f32]) -> (usize, usize) {
        let mut draws = CounterRng::new(self.seed, &[self.stream, patch as u64, 1]);
        let mut place = |size: usize| {
            let room = size - self.smallest_side() + 1;
            self.border + draws.below(room as u64) as usize
        };
        let mut best = (place(picture.height), place(picture.width));
        if least > 0.0 {
            let mut contrast = self.deviation(picture, best);
            for _ in 1..TRIES {
                if contrast >= least {
                    break;
                }
                let next = (place(picture.height), place(picture.width));
                let deviation = self.deviation(picture, next);
                if deviation > contrast {
                    (best, contrast) = (next, deviation);
                }
            }
        }
        for (row, out) in into.chunks_exact_mut(self.side).enumerate() {
            out.iter_mut()
                .zip(self.row(picture, best, row))
                .for_each(|(out, &value)| *out = value as f32);
        }
        best
    }

    fn row<'a>(&self, picture: &'a Picture, (top, left): (usize, usize), row: usize) -> &'a [f64] {
        let start = (top + row) * picture.width + left;
        &picture.values[start..start + self.side]
    }

    /// Standard deviation of the patch at a position.
    fn deviation(&self, picture: &Picture, at: (usize, usize)) -> f64 {
        // About one of its values, so that the level of a uniform patch leaves no rounding.
        let level = picture.at(at.0, at.1);
        let (mut sum, mut squares) = (0.0, 0.0);
        for row in 0..self.side {
            for value in self.row(picture, at, row).iter().map(|v| v - level) {
                sum += value;
                squares += value * value;
            }
        }
        let n = (self.side * self.side) as f64;
        (squares / n - (sum / n).powi(2)).max(0.0).sqrt()
    }

    /// Patches, given in any order with their numbers, as an image set in the order of the numbers; with their origins, where
    /// the pictures have names.
    pub fn collect(
        &self,
        name: &str,
        channels: usize,
        patches: usize,
        cut: Vec<Cut>,
    ) -> Result<ImageSet> {
        let each = channels * self.side * self.side;
        let mut pixels = vec![0.0; patches * each];
        let mut origins = vec![None; patches];
        for cut in cut {
            let rows = cut.numbers.iter().zip(&cut.places);
            for ((&number, &(row, column)), patch) in rows.zip(cut.values.chunks_exact(each)) {
                pixels[number * each..(number + 1) * each].copy_from_slice(patch);
                origins[number] = cut
                    .file
                    .clone()
                    .map(|file| PatchOrigin { file, row, column });
            }
        }
        let shape = ImageShape {
            channels,
            height: self.side,
            width: self.side,
        };
        let set = ImageSet::new(name, shape, pixels, None)?;
        match origins.into_iter().collect() {
            Some(origins) => set.with_origins(origins),
            None => Ok(set),
        }
    }

    /// Cuts all of these patches from one picture.
    pub fn cut_all(&self, picture: &Picture, numbers: Vec<usize>) -> Cut {
        let each = self.side * self.side;
        let mut values = vec![0.0; numbers.len() * each];
        let least = match self.min_contrast > 0.0 {
            true => {
                let mean = picture.mean();
                let n = picture.values.len().max(1) as f64;
                let variance = picture
                    .values
                    .iter()
                    .map(|v| (v - mean).powi(2))
                    .sum::<f64>()
                    / n;
                self.min_contrast * variance.sqrt()
            }
            false => 0.0,
        };
        let cut = numbers.iter().zip(values.chunks_exact_mut(each));
        let places = cut
            .map(|(&number, patch)| self.cut(picture, number, least, patch))
            .collect();
        Cut {
            file: None,
            numbers,
            places,
            values,
        }
    }
}

/// The patches of one picture.
pub(crate) struct Cut {
    /// The name of the picture, if it has one.
    pub file: Option<Arc<str>>,
    numbers: Vec<usize>,
    /// Row and column of each.
    places: Vec<(usize, usize)>,
    values: Vec<f32>,
}

impl Cut {
    /// The same patches of several planes of a picture, as patches of so many channels.
    pub fn stacked(planes: Vec<Cut>) -> Option<Cut> {
        let first = planes.first()?;
        let (file, numbers, places) = (
            first.file.clone(),
            first.numbers.clone(),
            first.places.clone(),
        );
        let mut values = Vec::with_capacity(planes.iter().map(|cut| cut.values.len()).sum());
        for place in 0..numbers.len() {
            for cut in &planes {
                let each = cut.values.len() / numbers.len();
                values.extend_from_slice(&cut.values[place * each..(place + 1) * each]);
            }
        }
        Some(Cut {
            file,
            numbers,
            places,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_stay_off_the_border_and_reach_everywhere_else() {
        let picture = Picture::from_fn(20, 30, |y, x| (100 * y + x) as f64);
        let cutter = Cutter {
            side: 4,
            border: 3,
            seed: 1,
            stream: 0,
            min_contrast: 0.0,
        };
        let cut = cutter.cut_all(&picture, (0..3000).collect());
        let mut corners = std::collections::BTreeSet::new();
        for patch in cut.values.chunks_exact(16) {
            let (y, x) = (patch[0] as usize / 100, patch[0] as usize % 100);
            assert_eq!(patch[15], (100 * (y + 3) + x + 3) as f32);
            corners.insert((y, x));
        }
        // Rows 3..=13 and columns 3..=23: 231 places, each missed with probability e^−13.
        assert_eq!(corners.first(), Some(&(3, 3)));
        assert_eq!(corners.last(), Some(&(13, 23)));
        assert_eq!(corners.len(), 11 * 21);
    }

    #[test]
    fn a_picture_of_the_smallest_size_has_one_place() {
        let picture = Picture::from_fn(6, 6, |y, x| (10 * y + x) as f64);
        let cutter = Cutter {
            side: 2,
            border: 2,
            seed: 9,
            stream: 0,
            min_contrast: 0.0,
        };
        assert_eq!(cutter.smallest_side(), 6);
        let cut = cutter.cut_all(&picture, vec![0, 7]);
        assert_eq!(cut.values, [22.0, 23.0, 32.0, 33.0, 22.0, 23.0, 32.0, 33.0]);
    }

    #[test]
    fn blank_patches_are_drawn_again() {
        // Texture on the left, nothing on the right: half of all positions are blank.
        let picture = Picture::from_fn(
            32,
            64,
            |y, x| if x < 32 { ((x + y) % 2) as f64 } else { 0.0 },
        );
        let cutter = |min_contrast| Cutter {
            side: 4,
            border: 0,
            seed: 3,
            stream: 0,
            min_contrast,
        };
        let blank = |cutter: Cutter| {
            let cut = cutter.cut_all(&picture, (0..200).collect());
            let flat = |p: &&[f32]| p.iter().all(|&v| v == p[0]);
            cut.values.chunks_exact(16).filter(flat).count()
        };
        assert!(blank(cutter(0.0)) > 60);
        assert_eq!(blank(cutter(0.5)), 0);
    }
}
