//! The report of an experiment.

use std::path::Path;

use anyhow::{Context, Result};
use scotopic_datasets::replace::replace;
use scotopic_figures::Figure;

use crate::figure_format::FigureFormat;
use crate::table::Table;

/// The results of an experiment: text, tables, figures.
pub struct Report {
    title: String,
    parts: Vec<Section>,
}

enum Section {
    Text(String),
    Table {
        file: String,
        table: Table,
    },
    Figure {
        file: String,
        caption: String,
        picture: Figure,
    },
}

impl Report {
    /// An empty report.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_string(),
            parts: Vec::new(),
        }
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Section::Text(text.into()));
    }

    /// Adds a table, which is also written as `file`.csv and `file`.md.
    pub fn table(&mut self, file: &str, table: Table) {
        self.parts.push(Section::Table {
            file: file.to_string(),
            table,
        });
    }

    /// Adds a figure, written as `file`.png or `file`.svg. One without a title gets that of the report, and the caption below.
    pub fn picture(&mut self, file: &str, caption: &str, picture: Figure) {
        let picture = match picture.title.is_empty() {
            true => picture.titled(self.title.as_str(), caption),
            false => picture,
        };
        self.parts.push(Section::Figure {
            file: file.to_string(),
            caption: caption.to_string(),
            picture,
        });
    }

    /// The report as Markdown.
    pub fn markdown(&self, format: FigureFormat) -> String {
        let mut text = format!("# {}\n", self.title);
        for part in &self.parts {
            text.push('\n');
            match part {
                Section::Text(paragraph) => text.push_str(&format!("{paragraph}\n")),
                Section::Table { table, .. } => text.push_str(&table.markdown()),
                Section::Figure { file, caption, .. } => {
                    text.push_str(&format!("![{caption}]({})\n", format.name(file)));
                }
            }
        }
        text
    }

    /// Writes tables and figures into `folder`, then README.md.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path, format: FigureFormat) -> Result<()> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        for part in &self.parts {
            match part {
                Section::Text(_) => {}
                Section::Table { file, table } => {
                    replace(&folder.join(format!("{file}.csv")), table.csv().as_bytes())?;
                    replace(
                        &folder.join(format!("{file}.md")),
                        table.markdown().as_bytes(),
                    )?;
                }
                Section::Figure { file, picture, .. } => {
                    picture.write(format.file(folder, file))?;
                }
            }
        }
        Ok(replace(
            &folder.join("README.md"),
            self.markdown(format).as_bytes(),
        )?)
    }
}
