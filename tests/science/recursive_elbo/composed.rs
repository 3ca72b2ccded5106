//! The same recursion composed of tensor operations, one time step after the other: what the scan replaces.

use burn::tensor::Tensor;
use scotopic::ops::recursive_elbo;

use super::{Problem, everywhere, tolerance};
use crate::devices::Place;
use crate::numbers::{Ledger, read};
use crate::toy::numbers;

/// c `[batch, time]` and λ `[batch, time, K]`.
fn composed(l: Tensor<3>, initial: Tensor<2>, transition: Tensor<2>) -> (Tensor<2>, Tensor<3>) {
    let [batch, time, k] = l.dims();
    let (mut increments, mut log_beliefs) = (Vec::new(), Vec::new());
    let mut predicted = initial.expand([batch, k]);
    for t in 0..time {
        let w = predicted
            + l.clone()
                .slice([0..batch, t..t + 1, 0..k])
                .reshape([batch, k]);
        let c = log_sum_exp(w.clone(), 1);
        let log_belief = w - c.clone();
        let paths =
            log_belief.clone().reshape([batch, k, 1]) + transition.clone().reshape([1, k, k]);
        predicted = log_sum_exp(paths, 1).reshape([batch, k]);
        increments.push(c);
        log_beliefs.push(log_belief.reshape([batch, 1, k]));
    }
    (Tensor::cat(increments, 1), Tensor::cat(log_beliefs, 1))
}

fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let most = x.clone().detach().max_dim(dim);
    (x - most.clone()).exp().sum_dim(dim).log() + most
}

#[test]
fn values_and_gradients_are_those_of_the_composed_version() {
    let size @ [batch, time, k] = [3, 6, 5];
    let problem = Problem::drawn(21, size).rounded();
    let of_c = numbers(2101, batch * time, -1.0, 1.0);
    let of_log_q = numbers(2102, batch * time * k, -1.0, 1.0);
    let weigh = |place: &Place, c: Tensor<2>, log_q: Tensor<3>| {
        (c * place.tensor(&of_c, [batch, time])).sum()
            + (log_q * place.tensor(&of_log_q, [batch, time, k])).sum()
    };
    let exact = Place::reference();
    let (l, i, a) = problem.tensors(&exact);
    let (c, log_q) = composed(l, i, a);
    let values = [read(c), read(log_q)];
    let gradients = problem.gradients(&exact, |l, i, a| {
        let (c, log_q) = composed(l, i, a);
        weigh(&exact.autodiff(), c, log_q)
    });
    everywhere(|place| {
        let seen = problem.run(place);
        let ours = problem.gradients(place, |l, i, a| {
            let seen = recursive_elbo(l, i, a);
            weigh(&place.autodiff(), seen.increments, seen.log_belief)
        });
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &read(seen.increments), &values[0]);
        ledger.compare("log belief", "ln q", &read(seen.log_belief), &values[1]);
        for (name, (ours, expected)) in ["ℓ", "initial", "transition"]
            .iter()
            .zip(ours.iter().zip(&gradients))
        {
            ledger.compare(&format!("by {name}"), name, ours, expected);
        }
        ledger.settle(&place.title(), |_| tolerance(place));
        // The reference on the same device: it is what a user would have written there.
        let (l, i, a) = problem.tensors(place);
        let (c, _) = composed(l, i, a);
        let mut ledger = Ledger::default();
        ledger.compare("composed", "c", &read(c), &values[0]);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}
