//! TOML tables: merging, their keys, and the nearest valid key.

use toml::{Table, Value};

/// Puts `overlay` on top of `base`. A `[data]` table with another `source` replaces the old one whole:
/// the keys of one source mean nothing to another.
pub(super) fn merge(base: &mut Table, overlay: Table) {
    for (key, value) in overlay {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => {
                let other_source = new
                    .get("source")
                    .is_some_and(|s| old.get("source") != Some(s));
                if other_source {
                    *old = new;
                } else {
                    merge(old, new);
                }
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// A value as it is written in TOML; a bare word is a string.
pub(super) fn value(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok();
    parsed
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(text.into()))
}

/// The name that is most like `wrong`.
pub(super) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(name, wrong);
    names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// The dotted names of everything in a table that is not itself a table.
pub(super) fn leaves(table: &Table, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Table(inner) => names.extend(leaves(inner, &name)),
            _ => names.push(name),
        }
    }
    names
}
