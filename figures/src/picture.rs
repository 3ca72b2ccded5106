//! A picture in memory, and its file.

use std::io::{self, Write};

use miniz_oxide::deflate::compress_to_vec_zlib;

use crate::error::FigureError;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

/// Pixels in rows from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<Rgb>,
}

impl RgbImage {
    /// A black picture.
    pub fn new(width: u32, height: u32) -> Self {
        Self::from_pixel(width, height, Rgb([0; 3]))
    }

    /// A picture of one colour.
    pub fn from_pixel(width: u32, height: u32, colour: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width as usize * height as usize],
        }
    }

    /// A picture of the colours of its columns and rows.
    pub fn from_fn(width: u32, height: u32, colour: impl Fn(u32, u32) -> Rgb) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self::of(width, height, pixels.map(|(x, y)| colour(x, y)).collect())
    }

    /// Its width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Its height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width and height.
    pub fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> std::slice::Iter<'_, Rgb> {
        self.pixels.iter()
    }

    /// Red, green and blue of every pixel, row by row.
    pub fn bytes(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|pixel| pixel.0).collect()
    }

    /// A picture of these pixels, which must be as many as its width times its height.
    pub(crate) fn of(width: u32, height: u32, pixels: Vec<Rgb>) -> Self {
        debug_assert_eq!(pixels.len(), width as usize * height as usize);
        Self {
            width,
            height,
            pixels,
        }
    }

    /// A row of pixels; empty off the picture.
    pub(crate) fn row(&self, y: u32) -> &[Rgb] {
        let start = y as usize * self.width as usize;
        self.pixels
            .get(start..start + self.width as usize)
            .unwrap_or(&[])
    }

    /// Copies the columns `columns` of `other` to the same columns counted from `x`, its first row to row `y`.
    pub(crate) fn paste(
        &mut self,
        other: &Self,
        (x, y): (u32, u32),
        columns: std::ops::Range<u32>,
    ) {
        let end = columns
            .end
            .min(other.width)
            .min(self.width.saturating_sub(x));
        let begin = columns.start.min(end);
        for row in 0..other.height.min(self.height.saturating_sub(y)) {
            let start = (y + row) as usize * self.width as usize + x as usize;
            let from = &other.row(row)[begin as usize..end as usize];
            self.pixels[start + begin as usize..start + end as usize].copy_from_slice(from);
        }
    }

    /// The picture as the bytes of a PNG.
    ///
    /// # Errors
    /// [`FigureError::Empty`] for a picture without pixels.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        let mut bytes = Vec::new();
        let written = self.write_png(&mut bytes);
        written.map_err(|error| FigureError::Empty(error.to_string()))?;
        Ok(bytes)
    }

    /// Writes the picture as PNG.
    pub(crate) fn write_png(&self, out: &mut impl Write) -> io::Result<()> {
        if self.pixels.is_empty() {
            let error = "a picture without pixels";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let mut header = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        // Eight bits a channel, red-green-blue, the one compression, the one set of filters, not interlaced.
        header.extend([8, 2, 0, 0, 0]);
        out.write_all(b"\x89PNG\r\n\x1a\n")?;
        chunk(out, b"IHDR", &header)?;
        chunk(out, b"IDAT", &compress_to_vec_zlib(&self.filtered(), 6))?;
        chunk(out, b"IEND", &[])
    }

    /// Every row as its difference from the row above, which is 0 over areas and along vertical lines.
    fn filtered(&self) -> Vec<u8> {
        const UP: u8 = 2;
        let width = 3 * self.width as usize;
        let bytes = self.bytes();
        let mut above = vec![0; width];
        let mut filtered = Vec::with_capacity(bytes.len() + self.height as usize);
        for row in bytes.chunks_exact(width) {
            filtered.push(UP);
            filtered.extend(
                row.iter()
                    .zip(&above)
                    .map(|(new, old)| new.wrapping_sub(*old)),
            );
            above.copy_from_slice(row);
        }
        filtered
    }
}

/// A part of a PNG file: length, kind, data, CRC-32 of kind and data.
fn chunk(out: &mut impl Write, kind: &[u8; 4], data: &[u8]) -> io::Result<()> {
    let mut crc = u32::MAX;
    for &byte in kind.iter().chain(data) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    let length = u32::try_from(data.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(kind)?;
    out.write_all(data)?;
    out.write_all(&(!crc).to_be_bytes())
}

#[cfg(test)]
impl RgbImage {
    pub(crate) fn get_pixel(&self, x: u32, y: u32) -> &Rgb {
        assert!(x < self.width);
        &self.pixels[(y * self.width + x) as usize]
    }

    pub(crate) fn enumerate_pixels(&self) -> impl Iterator<Item = (u32, u32, &Rgb)> {
        let at = |i: usize| (i as u32 % self.width, i as u32 / self.width);
        let pixels = self.pixels.iter().enumerate();
        pixels.map(move |(i, pixel)| (at(i).0, at(i).1, pixel))
    }
}
