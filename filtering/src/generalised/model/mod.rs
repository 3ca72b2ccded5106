//! Models x' = f(x, v, θ) + w, y = g(x, v, θ) + z, written once and differentiated exactly.
//!
//! | question | file |
//! |---|---|
//! | over which numbers are f and g written | `number.rs` |
//! | numbers that carry a derivative | `dual.rs` |
//! | f, g, and their first and second derivatives | `equations.rs` |
//! | x' = A x + B v, y = C x | `linear.rs` |
//! | precisions of noise with unknown scales | `precision.rs` |
//! | levels, priors, starts: the whole model | `generative.rs` |
mod dual;
mod equations;
mod generative;
mod linear;
mod number;
mod precision;

pub use dual::Dual;
pub use equations::{Argument, Equations, Point, Sizes};
pub use generative::{CausePrior, GenerativeModel, Level};
pub use linear::Linear;
pub use number::Number;
pub use precision::{GaussianPrior, NoisePrecision};
