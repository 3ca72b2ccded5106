//! Populations that are simulated are recovered, up to the basis of their latents.

use scotopic_filtering::Sequence;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFit, PldsLearn};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use super::{largest_angle, population};

/// A population, states that it went through and what was seen of them.
fn simulated(law: CountLaw, neurons: usize, length: usize) -> (Plds, Vec<Vec<f64>>, Sequence) {
    let truth = population(law, neurons, 0.15);
    let (states, y) = truth
        .sample(length, &mut Xoshiro256PlusPlus::seed_from_u64(11))
        .unwrap();
    (truth, states, y)
}

/// The eigenvalues of F do not depend on the basis: their sum and product.
fn invariants(model: &Plds) -> (f64, f64) {
    (model.transition().trace(), model.transition().determinant())
}

/// The standard error of the space of the loadings if the states were known: √(Σ_i tr V_i)/σ_min(C), with V_i the block of c_i
/// in the inverse Fisher information Σ_t r_ti z_t z_tᵀ of the regression of neuron i, z = (x, 1). It is the root mean square
/// of the sines of all angles together, which none exceeds.
fn standard_error(truth: &Plds, states: &[Vec<f64>]) -> f64 {
    let n = truth.states();
    let mut total = 0.0;
    for i in 0..truth.width() {
        let mut information = DMatrix::<f64>::zeros(n + 1, n + 1);
        for x in states {
            let z = DVector::from_iterator(n + 1, x.iter().copied().chain([1.0]));
            let eta = truth.loadings().row(i).transpose().dot(&z.rows(0, n)) + truth.offset()[i];
            let curvature = match truth.law() {
                CountLaw::Poisson => eta.exp(),
                CountLaw::Bernoulli => 0.25 / (0.5 * eta).cosh().powi(2),
            };
            information += &z * z.transpose() * curvature;
        }
        let inverse = information.try_inverse().unwrap();
        total += (0..n).map(|a| inverse[(a, a)]).sum::<f64>();
    }
    let least = truth.loadings().singular_values().min();
    total.sqrt() / least
}

/// So many standard errors of known states: three deviations of the length of 44 normal errors are 1.32 of its root mean
/// square, and inferred states are taken to keep at least half the information, a factor of √2.
const ANGLE: f64 = 1.9;

/// Four standard errors of trace and determinant of F from `length` known states of a stationary covariance I:
/// each entry has (1 − 0.98²)/T, two of them add up.
fn of_eigenvalues(length: f64) -> f64 {
    4.0 * (2.0 * (1.0 - 0.98_f64.powi(2)) / length).sqrt()
}

#[test]
fn em_recovers_the_latent_space_and_never_lowers_the_bound() {
    for (law, length) in [(CountLaw::Poisson, 1500), (CountLaw::Bernoulli, 2500)] {
        let (truth, states, y) = simulated(law, 24, length);
        let angle = ANGLE * standard_error(&truth, &states);
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
            "{law:?} sine of the angle {found}, at most {angle}, {} iterations",
            fitted.iterations
        );
        assert!(found < angle, "{found}");
        let ((a, b), (c, d)) = (invariants(&fitted.model), invariants(&truth));
        println!("{a} {c} {b} {d}");
        let near = of_eigenvalues(length as f64);
        assert!((a - c).abs() < near && (b - d).abs() < near);
        // At the optimum the data are at least as probable as under the truth.
        let at_truth = truth.smooth(&sequences[0]).unwrap().elbo();
        assert!(fitted.elbo.last().unwrap() > &at_truth, "{at_truth}");
    }
}

#[test]
fn learning_online_recovers_the_latent_space() {
    let (truth, states, y) = simulated(CountLaw::Poisson, 24, 6000);
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
    // What a running average of gain γ remembers: 2/γ observations, here 2(6000 + 1000)^0.8 = 2383.
    let gain = PldsLearn::default().gain;
    let kept = 2.0 * (6000.0 + gain.offset).powf(gain.exponent);
    let angle = ANGLE * standard_error(&truth, &states[6000 - kept as usize..]);
    println!(
        "at most {angle}, before {before} after {after} {:?} {:?}",
        invariants(learning.model()),
        invariants(&truth)
    );
    assert!(after < angle && after < before, "{before} {after}");
    let ((a, b), (c, d)) = (invariants(learning.model()), invariants(&truth));
    let near = of_eigenvalues(kept);
    assert!((a - c).abs() < near && (b - d).abs() < near);
}

#[test]
fn a_silent_neuron_is_taken_and_one_recorded_once() {
    let (_, _, y) = simulated(CountLaw::Poisson, 6, 200);
    let mut rows = Sequence::new(8).unwrap();
    for (t, row) in y.iter().flatten().enumerate() {
        let seldom = if t == 40 { 1.0 } else { f64::NAN };
        rows.push(Some(&[row, &[0.0, seldom]].concat())).unwrap();
    }
    let fit = PldsFit {
        max_iterations: 5,
        ..PldsFit::default()
    };
    let fitted = Plds::fit_latents(CountLaw::Poisson, 2, &[rows], &fit).unwrap();
    assert!(fitted.model.offset()[6] < -4.0);
    assert!(fitted.model.offset().iter().all(|d| d.is_finite()));
}
