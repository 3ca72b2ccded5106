//! Saved filters, which continue bit for bit.
//!
//! ```text
//! "scotopic filter 1\n"   SHA-256 of the rest [32]   the filter in CBOR, which keeps every bit of a number
//! ```

use std::path::Path;

use anyhow::{Context, Result, ensure};
use scotopic_datasets::replace::replace;
use scotopic_filtering::AnyFilter;
use sha2::{Digest, Sha256};

const MAGIC: &[u8] = b"scotopic filter 1\n";
const DIGEST: usize = 32;

/// The size in bytes of what a filter carries from one observation to the next, its model included.
///
/// # Errors
/// None that a filter can cause.
pub fn bytes(filter: &AnyFilter) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    ciborium::into_writer(filter, &mut body).context("could not write down the filter")?;
    Ok(body)
}

/// Writes a snapshot, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(filter: &AnyFilter, path: &Path) -> Result<()> {
    let body = bytes(filter)?;
    let mut file = Vec::with_capacity(MAGIC.len() + DIGEST + body.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&Sha256::digest(&body));
    file.extend_from_slice(&body);
    Ok(replace(path, &file)?)
}

/// Reads a snapshot back.
///
/// # Errors
/// If the file is not one, was cut short, or was changed.
pub fn load(path: &Path) -> Result<AnyFilter> {
    let file = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let name = path.display();
    let rest = file.strip_prefix(MAGIC);
    let rest = rest.with_context(|| {
        format!("{name} is no snapshot of a filter; `scotopic filter --save` writes them")
    })?;
    let (digest, body) = rest.split_at(rest.len().min(DIGEST));
    ensure!(
        digest == &Sha256::digest(body)[..],
        "{name} was cut short or changed: its checksum does not fit; take an older snapshot"
    );
    ciborium::from_reader(body).with_context(|| format!("{name} holds no filter of this version"))
}
