//! Structural zeros, outliers, the all but impossible and the impossible.

use scotopic::ops::recursive_elbo;

use super::{Problem, everywhere, plainly, tolerance};
use crate::devices::Place;
use crate::numbers::{Ledger, deviation, read};

/// f32 keeps 6·10⁻⁸ of an increment of −10⁴ and what is left of it in the belief.
const OUTLIER: f64 = 1e-5;

fn expected(problem: &Problem) -> (Vec<f64>, Vec<f64>) {
    let rows: Vec<_> = (0..problem.batch)
        .map(|row| plainly(problem, row))
        .collect();
    let c = rows.iter().flat_map(|(c, _)| c.clone()).collect();
    let q = rows
        .iter()
        .flat_map(|(_, q)| q.iter().map(|q| q.exp()))
        .collect();
    (c, q)
}

fn check(problem: &Problem, title: &str, allowed: impl Fn(&Place) -> f64) {
    let (c, q) = expected(problem);
    let sums = |place: &Place| {
        problem.gradients(place, |l, i, a| recursive_elbo(l, i, a).evidence().sum())
    };
    let exact = sums(&Place::reference());
    everywhere(|place| {
        let [ours_c, ours_q] = problem.values(place);
        let mut ledger = Ledger::default();
        ledger.compare("increments", "c", &ours_c, &c);
        ledger.compare("belief", "q", &ours_q, &q);
        for (ours, exact) in sums(place).iter().zip(&exact) {
            ledger.compare("gradients", title, ours, exact);
        }
        ledger.settle(&format!("{title}, {}", place.title()), |_| allowed(place));
    });
}

#[test]
fn structural_zeros() {
    let problem = Problem::drawn(31, [2, 12, 5]).left_to_right().rounded();
    check(&problem, "left to right", tolerance);
    let place = Place::reference();
    let [_, _, a] = problem.gradients(&place, |l, i, a| {
        let seen = recursive_elbo(l, i, a.clone());
        seen.evidence().sum()
            + seen.belief().sum()
            + (seen.kernels(a.clone()) * 2.0).sum()
            + seen.carried(a).exp().sum()
    });
    for (gradient, log) in a.iter().zip(&problem.transition) {
        assert!(gradient.is_finite());
        assert!(
            *log > f64::NEG_INFINITY || *gradient == 0.0,
            "a zero has a gradient"
        );
    }
}

#[test]
fn gradients_of_everything_are_numbers_where_there_are_zeros() {
    everywhere(|place| {
        let problem = Problem::drawn(32, [2, 6, 4]).left_to_right();
        let gradients = problem.gradients(place, |l, i, a| {
            let seen = recursive_elbo(l, i, a.clone());
            let kernels = seen.kernels(a.clone());
            seen.evidence().sum()
                + seen.belief().powi_scalar(2).sum()
                + kernels.powi_scalar(2).sum()
                + seen.carried(a).exp().sum()
                + seen.w().exp().sum()
                + seen.v().exp().sum()
        });
        for gradient in gradients {
            assert!(
                gradient.iter().all(|g| g.is_finite()),
                "{}: {gradient:?}",
                place.title()
            );
        }
    });
}

#[test]
fn outliers() {
    let mut problem = Problem::drawn(33, [1, 8, 4]);
    problem.likelihood[8..12].iter_mut().for_each(|l| *l -= 1e4);
    problem.likelihood[21] -= 2e4;
    check(&problem.rounded(), "outliers", |place| {
        match place.precision {
            burn::tensor::DType::F64 => super::DOUBLE,
            _ => OUTLIER,
        }
    });
}

/// A state that only an all but impossible path leads to is found when the data insist on it: neither e^−200 nor
/// e^−2000 is a number in f32, nor the latter in f64.
#[test]
fn the_only_way_left_is_found() {
    for lost in [200.0, 2000.0] {
        let mut problem = Problem::drawn(34, [1, 5, 3]).left_to_right();
        // States 1 and 2 are nowhere near at t = 0…2; at t = 3 only state 2 could have made what is seen.
        for t in 0..3 {
            problem.likelihood[t * 3 + 1] = -lost;
            problem.likelihood[t * 3 + 2] = -lost;
        }
        for s in 0..2 {
            problem.likelihood[9 + s] = -100.0 * lost;
        }
        check(
            &problem.rounded(),
            "the only way left",
            |place| match place.precision {
                burn::tensor::DType::F64 => super::DOUBLE,
                _ => OUTLIER,
            },
        );
    }
}

#[test]
fn the_impossible_has_no_evidence_and_changes_no_belief() {
    let mut problem = Problem::drawn(35, [2, 6, 3]).rounded();
    let mut unseen = problem.clone();
    problem.likelihood[6..9].fill(f64::NEG_INFINITY);
    unseen.likelihood[6..9].fill(0.0);
    everywhere(|place| {
        let ([c, q], [c_unseen, q_unseen]) = (problem.values(place), unseen.values(place));
        assert_eq!(c[2], f64::NEG_INFINITY, "{}", place.title());
        let others = |c: &[f64]| [&c[..2], &c[3..]].concat();
        assert!(deviation(&others(&c), &others(&c_unseen)) < tolerance(place));
        assert!(deviation(&q, &q_unseen) < tolerance(place));
        let gradients =
            problem.gradients(place, |l, i, a| recursive_elbo(l, i, a).evidence().sum());
        let finite = gradients.iter().flatten().all(|g| g.is_finite());
        assert!(finite, "{}: {gradients:?}", place.title());
    });
}

#[test]
fn what_is_not_a_number_stays_so_from_there_on() {
    let mut problem = Problem::drawn(36, [2, 6, 3]);
    problem.likelihood[3 * 3 + 1] = f64::NAN;
    everywhere(|place| {
        let [c, q] = problem.values(place);
        let title = place.title();
        assert!(
            c[..3].iter().chain(&c[6..]).all(|c| c.is_finite()),
            "{title}: {c:?}"
        );
        assert!(
            q[..9].iter().chain(&q[18..]).all(|q| q.is_finite()),
            "{title}: {q:?}"
        );
        assert!(
            c[3..6].iter().chain(&q[9..18]).all(|x| x.is_nan()),
            "{title}: {c:?} {q:?}"
        );
    });
}

#[test]
fn nothing_missing_is_nothing_seen() {
    everywhere(|place| {
        let mut problem = Problem::drawn(37, [1, 4, 3]);
        problem.likelihood.fill(0.0);
        let seen = problem.run(place);
        assert!(
            read(seen.increments)
                .iter()
                .all(|c| c.abs() < tolerance(place))
        );
    });
}
