//! Populations that are simulated are recovered, up to the basis of their latents.

use scotopic_filtering::Sequence;
use scotopic_filtering::plds::{CountLaw, Plds, PldsFit, PldsLearn};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{largest_angle, population};

fn simulated(law: CountLaw, neurons: usize, length: usize) -> (Plds, Sequence) {
    let truth = population(law, neurons, 0.15);
    let (_, y) = truth
        .sample(length, &mut Xoshiro256PlusPlus::seed_from_u64(11))
        .unwrap();
    (truth, y)
}

/// The eigenvalues of F do not depend on the basis: their sum and product.
fn invariants(model: &Plds) -> (f64, f64) {
    (model.transition().trace(), model.transition().determinant())
}

/// Twice what regressions on the true latents would leave of 1500 and 2500 bins.
const POISSON_ANGLE: f64 = 0.1;
const BERNOULLI_ANGLE: f64 = 0.2;

#[test]
fn em_recovers_the_latent_space_and_never_lowers_the_bound() {
    for (law, length, angle) in [
        (CountLaw::Poisson, 1500, POISSON_ANGLE),
        (CountLaw::Bernoulli, 2500, BERNOULLI_ANGLE),
    ] {
        let (truth, y) = simulated(law, 24, length);
        let sequences = [y];
        let fit = PldsFit {
            max_iterations: 60,
            ..PldsFit::default()
        };
        let fitted = Plds::fit_latents(law, 2, &sequences, &fit).unwrap();
        for pair in fitted.elbo.windows(2) {
            // The smoother ends within 1e-9 nats a row of its optimum.
            assert!(pair[1] > pair[0] - 1e-5, "{} {}", pair[0], pair[1]);
        }
        let found = largest_angle(fitted.model.loadings(), truth.loadings());
        println!(
            "{law:?} sine of the angle {found}, {} iterations",
            fitted.iterations
        );
        assert!(found < angle, "{found}");
        let ((a, b), (c, d)) = (invariants(&fitted.model), invariants(&truth));
        println!("{a} {c} {b} {d}");
        assert!((a - c).abs() < 0.05 && (b - d).abs() < 0.05);
        // At the optimum the data are at least as probable as under the truth.
        let at_truth = truth.smooth(&sequences[0]).unwrap().elbo();
        assert!(fitted.elbo.last().unwrap() > &at_truth, "{at_truth}");
    }
}

#[test]
fn learning_online_recovers_the_latent_space() {
    let (truth, y) = simulated(CountLaw::Poisson, 24, 6000);
    let start = PldsFit {
        max_iterations: 0,
        ..PldsFit::default()
    };
    let start = Plds::fit_latents(CountLaw::Poisson, 2, &[y.part(0, 150)], &start).unwrap();
    let before = largest_angle(start.model.loadings(), truth.loadings());
    let mut learning = start.model.learn_online(PldsLearn::default()).unwrap();
    for row in y.iter() {
        learning.update(row).unwrap();
    }
    assert_eq!(learning.updates(), 60);
    let after = largest_angle(learning.model().loadings(), truth.loadings());
    println!(
        "before {before} after {after} {:?} {:?}",
        invariants(learning.model()),
        invariants(&truth)
    );
    assert!(
        after < POISSON_ANGLE && after < 0.5 * before,
        "{before} {after}"
    );
    let ((a, b), (c, d)) = (invariants(learning.model()), invariants(&truth));
    assert!((a - c).abs() < 0.05 && (b - d).abs() < 0.05);
}

#[test]
fn a_silent_neuron_and_one_never_recorded_are_taken() {
    let (_, y) = simulated(CountLaw::Poisson, 6, 200);
    let mut rows = Sequence::new(8).unwrap();
    for row in y.iter().flatten() {
        rows.push(Some(&[row, &[0.0, f64::NAN]].concat())).unwrap();
    }
    let fit = PldsFit {
        max_iterations: 5,
        ..PldsFit::default()
    };
    let fitted = Plds::fit_latents(CountLaw::Poisson, 2, &[rows], &fit).unwrap();
    assert!(fitted.model.offset()[6] < -4.0);
    assert!(fitted.model.offset().iter().all(|d| d.is_finite()));
}
