//! The recursive evidence bound as an operation on tensors.
//!
//! | subject | file |
//! |---|---|
//! | closed forms, all paths one by one, rows of a batch, parts of a sequence | `exact.rs` |
//! | against the same composed of tensor operations, one time step after the other | `composed.rs` |
//! | gradients against finite differences | `differences.rs` |
//! | zeros, outliers, the impossible | `extremes.rs` |
//! | kernels that are given | `given.rs` |
//! | recordings, and the filter of `scotopic-filtering` | `recorded.rs` |
//! | a neural emission learns | `learning.rs` |

mod composed;
mod differences;
mod exact;
mod extremes;
mod given;
mod learning;
mod recorded;

use burn::tensor::Tensor;
use scotopic::ops::{RecursiveElbo, recursive_elbo};

use crate::devices::Place;
use crate::numbers::read;
use crate::toy::numbers;

/// f64: a few hundred roundings of 10⁻¹⁶, none of them amplified: the filter is contracting.
const DOUBLE: f64 = 1e-10;

/// f32: as many of 6·10⁻⁸, in probabilities.
const SINGLE: f64 = 1e-5;

/// What goes into the operation, as plain numbers.
#[derive(Debug, Clone)]
struct Problem {
    batch: usize,
    time: usize,
    k: usize,
    /// ℓ `[batch, time, K]`
    likelihood: Vec<f64>,
    /// ln p(s_1) `[1, K]`
    initial: Vec<f64>,
    /// ln p(s|s') `[K, K]`
    transition: Vec<f64>,
}

impl Problem {
    fn drawn(seed: u64, [batch, time, k]: [usize; 3]) -> Self {
        let rows = |stream: u64, n: usize, spread: f64| {
            let values = numbers(seed * 100 + stream, n * k, -spread, spread);
            values.chunks(k).flat_map(normalised).collect()
        };
        Self {
            batch,
            time,
            k,
            likelihood: numbers(seed * 100, batch * time * k, -3.0, 0.5),
            initial: rows(1, 1, 1.0),
            transition: rows(2, k, 2.0),
        }
    }

    /// States only stay or go to the next, and the first is where it starts.
    fn left_to_right(mut self) -> Self {
        let k = self.k;
        for (i, row) in self.transition.chunks_mut(k).enumerate() {
            let kept = |j: usize| j == i || j == i + 1;
            let chosen = row
                .iter()
                .enumerate()
                .map(|(j, x)| if kept(j) { *x } else { f64::NEG_INFINITY });
            let chosen = normalised(&chosen.collect::<Vec<_>>());
            row.copy_from_slice(&chosen);
        }
        self.initial = (0..k)
            .map(|s| if s == 0 { 0.0 } else { f64::NEG_INFINITY })
            .collect();
        self
    }

    /// Rounded to f32, so that both precisions are asked the same.
    fn rounded(mut self) -> Self {
        for values in [
            &mut self.likelihood,
            &mut self.initial,
            &mut self.transition,
        ] {
            values.iter_mut().for_each(|v| *v = f64::from(*v as f32));
        }
        self
    }

    fn tensors(&self, place: &Place) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
        let Self { batch, time, k, .. } = *self;
        (
            place.tensor(&self.likelihood, [batch, time, k]),
            place.tensor(&self.initial, [1, k]),
            place.tensor(&self.transition, [k, k]),
        )
    }

    fn run(&self, place: &Place) -> RecursiveElbo {
        let (l, i, a) = self.tensors(place);
        recursive_elbo(l, i, a)
    }

    /// c_t and q_t(s).
    fn values(&self, place: &Place) -> [Vec<f64>; 2] {
        let seen = self.run(place);
        [read(seen.increments.clone()), read(seen.belief())]
    }

    /// Gradients of `objective` with respect to ℓ, ln p(s_1), ln p(s|s').
    fn gradients(
        &self,
        place: &Place,
        objective: impl Fn(Tensor<3>, Tensor<2>, Tensor<2>) -> Tensor<1>,
    ) -> [Vec<f64>; 3] {
        let (l, i, a) = self.tensors(&place.autodiff());
        let (l, i, a) = (l.require_grad(), i.require_grad(), a.require_grad());
        let gradients = objective(l.clone(), i.clone(), a.clone()).backward();
        [
            read(l.grad(&gradients).expect("ℓ has a gradient")),
            read(i.grad(&gradients).expect("ln p(s_1) has a gradient")),
            read(a.grad(&gradients).expect("ln p(s|s') has a gradient")),
        ]
    }
}

/// x − ln Σ eˣ.
fn normalised(x: &[f64]) -> Vec<f64> {
    let total = log_sum_exp(x);
    x.iter().map(|x| x - total).collect()
}

fn log_sum_exp(x: &[f64]) -> f64 {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

/// The recursion as it is written, in logarithms, for one row: c and ln q.
fn plainly(problem: &Problem, row: usize) -> (Vec<f64>, Vec<f64>) {
    let Problem { time, k, .. } = *problem;
    let (mut increments, mut log_beliefs) = (Vec::new(), Vec::<f64>::new());
    let mut predicted = problem.initial.clone();
    for t in 0..time {
        let l = &problem.likelihood[(row * time + t) * k..][..k];
        let w: Vec<f64> = predicted.iter().zip(l).map(|(p, l)| p + l).collect();
        let c = log_sum_exp(&w);
        let log_belief: Vec<f64> = w.iter().map(|w| w - c).collect();
        predicted = (0..k)
            .map(|s| {
                let paths = (0..k).map(|from| log_belief[from] + problem.transition[from * k + s]);
                log_sum_exp(&paths.collect::<Vec<_>>())
            })
            .collect();
        increments.push(c);
        log_beliefs.extend(log_belief);
    }
    (increments, log_beliefs)
}

/// The tolerance of a place.
fn tolerance(place: &Place) -> f64 {
    match place.precision {
        burn::tensor::DType::F64 => DOUBLE,
        _ => SINGLE,
    }
}

/// Runs `check` in double precision on the CPU and in single precision everywhere.
fn everywhere(check: impl Fn(&Place)) {
    check(&Place::reference());
    crate::devices::on_every_device(check);
}
