//! Progress on stderr, on a terminal only: status lines and a progress bar.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use scotopic_train::config::RunConfig;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::trainer::Callback;

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
        let bar = match status.on {
            true => ProgressBar::new(config.train.iterations as u64),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  ETA {eta}  {msg}")
        {
            bar.set_style(style);
        }
        bar.set_position(done as u64);
        bar.reset_eta();
        Self { bar, last: None }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Callback for ProgressCallback {
    fn iteration(&mut self, done: usize, _: usize) {
        self.bar.set_position(done as u64);
    }

    fn logged(&mut self, row: &LogRow) {
        self.bar.set_message(format!(
            "F {:.1} (−ln p {:.1}, KL {:.2})",
            row.objective, row.reconstruction, row.kl
        ));
    }

    fn validated(&mut self, row: &ValidationRow) {
        self.bar.println(format!(
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
