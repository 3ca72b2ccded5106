//! The recordings of schemes in generalised coordinates: tables in folders, models in `spec.json`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::model::{Equations, Number, Point, Sizes};
use serde_json::Value;

use crate::reference::recordings_root;

/// The folders below `path` of the reference, by name; none where there is no such folder.
pub fn folders(path: &str) -> Vec<PathBuf> {
    entries(&recordings_root().join(path), |p| p.is_dir())
}

/// The files of a folder whose names begin with `prefix` and end in `suffix`.
pub fn files(folder: &Path, prefix: &str, suffix: &str) -> Vec<PathBuf> {
    entries(folder, |p| {
        let name = name(p);
        p.is_file() && name.starts_with(prefix) && name.ends_with(suffix)
    })
}

fn entries(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|p| wanted(p))
        .collect();
    found.sort();
    found
}

pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

pub fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All numbers of a value, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Number(n) => vec![n.as_f64().unwrap()],
        other => panic!("{other} is no number"),
    }
}

/// The rows of a nested list.
pub fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no {key}"))
}

/// A table with a name for each column.
pub struct Table {
    pub names: Vec<String>,
    pub rows: Vec<Vec<f64>>,
}

impl Table {
    /// A table from a file whose first line names the columns.
    pub fn read(path: &Path) -> Self {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text.lines();
        let names = lines.next().unwrap().split(',').map(str::to_owned);
        Self {
            names: names.collect(),
            rows: lines.filter(|l| !l.is_empty()).map(parse).collect(),
        }
    }

    /// The columns `name` followed by a number, in order, row by row.
    pub fn columns(&self, name: &str) -> Vec<Vec<f64>> {
        let at: Vec<usize> = (0..self.names.len())
            .filter(|&i| {
                let rest = self.names[i].strip_prefix(name);
                rest.is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_digit()))
            })
            .collect();
        let pick = |row: &Vec<f64>| at.iter().map(|&i| row[i]).collect();
        self.rows.iter().map(pick).collect()
    }

    /// One column by its whole name.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let at = self.names.iter().position(|n| n == name)?;
        Some(self.rows.iter().map(|row| row[at]).collect())
    }

    pub fn sequence(&self, name: &str) -> Sequence {
        Sequence::of_rows(self.columns(name)).unwrap()
    }
}

fn parse(line: &str) -> Vec<f64> {
    let number = |cell: &str| cell.trim().parse().unwrap_or(f64::NAN);
    line.split(',').map(number).collect()
}

/// A file of rows without names.
pub fn plain(path: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().filter(|l| !l.is_empty()).map(parse).collect()
}

/// A table with text in it: each row by column name.
pub fn named_rows(path: &Path) -> Vec<HashMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = names.iter().map(|n| n.to_string());
        cells.zip(line.split(',').map(str::to_owned)).collect()
    };
    lines.filter(|l| !l.is_empty()).map(row).collect()
}

/// `DEM_s0.5_n6_nD4` → s = 0.5, n = 6, nD = 4: the number after a tag.
pub fn tag(name: &str, tag: &str) -> Option<f64> {
    let stem = name.strip_suffix(".csv").unwrap_or(name);
    let number = |part: &str| part.strip_prefix(tag)?.parse().ok();
    stem.split('_').find_map(number)
}

/// x' = A x + B v, y = C x with θ = (A, C, B), each column by column.
#[derive(Debug, Clone)]
pub struct Convolution {
    pub states: usize,
    pub causes: usize,
    pub outputs: usize,
}

impl Convolution {
    /// The equations and the true θ of a `spec.json`.
    pub fn read(spec: &Value) -> (Self, Vec<f64>) {
        let (a, c) = (rows(&spec["A"]), rows(&spec["C"]));
        // One cause: B is a plain list. Several: a row per state.
        let b: Vec<Vec<f64>> = match &spec["B"] {
            Value::Array(items) if items.first().is_some_and(Value::is_array) => rows(&spec["B"]),
            list => numbers(list).into_iter().map(|b| vec![b]).collect(),
        };
        let by_column = |m: &[Vec<f64>]| -> Vec<f64> {
            (0..m[0].len())
                .flat_map(|j| m.iter().map(move |row| row[j]))
                .collect()
        };
        let equations = Self {
            states: a.len(),
            causes: b[0].len(),
            outputs: c.len(),
        };
        let theta = [by_column(&a), by_column(&c), by_column(&b)].concat();
        (equations, theta)
    }
}

impl Equations for Convolution {
    fn sizes(&self) -> Sizes {
        let (states, causes, outputs) = (self.states, self.causes, self.outputs);
        Sizes {
            states,
            causes,
            outputs,
            parameters: states * (states + outputs + causes),
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let n = self.states;
        let b = n * (n + self.outputs);
        for (i, o) in out.iter_mut().enumerate() {
            *o = T::constant(0.0);
            for (j, &x) in at.x.iter().enumerate() {
                *o += at.theta[j * n + i] * x;
            }
            for (j, &v) in at.v.iter().enumerate() {
                *o += at.theta[b + j * n + i] * v;
            }
        }
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (n, m) = (self.states, self.outputs);
        for (i, o) in out.iter_mut().enumerate() {
            *o = T::constant(0.0);
            for (j, &x) in at.x.iter().enumerate() {
                *o += at.theta[n * n + j * m + i] * x;
            }
        }
    }
}

/// The Lorenz system of the recordings, with its doubled bilinear terms and a cause that does nothing.
#[derive(Debug, Clone)]
pub struct Lorenz {
    pub scale: f64,
}

impl Equations for Lorenz {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 3,
            causes: 1,
            outputs: 1,
            parameters: 3,
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (x, p) = (at.x, at.theta);
        out[0] = (p[0] * (x[1] - x[0])).scaled(self.scale);
        out[1] = (x[0] * (p[2] - x[2].scaled(2.0)) - x[1]).scaled(self.scale);
        out[2] = ((x[0] * x[1]).scaled(2.0) + p[1] * x[2]).scaled(self.scale);
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.x[0] + at.x[1] + at.x[2];
    }
}

/// The largest difference between two lists of rows, relative to `scale(expected)`.
#[track_caller]
pub fn furthest(found: &[Vec<f64>], expected: &[Vec<f64>], scale: impl Fn(f64) -> f64) -> f64 {
    assert_eq!(found.len(), expected.len(), "numbers of rows");
    let mut worst = 0.0f64;
    for (f, e) in found.iter().zip(expected) {
        assert_eq!(f.len(), e.len(), "widths");
        for (f, e) in f.iter().zip(e) {
            let off = (f - e).abs() / scale(*e);
            worst = if off.is_nan() {
                f64::INFINITY
            } else {
                worst.max(off)
            };
        }
    }
    worst
}
