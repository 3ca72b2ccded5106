//! Saved filters, which continue bit for bit.
//!
//! ```text
//! "scotopic filter 2\n"   SHA-256 of the rest [32]   the filter in CBOR, which keeps every bit of a number   its last row in CBOR
//! ```
//!
//! The last row says how times go on, and what the file of the model said beside it; files of earlier versions end before it, or
//! leave the latter out.
//!
//! Version 1 knew pseudo-observations of variance one only, and did not write the variance down.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use ciborium::Value;
use scotopic_datasets::bounded;
use scotopic_datasets::replace::replace;
use scotopic_datasets::series::{Series, Time};
use scotopic_filtering::AnyFilter;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::of_fit::OfFit;
use super::saved::{MAGIC, MAGIC_1};

const DIGEST: usize = 32;
/// Far above the snapshot of any filter.
const MOST_BYTES: u64 = 1 << 30;

/// The size in bytes of what a filter carries from one observation to the next, its model included.
///
/// # Errors
/// None that a filter can cause.
pub fn bytes(filter: &AnyFilter) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    ciborium::into_writer(filter, &mut body).context("could not write down the filter")?;
    Ok(body)
}

/// What is known of the row that a filter took in last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LastRow {
    /// Its time as it was written, where a column of times was named.
    pub time: Option<String>,
    /// Whether dates were among its numbers.
    pub dated: bool,
    /// The columns that it had, in their order; none where they had no names, or are one.
    pub columns: Vec<String>,
    /// What the file of the model said beside it, and the symbols that cells stood for.
    #[serde(skip_serializing_if = "OfFit::is_empty")]
    pub of_fit: OfFit,
}

impl LastRow {
    /// Notes the newest row of `series`.
    pub fn note(&mut self, series: &Series) {
        // A filter that is given the times keeps the last of them itself.
        if let Some(text) = series.time_text().filter(|_| !series.time_is_taken()) {
            text.clone_into(self.time.get_or_insert_default());
        }
        self.dated = series.has_dates();
    }

    /// Whether the newest row of `series` can follow.
    ///
    /// # Errors
    /// Says what is there and what should have been.
    pub fn check_next(&self, series: &Series) -> Result<()> {
        let (now, before) = match series.has_dates() {
            true => ("dates", "numbers"),
            false => ("numbers", "dates"),
        };
        ensure!(
            self.dated == series.has_dates(),
            "found {now} where the saved filter was given {before}: give them in one way"
        );
        let (Some(last), Some(next)) = (self.time.as_deref(), series.time_text()) else {
            return Ok(());
        };
        let (Some(before), Some(now)) = (Time::parse(last), Time::parse(next)) else {
            return Ok(());
        };
        let after = now.is_like(before) && Time::step(last, next).is_some_and(|step| step > 0.0);
        ensure!(
            after,
            "found the time {next}, expected one after {last}, the last of the saved filter, and written like it"
        );
        Ok(())
    }
}

/// The bytes of a snapshot.
///
/// # Errors
/// None that a filter can cause.
pub fn to_bytes(filter: &AnyFilter) -> Result<Vec<u8>> {
    Ok(with_checksum(&bytes(filter)?))
}

fn with_checksum(body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(MAGIC.len() + DIGEST + body.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&Sha256::digest(body));
    file.extend_from_slice(body);
    file
}

/// Writes a snapshot, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(filter: &AnyFilter, last: &LastRow, path: &Path) -> Result<()> {
    let mut body = bytes(filter)?;
    ciborium::into_writer(last, &mut body).context("could not write down the last row")?;
    Ok(replace(path, &with_checksum(&body))?)
}

/// Reads a snapshot back.
///
/// # Errors
/// If the file is not one, was cut short, or was changed.
pub fn load(path: &Path) -> Result<(AnyFilter, Option<LastRow>)> {
    let file = bounded::read_file(path, MOST_BYTES)
        .with_context(|| format!("could not read {}", path.display()))?;
    read(&file, &path.display().to_string())
}

/// The filter that a snapshot is of; errors call it `name`.
///
/// # Errors
/// If the bytes are not one, were cut short, or were changed.
pub fn from_bytes(file: &[u8], name: &str) -> Result<AnyFilter> {
    Ok(read(file, name)?.0)
}

/// The filter and, where the snapshot has it, the last row.
fn read(file: &[u8], name: &str) -> Result<(AnyFilter, Option<LastRow>)> {
    let first = file.starts_with(MAGIC_1);
    let rest = file.strip_prefix(if first { MAGIC_1 } else { MAGIC });
    let rest = rest.with_context(|| {
        format!("{name} is no snapshot of a filter; `scotopic filter --save` writes them")
    })?;
    let (digest, body) = rest.split_at(rest.len().min(DIGEST));
    ensure!(
        digest == &Sha256::digest(body)[..],
        "{name} was cut short or changed: its checksum does not fit; take an older snapshot"
    );
    let context = || format!("{name} holds no filter of this version");
    if !first {
        let mut body = body;
        let filter = ciborium::from_reader(&mut body)
            .map_err(plain)
            .with_context(context)?;
        let last = match body.is_empty() {
            true => None,
            false => Some(
                ciborium::from_reader(body)
                    .map_err(plain)
                    .with_context(context)?,
            ),
        };
        return Ok((filter, last));
    }
    let mut value: Value = ciborium::from_reader(body)
        .map_err(plain)
        .with_context(context)?;
    if let Value::Map(entries) = &mut value
        && entries
            .iter()
            .any(|(key, _)| key.as_text() == Some("DiscreteLearning"))
    {
        with_unit_variance(&mut value);
    }
    let read = value.deserialized().map_err(|error| match error {
        ciborium::value::Error::Custom(text) => anyhow!(text),
    });
    Ok((read.with_context(context)?, None))
}

/// What is wrong, without the name of the variant that carries it.
fn plain(error: ciborium::de::Error<std::io::Error>) -> anyhow::Error {
    match error {
        ciborium::de::Error::Semantic(_, text) => anyhow!(text),
        other => other.into(),
    }
}

/// Writes the variance of pseudo-observations beside their number, wherever that stands.
fn with_unit_variance(value: &mut Value) {
    match value {
        Value::Map(entries) => {
            entries
                .iter_mut()
                .for_each(|(_, value)| with_unit_variance(value));
            if entries
                .iter()
                .any(|(key, _)| key.as_text() == Some("pseudo_count"))
            {
                entries.push(("pseudo_variance".into(), 1.0.into()));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_unit_variance),
        _ => {}
    }
}
