//! Models whose states do not interact: attraction to a point, a wave, two wells.

use serde::{Deserialize, Serialize};

use super::equations::linear_in_states;
use super::{Equations, Number, Point, Sizes};

/// f = −rate (x − target) for each of `size` states, observed directly, θ = (rate, target).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pullback {
    /// The number of states.
    pub size: usize,
}

impl Default for Pullback {
    /// Two states, as in the published predictive coding network.
    fn default() -> Self {
        Self { size: 2 }
    }
}

impl Pullback {
    /// θ = (½, 1): f = −½ (x − 1).
    pub fn defaults(&self) -> Vec<f64> {
        vec![0.5, 1.0]
    }
}

impl Equations for Pullback {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: self.size,
            causes: 0,
            outputs: self.size,
            parameters: 2,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        for (o, &x) in out.iter_mut().zip(at.x) {
            *o = at.theta[0] * (at.theta[1] - x);
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }

    linear_in_states!();
}

/// f = rate · sin x for each of `size` states, observed directly, θ = (rate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trigonometric {
    /// The number of states.
    pub size: usize,
}

impl Default for Trigonometric {
    /// One state.
    fn default() -> Self {
        Self { size: 1 }
    }
}

impl Trigonometric {
    /// θ = (1): f = sin x.
    pub fn defaults(&self) -> Vec<f64> {
        vec![1.0]
    }
}

impl Equations for Trigonometric {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: self.size,
            causes: 0,
            outputs: self.size,
            parameters: 1,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        for (o, &x) in out.iter_mut().zip(at.x) {
            *o = at.theta[0] * x.sin();
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }

    linear_in_states!();
}

/// x' = (1/8) (16 x/(1 + x²) − x/2 + 2 v), y = x²/16: two wells that the output does not distinguish; no θ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DoubleWell {}

impl Equations for DoubleWell {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 1,
            causes: 1,
            outputs: 1,
            parameters: 0,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (x, v) = (at.x[0], at.v[0]);
        let well = x.scaled(16.0) / (T::constant(1.0) + x * x);
        out[0] = (well - x.scaled(0.5) + v.scaled(2.0)).scaled(0.125);
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = (at.x[0] * at.x[0]).scaled(1.0 / 16.0);
    }

    fn output_sees_causes(&self) -> bool {
        false
    }

    fn output_has_parameters(&self) -> bool {
        false
    }
}

/// The FitzHugh–Nagumo neuron: the voltage x1' = x1 − x1³/3 − x2 + v is observed, its recovery
/// x2' = ε (x1 + a − b x2) is not; the current v is a cause; θ = (a, b, ε).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitzHughNagumo {
    /// Units of the system's own time in a bin.
    #[serde(alias = "bin")]
    pub time_step: f64,
}

impl Default for FitzHughNagumo {
    /// Bins of 0.2.
    fn default() -> Self {
        Self { time_step: 0.2 }
    }
}

impl FitzHughNagumo {
    /// θ = (0.7, 0.8, 0.08).
    pub fn defaults(&self) -> Vec<f64> {
        vec![0.7, 0.8, 0.08]
    }
}

impl Equations for FitzHughNagumo {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 2,
            causes: 1,
            outputs: 1,
            parameters: 3,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (&[voltage, recovery], &[a, b, rate]) = (at.x, at.theta) else {
            return;
        };
        let cubic = voltage.powi(3).scaled(1.0 / 3.0);
        out[0] = (voltage - cubic - recovery + at.v[0]).scaled(self.time_step);
        out[1] = (rate * (voltage + a - b * recovery)).scaled(self.time_step);
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.x[0];
    }

    linear_in_states!();
}
