//! Records of one bin.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::generalised::model::stacked::Local;

/// The belief about one bin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Means of the states `[states]`.
    pub states: Vec<f64>,
    /// Their covariance, row-major `[states, states]`.
    pub state_covariance: Vec<f64>,
    /// Means of the causes `[causes]`.
    pub causes: Vec<f64>,
    /// Their covariance, row-major `[causes, causes]`.
    pub cause_covariance: Vec<f64>,
    /// The prediction g of the data `[outputs]` at these means.
    pub predicted: Vec<f64>,
    /// F_t in nats (see `free_energy.rs`).
    pub free_energy: f64,
    /// F_t without the entropy of the states.
    pub accuracy: f64,
}

impl Record {
    /// Memory for a record of this layout.
    pub fn new(layout: &Layout) -> Self {
        let (nx, nv) = (layout.states, layout.causes);
        Self {
            states: vec![0.0; nx],
            state_covariance: vec![0.0; nx * nx],
            causes: vec![0.0; nv],
            cause_covariance: vec![0.0; nv * nv],
            predicted: vec![0.0; layout.outputs],
            free_energy: 0.0,
            accuracy: 0.0,
        }
    }

    pub(crate) fn take(
        &mut self,
        layout: &Layout,
        unknowns: &[f64],
        covariance: &DMatrix<f64>,
        local: &Local,
    ) {
        let (x, v) = (layout.x(0), layout.v(0));
        self.states.copy_from_slice(&unknowns[x.clone()]);
        self.causes.copy_from_slice(&unknowns[v.clone()]);
        for (range, block) in [
            (x, &mut self.state_covariance),
            (v, &mut self.cause_covariance),
        ] {
            let n = range.len();
            for (k, entry) in block.iter_mut().enumerate() {
                *entry = covariance[(range.start + k / n, range.start + k % n)];
            }
        }
        let g = &local.g.as_slice()[..layout.outputs];
        self.predicted.copy_from_slice(g);
    }

    /// Becomes `other` without reallocating.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.states.clone_from(&other.states);
        self.state_covariance.clone_from(&other.state_covariance);
        self.causes.clone_from(&other.causes);
        self.cause_covariance.clone_from(&other.cause_covariance);
        self.predicted.clone_from(&other.predicted);
        (self.free_energy, self.accuracy) = (other.free_energy, other.accuracy);
    }

    /// Variances of the states `[states]`.
    pub fn state_variances(&self) -> impl Iterator<Item = f64> + '_ {
        self.state_covariance
            .iter()
            .copied()
            .step_by(self.states.len() + 1)
    }

    /// Variances of the causes `[causes]`.
    pub fn cause_variances(&self) -> impl Iterator<Item = f64> + '_ {
        self.cause_covariance
            .iter()
            .copied()
            .step_by(self.causes.len() + 1)
    }
}
