//! Snapshots of online triple estimation, checked against a fresh scheme of the same model.

use nalgebra::{DMatrix, DVector};
use serde::Deserialize;

use super::{Odem, OdemConfig};
use crate::error::check_finite;
use crate::generalised::causal::CausalGeneralisedFilter;
use crate::generalised::model::Equations;
use crate::{Error, Result};

/// The fields of an [`Odem`] as they were written.
#[derive(Deserialize)]
#[serde(bound = "E: Equations + Deserialize<'de>")]
pub(super) struct OdemSnapshot<E> {
    filters: Vec<CausalGeneralisedFilter<E>>,
    densities: Vec<f64>,
    #[serde(rename = "settings")]
    config: OdemConfig,
    theta: Vec<f64>,
    scored: Vec<usize>,
    slow: DVector<f64>,
    information: DMatrix<f64>,
    widths: DVector<f64>,
    variances: Vec<f64>,
    #[serde(default)]
    updates: u64,
}

impl<E: Equations + Clone> TryFrom<OdemSnapshot<E>> for Odem<E> {
    type Error = Error;

    fn try_from(kept: OdemSnapshot<E>) -> Result<Self> {
        let Some(first) = kept.filters.first() else {
            return Err(Error::size("snapshot: filters", 0, "at least one"));
        };
        let fresh = Self::new(first.model().clone(), kept.config, None)?;
        let n = fresh.slow.len();
        for (name, found, expected) in [
            ("filters", kept.filters.len(), n + 1),
            ("densities", kept.densities.len(), n + 1),
            ("theta", kept.theta.len(), fresh.theta.len()),
            ("slow", kept.slow.len(), n),
            ("information: rows", kept.information.nrows(), n),
            ("information: columns", kept.information.ncols(), n),
            ("widths", kept.widths.len(), n),
            ("variances", kept.variances.len(), fresh.variances.len()),
        ] {
            if found != expected {
                return Err(Error::size(format!("snapshot: {name}"), found, expected));
            }
        }
        let sizes = |f: &CausalGeneralisedFilter<E>| {
            let levels = f.model().levels.iter();
            let each = levels.map(|level| {
                let (output, motion) = (&level.output.components, &level.motion.components);
                (level.parameters.mean.len(), output.len(), motion.len())
            });
            (f.joint_size(), each.collect::<Vec<_>>())
        };
        let alike = fresh.filters.iter().zip(&kept.filters);
        if let Some(at) = alike
            .enumerate()
            .position(|(_, (a, b))| sizes(a) != sizes(b))
        {
            let found = format!("filter {at} of another size");
            return Err(Error::size(
                "snapshot: filters",
                found,
                "filters of one model",
            ));
        }
        if kept.scored != fresh.scored {
            let found = format!("{:?}", kept.scored);
            let expected = format!("{:?}", fresh.scored);
            return Err(Error::entry("snapshot: scored", &[], found, expected));
        }
        let (slow, information) = (kept.slow.as_slice(), kept.information.as_slice());
        check_finite("snapshot: densities", 1, &kept.densities)?;
        check_finite("snapshot: theta", 1, &kept.theta)?;
        check_finite("snapshot: slow", 1, slow)?;
        check_finite("snapshot: information", n.max(1), information)?;
        check_finite("snapshot: variances", 1, &kept.variances)?;
        if let Some(at) = kept
            .widths
            .iter()
            .position(|w| !(*w > 0.0 && w.is_finite()))
        {
            let expected = "a positive deviation";
            return Err(Error::entry(
                "snapshot: widths",
                &[at],
                kept.widths[at],
                expected,
            ));
        }
        Ok(Self {
            filters: kept.filters,
            densities: kept.densities,
            config: kept.config,
            theta: kept.theta,
            scored: kept.scored,
            slow: kept.slow,
            information: kept.information,
            widths: kept.widths,
            variances: kept.variances,
            updates: kept.updates,
        })
    }
}
