//! Gabor functions fitted to the atoms.

use std::fmt;

use anyhow::{Result, ensure};
use scotopic_datasets::ImageShape;
use scotopic_measures::Rows;
use scotopic_measures::gabor::{GaborFit, fit_all, fraction_gabor};
use serde::{Deserialize, Serialize};

use super::analysed_model::median;
use super::{AnalysedModel, Dictionary};

/// The criterion for active filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Active {
    /// A norm above this fraction of the largest.
    Norm(f64),
    /// A mean rate above `floor`; `rates` has one entry per latent.
    Rate {
        /// Spikes per step.
        floor: f64,
        /// Mean rate of every latent.
        rates: Vec<f64>,
    },
}

impl fmt::Display for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Norm(part) => write!(f, "norm above {} % of the largest", 100.0 * part),
            Self::Rate { floor, .. } => write!(f, "mean rate above {floor} spikes per step"),
        }
    }
}

impl Active {
    /// Whether each filter of these norms is active.
    ///
    /// # Errors
    /// If the criterion has rates of another number of filters.
    pub fn flags(&self, norms: &[f64]) -> Result<Vec<bool>> {
        match self {
            Self::Norm(part) => {
                let most = norms.iter().copied().fold(0.0, f64::max);
                Ok(norms.iter().map(|norm| *norm > part * most).collect())
            }
            Self::Rate { floor, rates } => {
                ensure!(
                    rates.len() == norms.len(),
                    "{} rates were given for {} filters",
                    rates.len(),
                    norms.len()
                );
                Ok(rates.iter().map(|rate| rate > floor).collect())
            }
        }
    }
}

/// The Gabor fits of all filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filters {
    /// The criterion for active filters.
    pub rule: String,
    /// Number of active filters.
    pub active: usize,
    /// Least R² of a good fit.
    pub threshold: f64,
    /// Fraction of the active filters with a good fit; `None` where none is active.
    pub fraction_gabor: Option<f64>,
    /// Median R² of the active filters.
    pub median_r2: Option<f64>,
    /// Every filter.
    pub filters: Vec<Filter>,
}

/// One filter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Index of the latent.
    pub unit: usize,
    /// Euclidean norm of the atom.
    pub norm: f64,
    /// Whether it is active.
    pub active: bool,
    /// The Gabor function nearest to it; `None` for a flat filter.
    pub fit: Option<GaborFit>,
}

/// Fits a Gabor function to every atom of the model, whose images are of `shape`.
///
/// # Errors
/// If the decoder is not linear, the images are not grey images of 9 pixels or more, or the device fails.
pub fn filters(
    analysed: &AnalysedModel<'_>,
    shape: ImageShape,
    active: &Active,
    threshold: f64,
) -> Result<Filters> {
    let dictionary = Dictionary::of(analysed, "fitting Gabor functions")?;
    let (height, width) = (shape.height, shape.width);
    ensure!(
        shape.channels == 1 && height > 1 && width > 1,
        "fitting Gabor functions needs grey images; this model has {}×{height}×{width}",
        shape.channels
    );
    let rows = Rows::new(
        "atoms",
        &dictionary.atoms,
        [dictionary.latents, dictionary.pixels],
    )?;
    let fits = fit_all(rows, height, width)?;
    let norms = dictionary.norms();
    let flags = active.flags(&norms)?;
    let used = || fits.iter().zip(&flags).filter(|(_, active)| **active);
    Ok(Filters {
        rule: active.to_string(),
        active: used().count(),
        threshold,
        fraction_gabor: fraction_gabor(&fits, &flags, threshold)?,
        median_r2: median(used().map(|(fit, _)| fit.map_or(0.0, |fit| fit.r2))),
        filters: norms
            .iter()
            .zip(&flags)
            .zip(&fits)
            .enumerate()
            .map(|(unit, ((&norm, &active), &fit))| Filter {
                unit,
                norm,
                active,
                fit,
            })
            .collect(),
    })
}
