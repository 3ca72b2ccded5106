//! Sparse and faithful at once: the plane of reconstruction and zeros.
//!
//! ```text
//! distance = √((1 − R²)² + (1 − zeros)²)          to the corner that is perfect in both
//! ```
//!
//! Source: Vafaii, Galor & Yates (2025), *Brain-like variational inference*, for the distance.

use serde::{Deserialize, Serialize};

use crate::error::check_list;
use crate::{Error, Result};

/// √((1 − R²)² + (1 − zeros)²), 0 for a perfect and wholly silent code.
///
/// ```
/// use scotopic_measures::rate_distortion::distance;
/// assert!((distance(0.7, 0.6) - 0.5).abs() < 1e-12);
/// ```
pub fn distance(r2: f64, zeros: f64) -> f64 {
    (1.0 - r2).hypot(1.0 - zeros)
}

/// One model, or one setting of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// β, the weight of the rate.
    pub beta: f64,
    /// T, the number of steps of inference.
    pub steps: usize,
    /// R² of the reconstruction.
    pub r2: f64,
    /// Fraction of zeros in the code.
    pub zeros: f64,
}

impl Point {
    /// [`distance`] of its R² and zeros.
    pub fn distance(&self) -> f64 {
        distance(self.r2, self.zeros)
    }

    /// At least as good in R² and zeros, and better in one.
    fn dominates(&self, other: &Self) -> bool {
        let no_worse = self.r2 >= other.r2 && self.zeros >= other.zeros;
        no_worse && (self.r2 > other.r2 || self.zeros > other.zeros)
    }
}

/// Which of `points` are on the Pareto front: no other has both R² and zeros at least as high and one
/// of them higher. Indices, in the order of falling R²; equal points are all there.
///
/// ```
/// use scotopic_measures::rate_distortion::{Point, nearest, pareto_front};
/// # fn main() -> scotopic_measures::Result<()> {
/// let point = |beta, r2, zeros| Point { beta, steps: 16, r2, zeros };
/// let points = [point(8.0, 0.5, 0.9), point(1.0, 0.9, 0.3), point(4.0, 0.4, 0.8), point(2.0, 0.8, 0.7)];
/// assert_eq!(pareto_front(&points)?, [1, 3, 0]);
/// assert_eq!(nearest(&points)?, Some(3));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for an R² or a fraction that is not finite.
pub fn pareto_front(points: &[Point]) -> Result<Vec<usize>> {
    check(points)?;
    let undominated = |i: &usize| !points.iter().any(|p| p.dominates(&points[*i]));
    let mut front: Vec<usize> = (0..points.len()).filter(undominated).collect();
    front.sort_by(|&a, &b| points[b].r2.total_cmp(&points[a].r2).then(a.cmp(&b)));
    Ok(front)
}

/// The index of the point with the least [`distance`], the first of equals; `None` for no points.
///
/// ```
/// use scotopic_measures::rate_distortion::{Point, nearest};
/// # fn main() -> scotopic_measures::Result<()> {
/// let faithful = Point { beta: 1.0, steps: 16, r2: 0.9, zeros: 0.3 };
/// let balanced = Point { beta: 2.0, steps: 16, r2: 0.8, zeros: 0.7 };
/// assert_eq!(nearest(&[faithful, balanced])?, Some(1));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for an R² or a fraction that is not finite.
pub fn nearest(points: &[Point]) -> Result<Option<usize>> {
    check(points)?;
    let distances = points.iter().map(Point::distance).enumerate();
    let nearer = |a: (usize, f64), b: (usize, f64)| if b.1 < a.1 { b } else { a };
    Ok(distances.reduce(nearer).map(|(i, _)| i))
}

fn check(points: &[Point]) -> Result<()> {
    let column = |of: fn(&Point) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    check_list("R² of points", &column(|p| p.r2), 0)?;
    check_list("zeros of points", &column(|p| p.zeros), 0)?;
    let outside = points.iter().position(|p| !(0.0..=1.0).contains(&p.zeros));
    match outside {
        None => Ok(()),
        Some(at) => Err(Error::value(
            "zeros of points",
            at,
            points[at].zeros,
            "a fraction from 0 to 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(r2: f64, zeros: f64) -> Point {
        Point {
            beta: 1.0,
            steps: 1,
            r2,
            zeros,
        }
    }

    #[test]
    fn equal_points_share_the_front() {
        let points = [point(0.5, 0.5), point(0.5, 0.5), point(0.5, 0.4)];
        assert_eq!(pareto_front(&points).unwrap(), [0, 1]);
        assert_eq!(nearest(&points).unwrap(), Some(0));
        assert_eq!(pareto_front(&[]).unwrap(), [0usize; 0]);
        assert_eq!(nearest(&[]).unwrap(), None);
        assert!(pareto_front(&[point(f64::NAN, 0.5)]).is_err());
        assert!(nearest(&[point(0.5, 1.5)]).is_err());
    }

    proptest! {
        #[test]
        fn the_front_covers_all(pairs in prop::collection::vec((-1.0f64..1.0, 0.0f64..1.0), 1..40)) {
            let points: Vec<Point> = pairs.iter().map(|&(r, z)| point(r, z)).collect();
            let front = pareto_front(&points).unwrap();
            for (i, p) in points.iter().enumerate() {
                let beaten = front.iter().any(|&f| points[f].dominates(p));
                prop_assert!(beaten != front.contains(&i));
            }
            prop_assert!(front.contains(&nearest(&points).unwrap().unwrap()));
            // Along the front R² falls and zeros rise.
            let in_order = front.windows(2).all(|w| points[w[0]].zeros <= points[w[1]].zeros);
            prop_assert!(in_order);
        }
    }
}
