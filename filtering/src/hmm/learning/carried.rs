//! Additive statistics of the past, carried forward for every present state.
//!
//! Every additive quantity Φ_t(s) = E_b[Σ_{u≤t} φ_u(s_{u−1}, s_u, o_u) | s_t = s] obeys eq. F8,
//!
//! ```text
//! Φ_t[j] = κ_t Σ_i b_t[j][i] Φ_{t−1}[i] + g_t φ_t[j],      κ = g = 1, or κ = 1 − g for a running average
//! ```
//!
//! a product of a kernel `[K, K]` and a table `[K, C]` every step: K²·C multiplications. But only its
//! expectation under q_t is asked for at every step, never the table. So the newest w kernels are kept as they
//! are, the table as it was w steps ago, and the expectation is read by passing q_t down the kernels (which is
//! smoothing, identity 10):
//!
//! ```text
//! E_{q_t}[Φ_t] = Σ_{u=t−w+1…t} c_u γ_u·φ_u + c γ_{t−w}·Φ_{t−w},     γ_t = q_t,  γ_{u−1}[i] = Σ_j γ_u[j] b_u[j][i]
//! ```
//!
//! It is the same number up to rounding, for w·K² + K·C multiplications. After w steps the table is brought
//! forward by reading it under each q = 1{s = j}. With w ≈ √C the two costs balance: at K = 16, 32 symbols,
//! 1/5 of the multiplications of the plain recursion. The newest steps, not yet folded in, can also be taken
//! back, which is how an update that fails leaves nothing behind.

use serde::{Deserialize, Serialize};

use super::scratch::Scratch;
use crate::simd_dispatch;

/// What the newest step adds to the sum.
#[derive(Clone, Copy)]
pub(super) enum Term<'a> {
    /// Counts: 1{s_{t−1} = i, s_t = j}, and the statistic φ `[P]` of what was observed, in row s_t.
    Statistic(Option<&'a [f64]>),
    /// Scores: 1{s_{t−1} = i}(1{s_t = j} − A_ij) with A `[K, K]`, and rows ∇ ln p(o|s_t) `[K, P]`.
    Score(&'a [f64], Option<&'a [f64]>),
}

/// Φ_t as a table `[K, C]` of some steps ago and the steps since.
///
/// A row has the columns: first state `[K]`, transitions `[K, K]` with the new state first, emissions `[K, P]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Carried {
    states: usize,
    /// P.
    columns: usize,
    window: usize,
    /// Whether terms are [`Term::Score`]s.
    scores: bool,
    /// Φ `[K, C]` before the steps below.
    table: Vec<f64>,
    /// κ and g of each step since.
    factors: Vec<(f64, f64)>,
    /// b of each `[·, K, K]`.
    kernels: Vec<f64>,
    /// Aᵀ of each `[·, K, K]`, for scores only.
    transitions: Vec<f64>,
    /// φ `[·, P]`, or its rows `[·, K, P]` for scores.
    emissions: Vec<f64>,
    #[serde(skip)]
    folded: Scratch,
}

impl Carried {
    /// Nothing seen: all zero. `columns` is P.
    pub(super) fn new(states: usize, columns: usize, scores: bool) -> Self {
        let row = states * (1 + states + columns);
        let window = ((row as f64).sqrt() as usize).clamp(4, 64);
        let square = window * states * states;
        let rows = if scores { states } else { 1 };
        Self {
            states,
            columns,
            window,
            scores,
            table: vec![0.0; states * row],
            factors: Vec::with_capacity(window),
            kernels: Vec::with_capacity(square),
            transitions: Vec::with_capacity(if scores { square } else { 0 }),
            emissions: Vec::with_capacity(window * rows * columns),
            folded: Scratch::default(),
        }
    }

    /// Whether the sizes of what was read from somewhere are those of K states and P columns.
    pub(super) fn fits(&self, states: usize, columns: usize, scores: bool) -> bool {
        let new = Self::new(states, columns, scores);
        let (steps, square) = (self.factors.len(), states * states);
        let rows = if scores { states } else { 1 };
        (self.states, self.columns, self.window, self.scores)
            == (states, columns, new.window, scores)
            && steps < self.window
            && self.table.len() == new.table.len()
            && self.kernels.len() == steps * square
            && self.transitions.len() == if scores { steps * square } else { 0 }
            && self.emissions.len() == steps * rows * columns
    }

    /// C.
    pub(super) fn row_len(&self) -> usize {
        self.states * (1 + self.states + self.columns)
    }

    /// Φ `[K, C]`, to be set before the first step.
    pub(super) fn table(&mut self) -> &mut [f64] {
        &mut self.table
    }

    /// Adds a step with kernel b `[K, K]`, κ and g.
    pub(super) fn push(&mut self, kernel: &[f64], factors: (f64, f64), term: Term<'_>) {
        self.factors.push(factors);
        self.kernels.extend_from_slice(kernel);
        let (rows, emission) = match term {
            Term::Statistic(statistic) => (1, statistic),
            Term::Score(transition, rows) => {
                let k = self.states;
                for j in 0..k {
                    let column = transition.iter().skip(j).step_by(k);
                    self.transitions.extend(column);
                }
                (self.states, rows)
            }
        };
        match emission {
            Some(emission) => self.emissions.extend_from_slice(emission),
            None => {
                let len = self.emissions.len() + rows * self.columns;
                self.emissions.resize(len, 0.0);
            }
        }
    }

    /// Undoes the newest [`Carried::push`].
    pub(super) fn take_back(&mut self) {
        let square = self.states * self.states;
        self.factors.pop();
        let steps = self.factors.len();
        self.kernels.truncate(steps * square);
        self.transitions.truncate(steps * square);
        let rows = if self.scores { self.states } else { 1 };
        self.emissions.truncate(steps * rows * self.columns);
    }

    /// E_q[Φ_t] for q `[K]`, into `[C]`; `belief` and `past` are scratch `[K]`.
    pub(super) fn expected(
        &self,
        q: &[f64],
        into: &mut [f64],
        belief: &mut [f64],
        past: &mut [f64],
    ) {
        belief.copy_from_slice(q);
        read(self, into, belief, past);
    }

    /// Brings the table forward once the window is full; the values carried stay what they were. The
    /// arguments are scratch `[K]`.
    pub(super) fn fold(&mut self, unit: &mut [f64], belief: &mut [f64], past: &mut [f64]) {
        if self.factors.len() < self.window {
            return;
        }
        let mut folded = std::mem::take(&mut self.folded);
        let rows = folded.room(self.table.len());
        for (j, row) in rows.chunks_exact_mut(self.row_len()).enumerate() {
            unit.fill(0.0);
            unit[j] = 1.0;
            self.expected(unit, row, belief, past);
        }
        folded.swap(&mut self.table);
        self.folded = folded;
        self.factors.clear();
        self.kernels.clear();
        self.transitions.clear();
        self.emissions.clear();
    }
}

/// A statistic with at most one in so many entries that is not zero is added entry by entry: symbols are.
const SPARSE: usize = 8;

simd_dispatch! {
    /// E_q[Φ_t] for the q in `belief`, which is passed down the kernels on the way.
    fn read(carried: &Carried, into: &mut [f64], belief: &mut [f64], past: &mut [f64]) = read_body;
}

#[inline(always)]
fn read_body(carried: &Carried, into: &mut [f64], belief: &mut [f64], past: &mut [f64]) {
    let (k, p) = (carried.states, carried.columns);
    let square = k * k;
    into.fill(0.0);
    let mut kept = 1.0;
    for (step, &(keep, gain)) in carried.factors.iter().enumerate().rev() {
        let c = kept * gain;
        let (transitions, emissions) = into[k..].split_at_mut(square);
        past.fill(0.0);
        let kernel = &carried.kernels[step * square..(step + 1) * square];
        pass_down(belief, kernel, c, transitions, past);
        if carried.scores {
            let a = &carried.transitions[step * square..(step + 1) * square];
            for (a, sum) in a.chunks_exact(k).zip(transitions.chunks_exact_mut(k)) {
                for ((sum, w), a) in sum.iter_mut().zip(past.iter()).zip(a) {
                    *sum -= c * w * a;
                }
            }
            let rows = &carried.emissions[step * k * p..(step + 1) * k * p];
            let sums = emissions.chunks_exact_mut(p);
            for ((&w, row), sum) in belief.iter().zip(rows.chunks_exact(p)).zip(sums) {
                add(sum, c * w, row);
            }
        } else {
            let row = &carried.emissions[step * p..(step + 1) * p];
            if row.iter().filter(|x| **x != 0.0).count() * SPARSE <= p {
                for (at, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                    for (&w, sum) in belief.iter().zip(emissions.chunks_exact_mut(p)) {
                        sum[at] += c * w * x;
                    }
                }
            } else {
                for (&w, sum) in belief.iter().zip(emissions.chunks_exact_mut(p)) {
                    add(sum, c * w, row);
                }
            }
        }
        kept *= keep;
        belief.copy_from_slice(past);
    }
    let row_len = carried.row_len();
    // Four rows at a time: the sum is read and written once for all of them.
    let fours = belief
        .chunks_exact(4)
        .zip(carried.table.chunks_exact(4 * row_len));
    for (w, rows) in fours {
        let (first, second) = rows.split_at(2 * row_len);
        let (a, b) = first.split_at(row_len);
        let (c, d) = second.split_at(row_len);
        let [wa, wb, wc, wd] = [kept * w[0], kept * w[1], kept * w[2], kept * w[3]];
        let columns = into.iter_mut().zip(a).zip(b).zip(c).zip(d);
        for ((((sum, a), b), c), d) in columns {
            *sum += (wa * a + wb * b) + (wc * c + wd * d);
        }
    }
    let done = k / 4 * 4;
    let rows = carried.table[done * row_len..].chunks_exact(row_len);
    for (&w, row) in belief[done..].iter().zip(rows) {
        add(into, kept * w, row);
    }
}

/// both[j][i] = γ[j] b[j][i]: c·both onto `sums`, Σ_j both onto `past`.
#[inline(always)]
fn pass_down(belief: &[f64], kernel: &[f64], c: f64, sums: &mut [f64], past: &mut [f64]) {
    let k = belief.len();
    let rows = kernel.chunks_exact(k).zip(sums.chunks_exact_mut(k));
    for (&w, (b, sum)) in belief.iter().zip(rows) {
        for ((b, sum), past) in b.iter().zip(sum).zip(past.iter_mut()) {
            let both = w * b;
            *sum += c * both;
            *past += both;
        }
    }
}

/// sum += w·row.
#[inline(always)]
fn add(sum: &mut [f64], w: f64, row: &[f64]) {
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += w * x;
    }
}
