//! Bounds of ln p(y_1…y_T) that hold with a stated probability, for any q that a filter has fitted.
//!
//! A free energy bounds the log evidence from below by an unknown gap. Monte Carlo with q as proposal bounds it from below by
//! a gap that shrinks with the number of particles; where the data were simulated from the model, the states that made them
//! are an exact posterior sample and give an upper bound as well (eqs. F80–F86).
//!
//! ```
//! use scotopic_filtering::bounds::{BoundSettings, DiscreteChain, lower_bound, upper_bound};
//! use scotopic_filtering::hmm::{Factorisation, Hmm, Poisson};
//! use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
//! # fn main() -> scotopic_filtering::Result<()> {
//! let rates = Poisson::new(vec![vec![1.0], vec![6.0]])?;
//! let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], rates)?;
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let (states, counts) = model.sample(200, &mut rng)?;
//! let chain = DiscreteChain::new(&model, &counts, &Factorisation::Frozen)?;
//! let settings = BoundSettings::default();
//! let lower = lower_bound(&chain, &settings, &mut rng)?;
//! let upper = upper_bound(&chain, &[&states], &settings, &mut rng)?;
//! let exact = model.log_evidence(&counts)?;
//! assert!(lower.nats < exact && exact < upper.nats);
//! assert!(upper.nats - lower.nats < 0.05 * 200.0);
//! # Ok(()) }
//! ```
//!
//! | subject | file |
//! |---|---|
//! | particles, runs, δ | `settings.rs`: [`BoundSettings`] |
//! | what independent estimates certify | `certificate.rs`: [`LowerBound`], [`UpperBound`], [`Certificate`] |
//! | what can be certified; the bounds | `proposal.rs`: [`Proposal`], [`lower_bound`], [`upper_bound`] |
//! | sequential Monte Carlo backward in time, conditional too | `particles.rs`: [`BackwardChain`] |
//! | q of a hidden Markov model | `discrete.rs`: [`DiscreteChain`] |
//! | q of normal kernels, linear and nonlinear models | `normal.rs`: [`NormalChain`]; `density.rs`, `linear.rs` |
//! | Poisson latents: q, exact evidence, annealing | `poisson.rs`: [`PoissonLatents`]; `enumeration.rs`, `annealing.rs`: [`PoissonProposal`] |
//! | how often the bounds hold, on models whose evidence is known | `coverage.rs`: [`coverage_set`] |
//! | a model chosen at run time | `any.rs`: [`AnyModel::certify`](crate::AnyModel::certify) |

mod annealing;
mod any;
mod certificate;
mod coverage;
mod density;
mod discrete;
mod enumeration;
mod linear;
mod normal;
mod particles;
mod poisson;
mod proposal;
mod settings;

pub use annealing::PoissonProposal;
pub use certificate::{Certificate, LowerBound, UpperBound};
pub use coverage::{CoverageSet, KnownEvidence, coverage_set};
pub use discrete::DiscreteChain;
pub use enumeration::Enumerated;
pub use linear::LinearStateSpace;
pub use normal::NormalChain;
pub use particles::BackwardChain;
pub use poisson::PoissonLatents;
pub use proposal::{Proposal, lower_bound, upper_bound};
pub use settings::{BoundSettings, Confidence};
