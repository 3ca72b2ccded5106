//! From a preset, a file and `--set` to one configuration; errors about keys name the nearest valid one.

use anyhow::{Context, Result, anyhow, bail};
use scotopic_datasets::bounded::read_text;
use std::path::Path;
use toml::{Table, Value};

use super::renamed::rename;
use super::table::{leaves, merge, nearest, value};
use super::{RunConfig, preset};

/// The configuration of a run: the preset, overlaid by the file, overlaid by `--set key=value`.
///
/// # Errors
/// Names the source (file or option), the key, and the nearest valid key or the rule that a value breaks.
pub fn resolve(preset_name: &str, file: Option<&Path>, sets: &[String]) -> Result<RunConfig> {
    let mut table = preset(preset_name)?.table()?;
    if let Some(path) = file {
        let text = read_text(path)
            .with_context(|| format!("could not read the configuration {}", path.display()))?;
        let mut overlay: Table = text
            .parse()
            .with_context(|| format!("{} is not valid TOML", path.display()))?;
        rename(&mut overlay)
            .and_then(|()| check_keys(&overlay, &table))
            .with_context(|| format!("in {}", path.display()))?;
        merge(&mut table, overlay);
    }
    // What keys of `data` there are depends on its source.
    let names_source = |set: &&String| set.trim_start().starts_with("data.source");
    let (first, others): (Vec<&String>, Vec<&String>) = sets.iter().partition(names_source);
    for assignment in first.into_iter().chain(others) {
        // Looked at one by one: the next could only say that those before it do not fit.
        set(&mut table, assignment)
            .and_then(|()| configuration(&table).map(drop))
            .with_context(|| format!("in --set {assignment}"))?;
    }
    let config = configuration(&table)?;
    config.validate()?;
    Ok(config)
}

/// A message of the TOML reader without the names of Rust's types.
fn in_words(message: &str) -> String {
    let mut text = message.trim_end().to_owned();
    for (rust, words) in [
        ("invalid type: ", "found "),
        ("invalid value: ", "found "),
        ("unit variant, ", "no value, "),
        ("string only", "a word"),
        ("unknown variant", "unknown value"),
        ("expected usize", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected u32", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("expected a boolean", "expected true or false"),
    ] {
        text = text.replace(rust, words);
    }
    text
}

/// A whole configuration, as a run keeps it.
///
/// # Errors
/// Names the file, and the key that is unknown, missing or not valid.
pub fn read_config(path: &Path) -> Result<RunConfig> {
    let text = read_text(path)
        .with_context(|| format!("could not read the configuration {}", path.display()))?;
    let read = || -> Result<RunConfig> {
        let config: RunConfig =
            toml::from_str(&text).map_err(|error| anyhow!(in_words(&error.to_string())))?;
        config.validate()?;
        Ok(config)
    };
    read().with_context(|| format!("in {}", path.display()))
}

/// Applies one `key=value`. The value is TOML; a bare word is taken as a string.
///
/// # Errors
/// If there is no `=`, or the key is not one of the configuration.
pub fn set(table: &mut Table, assignment: &str) -> Result<()> {
    let Some((key, text)) = assignment.split_once('=') else {
        bail!("expected KEY=VALUE, for example train.iterations=500");
    };
    let (key, text) = (key.trim(), text.trim());
    // TOML would read another key in the next line, or none.
    if text.contains(['\n', '\r']) {
        bail!("expected one KEY=VALUE on a line: say --set for each");
    }
    let mut overlay = value(text);
    for part in key.rsplit('.') {
        overlay = Value::Table(Table::from_iter([(part.to_string(), overlay)]));
    }
    if let Value::Table(mut overlay) = overlay {
        rename(&mut overlay)?;
        check_keys(&overlay, table)?;
        merge(table, overlay);
    }
    Ok(())
}

/// Every key of `overlay` must be one of the configuration.
///
/// # Errors
/// Names the unknown key and the nearest valid one.
pub fn check_keys(overlay: &Table, base: &Table) -> Result<()> {
    let source = |t: &Table| Some(t.get("data")?.get("source")?.as_str()?.to_string());
    let source = source(overlay).or_else(|| source(base)).unwrap_or_default();
    let known = known_keys(base, &source)?;
    for key in leaves(overlay, "") {
        if known.contains(&key) {
            continue;
        }
        match nearest(&key, known.iter().map(String::as_str)) {
            Some(nearest) => bail!(
                "unknown key `{key}`: did you mean `{nearest}`? (`scotopic config keys` lists all)"
            ),
            None => bail!("unknown key `{key}`"),
        }
    }
    Ok(())
}

/// All keys that may be set when the data come from `source`.
fn known_keys(base: &Table, source: &str) -> Result<Vec<String>> {
    // A preset leaves out what is at its default: complete it before looking.
    let complete = Table::try_from(configuration(base)?)?;
    let mut known: Vec<String> = leaves(&complete, "")
        .into_iter()
        .filter(|k| !k.starts_with("data."))
        .collect();
    known.extend(super::presets::data_keys(source)?);
    Ok(known)
}

/// A table as a configuration, whose values are not yet checked.
fn configuration(table: &Table) -> Result<RunConfig> {
    let read: Result<RunConfig, toml::de::Error> = Value::Table(table.clone()).try_into();
    read.map_err(|error| anyhow!(in_words(&error.to_string())))
        .context("the configuration does not fit (see `scotopic config keys`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_right_one() {
        let error = resolve("smoke", None, &["train.iteratoins=5".into()]).unwrap_err();
        assert!(
            format!("{error:#}").contains("did you mean `train.iterations`"),
            "{error:#}"
        );
    }

    #[test]
    fn the_source_of_the_data_may_be_named_after_its_keys() {
        let sets = ["data.train=x.npy", "data.source=npy"].map(String::from);
        let (one, other) = (&sets, [sets[1].clone(), sets[0].clone()]);
        assert_eq!(
            resolve("smoke", None, one).unwrap(),
            resolve("smoke", None, &other).unwrap()
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_or_size_is_an_error() {
        for wrong in [
            "train.batch_size=many",
            "train.batch_size=0",
            "seed=-1",
            "inference.leak=always",
            "schedule.temperature.to=0",
            "seed=7\ntrain.iterations=3",
        ] {
            assert!(resolve("smoke", None, &[wrong.into()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_value_that_does_not_fit_is_named_and_not_one_after_it() {
        let sets = ["data.train=256", "data.validation=64"].map(String::from);
        let error = format!("{:#}", resolve("moving-scenes", None, &sets).unwrap_err());
        assert!(
            error.contains("--set data.train=256") && !error.contains("data.validation"),
            "{error}"
        );
    }

    #[test]
    fn another_source_replaces_the_data_table() {
        let config = resolve(
            "smoke",
            None,
            &["data.source=idx".into(), "data.validation=10".into()],
        )
        .unwrap();
        assert!(
            matches!(config.data, scotopic_datasets::DataConfig::Idx(ref c) if c.validation == 10)
        );
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for preset in super::super::PRESETS {
            let config = resolve(preset.name, None, &[]).unwrap();
            let again: RunConfig = toml::from_str(&config.to_toml().unwrap()).unwrap();
            assert_eq!(config, again, "{}", preset.name);
        }
    }
}
