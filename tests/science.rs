//! Does the code do what the mathematics says?
//!
//! | subject | module |
//! |---|---|
//! | the published implementation, number by number | `golden` |
//! | the samplers against their exact laws | `sampler` |
//! | the implicit step against its equation | `implicit_step` |
//! | the certified step: F never rises | `certified_step` |
//! | the recursive evidence bound, forward and back | `recursive_elbo` |
//! | amortised filter, against exact filters | `amortised` |
//! | networks as equations of motion: modules, energies, learning | `neural_flow` |
//! | every family of beliefs: divergence, gradients, metric, expectation | `posteriors` |
//! | every decoder: its pullback is its transposed Jacobian | `decoders` |
//! | every inference method: objective, batches, devices, settings | `methods` |
//! | fixed points of inference: LASSO, ridge regression, strong inputs | `coding` |
//! | gradients of the published rule through time | `gradients` |
//! | the fused spiking network, against the composed operations | `spiking` |
//! | fused Gaussian and Laplace networks, against the composed operations and differences | `location_scale` |
//! | the event-driven engine, against inference with tensors | `engine` |
//! | priors in time: static, carried, learned | `predictive` |
//! | learning with beliefs held fixed | `fixed_belief` |
//! | point estimates without a graph, against tensor operations | `descent` |
//! | properties for any input | `properties` |
//!
//! Every tolerance is a named constant with its reason. Cases that take a device run on every device
//! that is found (`devices`); a device that is not there is named on stderr.
#![recursion_limit = "256"]

#[path = "science/amortised.rs"]
mod amortised;
#[path = "science/certified_step.rs"]
mod certified_step;
#[path = "science/coding.rs"]
mod coding;
#[path = "science/decoders.rs"]
mod decoders;
#[path = "science/descent.rs"]
mod descent;
#[path = "science/devices.rs"]
mod devices;
#[path = "science/dressing.rs"]
mod dressing;
#[path = "science/engine.rs"]
mod engine;
#[path = "science/fixed_belief.rs"]
mod fixed_belief;
#[path = "science/golden/mod.rs"]
mod golden;
#[path = "science/gradients.rs"]
mod gradients;
#[path = "science/implicit_step.rs"]
mod implicit_step;
#[path = "science/location_scale.rs"]
mod location_scale;
#[path = "science/methods/mod.rs"]
mod methods;
#[path = "science/neural_flow.rs"]
mod neural_flow;
#[path = "science/numbers.rs"]
mod numbers;
#[path = "science/posteriors/mod.rs"]
mod posteriors;
#[path = "science/predictive.rs"]
mod predictive;
#[path = "science/properties.rs"]
mod properties;
#[path = "science/recursive_elbo/mod.rs"]
mod recursive_elbo;
#[path = "science/sampler/mod.rs"]
mod sampler;
#[path = "science/spiking.rs"]
mod spiking;
#[path = "science/toy.rs"]
mod toy;
