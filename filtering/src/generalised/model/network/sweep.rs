//! Jacobians of a network: one forward pass for values and slopes, then one backward pass per output.
//!
//! ```text
//! δ_L = e_i,   δ_l = (W_{l+1}ᵀ δ_{l+1}) ∘ a'_l
//! ∂y_i/∂u = W_1ᵀ δ_1 + S_i,   ∂y_i/∂W_l = δ_l h_{l−1}ᵀ,   ∂y_i/∂b_l = δ_l,   ∂y_i/∂S_i = u
//! ```

use std::ops::Range;

use nalgebra::DMatrix;

use super::super::equations::with_zeros;
use super::{Network, ON_STACK, Weights};

impl Network {
    /// ∂y/∂u at u = (`input[0]`, `input[1]`) for the entries `columns` of u, `out` `[outputs, columns]`.
    pub(in crate::generalised::model) fn by_input(
        &self,
        weights: &[f64],
        input: [&[f64]; 2],
        columns: Range<usize>,
        out: &mut DMatrix<f64>,
    ) {
        let linear = self.linear_at();
        for i in 0..self.outputs {
            for (c, j) in columns.clone().enumerate() {
                out[(i, c)] = match self.linear {
                    true => weights[linear + i * self.inputs + j],
                    false => 0.0,
                };
            }
        }
        self.sweep(weights, input, |i, l, at, _, delta| {
            if l > 0 {
                return;
            }
            for (r, &d) in delta.iter().enumerate().filter(|(_, d)| **d != 0.0) {
                for (c, j) in columns.clone().enumerate() {
                    out[(i, c)] += d * weights[at + r * self.inputs + j];
                }
            }
        });
    }

    /// ∂y/∂(weights) into the columns of `out` `[outputs, …]` from `first` on.
    pub(in crate::generalised::model) fn by_weight(
        &self,
        weights: &[f64],
        input: [&[f64]; 2],
        first: usize,
        out: &mut DMatrix<f64>,
    ) {
        let u = || input[0].iter().chain(input[1]);
        out.columns_mut(first, self.weights.len()).fill(0.0);
        if self.linear {
            let linear = first + self.linear_at();
            for i in 0..self.outputs {
                for (j, &u) in u().enumerate() {
                    out[(i, linear + i * self.inputs + j)] = u;
                }
            }
        }
        self.sweep(weights, input, |i, l, at, below, delta| {
            let size = if l == 0 { self.inputs } else { below.len() };
            let bias = first + at + size * delta.len();
            for (r, &d) in delta.iter().enumerate().filter(|(_, d)| **d != 0.0) {
                let row = first + at + r * size;
                match l {
                    0 => u().enumerate().for_each(|(j, u)| out[(i, row + j)] = d * u),
                    _ => {
                        let below = below.iter().enumerate();
                        below.for_each(|(j, h)| out[(i, row + j)] = d * h);
                    }
                }
                out[(i, bias + r)] = d;
            }
        });
    }

    /// Calls `visit(i, l, first weight of layer l, h_{l−1} (empty for u), δ_l)` for every output i and every
    /// layer l from the last to the first.
    fn sweep(
        &self,
        weights: &[f64],
        input: [&[f64]; 2],
        mut visit: impl FnMut(usize, usize, usize, &[f64], &[f64]),
    ) {
        let Some((_, hidden)) = self.widths.split_last() else {
            return;
        };
        let units: usize = hidden.iter().sum();
        let widest = self.widest();
        with_zeros::<ON_STACK, f64, ()>(units + 2 * widest, |all| {
            let (values, rest) = all.split_at_mut(units);
            let (mut delta, mut lower) = rest.split_at_mut(widest);
            let read = Weights::Fixed(weights);
            let (mut at, mut size, mut done) = (0, self.inputs, 0);
            for (l, &width) in hidden.iter().enumerate() {
                let bias = at + size * width;
                let (before, now) = values.split_at_mut(done);
                for (i, value) in now[..width].iter_mut().enumerate() {
                    let row = at + i * size;
                    let product: f64 = match l {
                        0 => read.dot(row, input[0].iter().chain(input[1])),
                        _ => read.dot(row, before[done - size..].iter()),
                    };
                    *value = self.activation.of(product + weights[bias + i]);
                }
                (at, size, done) = (bias + width, width, done + width);
            }
            // `at` is now where the last layer begins.
            for i in 0..self.outputs {
                let (mut first, mut end) = (at, done);
                delta[..self.outputs].fill(0.0);
                delta[i] = 1.0;
                for l in (0..self.widths.len()).rev() {
                    let width = self.widths[l];
                    if l == 0 {
                        visit(i, 0, first, &[], &delta[..width]);
                        break;
                    }
                    let size = self.widths[l - 1];
                    let below = &values[end - size..end];
                    visit(i, l, first, below, &delta[..width]);
                    let lower_delta = &mut lower[..size];
                    lower_delta.fill(0.0);
                    for (r, &d) in delta[..width].iter().enumerate() {
                        if d != 0.0 {
                            let row = &weights[first + r * size..first + (r + 1) * size];
                            row.iter()
                                .zip(&mut *lower_delta)
                                .for_each(|(w, s)| *s += d * w);
                        }
                    }
                    for (s, &value) in lower_delta.iter_mut().zip(below) {
                        *s *= self.activation.slope(value);
                    }
                    std::mem::swap(&mut delta, &mut lower);
                    let inputs = if l == 1 {
                        self.inputs
                    } else {
                        self.widths[l - 2]
                    };
                    first -= (inputs + 1) * size;
                    end -= size;
                }
            }
        });
    }
}
