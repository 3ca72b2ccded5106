//! The format of figures that a command writes into a folder under names of its own.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

/// The option `--figure-format`. (Commands that write one figure take its file, whose ending is the format.)
#[derive(Debug, Clone, Copy, Args)]
pub struct FigureFormat {
    /// Format of still figures; animations are GIF
    #[arg(
        long = "figure-format",
        value_enum,
        value_name = "FORMAT",
        default_value = "png"
    )]
    pub still: StillFormat,
}

impl FigureFormat {
    /// The file of the still figure `name` in `folder`.
    pub fn file(self, folder: &Path, name: &str) -> PathBuf {
        folder.join(self.name(name))
    }

    /// The name of that file.
    pub fn name(self, name: &str) -> String {
        format!("{name}.{}", self.still.ending())
    }
}

/// A format of figures that do not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StillFormat {
    /// Pixels, twice as many a side as the figure has.
    Png,
    /// Lines, and text that can be edited.
    Svg,
}

impl StillFormat {
    fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }
}

impl ValueEnum for StillFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Png, Self::Svg]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.ending()))
    }
}
