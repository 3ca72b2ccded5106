//! Inputs that are given apart from observations: those of rows to come, or to be drawn.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use scotopic_datasets::series::SeriesFormat;
use scotopic_filtering::AnyModel;

use super::Source;
use super::columns::quoted;
use super::recording::{Recording, read_all};
use crate::usage::UsageError;

impl Source {
    /// The same source for `model`: with its inputs, and the times that it is given as the times of the rows, where no other column is
    /// named for these.
    pub fn of_model(&self, model: &AnyModel) -> Self {
        let time = model.time().filter(|_| self.spikes.bin.is_none());
        let time = self.time.clone().or(time.map(str::to_owned));
        Self {
            time,
            ..self.given(model.inputs())
        }
    }
}

/// The columns of the inputs of `model` in the table `path`, whose cells are written as those of the data; none for a model without
/// inputs.
///
/// # Errors
/// A usage error where the one has inputs and the other is not given; for a table that lacks a column or a number.
pub fn read(path: Option<&Path>, model: &AnyModel, data: &Source) -> Result<Option<Recording>> {
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
    let by_name = SeriesFormat::of(path);
    let of_tables = match by_name {
        // How the cells of tables are written says nothing of these.
        Some(SeriesFormat::JsonLines | SeriesFormat::Npy) => Source::default(),
        Some(SeriesFormat::Csv | SeriesFormat::Tsv) | None => Source {
            header: data.header,
            delimiter: data.delimiter,
            decimal_comma: data.decimal_comma,
            ..Source::default()
        },
    };
    let source = Source {
        columns: Some(
            names
                .iter()
                .map(|name| quoted(name))
                .collect::<Vec<_>>()
                .join(","),
        ),
        // Where the name does not tell it, the format is that of the data.
        format: match by_name.is_none() && path != Path::new("-") {
            true => data.format,
            false => None,
        },
        dates: true,
        time: model.time().map(str::to_owned),
        missing: data.missing.clone(),
        ..of_tables
    };
    let inputs = read_all(&source, &[path.to_owned()], names.len())?.remove(0);
    if let Some((wanted, found)) = names.iter().zip(&inputs.names).find(|(a, b)| a != b) {
        bail!(
            "{}: the model is given column {wanted} of tables without names, and here that column is called {found}",
            path.display()
        );
    }
    for (row, line) in inputs.sequence.iter().zip(&inputs.lines) {
        let missing = match row {
            Some(row) => row.iter().position(|x| !x.is_finite()),
            None => Some(0),
        };
        if let Some(place) = missing {
            bail!(
                "{}, line {line}, column {}: a number is missing",
                path.display(),
                inputs.names[place]
            );
        }
    }
    Ok(Some(inputs))
}
