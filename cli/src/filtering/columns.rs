//! Lists of the names of columns.

use anyhow::{Result, ensure};

/// The entries of a list between commas, given to `option`; those with commas in them are in quotes, `""` within them being a quote.
pub fn entries(option: &str, list: &str) -> Result<Vec<String>> {
    let mut entries = vec![String::new()];
    let mut quoted = false;
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                entries
                    .last_mut()
                    .into_iter()
                    .for_each(|entry| entry.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => entries.push(String::new()),
            other => entries
                .last_mut()
                .into_iter()
                .for_each(|entry| entry.push(other)),
        }
    }
    ensure!(!quoted, "{option} {list}: a quote is not closed");
    ensure!(
        entries.iter().all(|entry| !entry.is_empty()),
        "{option} {list}: an empty name"
    );
    Ok(entries)
}

/// A name as an entry of such a list.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns `outputs` without those of `inputs`, then `inputs`.
///
/// # Errors
/// If no output is left.
pub fn followed_by(mut outputs: Vec<String>, inputs: &[String]) -> Result<Vec<String>> {
    outputs.retain(|name| !inputs.contains(name));
    ensure!(
        !outputs.is_empty(),
        "every column is an input ({}): none is left to predict",
        inputs.join(", ")
    );
    outputs.extend_from_slice(inputs);
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_are_quoted() {
        let entries = |list: &str| entries("--columns", list);
        assert_eq!(entries(r#"a,"b,c",3"#).unwrap(), ["a", "b,c", "3"]);
        assert_eq!(entries(r#""say ""x""""#).unwrap(), ["say \"x\""]);
        let name = r#"a, "b""#;
        assert_eq!(entries(&quoted(name)).unwrap(), [name]);
        assert!(entries("a,").is_err());
        assert!(entries("\"a").is_err());
    }
}
