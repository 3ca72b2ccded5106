//! Values per unit, by case and measure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Significant digits that are kept: far below any standard error.
const DIGITS: usize = 5;

/// The values of one task: for each case and measure a number per unit, none where the unit failed.
///
/// ```
/// use scotopic_cli::experiments::protocol::Values;
/// let mut values = Values::default();
/// values.push("two states", "gap", 0.123456789);
/// values.push("two states", "gap", f64::NAN);
/// assert_eq!(values.get("two states", "gap"), [Some(0.12346), None]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, BTreeMap<String, Vec<Option<f64>>>>);

impl Values {
    /// Adds the value of the next unit; one that is not finite is a failure.
    pub fn push(&mut self, case: &str, measure: &str, value: f64) {
        let measures = self.0.entry(case.to_owned()).or_default();
        let values = measures.entry(measure.to_owned()).or_default();
        values.push(value.is_finite().then(|| rounded(value)));
    }

    /// The values of a measure, `[units]`; none if it is not there.
    pub fn get(&self, case: &str, measure: &str) -> &[Option<f64>] {
        let measures = self.0.get(case);
        measures
            .and_then(|m| m.get(measure))
            .map_or(&[], Vec::as_slice)
    }

    /// The names of the cases.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The value to so many significant digits; what is below 10⁻⁹ is rounding, and 0.
fn rounded(value: f64) -> f64 {
    if value.abs() < 1e-9 {
        return 0.0;
    }
    let decimals = DIGITS as i32 - 1;
    format!("{value:.*e}", decimals as usize)
        .parse()
        .unwrap_or(value)
}
