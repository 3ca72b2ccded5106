//! All levels as one model of (x, c): states of all levels and the noises that drive them.

use nalgebra::DMatrix;

use crate::Result;
use crate::generalised::model::{Argument, Equations, GenerativeModel, Point, Sizes};
use crate::math::cholesky::not_definite;
use crate::math::in_place::{add_scaled, multiply};

/// The levels of a model as one: x stacks the states of all levels and then the free parameters; c stacks
/// the noises of unit variance: those of w of all levels, those of z between levels, those of the top causes.
///
/// ```text
/// v[L−1] = η + S_v c_v          v[l−1] = g(x[l], v[l]) + S_z c_z[l]          from the top downwards
/// x[l]'  = f(x[l], v[l]) + S_w c_w[l]          θ' = 0
/// ```
///
/// S is a square root of the noise's covariance. With white motion noise c has no part for w.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CausalStack<E> {
    pub model: GenerativeModel<E>,
    /// Whether w is driven through c (false if it is white in continuous time).
    pub motion_in_c: bool,
    /// Which entry of θ of which level each free parameter is: (level, index).
    pub free: Vec<(usize, usize)>,
    /// θ of all levels, stacked; free ones are overwritten from x.
    pub theta: Vec<f64>,
    /// Square roots of covariances: of w for each level, of z for levels 2 …, of the top causes.
    pub motion_root: Vec<DMatrix<f64>>,
    pub between_root: Vec<DMatrix<f64>>,
    pub cause_root: DMatrix<f64>,
    /// η at the present bin.
    pub eta: Vec<f64>,
    places: Vec<Place>,
    pub states: usize,
    pub noises: usize,
    pub causes: usize,
    pub outputs: usize,
}

/// Where a level's parts begin in the stacked vectors.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    sizes: Sizes,
    x: usize,
    v: usize,
    theta: usize,
    c_motion: usize,
    c_between: usize,
}

/// f, g and v of the stack at one point, with their Jacobians, and memory for computing them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CausalLocal {
    pub f: Vec<f64>,
    pub f_x: DMatrix<f64>,
    pub f_c: DMatrix<f64>,
    pub g: Vec<f64>,
    pub g_x: DMatrix<f64>,
    pub g_v: DMatrix<f64>,
    pub v: Vec<f64>,
    pub v_x: DMatrix<f64>,
    pub v_c: DMatrix<f64>,
    by: Vec<Jacobians>,
    above: Vec<f64>,
}

/// Jacobians of one level, f's and g's by state, cause and parameter, and products with those of v.
#[derive(Debug, Clone, PartialEq)]
struct Jacobians {
    f: [DMatrix<f64>; 3],
    g: [DMatrix<f64>; 3],
    v_x: DMatrix<f64>,
    v_c: DMatrix<f64>,
    f_through_x: DMatrix<f64>,
    f_through_c: DMatrix<f64>,
    g_through_x: DMatrix<f64>,
    g_through_c: DMatrix<f64>,
}

const ARGUMENTS: [Argument; 3] = [Argument::State, Argument::Cause, Argument::Parameter];

/// S with S S' = Π⁻¹.
pub(super) fn root_of_inverse(precision: &DMatrix<f64>, name: &str) -> Result<DMatrix<f64>> {
    let n = precision.nrows();
    let lost = || not_definite(name, precision);
    // Π = L L', so S = L'⁻¹.
    let lower = precision.clone().cholesky().ok_or_else(lost)?.unpack();
    let upper = lower.transpose();
    upper
        .solve_upper_triangular(&DMatrix::identity(n, n))
        .ok_or_else(lost)
}

impl<E: Equations> CausalStack<E> {
    pub(super) fn new(
        model: GenerativeModel<E>,
        motion_in_c: bool,
        learn_parameters: bool,
    ) -> Result<Self> {
        model.check()?;
        let (mut places, mut free, mut theta) = (Vec::new(), Vec::new(), Vec::new());
        let (mut x, mut v) = (0, 0);
        let total = model.totals();
        let mut c = if motion_in_c { total.states } else { 0 };
        let mut motion_root = Vec::new();
        let mut between_root = Vec::new();
        for (l, level) in model.levels.iter().enumerate() {
            let sizes = level.equations.sizes();
            places.push(Place {
                sizes,
                x,
                v,
                theta: theta.len(),
                c_motion: x,
                c_between: c,
            });
            if learn_parameters {
                free.extend(level.parameters.free().into_iter().map(|i| (l, i)));
            }
            theta.extend(level.parameters.mean.iter());
            x += sizes.states;
            v += sizes.causes;
            let named = |term: &str| format!("level {}: {term}", l + 1);
            motion_root.push(root_of_inverse(
                &level.motion.expected(),
                &named("motion_precision"),
            )?);
            if l > 0 {
                c += sizes.outputs;
                between_root.push(root_of_inverse(
                    &level.output.expected(),
                    &named("output_precision"),
                )?);
            }
        }
        let top = model.cause.mean.len();
        Ok(Self {
            motion_in_c,
            states: x + free.len(),
            noises: c + top,
            causes: v,
            outputs: model.outputs(),
            cause_root: root_of_inverse(&model.cause.precision.expected(), "precision of v")?,
            eta: model.cause.mean.clone(),
            free,
            theta,
            motion_root,
            between_root,
            places,
            model,
        })
    }

    /// States without the free parameters.
    pub(super) fn moving(&self) -> usize {
        self.states - self.free.len()
    }

    /// Whether f and g are linear in everything that is stacked.
    pub(super) fn is_linear(&self) -> bool {
        self.free.is_empty() && self.model.levels.iter().all(|l| l.equations.is_linear())
    }

    /// The first noise of the top causes, and of z of level `l` ≥ 1.
    fn top_noise(&self) -> usize {
        self.noises - self.model.cause.mean.len()
    }

    pub(super) fn local(&self) -> CausalLocal {
        let (x, c, v, y) = (self.states, self.noises, self.causes, self.outputs);
        let by = |p: &Place| {
            let s = p.sizes;
            let jacobians = |rows| ARGUMENTS.map(|a| DMatrix::zeros(rows, s.of(a)));
            Jacobians {
                f: jacobians(s.states),
                g: jacobians(s.outputs),
                v_x: DMatrix::zeros(s.causes, x),
                v_c: DMatrix::zeros(s.causes, c),
                f_through_x: DMatrix::zeros(s.states, x),
                f_through_c: DMatrix::zeros(s.states, c),
                g_through_x: DMatrix::zeros(s.outputs, x),
                g_through_c: DMatrix::zeros(s.outputs, c),
            }
        };
        CausalLocal {
            f: vec![0.0; x],
            f_x: DMatrix::zeros(x, x),
            f_c: DMatrix::zeros(x, c),
            g: vec![0.0; y],
            g_x: DMatrix::zeros(y, x),
            g_v: DMatrix::zeros(y, v),
            v: vec![0.0; v],
            v_x: DMatrix::zeros(v, x),
            v_c: DMatrix::zeros(v, c),
            by: self.places.iter().map(by).collect(),
            above: vec![
                0.0;
                self.places
                    .iter()
                    .map(|p| p.sizes.outputs)
                    .max()
                    .unwrap_or(0)
            ],
        }
    }

    /// Evaluates v, f and their Jacobians by (x, c) at x `[states]`, c `[noises]`. θ is a copy of the
    /// parameters in which the free ones are overwritten from x.
    pub(super) fn motion(&self, x: &[f64], c: &[f64], theta: &mut [f64], at: &mut CausalLocal) {
        self.put_parameters(x, theta);
        at.f.fill(0.0);
        at.f_x.fill(0.0);
        at.f_c.fill(0.0);
        at.v_x.fill(0.0);
        at.v_c.fill(0.0);
        let top = self.top_noise();
        if let Some(last) = self.places.last() {
            for i in 0..last.sizes.causes {
                let mut v = self.eta[i];
                for j in 0..last.sizes.causes {
                    let root = self.cause_root[(i, j)];
                    v += root * c[top + j];
                    at.v_c[(last.v + i, top + j)] = root;
                }
                at.v[last.v + i] = v;
            }
        }
        for l in (0..self.places.len()).rev() {
            let place = &self.places[l];
            let s = place.sizes;
            let equations = &self.model.levels[l].equations;
            let Jacobians {
                f,
                g,
                v_x,
                v_c,
                f_through_x,
                f_through_c,
                g_through_x,
                g_through_c,
            } = &mut at.by[l];
            let point = Point {
                x: &x[place.x..place.x + s.states],
                v: &at.v[place.v..place.v + s.causes],
                theta: &theta[place.theta..place.theta + s.parameters],
            };
            copy_rows(v_x, &at.v_x, place.v);
            copy_rows(v_c, &at.v_c, place.v);
            equations.f(point, &mut at.f[place.x..place.x + s.states]);
            for (argument, out) in ARGUMENTS.into_iter().zip(f.iter_mut()) {
                let wanted = argument != Argument::Parameter || !self.free.is_empty();
                if wanted && s.of(argument) > 0 {
                    equations.f_by(argument, point, out);
                }
            }
            multiply(f_through_x, &f[1], v_x);
            multiply(f_through_c, &f[1], v_c);
            self.add_direct(l, place, &f[0], &f[2], f_through_x);
            put_rows(&mut at.f_x, f_through_x, place.x);
            put_rows(&mut at.f_c, f_through_c, place.x);
            if self.motion_in_c {
                let root = &self.motion_root[l];
                for i in 0..s.states {
                    for j in 0..s.states {
                        at.f[place.x + i] += root[(i, j)] * c[place.c_motion + j];
                        at.f_c[(place.x + i, place.c_motion + j)] += root[(i, j)];
                    }
                }
            }
            if l == 0 {
                continue;
            }
            // The causes of the level below: g of this one and the noise between.
            let below = self.places[l - 1].v;
            let above = &mut at.above[..s.outputs];
            equations.g(point, above);
            for (argument, out) in ARGUMENTS.into_iter().zip(g.iter_mut()) {
                let wanted = argument != Argument::Parameter || !self.free.is_empty();
                if wanted && s.of(argument) > 0 {
                    equations.g_by(argument, point, out);
                }
            }
            multiply(g_through_x, &g[1], v_x);
            multiply(g_through_c, &g[1], v_c);
            self.add_direct(l, place, &g[0], &g[2], g_through_x);
            let root = &self.between_root[l - 1];
            for i in 0..s.outputs {
                let mut v = above[i];
                for j in 0..s.outputs {
                    v += root[(i, j)] * c[place.c_between + j];
                    g_through_c[(i, place.c_between + j)] += root[(i, j)];
                }
                at.v[below + i] = v;
            }
            put_rows(&mut at.v_x, g_through_x, below);
            put_rows(&mut at.v_c, g_through_c, below);
        }
    }

    /// Evaluates g of the data's level and its Jacobians by x and v at x `[states]` and all causes v
    /// `[causes]`.
    pub(super) fn output(&self, x: &[f64], v: &[f64], theta: &mut [f64], at: &mut CausalLocal) {
        self.put_parameters(x, theta);
        at.g_x.fill(0.0);
        at.g_v.fill(0.0);
        let (Some(place), Some(level)) = (self.places.first(), self.model.levels.first()) else {
            return;
        };
        let s = place.sizes;
        let point = Point {
            x: &x[..s.states],
            v: &v[..s.causes],
            theta: &theta[..s.parameters],
        };
        level.equations.g(point, &mut at.g);
        let g = &mut at.by[0].g;
        for (argument, out) in ARGUMENTS.into_iter().zip(g.iter_mut()) {
            let wanted = argument != Argument::Parameter || !self.free.is_empty();
            if wanted && s.of(argument) > 0 {
                level.equations.g_by(argument, point, out);
            }
        }
        for j in 0..s.causes {
            at.g_v.column_mut(j).copy_from(&g[1].column(j));
        }
        self.add_direct(0, place, &g[0], &g[2], &mut at.g_x);
    }

    fn put_parameters(&self, x: &[f64], theta: &mut [f64]) {
        let moving = self.moving();
        for (k, &(l, i)) in self.free.iter().enumerate() {
            theta[self.places[l].theta + i] = x[moving + k];
        }
    }

    /// Adds the direct dependence of level `l` on its states and free parameters to a Jacobian by x.
    fn add_direct(
        &self,
        l: usize,
        place: &Place,
        by_state: &DMatrix<f64>,
        by_parameter: &DMatrix<f64>,
        out: &mut DMatrix<f64>,
    ) {
        let rows = by_state.nrows();
        let all = out.as_mut_slice();
        for j in 0..place.sizes.states {
            let column = &mut all[(place.x + j) * rows..(place.x + j + 1) * rows];
            add_scaled(column, 1.0, &by_state.as_slice()[j * rows..(j + 1) * rows]);
        }
        let moving = self.moving();
        for (k, &(level, i)) in self.free.iter().enumerate() {
            if level == l {
                let column = &mut all[(moving + k) * rows..(moving + k + 1) * rows];
                add_scaled(
                    column,
                    1.0,
                    &by_parameter.as_slice()[i * rows..(i + 1) * rows],
                );
            }
        }
    }
}

fn copy_rows(to: &mut DMatrix<f64>, from: &DMatrix<f64>, first: usize) {
    for j in 0..to.ncols() {
        for i in 0..to.nrows() {
            to[(i, j)] = from[(first + i, j)];
        }
    }
}

fn put_rows(to: &mut DMatrix<f64>, from: &DMatrix<f64>, first: usize) {
    for j in 0..from.ncols() {
        for i in 0..from.nrows() {
            to[(first + i, j)] = from[(i, j)];
        }
    }
}
