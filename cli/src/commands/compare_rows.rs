//! The rows that several models are compared on: the same outputs for all, and for each the inputs that it is given.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_filtering::{AnyModel, Sequence, many};

use crate::filtering::Source;
use crate::filtering::left_out::whole_rows;
use crate::filtering::of_fit::OfFit;
use crate::filtering::recording::{Recording, ensure_seen, read_all, uses_partial_rows};
use crate::usage::UsageError;

/// Reads the columns that all models predict and those that any is given, of every series of the files `data`, and hands each model
/// its own: the series, and the rows of each `[model][series]`.
///
/// # Errors
/// A usage error for models that predict other numbers of columns; as [`read_all`].
pub(super) fn read(
    source: &Source,
    data: &[PathBuf],
    models: &[(&Path, &AnyModel)],
) -> Result<(Vec<Recording>, Vec<Vec<Sequence>>)> {
    let mut given: Vec<String> = Vec::new();
    for name in models.iter().flat_map(|(_, model)| model.inputs()) {
        if !given.contains(name) {
            given.push(name.clone());
        }
    }
    let outputs = same_outputs(models).map_err(UsageError)?;
    same_alphabet(models, source).map_err(UsageError)?;
    let source = &match models {
        [(file, _), ..] => OfFit::source_of(file, source).map_err(UsageError)?,
        [] => source.clone(),
    };
    let recordings = read_all(&source.given(&given), data, outputs + given.len())?;
    for (file, _) in models {
        for one in &recordings {
            OfFit::check_data(file, &one.path, &one.names, source)?;
        }
    }
    let predicted: Vec<usize> = (0..outputs).collect();
    let predicted = recordings
        .iter()
        .map(|one| columns(&one.sequence, &predicted));
    let mut predicted: Vec<Sequence> = predicted.collect::<scotopic_filtering::Result<_>>()?;
    // All models are judged on the same observations.
    if let Some((_, model)) = models.iter().find(|(_, model)| !uses_partial_rows(model)) {
        predicted = whole_rows(&predicted, model.kind());
    }
    if let [first, ..] = &recordings[..] {
        let rows = |one: &Sequence| {
            one.iter()
                .flatten()
                .any(|row| row.iter().any(|y| !y.is_nan()))
        };
        ensure_seen(predicted.iter().any(rows), first)?;
    }
    let mut all = Vec::with_capacity(models.len());
    for (file, model) in models {
        let place = |name: &String| given.iter().position(|known| known == name);
        let places: Vec<usize> = model.inputs().iter().filter_map(place).collect();
        let places: Vec<usize> = places.iter().map(|place| outputs + place).collect();
        let mut own = Vec::with_capacity(recordings.len());
        for (recording, predicted) in recordings.iter().zip(&predicted) {
            let sequence = match places.is_empty() {
                true => predicted.clone(),
                false => predicted.with_inputs(&columns(&recording.sequence, &places)?)?,
            };
            let names = recording.names[..outputs].iter().chain(model.inputs());
            let rows = Recording {
                sequence: sequence.clone(),
                names: names.cloned().collect(),
                ..recording.clone()
            };
            rows.check(model)
                .with_context(|| format!("the model {}", file.display()))?;
            own.push(sequence);
        }
        all.push(own);
    }
    Ok((recordings, all))
}

/// The rows of the one series of `data`, for what is computed of one: a sequence for each model.
///
/// # Errors
/// A usage error for several files; for a file of several trials; as [`read`].
pub(super) fn read_one(
    source: &Source,
    data: &[PathBuf],
    models: &[(&Path, &AnyModel)],
) -> Result<Vec<Sequence>> {
    one_file(data)?;
    let (recordings, rows) = read(source, data, models)?;
    ensure!(
        recordings.len() == 1,
        "{} has {} trials, each a series of its own: choose one with --trial, or rank several --model over all",
        data[0].display(),
        recordings.len()
    );
    Ok(rows.into_iter().flatten().collect())
}

/// Refuses several files where one series is compared.
///
/// # Errors
/// A usage error.
pub(super) fn one_file(data: &[PathBuf]) -> Result<()> {
    match data {
        [_] => Ok(()),
        more => Err(UsageError(anyhow!(
            "--model is for series of observations, and {} files are named: give one, or rank several --model over all, by ln p or \
             --by prequential (networks are compared without --model)",
            more.len()
        ))
        .into()),
    }
}

/// The number of columns that each of the models predicts.
fn same_outputs(models: &[(&Path, &AnyModel)]) -> Result<usize> {
    let outputs = |model: &AnyModel| model.width() - model.inputs().len();
    let mut expected = None;
    for (path, model) in models {
        let (first, number) = *expected.get_or_insert((path, outputs(model)));
        if outputs(model) != number {
            return Err(anyhow!(
                "{} predicts {} and {} predicts {}: models are compared on the same rows",
                first.display(),
                many(number, "column"),
                path.display(),
                outputs(model)
            ));
        }
    }
    Ok(expected.map_or(0, |(_, number)| number))
}

/// Refuses models that were fitted to different symbols, which would all be read as those of the first, unless --alphabet says what
/// they are for all: that is checked against each.
fn same_alphabet(models: &[(&Path, &AnyModel)], source: &Source) -> Result<()> {
    if !source.alphabet.is_empty() {
        return Ok(());
    }
    let mut first: Option<(&Path, Vec<String>)> = None;
    let has = |alphabet: &[String]| match alphabet {
        [] => "none".to_owned(),
        symbols => symbols.join(","),
    };
    for (path, _) in models {
        let own = OfFit::read(path)?.alphabet;
        let (known, alphabet) = first.get_or_insert_with(|| (path, own.clone()));
        ensure!(
            *alphabet == own,
            "{} has the alphabet {} and {} has {}: models are compared on the same symbols; score each by itself, or name the symbols with \
             --alphabet where a model has none",
            known.display(),
            has(alphabet),
            path.display(),
            has(&own)
        );
    }
    Ok(())
}

/// The entries `places` of every row.
fn columns(rows: &Sequence, places: &[usize]) -> scotopic_filtering::Result<Sequence> {
    let mut some = Sequence::new(places.len())?;
    for row in rows.iter() {
        let own: Option<Vec<f64>> = row.map(|row| places.iter().map(|&place| row[place]).collect());
        some.push(own.as_deref())?;
    }
    Ok(some)
}
