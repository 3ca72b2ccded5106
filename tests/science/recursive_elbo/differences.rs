//! Gradients of everything that comes out, against central differences in double precision.

use burn::tensor::Tensor;
use scotopic::ops::recursive_elbo;

use super::Problem;
use crate::devices::Place;
use crate::numbers::{Ledger, read};
use crate::toy::numbers;

/// h² times a third derivative of order one, and 10⁻¹⁵ over h.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 1e-8;

/// Σ over all outputs, each with weights of its own.
fn objective(place: &Place, l: Tensor<3>, i: Tensor<2>, a: Tensor<2>) -> Tensor<1> {
    let [batch, time, k] = l.dims();
    let weights = |stream: u64, n: usize| numbers(2200 + stream, n, -1.0, 1.0);
    let seen = recursive_elbo(l, i, a.clone());
    let states = [batch, time, k];
    let by_state = |stream| place.tensor::<3>(&weights(stream, batch * time * k), states);
    let kernels = place.tensor::<4>(&weights(5, batch * time * k * k), [batch, time, k, k]);
    (seen.increments.clone() * place.tensor(&weights(0, batch * time), [batch, time])).sum()
        + (seen.log_belief.clone() * by_state(1)).sum()
        + (seen.belief() * by_state(2)).sum()
        + (seen.w() * by_state(3)).sum()
        + (seen.v() * by_state(4)).sum()
        + (seen.kernels(a.clone()) * kernels).sum()
        + (seen.carried(a) * place.tensor(&weights(6, batch * k), [batch, k])).sum()
}

fn check(problem: &Problem, title: &str) {
    let place = Place::reference();
    let ours = problem.gradients(&place, |l, i, a| objective(&place.autodiff(), l, i, a));
    let value = |problem: &Problem| {
        let (l, i, a) = problem.tensors(&place);
        read(objective(&place, l, i, a))[0]
    };
    let mut ledger = Ledger::default();
    for (which, name) in ["ℓ", "initial", "transition"].into_iter().enumerate() {
        let expected: Vec<f64> = (0..ours[which].len())
            .map(|entry| {
                let moved = |by: f64| {
                    let mut moved = problem.clone();
                    let argument = match which {
                        0 => &mut moved.likelihood,
                        1 => &mut moved.initial,
                        _ => &mut moved.transition,
                    };
                    argument[entry] += by;
                    value(&moved)
                };
                (moved(STRIDE) - moved(-STRIDE)) / (2.0 * STRIDE)
            })
            .collect();
        ledger.compare(&format!("by {name}"), name, &ours[which], &expected);
    }
    ledger.settle(title, |_| FINITE_DIFFERENCE);
}

#[test]
fn of_every_output() {
    for (seed, size) in [[2, 5, 3], [1, 1, 2], [1, 4, 1], [1, 3, 9]]
        .into_iter()
        .enumerate()
    {
        check(
            &Problem::drawn(23 + seed as u64, size),
            &format!("{size:?}"),
        );
    }
}

#[test]
fn with_observations_missing() {
    let mut problem = Problem::drawn(28, [1, 5, 3]);
    problem.likelihood[3..9].fill(0.0);
    check(&problem, "two missing");
}
