//! Output lines of the commands that take whole series: CSV under a header, or a JSON object a line.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use scotopic_datasets::replace::replace;
use serde_json::{Value, json};

use super::lines::{LineFormat, quoted};
use crate::outputs::{check_apart, check_writable};

/// Where the lines of a command go, and in which form.
#[derive(Debug, Args)]
pub struct LinesOut {
    /// File for the output lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Format of the output lines [default: by the extension of --out, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub out_format: Option<LineFormat>,
    /// No summary on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

/// An entry of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A whole number.
    Whole(u64),
    /// Yes or no: 1 or 0 in CSV.
    Flag(bool),
    /// A number; one that is none is null, or an empty cell.
    Number(f64),
    /// Numbers, in CSV in columns of their own, counted from the number given.
    Numbers(Vec<f64>, usize),
    /// A text.
    Text(String),
    /// Texts, in CSV in columns of their own, counted from the number given; one that is none is null, or an empty cell.
    Texts(Vec<Option<String>>, usize),
}

/// One line: what an entry is called in JSON, in CSV, and the entry.
pub type Record = Vec<(String, String, Entry)>;

/// An entry that has one name.
pub fn field(name: &str, entry: Entry) -> (String, String, Entry) {
    (name.to_owned(), name.to_owned(), entry)
}

/// A list: its name in JSON, and that of its columns in CSV, counted from 1.
pub fn list(name: &str, column: &str, values: Vec<f64>) -> (String, String, Entry) {
    (
        name.to_owned(),
        column.to_owned(),
        Entry::Numbers(values, 1),
    )
}

/// The same list of observations of a model: the symbols that they stand for where they are numbers of `alphabet`.
pub fn observed(
    name: &str,
    column: &str,
    values: Vec<f64>,
    alphabet: &[String],
) -> (String, String, Entry) {
    let symbol = |x: f64| {
        let place = (x >= 0.0 && x.fract() == 0.0).then_some(x as usize)?;
        alphabet.get(place).cloned()
    };
    let symbols: Vec<Option<String>> = values.iter().map(|x| symbol(*x)).collect();
    let none = values
        .iter()
        .zip(&symbols)
        .any(|(x, symbol)| !x.is_nan() && symbol.is_none());
    if none || alphabet.is_empty() {
        return list(name, column, values);
    }
    (name.to_owned(), column.to_owned(), Entry::Texts(symbols, 1))
}

impl LinesOut {
    /// Checks that the file can be written, and is none that is read.
    ///
    /// # Errors
    /// Names the file.
    pub fn check(&self, others: &[&Path], read: &[&Path]) -> Result<()> {
        let written: Vec<&Path> = self
            .out
            .iter()
            .map(PathBuf::as_path)
            .chain(others.iter().copied())
            .collect();
        for (index, path) in written.iter().enumerate() {
            anyhow::ensure!(
                !written[..index].contains(path),
                "{} would be written twice: give each output its own name",
                path.display()
            );
        }
        check_apart(&written, read)?;
        if let (Some(path), None) = (&self.out, self.out_format) {
            LineFormat::of(path)?;
        }
        written.into_iter().try_for_each(check_writable)
    }

    /// Writes all lines: a file whole or not at all.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&self, records: &[Record]) -> Result<()> {
        write(
            self.out.as_deref(),
            self.out_format,
            LineFormat::Jsonl,
            records,
        )
    }
}

/// Writes lines to a file, whole or not at all, or to standard output; in `format`, else by the extension of the file, else
/// in `usual`.
///
/// # Errors
/// If they cannot be written.
pub fn write(
    path: Option<&Path>,
    format: Option<LineFormat>,
    usual: LineFormat,
    records: &[Record],
) -> Result<()> {
    let format = match (format, path) {
        (None, Some(path)) => LineFormat::of(path)?,
        (format, _) => format,
    };
    let text = match format.unwrap_or(usual) {
        LineFormat::Csv => csv(records),
        LineFormat::Jsonl => jsonl(records),
    };
    match path {
        Some(path) => {
            replace(path, text.as_bytes())
                .with_context(|| format!("could not write {}", path.display()))?;
        }
        None => {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            written.context("could not write standard output")?;
        }
    }
    Ok(())
}

fn jsonl(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        // By hand, so that the entries stay in their order.
        let mut entries = Vec::with_capacity(record.len());
        for (name, _, entry) in record {
            let value: Value = match entry {
                Entry::Whole(n) => json!(n),
                Entry::Flag(yes) => json!(yes),
                Entry::Number(x) => json!(x),
                Entry::Numbers(values, _) => json!(values),
                Entry::Text(text) => json!(text),
                Entry::Texts(texts, _) => json!(texts),
            };
            entries.push(format!("{}:{value}", json!(name)));
        }
        let _ = writeln!(text, "{{{}}}", entries.join(","));
    }
    text
}

/// The columns are those of the first line: all lines have the same entries.
fn csv(records: &[Record]) -> String {
    let mut text = String::new();
    let Some(first) = records.first() else {
        return text;
    };
    let header: Vec<String> = first
        .iter()
        .flat_map(|(_, column, entry)| match entry {
            Entry::Numbers(values, from) => numbered(column, *from, values.len()),
            Entry::Texts(texts, from) => numbered(column, *from, texts.len()),
            _ => vec![column.clone()],
        })
        .collect();
    let _ = writeln!(text, "{}", header.join(","));
    for record in records {
        let cells = record.iter().flat_map(|(_, _, entry)| match entry {
            Entry::Whole(n) => vec![n.to_string()],
            Entry::Flag(yes) => vec![u8::from(*yes).to_string()],
            Entry::Number(x) => vec![number(*x)],
            Entry::Numbers(values, _) => values.iter().map(|x| number(*x)).collect(),
            Entry::Text(text) => vec![quoted(text)],
            Entry::Texts(texts, _) => {
                let cell = |text: &Option<String>| text.as_deref().map_or_else(String::new, quoted);
                texts.iter().map(cell).collect()
            }
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join(","));
    }
    text
}

/// The names of so many columns, counted from `from`.
fn numbered(column: &str, from: usize, count: usize) -> Vec<String> {
    (from..from + count)
        .map(|k| format!("{column}{k}"))
        .collect()
}

/// Every digit, so that it is read back whole; an empty cell for what is no number.
fn number(x: f64) -> String {
    match x.is_nan() {
        true => String::new(),
        false => format!("{x:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let record = |x: f64| -> Record {
            vec![
                field("t", Entry::Whole(1)),
                field("seen", Entry::Flag(true)),
                list("belief", "q", vec![0.25, x]),
                field("time", Entry::Text("a, \"b\"".to_owned())),
                observed(
                    "y",
                    "y",
                    vec![1.0, f64::NAN],
                    &["a".to_owned(), "b,c".to_owned()],
                ),
            ]
        };
        let records = [record(0.75), record(f64::NAN)];
        let time = "\"a, \"\"b\"\"\"";
        assert_eq!(
            csv(&records),
            format!(
                "t,seen,q1,q2,time,y1,y2\n1,1,0.25,0.75,{time},\"b,c\",\n1,1,0.25,,{time},\"b,c\",\n"
            )
        );
        let lines = jsonl(&records);
        let first = lines.lines().next().unwrap();
        assert!(first.starts_with("{\"t\":1,\"seen\":true,"), "{first}");
        let expected = json!({"t": 1, "seen": true, "belief": [0.25, 0.75], "time": "a, \"b\"", "y": ["b,c", null]});
        assert_eq!(serde_json::from_str::<Value>(first).unwrap(), expected);
        assert!(lines.contains("[0.25,null]"));
        assert_eq!(csv(&[]), "");
        // What is no number of a symbol stays one.
        for (values, alphabet) in [(vec![2.0], &["a".to_owned()][..]), (vec![0.0], &[])] {
            let entry = observed("y", "y", values.clone(), alphabet).2;
            assert_eq!(entry, Entry::Numbers(values, 1));
        }
    }
}
