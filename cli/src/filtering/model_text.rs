//! The text of a model file, and kinds that several readers know by name.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use scotopic_datasets::bounded::read_text_file;

use super::saved::is_saved;

/// The kind of a linear-Gaussian model in files.
pub(super) const LINEAR: &str = "linear-gaussian";

/// The kind of a structural model in files, which filters read as the linear-Gaussian model of its values.
pub(super) const STRUCTURAL: &str = "structural";

/// What a model file holds; errors name the file.
pub(super) fn text(path: &Path) -> Result<String> {
    ensure!(
        !is_saved(path),
        "{} is a saved filter, and no model: continue it with scotopic filter --resume; --model-out writes the model that it has come to",
        path.display()
    );
    read_text_file(path).with_context(|| format!("could not read the model {}", path.display()))
}
