//! The state-space form of a structural model, and its derivatives by the parameters.

use nalgebra::DMatrix;

use super::component::Component;
use super::model::StructuralModel;
use crate::math::lyapunov::stationary_covariance;
use crate::{Error, Result};

/// x_t = F x_{t−1} + N(0, Q), y_t = hᵀx_t + N(0, r), with P0 of the stationary states and marks on the diffuse ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub n: usize,
    /// F `[n, n]`: the entries of each row that are not zero.
    pub f: Vec<Vec<(usize, f64)>>,
    /// The entries of Q `[n, n]` that are not zero.
    pub q: Vec<(usize, usize, f64)>,
    /// h `[n]`, 0 where inputs stand.
    pub h: Vec<f64>,
    /// The states that are coefficients of the inputs, in their order.
    pub regressors: Vec<usize>,
    /// r ≥ 0.
    pub r: f64,
    /// P* of the start `[n, n]`, row after row.
    pub start: Vec<f64>,
    pub diffuse: Vec<bool>,
    /// The states with a stationary start: they follow each other at the end of none or more components.
    pub stationary: Vec<usize>,
    /// By parameter, what its value changes.
    pub slopes: Vec<Vec<(Entry, f64)>>,
}

/// An entry of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Entry {
    F(usize, usize),
    Q(usize, usize),
    R,
}

impl Form {
    /// The form at values of all parameters in the model's order. Fails where an ARMA process is not stationary.
    pub fn new(model: &StructuralModel, values: &[f64]) -> Result<Self> {
        model.check_inputs()?;
        let n = model.states();
        let mut form = Self {
            n,
            f: vec![Vec::new(); n],
            q: Vec::new(),
            h: vec![0.0; n],
            regressors: Vec::new(),
            r: values[0],
            start: vec![0.0; n * n],
            diffuse: vec![false; n],
            stationary: Vec::new(),
            slopes: vec![vec![(Entry::R, 1.0)]],
        };
        let (mut at, mut value) = (0, 1);
        let mut level = None;
        let mut slope = None;
        for component in model.components() {
            let count = component.parameters("").len();
            form.add(*component, at, &values[value..value + count]);
            let states = at..at + component.states();
            match component {
                Component::Level => level = Some(at),
                Component::Slope => slope = Some(at),
                _ => {}
            }
            match component.is_diffuse() {
                true => states.for_each(|i| form.diffuse[i] = true),
                false => form.stationary.extend(states),
            }
            at += component.states();
            value += count;
        }
        if let (Some(level), Some(slope)) = (level, slope) {
            form.f[level].push((slope, 1.0));
        }
        if let Some(variance) = model.initial_variance() {
            for i in (0..n).filter(|&i| form.diffuse[i]) {
                form.start[i * n + i] = variance;
            }
            form.diffuse.fill(false);
        }
        form.stationary_start()?;
        Ok(form)
    }

    /// Adds a component whose states begin at `at`.
    fn add(&mut self, component: Component, at: usize, values: &[f64]) {
        // A regression whose coefficients stay has none.
        let variance = values.first().copied().unwrap_or(0.0);
        let mut slopes: Vec<Vec<(Entry, f64)>> = vec![Vec::new(); values.len()];
        let noise = |form: &mut Self, slopes: &mut Vec<Vec<(Entry, f64)>>, i: usize| {
            form.q.push((i, i, variance));
            slopes[0].push((Entry::Q(i, i), 1.0));
        };
        match component {
            Component::Level | Component::Slope => {
                self.f[at].push((at, 1.0));
                self.h[at] = f64::from(u8::from(component == Component::Level));
                noise(self, &mut slopes, at);
            }
            Component::Seasonal { period } => {
                for j in 0..period - 1 {
                    self.f[at].push((at + j, -1.0));
                    if j > 0 {
                        self.f[at + j].push((at + j - 1, 1.0));
                    }
                }
                self.h[at] = 1.0;
                noise(self, &mut slopes, at);
            }
            Component::Trigonometric { period, harmonics } => {
                for j in 1..=harmonics {
                    let i = at + 2 * (j - 1);
                    self.h[i] = 1.0;
                    noise(self, &mut slopes, i);
                    if 2 * j == period {
                        self.f[i].push((i, -1.0));
                        continue;
                    }
                    let angle = std::f64::consts::TAU * j as f64 / period as f64;
                    self.rotation(i, angle.cos(), angle.sin());
                    noise(self, &mut slopes, i + 1);
                }
            }
            Component::Regression { inputs, .. } => {
                for k in 0..inputs {
                    let i = at + k;
                    self.f[i].push((i, 1.0));
                    self.regressors.push(i);
                    if let (Some(variance), Some(slopes)) = (values.get(k), slopes.get_mut(k)) {
                        self.q.push((i, i, *variance));
                        slopes.push((Entry::Q(i, i), 1.0));
                    }
                }
            }
            Component::Cycle => {
                let (period, damping) = (values[1], values[2]);
                let angle = std::f64::consts::TAU / period;
                let (c, s) = (angle.cos(), angle.sin());
                self.rotation(at, damping * c, damping * s);
                self.h[at] = 1.0;
                noise(self, &mut slopes, at);
                noise(self, &mut slopes, at + 1);
                let turn = -angle / period;
                slopes[1] = rotated(at, -damping * s * turn, damping * c * turn);
                slopes[2] = rotated(at, c, s);
            }
            Component::Arma { ar, ma } => {
                let r = component.states();
                for i in 0..r {
                    if i < ar {
                        self.f[at + i].push((at, values[1 + i]));
                        slopes[1 + i].push((Entry::F(at + i, at), 1.0));
                    }
                    if i + 1 < r {
                        self.f[at + i].push((at + i + 1, 1.0));
                    }
                }
                self.h[at] = 1.0;
                let weight = |i: usize| match i {
                    0 => 1.0,
                    i if i <= ma => values[ar + i],
                    _ => 0.0,
                };
                for i in 0..=ma {
                    for j in 0..=ma {
                        let product = weight(i) * weight(j);
                        self.q.push((at + i, at + j, variance * product));
                        slopes[0].push((Entry::Q(at + i, at + j), product));
                        for (own, other) in [(i, j), (j, i)] {
                            if own > 0 {
                                let by = (Entry::Q(at + i, at + j), variance * weight(other));
                                slopes[ar + own].push(by);
                            }
                        }
                    }
                }
            }
        }
        self.slopes.extend(slopes);
    }

    /// h of a row (y, u): the inputs at their states.
    pub fn observed(&self, row: &[f64], h: &mut Vec<f64>) {
        h.clone_from(&self.h);
        for (&i, u) in self.regressors.iter().zip(&row[1..]) {
            h[i] = *u;
        }
    }

    fn rotation(&mut self, at: usize, c: f64, s: f64) {
        self.f[at].extend([(at, c), (at + 1, s)]);
        self.f[at + 1].extend([(at, -s), (at + 1, c)]);
    }

    /// F of the stationary states, dense.
    pub fn stationary_f(&self) -> DMatrix<f64> {
        let place = |i: usize| self.stationary.iter().position(|&s| s == i);
        let k = self.stationary.len();
        let mut f = DMatrix::zeros(k, k);
        for (row, &i) in self.stationary.iter().enumerate() {
            for &(j, v) in &self.f[i] {
                if let Some(column) = place(j) {
                    f[(row, column)] += v;
                }
            }
        }
        f
    }

    fn stationary_start(&mut self) -> Result<()> {
        let k = self.stationary.len();
        if k == 0 {
            return Ok(());
        }
        let mut q = DMatrix::zeros(k, k);
        for &(i, j, v) in &self.q {
            let place = |i: usize| self.stationary.iter().position(|&s| s == i);
            if let (Some(i), Some(j)) = (place(i), place(j)) {
                q[(i, j)] += v;
            }
        }
        let p = stationary_covariance(&self.stationary_f(), &q).ok_or_else(|| {
            let found = "no stationary distribution";
            Error::setting("values", found, "a stationary ARMA process or cycle")
        })?;
        for (a, &i) in self.stationary.iter().enumerate() {
            for (b, &j) in self.stationary.iter().enumerate() {
                self.start[i * self.n + j] = p[(a, b)];
            }
        }
        Ok(())
    }

    /// The entries of F that a parameter moves.
    pub fn moved_transitions(&self) -> Vec<(usize, usize)> {
        let entries = self.slopes.iter().flatten();
        let mut moved: Vec<_> = entries
            .filter_map(|(entry, _)| match entry {
                Entry::F(i, j) => Some((*i, *j)),
                _ => None,
            })
            .collect();
        moved.sort_unstable();
        moved.dedup();
        moved
    }
}

/// What a change of c and s does to a rotation at `at`.
fn rotated(at: usize, c: f64, s: f64) -> Vec<(Entry, f64)> {
    vec![
        (Entry::F(at, at), c),
        (Entry::F(at, at + 1), s),
        (Entry::F(at + 1, at), -s),
        (Entry::F(at + 1, at + 1), c),
    ]
}
