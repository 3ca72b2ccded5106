//! The parameters of the published iterative VAEs, under the names of this program.
//!
//! | there | shape | here |
//! |---|---|---|
//! | `phi.weight` | `[M, K]` | `decoder.atoms`, transposed |
//! | `dec_log_sigma` | `[1, M]` | `decoder.log_sigma` |
//! | `log_bias` | `[1, K]` | `log_homeostasis` |
//! | `log_lr.0`, `.1` | `[1]` | `log_step.0`, `.1` |
//! | `u_init.0`, `.1` | `[1, K]` | `prior.rest.0`, `.1` |
//! | `activation.log_gain` | `[1, K]` | `prior.log_gain` |

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scotopic::posterior::ActivationKind;
use scotopic_models::Family;
use scotopic_train::parameters::{Arrays, HostArray};

use super::{Archive, Dictionary, View};

/// A model that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Poisson or Gaussian, from the keys.
    pub family: Family,
    /// Relu where there is a gain.
    pub activation: ActivationKind,
    /// K.
    pub latents: usize,
    /// M.
    pub pixels: usize,
    /// The parameters.
    pub arrays: Arrays,
    /// The keys that they were read from.
    pub read: Vec<String>,
    /// What else is in the file.
    pub ignored: Vec<String>,
}

/// The key that every such model has.
const ATOMS: &str = "phi.weight";

/// Reads a model.
///
/// # Errors
/// Names the key, what was found and what was expected.
pub fn read(path: &Path) -> Result<Published> {
    let mut archive = Archive::open(path)?;
    let (chosen, prefix) = choose(&archive.dictionaries)?;
    let dictionary = archive.dictionaries[chosen].clone();
    let title = |key: &str| {
        [&dictionary.path[..], &[format!("{prefix}{key}")]]
            .concat()
            .join(".")
    };
    let has = |key: &str| dictionary.tensors.contains_key(&format!("{prefix}{key}"));

    let (family, activation, because) = match ["u_init.1", "log_lr.1", "activation.log_gain"]
        .into_iter()
        .find(|key| has(key))
    {
        None => (
            Family::Poisson,
            ActivationKind::None,
            "it has no `u_init.1`".to_string(),
        ),
        Some(key) if has("activation.log_gain") => (
            Family::Gaussian,
            ActivationKind::Relu,
            format!("it has `{key}`"),
        ),
        Some(key) => (
            Family::Gaussian,
            ActivationKind::None,
            format!("it has `{key}`"),
        ),
    };
    let atoms = &dictionary.tensors[&format!("{prefix}{ATOMS}")];
    let &[pixels, latents] = &atoms.shape[..] else {
        bail!(
            "the key `{}` has shape {:?}, expected [pixels, latents]",
            title(ATOMS),
            atoms.shape
        );
    };
    let mut wanted = vec![
        (ATOMS, "decoder.atoms", vec![pixels, latents]),
        ("dec_log_sigma", "decoder.log_sigma", vec![1, pixels]),
        ("log_bias", "log_homeostasis", vec![1, latents]),
        ("log_lr.0", "log_step.0", vec![1]),
        ("u_init.0", "prior.rest.0", vec![1, latents]),
    ];
    if family == Family::Gaussian {
        wanted.push(("log_lr.1", "log_step.1", vec![1]));
        wanted.push(("u_init.1", "prior.rest.1", vec![1, latents]));
    }
    if activation == ActivationKind::Relu {
        wanted.push(("activation.log_gain", "prior.log_gain", vec![1, latents]));
    }
    // Everything is compared before any value is read.
    for (key, _, shape) in &wanted {
        let found = dictionary.tensors.get(&format!("{prefix}{key}"));
        let found = found.with_context(|| {
            format!(
                "the key `{}` is missing: a {family:?} model ({because}) has it, with shape {shape:?}",
                title(key)
            )
        })?;
        ensure!(
            found.shape == *shape,
            "the key `{}` has shape {:?}, expected {shape:?} (`{ATOMS}` is for {pixels} pixels and {latents} latents)",
            title(key),
            found.shape
        );
    }
    for name in dictionary.tensors.keys() {
        let Some(key) = name.strip_prefix(&prefix) else {
            continue;
        };
        let another = others(&dictionary, &prefix).any(|other| name.starts_with(&other));
        ensure!(
            another || wanted.iter().any(|(wanted, _, _)| *wanted == key),
            "the key `{}` is not one of a {family:?} model ({because}), which has {}",
            title(key),
            wanted
                .iter()
                .map(|(key, _, _)| *key)
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    let ignored = elsewhere(&archive.dictionaries, chosen, &prefix);

    let mut arrays = Arrays::new();
    let mut read = Vec::new();
    for (key, name, _) in wanted {
        let view = &dictionary.tensors[&format!("{prefix}{key}")];
        let array = values(&mut archive, view, key == ATOMS)
            .with_context(|| format!("the key `{}` cannot be used", title(key)))?;
        arrays.insert(name.to_string(), array);
        read.push(title(key));
    }
    Ok(Published {
        family,
        activation,
        latents,
        pixels,
        arrays,
        read,
        ignored,
    })
}

/// The values, `[K, M]` for the atoms and without the axis of length 1 for all others.
fn values(archive: &mut Archive, view: &View, transposed: bool) -> Result<HostArray> {
    let found = archive.values(view)?;
    if let Some(at) = found.iter().position(|v| !v.is_finite()) {
        bail!("value {at} is {}, expected a finite number", found[at]);
    }
    let &[rows, columns] = &view.shape[..] else {
        return Ok(HostArray {
            shape: view.shape.clone(),
            values: found,
        });
    };
    Ok(match transposed {
        true => HostArray {
            shape: vec![columns, rows],
            values: (0..columns)
                .flat_map(|c| found.iter().skip(c).step_by(columns).copied())
                .collect(),
        },
        false => HostArray {
            shape: vec![columns],
            values: found,
        },
    })
}

/// The dictionary with a model, and the prefix of its keys. Of several, one that is not a running average, nearest
/// to the top.
fn choose(dictionaries: &[Dictionary]) -> Result<(usize, String)> {
    let models = dictionaries
        .iter()
        .enumerate()
        .flat_map(|(at, dictionary)| {
            let names = dictionary.tensors.keys();
            names.filter_map(move |name| Some((at, name.strip_suffix(ATOMS)?.to_string())))
        });
    let models = models.filter(|(_, prefix)| prefix.is_empty() || prefix.ends_with('.'));
    let best = models.min_by_key(|(at, prefix)| {
        let path = &dictionaries[*at].path;
        let averaged = path.iter().map(String::as_str).chain([prefix.as_str()]);
        let averaged = averaged.into_iter().any(|part| {
            let part = part.to_lowercase();
            part.contains("ema") || part.contains("avg") || part.contains("average")
        });
        (averaged, path.len(), prefix.len())
    });
    best.with_context(|| {
        let keys = dictionaries.first().map(|top| {
            let keys = top.tensors.keys().chain(&top.others);
            keys.take(12).cloned().collect::<Vec<_>>().join(", ")
        });
        format!(
            "no dictionary in it has a tensor `{ATOMS}`, alone or below a prefix; expected the state dict of an \
             iterative VAE with a linear decoder. At the top it has: {}",
            keys.filter(|keys| !keys.is_empty())
                .unwrap_or_else(|| "no dictionary".into())
        )
    })
}

/// The prefixes of other models in the same dictionary.
fn others<'a>(dictionary: &'a Dictionary, chosen: &'a str) -> impl Iterator<Item = String> + 'a {
    let prefixes = dictionary
        .tensors
        .keys()
        .filter_map(|name| name.strip_suffix(ATOMS));
    prefixes
        .filter(move |prefix| *prefix != chosen && !prefix.is_empty())
        .map(ToString::to_string)
}

/// What is in the file besides the model, in few words.
fn elsewhere(dictionaries: &[Dictionary], chosen: usize, prefix: &str) -> Vec<String> {
    let model = &dictionaries[chosen];
    let mut names = BTreeSet::new();
    for dictionary in dictionaries {
        // Of what lies deeper, the place where the way to the model is left is enough.
        let common = dictionary
            .path
            .iter()
            .zip(&model.path)
            .take_while(|(a, b)| a == b)
            .count();
        if common < dictionary.path.len() {
            names.insert(dictionary.path[..=common].join("."));
            continue;
        }
        let on_the_way = model.path.get(dictionary.path.len());
        let is_model = dictionary.path.len() == model.path.len();
        let own = |name: &String| is_model && name.starts_with(prefix);
        let tensors = dictionary.tensors.keys().filter(|name| {
            !own(name) || others(model, prefix).any(|other| name.starts_with(&other))
        });
        let rest = dictionary
            .others
            .iter()
            .filter(|key| Some(*key) != on_the_way);
        for name in tensors.chain(rest) {
            names.insert(
                [&dictionary.path[..], std::slice::from_ref(name)]
                    .concat()
                    .join("."),
            );
        }
    }
    names.into_iter().collect()
}
