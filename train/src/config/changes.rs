//! What one configuration changes about another, key by key.

use std::collections::BTreeSet;

use anyhow::Result;
use toml::Table;

use super::RunConfig;
use super::table::leaves;

/// A key whose values differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The dotted key.
    pub key: String,
    /// Its old value in TOML; empty where there was none.
    pub old: String,
    /// Its new value in TOML; empty where there is none.
    pub new: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &str| match value {
            "" => "absent".to_owned(),
            value => value.to_owned(),
        };
        write!(f, "{} = {}", self.key, shown(&self.new))?;
        write!(f, " (was {})", shown(&self.old))
    }
}

/// All keys whose values differ between `old` and `new`.
///
/// # Errors
/// Only if a value cannot be written in TOML, which no validated value is.
pub fn changes(old: &RunConfig, new: &RunConfig) -> Result<Vec<Change>> {
    let (old, new) = (Table::try_from(old)?, Table::try_from(new)?);
    let keys: BTreeSet<String> = leaves(&old, "")
        .into_iter()
        .chain(leaves(&new, ""))
        .collect();
    Ok(keys
        .into_iter()
        .map(|key| Change {
            old: shown(&old, &key),
            new: shown(&new, &key),
            key,
        })
        .filter(|change| change.old != change.new)
        .collect())
}

fn shown(table: &Table, key: &str) -> String {
    let mut parts = key.split('.');
    let first = parts.next().and_then(|part| table.get(part));
    parts
        .fold(first, |value, part| value?.get(part))
        .map_or_else(String::new, ToString::to_string)
}
