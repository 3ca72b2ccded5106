//! The Lorenz system, in its original form and in that of the demonstrations of DEM.

use serde::{Deserialize, Serialize};

use super::equations::linear_in_states;
use super::{Equations, Number, Point, Sizes};

/// What is seen of the three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LorenzOutput {
    /// Their sum, one output.
    #[default]
    Sum,
    /// Each of them.
    Each,
}

/// Lorenz's system in units of bins, θ of three entries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lorenz {
    /// Whether the bilinear terms are doubled (see [`Lorenz::demonstration`]).
    pub doubled: bool,
    /// Units of the system's own time in a bin.
    #[serde(alias = "bin")]
    pub time_step: f64,
    /// What is seen.
    #[serde(alias = "seen")]
    pub output: LorenzOutput,
}

impl Default for Lorenz {
    /// The textbook form, bins of 0.02, all states seen.
    fn default() -> Self {
        Self {
            doubled: false,
            time_step: 0.02,
            output: LorenzOutput::Each,
        }
    }
}

impl Lorenz {
    /// The form of the demonstrations of DEM (eq. G40), whose bilinear terms are doubled because
    /// the field is written as a state-dependent matrix times the state:
    ///
    /// ```text
    /// x' = (1/32) (P1 (x2 − x1), x1 (P3 − 2 x3) − x2, 2 x1 x2 + P2 x3),     y = x1 + x2 + x3
    /// ```
    ///
    /// with θ = P = (18, −4, 46.92).
    pub fn demonstration() -> Self {
        Self {
            doubled: true,
            time_step: 1.0 / 32.0,
            output: LorenzOutput::Sum,
        }
    }

    /// θ: (σ, ρ, β) = (10, 28, 8/3), or P of the doubled form.
    pub fn defaults(&self) -> Vec<f64> {
        match self.doubled {
            true => vec![18.0, -4.0, 46.92],
            false => vec![10.0, 28.0, 8.0 / 3.0],
        }
    }
}

impl Equations for Lorenz {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 3,
            causes: 0,
            outputs: match self.output {
                LorenzOutput::Sum => 1,
                LorenzOutput::Each => 3,
            },
            parameters: 3,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (&[x1, x2, x3], &[p1, p2, p3]) = (at.x, at.theta) else {
            return;
        };
        let (twist, stretch) = match self.doubled {
            true => (
                x1 * (p3 - x3.scaled(2.0)) - x2,
                (x1 * x2).scaled(2.0) + p2 * x3,
            ),
            false => (x1 * (p2 - x3) - x2, x1 * x2 - p3 * x3),
        };
        for (o, field) in out.iter_mut().zip([p1 * (x2 - x1), twist, stretch]) {
            *o = field.scaled(self.time_step);
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        match self.output {
            LorenzOutput::Each => out.copy_from_slice(at.x),
            LorenzOutput::Sum => out.fill(at.x.iter().fold(T::constant(0.0), |sum, &x| sum + x)),
        }
    }

    linear_in_states!();
}
