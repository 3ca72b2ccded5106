//! Grids and labelled rows of tiles: how large they are drawn, and where.

use crate::axis::{Axis, Tick};
use crate::colour::Map;
use crate::error::{FigureError, MAX_SIDE};
use crate::figure::{Key, Layer, Plot, Side, Ticks};
use crate::font::{self, BODY};
use crate::patch::{self, Range, Tile};

/// The pixels between two tiles, and between two rows of a strip.
const GAP: f32 = 2.0;
const ROWS: f32 = 6.0;
/// The width and height that the magnification aims at and does not exceed, and the largest side of a tile.
const WIDTH: f32 = 840.0;
const HEIGHT: f32 = 880.0;
const SIDE: f32 = 160.0;
/// The widest label of a row.
const LABEL: f32 = 190.0;

/// A row of a strip.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What it shows.
    pub label: &'a str,
    /// Its tiles, `[count, channels * height * width]`.
    pub values: &'a [f32],
    /// Whether it shows what is left: on a scale of its own, centred on zero.
    pub residual: bool,
}

impl<'a> Row<'a> {
    /// A row of images.
    pub fn new(label: &'a str, values: &'a [f32]) -> Self {
        Self {
            label,
            values,
            residual: false,
        }
    }

    /// A row of residuals.
    pub fn residual(label: &'a str, values: &'a [f32]) -> Self {
        Self {
            residual: true,
            ..Self::new(label, values)
        }
    }
}

/// Tiles in columns and rows.
pub struct Grid {
    columns: usize,
    rows: usize,
    /// The width and height of a tile, and the space below a row.
    size: (f32, f32),
    between: f32,
}

impl Grid {
    /// The largest magnification at which so many tiles fit beside `beside` pixels of labels: a multiple of `step`, at
    /// least 1. An error if the grid is too large even so.
    fn new(
        tile: Tile,
        (columns, rows): (usize, usize),
        (beside, step, between): (f32, f32, f32),
    ) -> Result<Self, FigureError> {
        let (width, height) = (tile.width as f32, tile.height as f32);
        let free = |most: f32, count: usize, gap: f32| most - (count - 1) as f32 * gap;
        let across = free(WIDTH - beside, columns, GAP) / (columns as f32 * width);
        let down = free(HEIGHT, rows, between) / (rows as f32 * height);
        let most = across.min(down).min(SIDE / width.max(height));
        let scale = ((most / step).floor() * step).max(1.0);
        let grid = Self {
            columns,
            rows,
            size: ((scale * width).round(), (scale * height).round()),
            between,
        };
        let (width, height) = grid.pixels();
        let (width, height) = (width as usize, height as usize);
        match width.max(height) > MAX_SIDE {
            true => Err(FigureError::TooLarge { width, height }),
            false => Ok(grid),
        }
    }

    /// As square as possible, and no row empty.
    pub fn square(tile: Tile, count: usize) -> Result<Self, FigureError> {
        let floor = count.isqrt();
        let columns = if floor * floor == count {
            floor
        } else {
            floor + 1
        };
        Self::new(tile, (columns, count.div_ceil(columns)), (0.0, 0.5, GAP))
    }

    /// The width and height of all tiles.
    pub fn pixels(&self) -> (f32, f32) {
        let side = |count: usize, size: f32, gap: f32| count as f32 * (size + gap) - gap;
        (
            side(self.columns, self.size.0, GAP),
            side(self.rows, self.size.1, self.between),
        )
    }

    /// A tile in its place, the first at the top left.
    pub fn tile(&self, index: usize, picture: crate::picture::RgbImage) -> Layer {
        let (column, row) = (index % self.columns, index / self.columns);
        let left = f64::from(column as f32 * (self.size.0 + GAP));
        let top = f64::from(row as f32 * (self.size.1 + self.between));
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        Layer::Image {
            corners: [left, top, left + width, top + height],
            picture,
        }
    }

    /// A plot of tiles, with `names` beside its rows.
    pub fn plot(&self, at: (usize, usize), names: &[&str], layers: Vec<Layer>) -> Plot {
        let size = self.pixels();
        let name = |(row, name): (usize, &&str)| Tick {
            value: f64::from(row as f32 * (self.size.1 + self.between) + self.size.1 / 2.0),
            label: font::fit(name, BODY, false, LABEL),
        };
        let names = names.iter().enumerate().map(name).collect();
        // Rows count from the top.
        let down = Axis::linear(f64::from(size.1), 0.0);
        Plot::new(
            at,
            size,
            Side::pixels(size.0),
            Side::new(down, "", Ticks::Names(names)),
            layers,
        )
    }
}

/// Labelled rows of as many tiles each: reconstructions and animations.
pub struct Strip {
    /// Where the tiles stand.
    pub grid: Grid,
    tile: Tile,
    count: usize,
}

impl Strip {
    /// Lays out one row for every label, each with as many tiles as `input` has; tiles are magnified by a multiple of
    /// `step`.
    pub fn new(labels: &[&str], input: &[f32], tile: Tile, step: f32) -> Result<Self, FigureError> {
        let Some(first) = labels.first() else {
            return Err(FigureError::Empty("there are no rows".to_owned()));
        };
        let count = tile.count(input, &quoted(first))?;
        let wide = labels.iter().map(|label| font::width(label, BODY, false));
        let beside = wide.fold(0.0, f32::max).min(LABEL);
        let grid = Grid::new(tile, (count, labels.len()), (beside, step, ROWS))?;
        Ok(Self { grid, tile, count })
    }

    /// The range of every column over `values`, `[frames, count, channels * height * width]`.
    pub fn ranges(&self, values: &[f32]) -> Result<Vec<Range>, FigureError> {
        let each = self.tile.values()?;
        let column = |column: usize| -> Vec<f32> {
            let tiles = values.chunks_exact(each).skip(column).step_by(self.count);
            tiles.flatten().copied().collect()
        };
        Ok((0..self.count)
            .map(|c| Range::spanned(&column(c)))
            .collect())
    }

    /// The tiles of `rows`. Every column has its entry of `ranges`, or every tile its own range; residuals have the
    /// range of all residuals.
    pub fn layers(
        &self,
        rows: &[Row],
        ranges: Option<&[Range]>,
    ) -> Result<Vec<Layer>, FigureError> {
        let each = self.tile.values()?;
        let most = largest(rows);
        let mut layers = Vec::new();
        for (
            row,
            Row {
                label,
                values,
                residual,
            },
        ) in rows.iter().enumerate()
        {
            self.tile.count(values, &quoted(label))?;
            if values.len() != self.count * each {
                return Err(FigureError::Length {
                    what: quoted(label),
                    expected: format!("{} x {each}", self.count),
                    got: values.len(),
                });
            }
            for (column, image) in values.chunks_exact(each).enumerate() {
                let shared = ranges.and_then(|ranges| ranges.get(column));
                let range = shared.copied().unwrap_or_else(|| Range::spanned(image));
                let pixels = match residual {
                    true => patch::residual(image, self.tile, most),
                    false => patch::pixels(image, self.tile, range),
                };
                layers.push(self.grid.tile(row * self.count + column, pixels));
            }
        }
        Ok(layers)
    }

    /// The key of the residuals, if there are any whose zero is paper.
    pub fn key(&self, rows: &[Row]) -> Option<Key> {
        let residual = rows.iter().find(|row| row.residual)?;
        let most = f64::from(largest(rows));
        (self.tile.channels == 1).then(|| Key {
            label: residual.label.to_owned(),
            range: (-most, most),
            map: Map::Diverging,
        })
    }
}

/// The largest absolute value of all residuals.
fn largest(rows: &[Row]) -> f32 {
    let values = rows
        .iter()
        .filter(|row| row.residual)
        .flat_map(|row| row.values);
    values.fold(0.0, |most, v| v.abs().max(most))
}

fn quoted(label: &str) -> String {
    format!("the row \"{label}\"")
}
