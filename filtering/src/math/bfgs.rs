//! Quasi-Newton minimisation of a smooth function with its exact gradient.

/// The value of a function and its gradient; `None` where it is not defined or not finite.
pub(crate) type Valued = Option<(f64, Vec<f64>)>;

/// When a minimisation ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At most so many steps.
    pub iterations: usize,
    /// Ends where no entry of the gradient is larger.
    pub gradient: f64,
    /// No entry moves further in one step: coordinates are logarithms or the like, of unit scale.
    pub step: f64,
}

/// Where a minimisation ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Minimum {
    pub at: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
    pub iterations: usize,
    pub evaluations: usize,
    pub converged: bool,
}

/// Armijo's constant: a step must gain this part of what the slope promises.
const GAIN: f64 = 1e-4;
/// The curvature condition: the slope must have fallen to this part, or the step was too short.
const CURVATURE: f64 = 0.9;
/// Values are right to this part of themselves: sums of hundreds of terms.
const ROUNDING: f64 = 1e-13;
/// Trials of one line search.
const TRIALS: usize = 30;

/// BFGS (C. G. Broyden, R. Fletcher, D. Goldfarb, D. F. Shanno, 1970) with a line search by bisection that ends at a point
/// with the weak Wolfe conditions. `None` where the function is not defined at `start`.
pub(crate) fn minimise(
    start: &[f64],
    limits: Limits,
    mut function: impl FnMut(&[f64]) -> Valued,
) -> Option<Minimum> {
    let n = start.len();
    let (value, gradient) = function(start)?;
    let mut now = Minimum {
        at: start.to_vec(),
        value,
        gradient,
        iterations: 0,
        evaluations: 1,
        converged: false,
    };
    let mut inverse = Inverse::identity(n);
    loop {
        now.converged = largest(&now.gradient) <= limits.gradient;
        if now.converged || now.iterations >= limits.iterations {
            return Some(now);
        }
        let mut direction = inverse.direction(&now.gradient);
        if dot(&direction, &now.gradient) >= 0.0 {
            inverse = Inverse::identity(n);
            direction = inverse.direction(&now.gradient);
        }
        let found = search(&now, &direction, limits.step, &mut function);
        now.evaluations += found.1;
        let Some((at, value, gradient)) = found.0 else {
            if inverse.fresh {
                return Some(now);
            }
            inverse = Inverse::identity(n);
            continue;
        };
        inverse.learn(
            &difference(&at, &now.at),
            &difference(&gradient, &now.gradient),
        );
        now.iterations += 1;
        (now.at, now.value, now.gradient) = (at, value, gradient);
    }
}

type Point = (Vec<f64>, f64, Vec<f64>);

/// A point along `direction` that satisfies the weak Wolfe conditions, or the best that gains; and how often the function
/// was evaluated.
fn search(
    now: &Minimum,
    direction: &[f64],
    step: f64,
    function: &mut impl FnMut(&[f64]) -> Valued,
) -> (Option<Point>, usize) {
    let slope = dot(direction, &now.gradient);
    let longest = step / largest(direction);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut t = longest.min(1.0);
    let mut best: Option<Point> = None;
    // Near the minimum the gain is below the rounding of the values: there the slope decides (the approximate Wolfe
    // conditions of W. W. Hager and H. Zhang, 2005).
    let room = ROUNDING * now.value.abs();
    for trial in 1..=TRIALS {
        let at: Vec<f64> = now
            .at
            .iter()
            .zip(direction)
            .map(|(x, d)| x + t * d)
            .collect();
        let found = function(&at).filter(|(v, g)| v.is_finite() && largest(g).is_finite());
        let gains = found.as_ref().is_some_and(|(value, gradient)| {
            let slopes = dot(direction, gradient);
            *value <= now.value + GAIN * t * slope
                || *value <= now.value + room && slopes <= (2.0 * GAIN - 1.0) * slope
        });
        match found.filter(|_| gains) {
            Some((value, gradient)) => {
                let flat = dot(direction, &gradient) >= CURVATURE * slope;
                best = Some((at, value, gradient));
                if flat || t >= longest {
                    return (best, trial);
                }
                low = t;
            }
            None => high = t,
        }
        t = match high.is_finite() {
            true => 0.5 * (low + high),
            false => (2.0 * t).min(longest),
        };
        if best.is_some() && high.is_finite() && high - low < 1e-3 * high {
            return (best, trial);
        }
    }
    (best, TRIALS)
}

/// The approximation of the inverse Hessian.
struct Inverse {
    rows: Vec<Vec<f64>>,
    fresh: bool,
}

impl Inverse {
    fn identity(n: usize) -> Self {
        let row = |i| (0..n).map(|j| f64::from(u8::from(i == j))).collect();
        Self {
            rows: (0..n).map(row).collect(),
            fresh: true,
        }
    }

    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let direction = self.rows.iter().map(|row| -dot(row, gradient));
        match self.fresh {
            // Of unit length at most: nothing is known of the curvature.
            true => {
                let size = largest(gradient).max(1.0);
                direction.map(|d| d / size).collect()
            }
            false => direction.collect(),
        }
    }

    /// The update by a step s and the change y of the gradient.
    fn learn(&mut self, s: &[f64], y: &[f64]) {
        let sy = dot(s, y);
        let yy = dot(y, y);
        if sy.is_nan() || sy <= 1e-12 * (dot(s, s) * yy).sqrt() {
            return;
        }
        if self.fresh {
            let scale = sy / yy;
            for row in &mut self.rows {
                row.iter_mut().for_each(|v| *v *= scale);
            }
            self.fresh = false;
        }
        let hy: Vec<f64> = self.rows.iter().map(|row| dot(row, y)).collect();
        let factor = (1.0 + dot(y, &hy) / sy) / sy;
        for (i, row) in self.rows.iter_mut().enumerate() {
            for (j, v) in row.iter_mut().enumerate() {
                *v += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The largest absolute entry; not a number where one is not.
pub(crate) fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, v| {
        if v.is_nan() || v.abs() > m {
            v.abs()
        } else {
            m
        }
    })
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
