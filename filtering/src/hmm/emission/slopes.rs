//! The score of an emission as slopes by its parameters, as files have them.

use crate::{Coordinate, Slope};

/// One parameter within what [`Learnable::score`](super::Learnable::score) says of a state.
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

/// The slopes by each of these parts of a score, of which a state's entries are a row.
pub(super) fn by_parts(parts: &[ScorePart], score: &[f64], states: usize) -> Vec<Slope> {
    let row_len = score.len() / states.max(1);
    let mut first = 0;
    let mut slopes = Vec::new();
    for part in parts {
        let size = part.shape.iter().product::<usize>();
        let rows = score.chunks_exact(row_len.max(1));
        let own = rows.flat_map(|row| &row[first..first + size]);
        slopes.push(Slope {
            parameter: part.parameter,
            by: part.by,
            values: own.map(|slope| part.factor * slope).collect(),
            shape: [&[states], &part.shape[..]].concat(),
        });
        first += size;
    }
    slopes
}
