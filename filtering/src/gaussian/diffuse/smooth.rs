//! Smoothing of proper and of diffuse starts.

use std::borrow::Cow;

use super::belief::DiffuseBelief;
use super::roots::{Ahead, Root, noise_root};
use crate::Result;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::flat::Plan;
use crate::gaussian::model::LinearGaussian;
use crate::gaussian::rows::Row;

/// The beliefs about all states given all observations, means and covariances by square roots (after eq. F51, `roots.rs`):
/// the predicted belief forward, and what is said of it from its row on. Q may be singular, and states known. A direction that no observation has
/// fixed has infinite variances. Rows that borrow their model are those of `start`.
pub(in crate::gaussian) fn smoothed(
    start: &LinearGaussian,
    rows: &[Row<'_>],
) -> Result<Vec<Gaussian>> {
    let n = start.states();
    let whole = Plan::new(start)?;
    let mut belief = DiffuseBelief::start(start);
    let mut root = Root::start(start)?;
    let shared = noise_root(start)?;
    let mut noises = Vec::with_capacity(rows.len());
    let (mut before, mut taken, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for (t, Row { model, y }) in rows.iter().enumerate() {
        let noise = match model {
            Cow::Borrowed(_) => Cow::Borrowed(&shared),
            Cow::Owned(own) => Cow::Owned(noise_root(own)?),
        };
        if t > 0 {
            belief = belief.moved(model);
            root = root.moved(model.transition(), &noise);
        }
        noises.push(noise);
        before.push((belief.clone(), root.clone()));
        let predicted = belief.mean.clone();
        let own = match y {
            None => Vec::new(),
            Some(y) if y.iter().any(|v| v.is_nan()) => {
                let (plan, seen) = Plan::of_seen(model, y)?;
                belief.observe(&plan, &seen).1
            }
            Some(y) => match model {
                Cow::Borrowed(_) => belief.observe(&whole, y).1,
                Cow::Owned(own) => belief.observe(&Plan::new(own)?, y).1,
            },
        };
        own.iter().for_each(|taken| root.observe(taken));
        taken.push(own);
        moved.push(&belief.mean - predicted);
    }
    let left = belief.basis.rank();
    let mut ahead = Ahead::none(n);
    let mut smoothed = Vec::with_capacity(before.len());
    for (t, (belief, root)) in before.iter().enumerate().rev() {
        for own in taken[t].iter().rev() {
            ahead.observe(&own.h, own.innovation);
        }
        let (from_mean, covariance) = ahead.belief(root, &belief.basis, left);
        let mut now = Gaussian {
            mean: &belief.mean + from_mean,
            covariance,
        };
        if left > 0 {
            unfixed(start, &mut now);
        }
        smoothed.push(now);
        if t > 0 {
            ahead.pull(rows[t].model.transition(), &noises[t], &moved[t - 1]);
        }
    }
    smoothed.reverse();
    Ok(smoothed)
}

/// Where observations did not fix all directions, which states these touch is not followed back: all variances of states
/// that start diffuse are infinite.
fn unfixed(model: &LinearGaussian, belief: &mut Gaussian) {
    for (i, _) in model.diffuse().iter().enumerate().filter(|(_, d)| **d) {
        belief.covariance[(i, i)] = f64::INFINITY;
    }
}
