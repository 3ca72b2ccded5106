//! The fused spiking network: a Poisson posterior over a linear decoder, on the CPU.
//!
//! Everything here can be said with the operations of [`ops`](crate::ops) and burn's products, and on every
//! other device it is: [`unroll`](crate::inference::unroll()) does so. On the CPU that way spends most of its
//! time on moving tensors through memory. Here a few rows of the batch go through all of time while they are in
//! the cache, forwards and backwards.
//!
//! | subject | file |
//! |---|---|
//! | the network as plain numbers | `network` |
//! | one step of a row: drive, implicit step, clamps | `potential` |
//! | the terms of F | `scores` |
//! | products with a dictionary in the cache, and its layout | `products`, `sparse`, `rows`, `panels` |
//! | T steps forward and backward, in segments | `segments`, `forward`, `backward`, `tape`, `slopes` |
//! | a batch on all threads | `batch` |
//! | event-driven inference | [`Engine`] |

mod backward;
mod batch;
mod block_shape;
mod engine;
mod forward;
mod network;
mod panels;
mod potential;
mod products;
mod rows;
mod scores;
mod segments;
mod slopes;
mod sparse;
mod tape;
mod unroll;
mod vector;

pub(crate) use batch::objective;
pub use engine::{DriveMethod, Engine, Percept, Spike, StoppingRule, Stream};
pub(crate) use network::{Parameters, SpikingNetwork, SpikingRule};
pub(crate) use unroll::{Gradient, StepNoise, Unroll};
