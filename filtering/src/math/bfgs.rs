//! Quasi-Newton minimisation of a smooth function with its exact gradient: limited-memory BFGS (J. Nocedal, 1980).

use std::collections::VecDeque;

/// Pairs of steps and changes of the gradient that stand for the Hessian.
const MEMORY: usize = 50;
/// Armijo's constant: a step must gain this part of what the slope promises.
const GAIN: f64 = 1e-4;
/// The curvature condition: the slope must have fallen to this part, or the step was too short.
const CURVATURE: f64 = 0.9;
/// Values are right to this part of themselves: sums of hundreds of terms.
const ROUNDING: f64 = 1e-13;
/// Trials of one line search.
const TRIALS: usize = 30;
/// What is gained already is enough, once the bracket is this part of its end.
const NARROW: f64 = 0.3;

/// A function to minimise, the units of its coordinates, and when that ends.
pub(crate) trait Objective {
    /// What it finds at a place beside its value and gradient.
    type Found;

    /// The value, the gradient and what else is found; `None` where it is not defined.
    fn at(&mut self, x: &[f64]) -> Option<(f64, Vec<f64>, Self::Found)>;

    /// The diagonal of the Hessian as far as it is known before any step. Coordinates have the inverse of its roots for units.
    fn curvature(&self, now: &Minimum<Self::Found>) -> Vec<f64>;

    /// No coordinate moves further in one step, in its unit.
    fn longest(&self) -> f64;

    /// Whether it ends here, and if so whether that is a minimum; `None` to go on.
    fn ended(&mut self, now: &Minimum<Self::Found>) -> Option<bool>;
}

/// Where a minimisation ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Minimum<F = ()> {
    pub at: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
    /// What else was found there.
    pub found: F,
    /// ½ gᵀHg for the estimate H of the inverse Hessian.
    pub promised: f64,
    pub iterations: usize,
    pub converged: bool,
}

/// BFGS (C. G. Broyden, R. Fletcher, D. Goldfarb, D. F. Shanno, 1970) with a line search by bisection (A. Lewis, M. Overton, 2013) that
/// ends at a point with the weak Wolfe conditions. `None` where the function is not defined at `start`.
pub(crate) fn descend<O: Objective>(start: &[f64], objective: &mut O) -> Option<Minimum<O::Found>> {
    let (value, gradient, found) = finite(objective, start)?;
    let mut now = Minimum {
        at: start.to_vec(),
        value,
        gradient,
        found,
        promised: f64::NAN,
        iterations: 0,
        converged: false,
    };
    let mut memory = Memory::default();
    loop {
        let curvature = objective.curvature(&now);
        let mut direction = memory.direction(&now.gradient, &curvature);
        now.promised = -0.5 * dot(&direction, &now.gradient);
        if now.promised <= 0.0 || !now.promised.is_finite() {
            memory = Memory::default();
            direction = memory.direction(&now.gradient, &curvature);
            now.promised = -0.5 * dot(&direction, &now.gradient);
        }
        if let Some(converged) = objective.ended(&now) {
            now.converged = converged;
            return Some(now);
        }
        let units = direction.iter().zip(&curvature);
        let length = largest(units.map(|(d, c)| d * c.sqrt()));
        let longest = objective.longest() / length;
        let first = match memory.pairs.is_empty() {
            // Of unit length at most: nothing is known of the curvature beside the diagonal.
            true => longest.min(1.0 / length.max(1.0)),
            false => longest.min(1.0),
        };
        match search(objective, &now, &direction, first, longest) {
            Some((at, (value, gradient, found))) => {
                memory.learn(
                    difference(&at, &now.at),
                    difference(&gradient, &now.gradient),
                );
                (now.at, now.value, now.gradient) = (at, value, gradient);
                now.found = found;
                now.iterations += 1;
            }
            None if memory.pairs.is_empty() => return Some(now),
            None => memory = Memory::default(),
        }
    }
}

/// What the function is at a place, if it is finite there.
fn finite<O: Objective>(objective: &mut O, at: &[f64]) -> Option<(f64, Vec<f64>, O::Found)> {
    let found = objective.at(at);
    found.filter(|(value, gradient, _)| value.is_finite() && gradient.iter().all(|g| g.is_finite()))
}

type Point<F> = (Vec<f64>, (f64, Vec<f64>, F));

/// A point along `direction` that satisfies the weak Wolfe conditions, or the furthest that gains; `first` of it is tried first.
fn search<O: Objective>(
    objective: &mut O,
    now: &Minimum<O::Found>,
    direction: &[f64],
    first: f64,
    longest: f64,
) -> Option<Point<O::Found>> {
    let slope = dot(direction, &now.gradient);
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    let mut best = None;
    // Near the minimum the gain is below the rounding of the values: there the slope decides (the approximate Wolfe
    // conditions of W. W. Hager and H. Zhang, 2005).
    let room = ROUNDING * now.value.abs();
    for _ in 0..TRIALS {
        let steps = now.at.iter().zip(direction);
        let at: Vec<f64> = steps.map(|(x, d)| x + t * d).collect();
        let gains = |(value, gradient, _): &(f64, Vec<f64>, O::Found)| {
            *value <= now.value + GAIN * t * slope
                || *value <= now.value + room
                    && dot(direction, gradient) <= (2.0 * GAIN - 1.0) * slope
        };
        match finite(objective, &at).filter(gains) {
            Some(found) => {
                let flat = dot(direction, &found.1) >= CURVATURE * slope;
                best = Some((at, found));
                if flat || t >= longest {
                    break;
                }
                low = t;
            }
            None => high = t,
        }
        t = match high.is_finite() {
            true => 0.5 * (low + high),
            false => (2.0 * t).min(longest),
        };
        if best.is_some() && high - low < NARROW * high {
            break;
        }
    }
    best
}

/// The estimate of the inverse Hessian: steps s, changes y of the gradient and 1/sᵀy.
#[derive(Default)]
struct Memory {
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl Memory {
    /// −H g, from H_0 = the inverse of the diagonal `curvature`, scaled by the newest pair.
    fn direction(&self, gradient: &[f64], curvature: &[f64]) -> Vec<f64> {
        let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut weights = Vec::with_capacity(self.pairs.len());
        for (s, y, rho) in self.pairs.iter().rev() {
            let a = rho * dot(s, &d);
            add(&mut d, -a, y);
            weights.push(a);
        }
        let scale = self.pairs.back().map_or(1.0, |(_, y, rho)| {
            let size: f64 = y.iter().zip(curvature).map(|(y, c)| y * y / c).sum();
            1.0 / (rho * size)
        });
        let scaled = d.iter_mut().zip(curvature);
        scaled.for_each(|(d, c)| *d *= scale / c);
        for ((s, y, rho), a) in self.pairs.iter().zip(weights.iter().rev()) {
            let b = rho * dot(y, &d);
            add(&mut d, a - b, s);
        }
        d
    }

    /// Takes a pair in, unless it shows no curvature.
    fn learn(&mut self, s: Vec<f64>, y: Vec<f64>) {
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

/// The value of a function and its gradient; `None` where it is not defined or not finite.
pub(crate) type Valued = Option<(f64, Vec<f64>)>;

/// When the minimisation of a plain function ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At most so many steps.
    pub iterations: usize,
    /// Ends where no entry of the gradient is larger.
    pub gradient: f64,
    /// No entry moves further in one step: coordinates are logarithms or the like, of unit scale.
    pub step: f64,
}

struct Plain<F> {
    function: F,
    limits: Limits,
}

impl<F: FnMut(&[f64]) -> Valued> Objective for Plain<F> {
    type Found = ();

    fn at(&mut self, x: &[f64]) -> Option<(f64, Vec<f64>, ())> {
        (self.function)(x).map(|(value, gradient)| (value, gradient, ()))
    }

    fn curvature(&self, now: &Minimum) -> Vec<f64> {
        vec![1.0; now.at.len()]
    }

    fn longest(&self) -> f64 {
        self.limits.step
    }

    fn ended(&mut self, now: &Minimum) -> Option<bool> {
        let flat = largest(now.gradient.iter().copied()) <= self.limits.gradient;
        (flat || now.iterations >= self.limits.iterations).then_some(flat)
    }
}

/// [`descend`] on a function whose coordinates are of unit scale.
pub(crate) fn minimise(
    start: &[f64],
    limits: Limits,
    function: impl FnMut(&[f64]) -> Valued,
) -> Option<Minimum> {
    descend(start, &mut Plain { function, limits })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(into: &mut [f64], by: f64, x: &[f64]) {
    into.iter_mut().zip(x).for_each(|(i, x)| *i += by * x);
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The largest absolute value.
pub(crate) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |m, v| m.max(v.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_followed_to_its_minimum() {
        let limits = Limits {
            iterations: 200,
            gradient: 1e-9,
            step: 10.0,
        };
        let found = minimise(&[-1.2, 1.0], limits, |x| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            let gradient = vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b];
            Some((a * a + 100.0 * b * b, gradient))
        })
        .unwrap();
        assert!(found.converged, "{found:?}");
        assert!((found.at[0] - 1.0).abs() < 1e-8 && (found.at[1] - 1.0).abs() < 1e-8);
    }

    #[test]
    fn a_wall_is_not_crossed() {
        // −ln x + x, not defined for x ≤ 0.
        let limits = Limits {
            iterations: 50,
            gradient: 1e-10,
            step: 100.0,
        };
        let found = minimise(&[30.0], limits, |x| {
            (x[0] > 0.0).then(|| (x[0] - x[0].ln(), vec![1.0 - 1.0 / x[0]]))
        })
        .unwrap();
        assert!((found.at[0] - 1.0).abs() < 1e-9);
    }
}
