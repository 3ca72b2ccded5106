//! Reconstruction out of distribution.

use anyhow::{Context, Result, ensure};
use scotopic_datasets::ood::OodSuite;
use scotopic_datasets::{ImageShape, OodConfig};
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::convergence::{Convergence, ConvergenceConfig, convergence};

/// The results of the available views, and the missing ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ood {
    /// One for each view, in the order of the suite.
    pub views: Vec<Convergence>,
    /// Views with missing files: name, missing file.
    pub skipped: Vec<(String, String)>,
}

/// The views of this shape: digits rotated by 0 … 180 degrees, and all other sources.
///
/// # Errors
/// For images that are not square, grey, and of at most 32 pixels per side.
pub fn views(shape: ImageShape, count: usize) -> Result<OodConfig> {
    let ImageShape {
        channels,
        height,
        width,
    } = shape;
    ensure!(
        channels == 1 && height == width && (1..=32).contains(&height),
        "the out-of-distribution views are square grey images of at most 32 pixels per side; this model has {channels}×{height}×{width}"
    );
    Ok(OodConfig {
        angles: (0..=12).map(|k| 15.0 * f64::from(k)).collect(),
        size: height,
        limit: Some(count),
        ..Default::default()
    })
}

/// Measures inference on every view, as [`convergence`] does.
///
/// # Errors
/// If no view is available, one is of another size than the model, or the device fails.
pub fn ood(
    analysed: &AnalysedModel<'_>,
    suite: &OodSuite,
    settings: &ConvergenceConfig,
) -> Result<Ood> {
    let skipped: Vec<(String, String)> = suite
        .skipped
        .iter()
        .map(|view| (view.name.clone(), view.missing.display().to_string()))
        .collect();
    ensure!(
        !suite.views.is_empty(),
        "none of the out-of-distribution sets is there; the first file looked for is {}: give the folder of the data sets with --data",
        skipped.first().map_or("none", |(_, missing)| missing)
    );
    let each = suite.views.iter().map(|view| {
        convergence(analysed, view, settings).with_context(|| format!("the view {}", view.name()))
    });
    Ok(Ood {
        views: each.collect::<Result<_>>()?,
        skipped,
    })
}
