//! Smoothing without inverses, of proper and of diffuse starts.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};

use super::belief::{DiffuseBelief, Taken};
use crate::Result;
use crate::gaussian::belief::Gaussian;
use crate::gaussian::flat::Plan;
use crate::gaussian::model::LinearGaussian;
use crate::gaussian::rows::Row;
use crate::math::cholesky::symmetric;

/// The beliefs about all states given all observations, by the backward recursion of r and N and, as long as the belief is
/// diffuse, of their terms in 1/κ:
///
/// ```text
/// m_{t|T} = m + P* r₀ + P∞ r₁
/// P_{t|T} = P* − P*N₀P* − P*N₁P∞ − P∞N₁P* − P∞N₂P∞
/// ```
///
/// (J. Durbin, S. J. Koopman, "Time series analysis by state space methods", 2nd ed. 2012, chapter 5). No matrix is inverted:
/// Q may be singular, and states known. A direction that no observation has fixed has infinite variances. Rows that borrow their
/// model are those of `start`.
pub(in crate::gaussian) fn smoothed(
    start: &LinearGaussian,
    rows: &[Row<'_>],
) -> Result<Vec<Gaussian>> {
    let n = start.states();
    let whole = Plan::new(start)?;
    let mut belief = DiffuseBelief::start(start);
    let (mut before, mut taken) = (Vec::new(), Vec::new());
    for (t, Row { model, y }) in rows.iter().enumerate() {
        if t > 0 {
            belief = belief.moved(model);
        }
        before.push(belief.clone());
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
        taken.push(own);
    }
    let left = belief.basis.rank();
    let mut back = Adjoint::new(n);
    let mut smoothed = Vec::with_capacity(before.len());
    for (t, belief) in before.iter().enumerate().rev() {
        for own in taken[t].iter().rev() {
            back.through(own);
        }
        let mut now = back.posterior(belief);
        if left > 0 {
            unfixed(start, &mut now);
        }
        smoothed.push(now);
        back.pull(rows[t].model.transition());
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

/// r = r₀ + r₁/κ and N = N₀ + N₁/κ + N₂/κ².
struct Adjoint {
    r: [DVector<f64>; 2],
    n: [DMatrix<f64>; 3],
}

impl Adjoint {
    fn new(size: usize) -> Self {
        let (r, n) = (DVector::zeros(size), DMatrix::zeros(size, size));
        Self {
            r: [r.clone(), r],
            n: [n.clone(), n.clone(), n],
        }
    }

    /// Back through one number.
    fn through(&mut self, taken: &Taken) {
        let Taken { h, v, m, s, .. } = taken;
        let size = h.len();
        let identity = DMatrix::identity(size, size);
        let seen = h * h.transpose();
        let [r0, r1] = &self.r;
        let [n0, n1, n2] = &self.n;
        match &taken.infinite {
            None => {
                let l = identity - (m / *s) * h.transpose();
                let pulled = |n: &DMatrix<f64>| l.transpose() * n * &l;
                self.n = [&seen / *s + pulled(n0), pulled(n1), pulled(n2)];
                self.r = [h * (v / s) + l.transpose() * r0, l.transpose() * r1];
            }
            Some((k, infinite)) => {
                let l = identity - k * h.transpose();
                // The term of L in 1/κ.
                let l1 = ((k * *s - m) / *infinite) * h.transpose();
                let (lt, l1t) = (l.transpose(), l1.transpose());
                let mixed = |n: &DMatrix<f64>| {
                    let half = &l1t * n * &l;
                    &half + half.transpose()
                };
                let next = [
                    &lt * n0 * &l,
                    &seen / *infinite + &lt * n1 * &l + mixed(n0),
                    &lt * n2 * &l + mixed(n1) + &l1t * n0 * &l1 - seen * (s / infinite / infinite),
                ];
                self.r = [&lt * r0, h * (v / infinite) + &lt * r1 + &l1t * r0];
                self.n = next;
            }
        }
        self.n = std::mem::take(&mut self.n).map(symmetric);
    }

    /// Back through one transition.
    fn pull(&mut self, f: &DMatrix<f64>) {
        let ft = f.transpose();
        self.r = [&ft * &self.r[0], &ft * &self.r[1]];
        self.n = std::mem::take(&mut self.n).map(|n| symmetric(&ft * n * f));
    }

    fn posterior(&self, belief: &DiffuseBelief) -> Gaussian {
        let p = &belief.finite;
        let mut mean = &belief.mean + p * &self.r[0];
        let mut covariance = p - p * &self.n[0] * p;
        if !belief.is_proper() {
            let size = p.nrows();
            let infinite = DMatrix::from_row_slice(size, size, &belief.basis.product());
            mean += &infinite * &self.r[1];
            let mixed = &infinite * &self.n[1] * p;
            covariance -= &mixed + mixed.transpose() + &infinite * &self.n[2] * &infinite;
        }
        let mut covariance = symmetric(covariance);
        for i in 0..covariance.nrows() {
            // What rounding leaves of a known state.
            covariance[(i, i)] = covariance[(i, i)].max(0.0);
        }
        Gaussian { mean, covariance }
    }
}
