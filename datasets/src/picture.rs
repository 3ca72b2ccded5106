//! One grey image, from a file or generated, before it is cut into patches.

use crate::uniform::is_uniform;

/// Grey values `[height, width]` in `f64`: the filters work in double precision so that rounding to
/// the `f32` of a patch hides differences in the last bits between platforms.
///
/// ```
/// let picture = scotopic_datasets::Picture::from_fn(2, 3, |y, x| (10 * y + x) as f64);
/// assert_eq!(picture.at(1, 2), 12.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The values, row after row: `height·width` of them.
    pub values: Vec<f64>,
}

impl Picture {
    /// A picture from a function of row and column.
    pub fn from_fn(height: usize, width: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let value = &value;
        let values = (0..height)
            .flat_map(|y| (0..width).map(move |x| value(y, x)))
            .collect();
        Self {
            height,
            width,
            values,
        }
    }

    /// The value in row `y`, column `x`.
    ///
    /// # Panics
    /// If the position is outside.
    pub fn at(&self, y: usize, x: usize) -> f64 {
        self.values[y * self.width + x]
    }

    /// The mean of all values; 0 for an empty picture.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len().max(1) as f64
    }

    /// Rows become columns.
    #[must_use]
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.width, self.height, |y, x| self.at(x, y))
    }

    /// x ← (x − mean)/sd over this picture; a uniform picture becomes 0.
    pub(crate) fn z_score(&mut self) {
        if is_uniform(self.values.iter().copied()) {
            return self.values.fill(0.0);
        }
        let mean = self.mean();
        self.values.iter_mut().for_each(|v| *v -= mean);
        let squares = self.values.iter().map(|v| v * v).sum::<f64>();
        let sd = (squares / self.values.len().max(1) as f64).sqrt();
        if sd > 0.0 {
            self.values.iter_mut().for_each(|v| *v /= sd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposed_twice_is_the_same() {
        let picture = Picture::from_fn(3, 5, |y, x| (y * 7 + x) as f64);
        assert_eq!(picture.transposed().at(4, 2), picture.at(2, 4));
        assert_eq!(picture.transposed().transposed(), picture);
    }

    #[test]
    fn z_score_has_mean_zero_and_unit_variance() {
        let mut picture = Picture::from_fn(4, 4, |y, x| (y * y + x) as f64);
        picture.z_score();
        assert!(picture.mean().abs() < 1e-12);
        let variance = picture.values.iter().map(|v| v * v).sum::<f64>() / 16.0;
        assert!((variance - 1.0).abs() < 1e-12);
        for level in [3.0, 0.1, 128.0 / 255.0] {
            let mut blank = Picture::from_fn(7, 11, |_, _| level);
            blank.z_score();
            assert_eq!(blank.values, [0.0; 77]);
        }
    }
}
