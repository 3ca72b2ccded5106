//! The flow of a generalised state at one instant, and one step along it (the D-step).
//!
//! ```text
//! u̇ = D u − K ∂_u [V(u) + W(u)],        ỹ̇ = (S ⊗ I) ỹ,        η̃̇ = (S ⊗ I) η̃
//! ```
//!
//! The data move along their own Taylor expansion during the step. W is the mean-field term of unknown
//! parameters (see `dem/parameters.rs`), absent when they are known.

use nalgebra::{DMatrix, DVector, DVectorView};

use super::energy::{covariance, covariance_from_roots, published_floor};
use super::errors::{TopOrder, add_data_errors, error_jacobian, prediction_errors};
use super::layout::Layout;
use super::missing_samples::{MissingSamples, open_covariance};
use super::shift::{add_shift, shift};
use crate::Result;
use crate::generalised::integrator::{LocalLinearisation, responses};
use crate::generalised::model::Equations;
use crate::generalised::model::stacked::{Local, Stack, finite};

/// A point of the generalised flow: where the unknowns, the data, the inputs and the parameters are.
#[derive(Debug, Clone, Copy)]
pub struct Instant<'a> {
    /// ũ `[unknowns]`.
    pub unknowns: &'a [f64],
    /// ỹ `[n·outputs]`.
    pub data: &'a [f64],
    /// η̃ `[m·inputs]`.
    pub inputs: &'a [f64],
    /// θ `[parameters]`.
    pub parameters: &'a [f64],
}

/// The mean-field term of unknown parameters: its gradient and curvature by ũ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeanField {
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
}

/// What defines a flow besides the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    pub layout: Layout,
    pub top: TopOrder,
    /// iS `[errors, errors]`.
    pub precision: DMatrix<f64>,
    /// P `[unknowns, unknowns]`.
    pub prior: DMatrix<f64>,
    /// K.
    pub rate: f64,
    /// Whether Λ gets the published floor before it is inverted.
    pub floor: bool,
    /// Unknowns whose variance is reported as zero.
    pub masked: Vec<bool>,
}

/// The flow and its workspace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flow {
    pub terms: Terms,
    pub local: Local,
    /// e.
    pub errors: DVector<f64>,
    /// J.
    pub jacobian: DMatrix<f64>,
    /// Jᵀ iS.
    pub weighted: DMatrix<f64>,
    /// Λ = Jᵀ iS J + P.
    pub curvature: DMatrix<f64>,
    /// C = Λ⁻¹, with masked rows and columns zero.
    pub covariance: DMatrix<f64>,
    /// ln det C over what is not masked.
    pub log_det: f64,
    next: Local,
    /// What missing samples make of the window: Q is in e and J where there is one.
    missing: Option<MissingSamples>,
    /// Whether missing samples leave a direction of the unknowns open.
    pub open: bool,
    /// What Q has filled in for missing samples, Q e − e in the rows of the data `[n·outputs]`.
    filled: Vec<f64>,
    /// Whether J and what follows from it are those of `local`.
    current: bool,
    motion: DVector<f64>,
    forcing: DMatrix<f64>,
    moved_data: Vec<f64>,
    moved_inputs: Vec<f64>,
    room: Vec<f64>,
    error_room: DVector<f64>,
    step: LocalLinearisation,
    /// The propagators of a step for constant Jacobians, and the length of the step.
    constant: Option<Constant>,
    /// Whether the slopes here are those of `reference`: then they are taken to stay the same from step to step.
    steady: bool,
    /// The model at the start of a series, and the θ it was taken with. That slopes stay the same is not read off the
    /// step before: then rounding would tell what had been filtered earlier.
    reference: Local,
    referred: Option<Vec<f64>>,
}

/// δu = Φ_0 F + Ψ_y ỹ + Ψ_η η̃ of a flow with constant slopes.
#[derive(Debug, Clone, PartialEq)]
struct Constant {
    h: f64,
    motion: DMatrix<f64>,
    data: DMatrix<f64>,
    inputs: DMatrix<f64>,
}

impl Flow {
    pub fn new(terms: Terms, local: Local) -> Self {
        let l = terms.layout;
        let (u, e) = (l.unknowns(), l.errors());
        Self {
            errors: DVector::zeros(e),
            jacobian: DMatrix::zeros(e, u),
            weighted: DMatrix::zeros(u, e),
            curvature: DMatrix::zeros(u, u),
            covariance: DMatrix::zeros(u, u),
            log_det: 0.0,
            next: local.clone(),
            reference: local.clone(),
            referred: None,
            missing: None,
            open: false,
            filled: vec![0.0; l.data()],
            local,
            current: false,
            motion: DVector::zeros(u),
            forcing: DMatrix::zeros(u, l.orders),
            moved_data: vec![0.0; l.data()],
            moved_inputs: vec![0.0; l.input_data()],
            room: vec![0.0; l.data().max(l.input_data())],
            error_room: DVector::zeros(e),
            step: LocalLinearisation::new(u, l.orders),
            constant: None,
            steady: false,
            terms,
        }
    }

    /// Takes another iS; everything that depends on it is made anew at the next point.
    pub fn set_precision(&mut self, precision: DMatrix<f64>) {
        self.terms.precision = precision;
        self.current = false;
        self.constant = None;
    }

    /// What is missing of the window from now on.
    pub fn set_missing(&mut self, missing: Option<MissingSamples>) {
        if self.missing != missing {
            self.missing = missing;
            self.current = false;
            self.constant = None;
        }
    }

    /// Whether the slopes to compare with are those for θ.
    pub fn refers_to(&self, parameters: &[f64]) -> bool {
        self.referred.as_deref() == Some(parameters)
    }

    /// Takes the slopes at ũ, the start of a series, as those to compare with. A model that has none there has no steps
    /// with constant slopes.
    pub fn refer<E: Equations>(&mut self, stack: &mut Stack<E>, start: &[f64], parameters: &[f64]) {
        let l = self.terms.layout;
        let (x, v) = (&start[l.x(0)], &start[l.v(0)]);
        let found = stack.evaluate(x, v, parameters, &mut self.reference);
        if found.is_err() {
            // Not equal to itself, and so to nothing.
            self.reference.g_x.fill(f64::NAN);
            self.reference.g_v.fill(f64::NAN);
        }
        self.referred = Some(parameters.to_vec());
    }

    /// What is missing of the window.
    pub fn missing(&self) -> Option<&MissingSamples> {
        self.missing.as_ref()
    }

    /// e, J, Λ and C at a point.
    ///
    /// # Errors
    /// f, g or a slope that is not finite; a Λ that is not positive definite.
    pub fn evaluate<E: Equations>(&mut self, stack: &mut Stack<E>, at: Instant<'_>) -> Result<()> {
        let l = self.terms.layout;
        let (x, v) = (&at.unknowns[l.x(0)], &at.unknowns[l.v(0)]);
        stack.evaluate(x, v, at.parameters, &mut self.next)?;
        let same = self.current && self.next.same_slopes(&self.local);
        std::mem::swap(&mut self.local, &mut self.next);
        self.steady = self.missing.is_none()
            && self.refers_to(at.parameters)
            && self.local.same_slopes(&self.reference);
        if !same {
            self.current = false;
            self.constant = None;
            self.reshape()?;
            self.current = true;
        }
        let (u, y, eta) = (at.unknowns, at.data, at.inputs);
        prediction_errors(&l, &self.local, u, y, eta, self.terms.top, &mut self.errors);
        if let Some(missing) = &self.missing {
            let rows = (0..l.orders).flat_map(|order| l.cause_error(order).take(l.outputs));
            for (filled, row) in self.filled.iter_mut().zip(rows.clone()) {
                *filled = -self.errors[row];
            }
            missing.project(&l, self.errors.as_mut_slice());
            for (filled, row) in self.filled.iter_mut().zip(rows) {
                *filled += self.errors[row];
            }
        }
        Ok(())
    }

    /// J, Jᵀ iS, Λ, C of the slopes in `local`.
    fn reshape(&mut self) -> Result<()> {
        let t = &self.terms;
        error_jacobian(&t.layout, &self.local, t.top, &mut self.jacobian);
        if let Some(missing) = &self.missing {
            missing.project_columns(&t.layout, &mut self.jacobian);
        }
        self.jacobian.tr_mul_to(&t.precision, &mut self.weighted);
        self.weighted.mul_to(&self.jacobian, &mut self.curvature);
        self.curvature += &t.prior;
        finite(
            "the precision of the generalised states",
            self.curvature.as_slice(),
        )?;
        let floor = match t.floor {
            true => published_floor(&self.curvature),
            false => 0.0,
        };
        self.open = false;
        let name = "precision of the generalised states";
        let found = covariance(name, &self.curvature, floor, &mut self.covariance);
        self.log_det = match found {
            // The belief is then wide, and the bin counts in F without the entropy of it.
            Err(_) if self.missing.is_some() => {
                self.covariance.copy_from(&open_covariance(&self.curvature));
                self.open = true;
                0.0
            }
            Err(_) if !t.floor => {
                covariance_from_roots(&self.jacobian, &t.precision, &t.prior, &mut self.covariance)?
            }
            found => found?,
        };
        if t.masked.contains(&true) {
            let kept: Vec<usize> = (0..t.masked.len()).filter(|&i| !t.masked[i]).collect();
            for i in (0..t.masked.len()).filter(|&i| t.masked[i]) {
                self.covariance.row_mut(i).fill(0.0);
                self.covariance.column_mut(i).fill(0.0);
            }
            let part = DMatrix::from_fn(kept.len(), kept.len(), |i, j| {
                self.covariance[(kept[i], kept[j])]
            });
            self.log_det = super::energy::log_det(&part, &vec![true; kept.len()]);
        }
        Ok(())
    }

    /// ∂V/∂ũ = Jᵀ iS e + P ũ at the point last evaluated.
    pub fn gradient(&self, unknowns: &[f64], gradient: &mut DVector<f64>) {
        gradient.gemv(1.0, &self.weighted, &self.errors, 0.0);
        let unknowns = DVectorView::from_slice(unknowns, unknowns.len());
        gradient.gemv(1.0, &self.terms.prior, &unknowns, 1.0);
    }

    /// D − K(Λ + W_uu) `[unknowns, unknowns]`.
    pub fn flow_jacobian(&self, mean_field: Option<&MeanField>) -> DMatrix<f64> {
        let l = self.terms.layout;
        let mut a = &self.curvature * -self.terms.rate;
        if let Some(w) = mean_field {
            a -= &w.curvature * self.terms.rate;
        }
        add_shift(&mut a, 0, l.orders, l.states);
        add_shift(&mut a, l.v(0).start, l.cause_orders, l.causes);
        a
    }

    /// The change of ũ over a step of length h from the point last evaluated.
    ///
    /// # Errors
    /// A change that is not finite.
    pub fn step(
        &mut self,
        at: Instant<'_>,
        h: f64,
        mean_field: Option<&MeanField>,
        change: &mut DVector<f64>,
    ) -> Result<()> {
        let l = self.terms.layout;
        let rate = self.terms.rate;
        // F = D u − K(∂V + ∂W)
        let mut motion = std::mem::replace(&mut self.motion, DVector::zeros(0));
        self.gradient(at.unknowns, change);
        if let Some(w) = mean_field {
            *change += &w.gradient;
        }
        let (x, v) = at.unknowns.split_at(l.v(0).start);
        let (to_x, to_v) = motion.as_mut_slice().split_at_mut(l.v(0).start);
        shift(x, l.states, to_x);
        shift(v, l.causes, to_v);
        motion.axpy(-rate, change, 1.0);
        self.motion = motion;

        if mean_field.is_none() && self.steady {
            if self.constant.as_ref().is_none_or(|c| c.h != h) {
                self.constant = Some(self.constant_answers(h));
            }
            if let Some(c) = &self.constant {
                change.gemv(1.0, &c.motion, &self.motion, 0.0);
                let data = DVectorView::from_slice(at.data, at.data.len());
                change.gemv(1.0, &c.data, &data, 1.0);
                if l.inputs > 0 {
                    let inputs = DVectorView::from_slice(at.inputs, at.inputs.len());
                    change.gemv(1.0, &c.inputs, &inputs, 1.0);
                }
                return finite("the motion of the generalised states", change.as_slice());
            }
        }

        self.forcing.set_column(0, &self.motion);
        for k in 1..l.orders {
            self.moved_data(at, k);
            let mut column = self.forcing.column_mut(k);
            // c_k = −K Jᵀ iS (J_y Sᵏ ỹ + J_c Sᵏ η̃)
            column.gemv(-rate, &self.weighted, &self.error_room, 0.0);
        }
        let a = self.flow_jacobian(mean_field);
        self.step.step(&a, &self.forcing, h, change);
        finite("the motion of the generalised states", change.as_slice())
    }

    /// J_y Sᵏ ỹ + J_c Sᵏ η̃ `[errors]`; call for k = 1, 2, … in turn.
    pub fn moved_data(&mut self, at: Instant<'_>, k: usize) -> &DVector<f64> {
        let l = self.terms.layout;
        if k == 1 {
            self.moved_data.copy_from_slice(at.data);
            if self.missing.is_some() {
                let filled = self.moved_data.iter_mut().zip(&self.filled);
                filled.for_each(|(y, f)| *y += f);
            }
            self.moved_inputs.copy_from_slice(at.inputs);
        }
        let room = &mut self.room[..l.data()];
        shift(&self.moved_data, l.outputs, room);
        self.moved_data.copy_from_slice(room);
        let room = &mut self.room[..l.input_data()];
        shift(&self.moved_inputs, l.inputs, room);
        self.moved_inputs.copy_from_slice(room);
        self.error_room.fill(0.0);
        add_data_errors(
            &l,
            &self.moved_data,
            &self.moved_inputs,
            &mut self.error_room,
        );
        &self.error_room
    }

    fn constant_answers(&self, h: f64) -> Constant {
        let l = self.terms.layout;
        let phi = responses(&self.flow_jacobian(None), h, l.orders);
        let u = l.unknowns();
        let mut data = DMatrix::zeros(u, l.data());
        let mut inputs = DMatrix::zeros(u, l.input_data());
        // Sᵏ takes order i to order i − k; column (i, c) of Ψ is Σ_k Φ_k times column (i − k, c) of −K Jᵀ iS J_y.
        for order in 0..l.orders {
            for (k, phi) in phi.iter().enumerate().take(order + 1).skip(1) {
                let from = l.cause_error(order - k).start;
                for c in 0..l.outputs {
                    let column = self.weighted.column(from + c) * -self.terms.rate;
                    let mut place = data.column_mut(order * l.outputs + c);
                    place += phi * column;
                }
                if order < l.cause_orders {
                    for c in 0..l.inputs {
                        let column = self.weighted.column(from + l.all_outputs() + c);
                        let mut place = inputs.column_mut(order * l.inputs + c);
                        place += phi * (column * self.terms.rate);
                    }
                }
            }
        }
        let motion = phi
            .into_iter()
            .next()
            .unwrap_or_else(|| DMatrix::zeros(u, u));
        Constant {
            h,
            motion,
            data,
            inputs,
        }
    }
}
