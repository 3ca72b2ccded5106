//! Saved filters, which continue bit for bit.
//!
//! ```text
//! "scotopic filter 2\n"   SHA-256 of the rest [32]   the filter in CBOR, which keeps every bit of a number
//! ```
//!
//! Version 1 knew pseudo-observations of variance one only, and did not write the variance down.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use ciborium::Value;
use scotopic_datasets::bounded;
use scotopic_datasets::replace::replace;
use scotopic_filtering::AnyFilter;
use sha2::{Digest, Sha256};

const MAGIC: &[u8] = b"scotopic filter 2\n";
const MAGIC_1: &[u8] = b"scotopic filter 1\n";
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

/// The bytes of a snapshot.
///
/// # Errors
/// None that a filter can cause.
pub fn to_bytes(filter: &AnyFilter) -> Result<Vec<u8>> {
    let body = bytes(filter)?;
    let mut file = Vec::with_capacity(MAGIC.len() + DIGEST + body.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&Sha256::digest(&body));
    file.extend_from_slice(&body);
    Ok(file)
}

/// Writes a snapshot, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(filter: &AnyFilter, path: &Path) -> Result<()> {
    Ok(replace(path, &to_bytes(filter)?)?)
}

/// Reads a snapshot back.
///
/// # Errors
/// If the file is not one, was cut short, or was changed.
pub fn load(path: &Path) -> Result<AnyFilter> {
    let file = bounded::read_file(path, MOST_BYTES)
        .with_context(|| format!("could not read {}", path.display()))?;
    from_bytes(&file, &path.display().to_string())
}

/// The filter that a snapshot is of; errors call it `name`.
///
/// # Errors
/// If the bytes are not one, were cut short, or were changed.
pub fn from_bytes(file: &[u8], name: &str) -> Result<AnyFilter> {
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
        return ciborium::from_reader(body)
            .map_err(plain)
            .with_context(context);
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
    read.with_context(context)
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
