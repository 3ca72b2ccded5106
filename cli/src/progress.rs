//! Progress on stderr: for eyes on a terminal, as plain lines elsewhere, as JSON for programs.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

/// Options of progress.
#[derive(Debug, Clone, Copy, Args)]
pub struct ProgressArgs {
    /// No progress output
    #[arg(long, short)]
    pub quiet: bool,
    /// Form of the progress on standard error
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "auto",
        conflicts_with = "quiet"
    )]
    pub progress: ProgressForm,
}

/// How progress is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressForm {
    /// A bar on a terminal, elsewhere a line every ten seconds
    Auto,
    /// A line every ten seconds
    Lines,
    /// One JSON object per line, every second
    Json,
}

/// Reports in one of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporter {
    /// Not at all.
    Quiet,
    /// A bar that is written over.
    Bar,
    /// Plain lines.
    Lines,
    /// JSON, one object per line.
    Json,
}

impl Reporter {
    /// The reporter that the options ask for.
    pub fn new(args: ProgressArgs) -> Self {
        match args.progress {
            _ if args.quiet => Self::Quiet,
            ProgressForm::Json => Self::Json,
            ProgressForm::Lines => Self::Lines,
            ProgressForm::Auto => Self::auto(),
        }
    }

    /// A bar on a terminal, lines elsewhere.
    pub fn auto() -> Self {
        match std::io::stderr().is_terminal() {
            true => Self::Bar,
            false => Self::Lines,
        }
    }

    /// Reports a remark.
    pub fn say(self, text: &str) {
        self.event(text, || json!({"event": "note", "text": text}));
    }

    /// Reports what has happened: in words, or as `value`.
    pub fn event(self, text: &str, value: impl FnOnce() -> Value) {
        match self {
            Self::Quiet => {}
            // A bar may stand on the line.
            Self::Bar => tell!("\r\x1b[K{text}"),
            Self::Lines => tell!("{text}"),
            Self::Json => tell!("{}", value()),
        }
    }
}
