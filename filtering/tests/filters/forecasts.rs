//! A forecast of many steps is made of one after another, and each is what its own step says.

use scotopic_filtering::gaussian::{Kalman, LinearGaussian};
use scotopic_filtering::hmm::{Autoregression, DiagonalGaussian, Filter as HmmFilter, Hmm};
use scotopic_filtering::nonlinear::models::Ar1Poisson;
use scotopic_filtering::plds::{CountLaw, Plds};
use scotopic_filtering::switching::Slds;
use scotopic_filtering::{AnyFilter, AnyModel, Filter, Forecast, ForecastSettings, Sequence};

const SEEN: [f64; 6] = [1.0, 0.0, 2.0, 1.0, 3.0, 2.0];

fn after(model: AnyModel, seen: &[f64]) -> AnyFilter {
    let mut filter = AnyFilter::new(model, "reversed").unwrap();
    for y in seen {
        filter.update(Some(&[*y])).unwrap();
    }
    filter
}

fn forecast(filter: &AnyFilter, ahead: usize) -> Forecast {
    let settings = ForecastSettings {
        ahead,
        quantiles: vec![],
        ..ForecastSettings::default()
    };
    filter.forecast(&settings).unwrap()
}

fn two_states() -> Hmm {
    let emission = DiagonalGaussian::new(vec![vec![0.0], vec![2.0]], vec![vec![1.0], vec![0.5]]);
    let transition = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    Hmm::new(vec![0.4, 0.6], transition, emission.unwrap().into()).unwrap()
}

fn walk() -> LinearGaussian {
    LinearGaussian::from_rows(&[[0.9]], &[[0.1]], &[[1.5]], &[[1.0]]).unwrap()
}

fn lagged() -> Hmm {
    let emission = Autoregression::new(
        vec![vec![0.2], vec![1.0]],
        vec![vec![vec![vec![0.5]]], vec![vec![vec![-0.4]]]],
        vec![vec![vec![1.0]], vec![vec![0.5]]],
    );
    let transition = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    Hmm::new(vec![0.4, 0.6], transition, emission.unwrap().into()).unwrap()
}

fn counts() -> Plds {
    let one = |x: f64| scotopic_filtering::nalgebra::DMatrix::from_element(1, 1, x);
    let offset = scotopic_filtering::nalgebra::DVector::from_element(1, 0.3);
    Plds::new(CountLaw::Poisson, one(0.9), one(0.1), one(0.7), offset).unwrap()
}

/// The operations are the same, and so are the numbers, bit for bit.
#[test]
fn each_step_is_that_of_its_own_question() {
    let models = || {
        let slds = Slds::new(
            vec![0.5, 0.5],
            vec![vec![0.9, 0.1], vec![0.2, 0.8]],
            vec![walk(), walk()],
        );
        vec![
            AnyModel::Hmm(two_states()),
            AnyModel::Hmm(lagged()),
            AnyModel::LinearGaussian(walk()),
            AnyModel::Plds(counts()),
            AnyModel::Slds(Box::new(slds.unwrap())),
            AnyModel::Nonlinear(Ar1Poisson::new(0.9, 0.5, 0.1, 0.0, 0.5).unwrap().into()),
        ]
    };
    for seen in [&SEEN[..0], &SEEN[..1], &SEEN] {
        for model in models() {
            let name = model.described();
            let filter = after(model, seen);
            // Before a first observation an autoregression has no lag.
            if filter.lacks_lags() {
                continue;
            }
            let all = forecast(&filter, 9).predictive;
            for (h, laws) in (1..).zip(&all) {
                assert_eq!(*laws, filter.predictive(h).unwrap(), "{name}, {h} ahead");
            }
        }
    }
}

#[test]
fn a_walk_ahead_is_that_of_powers_of_the_transition() {
    let mut exact = HmmFilter::new(two_states());
    let mut kalman = Kalman::new(walk()).unwrap();
    for y in SEEN {
        exact.update(Some(&[y])).unwrap();
        kalman.update(Some(&[y])).unwrap();
    }
    let states = forecast(&after(AnyModel::Hmm(two_states()), &SEEN), 20);
    let level = forecast(&after(AnyModel::LinearGaussian(walk()), &SEEN), 20);
    let mut weights = [0.0; 2];
    for h in 1..=20 {
        exact.predict(h, &mut weights).unwrap();
        // Means of 0 and 2.
        assert_eq!(states.mean[h - 1][0], 2.0 * weights[1]);
        let belief = kalman.predict_observation(h);
        assert!((level.mean[h - 1][0] - belief.mean()[0]).abs() < 1e-15);
        assert!((level.variance[h - 1][0] - belief.covariance()[(0, 0)]).abs() < 1e-14);
    }
}

/// So many that their square is more steps than any test has time for.
#[test]
fn many_steps_cost_as_many() {
    const AHEAD: usize = 200_000;
    for model in [
        AnyModel::Hmm(two_states()),
        AnyModel::Hmm(lagged()),
        AnyModel::LinearGaussian(walk()),
    ] {
        let all = forecast(&after(model, &SEEN), AHEAD);
        // Nothing is known any more of where it began.
        let (last, before) = (&all.variance[AHEAD - 1], &all.variance[AHEAD - 2]);
        assert!((last[0] - before[0]).abs() < 1e-12 * last[0]);
    }
}

#[test]
fn an_autoregression_gives_its_laws_one_after_another() {
    let AnyFilter::HmmLagged(filter) = after(AnyModel::Hmm(lagged()), &SEEN) else {
        panic!("an autoregression has lags");
    };
    for (h, laws) in (1..=12).zip(filter.predictives().unwrap()) {
        assert_eq!(laws.unwrap(), filter.predictive(h).unwrap());
    }
    let unseen = Sequence::new(1).unwrap();
    assert!(
        AnyModel::Hmm(lagged())
            .forecast(&unseen, &ForecastSettings::default())
            .is_err()
    );
}
