//! Smoothing of proper and of diffuse starts.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};

use super::belief::{DiffuseBelief, Taken};
use super::roots::{Ahead, Root, noise_root};
use crate::Result;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::flat::Plan;
use crate::gaussian::model::LinearGaussian;
use crate::gaussian::rows::Row;

/// The beliefs about all states given all observations: the means by the backward recursion of r and, as long as the belief is
/// diffuse, of its term in 1/κ,
///
/// ```text
/// m_{t|T} = m + P* r₀ + P∞ r₁
/// ```
///
/// (J. Durbin, S. J. Koopman, "Time series analysis by state space methods", 2nd ed. 2012, chapter 5), the covariances by square
/// roots (`roots.rs`). Q may be singular, and states known. A direction that no observation has fixed has infinite variances. Rows that
/// borrow their model are those of `start`.
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
    let (mut before, mut taken) = (Vec::new(), Vec::new());
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
    }
    let left = belief.basis.rank();
    let mut back = Adjoint::new(n);
    let mut ahead = Ahead::none(n);
    let mut smoothed = Vec::with_capacity(before.len());
    for (t, (belief, root)) in before.iter().enumerate().rev() {
        for own in taken[t].iter().rev() {
            back.through(own);
            ahead.observe(&own.h);
        }
        let mut now = Gaussian {
            mean: back.mean(belief),
            covariance: ahead.covariance(root, &belief.basis, left),
        };
        if left > 0 {
            unfixed(start, &mut now);
        }
        smoothed.push(now);
        if t > 0 {
            let f = rows[t].model.transition();
            back.pull(f);
            ahead.pull(f, &noises[t]);
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

/// r = r₀ + r₁/κ.
struct Adjoint([DVector<f64>; 2]);

impl Adjoint {
    fn new(size: usize) -> Self {
        Self([DVector::zeros(size), DVector::zeros(size)])
    }

    /// Back through one number: L = I − K hᵀ, and its term in 1/κ.
    fn through(&mut self, taken: &Taken) {
        let Taken { h, v, m, s, .. } = taken;
        let [r0, r1] = &mut self.0;
        match &taken.infinite {
            None => {
                *r0 += h * ((v - m.dot(r0)) / s);
                let along = m.dot(r1) / s;
                *r1 -= h * along;
            }
            Some((k, infinite)) => {
                let second = (k.dot(r0) * s - m.dot(r0)) / infinite;
                let along = k.dot(r1);
                *r1 += h * (v / infinite - along + second);
                let along = k.dot(r0);
                *r0 -= h * along;
            }
        }
    }

    /// Back through one transition.
    fn pull(&mut self, f: &DMatrix<f64>) {
        self.0 = [f.tr_mul(&self.0[0]), f.tr_mul(&self.0[1])];
    }

    fn mean(&self, belief: &DiffuseBelief) -> DVector<f64> {
        let mean = &belief.mean + &belief.finite * &self.0[0];
        match belief.is_proper() {
            true => mean,
            false => {
                let basis = belief.basis.matrix();
                mean + &basis * basis.tr_mul(&self.0[1])
            }
        }
    }
}
