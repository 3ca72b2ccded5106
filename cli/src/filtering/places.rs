//! Where in a file an observation is that a model cannot take: file, line and column as the user wrote them.

use std::path::{Path, PathBuf};

use anyhow::Error as Told;
use scotopic_datasets::series::Time;
use scotopic_filtering::{AnyFilter, AnyModel, Error, Filter as _, Sequence};

/// Where the rows of a series were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The file.
    pub path: PathBuf,
    /// The line of each row.
    pub lines: Vec<u64>,
    /// Whether dates are among the numbers, as days.
    pub dated: bool,
}

/// The column of an error that counts from 0, as the end of a place; nothing where it has none.
pub fn column(error: &Error, names: &[String]) -> String {
    let name = match error {
        Error::Observation { entry, .. } => names.get(*entry),
        _ => None,
    };
    name.map_or_else(String::new, |name| format!(", column {name}"))
}

/// The error that an observation in `line` of `path` has led to, with its place; it counts from 0.
pub fn at_line(error: Error, path: &Path, line: u64, names: &[String], dated: bool) -> Told {
    let place = format!("{}, line {line}{}", path.display(), column(&error, names));
    let error = if dated { as_dates(error) } else { error };
    Told::new(from_one(error)).context(place)
}

/// The error that one of several series has led to, with the place of the observation that it is about, where that is found by the
/// value that it names; it counts from 1.
pub fn among(error: Told, all: &[Sequence], read: &[Lines], names: &[String]) -> Told {
    let Some(Error::Observation {
        index,
        entry,
        found,
        ..
    }) = error.downcast_ref()
    else {
        return error;
    };
    let Some(column) = entry.checked_sub(1).filter(|c| *c < names.len()) else {
        return error;
    };
    let is_missing = found == "nothing" || found.contains("missing");
    let is_found = |row: Option<&[f64]>| match row.and_then(|row| row.get(column)) {
        Some(x) if x.is_finite() => x.to_string() == *found,
        _ => is_missing,
    };
    let rows = || {
        let files = all.iter().zip(read);
        files.flat_map(|(sequence, read)| {
            let rows = sequence.iter().zip(&read.lines).enumerate();
            rows.filter(|(_, (row, _))| is_found(*row))
                .map(move |(t, (_, line))| (t as u64 + 1, *line, read))
        })
    };
    // What does not know the number of an observation says another.
    let at = rows().find(|(t, ..)| t == index).or_else(|| rows().next());
    let Some((number, line, read)) = at else {
        return error;
    };
    let place = format!(
        "{}, line {line}, column {}",
        read.path.display(),
        names[column]
    );
    let numbered = error.downcast::<Error>().map(|mut error| {
        if let Error::Observation { index, .. } = &mut error {
            *index = number;
        }
        error
    });
    match numbered {
        Ok(error) if read.dated => Told::new(as_dates(error)).context(place),
        Ok(error) => Told::new(error).context(place),
        Err(other) => other,
    }
}

/// The error of an observation that `model` cannot have made, with its place; another one as it is.
pub fn impossible(
    error: Told,
    model: &AnyModel,
    all: &[Sequence],
    read: &[Lines],
    names: &[String],
) -> Told {
    if !matches!(error.downcast_ref(), Some(Error::Impossible { .. })) {
        return error;
    }
    for (sequence, read) in all.iter().zip(read) {
        let Ok(mut filter) = AnyFilter::new(model.clone(), "reversed") else {
            return error;
        };
        for (row, line) in sequence.iter().zip(&read.lines) {
            if let Err(found) = filter.update(row) {
                return at_line(found, &read.path, *line, names, read.dated);
            }
        }
    }
    error
}

/// The same error with times as dates, where they are days that were dates.
fn as_dates(mut error: Error) -> Error {
    if let Error::Observation {
        found, expected, ..
    } = &mut error
        && let Some((before, rest)) = expected
            .strip_prefix("a time of ")
            .and_then(|text| text.split_once(' '))
        && let (Ok(now), Ok(before)) = (found.parse(), before.parse())
    {
        let text = format!("a time of {} {rest}", Time::written(before));
        (*found, *expected) = (Time::written(now), text);
    }
    error
}

/// The same error with observations and entries counted from 1, like lines and columns.
pub fn from_one(mut error: scotopic_filtering::Error) -> scotopic_filtering::Error {
    match &mut error {
        Error::Observation { index, entry, .. } => {
            *index += 1;
            *entry += 1;
        }
        Error::Impossible { index } | Error::NotFinite { index, .. } => *index += 1,
        _ => {}
    }
    error
}
