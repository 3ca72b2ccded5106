//! Figures as SVG: atoms, images beside reconstructions, spikes.

use numpy::{PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use scotopic_figures::tiles::{self, Row};
use scotopic_figures::{Figure, Tile, raster};

use super::Result;
use super::images::numbers;
use crate::figures::for_a_page;

/// Channels, height and width as a tile of a figure.
fn tile((channels, height, width): (usize, usize, usize)) -> Tile {
    Tile {
        height,
        width,
        channels,
    }
}

fn svg(figure: std::result::Result<Figure, scotopic_figures::FigureError>) -> Result<String> {
    Ok(for_a_page(&figure?.svg()))
}

/// The atoms `[latents, pixels]` of a dictionary, in their order.
#[pyfunction]
pub fn dictionary_figure(
    atoms: &Bound<'_, PyArray2<f32>>,
    shape: (usize, usize, usize),
    title: &str,
) -> Result<String> {
    let (atoms, _) = numbers(atoms)?;
    svg(tiles::dictionary(&atoms, tile(shape), title))
}

/// Rows of images `[images, pixels]` below each other, each with its label; the first is the input.
#[pyfunction]
pub fn tiles_figure(
    rows: Vec<(String, Bound<'_, PyArray2<f32>>)>,
    shape: (usize, usize, usize),
    title: &str,
) -> Result<String> {
    let mut read = Vec::with_capacity(rows.len());
    for (label, array) in &rows {
        read.push((&label[..], numbers(array)?.0));
    }
    let rows: Vec<Row> = read
        .iter()
        .map(|(label, values)| Row::new(label, values))
        .collect();
    svg(tiles::reconstructions(&rows, tile(shape), true, title))
}

/// The spikes `[T, latents]` that one image evokes.
#[pyfunction]
pub fn raster_figure(spikes: &Bound<'_, PyArray2<f32>>, title: &str) -> Result<String> {
    let [steps, latents] = [spikes.shape()[0], spikes.shape()[1]];
    svg(raster::spikes(&numbers(spikes)?.0, steps, latents, title))
}
