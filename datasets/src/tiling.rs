//! Pictures cut into patches that cover them, and put together again.

use std::sync::Arc;

use crate::{Error, Picture, Result};

/// Where a patch was cut.
///
/// ```
/// use scotopic_datasets::PatchOrigin;
/// let origin = PatchOrigin { file: "photo.jpg".into(), row: 16, column: 0 };
/// assert_eq!(&*origin.file, "photo.jpg");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchOrigin {
    /// The name of the picture, which all of its patches share.
    pub file: Arc<str>,
    /// Its first row in the picture.
    pub row: usize,
    /// Its first column in the picture.
    pub column: usize,
}

/// How a picture is covered by patches: one every few rows and columns, and the last of them flush with the edge, so that no
/// pixel is left out.
///
/// ```
/// use scotopic_datasets::Tiling;
/// # fn main() -> scotopic_datasets::Result<()> {
/// let tiling = Tiling::side_by_side(2, 2)?;
/// assert_eq!(tiling.places(2, 5)?, [(0, 0), (0, 2), (0, 3)]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    height: usize,
    width: usize,
    down: usize,
    across: usize,
}

impl Tiling {
    /// Patches of this height and width, one every `down` rows and `across` columns.
    ///
    /// # Errors
    /// [`Error::Size`] if a size is 0, or patches would leave gaps between them.
    pub fn new(height: usize, width: usize, down: usize, across: usize) -> Result<Self> {
        for (field, size, step) in [("rows", height, down), ("columns", width, across)] {
            if step == 0 || step > size {
                let expected = format!("1 to {size}, the size of a patch");
                return Err(Error::size(
                    format!("patches of {height} x {width}, step in {field}"),
                    "step between patches",
                    step,
                    expected,
                ));
            }
        }
        Ok(Self {
            height,
            width,
            down,
            across,
        })
    }

    /// Patches that overlap at the right and lower edge of a picture only, where its size asks for it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn side_by_side(height: usize, width: usize) -> Result<Self> {
        Self::new(height, width, height, width)
    }

    /// Patches that overlap by half, so that most pixels are in four of them and seams between patches are blended.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn by_halves(height: usize, width: usize) -> Result<Self> {
        Self::new(height, width, height.div_ceil(2), width.div_ceil(2))
    }

    /// The first row and column of every patch in a picture of this size, row after row.
    ///
    /// # Errors
    /// [`Error::Size`] for a picture smaller than a patch.
    pub fn places(&self, height: usize, width: usize) -> Result<Vec<(usize, usize)>> {
        if height < self.height || width < self.width {
            return Err(Error::size(
                "picture",
                "size",
                format!("{height} x {width}"),
                format!(
                    "at least {} x {}, the size of a patch",
                    self.height, self.width
                ),
            ));
        }
        let rows = starts(height - self.height, self.down);
        let columns = starts(width - self.width, self.across);
        let row = |&row: &usize| columns.iter().map(move |&column| (row, column));
        Ok(rows.iter().flat_map(row).collect())
    }

    /// Appends the patch of a plane that begins in this row and column.
    pub(crate) fn cut(&self, plane: &Picture, (row, column): (usize, usize), into: &mut Vec<f32>) {
        for y in row..row + self.height {
            let from = y * plane.width + column;
            into.extend(
                plane.values[from..from + self.width]
                    .iter()
                    .map(|&v| v as f32),
            );
        }
    }

    /// The picture of this size that these patches, `[places, height·width]`, were cut from; where they overlap, their mean.
    /// What was cut from a picture of `f32` values gives it back exactly.
    ///
    /// # Errors
    /// [`Error::Size`] if there is not one patch for each place, a patch would lie outside of the picture, or a pixel is in no
    /// patch.
    ///
    /// ```
    /// use scotopic_datasets::Tiling;
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let tiling = Tiling::side_by_side(1, 2)?;
    /// let places = tiling.places(1, 3)?; // columns 0, 1 and 1, 2
    /// let whole = tiling.reassemble((1, 3), &places, &[1.0, 2.0, 4.0, 3.0])?;
    /// assert_eq!(whole.values, [1.0, 3.0, 3.0]);
    /// # Ok(()) }
    /// ```
    pub fn reassemble(
        &self,
        (height, width): (usize, usize),
        places: &[(usize, usize)],
        patches: &[f32],
    ) -> Result<Picture> {
        let wrong = |field, found: String, expected: String| {
            Err(Error::size("reassembled picture", field, found, expected))
        };
        let each = self.height * self.width;
        if Some(patches.len()) != places.len().checked_mul(each) {
            let expected = format!("{} patches of {each}", places.len());
            return wrong("values", patches.len().to_string(), expected);
        }
        let Some(pixels) = height.checked_mul(width) else {
            return wrong("size", format!("{height} x {width}"), "a picture".into());
        };
        // One pair of arrays, whatever the overlap: patches come in any order.
        let (mut sums, mut counts) = (vec![0.0; pixels], vec![0u32; pixels]);
        for (&(row, column), patch) in places.iter().zip(patches.chunks_exact(each)) {
            let inside = |at: usize, size: usize, most: usize| {
                at.checked_add(size).is_some_and(|end| end <= most)
            };
            if !inside(row, self.height, height) || !inside(column, self.width, width) {
                let found = format!("row {row}, column {column}");
                let expected = format!("inside of {height} x {width}");
                return wrong("place of a patch", found, expected);
            }
            for (y, line) in patch.chunks_exact(self.width).enumerate() {
                let from = (row + y) * width + column;
                for (x, &value) in line.iter().enumerate() {
                    sums[from + x] += f64::from(value);
                    counts[from + x] += 1;
                }
            }
        }
        if let Some(bare) = counts.iter().position(|&n| n == 0) {
            let found = format!("none for row {}, column {}", bare / width, bare % width);
            return wrong("patches", found, "at least one for every pixel".into());
        }
        sums.iter_mut()
            .zip(&counts)
            .for_each(|(sum, &n)| *sum /= f64::from(n));
        Ok(Picture {
            height,
            width,
            values: sums,
        })
    }
}

/// 0, step, 2·step, … and the last, which is `last`.
fn starts(last: usize, step: usize) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..=last).step_by(step).collect();
    if starts.last() != Some(&last) {
        starts.push(last);
    }
    starts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_cut_comes_back_exactly(
            (h, w) in (1usize..9, 1usize..9), (dh, dw) in (0usize..40, 0usize..40), steps in (1usize..9, 1usize..9), salt: u32,
        ) {
            let tiling = Tiling::new(h, w, steps.0.min(h), steps.1.min(w)).unwrap();
            let picture = Picture::from_fn(h + dh, w + dw, |y, x| {
                let bits = (y as u32 * 7919 + x as u32 * 104_729 + salt).wrapping_mul(2_654_435_761);
                f64::from(bits as f32 / 3e9 - 0.5)
            });
            let places = tiling.places(picture.height, picture.width).unwrap();
            let mut patches = Vec::new();
            places.iter().for_each(|&place| tiling.cut(&picture, place, &mut patches));
            let size = (picture.height, picture.width);
            let whole = tiling.reassemble(size, &places, &patches).unwrap();
            prop_assert_eq!(whole, picture);
        }
    }

    #[test]
    fn patches_cover_the_picture_once_where_they_fit() {
        let tiling = Tiling::side_by_side(4, 3).unwrap();
        assert_eq!(tiling.places(8, 6).unwrap().len(), 4);
        assert_eq!(tiling.places(9, 6).unwrap().last(), Some(&(5, 3)));
        let halves = Tiling::by_halves(4, 4).unwrap();
        assert_eq!(halves.places(8, 4).unwrap(), [(0, 0), (2, 0), (4, 0)]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        assert!(Tiling::new(4, 4, 5, 4).is_err() && Tiling::new(0, 4, 0, 4).is_err());
        let tiling = Tiling::side_by_side(2, 2).unwrap();
        assert!(tiling.places(1, 9).is_err());
        let whole = |size, places: &[(usize, usize)], n| {
            let text = tiling.reassemble(size, places, &vec![0.0; n]).unwrap_err();
            text.to_string()
        };
        assert!(whole((2, 2), &[(0, 0)], 3).contains("1 patches of 4"));
        assert!(whole((2, 2), &[(0, 1)], 4).contains("inside of 2 x 2"));
        assert!(whole((2, 3), &[(0, usize::MAX)], 4).contains("inside"));
        assert!(whole((2, 3), &[(0, 0)], 4).contains("row 0, column 2"));
    }
}
