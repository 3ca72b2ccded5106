//! Adaptive integration of u̇ = φ(u) by the pair of orders 5 and 4 of Dormand and Prince (1980).

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Tolerances of the integration: an error of a step is kept below `absolute + relative·|u|`, root mean square.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RungeKutta45 {
    /// Relative to |u|.
    pub relative: f64,
    /// In units of u.
    pub absolute: f64,
}

impl Default for RungeKutta45 {
    /// 10⁻³ and 10⁻⁶: those of the published network.
    fn default() -> Self {
        Self {
            relative: 1e-3,
            absolute: 1e-6,
        }
    }
}

/// Steps after which a flow counts as too stiff.
const MOST_STEPS: usize = 100_000;

const NODES: [[f64; 6]; 6] = [
    [1.0 / 5.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0 / 40.0, 9.0 / 40.0, 0.0, 0.0, 0.0, 0.0],
    [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0, 0.0, 0.0, 0.0],
    [
        19372.0 / 6561.0,
        -25360.0 / 2187.0,
        64448.0 / 6561.0,
        -212.0 / 729.0,
        0.0,
        0.0,
    ],
    [
        9017.0 / 3168.0,
        -355.0 / 33.0,
        46732.0 / 5247.0,
        49.0 / 176.0,
        -5103.0 / 18656.0,
        0.0,
    ],
    [
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
];

/// The difference of the two orders.
const DIFFERENCE: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

/// Workspace for the slopes of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Workspace {
    slopes: [Vec<f64>; 7],
    trial: Vec<f64>,
}

impl Workspace {
    pub fn new(size: usize) -> Self {
        Self {
            slopes: std::array::from_fn(|_| vec![0.0; size]),
            trial: vec![0.0; size],
        }
    }
}

impl RungeKutta45 {
    pub(super) fn check(&self) -> Result<()> {
        for (field, tolerance) in [("relative", self.relative), ("absolute", self.absolute)] {
            if !(tolerance > 0.0 && tolerance.is_finite()) {
                return Err(Error::setting(field, tolerance, "a positive number"));
            }
        }
        Ok(())
    }

    /// Moves u along `flow(u, slope)` for a time `end`.
    ///
    /// # Errors
    /// What the flow says; [`Error::NotFinite`] for a flow that leaves the range of numbers or asks for more than
    /// 100 000 steps.
    pub(super) fn integrate(
        &self,
        u: &mut [f64],
        end: f64,
        workspace: &mut Workspace,
        mut flow: impl FnMut(&[f64], &mut [f64]) -> Result<()>,
    ) -> Result<()> {
        let Workspace { slopes, trial } = workspace;
        flow(u, &mut slopes[0])?;
        let mut t = 0.0;
        let mut h = self.first_step(u, &slopes[0]).min(end);
        for _ in 0..MOST_STEPS {
            if t >= end {
                return Ok(());
            }
            h = h.min(end - t);
            for stage in 0..6 {
                for (i, slot) in trial.iter_mut().enumerate() {
                    let slope: f64 = (0..=stage).map(|k| NODES[stage][k] * slopes[k][i]).sum();
                    *slot = u[i] + h * slope;
                }
                flow(trial, &mut slopes[stage + 1])?;
            }
            let mut sum = 0.0;
            for i in 0..u.len() {
                let off: f64 = (0..7).map(|k| DIFFERENCE[k] * slopes[k][i]).sum();
                let scale = self.absolute + self.relative * u[i].abs().max(trial[i].abs());
                sum += (h * off / scale).powi(2);
            }
            let error = libm::sqrt(sum / u.len().max(1) as f64);
            if !error.is_finite() {
                return Err(Error::NotFinite {
                    index: 0,
                    what: "the motion of the beliefs",
                    found: error,
                });
            }
            if error < 1.0 {
                t += h;
                u.copy_from_slice(trial);
                let (first, last) = slopes.split_at_mut(6);
                first[0].copy_from_slice(&last[0]);
            }
            let factor = 0.9 * libm::pow(error.max(1e-10), -0.2);
            h *= factor.clamp(0.2, if error < 1.0 { 10.0 } else { 1.0 });
        }
        Err(Error::NotFinite {
            index: 0,
            what: "the time the beliefs take (the flow is too stiff; use local linearisation)",
            found: t,
        })
    }

    /// A step over which the flow changes u by a hundredth of the tolerance's scale, or a fixed small one.
    fn first_step(&self, u: &[f64], slope: &[f64]) -> f64 {
        let scale = |i: usize| self.absolute + self.relative * u[i].abs();
        let norm = |v: &[f64]| -> f64 {
            let sum: f64 = v
                .iter()
                .enumerate()
                .map(|(i, x)| (x / scale(i)).powi(2))
                .sum();
            libm::sqrt(sum / v.len().max(1) as f64)
        };
        let (size, speed) = (norm(u), norm(slope));
        match size < 1e-5 || speed < 1e-5 {
            true => 1e-6,
            false => 0.01 * size / speed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_comes_round() {
        let fine = RungeKutta45 {
            relative: 1e-10,
            absolute: 1e-12,
        };
        let mut u = [1.0, 0.0];
        let turn = |u: &[f64], d: &mut [f64]| {
            (d[0], d[1]) = (u[1], -u[0]);
            Ok(())
        };
        let end = 2.0 * std::f64::consts::PI;
        fine.integrate(&mut u, end, &mut Workspace::new(2), turn)
            .unwrap();
        assert!((u[0] - 1.0).abs() < 1e-8 && u[1].abs() < 1e-8, "{u:?}");
    }

    #[test]
    fn a_flow_that_blows_up_is_an_error() {
        let mut u = [1.0];
        let blow = |u: &[f64], d: &mut [f64]| {
            d[0] = u[0] * u[0];
            Ok(())
        };
        let found = RungeKutta45::default().integrate(&mut u, 2.0, &mut Workspace::new(1), blow);
        assert!(matches!(found, Err(Error::NotFinite { .. })));
    }
}
