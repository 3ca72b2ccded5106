//! The nonlinear filter and its learning ask for no memory once they run.

use crate::requests;
use scotopic_filtering::nonlinear::models::{Ar1Poisson, DiagonalLinear};
use scotopic_filtering::nonlinear::{
    ElboKind, IndependentCoordinates, LearningConfig, NonlinearConfig, NonlinearLearning,
    Representation, StateSpace,
};

/// How often memory was asked for in fifty updates after the first three, one of them without an observation.
fn asked<M: StateSpace + Clone>(model: M, settings: NonlinearConfig, y: &[f64]) -> u64 {
    let mut learning = NonlinearLearning::new(model, settings, LearningConfig::default()).unwrap();
    for _ in 0..3 {
        learning.update(Some(y)).unwrap();
    }
    let before = requests();
    for t in 0..50 {
        learning.update((t != 20).then_some(y)).unwrap();
    }
    requests() - before
}

#[test]
fn updates_ask_for_nothing() {
    let before = requests();
    drop(Vec::<u8>::with_capacity(1));
    assert_eq!(requests(), before + 1, "the count counts");
    let poisson = Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    let diagonal = |n: usize| {
        DiagonalLinear::new(vec![0.8; n], vec![0.9; n], vec![0.1; n], vec![0.2; n]).unwrap()
    };
    for elbo in [ElboKind::Reversed, ElboKind::Jelbo, ElboKind::Vjf] {
        for representation in [Representation::Quadratic, Representation::table()] {
            let settings = NonlinearConfig {
                elbo,
                representation,
                ..NonlinearConfig::default()
            };
            assert_eq!(asked(poisson.clone(), settings, &[3.0]), 0);
        }
        let settings = NonlinearConfig {
            elbo,
            ..NonlinearConfig::default()
        };
        assert_eq!(asked(diagonal(4), settings, &[0.1, -0.2, 0.3, 0.0]), 0);
    }
    let parts = diagonal(2).coordinates().into_iter();
    let parts = parts.map(|m| {
        NonlinearLearning::new(m, NonlinearConfig::default(), LearningConfig::default()).unwrap()
    });
    let mut product = IndependentCoordinates::new(parts.collect()).unwrap();
    product.update(Some(&[0.1, 0.2])).unwrap();
    let before = requests();
    product.update(Some(&[0.1, 0.2])).unwrap();
    assert_eq!(requests(), before);
}
