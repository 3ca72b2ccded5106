//! Filtering in generalised coordinates: continuous-time models driven by smooth noise.
//!
//! ```text
//! y  = g(x, v, θ) + z          x' = f(x, v, θ) + w
//! ```
//!
//! z and w are Gaussian processes that may be smooth: their derivatives exist, and the motion of the
//! motion (x', x'', …) carries information. v are causes, θ parameters.
//!
//! | question | room |
//! |---|---|
//! | how is a model written, and how are its derivatives taken | [`model`] |
//! | what does every scheme take in and give out | [`scheme`] |
//! | filtering with memory, from the past alone | [`causal`] |
//! | states, parameters and precisions in one pass | [`odem`] |
//! | smooth, white and Matérn noise | [`noise`] |
pub mod causal;
pub mod model;
pub mod noise;
pub mod odem;
pub mod scheme;
