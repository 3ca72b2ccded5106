//! How often filters that learn have updated their parameters.

use scotopic_filtering::Filter;
use scotopic_filtering::gaussian::{BlockOnlineEm, GaussianLearn, LinearGaussian, OnlineEm, Rmle};
use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
use scotopic_filtering::nonlinear::models::Ar1Poisson;
use scotopic_filtering::nonlinear::{LearningConfig, NonlinearConfig, NonlinearLearning};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What `filter` says after so many observations, and again from a snapshot.
fn updates<F: Filter + Serialize + DeserializeOwned>(mut filter: F, observations: u32) -> u64 {
    for t in 0..observations {
        let y = (3.0 * (0.7 * f64::from(t)).sin()).round().abs();
        filter.update(Some(&[y])).unwrap();
    }
    let saved = serde_json::to_string(&filter).unwrap();
    let again: F = serde_json::from_str(&saved).unwrap();
    let count = filter.parameter_updates().unwrap();
    assert_eq!(again.parameter_updates(), Some(count));
    count
}

#[test]
fn a_linear_gaussian_rule_counts_its_m_steps_and_steps() {
    let model = LinearGaussian::from_rows(&[[0.5]], &[[1.0]], &[[1.0]], &[[1.0]]).unwrap();
    let count = |rule: GaussianLearn, observations| {
        updates(model.clone().learn_online(&rule).unwrap(), observations)
    };
    // Blocks of 100; from the 250th observation on every tenth; from the 100th on every one.
    let block = GaussianLearn::BlockOnlineEm(BlockOnlineEm::default());
    assert_eq!([99, 100, 250].map(|n| count(block.clone(), n)), [0, 1, 2]);
    let online = GaussianLearn::OnlineEm(OnlineEm::default());
    assert_eq!([249, 250, 270].map(|n| count(online.clone(), n)), [0, 1, 3]);
    let rmle = GaussianLearn::Rmle(Rmle::default());
    assert_eq!([99, 100, 150].map(|n| count(rmle.clone(), n)), [0, 1, 51]);
}

#[test]
fn nonlinear_and_generalised_rules_count_their_steps() {
    let counts = Ar1Poisson::new(0.5, 0.0, 0.1, 0.0, 1.0).unwrap();
    let learn = LearningConfig {
        burn_in: 3,
        ..LearningConfig::default()
    };
    let filter = NonlinearLearning::new(counts, NonlinearConfig::default(), learn).unwrap();
    assert_eq!(updates(filter, 8), 5);
    let equations = Linear::ornstein_uhlenbeck(0.1);
    let theta = equations.defaults();
    let mut model = GenerativeModel::single(equations, &theta, 4.0, 4.0, 1.0, &[0.0]).unwrap();
    model.levels[0].parameters.covariance[(0, 0)] = 0.01;
    model.levels[0].output = NoisePrecision::unknown(1, 1.0, 1.0);
    let filter = Odem::new(model, OdemConfig::default(), None).unwrap();
    assert_eq!(updates(filter, 8), 8);
}
