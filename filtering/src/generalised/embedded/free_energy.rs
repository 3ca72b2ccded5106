//! The free energy of embedded data, bin by bin.
//!
//! ```text
//! F_t = −½ eᵀ iS e − ½ n·outputs·ln 2π + ½ ln det iS + ½ ln det C_u
//! ```
//!
//! in nats, e and C_u at bin t (a lower bound on a log evidence: larger is better). It is the evidence of
//! the generalised data ỹ, which overlap from bin to bin: every order adds data, so values of different
//! orders or smoothness cannot be compared. The published form leaves out errors whose fixed precision is
//! e¹⁶ or more.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::energy::{energy, log_det};

/// Which errors count and what is the same for every bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreeEnergy {
    /// Errors that count, `[errors]`.
    pub kept: Vec<bool>,
    /// −½ n·outputs·ln 2π + ½ ln det iS over them.
    pub constant: f64,
}

impl FreeEnergy {
    /// For data of `data` entries a bin (all orders), iS `[errors, errors]` and the errors that count.
    pub fn new(data: usize, precision: &DMatrix<f64>, kept: Vec<bool>) -> Self {
        let ln_2pi = libm::log(2.0 * std::f64::consts::PI);
        let constant = 0.5 * log_det(precision, &kept) - 0.5 * data as f64 * ln_2pi;
        Self { kept, constant }
    }

    /// F_t without the entropy of the states: −½ eᵀ iS e and what is the same for every bin.
    pub fn accuracy(&self, precision: &DMatrix<f64>, errors: &DVector<f64>) -> f64 {
        self.constant - energy(precision, errors, &self.kept)
    }
}
