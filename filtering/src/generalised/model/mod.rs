//! Models x' = f(x, v, θ) + w, y = g(x, v, θ) + z, written once and differentiated exactly.
//!
//! | subject | file |
//! |---|---|
//! | number types of f and g | `number.rs` |
//! | dual numbers | `dual.rs` |
//! | f, g, and their first and second derivatives | `equations.rs` |
//! | f and g as closures | `closures.rs` |
//! | x' = A x + B v, y = C x | `linear.rs` |
//! | Lorenz's system, both forms | `lorenz.rs` |
//! | Lotka–Volterra, two and many species | `population.rs` |
//! | scalar models: pullback, trigonometric, double well, FitzHugh–Nagumo | `scalar.rs` |
//! | f or g as a network: layers, weights, evaluation | `network.rs` |
//! | its Jacobians by input and by weight | `network/sweep.rs` |
//! | f and g that are networks, as equations | `neural.rs`, as files hold them `neural/file.rs` |
//! | models by name, for files | `named.rs` |
//! | precisions of noise with unknown scales | `precision.rs` |
//! | f, g and Jacobians at one point, all levels stacked | `stacked.rs`: [`Local`], [`Stack`] |
//! | levels, priors, starts: the whole model | `generative.rs` |
mod closures;
mod dual;
mod equations;
mod generative;
mod linear;
mod lorenz;
mod named;
mod network;
mod neural;
mod number;
mod population;
mod precision;
mod scalar;
pub(crate) mod stacked;

pub use closures::{Closures, Jet};
pub use dual::Dual;
pub use equations::{Argument, Equations, Point, Sizes};
pub use generative::{CausePrior, GenerativeModel, Level};
pub use linear::Linear;
pub use lorenz::{Lorenz, LorenzOutput};
pub use named::{AnyEquations, LinearRows, ModelFile, Named};
pub use network::{Activation, Layer, Network};
pub use neural::Neural;
pub use number::Number;
pub use population::{GeneralisedLotkaVolterra, LotkaVolterra};
pub use precision::{GaussianPrior, NoisePrecision};
pub use scalar::{DoubleWell, FitzHughNagumo, Pullback, Trigonometric};
pub use stacked::{Derivatives, Local, PUBLISHED_STEP, Stack};
