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
//! | products with a dictionary that stays in the cache, and how it lies there | `products`, `panels` |
//! | T steps forwards and backwards, in segments | `unroll`, `tape`, `slopes` |
//! | a batch on all threads | `batch` |
//! | event-driven inference | [`Engine`] |

mod batch;
mod engine;
mod network;
mod panels;
mod potential;
mod products;
mod scores;
mod slopes;
mod tape;
mod unroll;

pub(crate) use batch::objective;
pub use engine::{Engine, Form, Percept, Settle, Spike, Stream};
pub(crate) use network::{Parameters, SpikingNetwork, SpikingRule};
pub(crate) use unroll::{Gradient, StepNoise, Unroll};
