//! A model with one state more, from one with a state less, and one with a state less.

use rand::{Rng, RngExt};

use crate::Result;
use crate::hmm::{Hmm, Learnable, PseudoObservations, Sample};

/// Transitions of the halves differ by e^±this, at most.
const TURN: f64 = 0.5;

/// The same process with state `split` twice: each half is entered half of the time. ln p(o) is the same.
pub(super) fn doubled<E: Learnable>(model: &Hmm<E>, split: usize) -> Result<Hmm<E>> {
    let k = model.states();
    let order: Vec<usize> = (0..k).chain([split]).collect();
    let share = |new: usize, p: f64| if new == split || new == k { 0.5 * p } else { p };
    let halved = |row: &[f64]| -> Vec<f64> {
        let entries = order.iter().enumerate();
        entries.map(|(new, &old)| share(new, row[old])).collect()
    };
    let rows = |i: usize| &model.transition()[i * k..(i + 1) * k];
    Hmm::from_flat(
        halved(model.initial()),
        order.iter().flat_map(|&i| halved(rows(i))).collect(),
        model.emission().relabelled(&order),
    )
}

/// The process watched outside of state `removed`, of which there are others: a path through it goes on to where it leaves to,
///
/// ```text
/// A'_ij = A_ij + A_ir A_rj / (1 − A_rr),   π'_j = π_j + π_r A_rj / (1 − A_rr)
/// ```
///
/// # Errors
/// Where `removed` is never left.
pub(super) fn without<E: Learnable>(model: &Hmm<E>, removed: usize) -> Result<Hmm<E>> {
    let k = model.states();
    let order: Vec<usize> = (0..k).filter(|state| *state != removed).collect();
    let rows = |i: usize| &model.transition()[i * k..(i + 1) * k];
    let leaves = rows(removed);
    let left: f64 = order.iter().map(|&j| leaves[j]).sum();
    let past = |row: &[f64]| -> Vec<f64> {
        let entries = order.iter();
        entries
            .map(|&j| row[j] + row[removed] * leaves[j] / left)
            .collect()
    };
    Hmm::from_flat(
        past(model.initial()),
        order.iter().flat_map(|&i| past(rows(i))).collect(),
        model.emission().relabelled(&order),
    )
}

/// [`doubled`], with the halves apart: equal halves stay equal under EM. Each half emits what a few observations drawn
/// from the state look like, given inputs of the data, together with as many that are as expected of it.
///
/// # Errors
/// As [`Learnable::maximise`].
pub(super) fn split<E: Learnable + Sample>(
    model: &Hmm<E>,
    state: usize,
    rows: &[&[f64]],
    rng: &mut impl Rng,
) -> Result<Hmm<E>> {
    let k = model.states();
    let twice = doubled(model, state)?;
    let emission = twice.emission();
    let p = emission.statistic_len();
    let mut statistics = vec![0.0; (k + 1) * p];
    emission.expected_statistic(&mut statistics);
    let drawn = [2, 4, 8, 16][rng.random_range(0..4)];
    let mut observation = vec![0.0; emission.width()];
    let given = emission.inputs().len();
    let outputs = emission.width() - given;
    let mut workspace = vec![0.0; p];
    for half in [state, k] {
        let row = &mut statistics[half * p..(half + 1) * p];
        row.iter_mut().for_each(|s| *s *= f64::from(drawn));
        let mut weights = vec![0.0; k + 1];
        weights[half] = 1.0;
        for _ in 0..drawn {
            if given > 0 {
                let row = rows[rng.random_range(0..rows.len())];
                observation[outputs..].copy_from_slice(&row[outputs..]);
            }
            emission.sample(half, rng, &mut observation);
            emission.accumulate(&observation, &weights, &mut workspace, &mut statistics);
        }
    }
    let emission = emission.maximise(&statistics, PseudoObservations::NONE)?;
    let mut transition = twice.transition().to_vec();
    for row in [state, k] {
        let row = &mut transition[row * (k + 1)..(row + 1) * (k + 1)];
        row.iter_mut()
            .for_each(|a| *a *= (TURN * (2.0 * rng.random::<f64>() - 1.0)).exp());
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|a| *a /= total);
    }
    Hmm::from_flat(twice.initial().to_vec(), transition, emission)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmm::Poisson;

    #[test]
    fn a_chain_without_a_state_is_the_one_that_is_watched_outside_of_it() {
        let emission = Poisson::new(vec![vec![1.0], vec![2.0], vec![3.0]]).unwrap();
        let transition = vec![
            vec![0.5, 0.25, 0.25],
            vec![0.2, 0.6, 0.2],
            vec![0.1, 0.3, 0.6],
        ];
        let model = Hmm::new(vec![0.2, 0.4, 0.4], transition, emission).unwrap();
        let left = without(&model, 2).unwrap();
        // From the last state the first is reached next in 0.1 of 0.4.
        let close = |found: &[f64], right: &[f64]| {
            found.iter().zip(right).all(|(f, r)| (f - r).abs() < 1e-15)
        };
        assert!(close(left.initial(), &[0.3, 0.7]), "{:?}", left.initial());
        let right = [0.5625, 0.4375, 0.25, 0.75];
        assert!(close(left.transition(), &right), "{:?}", left.transition());
        assert_eq!(left.emission().rates(), [1.0, 2.0]);
        // A state that is never left.
        let model = Hmm::new(
            vec![0.5, 0.5],
            vec![vec![0.5, 0.5], vec![0.0, 1.0]],
            Poisson::new(vec![vec![1.0], vec![2.0]]).unwrap(),
        );
        assert!(without(&model.unwrap(), 1).is_err());
    }
}
