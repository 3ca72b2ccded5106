//! Dual numbers a + b ε with ε² = 0.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::Number;

/// A value and its derivative along one direction (forward-mode differentiation).
///
/// Exact to rounding: φ(a + bε) = φ(a) + φ'(a) b ε. A dual of duals carries a second derivative in
/// `slope.slope`.
///
/// ```
/// use scotopic_filtering::generalised::model::{Dual, Number};
/// // d²/dx² sin x = −sin x
/// let x = Dual { value: Dual::variable(0.3), slope: Dual::constant(1.0) };
/// assert!((x.sin().slope.slope + f64::sin(0.3)).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<T = f64> {
    /// The value a.
    pub value: T,
    /// The derivative b.
    pub slope: T,
}

impl<T: Number> Dual<T> {
    /// The variable of differentiation: slope 1.
    pub fn variable(value: T) -> Self {
        let slope = T::constant(1.0);
        Self { value, slope }
    }

    /// A number that does not depend on the variable: slope 0.
    pub fn fixed(value: T) -> Self {
        let slope = T::constant(0.0);
        Self { value, slope }
    }

    /// φ(a) with derivative φ'(a) b.
    fn chain(self, value: T, derivative: T) -> Self {
        let slope = derivative * self.slope;
        Self { value, slope }
    }
}

impl<T: Number> Add for Dual<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (value, slope) = (self.value + other.value, self.slope + other.slope);
        Self { value, slope }
    }
}

impl<T: Number> Sub for Dual<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let (value, slope) = (self.value - other.value, self.slope - other.slope);
        Self { value, slope }
    }
}

impl<T: Number> Mul for Dual<T> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let value = self.value * other.value;
        let slope = self.slope * other.value + self.value * other.slope;
        Self { value, slope }
    }
}

impl<T: Number> Div for Dual<T> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let slope = (self.slope - value * other.slope) / other.value;
        Self { value, slope }
    }
}

impl<T: Number> Neg for Dual<T> {
    type Output = Self;
    fn neg(self) -> Self {
        let (value, slope) = (-self.value, -self.slope);
        Self { value, slope }
    }
}

impl<T: Number> AddAssign for Dual<T> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Number> SubAssign for Dual<T> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<T: Number> Number for Dual<T> {
    fn constant(value: f64) -> Self {
        Self::fixed(T::constant(value))
    }
    fn value(self) -> f64 {
        self.value.value()
    }
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }
    fn ln(self) -> Self {
        self.chain(self.value.ln(), T::constant(1.0) / self.value)
    }
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    fn tanh(self) -> Self {
        let t = self.value.tanh();
        self.chain(t, T::constant(1.0) - t * t)
    }
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, T::constant(0.5) / root)
    }
    fn powi(self, power: i32) -> Self {
        match power {
            0 => Self::constant(1.0),
            _ => {
                let below = self.value.powi(power - 1);
                self.chain(below * self.value, below.scaled(f64::from(power)))
            }
        }
    }
    fn scaled(self, factor: f64) -> Self {
        let (value, slope) = (self.value.scaled(factor), self.slope.scaled(factor));
        Self { value, slope }
    }
    fn derivatives(self) -> [f64; 4] {
        let (value, slope) = (self.value.derivatives(), self.slope.derivatives());
        [value[0], slope[0], value[1], slope[1]]
    }
    fn from_derivatives([value, outer, inner, mixed]: [f64; 4]) -> Self {
        Self {
            value: T::from_derivatives([value, inner, 0.0, 0.0]),
            slope: T::from_derivatives([outer, mixed, 0.0, 0.0]),
        }
    }
}
