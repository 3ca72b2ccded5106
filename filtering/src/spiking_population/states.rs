//! All vectors of counts up to a largest one.

use crate::error::check_count;
use crate::{Error, Result};

/// The counts (n_1, …, n_K), each from 0 to `top`; the last neuron's count runs fastest.
///
/// ```
/// use scotopic_filtering::spiking_population::CountGrid;
/// let grid = CountGrid::new(2, 3)?;
/// assert_eq!(grid.len(), 16);
/// assert_eq!(grid.counts(7), [1, 3]);
/// # Ok::<(), scotopic_filtering::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountGrid {
    neurons: usize,
    top: u32,
}

impl CountGrid {
    /// Work grows with the square of the number of states.
    const MOST_STATES: usize = 20_000;

    /// Counts from 0 to `top` of `neurons` neurons.
    ///
    /// # Errors
    /// If there are more than three neurons, or more than 20 000 states.
    pub fn new(neurons: usize, top: u32) -> Result<Self> {
        check_count("neurons", neurons, 1..=3)?;
        let states = (top as usize + 1).checked_pow(neurons as u32);
        match states {
            Some(states) if states <= Self::MOST_STATES => Ok(Self { neurons, top }),
            _ => {
                let expected = format!("a largest count with at most {} states", Self::MOST_STATES);
                Err(Error::setting("top", top, expected))
            }
        }
    }

    /// Number of states.
    #[allow(clippy::len_without_is_empty)] // there is always the state of no spikes
    pub fn len(self) -> usize {
        self.side().pow(self.neurons as u32)
    }

    /// Counts of state number `index`, `[K]`.
    pub fn counts(self, index: usize) -> Vec<u32> {
        let mut counts = vec![0; self.neurons];
        let mut rest = index;
        for count in counts.iter_mut().rev() {
            *count = (rest % self.side()) as u32;
            rest /= self.side();
        }
        counts
    }

    /// K.
    pub fn neurons(self) -> usize {
        self.neurons
    }

    /// top + 1.
    pub(super) fn side(self) -> usize {
        self.top as usize + 1
    }

    /// ∏_k table[k][n_k] of every state; `tables` `[K][top + 1]`.
    pub(super) fn product(self, tables: &[Vec<f64>]) -> Vec<f64> {
        let mut out = vec![1.0];
        for table in tables {
            let longer = out.iter().flat_map(|p| table.iter().map(move |q| p * q));
            out = longer.collect();
        }
        out
    }
}

/// Pois(n; e^u) for n from 0 to `top`, and the probability of a larger count.
pub(super) fn poisson_table(log_rate: f64, top: u32) -> (Vec<f64>, f64) {
    let rate = log_rate.exp();
    let mut p = (-rate).exp();
    let mut table = Vec::with_capacity(top as usize + 1);
    for n in 0..=top {
        table.push(p);
        p *= rate / f64::from(n + 1);
    }
    // The tail summed itself, not 1 − Σ, which would round to 1e-16. Terms fall from n > rate on.
    let (mut tail, mut n) = (0.0, top + 1);
    while p > 0.0 && (f64::from(n) <= rate || p > 1e-18 * tail) {
        tail += p;
        n += 1;
        p *= rate / f64::from(n);
    }
    (table, tail)
}

/// ln n! for n from 0 to `top`.
pub(super) fn log_factorials(top: u32) -> Vec<f64> {
    let mut sum = 0.0;
    let of = |n: u32| {
        sum += f64::from(n.max(1)).ln();
        sum
    };
    (0..=top).map(of).collect()
}
