//! The Gaussian that is best for one observation: natural-gradient ascent of its evidence lower bound.

use serde::{Deserialize, Serialize};

use super::law::CountLaw;
use super::loadings::Loadings;
use crate::math::square::{self, dot, quadratic_form};

/// Ascent ends when at most this is left, in nats of KL: three millionths of a standard deviation. It enters later bounds to first
/// order.
const SETTLED: f64 = 1e-11;
/// Steps whose lengths fall by less than this, in KL, say nothing of what is left.
const FALLS: f64 = 0.1;
/// The sum of many terms may fall by so many roundings of itself at the optimum.
const ROUNDINGS: f64 = 64.0;
/// Most steps: four or five are usual, one a unit of η where a count is far below its prediction, hundreds where the
/// prediction knows η to ten units and the count is 0 or 1. Beyond, the ascent ends near the optimum.
const MOST: usize = 500;
/// A step is halved at most so often before the point is taken as the optimum to rounding.
const HALVINGS: usize = 40;
/// Variances of η above this make E exp η say nothing of where the rate is; ascent then starts narrower.
const WIDE: f64 = 2.0;

/// N(mean, covariance) with its precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Point {
    /// `[n]`.
    pub mean: Vec<f64>,
    /// `[n, n]`.
    pub covariance: Vec<f64>,
    /// `[n, n]`.
    pub precision: Vec<f64>,
    /// ln of the determinant of the precision.
    pub log_det: f64,
}

impl Point {
    pub fn zero(n: usize) -> Self {
        Self {
            mean: vec![0.0; n],
            covariance: vec![0.0; n * n],
            precision: vec![0.0; n * n],
            log_det: 0.0,
        }
    }

    pub fn copy(&mut self, other: &Self) {
        self.mean.copy_from_slice(&other.mean);
        self.copy_spread(other);
    }

    pub fn copy_spread(&mut self, other: &Self) {
        self.covariance.copy_from_slice(&other.covariance);
        self.precision.copy_from_slice(&other.precision);
        self.log_det = other.log_det;
    }

    /// The covariance and ln|Λ| of the precision Λ that is there; false where it is not positive definite.
    pub fn invert_precision(&mut self, pair: &mut Factors) -> bool {
        let n = self.mean.len();
        match pair.inverse_of(&self.precision, &mut self.covariance, n) {
            Some(log_det) => {
                self.log_det = log_det;
                true
            }
            None => false,
        }
    }

    /// The precision and its ln-determinant of the covariance that is there.
    pub fn invert_covariance(&mut self, pair: &mut Factors) -> bool {
        let n = self.mean.len();
        match pair.inverse_of(&self.covariance, &mut self.precision, n) {
            Some(log_det) => {
                self.log_det = -log_det;
                true
            }
            None => false,
        }
    }
}

/// Memory for a Cholesky factor and its inverse.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    lower: Vec<f64>,
    inverse: Vec<f64>,
}

impl Factors {
    pub fn new(n: usize) -> Self {
        Self {
            lower: vec![0.0; n * n],
            inverse: vec![0.0; n * n],
        }
    }

    /// Writes A⁻¹ and returns ln|A|; `None` where A is not positive definite.
    fn inverse_of(&mut self, a: &[f64], into: &mut [f64], n: usize) -> Option<f64> {
        self.lower.copy_from_slice(a);
        square::cholesky(&mut self.lower, n).ok()?;
        square::invert_lower(&self.lower, &mut self.inverse, n);
        square::lower_gram(&self.inverse, into, n);
        Some(square::log_determinant(&self.lower, n))
    }
}

/// KL(q‖p), with memory for the difference of the means.
fn divergence(q: &Point, p: &Point, difference: &mut [f64]) -> f64 {
    for (d, (m, p)) in difference.iter_mut().zip(q.mean.iter().zip(&p.mean)) {
        *d = m - p;
    }
    let spread = dot(&p.precision, &q.covariance);
    let moved = quadratic_form(&p.precision, difference);
    0.5 * (spread + moved - q.mean.len() as f64 + q.log_det - p.log_det)
}

/// What the steps to come will move q by, in nats of KL, where they go on falling as the last two did: a step of Newton's method falls
/// faster. No number that is small before there were two, or where they hardly fall.
fn left(before: f64, moved: f64) -> f64 {
    let rate = moved / before;
    match before.is_finite() && rate <= FALLS {
        true => moved * rate / (1.0 - rate),
        false => f64::INFINITY,
    }
}

/// What is corrected: the law, the loadings, and one observation `[N]`, NaN where an entry is missing.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub law: CountLaw,
    pub loadings: &'a Loadings,
    pub row: &'a [f64],
}

/// The memory of an ascent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Correction {
    means: Vec<f64>,
    variances: Vec<f64>,
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
    target: Vec<f64>,
    gradient: Vec<f64>,
    difference: Vec<f64>,
    candidate: Point,
    pub factors: Factors,
    /// Steps of the newest ascent.
    pub steps: usize,
}

impl Correction {
    pub fn new(latents: usize, neurons: usize) -> Self {
        Self {
            means: vec![0.0; neurons],
            variances: vec![0.0; neurons],
            slopes: vec![0.0; neurons],
            curvatures: vec![0.0; neurons],
            target: vec![0.0; latents * latents],
            gradient: vec![0.0; latents],
            difference: vec![0.0; latents],
            candidate: Point::zero(latents),
            factors: Factors::new(latents),
            steps: 0,
        }
    }

    /// E ln p(y|x) under a Gaussian (eq. F71), constants of y left out; slopes and curvatures of each entry are kept.
    pub fn likelihood(&mut self, seen: Seen, mean: &[f64], covariance: &[f64]) -> f64 {
        let into = (&mut self.means[..], &mut self.variances[..]);
        seen.loadings.project(mean, covariance, into);
        let mut sum = 0.0;
        for (i, y) in seen.row.iter().enumerate() {
            if y.is_nan() {
                (self.slopes[i], self.curvatures[i]) = (0.0, 0.0);
                continue;
            }
            let expected = seen.law.expected(*y, self.means[i], self.variances[i]);
            sum += expected.value;
            (self.slopes[i], self.curvatures[i]) = (expected.slope, expected.curvature);
        }
        sum
    }

    /// Adds Σ r c cᵀ and Σ e c of the newest [`Correction::likelihood`].
    pub fn gather(&self, loadings: &Loadings, precision: &mut [f64], gradient: &mut [f64]) {
        loadings.gather(&self.curvatures, &self.slopes, precision, gradient);
    }

    /// E ln p(y|x) − KL(q‖prior), nats.
    fn bound(&mut self, seen: Seen, prior: &Point, q: &Point) -> f64 {
        let divergence = divergence(q, prior, &mut self.difference);
        self.likelihood(seen, &q.mean, &q.covariance) - divergence
    }

    /// Raises the bound of `q`, which is the start, to its maximum by steps along the natural gradient (eq. F72), each
    /// halved until it raises the bound. Returns the bound without the constants of y; not finite where no start has one.
    pub fn ascend(&mut self, seen: Seen, prior: &Point, q: &mut Point) -> f64 {
        let mut bound = self.bound(seen, prior, q);
        let wide = self.variances.iter().any(|v| *v > WIDE);
        if seen.law == CountLaw::Poisson && (wide || !bound.is_finite()) {
            bound = self.narrowed(seen, prior, q);
        }
        self.steps = 0;
        let mut before = f64::INFINITY;
        while self.steps < MOST && bound.is_finite() {
            self.steps += 1;
            self.aim(seen.loadings, prior, q);
            let Some(next) = self.search(seen, prior, q, bound) else {
                break;
            };
            let moved = divergence(&self.candidate, q, &mut self.difference);
            std::mem::swap(q, &mut self.candidate);
            bound = next;
            if moved <= SETTLED || left(before, moved) <= SETTLED {
                break;
            }
            before = moved;
        }
        bound
    }

    /// The precision that the fixed point asks for, and the gradient by the mean.
    fn aim(&mut self, loadings: &Loadings, prior: &Point, q: &Point) {
        let n = q.mean.len();
        let (target, gradient) = (&mut self.target, &mut self.gradient);
        target.copy_from_slice(&prior.precision);
        for i in 0..n {
            let row = &prior.precision[i * n..(i + 1) * n];
            let pairs = row.iter().zip(prior.mean.iter().zip(&q.mean));
            gradient[i] = pairs.map(|(p, (prior, m))| p * (prior - m)).sum();
        }
        loadings.gather(&self.curvatures, &self.slopes, target, gradient);
    }

    /// The first point of steps 1, ½, ¼, … that raises the bound, in `candidate`.
    fn search(&mut self, seen: Seen, prior: &Point, q: &Point, bound: f64) -> Option<f64> {
        let n = q.mean.len();
        let mut size = 1.0;
        for _ in 0..HALVINGS {
            let new = &mut self.candidate;
            for ((new, old), target) in (new.precision.iter_mut())
                .zip(&q.precision)
                .zip(&self.target)
            {
                // At a whole step exactly the target, however far apart they are.
                *new = (1.0 - size) * old + size * target;
            }
            if new.invert_precision(&mut self.factors) {
                for i in 0..n {
                    let row = &new.covariance[i * n..(i + 1) * n];
                    new.mean[i] = q.mean[i] + size * dot(row, &self.gradient);
                }
                let new = std::mem::replace(&mut self.candidate, Point::zero(0));
                let value = self.bound(seen, prior, &new);
                self.candidate = new;
                if value >= bound - ROUNDINGS * f64::EPSILON * bound.abs() {
                    return Some(value);
                }
            }
            size *= 0.5;
        }
        None
    }

    /// A start at the prior's mean where every η that is seen has a variance of at most 1.
    fn narrowed(&mut self, seen: Seen, prior: &Point, q: &mut Point) -> f64 {
        q.copy(prior);
        let into = (&mut self.means[..], &mut self.variances[..]);
        seen.loadings.project(&q.mean, &q.covariance, into);
        for (i, y) in seen.row.iter().enumerate() {
            let rate = (self.means[i] + 0.5 * self.variances[i].min(1.0)).exp();
            self.curvatures[i] = if y.is_nan() { 0.0 } else { rate.max(1.0) };
            self.slopes[i] = 0.0;
        }
        self.gradient.fill(0.0);
        let sums = (&mut q.precision[..], &mut self.gradient[..]);
        (seen.loadings).gather(&self.curvatures, &self.slopes, sums.0, sums.1);
        match q.invert_precision(&mut self.factors) {
            true => self.bound(seen, prior, q),
            false => f64::NAN,
        }
    }
}
