//! Logarithms of zero in a file: JSON has no infinity, −1e300 stands for −∞.

use serde::{Deserialize, Deserializer, Serializer};

/// What stands for −∞.
const MINUS_INFINITY: f64 = -1e300;

fn finite(x: f64) -> f64 {
    x.max(MINUS_INFINITY)
}

fn infinite(x: f64) -> f64 {
    if x <= MINUS_INFINITY {
        f64::NEG_INFINITY
    } else {
        x
    }
}

/// For `#[serde(with = …)]` on a vector.
pub(super) mod vector {
    use super::*;

    pub fn serialize<S: Serializer>(x: &[f64], into: S) -> Result<S::Ok, S::Error> {
        into.collect_seq(x.iter().copied().map(finite))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().map(infinite).collect())
    }
}
