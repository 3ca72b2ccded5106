//! A population of Poisson counts as the state of a state-space model, in plain `f64`.
//!
//! ```text
//! p(z_t | z_{t−1}) = ∏_k Pois(exp(a_k)),   a = W s(z_{t−1}) + b,     p(x_t | z_t) = N(Φ z_t, diag σ²)     (T7)
//! ```
//!
//! | concept | item |
//! |---|---|
//! | the model; samples of it | [`SpikingPopulation`] |
//! | the drive s(n) of a count, and its moments under a Poisson belief | [`Drive`] |
//! | the exact filter by enumeration, for up to three neurons: the oracle | [`exact`] |
//! | q = ∏ Pois(e^{u_t}): the bound, its optimum, its gradient | [`frozen`] |
//! | q = q_T ∏ b_t(z_{t−1}\|z_t): the recursive bound over enumerated counts | [`reversed`] |
//! | the same by paths drawn backwards, for any number of neurons | [`paths`] |
//! | transitions that see a decaying trace of all past counts | [`PowerTraces`] |
//!
//! The network that learns such a transition on tensors is in `scotopic-models`; what it computes is checked against this.
//!
//! ```
//! use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
//! use scotopic_filtering::spiking_population::{Drive, SpikingPopulation, exact, frozen};
//! # fn main() -> scotopic_filtering::Result<()> {
//! let pair = SpikingPopulation {
//!     weights: vec![0.0, 0.5, -0.5, 0.0], // neuron 1 excites neuron 0, which inhibits it
//!     bias: vec![-1.5, -1.0],
//!     first: vec![-1.5, -1.0],
//!     drive: Drive::Capped(1),
//!     atoms: vec![1.0, 0.5],              // one pixel
//!     sigma: vec![0.5],
//! };
//! let (_, film) = pair.sample(6, &mut Xoshiro256PlusPlus::seed_from_u64(0))?;
//! let evidence = exact::filter(&pair, &film, 20)?;
//! let bound = frozen::filter(&pair, &film)?.bound;
//! assert!(bound <= evidence.log_evidence && evidence.truncation < 1e-10);
//! # Ok(()) }
//! ```

mod drive;
pub mod exact;
pub mod frozen;
mod model;
pub mod paths;
pub mod reversed;
mod states;
mod traces;

pub use drive::Drive;
pub use model::SpikingPopulation;
pub use states::CountGrid;
pub use traces::PowerTraces;

#[cfg(test)]
mod tests;
