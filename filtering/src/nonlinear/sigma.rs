//! Deterministic points that stand for a Gaussian: Σ wᵢ h(zᵢ) ≈ E[h(z)], z ~ N(0, I).

use nalgebra::{DMatrix, SymmetricEigen};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most points that a rule may have.
const MOST_POINTS: usize = 200_000;

/// Which points. In n dimensions, exact for polynomials of the degree named:
///
/// | rule | points | degree | weights |
/// |---|---|---|---|
/// | `Cubature` | 2n | 3 | equal |
/// | `Fifth` | 2n² + 1 | 5 | some negative for n > 4 |
/// | `GaussHermite(k)` | kⁿ | 2k − 1 in each coordinate | positive |
///
/// Sources: the spherical–radial rule of Arasaratnam and Haykin 2009; the fully symmetric rule of McNamee and
/// Stenger 1967; Golub and Welsch 1969 for the nodes in one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CubatureRule {
    /// ±√n along each axis.
    Cubature,
    /// The origin, ±√3 along each axis, (±√3, ±√3) in each pair of axes.
    Fifth,
    /// The product of Gauss–Hermite rules of so many nodes.
    GaussHermite(usize),
}

impl CubatureRule {
    /// A rule that is exact enough where that is cheap: 16 Gauss–Hermite nodes in one dimension, 6 each in
    /// two, degree 5 up to four dimensions (its weights are positive there), degree 3 beyond.
    pub fn for_dimension(n: usize) -> Self {
        match n {
            0 | 1 => CubatureRule::GaussHermite(16),
            2 => CubatureRule::GaussHermite(6),
            3 | 4 => CubatureRule::Fifth,
            _ => CubatureRule::Cubature,
        }
    }
}

/// The points of a rule: nodes zᵢ `[N, n]` and weights wᵢ `[N]`, Σ wᵢ = 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    dim: usize,
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

impl Points {
    /// The points of `rule` in `dim` dimensions.
    ///
    /// # Errors
    /// [`Error::Setting`] for no dimension, no node, or more than 200 000 points.
    pub fn new(rule: CubatureRule, dim: usize) -> Result<Self> {
        if dim == 0 {
            return Err(Error::setting("dim", dim, "at least one dimension"));
        }
        match rule {
            CubatureRule::Cubature => {
                let mut points = Self::empty(dim);
                points.axes((dim as f64).sqrt(), 0.5 / dim as f64);
                Ok(points)
            }
            CubatureRule::Fifth => Ok(Self::fifth(dim)),
            CubatureRule::GaussHermite(order) => {
                let count = u32::try_from(dim).ok().and_then(|d| order.checked_pow(d));
                if order == 0 || count.is_none_or(|c| c > MOST_POINTS) {
                    let expected = "from 1 node to 200 000 points in all; use Fifth or Cubature";
                    return Err(Error::setting("rule", format!("{rule:?}"), expected));
                }
                Ok(Self::grid(dim, &gauss_hermite(order)))
            }
        }
    }

    fn empty(dim: usize) -> Self {
        Self {
            dim,
            nodes: Vec::new(),
            weights: Vec::new(),
        }
    }

    fn axes(&mut self, radius: f64, weight: f64) {
        for axis in 0..self.dim {
            for sign in [radius, -radius] {
                let start = self.nodes.len();
                self.nodes.resize(start + self.dim, 0.0);
                self.nodes[start + axis] = sign;
                self.weights.push(weight);
            }
        }
    }

    fn fifth(dim: usize) -> Self {
        let n = dim as f64;
        let mut points = Self::empty(dim);
        points.nodes.resize(dim, 0.0);
        points.weights.push(1.0 + (n * n - 7.0 * n) / 18.0);
        let radius = 3f64.sqrt();
        points.axes(radius, (4.0 - n) / 18.0);
        for i in 0..dim {
            for j in 0..i {
                for (a, b) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
                    let start = points.nodes.len();
                    points.nodes.resize(start + dim, 0.0);
                    points.nodes[start + i] = a * radius;
                    points.nodes[start + j] = b * radius;
                    points.weights.push(1.0 / 36.0);
                }
            }
        }
        points
    }

    fn grid(dim: usize, line: &[(f64, f64)]) -> Self {
        let mut points = Self::empty(dim);
        for index in 0..line.len().pow(dim as u32) {
            let (mut rest, mut weight) = (index, 1.0);
            for _ in 0..dim {
                let (node, w) = line[rest % line.len()];
                rest /= line.len();
                points.nodes.push(node);
                weight *= w;
            }
            points.weights.push(weight);
        }
        points
    }

    /// How many points.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is none; there always is one.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Each node `[n]` with its weight.
    pub fn iter(&self) -> impl Iterator<Item = (&[f64], f64)> + '_ {
        let nodes = self.nodes.chunks_exact(self.dim);
        nodes.zip(self.weights.iter().copied())
    }
}

/// Nodes and weights of Gauss–Hermite quadrature for N(0, 1): the eigenvalues of the Jacobi matrix of the
/// Hermite polynomials (off-diagonal √k), and the squares of the first entries of its eigenvectors.
fn gauss_hermite(order: usize) -> Vec<(f64, f64)> {
    let jacobi = DMatrix::from_fn(order, order, |i, j| match i.abs_diff(j) {
        1 => (i.max(j) as f64).sqrt(),
        _ => 0.0,
    });
    let eigen = SymmetricEigen::new(jacobi);
    let mut line: Vec<(f64, f64)> = (0..order)
        .map(|k| (eigen.eigenvalues[k], eigen.eigenvectors[(0, k)].powi(2)))
        .collect();
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The rule is symmetric, and so that odd moments vanish to rounding, its numbers are made so.
    let mirrored: Vec<(f64, f64)> = line.iter().rev().copied().collect();
    let halves = line.iter().zip(&mirrored);
    halves
        .map(|(a, b)| (0.5 * (a.0 - b.0), 0.5 * (a.1 + b.1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E[∏ zᵢ^aᵢ] of a standard normal: double factorials.
    fn moment(powers: &[u32]) -> f64 {
        let one = |a: u32| match a % 2 {
            1 => 0.0,
            _ => (1..a).step_by(2).map(f64::from).product(),
        };
        powers.iter().map(|&a| one(a)).product()
    }

    #[test]
    fn each_rule_has_its_degree() {
        for (rule, dim, degree) in [
            (CubatureRule::Cubature, 3, 3),
            (CubatureRule::Fifth, 3, 5),
            (CubatureRule::Fifth, 6, 5),
            (CubatureRule::GaussHermite(3), 2, 5),
            (CubatureRule::GaussHermite(24), 1, 20),
        ] {
            let points = Points::new(rule, dim).unwrap();
            for a in 0..=degree {
                for b in 0..=degree - a {
                    let mut powers = vec![0; dim];
                    powers[0] = a;
                    if dim > 1 {
                        powers[1] = b;
                    } else if b > 0 {
                        continue;
                    }
                    let found: f64 = points
                        .iter()
                        .map(|(z, w)| {
                            let value: f64 = z
                                .iter()
                                .zip(&powers)
                                .map(|(z, &p)| z.powi(p as i32))
                                .product();
                            w * value
                        })
                        .sum();
                    let expected = moment(&powers);
                    // What cancels in an odd moment is as large as the next even one.
                    let even: Vec<u32> = powers.iter().map(|p| p + p % 2).collect();
                    let size = moment(&even).max(1.0);
                    assert!(
                        (found - expected).abs() <= 1e-11 * size,
                        "{rule:?} {powers:?}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn too_many_points_are_refused() {
        assert!(Points::new(CubatureRule::GaussHermite(20), 8).is_err());
        assert!(Points::new(CubatureRule::GaussHermite(0), 1).is_err());
        assert!(Points::new(CubatureRule::Cubature, 0).is_err());
    }
}
