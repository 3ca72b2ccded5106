//! Levenberg–Marquardt: the least sum of squares over a box.
//!
//! ```text
//! C(p) = ½ Σ r(p)²         (JᵀJ + λ diag(JᵀJ)) δ = −Jᵀr         p ← clamp(p + δ)
//! ```
//!
//! A step that lowers C is taken and λ divided by 10; another is refused and λ multiplied by 10. A
//! parameter at a bound whose descent direction leads out of the box is held there for the step.
//!
//! Source: Marquardt (1963), *J. SIAM* 11:431; Moré (1978), *Lecture Notes in Mathematics* 630:105.

/// A sum of squares of `P` parameters.
pub trait LeastSquares<const P: usize> {
    /// C(p).
    fn cost(&self, p: &[f64; P]) -> f64;
    /// C, Jᵀr and JᵀJ (of which the lower triangle is read).
    fn normal(&self, p: &[f64; P]) -> Normal<P>;
    /// The box: lowest and highest value of each parameter.
    fn bounds(&self) -> [(f64, f64); P] {
        [(f64::NEG_INFINITY, f64::INFINITY); P]
    }
}

/// The normal equations at one point.
#[derive(Debug, Clone)]
pub struct Normal<const P: usize> {
    /// C
    pub cost: f64,
    /// Jᵀr
    pub gradient: [f64; P],
    /// JᵀJ, lower triangle
    pub hessian: [[f64; P]; P],
}

impl<const P: usize> Normal<P> {
    /// Nothing yet.
    pub fn zero() -> Self {
        Self {
            cost: 0.0,
            gradient: [0.0; P],
            hessian: [[0.0; P]; P],
        }
    }

    /// Adds one residual and its derivatives.
    #[inline]
    pub fn add(&mut self, residual: f64, derivatives: &[f64; P]) {
        self.cost += 0.5 * residual * residual;
        for i in 0..P {
            self.gradient[i] += derivatives[i] * residual;
            for j in 0..=i {
                self.hessian[i][j] += derivatives[i] * derivatives[j];
            }
        }
    }
}

/// Where the descent ended.
#[derive(Debug, Clone, Copy)]
pub struct Minimum<const P: usize> {
    /// p
    pub at: [f64; P],
    /// C(p)
    pub cost: f64,
}

/// Steps that lower C by less than this fraction end the descent.
const PRECISION: f64 = 1e-9;
/// Above this damping no step is long enough to change anything.
const MOST_DAMPING: f64 = 1e12;

/// Descends from `start` for at most `iterations` steps, taken or refused.
pub fn minimise<const P: usize>(
    problem: &impl LeastSquares<P>,
    start: [f64; P],
    iterations: usize,
) -> Minimum<P> {
    let bounds = problem.bounds();
    let mut p = clamped(start, &bounds);
    let mut here = problem.normal(&p);
    let mut damping = 1e-3;
    for _ in 0..iterations {
        let step = step(&here, &p, &bounds, damping);
        let next = clamped(std::array::from_fn(|i| p[i] + step[i]), &bounds);
        let cost = problem.cost(&next);
        if cost < here.cost {
            let gain = here.cost - cost;
            let enough = gain > PRECISION * here.cost;
            p = next;
            damping = (damping / 10.0).max(1e-12);
            if !enough {
                here.cost = cost;
                break;
            }
            here = problem.normal(&p);
        } else {
            damping *= 10.0;
            if damping > MOST_DAMPING {
                break;
            }
        }
    }
    Minimum {
        at: p,
        cost: here.cost,
    }
}

fn clamped<const P: usize>(mut p: [f64; P], bounds: &[(f64, f64); P]) -> [f64; P] {
    for (value, &(low, high)) in p.iter_mut().zip(bounds) {
        *value = value.max(low).min(high);
    }
    p
}

fn step<const P: usize>(
    here: &Normal<P>,
    p: &[f64; P],
    bounds: &[(f64, f64); P],
    damping: f64,
) -> [f64; P] {
    let mut matrix = here.hessian;
    let mut right: [f64; P] = std::array::from_fn(|i| -here.gradient[i]);
    let largest = (0..P).fold(0.0, |m: f64, i| m.max(matrix[i][i]));
    for (i, row) in matrix.iter_mut().enumerate() {
        // A parameter without any influence is damped as well.
        row[i] += damping * row[i].max(1e-12 * largest) + f64::MIN_POSITIVE;
    }
    for i in 0..P {
        let (low, high) = bounds[i];
        let held = (p[i] <= low && right[i] < 0.0) || (p[i] >= high && right[i] > 0.0);
        if held {
            (0..i).for_each(|j| matrix[i][j] = 0.0);
            (i + 1..P).for_each(|j| matrix[j][i] = 0.0);
            matrix[i][i] = 1.0;
            right[i] = 0.0;
        }
    }
    solve(matrix, right).unwrap_or([0.0; P])
}

/// Solves `A x = b` by Cholesky's factorisation of the lower triangle; `None` if A is not positive.
fn solve<const P: usize>(mut a: [[f64; P]; P], mut b: [f64; P]) -> Option<[f64; P]> {
    for i in 0..P {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - dot;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                a[i][i] = rest.sqrt();
            } else {
                a[i][j] = rest / a[j][j];
            }
        }
    }
    for i in 0..P {
        let dot: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    for i in (0..P).rev() {
        let dot: f64 = (i + 1..P).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    Some(b)
}

/// The largest difference between the derivatives and central differences of the residuals, relative
/// to the largest derivative.
#[cfg(test)]
pub fn gradient_error<const P: usize>(problem: &impl LeastSquares<P>, p: [f64; P]) -> f64 {
    let normal = problem.normal(&p);
    let largest = normal.gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    let error = |i: usize| {
        let h = 1e-5 * p[i].abs().max(1e-1);
        let shifted = |by: f64| {
            let mut p = p;
            p[i] += by;
            problem.cost(&p)
        };
        // Fourth order: the error is of h⁴.
        let near = shifted(h) - shifted(-h);
        let far = shifted(2.0 * h) - shifted(-2.0 * h);
        ((8.0 * near - far) / (12.0 * h) - normal.gradient[i]).abs() / largest
    };
    (0..P).map(error).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley as residuals 10(y − x²) and 1 − x, perhaps in a box.
    struct Valley(f64);

    impl LeastSquares<2> for Valley {
        fn cost(&self, p: &[f64; 2]) -> f64 {
            self.normal(p).cost
        }
        fn normal(&self, &[x, y]: &[f64; 2]) -> Normal<2> {
            let mut normal = Normal::zero();
            normal.add(10.0 * (y - x * x), &[-20.0 * x, 10.0]);
            normal.add(1.0 - x, &[-1.0, 0.0]);
            normal
        }
        fn bounds(&self) -> [(f64, f64); 2] {
            [
                (f64::NEG_INFINITY, self.0),
                (f64::NEG_INFINITY, f64::INFINITY),
            ]
        }
    }

    #[test]
    fn finds_the_end_of_the_valley() {
        let minimum = minimise(&Valley(f64::INFINITY), [-1.2, 1.0], 200);
        assert!(minimum.cost < 1e-12, "{minimum:?}");
        assert!((minimum.at[0] - 1.0).abs() < 1e-6 && (minimum.at[1] - 1.0).abs() < 1e-6);
        assert!(gradient_error(&Valley(1.0), [-0.7, 0.3]) < 1e-7);
    }

    #[test]
    fn stops_at_a_bound() {
        // With x ≤ ½ the least is at (½, ¼): C = ⅛.
        let minimum = minimise(&Valley(0.5), [-1.2, 1.0], 200);
        assert!((minimum.cost - 0.125).abs() < 1e-9, "{minimum:?}");
        assert!((minimum.at[1] - 0.25).abs() < 1e-6, "{minimum:?}");
    }

    #[test]
    fn solves_a_small_system() {
        let x = solve([[4.0, 0.0], [2.0, 3.0]], [2.0, 5.0]).unwrap();
        // 4x + 2y = 2, 2x + 3y = 5
        assert!((x[0] + 0.5).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15);
        assert_eq!(solve([[0.0]], [1.0]), None);
    }
}
