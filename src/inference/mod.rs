//! Iterative inference: natural-gradient descent on free energy while the input arrives.
//!
//! [`Perception::step`] is one step, [`unroll()`] repeats it over a [`Stimulus`] and keeps what
//! [`Record`] asks for. State goes in and comes out as a value; nothing has to be reset.

mod rule;
mod stimulus;
mod unroll;

pub use rule::{Dynamics, Generated, Leak, NaturalGradient, Perception, Step};
pub use stimulus::Stimulus;
pub use unroll::{Moment, Record, Trajectory, reattach, unroll};
