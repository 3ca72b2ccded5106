//! What every scheme takes in and gives out, so that they can be run side by side.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Embedding orders and assumed smoothness, in bins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Embedding {
    /// The highest derivative of states and data that is kept (N).
    pub states: usize,
    /// The highest derivative of causes that is kept (d).
    pub causes: usize,
    /// The smoothness s of the noise in bins: its autocorrelation is exp(−h²/4s²); 0 for white noise.
    pub smoothness: f64,
}

impl Default for Embedding {
    /// N = 6, d = 2 and s = ½: the defaults of the published schemes.
    fn default() -> Self {
        Self {
            states: 6,
            causes: 2,
            smoothness: 0.5,
        }
    }
}

impl Embedding {
    /// Checks that the smoothness is a time and the orders are not absurd.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        if !(self.smoothness >= 0.0 && self.smoothness.is_finite()) {
            return Err(Error::setting(
                "smoothness",
                self.smoothness,
                "a time in bins, at least 0",
            ));
        }
        for (field, order) in [("states", self.states), ("causes", self.causes)] {
            if order > 15 {
                return Err(Error::setting(field, order, "an order up to 15"));
            }
        }
        Ok(())
    }
}

/// An online scheme: one observation in, a belief about states and causes out.
///
/// After `update` has been given y_1 … y_t the belief is about bin t − `lag()`. Schemes that embed samples in
/// derivatives of order N have no belief before N + 1 samples: means and covariances are 0 until then. A failed
/// update leaves the scheme as it was.
pub trait Scheme {
    /// Takes in the next observation `[outputs]`, `None` for a missing one.
    ///
    /// # Errors
    /// What is wrong with the observation, or which term (f, g, a precision) failed, and at which bin.
    fn update(&mut self, observation: Option<&[f64]>) -> Result<()>;

    /// The number of observations taken in, missing ones included.
    fn bins(&self) -> u64;

    /// How many bins the belief lies behind the last observation; 0 for the filtering belief.
    fn lag(&self) -> usize;

    /// Means of the states of all levels, `[states]`.
    fn states(&self) -> &[f64];

    /// Covariance of the states, row-major `[states, states]`.
    fn state_covariance(&self) -> &[f64];

    /// Means of the causes of all levels, `[causes]`.
    fn causes(&self) -> &[f64];

    /// Covariance of the causes, row-major `[causes, causes]`.
    fn cause_covariance(&self) -> &[f64];

    /// The log evidence of the samples, Σ ln p(y_t | y_1 … y_{t−1}), in nats, where the scheme defines
    /// one: it can be compared across orders, smoothness and models. The free energy of embedded data is
    /// none such, because every order adds data of its own.
    fn log_evidence(&self) -> Option<f64> {
        None
    }
}
