//! The text of a model file, and kinds that several readers know by name.

use std::path::Path;

use anyhow::{Context, Result};
use scotopic_datasets::bounded::read_text_file;

/// The kind of a linear-Gaussian model in files.
pub(super) const LINEAR: &str = "linear-gaussian";

/// The kind of a structural model in files, which filters read as the linear-Gaussian model of its values.
pub(super) const STRUCTURAL: &str = "structural";

/// What a model file holds; errors name the file.
pub(crate) fn text(path: &Path) -> Result<String> {
    read_text_file(path).with_context(|| format!("could not read the model {}", path.display()))
}
