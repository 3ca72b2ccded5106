//! Arguments of `scotopic compare` that are for networks.

use anyhow::{Result, ensure};
use clap::Args;
use scotopic_train::device::DeviceChoice;

use super::evaluate::Split;
use crate::args::RuntimeArgs;

/// Options for networks.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// Networks: split of the data [default: test]
    #[arg(long, value_enum)]
    pub split: Option<Split>,
    /// Networks: inference steps [default: as each was trained]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Networks: maximum number of images, of the split and of each view of --ood [default: all, and 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_images: Option<u32>,
    /// Networks: out of distribution too, on rotated test digits, Omniglot and CIFAR (square grey images)
    #[arg(long)]
    pub ood: bool,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

impl NetworkArgs {
    /// Refuses options for networks where a series is compared.
    ///
    /// # Errors
    /// The first of them.
    pub fn check_unused(&self) -> Result<()> {
        for (option, given) in [
            ("--split", self.split.is_some()),
            ("--steps", self.steps.is_some()),
            ("--max-images", self.max_images.is_some()),
            ("--ood", self.ood),
            ("--device", self.runtime.device != DeviceChoice::Auto),
        ] {
            ensure!(
                !given,
                "{option} is for networks, which are compared without --model"
            );
        }
        Ok(())
    }
}
