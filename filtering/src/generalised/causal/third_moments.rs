//! Third moments of a belief about the states of a nonlinear flow: propagation and effect.
//!
//! A nonlinear flow makes a belief skewed, more so in every bin. The error that second-order filters neglect is
//! correlated between bins: with almost no process noise it does not average out but accumulates, and a filter that
//! replaces its belief by a Gaussian in every bin becomes overconfident (the equations of the moments are in
//! Jazwinski 1970, chapter 9). Here the third central moments T of the states are carried.
//!
//! Write a deviation of the states as e = S ε with P = S S' and W the third moments of ε, and let the joint state's
//! deviation be u = B ε + (what is independent of ε), B = cov(u, e) S'⁻¹ `[joint, states]`. Over a bin
//! u ← T_lin u and the states gain ½ ε'Q_a ε besides, Q_a the second derivatives of the flow. Of first order in W,
//!
//! ```text
//! cov(u_r, x_a)  gains  ½ Σ_i B_ri Σ_jk W_ijk Q_ajk                       beside  ½ Σ_jk Q_ajk Q_bjk
//! E[x_a x_b x_c] = Σ_ijk W_ijk B_ai B_bj B_ck  +  Σ_jk (Q_ajk B_bj B_ck + Q_bjk B_aj B_ck + Q_cjk B_aj B_bk)
//! ```
//!
//! An innovation ν = h u + noise of variance s has the mixed moments a = B'h with ε, and given ν (Edgeworth's
//! expansion of the joint density to its first term) mean and covariance are Kalman's and, with B ← B − k a',
//!
//! ```text
//! mean gains ½ B W[a, a] (ν² − s)/s²,     covariance gains B W[a] B' ν/s,     W[a]_ij = Σ_k W_ijk a_k
//! ```
//!
//! The fourth moments are taken as a Gaussian's. Then var(ε'Mε) = 2 ‖M‖² for any symmetric M, and
//! Cauchy's and Schwarz's inequality bounds W: (Σ_jk W_ijk M_jk)² ≤ 2 ‖M‖² for every direction i. W is
//! shrunk to ‖W‖ ≤ √2, which is enough for it, and makes the moved covariance one. What an innovation
//! takes from the covariance is held to [`SHARE`] of it.
//!
//! # References
//! - A. Jazwinski, *Stochastic Processes and Filtering Theory*, Academic Press, 1970.
//! - K. Pearson, "Mathematical contributions to the theory of evolution XIX", Phil. Trans. A 216, 1916: kurtosis
//!   is at least the square of skewness, plus one.

use nalgebra::DMatrix;

use super::layout::CausalLayout;
use super::transition::spread::choose_directions;
use super::transition::{Channels, Transition};
use crate::math::in_place::{add_scaled, dot};

/// The largest norm of W that Gaussian fourth moments allow.
const LARGEST: f64 = std::f64::consts::SQRT_2;

/// The first term of Edgeworth's expansion changes the covariance in no direction by more than this part of it.
const SHARE: f64 = 0.5;

/// W and B of the present bin, and memory for computing them. Tensors have entry (i, j, k) at (i n + j) n + k.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ThirdMoments {
    states: usize,
    size: usize,
    /// Whether W is other than zero.
    skewed: bool,
    /// W `[states, states, states]`.
    w: Vec<f64>,
    /// B of the prediction and as corrected so far, `[states]` columns of `[size]`.
    predicted: Vec<f64>,
    b: Vec<f64>,
    moved: Vec<f64>,
    /// S and the directions with variance.
    root: DMatrix<f64>,
    active: Vec<bool>,
    /// Two tensors and three matrices `[states, states]`.
    tensor: [Vec<f64>; 2],
    matrix: DMatrix<f64>,
    bent: DMatrix<f64>,
    a: Vec<f64>,
    turned: Vec<f64>,
}

impl ThirdMoments {
    pub(super) fn new(states: usize, size: usize) -> Self {
        let square = DMatrix::zeros(states, states);
        let cube = vec![0.0; states.pow(3)];
        Self {
            states,
            size,
            skewed: false,
            w: cube.clone(),
            predicted: vec![0.0; states * size],
            b: vec![0.0; states * size],
            moved: vec![0.0; states * size],
            root: square.clone(),
            active: vec![false; states],
            tensor: [cube.clone(), cube],
            matrix: square.clone(),
            bent: square,
            a: vec![0.0; states],
            turned: vec![0.0; size],
        }
    }

    /// A belief that is not skewed.
    pub(super) fn forget(&mut self) {
        self.skewed = false;
        self.w.fill(0.0);
        self.predicted.fill(0.0);
    }

    /// W and B from the third moments `[states, states, states]` and the joint covariance at the start of a bin,
    /// with the directions along which the flow was taken.
    pub(super) fn take_in(&mut self, third: &[f64], covariance: &DMatrix<f64>, step: &Transition) {
        let spread = &step.spread;
        self.w.copy_from_slice(third);
        for _ in 0..3 {
            solve_first(&mut self.w, &spread.directions, &spread.active);
            turn(&mut self.tensor[0], &self.w);
            std::mem::swap(&mut self.w, &mut self.tensor[0]);
        }
        shrink(&mut self.w);
        regress(
            &mut self.b,
            covariance,
            self.size,
            &spread.directions,
            &spread.active,
        );
    }

    /// Moves B over the bin, and adds to the moved joint covariance what the skewed belief and the flow's second
    /// derivatives have in common.
    pub(super) fn add_to_covariance(
        &mut self,
        covariance: &mut DMatrix<f64>,
        layout: &CausalLayout,
        channels: &Channels,
        step: &Transition,
    ) {
        let (n, size) = (self.states, self.size);
        let columns = self.moved.chunks_exact_mut(size);
        for (to, from) in columns.zip(self.b.chunks_exact(size)) {
            layout.move_deviation(to, from, channels, step);
        }
        let second = &step.spread.second;
        let entries = covariance.as_mut_slice();
        for a in 0..n {
            let bent = &second[a * n * n..(a + 1) * n * n];
            self.turned.fill(0.0);
            for i in 0..n {
                let weight = 0.5 * dot(&self.w[i * n * n..(i + 1) * n * n], bent);
                let column = &self.moved[i * size..(i + 1) * size];
                add_scaled(&mut self.turned, weight, column);
            }
            add_scaled(&mut entries[a * size..(a + 1) * size], 1.0, &self.turned);
            for (r, &shared) in self.turned.iter().enumerate() {
                entries[r * size + a] += shared;
            }
        }
    }

    /// W and B of the predicted belief.
    pub(super) fn predict(&mut self, mean: &[f64], covariance: &DMatrix<f64>, step: &Transition) {
        let (n, size) = (self.states, self.size);
        let Self { root, active, .. } = self;
        choose_directions(root, active, &mean[..n], covariance, true);
        // B of the states and Q, in units of the new S.
        for i in 0..n {
            for j in 0..n {
                self.matrix[(i, j)] = self.moved[j * size + i];
            }
        }
        solve_first_columns(&mut self.matrix, &self.root, &self.active);
        let [now, scratch] = &mut self.tensor;
        now.copy_from_slice(&step.spread.second);
        solve_first(now, &self.root, &self.active);
        // Σ_jk Q_ajk B_bj B_ck: a turn brings the next index to the front.
        turn(scratch, now);
        apply_first(now, scratch, &self.matrix);
        turn(scratch, now);
        apply_first(now, scratch, &self.matrix);
        turn(scratch, now);
        std::mem::swap(now, scratch);
        for _ in 0..3 {
            apply_first(scratch, &self.w, &self.matrix);
            turn(&mut self.w, scratch);
        }
        for a in 0..n {
            for b in 0..n {
                for c in 0..n {
                    let at = |a: usize, b: usize, c: usize| now[(a * n + b) * n + c];
                    self.w[(a * n + b) * n + c] += at(a, b, c) + at(b, a, c) + at(c, a, b);
                }
            }
        }
        shrink(&mut self.w);
        self.skewed = self.w.iter().any(|&w| w != 0.0);
        regress(
            &mut self.predicted,
            covariance,
            size,
            &self.root,
            &self.active,
        );
        self.begin();
    }

    /// Goes back to the prediction.
    pub(super) fn begin(&mut self) {
        self.b.copy_from_slice(&self.predicted);
    }

    /// After Kalman's correction of mean and covariance by one innovation of the given value and variance, with
    /// `row` h and `gain` k: what third moments add to it.
    pub(super) fn correct(
        &mut self,
        mean: &mut [f64],
        covariance: &mut [f64],
        row: &[f64],
        gain: &[f64],
        [innovation, variance]: [f64; 2],
    ) {
        if !self.skewed {
            return;
        }
        let (n, size) = (self.states, self.size);
        for (a, column) in self.a.iter_mut().zip(self.b.chunks_exact_mut(size)) {
            *a = dot(row, column);
            add_scaled(column, -*a, gain);
        }
        let bent = self.bent.as_mut_slice();
        for (entry, pair) in bent.iter_mut().zip(self.w.chunks_exact(n)) {
            *entry = dot(pair, &self.a);
        }
        let unit = innovation / variance;
        let norm = libm::sqrt(dot(bent, bent)) * unit.abs();
        let held = if norm > SHARE { SHARE / norm } else { 1.0 };
        let by_mean = 0.5 * held * (unit * unit - 1.0 / variance);
        for j in 0..n {
            let column = &mut self.turned;
            column.fill(0.0);
            for i in 0..n {
                let b = &self.b[i * size..(i + 1) * size];
                add_scaled(column, bent[j * n + i], b);
            }
            add_scaled(mean, by_mean * self.a[j], column);
            let b = &self.b[j * size..(j + 1) * size];
            for (to, &weight) in covariance.chunks_exact_mut(size).zip(b) {
                add_scaled(to, held * unit * weight, column);
            }
        }
    }

    /// The third moments of the states, `[states, states, states]`.
    pub(super) fn moments(&mut self, third: &mut [f64]) {
        let (n, size) = (self.states, self.size);
        for i in 0..n {
            for j in 0..n {
                self.matrix[(i, j)] = self.b[j * size + i];
            }
        }
        third.copy_from_slice(&self.w);
        for _ in 0..3 {
            apply_first(&mut self.tensor[0], third, &self.matrix);
            turn(third, &self.tensor[0]);
        }
    }

    /// Multiplies the deviations of the joint state by `scale`.
    pub(super) fn widen(&mut self, scale: impl Fn(usize) -> f64) {
        for column in self.predicted.chunks_exact_mut(self.size) {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry *= scale(i);
            }
        }
    }
}

/// `b` = cov(u, x) S'⁻¹ column by column, zero for directions without variance.
fn regress(
    b: &mut [f64],
    covariance: &DMatrix<f64>,
    size: usize,
    root: &DMatrix<f64>,
    active: &[bool],
) {
    for j in 0..active.len() {
        let (before, rest) = b.split_at_mut(j * size);
        let column = &mut rest[..size];
        if !active[j] {
            column.fill(0.0);
            continue;
        }
        column.copy_from_slice(covariance.column(j).as_slice());
        for (k, other) in before.chunks_exact(size).enumerate() {
            add_scaled(column, -root[(j, k)], other);
        }
        for entry in column {
            *entry /= root[(j, j)];
        }
    }
}

/// `tensor` ← S⁻¹ along its first index, zero for directions without variance.
fn solve_first(tensor: &mut [f64], root: &DMatrix<f64>, active: &[bool]) {
    let square = active.len() * active.len();
    for i in 0..active.len() {
        let (before, rest) = tensor.split_at_mut(i * square);
        let slab = &mut rest[..square];
        if !active[i] {
            slab.fill(0.0);
            continue;
        }
        for (k, other) in before.chunks_exact(square).enumerate() {
            add_scaled(slab, -root[(i, k)], other);
        }
        for entry in slab {
            *entry /= root[(i, i)];
        }
    }
}

/// The same for the rows of a matrix.
fn solve_first_columns(matrix: &mut DMatrix<f64>, root: &DMatrix<f64>, active: &[bool]) {
    for column in matrix.as_mut_slice().chunks_exact_mut(active.len()) {
        for i in 0..active.len() {
            let known: f64 = (0..i).map(|k| root[(i, k)] * column[k]).sum();
            column[i] = if active[i] {
                (column[i] - known) / root[(i, i)]
            } else {
                0.0
            };
        }
    }
}

/// `to`_ajk = Σ_i m_ai `from`_ijk.
fn apply_first(to: &mut [f64], from: &[f64], m: &DMatrix<f64>) {
    let square = m.nrows() * m.nrows();
    for (a, slab) in to.chunks_exact_mut(square).enumerate() {
        slab.fill(0.0);
        for (i, other) in from.chunks_exact(square).enumerate() {
            add_scaled(slab, m[(a, i)], other);
        }
    }
}

/// `to`_jki = `from`_ijk; three such turns are the identity.
fn turn(to: &mut [f64], from: &[f64]) {
    let square = from.len() / side(from.len());
    let n = side(from.len());
    for (i, slab) in from.chunks_exact(square).enumerate() {
        for (jk, &entry) in slab.iter().enumerate() {
            to[jk * n + i] = entry;
        }
    }
}

/// n of n³.
fn side(cube: usize) -> usize {
    (1..).find(|n| n * n * n >= cube).unwrap_or(1)
}

/// Shrinks W to what Gaussian fourth moments allow.
fn shrink(w: &mut [f64]) {
    let norm = libm::sqrt(dot(w, w));
    if norm > LARGEST {
        for entry in w {
            *entry *= LARGEST / norm;
        }
    }
}
