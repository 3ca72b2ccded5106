//! The recursion of the score: S_t(x) = E[∇_θ ln p(x_1…x_t, y_1…y_t) | x_t = x] under the kernels.

use serde::{Deserialize, Serialize};

use super::StateSpace;
use super::kernel::{Joint, Tie};
use super::root::Root;
use super::sigma::{CubatureRule, Points};
use crate::math::square::{
    add_product, apply, dot, product, quadratic_form, symmetrise, transposed_product,
};

/// What S_t is fitted by, each component by least squares under q_t.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScoreShape {
    /// k + uᵀ(x − μ): P·n numbers. In a linear-Gaussian model `E_q[S]` then misses what the quadratic part of S
    /// gains between the filter's law of x_t and the smoothed one; small where the past is soon forgotten.
    Affine,
    /// k + uᵀ(x − μ) + (x − μ)ᵀU(x − μ): P·n² numbers, exact in a linear-Gaussian model.
    Quadratic,
}

impl ScoreShape {
    /// Points of the pair (x, x') that are exact for scores of degree two times what they are fitted by.
    pub(crate) fn rule(self, n: usize) -> CubatureRule {
        match (self, n) {
            (_, 1) => CubatureRule::GaussHermite(4),
            (ScoreShape::Affine, _) => CubatureRule::Cubature,
            (ScoreShape::Quadratic, _) => CubatureRule::Fifth,
        }
    }
}

/// Ŝ_t with its mean under q_t.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub shape: ScoreShape,
    pub constant: Vec<f64>,
    pub slope: Vec<f64>,
    /// `[P, n, n]`, none of an affine one.
    pub curvature: Vec<f64>,
    /// E_{q_t}[Ŝ_t] `[P]`.
    pub expected: Vec<f64>,
}

impl Score {
    pub fn zero(shape: ScoreShape, parameters: usize, n: usize) -> Self {
        let curvature = match shape {
            ScoreShape::Affine => 0,
            ScoreShape::Quadratic => parameters * n * n,
        };
        Self {
            shape,
            constant: vec![0.0; parameters],
            slope: vec![0.0; parameters * n],
            curvature: vec![0.0; curvature],
            expected: vec![0.0; parameters],
        }
    }
}

/// The place where it is fitted.
#[derive(Debug, Clone)]
pub(crate) struct ScoreFit {
    points: Points,
    x: Vec<f64>,
    previous: Vec<f64>,
    noise: Vec<f64>,
    term: Vec<f64>,
    other: Vec<f64>,
    root: Root,
    kernel_root: Root,
    weighed: Vec<f64>,
    square: Vec<f64>,
    /// `[P, n]`.
    slopes: Vec<f64>,
}

impl ScoreFit {
    pub fn new(points: Points, parameters: usize, n: usize) -> Self {
        Self {
            points,
            x: vec![0.0; n],
            previous: vec![0.0; n],
            noise: vec![0.0; n],
            term: vec![0.0; parameters],
            other: vec![0.0; parameters],
            root: Root::zero(n),
            kernel_root: Root::zero(n),
            weighed: vec![0.0; n * n],
            square: vec![0.0; n * n],
            slopes: vec![0.0; parameters * n],
        }
    }

    /// One step of eq. F8: the past pushed through the kernel (if `carry`), the new terms fitted under the pair.
    /// `centre` is the mean of q_{t−1}. `false` if a covariance is not positive definite.
    pub fn step<M: StateSpace>(
        &mut self,
        model: &M,
        observation: Option<&[f64]>,
        joint: &Joint,
        past: Option<(&Score, &[f64])>,
        next: &mut Score,
    ) -> bool {
        let n = joint.n;
        if !self.root.take(&joint.covariance)
            || (joint.tie != Tie::First && !self.kernel_root.take(&joint.conditional))
        {
            return false;
        }
        self.root.invert();
        self.fit(model, observation, joint, next);
        if let Some((past, centre)) = past {
            self.push(joint, past, centre, next);
        }
        for (p, expected) in next.expected.iter_mut().enumerate() {
            *expected = next.constant[p];
            if next.shape == ScoreShape::Quadratic {
                let u = &next.curvature[p * n * n..(p + 1) * n * n];
                *expected += dot(u, &joint.covariance);
            }
        }
        next.expected.iter().all(|e| e.is_finite())
    }

    /// The new terms by their moments in z, x = μ + S z: E[s], E[s z], ½(E[s zzᵀ] − E[s] I).
    fn fit<M: StateSpace>(
        &mut self,
        model: &M,
        observation: Option<&[f64]>,
        joint: &Joint,
        next: &mut Score,
    ) {
        let n = joint.n;
        let quadratic = next.shape == ScoreShape::Quadratic;
        next.constant.fill(0.0);
        next.slope.fill(0.0);
        next.curvature.fill(0.0);
        for (z, w) in self.points.iter() {
            let (z, e) = z.split_at(n);
            self.root.spread(z, &mut self.x);
            if joint.tie == Tie::First {
                for (x, m) in self.x.iter_mut().zip(&joint.mean) {
                    *x += m;
                }
                model.initial_score(&self.x, &mut self.term);
            } else {
                if z.iter().all(|z| *z == 0.0) {
                    self.previous.fill(0.0);
                } else {
                    apply(&joint.slope, &self.x, &mut self.previous);
                }
                self.kernel_root.spread(e, &mut self.noise);
                for i in 0..n {
                    self.x[i] += joint.mean[i];
                    self.previous[i] += joint.previous_mean[i] + self.noise[i];
                }
                model.transition_score(&self.previous, &self.x, &mut self.term);
            }
            if let Some(y) = observation {
                model.observation_score(y, &self.x, &mut self.other);
                for (term, other) in self.term.iter_mut().zip(&self.other) {
                    *term += other;
                }
            }
            for (constant, term) in next.constant.iter_mut().zip(&self.term) {
                *constant += w * term;
            }
            for i in (0..n).filter(|&i| z[i] != 0.0) {
                let wz = w * z[i];
                for (p, term) in self.term.iter().enumerate() {
                    next.slope[p * n + i] += wz * term;
                }
                if quadratic {
                    for (p, term) in self.term.iter().enumerate() {
                        let row = &mut next.curvature[(p * n + i) * n..(p * n + i + 1) * n];
                        for (u, z) in row.iter_mut().zip(z) {
                            *u += 0.5 * wz * term * z;
                        }
                    }
                }
            }
        }
        // From z to x: u = S⁻ᵀ E[s z], U = S⁻ᵀ (…) S⁻¹, and k so that the mean stays E[s].
        product(&next.slope, &self.root.inverse, &mut self.slopes, n);
        next.slope.copy_from_slice(&self.slopes);
        if quadratic {
            for p in 0..next.constant.len() {
                let u = &mut next.curvature[p * n * n..(p + 1) * n * n];
                let mut trace = 0.0;
                for i in 0..n {
                    u[i * (n + 1)] -= 0.5 * next.constant[p];
                    trace += u[i * (n + 1)];
                }
                next.constant[p] -= trace;
                product(u, &self.root.inverse, &mut self.square, n);
                transposed_product(&self.root.inverse, &self.square, u, n);
                symmetrise(u, n);
            }
        }
    }

    /// E_b of the past: with x' − a = δ + E(x − μ) + ε, ε ~ N(0, L),
    /// k + uᵀδ + δᵀUδ + tr UL,  Eᵀ(u + 2Uδ),  EᵀUE.
    fn push(&mut self, joint: &Joint, past: &Score, centre: &[f64], next: &mut Score) {
        let n = joint.n;
        for i in 0..n {
            self.x[i] = joint.previous_mean[i] - centre[i];
        }
        for p in 0..past.constant.len() {
            let slope = &past.slope[p * n..(p + 1) * n];
            let mut constant = past.constant[p] + dot(slope, &self.x);
            let into = &mut self.slopes[p * n..(p + 1) * n];
            into.copy_from_slice(slope);
            if past.shape == ScoreShape::Quadratic {
                let u = &past.curvature[p * n * n..(p + 1) * n * n];
                constant += quadratic_form(u, &self.x) + dot(u, &joint.conditional);
                for i in 0..n {
                    into[i] += 2.0 * dot(&u[i * n..(i + 1) * n], &self.x);
                }
                product(u, &joint.slope, &mut self.weighed, n);
                transposed_product(&joint.slope, &self.weighed, &mut self.square, n);
                let into = &mut next.curvature[p * n * n..(p + 1) * n * n];
                for (into, s) in into.iter_mut().zip(&self.square) {
                    *into += s;
                }
            }
            next.constant[p] += constant;
        }
        add_product(&self.slopes, &joint.slope, &mut next.slope, n);
    }
}
