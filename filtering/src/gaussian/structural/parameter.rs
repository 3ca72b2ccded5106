//! Parameters of components, and the coordinates in which they are free.

use super::stationary::{coefficients, partials};

/// One parameter of a structural model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub name: String,
    pub kind: Kind,
}

/// What a parameter is, and with it its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// σ² ≥ 0, in squared units of the data.
    Variance,
    /// The period of a cycle in observations, above 2.
    Period,
    /// The damping ρ of a cycle, from 0 to below 1.
    Damping,
    /// Coefficient `at` of a stationary autoregression.
    Ar { at: usize, order: usize },
    /// Coefficient `at` of an invertible moving average.
    Ma { at: usize, order: usize },
}

/// The damping of a cycle that never fades, 1 but for 10⁻⁹, and the largest: a cycle that loses a thousandth in a million rows, and whose
/// stationary variance σ²/(1 − ρ²) is still known to seven digits. Closer to 1 a search follows rounding.
pub(super) const UNDAMPED: f64 = 1.0 - 1e-9;

impl Kind {
    /// Whether a value is one at which a fit ends because ln p rises towards the end of the range.
    pub fn ends_at(self, value: f64) -> bool {
        match self {
            Self::Variance => value == 0.0,
            Self::Damping => value == UNDAMPED,
            Self::Period | Self::Ar { .. } | Self::Ma { .. } => false,
        }
    }
}

/// A group of parameters that have coordinates together: one parameter, or all coefficients of one polynomial.
///
/// | kind | coordinate u | value |
/// |---|---|---|
/// | variance | ℝ | unit·eᵘ |
/// | period | ℝ | 2 + eᵘ |
/// | damping | ℝ | (1 − 10⁻⁹)/(1 + e⁻ᵘ) |
/// | AR | ℝᵖ | partial autocorrelations u/√(1 + u²), Durbin–Levinson |
/// | MA | ℝ^q | the negative of the same |
pub(super) fn to_values(kind: Kind, unit: f64, u: &[f64]) -> Vec<f64> {
    let one = |v: f64| vec![v];
    match kind {
        Kind::Variance => one(unit * u[0].exp()),
        Kind::Period => one(2.0 + u[0].exp()),
        Kind::Damping => one(UNDAMPED * logistic(u[0])),
        Kind::Ar { .. } => coefficients(&bounded(u)),
        Kind::Ma { .. } => coefficients(&bounded(u)).iter().map(|c| -c).collect(),
    }
}

/// The coordinates of values inside their range; `None` on its boundary or outside.
pub(super) fn to_coordinates(kind: Kind, unit: f64, values: &[f64]) -> Option<Vec<f64>> {
    let one = |v: f64| vec![v];
    let free = |values: &[f64]| {
        let unbounded = |r: &f64| r / (1.0 - r * r).sqrt();
        Some(partials(values)?.iter().map(unbounded).collect())
    };
    let u = match kind {
        Kind::Variance => one((values[0] / unit).ln()),
        Kind::Period => one((values[0] - 2.0).ln()),
        Kind::Damping => {
            let share = (values[0] / UNDAMPED).min(1.0 - f64::EPSILON);
            one((share / (1.0 - share)).ln())
        }
        Kind::Ar { .. } => free(values)?,
        Kind::Ma { .. } => free(&values.iter().map(|v| -v).collect::<Vec<_>>())?,
    };
    u.iter().all(|u: &f64| u.is_finite()).then_some(u)
}

/// ∂ value_i / ∂ u_j, row after row.
pub(super) fn jacobian(kind: Kind, unit: f64, u: &[f64]) -> Vec<Vec<f64>> {
    let one = |v: f64| vec![vec![v]];
    match kind {
        Kind::Variance => one(unit * u[0].exp()),
        Kind::Period => one(u[0].exp()),
        Kind::Damping => one(UNDAMPED * logistic(u[0]) * logistic(-u[0])),
        Kind::Ar { .. } => of_polynomial(u, 1.0),
        Kind::Ma { .. } => of_polynomial(u, -1.0),
    }
}

fn of_polynomial(u: &[f64], sign: f64) -> Vec<Vec<f64>> {
    let columns: Vec<Vec<f64>> = (0..u.len())
        .map(|j| super::stationary::derivative(&bounded(u), j))
        .collect();
    let slope = |u: f64| (1.0 + u * u).powf(-1.5);
    let entry = |i: usize| {
        (0..u.len())
            .map(|j| sign * columns[j][i] * slope(u[j]))
            .collect()
    };
    (0..u.len()).map(entry).collect()
}

fn bounded(u: &[f64]) -> Vec<f64> {
    u.iter().map(|u| u / (1.0 + u * u).sqrt()).collect()
}

fn logistic(u: f64) -> f64 {
    1.0 / (1.0 + (-u).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_return_and_their_slopes_are_those_of_differences() {
        let kinds = [
            (Kind::Variance, vec![0.7]),
            (Kind::Period, vec![1.3]),
            (Kind::Damping, vec![-0.4]),
            (Kind::Ar { at: 0, order: 3 }, vec![0.5, -1.1, 0.3]),
            (Kind::Ma { at: 0, order: 2 }, vec![-0.8, 0.6]),
        ];
        for (kind, u) in kinds {
            let values = to_values(kind, 3.0, &u);
            let back = to_coordinates(kind, 3.0, &values).unwrap();
            assert!(back.iter().zip(&u).all(|(a, b)| (a - b).abs() < 1e-12));
            let slopes = jacobian(kind, 3.0, &u);
            for j in 0..u.len() {
                // A central difference: its error is of third order, 1e-10 here.
                let moved = |h: f64| {
                    let mut v = u.clone();
                    v[j] += h;
                    to_values(kind, 3.0, &v)
                };
                let (up, down) = (moved(1e-5), moved(-1e-5));
                for i in 0..u.len() {
                    let slope = (up[i] - down[i]) / 2e-5;
                    assert!((slopes[i][j] - slope).abs() < 1e-8, "{kind:?} {i} {j}");
                }
            }
        }
        assert!(to_coordinates(Kind::Ar { at: 0, order: 1 }, 1.0, &[1.0]).is_none());
    }
}
