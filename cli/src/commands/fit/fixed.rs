//! Parameters of linear-Gaussian models that `--fix` holds at a number.

use anyhow::{Context, Result, bail, ensure};
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

fn parsed(text: &str) -> Result<Fixed<'_>> {
    let (name, value) = text
        .split_once('=')
        .and_then(|(name, value)| Some((name.trim(), value.trim().parse::<f64>().ok()?)))
        .with_context(|| format!("--fix {text}: expected NAME=VALUE, such as Q=1"))?;
    let known = PARAMETERS
        .iter()
        .find(|(letter, key, rate)| [*letter, *key, *rate].contains(&name));
    let Some((letter, key, rate)) = known else {
        bail!(
            "--fix {text}: the parameters of a linear-gaussian model that can be held at a number are F, b, Q, H, d and R; names of \
             components are of structural models (--component)"
        );
    };
    ensure!(value.is_finite(), "--fix {text}: expected a finite number");
    Ok(Fixed {
        text,
        letter,
        key,
        rate,
        value,
    })
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
    if fix.is_empty() {
        return Ok(learned);
    }
    let fixed = fix
        .iter()
        .map(|text| parsed(text))
        .collect::<Result<Vec<_>>>()?;
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

/// The model with the numbers of --fix in their places.
///
/// # Errors
/// For a parameter of several numbers, and for a number that it cannot be.
pub(super) fn held<M: Serialize + DeserializeOwned>(model: M, fix: &[String]) -> Result<M> {
    if fix.is_empty() {
        return Ok(model);
    }
    let mut parts = serde_json::to_value(model)?;
    for text in fix {
        let fixed = parsed(text)?;
        let key = match parts.get(fixed.rate) {
            Some(_) => fixed.rate,
            None => fixed.key,
        };
        match single(&mut parts[key]) {
            Ok(entry) => *entry = fixed.value.into(),
            Err(found) => bail!(
                "--fix {text}: {} is {found} here, and --fix is of one number: write {key} in a model file (--model), and leave it \
                 out of --learn or of its `learned`",
                fixed.letter
            ),
        }
    }
    serde_json::from_value(parts).with_context(|| format!("--fix {}", fix.join(",")))
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
