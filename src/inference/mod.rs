//! Iterative inference: natural-gradient descent on free energy while the input arrives.
//!
//! [`Perception::step`] is one step, [`unroll()`] repeats it over a [`Stimulus`] and keeps what
//! [`RecordOptions`] asks for. State goes in and comes out as a value; nothing has to be reset.
//!
//! [`Predictive`] is the same rule on films, with a prior that is predicted from the belief before.
//!
//! [`Perception`] is the interface of every model; [`Iterative`] is the one that this module is named after. The
//! others, which need networks of their own, are in `scotopic-models`.

mod backtracking;
mod certified_step;
mod descent;
mod fixed_belief;
mod fused;
#[cfg(feature = "cube")]
mod fused_on_gpu;
mod generative;
mod location_scale;
mod perception;
mod plain_numbers;
mod predictive;
mod rule;
mod spiking;
mod stimulus;
mod trajectory;
mod transition;
mod window;
mod with_gradient;

pub use fixed_belief::FixedBelief;
pub use generative::{Expectation, Generative, ScoredSample};
pub use perception::{Perception, Refined, Step, composed_objective, unroll};
pub use predictive::Predictive;
pub use rule::{Dynamics, Iterative, Leak, NaturalGradient, StepForm};
pub use stimulus::Stimulus;
pub use trajectory::{Objective, RecordOptions, StepRecord, Trajectory, reattach};
pub use transition::{PredictiveTransition, PriorInTime};
