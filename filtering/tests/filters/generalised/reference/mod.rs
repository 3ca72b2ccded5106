//! Finding and reading the recorded runs of generalised filtering.

pub mod convolution;
pub mod golden;
pub mod joint_gaussian;

use std::path::{Path, PathBuf};

/// A table of numbers with named columns.
pub struct Table {
    pub name: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The folder `dem/golden`: below `$SCOTOPIC_REFERENCE`, or the reference folder next to this workspace, or
/// the fixtures that come with it; none if there is none of these.
pub fn golden() -> Option<PathBuf> {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let given = std::env::var_os("SCOTOPIC_REFERENCE").map(PathBuf::from);
    let beside = crate_root.join("../../shared/reference");
    let fixtures = crate_root.join("../tests/fixtures");
    [given, Some(beside), Some(fixtures)]
        .into_iter()
        .flatten()
        .map(|root| root.join("dem/golden"))
        .find(|folder| folder.is_dir())
}

/// The folders below `golden()/part`, sorted; empty where the data is not there.
pub fn folders(part: &str) -> Vec<PathBuf> {
    let Some(root) = golden() else {
        eprintln!("no folder dem/golden: skipped");
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(root.join(part)) else {
        eprintln!("no folder dem/golden/{part}: skipped");
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("data.csv").is_file())
        .collect();
    found.sort();
    found
}

/// The JSON value in `golden()/part/spec.json`.
pub fn spec(part: &str) -> serde_json::Value {
    let path = golden().unwrap().join(part).join("spec.json");
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

impl Table {
    pub fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut lines = text.lines().map(|line| {
            let cells = line.split(',').map(|cell| cell.trim().to_owned());
            cells.collect::<Vec<_>>()
        });
        let columns = lines.next().unwrap();
        let rows = lines.filter(|row| row.len() == columns.len()).collect();
        Some(Self {
            name: path.display().to_string(),
            columns,
            rows,
        })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn text(&self, row: usize, column: &str) -> &str {
        let at = self.columns.iter().position(|c| c == column);
        let at = at.unwrap_or_else(|| panic!("{}: no column {column}", self.name));
        &self.rows[row][at]
    }

    /// Every column whose name is `prefix` and a number, `[rows][columns]`.
    pub fn block(&self, prefix: &str) -> Vec<Vec<f64>> {
        let wanted = |name: &String| {
            let rest = name.strip_prefix(prefix);
            rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
        };
        let places: Vec<usize> = (0..self.columns.len())
            .filter(|&i| wanted(&self.columns[i]))
            .collect();
        let number = |row: &Vec<String>, i: usize| row[i].parse::<f64>().unwrap();
        self.rows
            .iter()
            .map(|row| places.iter().map(|&i| number(row, i)).collect())
            .collect()
    }
}
