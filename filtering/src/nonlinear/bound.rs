//! One step of the bound: its value and expected derivatives.
//!
//! With the past frozen, the newest bound is that of a Gaussian on a pair,
//!
//! ```text
//! L_t = E[T(x', x)] + H[q_t(x) b_t(x'|x)],    T = W_{t−1}(x') + ln p(x|x') + ln g(y|x),
//! ```
//!
//! so that its best Gaussian obeys precision = −E[∇²T] and E[∇T] = 0 (Opper and Archambeau 2009). Only points
//! of x' and points of x are needed, never of the pair: ln p(x|x') is quadratic in x, and x given x' is linear.

use super::kernel::{Joint, Tie};
use super::noise::Noise;
use super::root::Root;
use super::sigma::Points;
use super::table::Table;
use super::{Quadratic, StateSpace};
use crate::math::square::{
    add_scaled, add_transposed, apply, combine_rows, dot, product, symmetrise, transpose,
    transposed_product,
};

/// What came before x_t.
#[derive(Clone, Copy)]
pub(crate) enum Past<'a> {
    /// Nothing: x_1 ~ N(m_0, P_0), given with P_0⁻¹.
    First(&'a [f64], &'a Noise),
    /// W_{t−1} as a quadratic.
    Quadratic(&'a Quadratic),
    /// W_{t−1} as a table, of one dimension.
    Table(&'a Table),
}

/// E[T], E[∇T] and E[∇²T] under a joint.
#[derive(Debug, Clone)]
pub(crate) struct Slopes {
    pub value: f64,
    pub previous_gradient: Vec<f64>,
    pub gradient: Vec<f64>,
    pub previous_hessian: Vec<f64>,
    pub mixed_hessian: Vec<f64>,
    pub hessian: Vec<f64>,
}

impl Slopes {
    pub fn zero(n: usize) -> Self {
        Self {
            value: 0.0,
            previous_gradient: vec![0.0; n],
            gradient: vec![0.0; n],
            previous_hessian: vec![0.0; n * n],
            mixed_hessian: vec![0.0; n * n],
            hessian: vec![0.0; n * n],
        }
    }
}

/// The place where expectations are taken: points and scratch.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    n: usize,
    pub points: Points,
    x: Vec<f64>,
    r: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    root: Root,
    /// Mᵀ.
    m: Vec<f64>,
    slope: Vec<f64>,
    mean_slope: Vec<f64>,
    /// E[z gᵀ].
    outer: Vec<f64>,
    square: Vec<f64>,
}

impl Bound {
    pub fn new(points: Points, n: usize) -> Self {
        let (vector, matrix) = (|| vec![0.0; n], || vec![0.0; n * n]);
        Self {
            n,
            points,
            x: vector(),
            r: vector(),
            u: vector(),
            v: vector(),
            root: Root::zero(n),
            m: matrix(),
            slope: matrix(),
            mean_slope: matrix(),
            outer: matrix(),
            square: matrix(),
        }
    }

    /// Fills `out` and gives the bound, in nats; not finite where something overflows.
    pub fn evaluate<M: StateSpace>(
        &mut self,
        model: &M,
        noise: &Noise,
        past: Past<'_>,
        observation: Option<&[f64]>,
        joint: &Joint,
        out: &mut Slopes,
    ) -> f64 {
        out.value = 0.0;
        out.gradient.fill(0.0);
        out.hessian.fill(0.0);
        match past {
            Past::First(mean, prior) => self.prior(mean, prior, joint, out),
            Past::Quadratic(w) => {
                let (g, scratch) = (&mut out.previous_gradient, &mut self.x);
                let (m, p) = (&joint.previous_mean, &joint.previous_covariance);
                out.value = w.moments(m, p, g, scratch);
                for (h, c) in out.previous_hessian.iter_mut().zip(&w.curvature) {
                    *h = -c;
                }
                self.transition(model, noise, None, joint, out);
            }
            Past::Table(w) => {
                out.previous_gradient.fill(0.0);
                out.previous_hessian.fill(0.0);
                self.transition(model, noise, Some(w), joint, out);
            }
        }
        if let Some(y) = observation {
            self.observation(model, y, joint, out);
        }
        out.value + joint.entropy()
    }

    /// E[ln N(x; m_0, P_0)].
    fn prior(&mut self, mean: &[f64], prior: &Noise, joint: &Joint, out: &mut Slopes) {
        for ((r, x), m) in self.r.iter_mut().zip(&joint.mean).zip(mean) {
            *r = x - m;
        }
        apply(&prior.precision, &self.r, &mut self.u);
        let spread = dot(&prior.precision, &joint.covariance);
        out.value = -0.5 * (dot(&self.r, &self.u) + spread + prior.log_determinant);
        for (g, u) in out.gradient.iter_mut().zip(&self.u) {
            *g = -u;
        }
        for (h, p) in out.hessian.iter_mut().zip(&prior.precision) {
            *h = -p;
        }
    }

    /// E[ln p(x|x')], and of a table E[W(x')] by the same points.
    ///
    /// With x' = m' + S z: x given x' has mean μ + M z, Mᵀ = S⁻¹C, and covariance Σ − MMᵀ. With
    /// r = μ + Mz − f(x'), J = ∂f/∂x' and g = JᵀQ⁻¹r, Stein's identity for the pair gives
    /// E[∂g/∂x'] = (E[g zᵀ] − E[J]ᵀQ⁻¹M) S⁻¹ with no second derivative of f.
    fn transition<M: StateSpace>(
        &mut self,
        model: &M,
        noise: &Noise,
        table: Option<&Table>,
        joint: &Joint,
        out: &mut Slopes,
    ) {
        let n = self.n;
        if !self.root.take(&joint.previous_covariance) {
            out.value = f64::NAN;
            return;
        }
        self.root.invert();
        if joint.tie == Tie::Free {
            product(&self.root.inverse, &joint.cross, &mut self.m, n);
        } else {
            self.m.fill(0.0);
        }
        transposed_product(&self.m, &self.m, &mut self.square, n);
        let mut spread = 0.0;
        for ((q, s), mm) in noise
            .precision
            .iter()
            .zip(&joint.covariance)
            .zip(&self.square)
        {
            spread += q * (s - mm);
        }
        let mut value = -0.5 * (spread + noise.log_determinant);
        self.mean_slope.fill(0.0);
        self.outer.fill(0.0);
        let Self {
            points,
            x,
            r,
            u,
            v,
            root,
            m,
            slope,
            mean_slope,
            outer,
            ..
        } = self;
        for (z, w) in points.iter() {
            root.point(z, &joint.previous_mean, x);
            model.mean_and_slope(x, u, slope);
            combine_rows(m, z, r);
            for i in 0..n {
                r[i] += joint.mean[i] - u[i];
            }
            noise.apply(r, u);
            value -= 0.5 * w * dot(r, u);
            for (g, u) in out.gradient.iter_mut().zip(u.iter()) {
                *g -= w * u;
            }
            v.fill(0.0);
            add_transposed(slope, u, v);
            for (into, v) in out.previous_gradient.iter_mut().zip(v.iter()) {
                *into += w * v;
            }
            let rows = outer.chunks_exact_mut(n).zip(z);
            for (row, z) in rows.filter(|(_, z)| **z != 0.0) {
                for (into, v) in row.iter_mut().zip(v.iter()) {
                    *into += w * z * v;
                }
            }
            add_scaled(w, slope, mean_slope);
            if let Some(table) = table {
                let (table, s) = (w * table.value(x[0]), root.lower[0]);
                value += table;
                out.previous_gradient[0] += table * z[0] / s;
                out.previous_hessian[0] += table * (z[0] * z[0] - 1.0) / (s * s);
            }
        }
        out.value += value;
        for (h, q) in out.hessian.iter_mut().zip(&noise.precision) {
            *h -= q;
        }
        // Everything that is left is worked out transposed, Q⁻¹E[J] first, so that products run along rows.
        noise.product(&self.mean_slope, &mut self.slope, n);
        transpose(&self.slope, &mut out.mixed_hessian, n);
        product(&self.m, &self.slope, &mut self.square, n);
        for (o, s) in self.outer.iter_mut().zip(&self.square) {
            *o -= s;
        }
        transposed_product(&self.root.inverse, &self.outer, &mut self.square, n);
        symmetrise(&mut self.square, n);
        for (h, s) in out.previous_hessian.iter_mut().zip(&self.square) {
            *h += s;
        }
    }

    /// E[ln g(y|x)].
    fn observation<M: StateSpace>(
        &mut self,
        model: &M,
        y: &[f64],
        joint: &Joint,
        out: &mut Slopes,
    ) {
        if !self.root.take(&joint.covariance) {
            out.value = f64::NAN;
            return;
        }
        let Self {
            points,
            x,
            u,
            slope,
            root,
            ..
        } = self;
        for (z, w) in points.iter() {
            root.point(z, &joint.mean, x);
            out.value += w * model.log_likelihood_slopes(y, x, u, slope);
            for (g, u) in out.gradient.iter_mut().zip(u.iter()) {
                *g += w * u;
            }
            add_scaled(w, slope, &mut out.hessian);
        }
    }
}
