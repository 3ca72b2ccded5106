//! The published implementation, number by number.
//!
//! The numbers were recorded by running it with its randomness recorded too. Every case comes in f64
//! and f32: the f64 file is the same run with the recorded inputs promoted, so rounding its inputs to
//! f32 gives the f32 inputs back exactly, and its results are what both precisions are held against.
//!
//! Deviations are `max|a − b| / max|b|` tensor by tensor, and the largest of a group counts; this is
//! also how the recording states its own f32 against its f64.

mod case;
mod file;
mod indicators;
mod primitives;
mod replay;
mod schedules;
mod single_steps;

pub use case::Case;
pub use file::recordings;

/// f64: some 10⁵ roundings of 10⁻¹⁶ stand between input and result, and no formula here cancels more
/// than two digits; a wrong term or constant shows at 10⁻³ and above.
pub const DOUBLE: f64 = 1e-9;

/// f32: this many times what the published f32 run deviates from its own f64 run (another order of
/// summation, and the device's own `exp`).
pub const TIMES_STATED: f64 = 10.0;

/// f32: eight units in the last place, where the recording states less (its inputs, for example).
pub const SINGLE_FLOOR: f64 = 8.0 * f32::EPSILON as f64;
