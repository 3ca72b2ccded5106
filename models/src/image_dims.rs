//! Image dimensions.

/// Channels, rows and columns of an image whose pixels are one row of a tensor, columns the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageDims {
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageDims {
    /// One row of `pixels` pixels: a layout for data that are not pictures.
    pub fn row(pixels: usize) -> Self {
        Self {
            channels: 1,
            height: 1,
            width: pixels,
        }
    }

    /// `channels·height·width`; saturates instead of wrapping round.
    pub fn pixels(&self) -> usize {
        self.channels
            .saturating_mul(self.height)
            .saturating_mul(self.width)
    }
}
