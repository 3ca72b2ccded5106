//! A one-layer predictive coding network: beliefs that flow, within each observation, down their free energy.
//!
//! | subject | file |
//! |---|---|
//! | the network: energy, flow, one observation | `network.rs`: [`PredictiveCoding`] |
//! | which functions f the published networks use | `dynamics.rs`: [`Pullback`], [`Trigonometric`] |
//! | what is kept of a network to go on later | `network/snapshot.rs`: [`PredictiveCodingSnapshot`] |
//! | adaptive integration of a flow | `runge_kutta.rs`: [`RungeKutta45`] |
mod dynamics;
mod network;
mod runge_kutta;

pub use dynamics::{Pullback, Trigonometric};
pub use network::{Integrator, PredictiveCoding, PredictiveCodingConfig, PredictiveCodingSnapshot};
pub use runge_kutta::RungeKutta45;
