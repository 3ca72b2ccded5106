//! The page of an experiment, in Markdown, of results alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use scotopic_datasets::replace::replace;
use scotopic_figures::Figure;

use super::{Results, Size};
use crate::table::Table;

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The intervals say so.
    Holds,
    /// In part of the cases.
    HoldsInPart,
    /// The intervals say the contrary.
    Refuted,
    /// They say neither.
    Undecided,
}

impl Verdict {
    /// Of a claim about every one of some cases: `Some(true)` where it holds, `Some(false)` where the contrary does.
    pub fn of(cases: impl IntoIterator<Item = Option<bool>>) -> Self {
        let cases: Vec<_> = cases.into_iter().collect();
        let count = |what| cases.iter().filter(|case| **case == what).count();
        match (count(Some(true)), count(Some(false)), cases.len()) {
            (_, _, 0) => Self::Undecided,
            (yes, _, all) if yes == all => Self::Holds,
            (0, no, all) if no == all => Self::Refuted,
            (0, 0, _) => Self::Undecided,
            (0, ..) => Self::Refuted,
            _ => Self::HoldsInPart,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::HoldsInPart => "holds in part",
            Self::Refuted => "does not hold",
            Self::Undecided => "undecided",
        }
    }
}

/// One claim: what was claimed, what was found, whether it holds.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was claimed and by whom, in one sentence.
    pub claimed: String,
    /// What was found, in one sentence with its numbers.
    pub found: String,
    /// Whether it holds.
    pub verdict: Verdict,
}

enum Section {
    Text(String),
    Table(Table),
    Figure {
        name: String,
        caption: String,
        figure: Box<Figure>,
    },
}

/// A page: claims first, then text, tables and figures, at last the protocol.
pub struct Page {
    title: String,
    answers: Vec<Answer>,
    sections: Vec<Section>,
}

impl Page {
    /// A page without contents.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            answers: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// Adds a claim.
    pub fn answer(&mut self, claimed: &str, found: String, verdict: Verdict) {
        self.answers.push(Answer {
            claimed: claimed.to_owned(),
            found,
            verdict,
        });
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) {
        self.sections.push(Section::Text(format!("## {text}")));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.sections.push(Section::Text(text.into()));
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.sections.push(Section::Table(table));
    }

    /// Adds a figure, whose file is named after the experiment and `name`; one without a title gets that of the page.
    pub fn figure(&mut self, name: &str, caption: &str, figure: Figure) {
        self.sections.push(Section::Figure {
            name: name.to_owned(),
            caption: caption.to_owned(),
            figure: Box::new(figure),
        });
    }

    /// The page in Markdown.
    pub fn markdown(&self, results: &Results) -> String {
        let mut text = format!("# {}\n", self.title);
        if results.size == Size::Quick {
            text.push_str(
                "\n**A smoke test.** A quick run shows that the experiment runs; its numbers are not to be compared with any others.\n",
            );
        }
        text.push_str("\n| claimed | found | |\n| --- | --- | --- |\n");
        for answer in &self.answers {
            let verdict = match results.size {
                Size::Quick => "–",
                _ => answer.verdict.words(),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {verdict} |",
                answer.claimed.replace('|', "\\|"),
                answer.found.replace('|', "\\|")
            );
        }
        for section in &self.sections {
            text.push('\n');
            match section {
                Section::Text(paragraph) => {
                    let _ = writeln!(text, "{paragraph}");
                }
                Section::Table(table) => text.push_str(&table.markdown()),
                Section::Figure { name, caption, .. } => {
                    let file = file(results, name);
                    let _ = writeln!(text, "![{caption}]({file})\n\n*{caption}*");
                }
            }
        }
        text.push_str(&protocol(results));
        text
    }

    /// Writes the figures below `folder`, then the page as `name` in it.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, results: &Results, folder: &Path, name: &str) -> Result<()> {
        let images = folder.join("images");
        std::fs::create_dir_all(&images)
            .with_context(|| format!("could not make {}", images.display()))?;
        for section in &self.sections {
            if let Section::Figure { name, figure, .. } = section {
                let figure = match figure.title.is_empty() {
                    true => figure.as_ref().clone().titled(self.title.as_str(), ""),
                    false => figure.as_ref().clone(),
                };
                figure.write(folder.join(file(results, name)))?;
            }
        }
        Ok(replace(
            &folder.join(name),
            self.markdown(results).as_bytes(),
        )?)
    }
}

fn file(results: &Results, name: &str) -> String {
    format!("images/{}-{name}.svg", results.name)
}

/// What made the results: units, seeds, settings, commit, machine, command.
fn protocol(results: &Results) -> String {
    let every = |of: &dyn Fn(&super::Record) -> String| -> String {
        let all: BTreeSet<String> = results.records.iter().map(of).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    let settings: Vec<String> = results.records[0]
        .settings
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    let seconds: f64 = results.records.iter().map(|r| r.seconds).sum();
    let loads = results.records.iter().filter_map(|r| r.load);
    let load = loads.fold(0.0, f64::max);
    let machine = every(&|r| {
        format!(
            "{}, {}, {} of {} threads",
            r.machine.processor,
            r.machine.instructions,
            r.machine.threads,
            r.machine.available_threads
        )
    });
    let seeds = results.seeds();
    format!(
        "\n## Protocol\n\n`scotopic experiment {name} --size {size} --seeds {count}`, then `scotopic experiment page {name}`. \
         Arms: {arms}; seeds {first} to {last}, the same data for every arm. Intervals are 95 % percentile bootstraps (2000 \
         resamples) of differences paired by {unit}; ± is one standard error over units.\n\n\
         Settings: {settings}.\n\n\
         Version {version}, commit {commit}, {date}; {machine}; {seconds:.0} s in all, load up to {load:.1}: times (µs) are \
         of a loaded machine where the load exceeds 1.\n",
        name = results.name,
        size = results.size.name(),
        count = seeds.len(),
        arms = results.arms().join(", "),
        first = seeds.first().copied().unwrap_or_default(),
        last = seeds.last().copied().unwrap_or_default(),
        unit = results.unit,
        settings = settings.join(", "),
        version = every(&|r| r.version.clone()),
        commit = every(&|r| r.commit.clone()),
        date = every(&|r| r.date.clone()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_about_all_cases_holds_where_all_do() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(Verdict::of([yes, yes]), Verdict::Holds);
        assert_eq!(Verdict::of([yes, None]), Verdict::HoldsInPart);
        assert_eq!(Verdict::of([yes, no]), Verdict::HoldsInPart);
        assert_eq!(Verdict::of([no, None]), Verdict::Refuted);
        assert_eq!(Verdict::of([None, None]), Verdict::Undecided);
        assert_eq!(Verdict::of([]), Verdict::Undecided);
    }
}
