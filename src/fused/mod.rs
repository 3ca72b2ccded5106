//! T steps of inference over a linear decoder as one piece, forward and backward, on the CPU.
//!
//! Everything here can be said with the operations of [`ops`](crate::ops) and burn's products:
//! [`unroll`](crate::inference::unroll()) does so, and on GPUs it is the way of all but spiking networks on still images, which
//! have kernels of their own (`ops::spiking_unroll`). On the CPU that way spends most of its time on moving tensors through memory. Here a few rows of the batch go through all of time while they are in
//! the cache, forwards and backwards.
//!
//! | subject | file |
//! |---|---|
//! | dictionary and observation noise as plain numbers | `dictionary` |
//! | what a family of latents has to say | `latents` |
//! | Gaussian and Laplace latents (Poisson ones are in [`spiking`](crate::spiking)) | `location_scale` |
//! | products with a dictionary in the cache, and its layout | `products`, `sparse`, `rows`, `panels` |
//! | the prediction error, weighed and scored | `residual` |
//! | the prior of a step: carried over, static, or predicted by a learned transition | `prior` |
//! | T steps forward and backward, in segments | `unroll`, `segments`, `forward`, `backward`, `tape`, `gradient` |
//! | a batch on all threads | `batch` |
//! | point estimates: their descent, and learning from its end | `point`, `descent` |

mod backward;
mod batch;
mod block_shape;
mod descent;
mod dictionary;
mod forward;
mod gradient;
mod latents;
mod location_scale;
mod panels;
mod point;
mod prior;
mod products;
mod residual;
mod rows;
mod segments;
mod sparse;
mod tape;
mod unroll;
mod vector;

pub(crate) use batch::objective;
pub(crate) use descent::Descent;
pub(crate) use dictionary::{Dictionary, Product};
pub(crate) use gradient::Gradient;
pub(crate) use latents::{
    Latents, Refinement, RefinementBack, Sampled, SampledMut, parts, parts_mut,
};
pub(crate) use location_scale::{
    LocationScaleNetwork, LocationScaleParameters, LocationScaleRule, ScaleLaw,
};
pub(crate) use panels::{Aligned, PANEL};
pub(crate) use point::{PointCost, PointNetwork};
pub(crate) use prior::{StepPrior, Transition, TransitionParameters};
pub(crate) use products::{product, unfused_product};
pub(crate) use residual::{summed, weigh};
pub(crate) use rows::Rows;
pub(crate) use sparse::{sparse_product, sparse_remainder};
pub(crate) use unroll::{StepNoise, Unroll};
pub(crate) use vector::Vectors;
