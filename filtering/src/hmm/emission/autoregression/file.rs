//! The form of an autoregression in a file.

use serde::{Deserialize, Serialize};

use super::{Autoregression, LagMoments, Noise, check_order};
use crate::error::check_finite;
use crate::hmm::emission::origin::{checked_origin, written};
use crate::hmm::emission::regression::moments::{checked_triangles, packed_len};
use crate::hmm::emission_rows::{nested, width_of};
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    /// b `[K][D]`.
    intercepts: Vec<Vec<f64>>,
    /// A `[K][p][D][D]`.
    coefficients: Vec<Vec<Vec<Vec<f64>>>>,
    /// Σ `[K][D][D]`, or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covariances: Option<Vec<Vec<Vec<f64>>>>,
    /// its diagonals `[K][D]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variances: Option<Vec<Vec<f64>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origin: Vec<f64>,
    /// The observations that a sample goes on from, newest first `[p][D]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    start: Vec<Vec<f64>>,
    /// Lower triangles `[K]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lag_moments: Vec<Vec<f64>>,
}

impl Parts {
    pub(super) fn full(
        intercepts: Vec<Vec<f64>>,
        coefficients: Vec<Vec<Vec<Vec<f64>>>>,
        covariances: Vec<Vec<Vec<f64>>>,
    ) -> Self {
        Self {
            intercepts,
            coefficients,
            covariances: Some(covariances),
            variances: None,
            origin: Vec::new(),
            start: Vec::new(),
            lag_moments: Vec::new(),
        }
    }

    pub(super) fn diagonal(
        intercepts: Vec<Vec<f64>>,
        coefficients: Vec<Vec<Vec<Vec<f64>>>>,
        variances: Vec<Vec<f64>>,
    ) -> Self {
        Self {
            intercepts,
            coefficients,
            covariances: None,
            variances: Some(variances),
            origin: Vec::new(),
            start: Vec::new(),
            lag_moments: Vec::new(),
        }
    }
}

/// Refuses a matrix that is not D×D.
fn check_square(name: String, matrix: &[Vec<f64>], d: usize) -> Result<()> {
    if matrix.len() == d && matrix.iter().all(|row| row.len() == d) {
        return Ok(());
    }
    let lengths: Vec<usize> = matrix.iter().map(Vec::len).collect();
    let found = format!("{} rows of {lengths:?}", matrix.len());
    Err(Error::size(name, found, format!("{d}×{d}")))
}

/// Refuses another number of states.
fn check_states(name: &str, found: usize, states: usize) -> Result<()> {
    match found == states {
        true => Ok(()),
        false => {
            let expected = format!("{states} states, as intercepts");
            Err(Error::size(name, format!("{found} states"), expected))
        }
    }
}

impl TryFrom<Parts> for Autoregression {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let (states, d) = (
            parts.intercepts.len(),
            parts.intercepts.first().map_or(0, Vec::len),
        );
        if d == 0 {
            return Err(Error::size(
                "intercepts",
                "no entry",
                "a row for each state",
            ));
        }
        width_of("intercepts", &parts.intercepts, d, "intercepts[0]")?;
        check_states("coefficients", parts.coefficients.len(), states)?;
        let order = parts.coefficients[0].len();
        check_order(order)?;
        let mut weights = Vec::new();
        for (k, (b, lags)) in parts.intercepts.iter().zip(&parts.coefficients).enumerate() {
            if lags.len() != order {
                let (name, found) = (format!("coefficients[{k}]"), format!("{} lags", lags.len()));
                return Err(Error::size(
                    name,
                    found,
                    format!("{order}, as coefficients[0]"),
                ));
            }
            for (l, a) in lags.iter().enumerate() {
                check_square(format!("coefficients[{k}][{l}]"), a, d)?;
            }
            for (i, b) in b.iter().enumerate() {
                weights.push(*b);
                weights.extend(lags.iter().flat_map(|a| &a[i]));
            }
        }
        let noise = match (parts.covariances, parts.variances) {
            (Some(covariances), None) => {
                check_states("covariances", covariances.len(), states)?;
                for (k, c) in covariances.iter().enumerate() {
                    check_square(format!("covariances[{k}]"), c, d)?;
                }
                Noise::Full(covariances.concat().concat())
            }
            (None, Some(variances)) => {
                check_states("variances", variances.len(), states)?;
                width_of("variances", &variances, d, "intercepts[0]")?;
                Noise::Diagonal(variances.concat())
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                return Err(Error::size(
                    "covariances and variances",
                    found,
                    "one of them: variances of independent noise",
                ));
            }
        };
        let mut new = Self::from_flat(d, order, weights, noise)?;
        new.origin = checked_origin(parts.origin, d)?;
        let m = new.weights_len();
        let triangles = checked_triangles("lag_moments", &parts.lag_moments, states, m)?;
        new.moments = LagMoments(triangles);
        if !parts.start.is_empty() {
            if parts.start.len() != order {
                let found = format!("{} observations", parts.start.len());
                let expected = format!("{order}, one a lag, newest first");
                return Err(Error::size("start", found, expected));
            }
            width_of("start", &parts.start, d, "intercepts[0]")?;
            new.start = parts.start.concat();
            check_finite("start", d, &new.start)?;
        }
        Ok(new)
    }
}

impl From<Autoregression> for Parts {
    fn from(a: Autoregression) -> Self {
        let (d, m) = (a.width, a.weights_len());
        let of_state = |rows: &[f64]| -> Vec<Vec<Vec<f64>>> {
            let lag = |l: usize| {
                let rows = rows.chunks(m);
                rows.map(|row| row[1 + l * d..1 + (l + 1) * d].to_vec())
                    .collect()
            };
            (0..a.order).map(lag).collect()
        };
        let squares = a.covariances.chunks(d * d);
        Self {
            intercepts: nested(
                &a.weights.iter().step_by(m).copied().collect::<Vec<f64>>(),
                d,
            ),
            coefficients: a.weights.chunks(d * m).map(of_state).collect(),
            covariances: (!a.diagonal).then(|| squares.clone().map(|c| nested(c, d)).collect()),
            variances: a.diagonal.then(|| {
                let diagonal = |c: &[f64]| (0..d).map(|i| c[i * (d + 1)]).collect();
                squares.map(diagonal).collect()
            }),
            origin: written(a.origin),
            start: nested(&a.start, d),
            lag_moments: nested(&a.moments.0, packed_len(m)),
        }
    }
}
