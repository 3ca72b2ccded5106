//! The YAML of model cards: what `scotopic export` writes, and what the released cards have.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::support::{folder, scotopic, trained};

/// The entries of the front matter by path ("model-index.0.name"). It must be of the part of YAML that is used here: block
/// mappings and sequences of one-line values that are plain words, numbers or JSON strings.
fn front_matter(card: &str) -> BTreeMap<String, String> {
    let (yaml, text) = card
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n\n"))
        .unwrap_or_else(|| panic!("no front matter: {card}"));
    assert!(text.starts_with("# "), "{text}");
    let mut found = BTreeMap::new();
    // The open mappings and sequences: indentation, and the place in them.
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in yaml.lines() {
        let mut rest = line.trim_start_matches(' ');
        let mut indent = line.len() - rest.len();
        assert!(!rest.is_empty() && !line.contains('\t'), "{line:?}");
        if let Some(item) = rest.strip_prefix("- ") {
            // A sequence may stand at the indentation of its key, which stays open.
            open.retain(|(at, place)| {
                *at < indent || (*at == indent && place.parse::<usize>().is_err())
            });
            let path = joined(&open);
            let count = counts.entry(path).or_default();
            open.push((indent, count.to_string()));
            *count += 1;
            rest = item;
            indent += 2;
        } else {
            open.retain(|(at, _)| *at < indent);
        }
        let (key, value) = match rest.strip_suffix(':') {
            Some(key) => (Some(key), None),
            None => match rest.split_once(": ") {
                Some((key, value)) if !rest.starts_with('"') => (Some(key), Some(value)),
                _ => (None, Some(rest)),
            },
        };
        if let Some(key) = key {
            assert!(
                key.bytes()
                    .all(|b| b.is_ascii_lowercase() || b"_-".contains(&b)),
                "{line:?}"
            );
            open.push((indent, key.to_owned()));
        }
        if let Some(value) = value {
            let value = match value.starts_with('"') {
                true => serde_json::from_str(value).unwrap_or_else(|e| panic!("{line:?}: {e}")),
                false => {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
                    assert!(value.chars().all(plain), "{line:?}");
                    value.to_owned()
                }
            };
            assert_eq!(found.insert(joined(&open), value), None, "{line:?}");
        }
    }
    found
}

fn joined(open: &[(usize, String)]) -> String {
    let places: Vec<&str> = open.iter().map(|(_, place)| place.as_str()).collect();
    places.join(".")
}

#[test]
fn an_exported_card_has_the_validation_of_its_weights() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    let args = ["export", "run", "--out", "out", "--license", "cc-by-4.0"];
    scotopic(folder.path(), &args).good();
    let card = fs::read_to_string(folder.path().join("out/README.md")).unwrap();
    let found = front_matter(&card);
    assert_eq!(found["license"], "cc-by-4.0");
    assert_eq!(found["library_name"], "scotopic");
    assert_eq!(found["tags.0"], "scotopic");
    assert!(found.values().any(|tag| tag == "spiking-neural-network"));
    assert_eq!(found["model-index.0.results.0.dataset.split"], "validation");

    let epochs = fs::read_to_string(folder.path().join("run/epochs.csv")).unwrap();
    let best = epochs.lines().rfind(|line| line.ends_with(",1")).unwrap();
    let cells: Vec<f64> = best
        .split(',')
        .map(|cell| cell.parse().unwrap_or(f64::NAN))
        .collect();
    let names: Vec<&str> = epochs.lines().next().unwrap().split(',').collect();
    for (number, column) in ["objective", "r2", "r2_rates", "zeros"].iter().enumerate() {
        let path = format!("model-index.0.results.0.metrics.{number}.value");
        let at = names.iter().position(|name| name == column).unwrap();
        // Rounded to three decimals.
        let value: f64 = found[&path].parse().unwrap();
        assert!((value - cells[at]).abs() < 6e-4, "{path}: {card}");
    }
}

#[test]
fn a_card_states_no_licence_that_nobody_gave() {
    let folder = folder();
    trained(folder.path(), "run", &[]);
    scotopic(folder.path(), &["export", "run", "--out", "out"]).good();
    // Of a file alone the lowest free energy is known, and no more.
    scotopic(folder.path(), &["export", "out", "--out", "again"]).good();
    let card = fs::read_to_string(folder.path().join("again/README.md")).unwrap();
    let found = front_matter(&card);
    assert!(!found.contains_key("license"), "{card}");
    let metrics = found.keys().filter(|path| path.contains(".metrics."));
    assert_eq!(metrics.count(), 3, "{card}");
}

#[test]
fn the_released_cards_can_be_read() {
    let checkpoints = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints");
    for card in ["README.md", "dead-leaves/README.md"] {
        let text = fs::read_to_string(checkpoints.join(card)).unwrap();
        let found = front_matter(&text.replace('\r', ""));
        assert_eq!(found["library_name"], "scotopic", "{card}");
        assert_eq!(found["license"], "mit", "{card}");
    }
}
