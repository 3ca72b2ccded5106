//! Parameters and entries of linear-Gaussian models that `--fix` holds at a number.

use anyhow::{Context, Result, bail, ensure};
use scotopic_filtering::gaussian::{DrivenGaussian, Entry, LinearGaussian};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The parameters, by letter and by key, and the key in continuous time.
const PARAMETERS: [(&str, &str, &str); 6] = [
    ("F", "transition", "drift"),
    ("b", "bias", "bias"),
    ("Q", "process_noise", "diffusion"),
    ("H", "observation", "observation"),
    ("d", "offset", "offset"),
    ("R", "observation_noise", "observation_noise"),
];
/// All that a fit learns where nothing is named; the last two are of inputs.
const ALL: [&str; 9] = ["F", "b", "Q", "H", "d", "R", "initial", "B", "D"];
/// This many of them are of every model.
const OWN: usize = 7;

/// One parameter and the number that it is held at.
struct Fixed<'a> {
    text: &'a str,
    letter: &'static str,
    key: &'static str,
    rate: &'static str,
    value: f64,
}

/// A name and a number.
fn split(text: &str) -> Result<(&str, f64)> {
    let (name, value) = text
        .split_once('=')
        .and_then(|(name, value)| Some((name.trim(), value.trim().parse::<f64>().ok()?)))
        .with_context(|| format!("--fix {text}: expected NAME=VALUE, such as Q=1"))?;
    ensure!(value.is_finite(), "--fix {text}: expected a finite number");
    Ok((name, value))
}

/// The entry that a text of --fix is of, and its number; none where it is of a whole parameter.
///
/// # Errors
/// For what is no entry, and no number.
pub(super) fn of_entry(text: &str) -> Result<Option<(Entry, f64)>> {
    let (name, value) = split(text)?;
    if !name.contains('[') {
        return Ok(None);
    }
    let entry = Entry::named("fixed", name).with_context(|| format!("--fix {text}"))?;
    Ok(Some((entry, value)))
}

/// The whole parameter that a text of --fix is of; none where it is of an entry.
fn parsed(text: &str) -> Result<Option<Fixed<'_>>> {
    let (name, value) = split(text)?;
    if name.contains('[') {
        return Ok(None);
    }
    let known = PARAMETERS
        .iter()
        .find(|(letter, key, rate)| [*letter, *key, *rate].contains(&name));
    let Some((letter, key, rate)) = known else {
        bail!(
            "--fix {text}: the parameters of a linear-gaussian model that can be held at a number are F, b, Q, H, d and R, and entries \
             of them such as F[0][1]; names of components are of structural models (--component)"
        );
    };
    Ok(Some(Fixed {
        text,
        letter,
        key,
        rate,
        value,
    }))
}

/// The parameters that are left to learn of those of `learned`, or of all where none is named: `asked` by --learn, or of a file.
///
/// # Errors
/// For what --fix and --learn both name, and for what is no parameter.
pub(super) fn left_to_learn(
    learned: Vec<String>,
    fix: &[String],
    asked: bool,
    inputs: bool,
) -> Result<Vec<String>> {
    let fixed = fix
        .iter()
        .map(|text| parsed(text))
        .collect::<Result<Vec<_>>>()?;
    let fixed: Vec<Fixed<'_>> = fixed.into_iter().flatten().collect();
    if fixed.is_empty() {
        return Ok(learned);
    }
    let is = |name: &String, fixed: &Fixed<'_>| name == fixed.letter || name == fixed.key;
    for (k, one) in fixed.iter().enumerate() {
        let twice = fixed[..k].iter().any(|other| other.letter == one.letter);
        ensure!(
            !twice,
            "--fix {}: {} is fixed already: give every parameter once",
            one.text,
            one.letter
        );
        ensure!(
            !asked || !learned.iter().any(|name| is(name, one)),
            "--fix {}: {} is among those to --learn: leave it out of one of them",
            one.text,
            one.letter
        );
    }
    let mut names = learned;
    if names.iter().all(|name| name == "diagonal") {
        let all = if inputs { &ALL[..] } else { &ALL[..OWN] };
        names.extend(all.iter().map(ToString::to_string));
    }
    names.retain(|name| !fixed.iter().any(|one| is(name, one)));
    ensure!(
        names.iter().any(|name| name != "diagonal"),
        "--fix {}: nothing is left to learn",
        fix.join(",")
    );
    Ok(names)
}

/// A model whose numbers can be set.
pub(super) trait Numbers: Serialize + DeserializeOwned {
    /// The same with another number in an entry.
    fn with(self, entry: Entry, value: f64) -> scotopic_filtering::Result<Self>;
}

impl Numbers for LinearGaussian {
    fn with(self, entry: Entry, value: f64) -> scotopic_filtering::Result<Self> {
        self.with_entry(entry, value)
    }
}

impl Numbers for DrivenGaussian {
    fn with(self, entry: Entry, value: f64) -> scotopic_filtering::Result<Self> {
        self.with_entry(entry, value)
    }
}

/// The model with the numbers of --fix in their places.
///
/// # Errors
/// For a parameter of several numbers, an entry that is none of the model, and for a number that it cannot be.
pub(super) fn held<M: Numbers>(model: M, fix: &[String]) -> Result<M> {
    if fix.is_empty() {
        return Ok(model);
    }
    let mut parts = serde_json::to_value(model)?;
    for text in fix {
        let Some(fixed) = parsed(text)? else { continue };
        let key = match parts.get(fixed.rate) {
            Some(_) => fixed.rate,
            None => fixed.key,
        };
        match single(&mut parts[key]) {
            Ok(entry) => *entry = fixed.value.into(),
            Err(found) => bail!(
                "--fix {text}: {} is {found} here, and --fix {} is of one number: fix its entries, such as {0}[0]{}, or write {key} \
                 in a model file (--model), and leave it out of --learn or of its `learned`",
                fixed.letter,
                fixed.letter,
                if ["b", "d"].contains(&fixed.letter) {
                    "=1"
                } else {
                    "[0]=1"
                },
            ),
        }
    }
    let mut model: M =
        serde_json::from_value(parts).with_context(|| format!("--fix {}", fix.join(",")))?;
    for text in fix {
        if let Some((entry, value)) = of_entry(text)? {
            let with = model.with(entry, value);
            model = with.with_context(|| format!("--fix {text}"))?;
        }
    }
    Ok(model)
}

/// The only entry of a matrix or a vector, or what there is instead.
fn single(value: &mut Value) -> std::result::Result<&mut Value, String> {
    let sizes = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some(rows @ [Value::Array(first), ..]) => format!("{}×{}", rows.len(), first.len()),
        Some(entries) => format!("a vector of {}", entries.len()),
        None => "an input".to_owned(),
    };
    let found = sizes(value);
    let mut at = value;
    while let Value::Array(entries) = at {
        match entries.as_mut_slice() {
            [one] => at = one,
            _ => return Err(found),
        }
    }
    match at.is_number() {
        true => Ok(at),
        false => Err("an input".to_owned()),
    }
}
