//! Snapshots of DEM, without anything that can be recomputed.

use serde::{Deserialize, Serialize};

use super::{Dem, Now};
use crate::generalised::embedded::dem::config::DemConfig;
use crate::generalised::embedded::free_energy::FreeEnergy;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result};

/// The model, the settings, what was learned, the belief and the newest samples. A scheme serialises as this, and going on
/// from it gives the same numbers bit for bit, if the format keeps every digit.
///
/// Also in the middle of a window: the samples that later windows reach back to are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemSnapshot<E> {
    /// The model.
    pub model: GenerativeModel<E>,
    /// The settings.
    #[serde(rename = "settings")]
    pub config: DemConfig,
    /// θ that it filters with: the prior means, or what was learned `[parameters]`.
    pub parameters: Vec<f64>,
    /// Log-precisions that it filters with: of outputs and causes, then of motions.
    pub log_precisions: Vec<f64>,
    /// The errors that count in F `[errors]`.
    pub counted: Vec<bool>,
    /// ũ, where the next bin begins `[unknowns]`.
    pub unknowns: Vec<f64>,
    /// The newest belief.
    pub record: Record,
    /// Σ F_t.
    pub free_energy: f64,
    /// Observations taken in.
    pub seen: usize,
    /// Bins whose belief is formed.
    pub formed: usize,
    /// The newest samples `[room, outputs]`, that of bin t in row t modulo `room`.
    pub rows: Vec<f64>,
    /// The inputs that came with them `[room, inputs]`.
    pub input_rows: Vec<f64>,
    /// Which of them were seen `[room]`.
    pub seen_rows: Vec<bool>,
}

/// No series is as long as this; counts beyond it come from a damaged file.
const MOST: usize = 1 << 50;

impl<E: Equations> From<Dem<E>> for DemSnapshot<E> {
    fn from(dem: Dem<E>) -> Self {
        Self {
            model: dem.stack.model,
            config: dem.config,
            parameters: dem.parameters,
            log_precisions: dem.log_precisions.as_slice().to_vec(),
            counted: dem.d_step.free_energy.kept,
            unknowns: dem.now.unknowns.as_slice().to_vec(),
            record: dem.now.record,
            free_energy: dem.now.free_energy,
            seen: dem.now.seen,
            formed: dem.now.formed,
            rows: dem.rows,
            input_rows: dem.input_rows,
            seen_rows: dem.seen_rows,
        }
    }
}

impl<E: Equations> TryFrom<DemSnapshot<E>> for Dem<E> {
    type Error = Error;

    /// # Errors
    /// As [`Dem::new`]; an array of another size, a number that is not finite, more beliefs than observations.
    fn try_from(kept: DemSnapshot<E>) -> Result<Self> {
        let mut dem = Self::new(kept.model, kept.config)?;
        let (now, new) = (&kept.record, &dem.now.record);
        for (name, found, expected) in [
            ("parameters", kept.parameters.len(), dem.parameters.len()),
            (
                "log_precisions",
                kept.log_precisions.len(),
                dem.log_precisions.len(),
            ),
            (
                "counted",
                kept.counted.len(),
                dem.d_step.free_energy.kept.len(),
            ),
            ("unknowns", kept.unknowns.len(), dem.now.unknowns.len()),
            ("record: states", now.states.len(), new.states.len()),
            (
                "record: state_covariance",
                now.state_covariance.len(),
                new.state_covariance.len(),
            ),
            ("record: causes", now.causes.len(), new.causes.len()),
            (
                "record: cause_covariance",
                now.cause_covariance.len(),
                new.cause_covariance.len(),
            ),
            (
                "record: predicted",
                now.predicted.len(),
                new.predicted.len(),
            ),
            ("rows", kept.rows.len(), dem.rows.len()),
            ("input_rows", kept.input_rows.len(), dem.input_rows.len()),
            ("seen_rows", kept.seen_rows.len(), dem.seen_rows.len()),
        ] {
            if found != expected {
                return Err(Error::size(format!("snapshot: {name}"), found, expected));
            }
        }
        let numbers = [
            ("parameters", &kept.parameters),
            ("log_precisions", &kept.log_precisions),
            ("unknowns", &kept.unknowns),
            ("record: states", &now.states),
            ("record: state_covariance", &now.state_covariance),
            ("record: causes", &now.causes),
            ("record: cause_covariance", &now.cause_covariance),
            ("record: predicted", &now.predicted),
            ("rows", &kept.rows),
            ("input_rows", &kept.input_rows),
        ];
        for (name, values) in numbers {
            if let Some((i, &v)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
                let name = format!("snapshot: {name}");
                return Err(Error::entry(name, &[i], v, "a finite number"));
            }
        }
        let sums = [kept.free_energy, now.free_energy, now.accuracy];
        if let Some(v) = sums.into_iter().find(|v| !v.is_finite()) {
            let name = "snapshot: free_energy";
            return Err(Error::entry(name, &[], v, "a finite number"));
        }
        // Beliefs wait for the samples ahead of them, of which a fixed number is kept.
        let waiting = kept.seen.checked_sub(kept.formed);
        if waiting.is_none_or(|bins| bins > dem.seen_rows.len()) || kept.seen >= MOST {
            let expected = "as many as were seen, or a few less";
            return Err(Error::setting("snapshot: formed", kept.formed, expected));
        }
        dem.parameters = kept.parameters;
        dem.log_precisions.copy_from_slice(&kept.log_precisions);
        let precision = dem.noise.at(&dem.log_precisions);
        if let Some(v) = precision.iter().find(|v| !v.is_finite()) {
            let name = "snapshot: log_precisions";
            return Err(Error::entry(
                name,
                &[],
                v,
                "logarithms of finite precisions",
            ));
        }
        dem.d_step.free_energy = FreeEnergy::new(dem.layout().data(), &precision, kept.counted);
        dem.d_step.set_precision(precision);
        dem.now = Now {
            unknowns: kept.unknowns.into(),
            record: kept.record,
            seen: kept.seen,
            formed: kept.formed,
            free_energy: kept.free_energy,
        };
        dem.rows = kept.rows;
        dem.input_rows = kept.input_rows;
        dem.seen_rows = kept.seen_rows;
        Ok(dem)
    }
}
