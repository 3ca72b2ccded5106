//! Derivatives of the prediction errors by unknown parameters, and the mean-field terms.
//!
//! θ = θ_prior + U ε, U `[parameters, free]` an orthonormal basis of the directions with prior variance. With
//! J_p = ∂e/∂ε and J^(p) = ∂J/∂ε_p (second derivatives of f and g; those by ε twice are left out),
//!
//! ```text
//! rows of order 0:      − ∂g/∂ε, − ∂f/∂ε
//! rows of order i ≥ 1:  − (∂g_x/∂ε x⁽ⁱ⁾ + ∂g_v/∂ε v⁽ⁱ⁾),  and f alike
//!
//! ½ tr(C_p J_pᵀ iS J_p)            its gradient by ũ:    W_u  = Σ_pq C_pq J^(p)ᵀ iS J_p[·, q]
//!                                  its curvature:        W_uu = Σ_pq C_pq J^(p)ᵀ iS J^(q)
//! ½ tr(C_u Jᵀ iS J)                its gradient by ε:    tr(C_u J^(p)ᵀ iS J)
//!                                  its curvature:        tr(C_u J^(p)ᵀ iS J^(q))
//! ```
//!
//! The published schemes use half of each.

use nalgebra::{DMatrix, DVector};

use super::priors::Free;
use crate::generalised::embedded::errors::{TopOrder, add_error_slopes};
use crate::generalised::embedded::flow::{Flow, Instant, MeanField};
use crate::generalised::embedded::layout::Layout;
use crate::generalised::model::stacked::{Local, Stack};
use crate::generalised::model::{Argument, Equations, Point};

/// J_p and J^(p) at one point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSlopes {
    /// J_p `[errors, free]`.
    pub first: DMatrix<f64>,
    /// J^(p) `[errors, unknowns]`, one a free direction.
    pub second: Vec<DMatrix<f64>>,
}

/// J_p and J^(p) at a point of the flow.
pub(crate) fn parameter_slopes<E: Equations>(
    stack: &Stack<E>,
    layout: &Layout,
    top: TopOrder,
    free: &Free,
    at: Instant<'_>,
) -> ParameterSlopes {
    let total = stack.totals();
    let mut first = DMatrix::zeros(layout.errors(), free.len());
    let mut second = Vec::with_capacity(free.len());
    let (x, v) = (&at.unknowns[layout.x(0)], &at.unknowns[layout.v(0)]);
    for p in 0..free.len() {
        // All derivatives along U's column p, level by level.
        let mut slopes = Local::zeros(total);
        for (level, (s, from)) in stack.model.levels.iter().zip(stack.offsets()) {
            let here = Point {
                x: &x[from.states..from.states + s.states],
                v: &v[from.causes..from.causes + s.causes],
                theta: &at.parameters[from.parameters..from.parameters + s.parameters],
            };
            let equations = &level.equations;
            let mut f_by = DMatrix::zeros(s.states, s.parameters);
            let mut g_by = DMatrix::zeros(s.outputs, s.parameters);
            equations.f_by(Argument::Parameter, here, &mut f_by);
            equations.g_by(Argument::Parameter, here, &mut g_by);
            let (mut f, mut g) = (vec![0.0; s.states], vec![0.0; s.outputs]);
            for k in 0..s.parameters {
                let weight = free.basis[(from.parameters + k, p)];
                if weight == 0.0 {
                    continue;
                }
                for i in 0..s.states {
                    slopes.f[from.states + i] += weight * f_by[(i, k)];
                }
                for i in 0..s.outputs {
                    slopes.g[from.outputs + i] += weight * g_by[(i, k)];
                }
                for (argument, size, column) in [
                    (Argument::State, s.states, from.states),
                    (Argument::Cause, s.causes, from.causes),
                ] {
                    let (to_f, to_g) = match argument {
                        Argument::State => (&mut slopes.f_x, &mut slopes.g_x),
                        _ => (&mut slopes.f_v, &mut slopes.g_v),
                    };
                    for j in 0..size {
                        let pair = ((argument, j), (Argument::Parameter, k));
                        equations.f_second(pair.0, pair.1, here, &mut f);
                        equations.g_second(pair.0, pair.1, here, &mut g);
                        for (i, d) in f.iter().enumerate() {
                            to_f[(from.states + i, column + j)] += weight * d;
                        }
                        for (i, d) in g.iter().enumerate() {
                            to_g[(from.outputs + i, column + j)] += weight * d;
                        }
                    }
                }
            }
        }
        let mut jacobian = DMatrix::zeros(layout.errors(), layout.unknowns());
        add_error_slopes(layout, &slopes, top, &mut jacobian);
        // Orders above 0 are J^(p) ũ; order 0 is the derivative of f and g themselves.
        let mut column =
            &jacobian * nalgebra::DVectorView::from_slice(at.unknowns, at.unknowns.len());
        for (row, g) in layout.cause_error(0).zip(slopes.g.iter()) {
            column[row] = -g;
        }
        if layout.orders > 1 || top == TopOrder::Motionless {
            for (row, f) in layout.motion_error(0).zip(slopes.f.iter()) {
                column[row] = -f;
            }
        }
        first.set_column(p, &column);
        second.push(jacobian);
    }
    ParameterSlopes { first, second }
}

impl ParameterSlopes {
    /// With Q in the rows of the data, where samples are missing.
    pub fn with_missing(mut self, flow: &Flow) -> Self {
        if let Some(missing) = flow.missing() {
            missing.project_columns(&flow.terms.layout, &mut self.first);
            for second in &mut self.second {
                missing.project_columns(&flow.terms.layout, second);
            }
        }
        self
    }

    /// W_u and W_uu for the covariance C_p `[free, free]`, times `weight`.
    pub fn mean_field(&self, flow: &Flow, covariance: &DMatrix<f64>, weight: f64) -> MeanField {
        let precision = &flow.terms.precision;
        let unknowns = flow.terms.layout.unknowns();
        let mut gradient = DVector::zeros(unknowns);
        let mut curvature = DMatrix::zeros(unknowns, unknowns);
        // iS Σ_q C_pq J_p[·, q] and iS Σ_q C_pq J^(q)
        let spread = precision * &self.first * covariance;
        for (p, slope) in self.second.iter().enumerate() {
            gradient += slope.tr_mul(&spread.column(p)) * weight;
            let mut mixed = DMatrix::zeros(slope.nrows(), slope.ncols());
            for (q, other) in self.second.iter().enumerate() {
                if covariance[(p, q)] != 0.0 {
                    mixed += other * covariance[(p, q)];
                }
            }
            curvature += slope.tr_mul(&(precision * mixed)) * weight;
        }
        MeanField {
            gradient,
            curvature,
        }
    }

    /// tr(C_u J^(p)ᵀ iS J) `[free]` and tr(C_u J^(p)ᵀ iS J^(q)) `[free, free]`, times `weight`.
    pub fn state_terms(&self, flow: &Flow, weight: f64) -> (DVector<f64>, DMatrix<f64>) {
        let n = self.second.len();
        // J^(p) C_u, so that a trace is a sum of products of entries.
        let spread: Vec<_> = self.second.iter().map(|s| s * &flow.covariance).collect();
        let weighted: Vec<_> = self
            .second
            .iter()
            .map(|s| &flow.terms.precision * s)
            .collect();
        let along = flow.weighted.transpose();
        let gradient = DVector::from_fn(n, |p, _| spread[p].dot(&along) * weight);
        let curvature = DMatrix::from_fn(n, n, |p, q| spread[p].dot(&weighted[q]) * weight);
        (gradient, curvature)
    }
}
