//! Maximum likelihood of nonlinear models: more iterations never lower the bound, the optimum is one of ln p too.

use scotopic_filtering::Sequence;
use scotopic_filtering::nonlinear::models::{Ar1Poisson, StochasticVolatility};
use scotopic_filtering::nonlinear::{
    NonlinearConfig, NonlinearFilter, Simulate, StateSpace, exact_evidence, maximum_likelihood,
    simulate,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

fn data<M: Simulate>(model: &M, length: usize, seed: u64) -> Sequence {
    let (_, y) = simulate(model, length, &mut Xoshiro256PlusPlus::seed_from_u64(seed)).unwrap();
    y
}

fn elbo<M: StateSpace + Clone>(model: &M, y: &Sequence) -> f64 {
    let mut filter = NonlinearFilter::new(model.clone(), NonlinearConfig::default()).unwrap();
    y.iter().for_each(|row| {
        filter.update(row).unwrap();
    });
    filter.elbo()
}

/// From `guess` on data of `truth`.
fn more_iterations_never_lower<M: Simulate + Clone + PartialEq + std::fmt::Debug>(
    truth: &M,
    guess: &M,
    y: &Sequence,
) {
    let config = NonlinearConfig::default();
    let sequences = [y.clone()];
    // The filter settles every update to 1e-5 nats by default, the fit more tightly.
    let mut before = elbo(guess, y) - 1e-5 * y.len() as f64;
    for iterations in [0, 1, 2, 4, 8, 100] {
        let fit = maximum_likelihood(guess, &sequences, &config, iterations).unwrap();
        assert!(fit.elbo >= before, "{iterations}: {} < {before}", fit.elbo);
        assert!(fit.iterations <= iterations);
        // The filter with its default tolerance, 1e-5 nats an update.
        assert!((fit.elbo - elbo(&fit.model, y)).abs() < 1e-4 * y.len() as f64);
        before = fit.elbo;
        if iterations == 100 {
            assert!(fit.converged, "{fit:?}");
            assert!(fit.elbo >= elbo(truth, y) - 1e-3, "the truth is better");
            let exact = |model: &M| exact_evidence(model, y).unwrap();
            // The optimum of the bound lies near that of ln p, which the truth does not reach.
            assert!(exact(&fit.model) >= exact(truth), "{fit:?}");
        }
    }
}

#[test]
fn counts_of_an_autoregression() {
    let truth = Ar1Poisson::new(0.9, 1.0, 0.1, 0.0, 0.5).unwrap();
    let guess = Ar1Poisson::new(0.3, 0.0, 1.0, 0.0, 0.5).unwrap();
    more_iterations_never_lower(&truth, &guess, &data(&truth, 400, 1));
}

#[test]
fn stochastic_volatility_from_which_recursive_steps_drift_away() {
    let truth = StochasticVolatility::stationary(0.9, 0.3, 0.8).unwrap();
    let guess = StochasticVolatility::stationary(0.5, 0.5, 2.0).unwrap();
    more_iterations_never_lower(&truth, &guess, &data(&truth, 600, 2));
}
