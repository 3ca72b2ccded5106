//! The belief before the first observation.

use nalgebra::DMatrix;

use super::JointBelief;
use crate::generalised::causal::layout::CausalLayout;
use crate::generalised::causal::stack::CausalStack;
use crate::generalised::causal::transition::Channels;
use crate::generalised::model::Equations;
use crate::{Error, Result};

/// The belief before the first observation.
pub(super) fn start<E: Equations>(
    stack: &CausalStack<E>,
    channels: &Channels,
    layout: &CausalLayout,
    start_covariance: Option<&DMatrix<f64>>,
) -> Result<JointBelief> {
    let size = layout.size();
    let mut mean = vec![0.0; size];
    let mut covariance = DMatrix::zeros(size, size);
    let starts = stack.model.levels.iter().flat_map(|l| &l.start);
    for (m, &s) in mean.iter_mut().zip(starts) {
        *m = s;
    }
    if let Some(given) = start_covariance {
        let x = layout.moving;
        if given.shape() != (x, x) {
            let found = format!("{:?}", given.shape());
            return Err(Error::size(
                "start covariance",
                found,
                format!("({x}, {x})"),
            ));
        }
        for i in 0..x {
            for j in 0..x {
                let value = 0.5 * (given[(i, j)] + given[(j, i)]);
                if !value.is_finite() || i == j && value < 0.0 {
                    let expected = "a finite covariance, its diagonal at least 0";
                    return Err(Error::entry("start covariance", &[i, j], value, expected));
                }
                covariance[(i, j)] = value;
            }
        }
    }
    for (k, &(l, i)) in stack.free.iter().enumerate() {
        let prior = &stack.model.levels[l].parameters;
        let here = layout.moving + k;
        mean[here] = prior.mean[i];
        for (other, &(m, j)) in stack.free.iter().enumerate() {
            if m == l {
                covariance[(here, layout.moving + other)] = prior.covariance[(i, j)];
            }
        }
    }
    for (channel, &offset) in channels.offset.iter().enumerate() {
        let stationary = &channels.process(channel).stationary;
        let first = layout.states + offset;
        for i in 0..stationary.nrows() {
            for j in 0..stationary.ncols() {
                covariance[(first + i, first + j)] = stationary[(i, j)];
            }
        }
    }
    for lag in 1..=layout.past {
        let first = layout.at_lag(lag);
        mean.copy_within(..layout.moving, first);
    }
    Ok(JointBelief {
        mean,
        covariance,
        third: Vec::new(),
    })
}
