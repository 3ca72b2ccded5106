//! The true states that beliefs are scored against: the number of one state, or a vector, before which a switching model may have the
//! number of its regime.

use anyhow::{Result, bail, ensure};
use scotopic_filtering::{AnyFilter, Belief, Filter as _};

/// Whether these can be the true states of one bin: all of them finite, or the number of one state from 1; of a switching model
/// also the number of the regime before them.
///
/// # Errors
/// Says what was found.
pub fn check(filter: &AnyFilter, truth: &[f64]) -> Result<()> {
    let is_one = |x: f64, of: usize| (1..=of).any(|k| k as f64 == x);
    let (states, vector) = match filter.belief() {
        Belief::Discrete(belief) => {
            ensure!(
                truth.len() == 1,
                "found {} true states in a row, expected 1",
                truth.len()
            );
            (belief.len(), &[][..])
        }
        Belief::Gaussian(belief) => {
            let (n, regimes) = (belief.mean.len(), belief.regimes.len());
            let with_regime = regimes > 0 && truth.len() == n + 1;
            let also = if regimes > 0 {
                ", or the regime and these"
            } else {
                ""
            };
            ensure!(
                truth.len() == n || with_regime,
                "found {} true states in a row, expected {n}{also}",
                truth.len()
            );
            match with_regime {
                true => (regimes, &truth[1..]),
                false => (0, truth),
            }
        }
    };
    ensure!(
        states == 0 || is_one(truth[0], states),
        "{} is no state; the states are 1 to {states}",
        truth[0]
    );
    match vector.iter().find(|x| !x.is_finite()) {
        Some(x) => bail!("{x} is no state: a finite number is"),
        None => Ok(()),
    }
}

/// The number of the regime, from 0, and the states of a row that was checked, under a belief about `n` states.
pub fn of_vector(truth: &[f64], n: usize) -> (Option<usize>, &[f64]) {
    match truth {
        [regime, states @ ..] if states.len() == n => {
            (Some((*regime as usize).saturating_sub(1)), states)
        }
        states => (None, states),
    }
}
