//! State-space models in TOML files, `kind` first.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_datasets::replace::replace;
use scotopic_filtering::AnyModel;
use scotopic_filtering::gaussian::{DrivenGaussian, StructuralModel};
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::hmm::DrivenHmm;
use serde::de::DeserializeOwned;

use super::model_text::{LINEAR, STRUCTURAL, text};
use super::of_fit::OfFit;

/// Reads a model; errors name the file.
///
/// # Errors
/// If the file cannot be read, is not TOML, or does not describe a valid model.
pub fn read(path: &Path) -> Result<AnyModel> {
    let text = text(path)?;
    parse(&text).with_context(|| format!("the model {} cannot be used", path.display()))
}

/// The structural model of a file, if it is of that kind; errors name the file.
///
/// # Errors
/// As [`read`].
pub fn structural(path: &Path) -> Result<Option<StructuralModel>> {
    let text = text(path)?;
    let wrong = || format!("the model {} cannot be used", path.display());
    let mut table: toml::Table = toml::from_str(&text).with_context(wrong)?;
    if table.remove("kind") != Some(toml::Value::String(STRUCTURAL.to_owned())) {
        return Ok(None);
    }
    Ok(Some(table.try_into().with_context(wrong)?))
}

/// The linear-Gaussian model of a structural one, whose parameters must all have values.
fn of_structural(model: &StructuralModel) -> Result<AnyModel> {
    let values = model.values().with_context(|| {
        let names = model.parameter_names();
        format!(
            "not every parameter has a value ({}): give them in [values] or [fixed], or fit the model to data with \
             `scotopic fit`",
            names.join(", ")
        )
    })?;
    Ok(AnyModel::of_structural(model, &values)?)
}

/// The model that a text in TOML describes.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<AnyModel> {
    parsed(text).map_err(with_nearest_key)
}

/// The same error; of a key that is none with the one that it may be a slip of.
fn with_nearest_key(error: anyhow::Error) -> anyhow::Error {
    /// Of 1 for the same word: a letter left out, doubled or changed is above.
    const NEAR: f64 = 0.85;
    let text = error.to_string();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    // unknown field `rate`, expected one of `rates`, `exposure`
    let mut words = first.split('`').skip(1).step_by(2);
    let known = first.starts_with("unknown field").then(|| words.next());
    let Some(Some(unknown)) = known else {
        return error;
    };
    let near = |key: &&str| (1000.0 * strsim::jaro_winkler(unknown, key)) as u32;
    let nearest = words.max_by_key(near);
    match nearest.filter(|key| strsim::jaro_winkler(unknown, key) > NEAR) {
        Some(key) => {
            let rest = rest.trim_end();
            let place = if rest.is_empty() { "" } else { ", " };
            anyhow!("{first}{place}{rest}; did you mean `{key}`?")
        }
        None => error,
    }
}

/// A model without inputs or, where a key is none of its, what the one with inputs says of it: that knows all keys.
fn plain_or<P, D>(table: toml::Table) -> std::result::Result<P, toml::de::Error>
where
    P: DeserializeOwned,
    D: DeserializeOwned,
{
    table.clone().try_into().map_err(|error: toml::de::Error| {
        let unknown = error.message().starts_with("unknown field");
        let of_all_keys = || table.try_into::<D>().err();
        unknown.then(of_all_keys).flatten().unwrap_or(error)
    })
}

fn parsed(text: &str) -> Result<AnyModel> {
    let mut table: toml::Table = toml::from_str(text)?;
    let kinds = format!("{}, {STRUCTURAL}", AnyModel::KINDS);
    let kind = match table.get("kind") {
        Some(toml::Value::String(kind)) => kind.clone(),
        Some(other) => anyhow::bail!("`kind` is {other}, expected one of {kinds}"),
        None => anyhow::bail!("it has no `kind`; it must be one of {kinds}"),
    };
    if !kinds.split(", ").any(|known| known == kind) {
        anyhow::bail!("`kind` is \"{kind}\", expected one of {kinds}");
    }
    // What is said of the fit is none of the model's.
    let of_fit = match kind == STRUCTURAL {
        false => OfFit::taken(&mut table)?,
        true => OfFit::default(),
    };
    // The nonlinear ones read their kind themselves.
    if matches!(
        kind.as_str(),
        "hmm" | LINEAR | "plds" | "slds" | "generalised" | STRUCTURAL
    ) {
        table.remove("kind");
    }
    let model = match kind.as_str() {
        "hmm" => match table.contains_key("transition_inputs") {
            true => AnyModel::DrivenHmm(Box::new(table.try_into()?)),
            false => AnyModel::Hmm(plain_or::<_, DrivenHmm>(table)?),
        },
        LINEAR => match of_driven(&table) {
            true => AnyModel::Driven(Box::new(table.try_into()?)),
            false => AnyModel::LinearGaussian(plain_or::<_, DrivenGaussian>(table)?),
        },
        "plds" => AnyModel::Plds(table.try_into()?),
        "slds" => AnyModel::Slds(Box::new(table.try_into()?)),
        STRUCTURAL => of_structural(&table.try_into()?)?,
        "generalised" => AnyModel::Generalised(Box::new(generalised(table)?)),
        _ => AnyModel::Nonlinear(table.try_into()?),
    };
    of_fit.check(&model)?;
    Ok(model)
}

/// Whether a linear-Gaussian model is given columns, by the keys of which a model without them has none.
fn of_driven(table: &toml::Table) -> bool {
    ["inputs", "time", "control", "direct", "drift", "diffusion"]
        .iter()
        .any(|key| table.contains_key(*key))
}

/// A model of continuous time from the table of a file without its `kind`.
fn generalised(mut table: toml::Table) -> Result<GeneralisedModel> {
    let embedding = match table.remove("embedding") {
        Some(value) => value.try_into().context("embedding")?,
        None => Embedding::default(),
    };
    let start_variance = match table.remove("start_variance") {
        Some(value) => value.try_into().context("start_variance")?,
        None => 0.0,
    };
    let known = start_variance >= 0.0 && f64::is_finite(start_variance);
    ensure!(
        known,
        "start_variance is {start_variance}, expected a variance; 0 is a known start"
    );
    let new = GeneralisedModel {
        model: table.try_into()?,
        embedding,
        start_variance,
    };
    new.filter()?; // report at once what cannot be filtered
    Ok(new)
}

/// A model as a text in TOML, `kind` first.
///
/// # Errors
/// None that a checked model can cause.
pub fn to_toml(model: &AnyModel) -> Result<String> {
    let mut table = match model {
        AnyModel::Hmm(model) => toml::Table::try_from(model)?,
        AnyModel::DrivenHmm(model) => toml::Table::try_from(model)?,
        AnyModel::LinearGaussian(model) => toml::Table::try_from(model)?,
        AnyModel::Driven(model) => toml::Table::try_from(model)?,
        AnyModel::Plds(model) => toml::Table::try_from(model)?,
        AnyModel::Slds(model) => toml::Table::try_from(model)?,
        AnyModel::Nonlinear(model) => toml::Table::try_from(model)?,
        AnyModel::Generalised(model) => {
            let mut table = toml::Table::try_from(&model.model)?;
            table.insert("start_variance".into(), model.start_variance.into());
            table.insert("embedding".into(), toml::Value::try_from(model.embedding)?);
            table
        }
    };
    table.remove("kind");
    of_kind(model.kind(), &table)
}

fn of_kind(kind: &str, table: &toml::Table) -> Result<String> {
    let rest = with_exponents(&toml::to_string(table)?);
    Ok(format!("kind = \"{kind}\"\n{rest}"))
}

/// A text in TOML whose long numbers are written with an exponent: 1e-280 instead of 282 characters, the same number.
fn with_exponents(text: &str) -> String {
    /// Sign, 17 digits, point and a short exponent fit.
    const LONG: usize = 24;
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'));
        let token = &rest[..end.unwrap_or(rest.len())];
        if quoted || token.is_empty() {
            quoted ^= first == '"';
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        match token.parse::<f64>() {
            Ok(value) if token.len() > LONG => out.push_str(&format!("{value:e}")),
            _ => out.push_str(token),
        }
        rest = &rest[token.len()..];
    }
    out
}

/// Writes a model, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write(model: &AnyModel, path: &Path) -> Result<()> {
    Ok(replace(path, to_toml(model)?.as_bytes())?)
}

/// Writes a structural model with the values of its parameters, under lines of comment.
///
/// # Errors
/// As [`write()`].
pub fn write_structural(model: &StructuralModel, comment: &str, path: &Path) -> Result<()> {
    let text = of_kind(STRUCTURAL, &toml::Table::try_from(model)?)?;
    Ok(replace(path, (commented(comment) + &text).as_bytes())?)
}

fn commented(comment: &str) -> String {
    comment.lines().map(|line| format!("# {line}\n")).collect()
}

/// Writes a model that was fitted, with what is to be known of the fit, under lines of comment.
///
/// # Errors
/// As [`write()`].
pub fn write_fitted(model: &AnyModel, of: &OfFit, comment: &str, path: &Path) -> Result<()> {
    let mut text = commented(comment);
    let model = to_toml(model)?;
    // Under the kind, before the first table.
    let (kind, rest) = model.split_once('\n').unwrap_or((&model, ""));
    text += &format!("{kind}\n");
    if let Some(number) = of.free_parameters {
        text += &format!("free_parameters = {number}\n");
    }
    if !of.learned.is_empty() {
        text += &format!("learned = {}\n", toml::Value::from(of.learned.clone()));
    }
    if !of.fixed.is_empty() {
        text += &format!("fixed = {}\n", toml::Value::from(of.fixed.clone()));
    }
    if !of.tied.is_empty() {
        text += &format!("tied = {}\n", toml::Value::from(of.tied.clone()));
    }
    if !of.columns.is_empty() {
        text += &format!("columns = {}\n", toml::Value::from(of.columns.clone()));
    }
    if !of.alphabet.is_empty() {
        text += &format!("alphabet = {}\n", toml::Value::from(of.alphabet.clone()));
    }
    Ok(replace(path, (text + rest).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASINO: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.95, 0.05], [0.1, 0.9]]\n\
                          [emission]\nkind = \"poisson\"\nrates = [[1.0], [9.0]]\n";

    #[test]
    fn a_model_is_written_as_it_is_read() {
        for text in [
            CASINO,
            "kind = \"generalised\"\noutput_precision = 4.0\nmotion_precision = 50.0\nstart = [1.0, 1.0, 16.0]\n\
             start_variance = 100.0\n[equations]\nkind = \"lorenz\"\n[embedding]\nstates = 2\n",
            &format!(
                "transition_inputs = [\"cue\"]\ntransition_origin = [0.5]\n\
                 transition_weights = [[[0.0], [1.5]], [[-1.0], [0.0]]]\n{CASINO}"
            ),
            "kind = \"stochastic-volatility\"\na = 0.95\nq = 0.1\nbeta = 0.6\nm0 = 0.0\nv0 = 1.0\n",
        ] {
            let model = parse(text).unwrap();
            assert_eq!(parse(&to_toml(&model).unwrap()).unwrap(), model);
        }
    }

    #[test]
    fn numbers_have_at_most_seventeen_digits() {
        for value in [
            1e-280,
            -1.234_567_890_123_456_7e250,
            0.1,
            5e-324,
            f64::MAX,
            2.0,
        ] {
            let label = format!("0.{}", "1".repeat(40));
            let table = toml::Table::from_iter([
                ("label".to_owned(), label.into()),
                ("values".to_owned(), toml::Value::Array(vec![value.into()])),
            ]);
            let written = with_exponents(&toml::to_string(&table).unwrap());
            assert!(written.len() < 100, "{written}");
            assert_eq!(toml::from_str::<toml::Table>(&written).unwrap(), table);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("initial = [1.0]", "no `kind`"),
            ("kind = \"hnm\"", "expected one of hmm"),
            (&CASINO.replace("0.95", "0.85"), "transition[0]"),
            (&CASINO.replace("9.0", "-9.0"), "rates[1][0]"),
            (&CASINO.replace("rates", "rate"), "rate"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }
}
