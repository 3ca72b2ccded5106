//! W_t in one of the forms that a filter can carry.

use serde::{Deserialize, Serialize};

use super::{Quadratic, Table};
use crate::{Error, Result};

/// How W_t is carried from one observation to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Representation {
    /// By the quadratic that is nearest to W_t in the mean square under q_t. Any dimension, exact in a
    /// linear-Gaussian model. Elsewhere the reported bound is an **estimate**: W_t is then read, later, where
    /// the smoothed law of x_t is, and the part of W_t that is no quadratic is missed there. Single
    /// increments can err to either side (by 0.05 nats in 40 observations of the models in
    /// [`models`](super::models)); [`MonteCarloBound`](super::MonteCarloBound) measures the true bound of the same q.
    Quadratic,
    /// By a table of so many nodes that reach at least so many standard deviations of q_t to each side.
    /// One dimension only. The reported bound is the bound of the q that was built, up to interpolation and
    /// quadrature (1e-5 nats in a hundred observations or so, at the defaults).
    Table {
        /// The number of nodes, at least 5.
        nodes: usize,
        /// Standard deviations.
        reach: f64,
    },
}

impl Representation {
    /// A table of 257 nodes that reach 8 standard deviations.
    pub fn table() -> Self {
        Representation::Table {
            nodes: 257,
            reach: 8.0,
        }
    }

    pub(crate) fn check(self, n: usize) -> Result<()> {
        let Representation::Table { nodes, reach } = self else {
            return Ok(());
        };
        if n != 1 {
            let found = format!("a table of a state of {n} dimensions");
            let expected = "one dimension, or Representation::Quadratic";
            return Err(Error::setting("representation", found, expected));
        }
        let enough = (5..=1_000_000).contains(&nodes);
        if !(enough && reach > 0.0 && reach.is_finite()) {
            let found = format!("{nodes} nodes over {reach}");
            let expected = "5 to 1 000 000 nodes and a positive reach";
            return Err(Error::setting("representation", found, expected));
        }
        Ok(())
    }
}

/// W_t(x) − L_t: the value of a state, less the bound so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A quadratic.
    Quadratic(Quadratic),
    /// A table of one dimension.
    Table(Table),
}

impl Value {
    pub(crate) fn zero(representation: Representation, n: usize) -> Self {
        match representation {
            Representation::Quadratic => Value::Quadratic(Quadratic::zero(n)),
            Representation::Table { nodes, .. } => Value::Table(Table::zero(nodes)),
        }
    }

    /// W_t(x) − L_t, in nats, of a state `[n]`.
    pub fn at(&self, state: &[f64]) -> f64 {
        match self {
            Value::Quadratic(w) => w.value(state),
            Value::Table(w) => w.value(state[0]),
        }
    }
}
