//! Square patches cut at random positions away from the border.

use crate::draws::Draws;
use crate::{ImageSet, ImageShape, Picture, Result};

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
}

impl Cutter {
    /// The smallest side of a picture that a patch can be cut from.
    pub fn smallest_side(&self) -> usize {
        self.side.saturating_add(self.border.saturating_mul(2))
    }

    /// Which of `pictures` patch `patch` comes from, uniformly.
    pub fn picture_of(&self, patch: usize, pictures: usize) -> usize {
        Draws::new(self.seed, &[self.stream, patch as u64, 0]).below(pictures as u64) as usize
    }

    /// Cuts patch number `patch`; the position depends on that number and the size of the picture.
    /// The picture must not be smaller than [`smallest_side`](Self::smallest_side).
    pub fn cut(&self, picture: &Picture, patch: usize, into: &mut [f32]) {
        let mut draws = Draws::new(self.seed, &[self.stream, patch as u64, 1]);
        let mut place = |size: usize| {
            let room = size - self.smallest_side() + 1;
            self.border + draws.below(room as u64) as usize
        };
        let (top, left) = (place(picture.height), place(picture.width));
        for (row, out) in into.chunks_exact_mut(self.side).enumerate() {
            let start = (top + row) * picture.width + left;
            let from = &picture.values[start..start + self.side];
            out.iter_mut()
                .zip(from)
                .for_each(|(out, &value)| *out = value as f32);
        }
    }

    /// Patches, given in any order with their numbers, as an image set in the order of the numbers.
    pub fn collect(&self, name: &str, patches: usize, cut: Vec<Cut>) -> Result<ImageSet> {
        let each = self.side * self.side;
        let mut pixels = vec![0.0; patches * each];
        for Cut { numbers, values } in cut {
            for (number, patch) in numbers.iter().zip(values.chunks_exact(each)) {
                pixels[number * each..(number + 1) * each].copy_from_slice(patch);
            }
        }
        let shape = ImageShape {
            channels: 1,
            height: self.side,
            width: self.side,
        };
        ImageSet::new(name, shape, pixels, None)
    }

    /// Cuts all of these patches from one picture.
    pub fn cut_all(&self, picture: &Picture, numbers: Vec<usize>) -> Cut {
        let each = self.side * self.side;
        let mut values = vec![0.0; numbers.len() * each];
        for (&number, patch) in numbers.iter().zip(values.chunks_exact_mut(each)) {
            self.cut(picture, number, patch);
        }
        Cut { numbers, values }
    }
}

/// The patches of one picture.
pub(crate) struct Cut {
    numbers: Vec<usize>,
    values: Vec<f32>,
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
        };
        assert_eq!(cutter.smallest_side(), 6);
        let cut = cutter.cut_all(&picture, vec![0, 7]);
        assert_eq!(cut.values, [22.0, 23.0, 32.0, 33.0, 22.0, 23.0, 32.0, 33.0]);
    }
}
