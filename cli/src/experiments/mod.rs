//! The experiments of the papers: each trains or loads its models, evaluates them, and writes a report.
//!
//! ```text
//! <out>/models/<name>/     the runs, shared by all experiments of one size; continued after an interruption
//! <out>/<experiment>/      README.md (the report), table.csv, table.md, figures
//! ```

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use scotopic_datasets::{DataConfig, Splits};

use scotopic_train::device::Opened;

use crate::args::load;
use crate::progress::Reporter;

mod convergence;
mod hubel_wiesel;
mod models;
mod ood;
mod published;
mod rate_distortion;
mod report;
mod stability;
mod table2_mnist;

pub use models::{ModelSpec, TrainedModel, load_or_train};
pub use report::Report;

/// The size of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Minutes on two cores: enough to see trends, not for comparison.
    Quick,
    /// An hour or two on two cores: the same few thousand iterations for every model.
    Standard,
    /// The published settings, for a GPU.
    Full,
}

impl Size {
    /// Training iterations; `None` where the preset decides.
    pub fn iterations(self) -> Option<usize> {
        match self {
            Self::Quick => Some(400),
            Self::Standard => Some(3000),
            Self::Full => None,
        }
    }

    /// Its name in folders and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    /// Number of test images.
    pub fn images(self) -> usize {
        match self {
            Self::Quick => 1000,
            Self::Standard => 2000,
            Self::Full => usize::MAX,
        }
    }
}

/// The arguments of every experiment.
pub struct Context<'a> {
    /// Size.
    pub size: Size,
    /// Output folder.
    pub out: PathBuf,
    /// Folder of the data sets.
    pub data: PathBuf,
    /// The device.
    pub device: &'a Opened,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Reports progress.
    pub reporter: Reporter,
}

impl Context<'_> {
    /// The data of a configuration.
    ///
    /// # Errors
    /// If files are missing or invalid.
    pub fn load(&self, data: &DataConfig) -> Result<Splits> {
        load(data, &self.data, &mut |line| self.reporter.say(line))
    }
}

/// An experiment by name.
pub struct Experiment {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line on what it shows.
    pub about: &'static str,
    /// Runs it and returns the report.
    pub run: fn(&Context) -> Result<Report>,
}

/// All experiments.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "table2-mnist",
        about: "all models on MNIST: reconstruction, sparsity, classification (Table 2)",
        run: table2_mnist::run,
    },
    Experiment {
        name: "ood",
        about: "trained on MNIST, shown rotated digits, Omniglot and more",
        run: ood::run,
    },
    Experiment {
        name: "fig3-convergence",
        about: "R², zeros and |Δu| over a thousand inference steps on natural patches (Figure 3)",
        run: convergence::run,
    },
    Experiment {
        name: "fig4-sparsity",
        about: "reconstruction against sparsity over β and T (Figure 4)",
        run: rate_distortion::run,
    },
    Experiment {
        name: "stability",
        about: "the explicit and the proximal step on plain-whitened, high-contrast patches",
        run: stability::run,
    },
    Experiment {
        name: "hubel-wiesel",
        about: "physiology: Gabor filters, orientation tuning, contrast, suppression, latency",
        run: hubel_wiesel::run,
    },
];
