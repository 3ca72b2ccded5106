//! Kernels and beliefs that are given.

use burn::tensor::{Tensor, activation::log_softmax};
use scotopic::ops::{RecursiveElbo, recursive_elbo, recursive_elbo_given};

use super::{Problem, everywhere, tolerance};
use crate::devices::Place;
use crate::numbers::{Ledger, read};
use crate::toy::numbers;

/// h² times a third derivative of order one, and 10⁻¹⁵ over h.
const STRIDE: f64 = 1e-5;
const FINITE_DIFFERENCE: f64 = 1e-8;

/// Logits of kernels `[rows, steps, K, K]` and beliefs `[batch, time, K]`.
struct Given {
    problem: Problem,
    shared: [usize; 2],
    kernels: Vec<f64>,
    belief: Vec<f64>,
}

impl Given {
    fn drawn(seed: u64, size: [usize; 3], shared: [usize; 2]) -> Self {
        let [batch, time, k] = size;
        Self {
            problem: Problem::drawn(seed, size).rounded(),
            shared,
            kernels: numbers(seed * 100 + 50, shared[0] * shared[1] * k * k, -1.0, 1.0),
            belief: numbers(seed * 100 + 51, batch * time * k, -1.0, 1.0),
        }
    }

    /// The five arguments of [`run`], as logits.
    fn tensors(&self, place: &Place) -> (Tensor<3>, Tensor<2>, Tensor<2>, Tensor<4>, Tensor<3>) {
        let (l, i, a) = self.problem.tensors(place);
        let Problem { batch, time, k, .. } = self.problem;
        let [rows, steps] = self.shared;
        let kernels = place.tensor(&self.kernels, [rows, steps, k, k]);
        (
            l,
            i,
            a,
            kernels,
            place.tensor(&self.belief, [batch, time, k]),
        )
    }
}

fn run((l, i, a, b, q): (Tensor<3>, Tensor<2>, Tensor<2>, Tensor<4>, Tensor<3>)) -> RecursiveElbo {
    recursive_elbo_given(l, i, a, log_softmax(b, 3), log_softmax(q, 2))
}

/// The recursion (eq. F3) with tensors, a time step after the other: L_t `[batch, time]` and W_t `[batch, time, K]`.
fn composed(
    (l, i, a, b, q): (Tensor<3>, Tensor<2>, Tensor<2>, Tensor<4>, Tensor<3>),
) -> (Tensor<2>, Tensor<3>) {
    let [batch, time, k] = l.dims();
    let log_b = log_softmax(b, 3).expand([batch, time, k, k]);
    let log_q = log_softmax(q, 2);
    let (mut bounds, mut values) = (Vec::new(), Vec::new());
    let mut w = Tensor::<2>::zeros([batch, k], (&l.device(), l.dtype()));
    for t in 0..time {
        let at = |x: &Tensor<3>| {
            x.clone()
                .slice([0..batch, t..t + 1, 0..k])
                .reshape([batch, k])
        };
        let before = if t == 0 {
            i.clone().expand([batch, k])
        } else {
            let log_b = log_b
                .clone()
                .slice([0..batch, t..t + 1, 0..k, 0..k])
                .reshape([batch, k, k]);
            let reward =
                w.reshape([batch, 1, k]) + a.clone().transpose().reshape([1, k, k]) - log_b.clone();
            (log_b.exp() * reward).sum_dim(2).reshape([batch, k])
        };
        w = at(&l) + before;
        let log_q = at(&log_q);
        bounds.push((log_q.clone().exp() * (w.clone() - log_q)).sum_dim(1));
        values.push(w.clone().reshape([batch, 1, k]));
    }
    (Tensor::cat(bounds, 1), Tensor::cat(values, 1))
}

#[test]
fn optimal_kernels_are_tight() {
    everywhere(|place| {
        for problem in [
            Problem::drawn(41, [2, 6, 4]),
            Problem::drawn(42, [1, 6, 4]).left_to_right(),
        ] {
            let (l, i, a) = problem.tensors(place);
            let best = recursive_elbo(l.clone(), i.clone(), a.clone());
            let kernels = best.kernels(a.clone()).log();
            let seen = recursive_elbo_given(l, i, a, kernels, best.log_belief.clone());
            let mut ledger = Ledger::default();
            ledger.compare(
                "increments",
                "c",
                &read(seen.increments.clone()),
                &read(best.increments.clone()),
            );
            ledger.compare(
                "e^λ",
                "λ",
                &read(seen.relative_value.clone().exp()),
                &read(best.belief()),
            );
            ledger.settle(&place.title(), |_| tolerance(place));
        }
    });
}

#[test]
fn any_kernels_bound_the_evidence() {
    for seed in 430..440 {
        let given = Given::drawn(seed, [2, 5, 3], [2, 5]);
        let place = Place::reference();
        let bound = read(run(given.tensors(&place)).bound());
        let evidence = read(given.problem.run(&place).bound());
        for (bound, evidence) in bound.iter().zip(&evidence) {
            assert!(bound < evidence, "{bound} above {evidence}");
        }
    }
}

#[test]
fn values_and_gradients_are_those_of_the_composed_version() {
    for (seed, shared) in [[3, 5], [1, 5], [3, 1], [1, 1]].into_iter().enumerate() {
        let given = Given::drawn(44 + seed as u64, [3, 5, 4], shared);
        let of_l = numbers(4401, 15, -1.0, 1.0);
        let of_w = numbers(4402, 60, -0.1, 0.1);
        let outcome = |place: &Place, plain: bool| {
            let place = place.autodiff();
            let (l, i, a, b, q) = given.tensors(&place);
            let (l, i, a) = (l.require_grad(), i.require_grad(), a.require_grad());
            let (b, q) = (b.require_grad(), q.require_grad());
            let arguments = (l.clone(), i.clone(), a.clone(), b.clone(), q.clone());
            let (bound, w) = if plain {
                composed(arguments)
            } else {
                let seen = run(arguments);
                (seen.bound(), seen.w())
            };
            let objective = (bound.clone() * place.tensor(&of_l, [3, 5])).sum()
                + (w.clone() * place.tensor(&of_w, [3, 5, 4])).sum();
            let g = objective.backward();
            vec![
                ("L", read(bound)),
                ("W", read(w)),
                ("by ℓ", read(l.grad(&g).expect("ℓ"))),
                ("by initial", read(i.grad(&g).expect("initial"))),
                ("by transition", read(a.grad(&g).expect("transition"))),
                ("by kernels", read(b.grad(&g).expect("kernels"))),
                ("by belief", read(q.grad(&g).expect("belief"))),
            ]
        };
        let expected = outcome(&Place::reference(), true);
        everywhere(|place| {
            let mut ledger = Ledger::default();
            for ((name, ours), (_, expected)) in outcome(place, false).iter().zip(&expected) {
                ledger.compare(name, "shared kernels", ours, expected);
            }
            ledger.settle(&format!("{} {shared:?}", place.title()), |_| {
                tolerance(place)
            });
        });
    }
}

#[test]
fn finite_differences() {
    let place = Place::reference();
    let given = Given::drawn(48, [2, 4, 3], [1, 4]);
    let weights = numbers(4801, 8, -1.0, 1.0);
    let more = numbers(4802, 24, -1.0, 1.0);
    let objective = |place: &Place, seen: RecursiveElbo| {
        (seen.increments.clone() * place.tensor(&weights, [2, 4])).sum()
            + (seen.relative_value * place.tensor(&more, [2, 4, 3])).sum()
    };
    let tracked = place.autodiff();
    let (l, i, a, b, q) = given.tensors(&tracked);
    let (b, q) = (b.require_grad(), q.require_grad());
    let g = objective(&tracked, run((l, i, a, b.clone(), q.clone()))).backward();
    let ours = [
        read(b.grad(&g).expect("kernels")),
        read(q.grad(&g).expect("belief")),
    ];
    let value = |kernels: &[f64], belief: &[f64]| {
        let moved = Given {
            problem: given.problem.clone(),
            kernels: kernels.to_vec(),
            belief: belief.to_vec(),
            ..given
        };
        read(objective(&place, run(moved.tensors(&place))))[0]
    };
    let mut ledger = Ledger::default();
    for (which, name) in ["kernels", "belief"].into_iter().enumerate() {
        let expected: Vec<f64> = (0..ours[which].len())
            .map(|entry| {
                let moved = |by: f64| {
                    let mut both = [given.kernels.clone(), given.belief.clone()];
                    both[which][entry] += by;
                    value(&both[0], &both[1])
                };
                (moved(STRIDE) - moved(-STRIDE)) / (2.0 * STRIDE)
            })
            .collect();
        ledger.compare(name, "logits", &ours[which], &expected);
    }
    ledger.settle("given kernels", |_| FINITE_DIFFERENCE);
}

#[test]
fn zeros_where_the_transition_has_them_give_numbers() {
    everywhere(|place| {
        let problem = Problem::drawn(49, [2, 6, 4]).left_to_right();
        let tracked = place.autodiff();
        let (l, i, a) = problem.tensors(&tracked);
        let best = problem.run(place);
        let (_, _, constant) = problem.tensors(place);
        let kernels: Vec<f64> = read(best.kernels(constant))
            .iter()
            .map(|b| b.ln())
            .collect();
        let kernels = tracked.tensor::<4>(&kernels, [2, 6, 4, 4]).require_grad();
        let belief = tracked
            .tensor::<3>(&read(best.log_belief), [2, 6, 4])
            .require_grad();
        let (l, a) = (l.require_grad(), a.require_grad());
        let seen = recursive_elbo_given(l.clone(), i, a.clone(), kernels.clone(), belief.clone());
        let bound = seen.evidence().sum();
        assert!(read(bound.clone())[0].is_finite());
        let g = bound.backward();
        let gradients = [
            read(l.grad(&g).expect("ℓ")),
            read(a.grad(&g).expect("transition")),
            read(kernels.grad(&g).expect("kernels")),
            read(belief.grad(&g).expect("belief")),
        ];
        assert!(
            gradients.iter().flatten().all(|g| g.is_finite()),
            "{}: {gradients:?}",
            place.title()
        );
    });
}

/// Weight on what cannot be makes the bound −∞ from there on, and nothing else.
#[test]
fn weight_on_the_impossible_has_no_bound() {
    everywhere(|place| {
        let problem = Problem::drawn(40, [1, 4, 3]).left_to_right();
        let (l, i, a) = problem.tensors(place);
        let kernels = log_softmax(place.tensor::<4>(&[0.0; 9], [1, 1, 3, 3]), 3);
        let belief = log_softmax(place.tensor::<3>(&[0.0; 12], [1, 4, 3]), 2);
        let seen = recursive_elbo_given(l, i, a, kernels, belief);
        assert_eq!(
            read(seen.bound()),
            [f64::NEG_INFINITY; 4],
            "{}",
            place.title()
        );
        assert!(read(seen.w()).iter().all(|w| *w == f64::NEG_INFINITY));
    });
}
