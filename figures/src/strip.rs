//! Grids and labelled rows of tiles: how large they are drawn, and where.

use crate::picture::RgbImage;

use crate::canvas;
use crate::colour::{GRID, INK};
use crate::error::{FigureError, MAX_SIDE};
use crate::patch::{Range, Tile, paint};
use crate::text::{self, BODY};

/// The paper left free on every side.
pub const MARGIN: usize = 24;
/// The pixels between two tiles.
pub const GAP: usize = 2;
/// Space for a title above a narrow picture.
pub const MIN_WIDTH: usize = 520;
/// The width and height that the magnification aims at and does not exceed.
const MAX_WIDTH: usize = 1240;
const MAX_HEIGHT: usize = 1400;
/// The pixels between a label and its tiles.
const BESIDE: usize = 14;
/// The widest label of a row.
const LABEL: u32 = 320;

/// The largest whole magnification at which the grid fits beside `beside` pixels of labels; at
/// least 1. An error if the grid is too large even so.
pub fn magnification(
    tile: Tile,
    columns: usize,
    rows: usize,
    beside: usize,
) -> Result<usize, FigureError> {
    let (width, height) = (columns * tile.width, rows * tile.height);
    let free = |most: usize, tiles: usize| most.saturating_sub(2 * MARGIN + (tiles - 1) * GAP);
    let across = free(MAX_WIDTH, columns).saturating_sub(beside) / width;
    let scale = across.min(free(MAX_HEIGHT, rows) / height).max(1);
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(FigureError::TooLarge { width, height });
    }
    Ok(scale)
}

/// The layout of labelled rows of tiles: shared by reconstructions and animations.
pub struct Strip {
    tile: Tile,
    labels: Vec<String>,
    count: usize,
    scale: usize,
    label_width: usize,
}

impl Strip {
    /// Lays out one row for every label, each with as many tiles as `input` has.
    pub fn new(labels: &[&str], input: &[f32], tile: Tile) -> Result<Self, FigureError> {
        if labels.is_empty() {
            return Err(FigureError::Empty("there are no rows".to_owned()));
        }
        let count = tile.count(input, &quoted(labels[0]))?;
        let labels: Vec<String> = labels
            .iter()
            .map(|label| text::fit(label, BODY, LABEL))
            .collect();
        let widest = labels.iter().map(|label| text::width(label, BODY)).max();
        let label_width = match widest.unwrap_or(0) as usize {
            0 => 0,
            width => width + BESIDE,
        };
        let scale = magnification(tile, count, labels.len(), label_width)?;
        Ok(Self {
            tile,
            labels,
            count,
            scale,
            label_width,
        })
    }

    /// The same with tiles of at most `side` pixels, where their own pixels are not more.
    pub fn at_most(self, side: usize) -> Self {
        let most = side / self.tile.height.max(self.tile.width);
        let scale = self.scale.min(most.max(1));
        Self { scale, ..self }
    }

    fn size(&self) -> (usize, usize) {
        let rows = self.labels.len();
        let width = self.label_width + self.count * (self.scale * self.tile.width + GAP) - GAP;
        let height = rows * (self.scale * self.tile.height + 3 * GAP) - 3 * GAP;
        (width, height)
    }

    /// The width in pixels between the margins.
    pub fn inner_width(&self) -> u32 {
        self.size().0.max(MIN_WIDTH - 2 * MARGIN) as u32
    }

    /// Paper for the rows with `top` pixels above them, and margins.
    pub fn paper(&self, top: usize) -> Result<RgbImage, FigureError> {
        let width = self.inner_width() as usize + 2 * MARGIN;
        canvas::paper(width, top + self.size().1 + 2 * MARGIN)
    }

    /// The range of every column over all of `frames`, `[frames, count, channels * height * width]`.
    pub fn ranges(&self, frames: &[f32]) -> Result<Vec<Range>, FigureError> {
        let each = self.tile.values()?;
        let column = |column: usize| -> Vec<f32> {
            let tiles = frames.chunks_exact(each).skip(column).step_by(self.count);
            tiles.flatten().copied().collect()
        };
        Ok((0..self.count)
            .map(|c| Range::spanned(&column(c)))
            .collect())
    }

    /// Draws the rows `top` pixels below the margin; every entry of `rows`
    /// is a label and `[count, channels * height * width]` values. Every column has its entry of `ranges`, or every
    /// tile its own range.
    pub fn draw(
        &self,
        picture: &mut RgbImage,
        top: usize,
        rows: &[(&str, &[f32])],
        ranges: Option<&[Range]>,
    ) -> Result<(), FigureError> {
        let each = self.tile.values()?;
        let extent = self.scale * self.tile.height;
        for (row, (label, values)) in rows.iter().enumerate() {
            self.tile.count(values, &quoted(label))?;
            if values.len() != self.count * each {
                return Err(FigureError::Length {
                    what: quoted(label),
                    expected: format!("{} x {each}", self.count),
                    got: values.len(),
                });
            }
            let y = MARGIN + top + row * (extent + 3 * GAP);
            let middle = (y + extent / 2) as i32 - text::height(BODY) as i32 / 2;
            let right = MARGIN + self.label_width.saturating_sub(BESIDE);
            text::draw_left_of(picture, right as i32, middle, &self.labels[row], BODY, INK);
            for (column, image) in values.chunks_exact(each).enumerate() {
                let shared = ranges.and_then(|ranges| ranges.get(column));
                let range = shared.copied().unwrap_or_else(|| Range::spanned(image));
                let x = MARGIN + self.label_width + column * (self.scale * self.tile.width + GAP);
                paint(
                    picture,
                    (x as i32, y as i32),
                    self.scale as u32,
                    image,
                    self.tile,
                    range,
                );
            }
        }
        Ok(())
    }

    /// The pixel column at which the tiles begin.
    pub fn tiles_left(&self) -> i32 {
        (MARGIN + self.label_width) as i32
    }

    /// Draws how far `done` of `all` has come, as a bar above the tiles ending at `y`.
    pub fn progress(&self, picture: &mut RgbImage, y: i32, done: usize, all: usize) {
        let x = self.tiles_left();
        let long = self.size().0 - self.label_width;
        canvas::fill(picture, x, y, long as u32, 6, GRID);
        canvas::fill(picture, x, y, (long * done / all.max(1)) as u32, 6, INK);
    }
}

fn quoted(label: &str) -> String {
    format!("the row \"{label}\"")
}
