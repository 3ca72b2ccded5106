//! Which columns are taken.

use super::SeriesOptions;
use crate::{Error, Result};

/// The columns to take, by their place in a row, and what they are called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnSelection {
    pub(super) places: Vec<usize>,
    pub(super) names: Vec<String>,
}

impl ColumnSelection {
    /// Finds the columns that `options` asks for among `names`. A name counts before a number.
    pub(super) fn of(series: &str, names: &[String], options: &SeriesOptions) -> Result<Self> {
        if options.columns.is_empty() {
            return Ok(Self {
                places: (0..names.len()).collect(),
                names: names.to_vec(),
            });
        }
        let mut places = Vec::with_capacity(options.columns.len());
        for wanted in &options.columns {
            let by_name = names.iter().position(|name| name == wanted);
            let by_number = || {
                wanted
                    .parse::<usize>()
                    .ok()
                    .filter(|n| (1..=names.len()).contains(n))
                    .map(|n| n - 1)
            };
            let place = by_name.or_else(by_number).ok_or_else(|| Error::Row {
                name: series.to_owned(),
                line: 1,
                column: "columns".into(),
                found: format!("no column `{wanted}`"),
                expected: format!(
                    "one of {}, or a number from 1 to {}",
                    names.join(", "),
                    names.len()
                ),
            })?;
            places.push(place);
        }
        let names = places.iter().map(|&place| names[place].clone()).collect();
        Ok(Self { places, names })
    }

    /// The names "1", "2", … of so many columns.
    pub(super) fn numbers(columns: usize) -> Vec<String> {
        (1..=columns).map(|n| n.to_string()).collect()
    }
}
