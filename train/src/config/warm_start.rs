//! What a run takes over of another network.

use serde::{Deserialize, Serialize};

/// What is taken over of the network of `--init`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarmStart {
    /// Every weight.
    #[default]
    Network,
    /// The decoder and the observation noise. All else (resting potentials, homeostasis, step size, an encoder) begins as `[model]` says.
    Decoder,
}
