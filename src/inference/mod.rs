//! Iterative inference: natural-gradient descent on free energy while the input arrives.
//!
//! [`Perception::step`] is one step, [`unroll()`] repeats it over a [`Stimulus`] and keeps what
//! [`Record`] asks for. State goes in and comes out as a value; nothing has to be reset.
//!
//! [`Perception`] is the interface of every model; [`Iterative`] is the one that this module is named after. The
//! others, which need networks of their own, are in `scotopic-models`.

mod objective;
mod perception;
mod rule;
mod spiking;
mod stimulus;
mod unroll;

pub use objective::{Objective, composed_objective};
pub use perception::{Expectation, Generated, Generative, Perception, Refined, Step};
pub use rule::{Dynamics, Iterative, Leak, NaturalGradient, StepForm};
pub use stimulus::Stimulus;
pub use unroll::{Moment, Record, Trajectory, reattach, unroll};
