//! Changes of a value, one place at a time.

use std::fmt;

use ciborium::Value;

/// One place, as the indices on the way to it, and what becomes of it.
#[derive(Clone)]
pub struct Change {
    path: Vec<usize>,
    named: String,
    to: To,
}

#[derive(Clone)]
enum To {
    Value(Value),
    /// Without its last entry, or its entry of this number.
    Without(usize),
    /// With its last entry twice.
    Twice,
}

impl Change {
    /// The steps from the root.
    pub fn depth(&self) -> usize {
        self.path.len()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            To::Value(value) => write!(f, "{} = {value:?}", self.named),
            To::Without(entry) => write!(f, "{} without entry {entry}", self.named),
            To::Twice => write!(f, "{} with its last entry twice", self.named),
        }
    }
}

/// Every change of every place.
pub fn places(value: &Value) -> Vec<Change> {
    let mut all = Vec::new();
    collect(value, &mut Vec::new(), "", &mut all);
    all
}

fn collect(value: &Value, path: &mut Vec<usize>, named: &str, all: &mut Vec<Change>) {
    let mut push = |to: To| {
        all.push(Change {
            path: path.clone(),
            named: named.to_owned(),
            to,
        });
    };
    for to in instead_of(value) {
        push(to);
    }
    match value {
        Value::Array(items) => {
            for (k, item) in items.iter().enumerate() {
                path.push(k);
                collect(item, path, &format!("{named}[{k}]"), all);
                path.pop();
            }
        }
        Value::Map(entries) => {
            for (k, (key, item)) in entries.iter().enumerate() {
                path.push(k);
                let key = key.as_text().unwrap_or("?");
                collect(item, path, &format!("{named}.{key}"), all);
                path.pop();
            }
        }
        _ => {}
    }
}

fn instead_of(value: &Value) -> Vec<To> {
    let floats = [
        f64::NAN,
        f64::INFINITY,
        -1.0,
        0.0,
        1e300,
        -1e300,
        1e-300,
        3.7,
    ];
    let mut all: Vec<To> = match value {
        Value::Float(x) => {
            let numbers = floats.iter().copied().chain([-x]);
            numbers.map(|y| To::Value(Value::Float(y))).collect()
        }
        Value::Integer(n) => {
            let n = i128::from(*n);
            let other = [
                0,
                1,
                -1,
                n + 1,
                n - 1,
                1000,
                1 << 31,
                1 << 62,
                i128::from(u64::MAX),
            ];
            let whole = other.into_iter().filter_map(|n| n.try_into().ok());
            whole.map(|n| To::Value(Value::Integer(n))).collect()
        }
        Value::Bool(b) => vec![To::Value(Value::Bool(!b))],
        Value::Text(_) => vec![To::Value(Value::Text(String::new()))],
        Value::Array(items) if items.is_empty() => {
            vec![To::Value(Value::Array(vec![Value::Float(0.5)]))]
        }
        Value::Array(items) => vec![
            To::Value(Value::Array(vec![])),
            To::Without(items.len() - 1),
            To::Twice,
        ],
        Value::Map(entries) => (0..entries.len()).map(To::Without).collect(),
        Value::Null => vec![
            To::Value(Value::Integer(0.into())),
            To::Value(Value::Float(0.5)),
        ],
        _ => vec![],
    };
    all.push(To::Value(Value::Null));
    all
}

/// The value with one place changed.
pub fn changed(value: &Value, change: &Change) -> Value {
    let mut whole = value.clone();
    let mut at = &mut whole;
    for &k in &change.path {
        at = match at {
            Value::Array(items) => &mut items[k],
            Value::Map(entries) => &mut entries[k].1,
            other => other,
        };
    }
    match (&change.to, at) {
        (To::Value(value), at) => *at = value.clone(),
        (To::Without(k), Value::Array(items)) => drop(items.remove(*k)),
        (To::Without(k), Value::Map(entries)) => drop(entries.remove(*k)),
        (To::Twice, Value::Array(items)) => items.extend(items.last().cloned()),
        _ => {}
    }
    whole
}
