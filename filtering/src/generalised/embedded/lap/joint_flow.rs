//! States, parameters and log-precisions moving together: one step of their joint flow, taken as linear.

use nalgebra::{DMatrix, DVector};

use super::expansion::{Expansion, put};
use crate::Result;
use crate::generalised::embedded::flow::{Flow, Instant};
use crate::generalised::embedded::layout::Layout;
use crate::generalised::embedded::shift::add_shift;
use crate::generalised::integrator::LocalLinearisation;
use crate::generalised::model::stacked::finite;

/// b and what goes on from one pass to the next.
pub(super) struct Course {
    /// b = (ε, h).
    pub b: DVector<f64>,
    /// b'.
    pub momentum: DVector<f64>,
    /// L̄_bb, once there is one.
    pub average: Option<DMatrix<f64>>,
    /// λ.
    pub damping: f64,
}

/// The flow of u, b and b' during a pass.
pub(super) struct JointFlow {
    layout: Layout,
    nb: usize,
    /// κ = T.
    pub length: f64,
    /// Whether u and b leave each other alone within a step.
    uncoupled: bool,
    /// D.
    motion: DMatrix<f64>,
    step: LocalLinearisation,
    change: DVector<f64>,
}

impl JointFlow {
    pub fn new(layout: Layout, nb: usize, length: f64, uncoupled: bool) -> Self {
        let nu = layout.unknowns();
        let mut motion = DMatrix::zeros(nu, nu);
        add_shift(&mut motion, 0, layout.orders, layout.states);
        let causes = layout.v(0).start;
        add_shift(&mut motion, causes, layout.cause_orders, layout.causes);
        Self {
            layout,
            nb,
            length,
            uncoupled,
            motion,
            step: LocalLinearisation::new(nu + 2 * nb, layout.orders),
            change: DVector::zeros(nu + 2 * nb),
        }
    }

    /// Moves u, b and b' by h from the point that `flow` was evaluated at; `whiten` is Γ.
    ///
    /// # Errors
    /// A motion that is not finite.
    pub fn step(
        &mut self,
        flow: &mut Flow,
        at: Instant<'_>,
        expansion: &Expansion,
        whiten: &DMatrix<f64>,
        h: f64,
        course: &mut Course,
    ) -> Result<DVector<f64>> {
        let (nu, nb) = (at.unknowns.len(), self.nb);
        let through = &expansion.through;
        let unknowns = DVector::from_column_slice(at.unknowns);
        let mut a = DMatrix::zeros(nu + 2 * nb, nu + 2 * nb);
        put(&mut a, (0, 0), &(&self.motion - &flow.curvature));
        if !self.uncoupled {
            let by_b = -flow.jacobian.tr_mul(&through.transpose());
            put(&mut a, (0, nu), &by_b);
            let by_u = -whiten * (through * &flow.jacobian);
            put(&mut a, (nu + nb, 0), &by_u);
        }
        for i in 0..nb {
            a[(nu + i, nu + nb + i)] = 1.0;
            a[(nu + nb + i, nu + i)] = -1.0;
            a[(nu + nb + i, nu + nb + i)] = -self.length;
        }
        let mut forcing = DMatrix::zeros(nu + 2 * nb, self.layout.orders);
        let mut along = DVector::zeros(nu);
        flow.gradient(at.unknowns, &mut along);
        let drift = &self.motion * &unknowns - along;
        let pull = -&course.momentum * self.length - whiten * &expansion.gradient;
        for (from, part) in [(0, &drift), (nu, &course.momentum), (nu + nb, &pull)] {
            forcing.view_mut((from, 0), (part.len(), 1)).copy_from(part);
        }
        for order in 1..self.layout.orders {
            let moved = flow.moved_data(at, order).clone();
            let column = -(&flow.weighted * &moved);
            forcing.view_mut((0, order), (nu, 1)).copy_from(&column);
            if !self.uncoupled {
                let column = -whiten * (through * moved);
                forcing
                    .view_mut((nu + nb, order), (nb, 1))
                    .copy_from(&column);
            }
        }
        let change = &mut self.change;
        self.step.step(&a, &forcing, h, change);
        finite("the motion of states and parameters", change.as_slice())?;
        course.b += change.rows(nu, nb);
        course.momentum += change.rows(nu + nb, nb);
        Ok(unknowns + change.rows(0, nu))
    }
}
