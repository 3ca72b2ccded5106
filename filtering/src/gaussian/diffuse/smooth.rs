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
/// fixed has infinite variances in the states that it moves, whose means say nothing. Rows that borrow their model are those of `start`.
pub(in crate::gaussian) fn smoothed(
    start: &LinearGaussian,
    rows: &[Row<'_>],
) -> Result<Vec<Gaussian>> {
    let n = start.states();
    let whole = Plan::new(start)?;
    let mut belief = DiffuseBelief::start(start);
    let mut root = Root::start(start)?;
    let mut mean = start.initial_mean().clone();
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
            mean = model.transition() * mean + model.bias();
        }
        noises.push(noise);
        before.push((mean.clone(), root.clone(), belief.basis.clone()));
        let predicted = mean.clone();
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
        let innovations = own.iter().map(|one| one.white - one.h.dot(&predicted));
        taken.push(
            own.iter()
                .map(|one| one.h.clone())
                .zip(innovations)
                .collect::<Vec<_>>(),
        );
        own.iter().for_each(|one| root.observe(one, &mut mean));
        moved.push(&mean - predicted);
    }
    let left = belief.basis.rank();
    let mut ahead = Ahead::none(n);
    let mut smoothed = Vec::with_capacity(before.len());
    for (t, (mean, root, basis)) in before.iter().enumerate().rev() {
        for (h, innovation) in taken[t].iter().rev() {
            ahead.observe(h, *innovation);
        }
        let (from_mean, covariance) = ahead.belief(root, basis, left)?;
        smoothed.push(Gaussian {
            mean: mean + from_mean,
            covariance,
        });
        if t > 0 {
            ahead.pull(rows[t].model.transition(), &noises[t], &moved[t - 1]);
        }
    }
    smoothed.reverse();
    Ok(smoothed)
}
