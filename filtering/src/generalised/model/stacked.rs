//! f, g and their Jacobians at one point, the levels of a model stacked.
//!
//! x, v and θ of all levels stand under one another; Jacobians are block diagonal, because a level sees its
//! own states, causes and parameters only.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::{Argument, Equations, GenerativeModel, Point, Sizes};
use crate::{Error, Result};

/// The step of the published forward differences, exp(−8).
pub const PUBLISHED_STEP: f64 = 3.354_626_279_025_118_5e-4;

/// How Jacobians by x and v are taken.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Derivatives {
    /// Exactly, by the model.
    #[default]
    Exact,
    /// (f(x + h) − f(x)) / h, exact for linear functions; the published schemes use h = exp(−8).
    Forward {
        /// h
        step: f64,
    },
}

/// The local linear model at (x, v, θ).
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// f `[states]`.
    pub f: DVector<f64>,
    /// g of all levels `[all outputs]`.
    pub g: DVector<f64>,
    /// ∂f/∂x `[states, states]`.
    pub f_x: DMatrix<f64>,
    /// ∂f/∂v `[states, causes]`.
    pub f_v: DMatrix<f64>,
    /// ∂g/∂x `[all outputs, states]`.
    pub g_x: DMatrix<f64>,
    /// ∂g/∂v `[all outputs, causes]`.
    pub g_v: DMatrix<f64>,
}

impl Local {
    /// Zeros of the right sizes.
    pub fn zeros(total: Sizes) -> Self {
        let (nx, nv, no) = (total.states, total.causes, total.outputs);
        Self {
            f: DVector::zeros(nx),
            g: DVector::zeros(no),
            f_x: DMatrix::zeros(nx, nx),
            f_v: DMatrix::zeros(nx, nv),
            g_x: DMatrix::zeros(no, nx),
            g_v: DMatrix::zeros(no, nv),
        }
    }

    /// Whether the Jacobians are those of `other`, bit for bit.
    pub fn same_slopes(&self, other: &Self) -> bool {
        self.f_x == other.f_x
            && self.f_v == other.f_v
            && self.g_x == other.g_x
            && self.g_v == other.g_v
    }
}

/// The levels of a model, stacked: evaluates [`Local`] without allocating for one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack<E> {
    /// The model.
    pub model: GenerativeModel<E>,
    total: Sizes,
    derivatives: Derivatives,
    /// Jacobians of each level, before they are put in their place.
    blocks: Vec<[DMatrix<f64>; 4]>,
    moved: Vec<f64>,
    value: Vec<f64>,
}

impl<E: Equations> Stack<E> {
    /// A checked model with its levels stacked.
    ///
    /// # Errors
    /// As [`GenerativeModel::check`]; [`Error::Setting`] for a step that is not positive.
    pub fn new(model: GenerativeModel<E>, derivatives: Derivatives) -> Result<Self> {
        model.check()?;
        if let Derivatives::Forward { step } = derivatives
            && !(step > 0.0 && step.is_finite())
        {
            return Err(Error::setting("step", step, "a positive number"));
        }
        let blocks = model.levels.iter().map(|level| {
            let s = level.equations.sizes();
            let zeros = |rows, columns| DMatrix::zeros(rows, columns);
            [
                zeros(s.states, s.states),
                zeros(s.states, s.causes),
                zeros(s.outputs, s.states),
                zeros(s.outputs, s.causes),
            ]
        });
        let total = model.totals();
        Ok(Self {
            total,
            derivatives,
            blocks: blocks.collect(),
            moved: vec![0.0; total.states + total.causes],
            value: vec![0.0; total.states + total.outputs],
            model,
        })
    }

    /// All sizes, stacked.
    pub fn totals(&self) -> Sizes {
        self.total
    }

    /// Prior means of the parameters of all levels, stacked.
    pub fn prior_parameters(&self) -> Vec<f64> {
        let levels = self.model.levels.iter();
        levels
            .flat_map(|l| l.parameters.mean.iter().copied())
            .collect()
    }

    /// f, g and Jacobians at x `[states]`, v `[causes]`, θ `[parameters]`, into `local`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] naming f, g or their Jacobian; `local` is not to be used then.
    pub fn evaluate(
        &mut self,
        x: &[f64],
        v: &[f64],
        theta: &[f64],
        local: &mut Local,
    ) -> Result<()> {
        let mut from = Sizes {
            states: 0,
            causes: 0,
            outputs: 0,
            parameters: 0,
        };
        for (level, blocks) in self.model.levels.iter().zip(&mut self.blocks) {
            let s = level.equations.sizes();
            let x = &x[from.states..from.states + s.states];
            let v = &v[from.causes..from.causes + s.causes];
            let theta = &theta[from.parameters..from.parameters + s.parameters];
            let at = Point { x, v, theta };
            let f = &mut local.f.as_mut_slice()[from.states..from.states + s.states];
            let g = &mut local.g.as_mut_slice()[from.outputs..from.outputs + s.outputs];
            level.equations.f(at, f);
            level.equations.g(at, g);
            match self.derivatives {
                Derivatives::Exact => {
                    let [f_x, f_v, g_x, g_v] = blocks;
                    level.equations.f_by(Argument::State, at, f_x);
                    level.equations.f_by(Argument::Cause, at, f_v);
                    level.equations.g_by(Argument::State, at, g_x);
                    level.equations.g_by(Argument::Cause, at, g_v);
                }
                Derivatives::Forward { step } => {
                    let room = (&mut self.moved[..], &mut self.value[..]);
                    forward(&level.equations, at, step, f, g, room, blocks);
                }
            }
            let [f_x, f_v, g_x, g_v] = &*blocks;
            put(&mut local.f_x, (from.states, from.states), f_x);
            put(&mut local.f_v, (from.states, from.causes), f_v);
            put(&mut local.g_x, (from.outputs, from.states), g_x);
            put(&mut local.g_v, (from.outputs, from.causes), g_v);
            from.states += s.states;
            from.causes += s.causes;
            from.outputs += s.outputs;
            from.parameters += s.parameters;
        }
        finite("f", local.f.as_slice())?;
        finite("g", local.g.as_slice())?;
        finite("the Jacobian of f", local.f_x.as_slice())?;
        finite("the Jacobian of f", local.f_v.as_slice())?;
        finite("the Jacobian of g", local.g_x.as_slice())?;
        finite("the Jacobian of g", local.g_v.as_slice())
    }

    /// The sizes of each level, and where it begins in the stacks.
    pub(crate) fn offsets(&self) -> Vec<(Sizes, Sizes)> {
        let mut from = Sizes {
            states: 0,
            causes: 0,
            outputs: 0,
            parameters: 0,
        };
        let mut all = Vec::with_capacity(self.model.levels.len());
        for level in &self.model.levels {
            let s = level.equations.sizes();
            all.push((s, from));
            from.states += s.states;
            from.causes += s.causes;
            from.outputs += s.outputs;
            from.parameters += s.parameters;
        }
        all
    }
}

pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(&found) => Err(Error::NotFinite {
            index: 0,
            what,
            found,
        }),
    }
}

fn put(whole: &mut DMatrix<f64>, at: (usize, usize), block: &DMatrix<f64>) {
    whole.view_mut(at, block.shape()).copy_from(block);
}

fn forward<E: Equations>(
    equations: &E,
    at: Point<'_>,
    step: f64,
    f: &[f64],
    g: &[f64],
    (moved, value): (&mut [f64], &mut [f64]),
    [f_x, f_v, g_x, g_v]: &mut [DMatrix<f64>; 4],
) {
    let states = at.x.len();
    let size = states + at.v.len();
    moved[..states].copy_from_slice(at.x);
    moved[states..size].copy_from_slice(at.v);
    for j in 0..size {
        let kept = moved[j];
        moved[j] += step;
        let (x, v) = moved[..size].split_at(states);
        let theta = at.theta;
        let (f_value, g_value) = value.split_at_mut(f.len());
        equations.f(Point { x, v, theta }, f_value);
        equations.g(Point { x, v, theta }, &mut g_value[..g.len()]);
        let (f_slope, g_slope, column) = match j < states {
            true => (&mut *f_x, &mut *g_x, j),
            false => (&mut *f_v, &mut *g_v, j - states),
        };
        for (row, (moved, here)) in f_value.iter().zip(f).enumerate() {
            f_slope[(row, column)] = (moved - here) / step;
        }
        for (row, (moved, here)) in g_value.iter().zip(g).enumerate() {
            g_slope[(row, column)] = (moved - here) / step;
        }
        moved[j] = kept;
    }
}
