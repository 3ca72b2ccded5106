//! The score of an emission as slopes by its parameters, as files have them.

use super::Learnable;
use crate::{Coordinate, Slope};

/// One parameter within what [`Learnable::score`] says of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorePart {
    parameter: &'static str,
    by: Coordinate,
    shape: Vec<usize>,
    factor: f64,
}

impl ScorePart {
    /// The next entries of the score: by `by`, of the parameter of this key in a file, one state of which has these sizes.
    pub fn new(parameter: &'static str, by: Coordinate, shape: &[usize]) -> Self {
        Self {
            parameter,
            by,
            shape: shape.to_vec(),
            factor: 1.0,
        }
    }

    /// The same where the coordinate of the score is this one divided by `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { factor, ..self }
    }
}

/// The slopes by each of [`Learnable::score_parts`], of statistics `[K, P]`.
pub(super) fn by_parts<E: Learnable>(emission: &E, statistics: &[f64]) -> Vec<Slope> {
    let (k, q) = (emission.states(), emission.parameters_len());
    let mut score = vec![0.0; k * q];
    emission.score(statistics, &mut score);
    let mut first = 0;
    let mut slopes = Vec::new();
    for part in emission.score_parts() {
        let size = part.shape.iter().product::<usize>();
        let own = score
            .chunks_exact(q)
            .flat_map(|row| &row[first..first + size]);
        slopes.push(Slope {
            parameter: part.parameter,
            by: part.by,
            values: own.map(|slope| part.factor * slope).collect(),
            shape: [&[k], &part.shape[..]].concat(),
        });
        first += size;
    }
    slopes
}
