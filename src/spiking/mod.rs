//! The spiking network of a Poisson posterior over a linear decoder, on the CPU.
//!
//! | subject | file |
//! |---|---|
//! | the network as plain numbers | `network` |
//! | one step of a row: drive, implicit step, clamps | `potential` |
//! | the terms of F, derivatives of a step | `scores`, `slopes` |
//! | what learning takes of it, T steps as one piece | `latents`, `fused` beside this module |
//! | event-driven inference | [`Engine`] |

mod engine;
mod latents;
mod network;
mod potential;
mod scores;
mod slopes;

pub use engine::{DriveMethod, Engine, Percept, Spike, StoppingRule, Stream};
pub(crate) use network::{SpikingNetwork, SpikingRule};
