//! One step of the bound: its value, and the expected slopes that say how to raise it.
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
use super::sigma::Points;
use super::table::Table;
use super::{Quadratic, StateSpace};
use crate::math::square::{
    add_scaled, add_transposed, apply, cholesky, combine_rows, dot, invert_lower, log_determinant,
    lower_gram, product, symmetrise, transpose, transposed_product,
};
use crate::{Error, Result};

/// Q⁻¹ `[n, n]`, and ln|2πQ|.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Noise {
    pub precision: Vec<f64>,
    pub log_determinant: f64,
    diagonal: bool,
    /// Q itself, not a number before it is known: the same again needs no factor.
    covariance: Vec<f64>,
}

impl Noise {
    pub fn new(name: &str, covariance: &[f64], n: usize) -> Result<Self> {
        let mut noise = Self {
            precision: vec![0.0; n * n],
            log_determinant: 0.0,
            diagonal: false,
            covariance: vec![f64::NAN; n * n],
        };
        let (mut a, mut b) = (vec![0.0; n * n], vec![0.0; n * n]);
        noise.refresh(name, covariance, n, &mut a, &mut b)?;
        Ok(noise)
    }

    /// Takes another covariance; the two scratch matrices are `[n, n]`. After an error the value is of no use.
    pub fn refresh(
        &mut self,
        name: &str,
        covariance: &[f64],
        n: usize,
        factor: &mut [f64],
        inverse: &mut [f64],
    ) -> Result<()> {
        if covariance.len() != n * n {
            let expected = format!("[{n}, {n}]");
            return Err(Error::size(name, covariance.len(), expected));
        }
        if self.covariance == covariance {
            return Ok(());
        }
        self.covariance.fill(f64::NAN);
        factor.copy_from_slice(covariance);
        cholesky(factor, n).map_err(|(pivot, value)| Error::NotPositiveDefinite {
            name: name.to_owned(),
            pivot,
            value,
        })?;
        let unit = n as f64 * std::f64::consts::TAU.ln();
        self.log_determinant = unit + log_determinant(factor, n);
        invert_lower(factor, inverse, n);
        lower_gram(inverse, &mut self.precision, n);
        self.diagonal = (0..n * n).all(|k| k % (n + 1) == 0 || self.precision[k] == 0.0);
        self.covariance.copy_from_slice(covariance);
        Ok(())
    }

    /// Q⁻¹A.
    fn product(&self, a: &[f64], into: &mut [f64], n: usize) {
        if self.diagonal {
            let rows = into.chunks_exact_mut(n).zip(a.chunks_exact(n));
            for (i, (into, row)) in rows.enumerate() {
                let precision = self.precision[i * (n + 1)];
                for (into, a) in into.iter_mut().zip(row) {
                    *into = precision * a;
                }
            }
        } else {
            product(&self.precision, a, into, n);
        }
    }

    fn apply(&self, x: &[f64], into: &mut [f64]) {
        if self.diagonal {
            for (i, into) in into.iter_mut().enumerate() {
                *into = self.precision[i * (x.len() + 1)] * x[i];
            }
        } else {
            apply(&self.precision, x, into);
        }
    }
}

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
    root: Vec<f64>,
    /// Its transpose, whose rows z combines.
    rows: Vec<f64>,
    inverse: Vec<f64>,
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
            root: matrix(),
            rows: matrix(),
            inverse: matrix(),
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
        self.root.copy_from_slice(&joint.previous_covariance);
        if cholesky(&mut self.root, n).is_err() {
            out.value = f64::NAN;
            return;
        }
        transpose(&self.root, &mut self.rows, n);
        invert_lower(&self.root, &mut self.inverse, n);
        if joint.tie == Tie::Free {
            product(&self.inverse, &joint.cross, &mut self.m, n);
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
            rows,
            m,
            slope,
            mean_slope,
            outer,
            ..
        } = self;
        for (z, w) in points.iter() {
            combine_rows(rows, z, x);
            for (x, m) in x.iter_mut().zip(&joint.previous_mean) {
                *x += m;
            }
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
                let (table, s) = (w * table.value(x[0]), root[0]);
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
        transposed_product(&self.inverse, &self.outer, &mut self.square, n);
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
        let n = self.n;
        self.root.copy_from_slice(&joint.covariance);
        if cholesky(&mut self.root, n).is_err() {
            out.value = f64::NAN;
            return;
        }
        transpose(&self.root, &mut self.rows, n);
        let Self {
            points,
            x,
            u,
            slope,
            rows,
            ..
        } = self;
        for (z, w) in points.iter() {
            combine_rows(rows, z, x);
            for (x, m) in x.iter_mut().zip(&joint.mean) {
                *x += m;
            }
            out.value += w * model.log_likelihood_slopes(y, x, u, slope);
            for (g, u) in out.gradient.iter_mut().zip(u.iter()) {
                *g += w * u;
            }
            add_scaled(w, slope, &mut out.hessian);
        }
    }
}
