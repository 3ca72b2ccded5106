//! Quasi-Newton ascent of ln p(o; θ): limited-memory BFGS (J. Nocedal, 1980) on the exact gradient.

use std::collections::VecDeque;

use super::coordinates::{Coordinates, information};
use super::data::Data;
use crate::Result;
use crate::hmm::{Expectations, Hmm, Learnable};

/// Maxima within so many nats of each other are the same: no criterion tells them apart.
pub(super) const SAME: f64 = 0.1;
/// Pairs of steps and changes of the gradient that stand for the Hessian.
const MEMORY: usize = 20;
/// A step has to gain this part of what the gradient promises (Armijo), and to leave less than that part of the slope
/// (Wolfe).
const GAIN: f64 = 1e-4;
const SLOPE: f64 = 0.9;
/// No step is longer, in standard deviations of one observation of the state.
const LONGEST: f64 = 2.0;
/// Evaluations along one direction.
const TRIALS: usize = 25;
/// So many small gradients one after another are an end; on a plateau a single one can be small by chance of H.
const SMALL: usize = 3;
/// From so many evaluations on it is judged whether a run is hopeless: where it lacks more than this times what half of them gained.
const JUDGED: usize = 16;
const HOPE: f64 = 4.0;
/// The rounding of a sum over all observations, relative to it.
const ROUNDING: f64 = 1e-13;

/// A model, the expectations under it and ln p.
pub(super) struct Point<E: Learnable> {
    pub(super) model: Hmm<E>,
    pub(super) expected: Expectations,
}

impl<E: Learnable> Point<E> {
    pub(super) fn of(model: Hmm<E>, data: Data<'_>) -> Result<Self> {
        let expected = data.expectations(&model)?;
        Ok(Self { model, expected })
    }

    pub(super) fn log_evidence(&self) -> f64 {
        self.expected.log_evidence
    }
}

/// Where an ascent ended.
pub(super) struct Ascent<E: Learnable> {
    pub(super) point: Point<E>,
    /// ½ gᵀHg, nats.
    pub(super) promised: f64,
    pub(super) evaluations: usize,
    pub(super) converged: bool,
}

/// H: its pairs s, y and 1/sᵀy.
#[derive(Default)]
struct Memory {
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl Memory {
    /// H g, from H_0 = the inverse of the diagonal information, scaled by the newest pair.
    fn times(&self, gradient: &[f64], information: &[f64]) -> Vec<f64> {
        let mut d = gradient.to_vec();
        let mut weights = Vec::with_capacity(self.pairs.len());
        for (s, y, rho) in self.pairs.iter().rev() {
            let a = rho * dot(s, &d);
            add(&mut d, -a, y);
            weights.push(a);
        }
        let scale = self.pairs.back().map_or(1.0, |(_, y, rho)| {
            let curvature: f64 = y.iter().zip(information).map(|(y, i)| y * y / i).sum();
            1.0 / (rho * curvature)
        });
        d.iter_mut()
            .zip(information)
            .for_each(|(d, i)| *d *= scale / i);
        for ((s, y, rho), a) in self.pairs.iter().zip(weights.iter().rev()) {
            let b = rho * dot(y, &d);
            add(&mut d, a - b, s);
        }
        d
    }

    fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        let product = dot(&s, &y);
        let size = (dot(&s, &s) * dot(&y, &y)).sqrt();
        if product > 1e-10 * size && product.is_finite() {
            if self.pairs.len() == MEMORY {
                self.pairs.pop_front();
            }
            self.pairs.push_back((s, y, 1.0 / product));
        }
    }
}

/// When an ascent ends.
pub(super) struct Until<'a, E: Learnable> {
    /// At its maximum: where the gradient promises less than this, nats,
    pub(super) enough: f64,
    /// or there were so many evaluations.
    pub(super) most: usize,
    /// Hopeless: where it will hardly come up to this ln p.
    pub(super) least: f64,
    /// Collapsed: where this refuses a model.
    pub(super) keeps: &'a dyn Fn(&Hmm<E>) -> bool,
}

/// How an ascent ended.
pub(super) enum End<E: Learnable> {
    Maximum(Ascent<E>),
    Hopeless,
    Collapsed,
}

impl<E: Learnable> End<E> {
    pub(super) fn maximum(self) -> Option<Ascent<E>> {
        match self {
            Self::Maximum(ascent) => Some(ascent),
            Self::Hopeless | Self::Collapsed => None,
        }
    }
}

/// ln p after each step of an ascent, and the evaluations until then.
#[derive(Default)]
struct Heights(Vec<(usize, f64)>);

impl Heights {
    fn push(&mut self, evaluations: usize, height: f64) {
        self.0.push((evaluations, height));
    }

    /// Whether what is missing to `least` is many times what the second half of the evaluations gained. Ascents slow down.
    fn are_hopeless(&self, least: f64) -> bool {
        let Some(&(evaluations, now)) = self.0.last().filter(|(n, _)| *n >= JUDGED) else {
            return false;
        };
        let half_way = self.0.partition_point(|(n, _)| 2 * n <= evaluations);
        let then = self.0[half_way.saturating_sub(1)].1;
        least - now > SAME + HOPE * (now - then)
    }
}

/// Ascends from `start`. ln p never decreases; a step that would lower it is not taken.
pub(super) fn ascend<E: Learnable>(
    start: Point<E>,
    data: Data<'_>,
    until: &Until<'_, E>,
) -> End<E> {
    let base = start.model.clone().recentred();
    let coordinates = Coordinates::about(&base);
    let mut now = start;
    now.model = base.clone();
    // The statistics may have been about another origin.
    match data.expectations(&now.model) {
        Ok(expected) => now.expected = expected,
        Err(_) => return End::Collapsed,
    }
    let mut z = vec![0.0; coordinates.len()];
    let mut gradient = coordinates.gradient(&z, &now.model, &now.expected);
    let mut memory = Memory::default();
    let (mut evaluations, mut small) = (1, 0);
    let mut heights = Heights::default();
    loop {
        let information = information(&now.model, &now.expected);
        let mut direction = memory.times(&gradient, &information);
        let mut slope = dot(&gradient, &direction);
        if !(slope > 0.0 && slope.is_finite()) {
            memory = Memory::default();
            direction = memory.times(&gradient, &information);
            slope = dot(&gradient, &direction);
        }
        let promised = 0.5 * slope;
        small = if promised <= until.enough {
            small + 1
        } else {
            0
        };
        let least = ROUNDING * now.log_evidence().abs();
        let at_rounding = promised <= least;
        let ended = small >= SMALL || at_rounding;
        if ended || evaluations >= until.most || !slope.is_finite() {
            return End::Maximum(Ascent {
                point: now,
                promised,
                evaluations,
                converged: ended,
            });
        }
        heights.push(evaluations, now.log_evidence());
        if heights.are_hopeless(until.least) {
            return End::Hopeless;
        }
        let longest = longest(&direction, &information, &now.expected);
        if longest > LONGEST {
            direction.iter_mut().for_each(|d| *d *= LONGEST / longest);
            slope *= LONGEST / longest;
        }
        let mut line = Line {
            coordinates: &coordinates,
            data,
            z: &z,
            direction: &direction,
            slope,
            from: now.log_evidence(),
            evaluations: 0,
        };
        let found = line.search();
        evaluations += line.evaluations;
        match found {
            Some(next) => {
                if !(until.keeps)(&next.point.model) {
                    return End::Collapsed;
                }
                let step: Vec<f64> = direction.iter().map(|d| d * next.length).collect();
                add(&mut z, 1.0, &step);
                let change = gradient.iter().zip(&next.gradient).map(|(a, b)| a - b);
                memory.push(step, change.collect());
                gradient = next.gradient;
                now = next.point;
            }
            None if !memory.pairs.is_empty() => memory = Memory::default(),
            None => {
                // Nothing better along the gradient itself: rounding, or a wall.
                return End::Maximum(Ascent {
                    converged: promised <= 10.0 * until.enough.max(least),
                    point: now,
                    promised,
                    evaluations,
                });
            }
        }
    }
}

/// The largest step in standard deviations of one observation: √(I_i / visits) |d_i|, with I / visits at most that of
/// all data.
fn longest(direction: &[f64], information: &[f64], expected: &Expectations) -> f64 {
    let observations = expected.observations as f64;
    let scaled = direction
        .iter()
        .zip(information)
        .map(|(d, i)| d.abs() * (i / observations).sqrt());
    scaled.fold(0.0, f64::max)
}

/// A place on a line, with the gradient there.
struct Found<E: Learnable> {
    point: Point<E>,
    gradient: Vec<f64>,
    length: f64,
}

/// z + t d.
struct Line<'a, E: Learnable> {
    coordinates: &'a Coordinates<'a, E>,
    data: Data<'a>,
    z: &'a [f64],
    direction: &'a [f64],
    slope: f64,
    from: f64,
    evaluations: usize,
}

impl<E: Learnable> Line<'_, E> {
    /// A place that gains enough and is past most of the slope, by bisection (A. Lewis, M. Overton, 2013); failing
    /// that, the furthest that gains enough.
    fn search(&mut self) -> Option<Found<E>> {
        let (mut near, mut far, mut t) = (0.0, f64::INFINITY, 1.0);
        let mut best = None;
        while self.evaluations < TRIALS {
            self.evaluations += 1;
            let found = self.at(t);
            let risen = |f: &Found<E>| {
                let gain = f.point.log_evidence() - self.from;
                gain >= 0.0 && gain >= GAIN * t * self.slope
            };
            match found.filter(risen) {
                None => far = t,
                Some(found) => {
                    let left = dot(&found.gradient, self.direction);
                    let better = best.as_ref().is_none_or(|b: &Found<E>| {
                        found.point.log_evidence() >= b.point.log_evidence()
                    });
                    let flat = left <= SLOPE * self.slope;
                    if better {
                        best = Some(found);
                    }
                    if flat {
                        break;
                    }
                    near = t;
                }
            }
            t = if far.is_finite() {
                0.5 * (near + far)
            } else {
                2.0 * near
            };
            // What is gained already is enough, once the bracket is narrow.
            if best.is_some() && far.is_finite() && far - near < 0.3 * far {
                break;
            }
        }
        best
    }

    fn at(&self, t: f64) -> Option<Found<E>> {
        let mut z = self.z.to_vec();
        add(&mut z, t, self.direction);
        let model = self.coordinates.model(&z).ok()?;
        let point = Point::of(model, self.data).ok()?;
        let gradient = self.coordinates.gradient(&z, &point.model, &point.expected);
        let finite = point.log_evidence().is_finite() && gradient.iter().all(|g| g.is_finite());
        finite.then_some(Found {
            point,
            gradient,
            length: t,
        })
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn add(into: &mut [f64], by: f64, x: &[f64]) {
    into.iter_mut().zip(x).for_each(|(i, x)| *i += by * x);
}

#[cfg(test)]
mod tests {
    use super::Heights;

    #[test]
    fn a_run_is_hopeless_where_it_lacks_many_times_what_it_gained() {
        let mut heights = Heights::default();
        for n in 1..=15 {
            heights.push(n, n as f64);
            assert!(!heights.are_hopeless(1e6));
        }
        // 8 nats from 8 evaluations to 16.
        heights.push(16, 16.0);
        assert!(!heights.are_hopeless(16.0 + 32.0));
        assert!(heights.are_hopeless(16.0 + 32.2));
        assert!(!heights.are_hopeless(f64::NEG_INFINITY));
    }
}
