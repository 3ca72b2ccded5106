//! Finding and reading the recorded state-space models.

pub mod gaussian;
pub mod hmm;
pub mod random;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One recording: its name and what it holds.
pub struct Recording {
    pub name: String,
    pub folder: PathBuf,
    value: Value,
}

/// Every `*.json` with this prefix below `ssm/golden`.
pub fn recordings(prefix: &str) -> Vec<Recording> {
    let folder = recordings_root().join("ssm/golden");
    let mut found: Vec<Recording> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem()?.to_str()?.to_owned();
            let wanted = path.extension()? == "json" && name.starts_with(prefix);
            wanted.then(|| {
                let text = std::fs::read_to_string(&path).unwrap();
                let value = serde_json::from_str(&text)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                Recording {
                    name,
                    folder: folder.clone(),
                    value,
                }
            })
        })
        .filter(is_built_in)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether this crate has the model that was recorded; a recording of another is skipped by name.
fn is_built_in(r: &Recording) -> bool {
    let (key, known): (_, &[&str]) = match r.name.split('_').next() {
        Some("hmm" | "long") => ("kind", &hmm::KINDS),
        Some("nonlin") => ("model", &["ar1_poisson", "sin_quad", "sv", "vol"]),
        _ => return true,
    };
    let Some(model) = r.get(key).and_then(Value::as_str) else {
        return true;
    };
    let found = known.iter().any(|name| match key {
        "kind" => model == *name,
        _ => model.contains(name),
    });
    if !found {
        eprintln!("skipped: {}: the {key} {model} is not built in", r.name);
    }
    found
}

/// Where recordings are: `$SCOTOPIC_REFERENCE`, else the reference folder next to this workspace, else the
/// fixtures that come with it.
pub fn recordings_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::var_os("SCOTOPIC_REFERENCE") {
        Some(set) => PathBuf::from(set),
        None => Some(root.join("../shared/reference"))
            .filter(|p| p.is_dir())
            .unwrap_or(root.join("tests/fixtures")),
    }
}

impl Recording {
    /// What is at a path of keys such as `exact.filtered`, where there is such a thing.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.')
            .try_fold(&self.value, |v, key| v.get(key))
            .filter(|v| !v.is_null())
    }

    /// What is at a path of keys, or a failure that names the file.
    pub fn at(&self, path: &str) -> &Value {
        self.get(path)
            .unwrap_or_else(|| panic!("{} has no {path}", self.name))
    }

    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    pub fn number(&self, path: &str) -> f64 {
        self.at(path)
            .as_f64()
            .unwrap_or_else(|| panic!("{}: {path} is no number", self.name))
    }

    pub fn size(&self, path: &str) -> usize {
        self.at(path)
            .as_u64()
            .unwrap_or_else(|| panic!("{}: {path} is no size", self.name)) as usize
    }

    pub fn text(&self, path: &str) -> &str {
        self.at(path)
            .as_str()
            .unwrap_or_else(|| panic!("{}: {path} is no text", self.name))
    }

    /// All numbers below a path, in order, whatever the nesting.
    pub fn numbers(&self, path: &str) -> Vec<f64> {
        numbers(self.at(path))
    }

    /// The rows of a nested list, each flattened.
    pub fn rows(&self, path: &str) -> Vec<Vec<f64>> {
        self.at(path)
            .as_array()
            .unwrap_or_else(|| panic!("{}: {path} is no list", self.name))
            .iter()
            .map(numbers)
            .collect()
    }
}

/// All numbers of a value, in order; −1e300 stands for −∞.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Number(n) => {
            let n = n.as_f64().unwrap();
            vec![if n <= -1e299 { f64::NEG_INFINITY } else { n }]
        }
        other => panic!("{other} is no number"),
    }
}

/// Fails unless the two lists agree: |found − expected| ≤ absolute + relative·|expected|, infinities alike.
#[track_caller]
pub fn close(what: &str, found: &[f64], expected: &[f64], absolute: f64, relative: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: sizes");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let same = f == e || (f - e).abs() <= absolute + relative * e.abs();
        assert!(
            same,
            "{what}[{i}]: found {f}, expected {e}, off by {:e}",
            f - e
        );
    }
}
