//! The numbers over which equations of motion are written.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A real number, or one that carries a derivative along ([`super::Dual`]).
///
/// Equations written over any `Number` are evaluated on `f64` and differentiated on duals without being
/// written twice.
///
/// ```
/// use scotopic_filtering::generalised::model::{Dual, Number};
/// fn cube<T: Number>(x: T) -> T {
///     x * x * x
/// }
/// assert_eq!(cube(2.0), 8.0);
/// assert_eq!(cube(Dual::variable(2.0)).slope, 12.0);
/// ```
pub trait Number:
    Copy
    + Debug
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    /// A constant: its derivative is zero.
    fn constant(value: f64) -> Self;
    /// The real number, without derivatives.
    fn value(self) -> f64;
    /// e to this power.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// A whole power.
    fn powi(self, power: i32) -> Self;
    /// This number times a real one.
    fn scaled(self, factor: f64) -> Self {
        self * Self::constant(factor)
    }
    /// The value, the derivatives along the outer and the inner direction, and the mixed one; 0 for directions that this
    /// number does not carry.
    fn derivatives(self) -> [f64; 4];
    /// The other way; directions that this number does not carry are left out.
    fn from_derivatives(derivatives: [f64; 4]) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }
    fn value(self) -> f64 {
        self
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn sin(self) -> Self {
        libm::sin(self)
    }
    fn cos(self) -> Self {
        libm::cos(self)
    }
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    fn sqrt(self) -> Self {
        libm::sqrt(self)
    }
    fn powi(self, power: i32) -> Self {
        f64::powi(self, power)
    }
    fn derivatives(self) -> [f64; 4] {
        [self, 0.0, 0.0, 0.0]
    }
    fn from_derivatives([value, ..]: [f64; 4]) -> Self {
        value
    }
}
