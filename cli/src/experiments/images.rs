//! The first paper's experiments: each trains or loads its models, evaluates them, and writes a report.
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

use super::{Report, Size};
use super::{convergence, hubel_wiesel, ood, rate_distortion, stability, table2_mnist};
use crate::args::load;
use crate::progress::Reporter;

impl Size {
    /// Training iterations; `None` where the preset decides.
    pub fn iterations(self) -> Option<usize> {
        self.of(Some(400), Some(3000), None)
    }

    /// Number of test images.
    pub fn images(self) -> usize {
        self.of(1000, 2000, usize::MAX)
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
