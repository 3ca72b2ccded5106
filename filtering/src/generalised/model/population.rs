//! Predator–prey populations.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::equations::linear_in_states;
use super::{Equations, Number, Point, Sizes};

/// Prey and predator, x1' = a x1 − b x1 x2, x2' = −c x2 + d x1 x2, both seen, θ = (a, b, c, d).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LotkaVolterra {
    /// Units of the system's own time in a bin.
    #[serde(alias = "bin")]
    pub time_step: f64,
}

impl Default for LotkaVolterra {
    /// Bins of 0.1.
    fn default() -> Self {
        Self { time_step: 0.1 }
    }
}

impl LotkaVolterra {
    /// θ = (0.7, 0.5, 0.3, 0.2).
    pub fn defaults(&self) -> Vec<f64> {
        vec![0.7, 0.5, 0.3, 0.2]
    }
}

impl Equations for LotkaVolterra {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 2,
            causes: 0,
            outputs: 2,
            parameters: 4,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let (&[prey, predator], &[a, b, c, d]) = (at.x, at.theta) else {
            return;
        };
        let met = prey * predator;
        for (o, field) in out
            .iter_mut()
            .zip([a * prey - b * met, d * met - c * predator])
        {
            *o = field.scaled(self.time_step);
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }

    linear_in_states!();
}

/// x_i' = x_i (r_i + Σ_j A_ij x_j), all species seen, θ = (r, A column by column).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneralisedLotkaVolterra {
    /// Growth rates r, `[species]`.
    pub growth: Vec<f64>,
    /// Interactions A in rows, `[species][species]`.
    pub interactions: Vec<Vec<f64>>,
    /// Units of the system's own time in a bin.
    #[serde(default = "unit", alias = "bin")]
    pub time_step: f64,
}

fn unit() -> f64 {
    1.0
}

impl GeneralisedLotkaVolterra {
    /// Three species in a cycle in which each suppresses the next more than itself (May and Leonard, 1975),
    /// α = 0.8 and β = 1.3: slow oscillations about the common equilibrium, in bins of 0.1.
    pub fn cycle() -> Self {
        let (weak, strong) = (0.8, 1.3);
        Self {
            growth: vec![1.0; 3],
            interactions: vec![
                vec![-1.0, -weak, -strong],
                vec![-strong, -1.0, -weak],
                vec![-weak, -strong, -1.0],
            ],
            time_step: 0.1,
        }
    }

    /// θ of the arrays given.
    pub fn defaults(&self) -> Vec<f64> {
        let n = self.growth.len();
        let matrix = DMatrix::from_fn(n, n, |i, j| {
            let row = self.interactions.get(i);
            row.and_then(|row| row.get(j)).copied().unwrap_or(0.0)
        });
        self.growth.iter().chain(matrix.iter()).copied().collect()
    }
}

impl Equations for GeneralisedLotkaVolterra {
    fn sizes(&self) -> Sizes {
        let n = self.growth.len();
        Sizes {
            states: n,
            causes: 0,
            outputs: n,
            parameters: n + n * n,
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let n = self.growth.len();
        let (growth, matrix) = at.theta.split_at(n);
        for (i, o) in out.iter_mut().enumerate() {
            let mut rate = growth[i];
            for (j, &x) in at.x.iter().enumerate() {
                rate += matrix[j * n + i] * x;
            }
            *o = (at.x[i] * rate).scaled(self.time_step);
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out.copy_from_slice(at.x);
    }

    linear_in_states!();
}
