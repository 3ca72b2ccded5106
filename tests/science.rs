//! Does the code do what the mathematics says?
//!
//! | question | room |
//! |---|---|
//! | the published implementation, number by number | `golden` |
//! | the samplers against their exact laws | `sampler` |
//! | gradients against finite differences | `gradients` |
//! | what must hold for any input | `properties` |
//!
//! Every tolerance is a named constant with its reason. Cases that take a device run on every device
//! that is found (`devices`); a device that is not there is named on stderr.
#![recursion_limit = "256"]

#[path = "science/devices.rs"]
mod devices;
#[path = "science/golden/mod.rs"]
mod golden;
#[path = "science/gradients.rs"]
mod gradients;
#[path = "science/implicit_step.rs"]
mod implicit_step;
#[path = "science/numbers.rs"]
mod numbers;
#[path = "science/properties.rs"]
mod properties;
#[path = "science/sampler/mod.rs"]
mod sampler;
#[path = "science/toy.rs"]
mod toy;
