//! `--stimulus`: a TOML file, or `kind=grating,orientation=45` on the command line.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::StimulusConfig;
use scotopic_datasets::bounded::read_text;
use toml::{Table, Value};

use super::renamed::rename_stimulus;
use super::table::{nearest, value};

/// The stimulus that `spec` describes: the path of a TOML file, or `key=value` pairs with commas between them.
///
/// `blank` is what an empty place looks like on the scale of the model; it is the background where a stimulus has
/// one and `spec` does not say another.
///
/// # Errors
/// Names the source, the key, and the nearest valid one or the rule that a value breaks.
///
/// ```
/// use scotopic_datasets::{StimulusConfig, stimulus::Rotate};
/// use scotopic_train::config::stimulus;
/// let turning = stimulus("kind=rotate,degrees=5", -0.4)?;
/// let expected = Rotate { degrees: 5.0, background: -0.4, ..Default::default() };
/// assert_eq!(turning, StimulusConfig::Rotate(expected));
/// # anyhow::Ok(())
/// ```
pub fn stimulus(spec: &str, blank: f32) -> Result<StimulusConfig> {
    let table = match spec.contains('=') && !Path::new(spec).is_file() {
        true => inline(spec)?,
        false => read_text(Path::new(spec))
            .with_context(|| {
                format!(
                    "could not read the stimulus {spec} (on the command line one looks like kind=grating,orientation=45)"
                )
            })?
            .parse()
            .with_context(|| format!("{spec} is not valid TOML"))?,
    };
    from_table(table, blank).with_context(|| format!("in the stimulus {spec}"))
}

/// Every stimulus with its keys and their defaults, as commented TOML.
///
/// # Errors
/// Never for stimuli that can be written as TOML.
pub(super) fn annotated() -> Result<String> {
    let mut text = String::new();
    for config in StimulusConfig::all() {
        text.push('\n');
        for line in toml::to_string(&config)?.lines() {
            text.push_str(&format!("# {line}\n"));
        }
    }
    Ok(text)
}

fn inline(spec: &str) -> Result<Table> {
    let mut table = Table::new();
    for pair in spec.split(',') {
        let Some((key, text)) = pair.split_once('=') else {
            bail!("in the stimulus {spec}: `{pair}` is not KEY=VALUE");
        };
        let key = key.trim().to_string();
        ensure!(
            table.insert(key.clone(), value(text.trim())).is_none(),
            "in the stimulus {spec}: the key `{key}` is there twice"
        );
    }
    Ok(table)
}

fn from_table(mut table: Table, blank: f32) -> Result<StimulusConfig> {
    let kind = match table.get("kind") {
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => bail!("kind = {other}: must be the name of a stimulus"),
        None => bail!("the key `kind` is missing: it is one of {}", kinds()),
    };
    let all = StimulusConfig::all();
    // Both names of the files of numpy are one stimulus.
    let named = match kind.as_str() {
        "npz" => "npy",
        kind => kind,
    };
    let Some(known) = all.iter().find(|config| config.kind() == named) else {
        match nearest(&kind, all.iter().map(StimulusConfig::kind)) {
            Some(near) => bail!(
                "there is no stimulus `{kind}`: did you mean `{near}`? There are {}",
                kinds()
            ),
            None => bail!("there is no stimulus `{kind}`"),
        }
    };
    rename_stimulus(&mut table, &kind)?;
    let defaults = Table::try_from(known)?;
    for key in table.keys() {
        if !defaults.contains_key(key) {
            match nearest(key, defaults.keys().map(String::as_str)) {
                Some(near) => bail!(
                    "unknown key `{key}` of the stimulus `{kind}`: did you mean `{near}`? (`scotopic config keys` \
                     lists all)"
                ),
                None => bail!("unknown key `{key}` of the stimulus `{kind}`"),
            }
        }
    }
    if defaults.contains_key("background") && !table.contains_key("background") {
        table.insert("background".into(), Value::Float(blank.into()));
    }
    let config: StimulusConfig = Value::Table(table)
        .try_into()
        .context("the stimulus does not fit (see `scotopic config keys`)")?;
    config.validate()?;
    Ok(config)
}

fn kinds() -> String {
    StimulusConfig::all().map(|config| config.kind()).join(", ")
}

#[cfg(test)]
mod tests {
    use scotopic_datasets::stimulus::{Grating, Jitter};

    use super::*;

    #[test]
    fn whole_numbers_fractions_and_words_are_read() {
        let config = stimulus("kind=grating, orientation=45, contrast = 0.5", 9.0).unwrap();
        let expected = Grating {
            orientation: 45.0,
            contrast: 0.5,
            ..Default::default()
        };
        assert_eq!(config, StimulusConfig::Grating(expected));
    }

    #[test]
    fn the_background_is_blank_unless_it_is_given() {
        let jitter = |background| {
            StimulusConfig::Jitter(Jitter {
                background,
                ..Default::default()
            })
        };
        assert_eq!(stimulus("kind=jitter", -0.5).unwrap(), jitter(-0.5));
        let given = stimulus("kind=jitter,background=1", -0.5).unwrap();
        assert_eq!(given, jitter(1.0));
    }

    #[test]
    fn what_is_wrong_is_answered_with_what_is_right() {
        for (spec, expected) in [
            (
                "kind=gratign",
                "no stimulus `gratign`: did you mean `grating`?",
            ),
            (
                "kind=grating,orientatoin=3",
                "unknown key `orientatoin` of the stimulus `grating`: did you mean `orientation`?",
            ),
            (
                "kind=static,degrees=3",
                "unknown key `degrees` of the stimulus `static`",
            ),
            ("orientation=45", "the key `kind` is missing"),
            ("kind=3", "must be the name"),
            ("kind=grating,45", "`45` is not KEY=VALUE"),
            (
                "kind=grating,phase=1,phase=2",
                "the key `phase` is there twice",
            ),
            ("kind=grating,phase=much", "does not fit"),
            ("kind=grating,spatial_frequency=3", "spatial_frequency"),
            ("kind=npy", "path"),
            ("grating", "kind=grating,orientation=45"),
        ] {
            let error = format!("{:#}", stimulus(spec, 0.0).unwrap_err());
            assert!(error.contains(expected), "{spec}: {error}");
            assert!(error.contains(spec), "{spec}: {error}");
        }
    }

    #[test]
    fn every_stimulus_reads_back_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let spec = path.to_str().unwrap();
        for config in StimulusConfig::all() {
            std::fs::write(&path, toml::to_string(&config).unwrap()).unwrap();
            match stimulus(spec, 7.0) {
                Ok(read) => assert_eq!(read, config),
                // Without a path they are not whole.
                Err(error) => assert!(format!("{error:#}").contains("path"), "{error:#}"),
            }
        }
    }
}
