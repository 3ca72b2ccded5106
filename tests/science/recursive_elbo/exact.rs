//! What must come out, from the definitions.

use burn::tensor::Tensor;
use scotopic::ops::recursive_elbo;

use super::{Problem, everywhere, log_sum_exp, plainly, tolerance};
use crate::devices::Place;
use crate::numbers::{Ledger, read};

#[test]
fn one_state_has_the_likelihood_as_evidence() {
    everywhere(|place| {
        let problem = Problem::drawn(1, [2, 5, 1]).rounded();
        let [c, q] = problem.values(place);
        assert!(q.iter().all(|q| (q - 1.0).abs() < tolerance(place)));
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &c, &problem.likelihood);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}

#[test]
fn one_step_is_the_rule_of_bayes() {
    everywhere(|place| {
        let problem = Problem::drawn(2, [3, 1, 4]).rounded();
        let [c, q] = problem.values(place);
        let rows = problem.likelihood.chunks(4);
        let joint: Vec<Vec<f64>> = rows
            .map(|l| l.iter().zip(&problem.initial).map(|(l, i)| l + i).collect())
            .collect();
        let evidence: Vec<f64> = joint.iter().map(|w| log_sum_exp(w)).collect();
        let posterior = joint.iter().zip(&evidence);
        let posterior: Vec<f64> = posterior
            .flat_map(|(w, c)| w.iter().map(move |w| (w - c).exp()))
            .collect();
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &c, &evidence);
        ledger.compare("belief", "q", &q, &posterior);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}

#[test]
fn the_recursion_as_it_is_written() {
    // Sizes on both sides of a vector, and above a work group's threads.
    for (seed, size) in [[2, 9, 2], [3, 30, 5], [2, 12, 8], [1, 10, 17], [1, 3, 300]]
        .into_iter()
        .enumerate()
    {
        let problem = Problem::drawn(seed as u64 + 3, size).rounded();
        let rows: Vec<_> = (0..problem.batch)
            .map(|row| plainly(&problem, row))
            .collect();
        let c: Vec<f64> = rows.iter().flat_map(|(c, _)| c.clone()).collect();
        let log_q: Vec<f64> = rows.into_iter().flat_map(|(_, q)| q).collect();
        everywhere(|place| {
            let seen = problem.run(place);
            let mut ledger = Ledger::default();
            ledger.compare("increments", "c", &read(seen.increments), &c);
            ledger.compare("log belief", "ln q", &read(seen.log_belief), &log_q);
            ledger.settle(&format!("{} {size:?}", place.title()), |_| tolerance(place));
        });
    }
}

/// The evidence and its gradients by going through all paths.
#[test]
fn gradients_of_the_evidence_are_expectations_over_paths() {
    let (k, time) = (3usize, 5usize);
    let problem = Problem::drawn(9, [1, time, k]);
    let mut log_joint = Vec::new();
    let paths: Vec<Vec<usize>> = (0..k.pow(time as u32))
        .map(|mut n| {
            (0..time)
                .map(|_| {
                    let s = n % k;
                    n /= k;
                    s
                })
                .collect()
        })
        .collect();
    for path in &paths {
        let moves = path.windows(2).map(|m| problem.transition[m[0] * k + m[1]]);
        let seen = path
            .iter()
            .enumerate()
            .map(|(t, s)| problem.likelihood[t * k + s]);
        log_joint.push(problem.initial[path[0]] + moves.sum::<f64>() + seen.sum::<f64>());
    }
    let evidence = log_sum_exp(&log_joint);
    let (mut states, mut moves) = (vec![0.0; time * k], vec![0.0; k * k]);
    for (path, log) in paths.iter().zip(&log_joint) {
        let p = (log - evidence).exp();
        path.iter()
            .enumerate()
            .for_each(|(t, s)| states[t * k + s] += p);
        path.windows(2).for_each(|m| moves[m[0] * k + m[1]] += p);
    }
    let place = Place::reference();
    let total = read(problem.run(&place).evidence());
    let [l, i, a] = problem.gradients(&place, |l, i, a| recursive_elbo(l, i, a).evidence().sum());
    let mut ledger = Ledger::default();
    ledger.compare("evidence", "L", &total, &[evidence]);
    ledger.compare("marginals", "by ℓ", &l, &states);
    ledger.compare("first state", "by initial", &i, &states[..k]);
    ledger.compare("transitions", "by transition", &a, &moves);
    ledger.settle("all paths", |_| super::DOUBLE);
}

#[test]
fn rows_of_a_batch_do_not_see_each_other() {
    everywhere(|place| {
        let problem = Problem::drawn(10, [3, 6, 4]);
        let (l, i, a) = problem.tensors(place);
        let together = read(recursive_elbo(l.clone(), i.clone(), a.clone()).log_belief);
        for row in 0..3 {
            let alone = l.clone().slice([row..row + 1, 0..6, 0..4]);
            let alone = read(recursive_elbo(alone, i.clone(), a.clone()).log_belief);
            assert_eq!(
                alone,
                together[row * 24..][..24],
                "{}: row {row}",
                place.title()
            );
        }
    });
}

/// GPUs have fewer than 2¹⁶ work groups along one axis.
#[test]
fn a_batch_may_be_large() {
    everywhere(|place| {
        let problem = Problem::drawn(17, [70_000, 1, 1]);
        let [c, _] = problem.values(place);
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &c, &problem.likelihood);
        let gradients =
            problem.gradients(place, |l, i, a| recursive_elbo(l, i, a).evidence().sum());
        ledger.compare("gradients", "by ℓ", &gradients[0], &vec![1.0; 70_000]);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}

#[test]
fn a_row_may_start_differently() {
    everywhere(|place| {
        let problem = Problem::drawn(11, [2, 4, 3]);
        let other = Problem::drawn(12, [2, 4, 3]);
        let (l, i, a) = problem.tensors(place);
        let both = Tensor::cat(vec![i.clone(), place.tensor(&other.initial, [1, 3])], 0);
        let mixed = read(recursive_elbo(l.clone(), both, a.clone()).increments);
        let first = read(recursive_elbo(l, i, a).increments);
        let second = Problem {
            initial: other.initial,
            ..problem
        }
        .values(place);
        assert_eq!(
            mixed,
            [&first[..4], &second[0][4..]].concat(),
            "{}",
            place.title()
        );
    });
}

#[test]
fn a_sequence_in_two_parts_is_the_sequence() {
    everywhere(|place| {
        let problem = Problem::drawn(13, [2, 7, 4]).rounded();
        let (l, i, a) = problem.tensors(place);
        let whole = read(recursive_elbo(l.clone(), i.clone(), a.clone()).increments);
        let first = recursive_elbo(l.clone().slice([0..2, 0..3, 0..4]), i, a.clone());
        let carried = first.carried(a.clone());
        let second = recursive_elbo(l.slice([0..2, 3..7, 0..4]), carried, a);
        let parts = read(Tensor::cat(vec![first.increments, second.increments], 1));
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &parts, &whole);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}

#[test]
fn w_v_and_kernels_are_what_they_are_called() {
    everywhere(|place| {
        let problem = Problem::drawn(14, [2, 5, 3]).rounded();
        let (_, _, a) = problem.tensors(place);
        let seen = problem.run(place);
        let (mut w, mut v, mut kernels) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..2 {
            let (c, log_q) = plainly(&problem, row);
            let mut bound = 0.0;
            for t in 0..5 {
                bound += c[t];
                w.extend((0..3).map(|s| log_q[t * 3 + s] + bound));
                v.extend([bound; 3]);
                for s in 0..3 {
                    let paths = (0..3).map(|from| match t {
                        0 => f64::NEG_INFINITY,
                        t => log_q[(t - 1) * 3 + from] + problem.transition[from * 3 + s],
                    });
                    let paths: Vec<f64> = paths.collect();
                    let total = log_sum_exp(&paths);
                    kernels.extend(
                        paths
                            .iter()
                            .map(|p| if t == 0 { 0.0 } else { (p - total).exp() }),
                    );
                }
            }
        }
        let mut ledger = Ledger::default();
        ledger.compare("W", "w", &read(seen.w()), &w);
        ledger.compare("V", "v", &read(seen.v()), &v);
        ledger.compare("kernels", "b", &read(seen.kernels(a)), &kernels);
        ledger.settle(&place.title(), |_| tolerance(place));
    });
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let problem = Problem::drawn(15, [70, 11, 5]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        let gradients = || {
            let place = Place::processor();
            problem.gradients(&place, |l, i, a| recursive_elbo(l, i, a).evidence().sum())
        };
        pool.install(gradients)
    };
    assert_eq!(run(1), run(3));
}

#[test]
#[should_panic(expected = "log_transition")]
fn a_transition_of_the_wrong_size_is_refused() {
    let (l, i, _) = Problem::drawn(16, [1, 2, 3]).tensors(&Place::processor());
    let (_, _, a) = Problem::drawn(16, [1, 2, 4]).tensors(&Place::processor());
    let _ = recursive_elbo(l, i, a);
}
