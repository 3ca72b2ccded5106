//! Statistics that are others in each state, and what is learned of rows by one state.

use super::Learnable;
use crate::Result;
use crate::hmm::pseudo_observations::PseudoObservations;

/// The methods of [`Learnable`] about φ(o), of an emission that adds w φ(o) of a state to its row by a method of its own,
/// `add_statistic(state, o, w, row)`.
macro_rules! statistics_of_states {
    () => {
        /// Of the first state: it is another in each.
        fn statistic(&self, observation: &[f64], into: &mut [f64]) {
            into.fill(0.0);
            self.add_statistic(0, observation, 1.0, into);
        }

        fn statistic_of_state(&self) -> bool {
            true
        }

        fn completed(&self, observation: &[f64], into: &mut [f64]) {
            into.fill(0.0);
            self.accumulate(observation, &vec![1.0; self.states()], &mut [], into);
        }

        fn accumulate(
            &self,
            observation: &[f64],
            weights: &[f64],
            _: &mut [f64],
            into: &mut [f64],
        ) {
            let rows = into.chunks_mut(self.statistic_len()).zip(weights);
            for (s, (row, w)) in rows.enumerate().filter(|(_, (_, w))| **w > 0.0) {
                self.add_statistic(s, observation, *w, row);
            }
        }
    };
}
pub(super) use statistics_of_states;

/// So few that they change no start of a fit, and a perfect regression still has a spread.
pub(super) const FEW: PseudoObservations = PseudoObservations::of_data(1e-3);

/// The M-step of one state on rows, beside what `statistics` `[P]` have already.
pub(in crate::hmm) fn learned<'a, E: Learnable>(
    one: &E,
    mut statistics: Vec<f64>,
    rows: impl Iterator<Item = &'a [f64]>,
    pseudo: PseudoObservations,
) -> Result<E> {
    let mut workspace = vec![0.0; statistics.len()];
    for row in rows {
        one.accumulate(row, &[1.0], &mut workspace, &mut statistics);
    }
    one.maximise(&statistics, pseudo)
}
