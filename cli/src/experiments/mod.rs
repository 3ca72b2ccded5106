//! The papers' experiments: each trains or loads what it needs, measures, and writes one page.
//!
//! ```text
//! <out>/models/<name>/     the runs, shared by all experiments of one size; continued where they stopped
//! <out>/<experiment>/      README.md (the page), table.csv, table.md, figures
//! ```

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use scotopic_datasets::{DataConfig, Splits};

use scotopic_train::device::Opened;

mod convergence;
mod hubel_wiesel;
mod models;
mod ood;
mod page;
mod published;
mod rate_distortion;
mod stability;
mod table2_mnist;

pub use models::{ModelSpec, TrainedModel, load_or_train};
pub use page::Page;

/// How much is spent on an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Minutes on two cores: enough to see what happens, not to compare.
    Quick,
    /// An hour or two on two cores: every model gets the same few thousand iterations.
    Standard,
    /// The published settings, for a GPU.
    Full,
}

impl Size {
    /// Iterations of training, where the size and not the preset decides.
    pub fn iterations(self) -> Option<usize> {
        match self {
            Self::Quick => Some(400),
            Self::Standard => Some(3000),
            Self::Full => None,
        }
    }

    /// What folders and pages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    /// Images that are measured.
    pub fn images(self) -> usize {
        match self {
            Self::Quick => 1000,
            Self::Standard => 2000,
            Self::Full => usize::MAX,
        }
    }
}

/// What every experiment is told.
pub struct Context<'a> {
    /// How much to spend.
    pub size: Size,
    /// Where everything is written.
    pub out: PathBuf,
    /// Folder of the data sets.
    pub data: PathBuf,
    /// The device.
    pub device: &'a Opened,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Is told a line now and then.
    pub say: &'a dyn Fn(&str),
}

impl Context<'_> {
    /// The data of a configuration.
    ///
    /// # Errors
    /// Whatever is wrong with the files.
    pub fn load(&self, data: &DataConfig) -> Result<Splits> {
        Ok(data.load(&self.data, &mut |line| (self.say)(line))?)
    }
}

/// An experiment by name.
pub struct Experiment {
    /// What the command line is given.
    pub name: &'static str,
    /// One line on what it shows.
    pub about: &'static str,
    /// Measures, and says what there is to say.
    pub run: fn(&Context) -> Result<Page>,
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
