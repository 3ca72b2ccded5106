//! L-BFGS: the least of a smooth function of many parameters.
//!
//! ```text
//! d = −H ∇f      H from the last m pairs s = Δx, y = Δ∇f by the two-loop recursion
//! x ← x + αd     α by the strong Wolfe conditions, c₁ = 10⁻⁴, c₂ = 0.9
//! ```
//!
//! Where two values differ by rounding alone, the decrease is judged by the slopes instead.
//!
//! Sources: Nocedal & Wright (2006), *Numerical Optimization*, algorithms 7.4, 7.5, 3.5 and 3.6; Hager &
//! Zhang (2005), *SIAM J. Optimization* 16:170, for the judgement by slopes.

use std::collections::VecDeque;

/// m
const MEMORY: usize = 10;
const C1: f64 = 1e-4;
const C2: f64 = 0.9;
/// Evaluations of one line search.
const TRIES: usize = 30;
/// A difference below this fraction of f is rounding.
const ROUNDING: f64 = 1e-14;
/// So many steps without a decrease beyond rounding end the descent.
const PATIENCE: usize = 10;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct StoppingCriteria {
    /// At most so many steps.
    pub iterations: usize,
    /// When no derivative is larger than this.
    pub gradient: f64,
}

/// Where the descent ended.
#[derive(Debug, Clone)]
pub struct LbfgsResult {
    /// x
    pub at: Vec<f64>,
    /// f(x)
    pub value: f64,
    /// The largest derivative.
    pub gradient: f64,
    /// Steps taken.
    pub iterations: usize,
}

/// A point on the line of a search.
#[derive(Clone)]
struct Point {
    alpha: f64,
    value: f64,
    slope: f64,
    at: Vec<f64>,
    gradient: Vec<f64>,
}

/// Descends from `start`; `f` gives the value and the gradient.
pub fn minimise(
    mut f: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    start: Vec<f64>,
    stop: StoppingCriteria,
) -> LbfgsResult {
    let mut x = start;
    let (mut value, mut gradient) = f(&x);
    let mut pairs: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    let (mut iterations, mut stalled) = (0, 0);
    while iterations < stop.iterations && largest(&gradient) > stop.gradient {
        let mut direction = two_loops(&pairs, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope.is_nan() || slope >= 0.0 {
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let alpha = if pairs.is_empty() {
            1.0 / dot(&gradient, &gradient).sqrt().max(1.0)
        } else {
            1.0
        };
        let here = Point {
            alpha: 0.0,
            value,
            slope,
            at: x.clone(),
            gradient: gradient.clone(),
        };
        let Some(next) = search(&mut f, &here, &direction, alpha) else {
            break;
        };
        iterations += 1;
        let s: Vec<f64> = next.at.iter().zip(&x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = next
            .gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        if dot(&s, &y) > 1e-12 * dot(&y, &y) {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back((s, y));
        }
        let gain = value - next.value;
        (x, value, gradient) = (next.at, next.value, next.gradient);
        stalled = if gain > ROUNDING * value.abs() {
            0
        } else {
            stalled + 1
        };
        if stalled == PATIENCE {
            break;
        }
    }
    LbfgsResult {
        gradient: largest(&gradient),
        at: x,
        value,
        iterations,
    }
}

/// −H g
fn two_loops(pairs: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for (s, y) in pairs.iter().rev() {
        let share = dot(s, &q) / dot(s, y);
        add(&mut q, -share, y);
        shares.push(share);
    }
    if let Some((s, y)) = pairs.back() {
        let scale = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|v| *v *= scale);
    }
    for ((s, y), share) in pairs.iter().zip(shares.iter().rev()) {
        let correction = share - dot(y, &q) / dot(s, y);
        add(&mut q, correction, s);
    }
    q
}

/// A point along `direction` that satisfies the strong Wolfe conditions, or at least lies lower.
fn search(
    f: &mut impl FnMut(&[f64]) -> (f64, Vec<f64>),
    start: &Point,
    direction: &[f64],
    first: f64,
) -> Option<Point> {
    let mut low = start.clone();
    let mut high: Option<(f64, f64, f64)> = None; // alpha, value, slope
    let mut alpha = first;
    for _ in 0..TRIES {
        let mut at = start.at.clone();
        add(&mut at, alpha, direction);
        let (value, gradient) = f(&at);
        let slope = dot(&gradient, direction);
        let same = (value - start.value).abs() <= ROUNDING * start.value.abs();
        let enough = if same {
            slope <= (2.0 * C1 - 1.0) * start.slope
        } else {
            value <= start.value + C1 * alpha * start.slope
        };
        let higher = !same && value >= low.value && low.alpha > 0.0;
        if !enough || higher {
            high = Some((alpha, value, slope)); // also where the value is NaN
        } else {
            if slope.abs() <= -C2 * start.slope {
                return Some(Point {
                    alpha,
                    value,
                    slope,
                    at,
                    gradient,
                });
            }
            let beyond = match high {
                Some((high, ..)) => slope * (high - low.alpha) >= 0.0,
                None => slope >= 0.0,
            };
            if beyond {
                high = Some((low.alpha, low.value, low.slope));
            }
            low = Point {
                alpha,
                value,
                slope,
                at,
                gradient,
            };
        }
        alpha = match high {
            None => 3.0 * alpha,
            Some(high) => between(&low, high),
        };
    }
    (low.alpha > 0.0).then_some(low)
}

/// The minimum of the cubic through two points and their slopes, kept away from both ends.
fn between(low: &Point, (alpha, value, slope): (f64, f64, f64)) -> f64 {
    let width = alpha - low.alpha;
    let d1 = low.slope + slope - 3.0 * (low.value - value) / (low.alpha - alpha);
    let root = (d1 * d1 - low.slope * slope).sqrt() * width.signum();
    let share = 1.0 - (slope + root - d1) / (slope - low.slope + 2.0 * root);
    let share = if share.is_finite() { share } else { 0.5 };
    low.alpha + share.clamp(0.1, 0.9) * width
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * f);
}

fn largest(values: &[f64]) -> f64 {
    // A NaN must not look like convergence.
    let all = values.iter().map(|v| v.abs());
    all.fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: StoppingCriteria = StoppingCriteria {
        iterations: 500,
        gradient: 1e-10,
    };

    #[test]
    fn a_stretched_quadratic_is_solved() {
        // f = ½ Σ k (x_k − k)², condition 50.
        let f = |x: &[f64]| {
            let k = |i: usize| (i + 1) as f64;
            let value = x
                .iter()
                .enumerate()
                .map(|(i, x)| 0.5 * k(i) * (x - k(i)).powi(2));
            let slope = x.iter().enumerate().map(|(i, x)| k(i) * (x - k(i)));
            (value.sum(), slope.collect())
        };
        let end = minimise(f, vec![0.0; 50], STOP);
        assert!(end.gradient <= 1e-10 && end.iterations < 100, "{end:?}");
        assert!((end.at[49] - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_curved_valley_is_followed() {
        let f = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            let slope = vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b];
            (a * a + 100.0 * b * b, slope)
        };
        let end = minimise(f, vec![-1.2, 1.0], STOP);
        assert!(
            (end.at[0] - 1.0).abs() < 1e-8 && end.value < 1e-16,
            "{end:?}"
        );
        assert!(end.iterations < 60, "{end:?}");
    }

    #[test]
    fn a_cliff_is_survived() {
        // −ln(1 − x) − x/…: infinite beyond 1.
        let f = |x: &[f64]| {
            let value = if x[0] < 1.0 {
                -(1.0 - x[0]).ln() - 20.0 * x[0]
            } else {
                f64::NAN
            };
            (value, vec![1.0 / (1.0 - x[0]) - 20.0])
        };
        let end = minimise(f, vec![0.0], STOP);
        assert!((end.at[0] - 0.95).abs() < 1e-9, "{end:?}");
    }
}
