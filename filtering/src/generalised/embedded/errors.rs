//! Prediction errors of a generalised state, and their Jacobian.
//!
//! With g, f and their Jacobians at the current point of order 0 (second derivatives left out),
//!
//! ```text
//! order 0        e_y = y − g₁        e_v = v[l] − g_{l+1} … v[top] − η        e_x = x⁽¹⁾ − f
//! order i ≥ 1    e_y = y⁽ⁱ⁾ − (g_x x⁽ⁱ⁾ + g_v v⁽ⁱ⁾)       (causes alike)       e_x = x⁽ⁱ⁺¹⁾ − f_x x⁽ⁱ⁾ − f_v v⁽ⁱ⁾
//! ```
//!
//! and v⁽ⁱ⁾ = 0 for i > d. J = ∂e/∂ũ is constant over orders,
//!
//! ```text
//! J = − [ I_n ⊗ g_x                E_{n,m} ⊗ g_v ]       (causes above: + I in their own columns)
//!       [ I_n ⊗ f_x − S_n ⊗ I      E_{n,m} ⊗ f_v ]
//! ```
//!
//! The motion of the highest order, x⁽ᴺ⁺¹⁾, is not among the unknowns: [`TopOrder`] says what then becomes
//! of e_x⁽ᴺ⁾.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::generalised::model::stacked::Local;

/// What becomes of the error of motion of the highest order, whose motion is not represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TopOrder {
    /// It is integrated out: x⁽ᴺ⁺¹⁾ is unknown, so that this error says nothing. The noise of the motion
    /// then has N orders, with the precision R of N orders.
    #[default]
    Marginal,
    /// x⁽ᴺ⁺¹⁾ = 0 is taken for an observation, in the error and in its curvature.
    Motionless,
    /// As published: the error is 0, yet J keeps its row. Gradient and curvature are then those of two
    /// different functions.
    Published,
}

/// e `[errors]` at ũ, ỹ and η̃.
///
/// # Panics
/// For vectors of other lengths than the layout says.
pub fn prediction_errors(
    layout: &Layout,
    local: &Local,
    unknowns: &[f64],
    data: &[f64],
    inputs: &[f64],
    top: TopOrder,
    errors: &mut DVector<f64>,
) {
    let (ny, nc, outputs) = (layout.outputs, layout.inputs, layout.all_outputs());
    for order in 0..layout.orders {
        let x = &unknowns[layout.x(order)];
        let causes = order < layout.cause_orders;
        let v: &[f64] = if causes {
            &unknowns[layout.v(order)]
        } else {
            &[]
        };
        let rows = layout.cause_error(order);
        for (k, row) in rows.enumerate() {
            let seen = match k < ny {
                true => data[order * ny + k],
                false => v.get(k - ny).copied().unwrap_or(0.0),
            };
            let predicted = match k < outputs {
                true if order == 0 => local.g[k],
                true => product(&local.g_x, k, x) + product(&local.g_v, k, v),
                false if causes => inputs[order * nc + k - outputs],
                false => 0.0,
            };
            errors[row] = seen - predicted;
        }
        let highest = order + 1 == layout.orders;
        for (k, row) in layout.motion_error(order).enumerate() {
            errors[row] = if highest && top != TopOrder::Motionless {
                0.0
            } else {
                let motion = match highest {
                    true => 0.0,
                    false => unknowns[layout.x(order + 1).start + k],
                };
                motion
                    - match order {
                        0 => local.f[k],
                        _ => product(&local.f_x, k, x) + product(&local.f_v, k, v),
                    }
            };
        }
    }
}

/// Row `row` of a matrix times as much of a vector as there is.
fn product(matrix: &DMatrix<f64>, row: usize, vector: &[f64]) -> f64 {
    let entries = vector.iter().enumerate();
    entries.map(|(j, value)| matrix[(row, j)] * value).sum()
}

/// J = ∂e/∂ũ `[errors, unknowns]`.
///
/// # Panics
/// For matrices of other sizes than the layout says.
pub fn error_jacobian(layout: &Layout, local: &Local, top: TopOrder, jacobian: &mut DMatrix<f64>) {
    jacobian.fill(0.0);
    add_error_slopes(layout, local, top, jacobian);
    for order in 0..layout.orders {
        if order < layout.cause_orders {
            let rows = layout.cause_error(order).start + layout.outputs;
            for (k, column) in layout.v(order).enumerate() {
                jacobian[(rows + k, column)] += 1.0;
            }
        }
        if order + 1 < layout.orders {
            for (row, column) in layout.motion_error(order).zip(layout.x(order + 1)) {
                jacobian[(row, column)] += 1.0;
            }
        }
    }
}

/// The part of J that comes from the slopes of f and g. It is linear in them: with second derivatives
/// ∂/∂θ in their place, this is ∂J/∂θ.
pub(crate) fn add_error_slopes(
    layout: &Layout,
    slopes: &Local,
    top: TopOrder,
    jacobian: &mut DMatrix<f64>,
) {
    for order in 0..layout.orders {
        let outputs = layout.cause_error(order).start;
        let motion = layout.motion_error(order).start;
        let states = layout.x(order).start;
        let keeps_motion = order + 1 < layout.orders || top != TopOrder::Marginal;
        subtract(jacobian, (outputs, states), &slopes.g_x);
        if keeps_motion {
            subtract(jacobian, (motion, states), &slopes.f_x);
        }
        if order < layout.cause_orders {
            let causes = layout.v(order).start;
            subtract(jacobian, (outputs, causes), &slopes.g_v);
            if keeps_motion {
                subtract(jacobian, (motion, causes), &slopes.f_v);
            }
        }
    }
}

fn subtract(whole: &mut DMatrix<f64>, at: (usize, usize), block: &DMatrix<f64>) {
    let mut place = whole.view_mut(at, block.shape());
    place -= block;
}

/// Adds J_y δỹ + J_c δη̃ to `errors`: how e changes with the data and the inputs.
pub(crate) fn add_data_errors(
    layout: &Layout,
    data: &[f64],
    inputs: &[f64],
    errors: &mut DVector<f64>,
) {
    for order in 0..layout.orders {
        let from = layout.cause_error(order).start;
        for k in 0..layout.outputs {
            errors[from + k] += data[order * layout.outputs + k];
        }
        if order < layout.cause_orders {
            for k in 0..layout.inputs {
                errors[from + layout.all_outputs() + k] -= inputs[order * layout.inputs + k];
            }
        }
    }
}
