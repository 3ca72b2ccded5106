//! W as a quadratic: the least-squares fit under q, by its first three moments.

use serde::{Deserialize, Serialize};

use crate::math::square::{apply, dot, quadratic_form};

/// W(x) ≈ c + hᵀ(x − a) − ½ (x − a)ᵀ Λ (x − a), with a the mean of q at the time of the fit.
///
/// It is the function of this form that is nearest to W in the mean square under q = N(a, Σ): by Stein's
/// identity that function has the same `E_q[W]`, `E_q[∇W] = h` and `E_q[∇²W] = −Λ`, whatever W is. In a
/// linear-Gaussian model W is of this form, and nothing is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quadratic {
    /// a `[n]`.
    pub centre: Vec<f64>,
    /// c, in nats.
    pub constant: f64,
    /// h `[n]`.
    pub slope: Vec<f64>,
    /// Λ `[n, n]`.
    pub curvature: Vec<f64>,
}

impl Quadratic {
    pub(crate) fn zero(n: usize) -> Self {
        Self {
            centre: vec![0.0; n],
            constant: 0.0,
            slope: vec![0.0; n],
            curvature: vec![0.0; n * n],
        }
    }

    /// W(x), in nats, of a state `[n]`.
    pub fn value(&self, state: &[f64]) -> f64 {
        let d: Vec<f64> = state.iter().zip(&self.centre).map(|(x, a)| x - a).collect();
        self.constant + dot(&self.slope, &d) - 0.5 * quadratic_form(&self.curvature, &d)
    }

    /// E[W] and E[∇W] `[n]` under N(mean, covariance); E[∇²W] is −Λ everywhere. `scratch` is `[n]`.
    pub(crate) fn moments(
        &self,
        mean: &[f64],
        covariance: &[f64],
        gradient: &mut [f64],
        scratch: &mut [f64],
    ) -> f64 {
        for ((d, x), a) in scratch.iter_mut().zip(mean).zip(&self.centre) {
            *d = x - a;
        }
        apply(&self.curvature, scratch, gradient);
        let value = self.constant + dot(&self.slope, scratch)
            - 0.5 * dot(gradient, scratch)
            - 0.5 * dot(&self.curvature, covariance);
        for (g, h) in gradient.iter_mut().zip(&self.slope) {
            *g = h - *g;
        }
        value
    }

    /// Sets c so that E[W] under N(centre, covariance) is `value`.
    pub(crate) fn set_expectation(&mut self, value: f64, covariance: &[f64]) {
        self.constant = value + 0.5 * dot(&self.curvature, covariance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_a_sum_over_points() {
        let w = Quadratic {
            centre: vec![0.3, -0.2],
            constant: 1.5,
            slope: vec![0.4, -1.0],
            curvature: vec![2.0, 0.3, 0.3, 1.0],
        };
        let (mean, l) = ([1.0, 0.5], [0.8, 0.0, -0.3, 0.6]);
        let covariance = [0.64, -0.24, -0.24, 0.45];
        let points =
            crate::nonlinear::Points::new(crate::nonlinear::CubatureRule::Cubature, 2).unwrap();
        let by_points: f64 = points
            .iter()
            .map(|(z, p)| {
                let x = [mean[0] + l[0] * z[0], mean[1] + l[2] * z[0] + l[3] * z[1]];
                p * w.value(&x)
            })
            .sum();
        let (mut g, mut s) = ([0.0; 2], [0.0; 2]);
        let value = w.moments(&mean, &covariance, &mut g, &mut s);
        assert!((value - by_points).abs() < 1e-13);
        let h = 1e-6;
        let slope =
            (w.value(&[mean[0] + h, mean[1]]) - w.value(&[mean[0] - h, mean[1]])) / (2.0 * h);
        assert!((g[0] - slope).abs() < 1e-8);
    }
}
