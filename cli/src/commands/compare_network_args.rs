//! Arguments of `scotopic compare` that are for networks.

use clap::Args;

use super::evaluate::Split;
use crate::args::RuntimeArgs;

/// Options for networks.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// Networks: split of the data
    #[arg(long, value_enum, default_value = "test")]
    pub split: Split,
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
