//! Inputs that are given apart from observations: those of rows to come, or to be drawn.

use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use scotopic_filtering::{AnyModel, Sequence};

use super::Source;
use super::columns::quoted;
use crate::usage::UsageError;

/// The columns of the inputs of `model` in the table `path`; none for a model without inputs.
///
/// # Errors
/// A usage error where the one has inputs and the other is not given; for a table that lacks a column or a number.
pub fn read(path: Option<&Path>, model: &AnyModel) -> Result<Option<Sequence>> {
    let names = model.inputs();
    let path = match (path, names.is_empty()) {
        (None, true) => return Ok(None),
        (Some(path), false) => path,
        (None, false) => {
            let error = anyhow!(
                "the model is given {} with each observation: name a table with these columns by --given",
                names.join(", ")
            );
            return Err(UsageError(error).into());
        }
        (Some(path), true) => {
            let error = anyhow!("--given {}: the model has no inputs", path.display());
            return Err(UsageError(error).into());
        }
    };
    let source = Source {
        columns: Some(
            names
                .iter()
                .map(|name| quoted(name))
                .collect::<Vec<_>>()
                .join(","),
        ),
        dates: true,
        ..Source::default()
    };
    let inputs = source.read(path)?;
    for (t, row) in inputs.iter().enumerate() {
        let whole = row.is_some_and(|row| row.iter().all(|x| x.is_finite()));
        ensure!(
            whole,
            "{}, row {}: a number is missing",
            path.display(),
            t + 1
        );
    }
    Ok(Some(inputs))
}
