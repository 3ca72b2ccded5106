//! Many observations taken in by a filter.

use pyo3::prelude::*;
use scotopic_filtering::{Belief, GaussianBelief};

use crate::errors::Result;
use crate::inner::Inner;
use crate::observations::Observations;

/// What a filter believes after each of many observations.
#[derive(Default)]
pub struct Beliefs {
    /// Probabilities `[T, K]` of a discrete state, means `[T, n]` of another.
    pub means: Vec<f64>,
    /// Covariances `[T, n, n]`; none of a discrete state.
    pub covariances: Vec<f64>,
    /// ln p(o_t|o_<t) `[T]`, nats.
    pub increments: Vec<f64>,
}

impl Beliefs {
    /// Those of `filter` after each row of `data`, taken in without holding the interpreter.
    ///
    /// # Errors
    /// As `Inner::update`, and what a signal's handler raised.
    pub fn after_each(py: Python<'_>, filter: &mut Inner, data: &Observations) -> Result<Self> {
        /// Observations between two looks at the interpreter.
        const MANY: usize = 1 << 16;
        let mut beliefs = Self::default();
        beliefs.increments.reserve(data.rows());
        for sequence in data.sequences() {
            let rows: Vec<Option<&[f64]>> = sequence.iter().collect();
            for rows in rows.chunks(MANY) {
                py.detach(|| -> Result<()> {
                    for row in rows {
                        let step = filter.update(*row)?;
                        beliefs.increments.push(step.increment);
                        match filter.belief() {
                            Belief::Discrete(q) => beliefs.means.extend_from_slice(q),
                            Belief::Gaussian(GaussianBelief {
                                mean, covariance, ..
                            }) => {
                                beliefs.means.extend_from_slice(mean);
                                beliefs.covariances.extend_from_slice(covariance);
                            }
                        }
                    }
                    Ok(())
                })?;
                py.check_signals()?;
            }
        }
        Ok(beliefs)
    }
}
