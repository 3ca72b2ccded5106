//! Expected complete-data statistics, one kernel at a time.

use super::carried::{Carried, Term};
use super::scratch::Scratch;
use crate::{Error, Result};

/// What a posterior over paths expects to have been counted: the statistics that EM maximises from.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// E[1{s_1 = i}] `[K]`.
    pub initial: Vec<f64>,
    /// E[Σ_t 1{s_{t−1} = i, s_t = j}] `[K, K]`.
    pub transitions: Vec<f64>,
    /// E[Σ_t 1{s_t = j} φ(o_t)] `[K, P]`.
    pub emission: Vec<f64>,
}

impl Counts {
    /// From a row of [`Carried`], whose transitions have the new state first.
    pub(super) fn of_row(states: usize, row: &[f64]) -> Self {
        let (initial, rest) = row.split_at(states);
        let (turned, emissions) = rest.split_at(states * states);
        let mut transitions = vec![0.0; states * states];
        turn(states, turned, &mut transitions);
        Self {
            initial: initial.to_vec(),
            transitions,
            emission: emissions.to_vec(),
        }
    }
}

/// The transpose of a square matrix.
pub(super) fn turn(states: usize, from: &[f64], to: &mut [f64]) {
    for (j, row) in from.chunks_exact(states).enumerate() {
        for (i, &x) in row.iter().enumerate() {
            to[i * states + j] = x;
        }
    }
}

/// N_t `[K, K, K]` and E_t `[K, K·P]` of eq. F22: the statistics of the past, given each present state.
///
/// ```text
/// N_t[j] = κ Σ_i b_t[j][i] N_{t−1}[i] + g Σ_i b_t[j][i] e_i e_jᵀ
/// E_t[j] = κ Σ_i b_t[j][i] E_{t−1}[i] + g φ(o_t) in row j
/// ```
///
/// The kernels may be any; with those of the filter, `E_{q_T}[N_T] = Σ_t ξ_t`, the pairs of the smoother, without
/// a backward pass. κ = g = 1 counts; κ = 1 − γ_t, g = γ_t averages.
///
/// ```
/// use scotopic_filtering::hmm::RecursiveStatistics;
/// # fn main() -> scotopic_filtering::Result<()> {
/// // Two states, two symbols; symbol 0, then 1. The kernel says that the states are always the same.
/// let mut sums = RecursiveStatistics::start(2, 2, Some(&[1.0, 0.0]))?;
/// sums.advance(&[1.0, 0.0, 0.0, 1.0], 1.0, 1.0, Some(&[0.0, 1.0]))?;
/// let counts = sums.expected(&[0.25, 0.75])?;
/// assert_eq!(counts.initial, [0.25, 0.75]);
/// assert_eq!(counts.transitions, [0.25, 0.0, 0.0, 0.75]);
/// assert_eq!(counts.emission, [0.25, 0.25, 0.75, 0.75]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RecursiveStatistics {
    states: usize,
    statistic: usize,
    carried: Carried,
    scratch: Scratch,
}

impl RecursiveStatistics {
    /// The statistics at t = 1 of K `states`: φ(o_1) `[P]` with P = `statistic_len`, `None` for a missing
    /// observation.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong P, [`Error::Setting`] for no state or no statistic.
    pub fn start(states: usize, statistic_len: usize, statistic: Option<&[f64]>) -> Result<Self> {
        for (field, size) in [("states", states), ("statistic_len", statistic_len)] {
            if size == 0 {
                return Err(Error::setting(field, size, "at least one"));
            }
        }
        check_size("statistic", statistic, statistic_len)?;
        let mut carried = Carried::new(states, statistic_len, false);
        let len = carried.row_len();
        for (j, row) in carried.table().chunks_exact_mut(len).enumerate() {
            row[j] = 1.0;
            if let Some(statistic) = statistic {
                let at = states * (1 + states) + j * statistic_len;
                row[at..at + statistic_len].copy_from_slice(statistic);
            }
        }
        Ok(Self {
            states,
            statistic: statistic_len,
            carried,
            scratch: Scratch::default(),
        })
    }

    /// One step on, with the kernel `b[j][i]` `[K, K]`, κ = `keep`, g = `gain` and φ(o_t) `[P]`.
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong size; nothing is changed then.
    pub fn advance(
        &mut self,
        kernel: &[f64],
        keep: f64,
        gain: f64,
        statistic: Option<&[f64]>,
    ) -> Result<()> {
        let k = self.states;
        check_size("kernel", Some(kernel), k * k)?;
        check_size("statistic", statistic, self.statistic)?;
        let term = Term::Statistic(statistic);
        self.carried.push(kernel, (keep, gain), term);
        let [unit, belief, past] = self.scratch.rooms([k; 3]);
        self.carried.fold(unit, belief, past);
        Ok(())
    }

    /// `E_q[N_t]` and `E_q[E_t]` for a belief q `[K]` about the present state.
    ///
    /// # Errors
    /// [`Error::Size`] for a belief of another size.
    pub fn expected(&self, belief: &[f64]) -> Result<Counts> {
        let k = self.states;
        check_size("belief", Some(belief), k)?;
        let mut row = vec![0.0; self.carried.row_len()];
        let (mut now, mut past) = (vec![0.0; k], vec![0.0; k]);
        self.carried.expected(belief, &mut row, &mut now, &mut past);
        Ok(Counts::of_row(k, &row))
    }
}

/// Fails unless an array, where there is one, has so many entries.
pub(super) fn check_size(name: &str, array: Option<&[f64]>, expected: usize) -> Result<()> {
    match array {
        Some(array) if array.len() != expected => Err(Error::size(
            name,
            format!("{} entries", array.len()),
            expected,
        )),
        _ => Ok(()),
    }
}
