//! A table that is written as CSV and as Markdown.

use std::fmt::Write;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number and its decimals in Markdown; CSV has six.
    Number(f64, usize),
    /// A fraction, shown in percent with one decimal.
    Percent(f64),
    /// No value.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<Cell>> for Cell {
    fn from(cell: Option<Cell>) -> Self {
        cell.unwrap_or(Cell::Empty)
    }
}

impl Cell {
    fn markdown(&self) -> String {
        self.plain().replace('|', "\\|")
    }

    fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value, decimals) => number(*value, *decimals),
            Self::Percent(value) => format!("{:.1} %", 100.0 * value),
            Self::Empty => "–".into(),
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) if text.contains([',', '"', '\n']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Self::Text(text) => text.clone(),
            Self::Number(value, _) | Self::Percent(value) => format!("{value:.6}"),
            Self::Empty => String::new(),
        }
    }
}

/// A number with so many decimals; a huge one with an exponent, and nothing below zero that is zero.
pub fn number(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e9 {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_owned(),
        _ => text,
    }
}

/// Rows under a heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// No rows yet.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells at its end are empty.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize(self.columns.len(), Cell::Empty);
        self.rows.push(row);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as aligned text.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.columns.clone());
        text.push_str(&line(vec!["---".into(); self.columns.len()]));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(Cell::markdown).collect()));
        }
        text
    }

    /// The table for a terminal: columns under each other, numbers to the right.
    pub fn text(&self) -> String {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::plain).collect())
            .collect();
        let size = |text: &str| text.chars().count();
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(c, name)| {
                let widest = cells.iter().map(|row| size(&row[c])).max();
                widest.unwrap_or(0).max(size(name))
            })
            .collect();
        // The first column names the row and is left-aligned; values are right-aligned.
        let line = |row: &[String]| {
            let mut text = String::new();
            for (c, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let blank = " ".repeat(width - size(cell));
                match c {
                    0 => text.push_str(&format!("{cell}{blank}")),
                    _ => text.push_str(&format!("  {blank}{cell}")),
                }
            }
            text.trim_end().to_owned()
        };
        let mut lines = vec![line(&self.columns)];
        lines.extend(cells.iter().map(|row| line(row)));
        lines.join("\n")
    }

    /// The table as CSV.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        let heading: Vec<String> = self
            .columns
            .iter()
            .map(|c| Cell::from(c.as_str()).csv())
            .collect();
        let _ = writeln!(text, "{}", heading.join(","));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::csv).collect();
            let _ = writeln!(text, "{}", cells.join(","));
        }
        text
    }
}

/// Seconds, in the unit that suits them.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let mut table = Table::new(&["model", "R², sample", "zeros"]);
        table.push(vec![
            "a|b".into(),
            Cell::Number(0.12345, 3),
            Cell::Percent(0.5),
        ]);
        table.push(vec!["x, y".into()]);
        assert_eq!(
            table.markdown(),
            "| model | R², sample | zeros |\n| --- | --- | --- |\n| a\\|b | 0.123 | 50.0 % |\n| x, y | – | – |\n"
        );
        assert_eq!(
            table.text(),
            "model  R², sample   zeros\na|b         0.123  50.0 %\nx, y            –       –"
        );
        assert_eq!(
            table.csv(),
            "model,\"R², sample\",zeros\na|b,0.123450,0.500000\n\"x, y\",,\n"
        );
    }
}
