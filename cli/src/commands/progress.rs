//! Progress on stderr, on a terminal only: status lines and a progress bar.

use std::io::IsTerminal;

use scotopic_train::config::RunConfig;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::trainer::Callback;

use crate::progress_bar::ProgressBar;

/// Prints status lines on stderr, on a terminal only.
pub(super) struct StatusPrinter {
    on: bool,
}

impl StatusPrinter {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            on: !quiet && std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn say(&self, line: &str) {
        if self.on {
            eprintln!("{line}");
        }
    }
}

/// The progress bar of a training run; keeps the last validation.
pub(super) struct ProgressCallback {
    bar: ProgressBar,
    pub(super) last: Option<ValidationRow>,
}

impl ProgressCallback {
    pub(super) fn new(status: &StatusPrinter, config: &RunConfig, done: usize) -> Self {
        let total = config.train.iterations as u64;
        Self {
            bar: ProgressBar::new(!status.on, Some(total), done as u64),
            last: None,
        }
    }

    pub(super) fn finish(&self) {
        self.bar.clear();
    }
}

impl Callback for ProgressCallback {
    fn iteration(&mut self, done: usize, _: usize) {
        self.bar.set(done as u64, None);
    }

    fn logged(&mut self, row: &LogRow) {
        self.bar.message = format!(
            "F {:.1} (−ln p {:.1}, KL {:.2})",
            row.objective, row.reconstruction, row.kl
        );
    }

    fn validated(&mut self, row: &ValidationRow) {
        self.bar.print(&format!(
            "iteration {:>6}  R² {:.3}  zeros {:.1} %  F {:.2}{}",
            row.iteration,
            row.measures.r2,
            100.0 * row.measures.zeros,
            row.measures.objective,
            if row.best { "  (best so far)" } else { "" }
        ));
        self.last = Some(row.clone());
    }
}
