//! Pixels in and out: arrays of float32, images in rows.

use std::ffi::CString;
use std::path::PathBuf;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scotopic_cli::args::load;
use scotopic_datasets::{ImageSet, ImageShape, Splits, check_scale, npy, scale_doubt};
use scotopic_train::checkpoint::ImageInfo;
use scotopic_train::config;

use super::Result;

/// The numbers of an array `[rows, columns]`, and its shape.
///
/// # Errors
/// If the rows do not follow one another in memory.
pub fn numbers(array: &Bound<'_, PyArray2<f32>>) -> Result<(Vec<f32>, [usize; 2])> {
    let shape = [array.shape()[0], array.shape()[1]];
    let values = array.readonly().as_slice().map(<[f32]>::to_vec);
    Ok((values.map_err(|error| anyhow::anyhow!("{error}"))?, shape))
}

/// An array of any shape.
///
/// # Errors
/// If the shape is not that of the numbers.
pub fn array<const D: usize>(
    py: Python<'_>,
    values: Vec<f32>,
    shape: [usize; D],
) -> PyResult<Bound<'_, PyAny>> {
    let flat = PyArray1::from_vec(py, values);
    flat.call_method1("reshape", (shape.to_vec(),))
}

/// Pixels of numpy's type `element` (`dtype.str` without its byte order) as every reader of images takes them: whole numbers as levels
/// from 0 to 1.
#[pyfunction]
pub fn levels<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyArray1<f32>>,
    element: &str,
) -> Result<Bound<'py, PyArray1<f32>>> {
    let values = values.readonly().as_slice().map(<[f32]>::to_vec);
    let values = values.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(PyArray1::from_vec(
        py,
        npy::from_levels("images", values, element)?,
    ))
}

/// Images of this size on the scale of a model: standardised as in training unless they are.
///
/// # Errors
/// If they are of another size, not finite, or on another scale than those that the model was trained on.
pub fn standardised(
    pixels: Vec<f32>,
    image: &ImageInfo,
    already: bool,
) -> anyhow::Result<ImageSet> {
    let set = ImageSet::new("images", image.shape, pixels, None)?;
    if let Some(trained) = image.pixels {
        let expected = match already {
            true => trained.standardised(image.standardisation),
            false => trained,
        };
        let given = set.scale()?;
        check_scale(set.name(), &expected, &given)?;
        if let Some(doubt) = scale_doubt(set.name(), &expected, &given) {
            Python::attach(|py| {
                let text = CString::new(doubt).unwrap_or_default();
                PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 2)
            })?;
        }
    }
    Ok(match already {
        true => set,
        false => set.rescaled(image.standardisation)?,
    })
}

/// The data of a preset `[images, channels, height, width]`, by the name of the split, with labels where there are some, and
/// the mean and standard deviation that they were standardised with.
#[pyfunction]
pub fn data_set<'py>(
    py: Python<'py>,
    preset: &str,
    sets: Vec<String>,
    folder: PathBuf,
) -> Result<Bound<'py, PyDict>> {
    let splits = py.detach(|| -> anyhow::Result<Splits> {
        let config = config::resolve(preset, None, &sets)?;
        load(&config.data, &folder, &mut |_| {})
    })?;
    let told = PyDict::new(py);
    let all = [
        ("train", Some(&splits.train)),
        ("validation", Some(&splits.validation)),
        ("test", splits.test.as_ref()),
    ];
    for (name, set) in all {
        let Some(set) = set else { continue };
        let ImageShape {
            channels,
            height,
            width,
        } = set.shape();
        let shape = [set.len(), channels, height, width];
        told.set_item(name, array(py, set.pixels().to_vec(), shape)?)?;
        if let Some(labels) = set.labels() {
            let labels: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
            told.set_item(format!("{name}_labels"), PyArray1::from_vec(py, labels))?;
        }
    }
    let scale = splits.standardisation;
    told.set_item("mean", f64::from(scale.mean))?;
    told.set_item("std", f64::from(scale.std))?;
    Ok(told)
}
