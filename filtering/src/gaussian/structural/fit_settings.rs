//! How a structural model is fitted.

use serde::{Deserialize, Serialize};

/// How a structural model is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StructuralSettings {
    /// Starts: one from the data's spread (or the values given), the others at random.
    pub restarts: usize,
    /// Seed of the random starts. The same seed gives the same fit, bit for bit, on any number of threads.
    pub seed: u64,
    /// Threads that the starts are divided between; 0 is one a core.
    pub threads: usize,
    /// At most so many quasi-Newton steps from a start.
    pub max_iterations: usize,
    /// Converged where no entry of the gradient is larger, in nats per unit of ln σ² (or of the coordinates of a period,
    /// damping or partial autocorrelation).
    pub tolerance: f64,
}

impl Default for StructuralSettings {
    fn default() -> Self {
        Self {
            // The likelihood of variances has few optima; ten starts have found the best in all series tried.
            restarts: 10,
            seed: 0,
            threads: 0,
            // Each start takes 10 to 40.
            max_iterations: 500,
            // At this gradient ln p is within some 1e-12 nats of its maximum.
            tolerance: 1e-6,
        }
    }
}
