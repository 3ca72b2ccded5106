//! The numbers of a model, by name.

use anyhow::Result;
use scotopic_filtering::AnyModel;
use toml::Value;

use crate::filtering::model::to_toml;

/// The most numbers that are shown.
const MOST: usize = 60;

/// The numbers of a model file, each with its key, `A[1][2]` for an entry of a matrix counted from 1.
///
/// # Errors
/// None that a checked model can cause.
pub fn numbers(model: &AnyModel) -> Result<Vec<(String, f64)>> {
    let table: toml::Table = toml::from_str(&to_toml(model)?)?;
    let mut all = Vec::new();
    for (key, value) in &table {
        collect(key, value, &mut all);
    }
    Ok(all)
}

fn collect(name: &str, value: &Value, all: &mut Vec<(String, f64)>) {
    if all.len() >= MOST {
        return;
    }
    match value {
        Value::Float(x) => all.push((name.to_owned(), *x)),
        Value::Array(entries) => {
            for (entry, number) in entries.iter().zip(1..) {
                collect(&format!("{name}[{number}]"), entry, all);
            }
        }
        Value::Table(table) => {
            for (key, entry) in table {
                collect(&format!("{name}.{key}"), entry, all);
            }
        }
        // Sizes and names are not learned.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_named_as_in_the_file() {
        let text = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n[emission]\nkind = \"poisson\"\nrates = [[1.0], [7.0]]\n";
        let model = crate::filtering::model::parse(text).unwrap();
        let all = numbers(&model).unwrap();
        let of = |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, x)| *x);
        assert_eq!(of("transition[2][1]"), Some(0.2), "{all:?}");
        assert_eq!(of("initial[1]"), Some(0.5));
    }
}
