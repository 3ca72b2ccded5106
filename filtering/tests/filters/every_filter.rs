//! What the trait promises, held by every filter: the same checks over all of them.

use scotopic_filtering::gaussian::{GaussianFactorisation, GaussianLearn, Kalman, LinearGaussian};
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::dem::{Dem, DemConfig};
use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
use scotopic_filtering::generalised::predictive_coding::{PredictiveCoding, Pullback};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{CovarianceMode, KalmanBucy, WhiteNoiseSystem};
use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, FullGaussian, Hmm, Poisson,
};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::nonlinear::models::{Ar1Poisson, DiagonalLinear, SinQuadratic};
use scotopic_filtering::nonlinear::{
    LearningConfig, NonlinearConfig, NonlinearFilter, NonlinearLearning, Representation,
};
use scotopic_filtering::plds::{CountLaw, Plds};
use scotopic_filtering::switching::{Slds, SldsFilter};
use scotopic_filtering::{
    AnyFilter, AnyLearning, AnyModel, Belief, Error, Filter, GaussianBelief, Moments,
    PredictedObservation, Result,
};
use serde::{Serialize, de::DeserializeOwned};

const COUNTS: [f64; 8] = [3.0, 1.0, 0.0, 7.0, 9.0, 2.0, 4.0, 5.0];

/// What a missing observation does to the evidence.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    /// Nothing.
    Nothing,
    /// A bound that is not exact may fall.
    Falls,
    /// There is no evidence.
    Undefined,
}

/// All numbers of a belief, bit by bit.
fn bits(filter: &impl Filter) -> (u64, u64, Vec<u64>) {
    let numbers = match filter.belief() {
        Belief::Discrete(q) => q.to_vec(),
        Belief::Gaussian(GaussianBelief {
            mean,
            covariance,
            cause_mean,
            cause_covariance,
            regimes,
        }) => [mean, covariance, cause_mean, cause_covariance, regimes].concat(),
    };
    let numbers = numbers.into_iter().map(f64::to_bits).collect();
    (filter.observations(), filter.elbo().to_bits(), numbers)
}

fn promises<F>(name: &str, mut filter: F, rows: &[f64], missing: Missing)
where
    F: Filter + Clone + Serialize + DeserializeOwned,
{
    assert_eq!(filter.width(), 1, "{name}");
    let mut restored: Option<F> = None;
    for (t, y) in rows.iter().enumerate() {
        let before = bits(&filter);
        for wrong in [&[f64::NEG_INFINITY][..], &[f64::INFINITY], &[1.0, 2.0], &[]] {
            assert!(filter.update(Some(wrong)).is_err(), "{name} {wrong:?}");
            assert_eq!(bits(&filter), before, "{name} after {wrong:?}");
        }
        // NaN is a missing entry, here the only one: a missing observation where parts of rows are taken, else wrong.
        let (mut with, mut without) = (filter.clone(), filter.clone());
        match with.update(Some(&[f64::NAN])) {
            Ok(_) => without.update(None).map(|_| ()).unwrap(),
            Err(error) => assert!(error.to_string().contains("NaN"), "{name}: {error}"),
        }
        assert_eq!(bits(&with), bits(&without), "{name}");
        let elbo = filter.elbo();
        let seen = t % 4 != 2;
        let step = filter
            .update(seen.then_some(std::slice::from_ref(y)))
            .unwrap();
        assert_eq!(filter.observations(), t as u64 + 1, "{name}");
        match (seen, missing) {
            (_, Missing::Undefined) => assert!(step.elbo.is_nan() && filter.elbo().is_nan()),
            (true, _) => assert_eq!(step.elbo.to_bits(), filter.elbo().to_bits(), "{name}"),
            (false, Missing::Nothing) => {
                assert_eq!((step.increment, filter.elbo()), (0.0, elbo), "{name}");
            }
            (false, Missing::Falls) => assert!(step.increment < 1e-12, "{name}"),
        }
        if let Some(other) = &mut restored {
            other
                .update(seen.then_some(std::slice::from_ref(y)))
                .unwrap();
            assert_eq!(bits(other), bits(&filter), "{name} from a snapshot");
        } else if t >= 3 {
            let written = filter.snapshot(serde_json::value::Serializer).unwrap();
            let read = F::restore(written).unwrap();
            assert_eq!(bits(&read), bits(&filter), "{name} read back");
            restored = Some(read);
        }
    }
}

fn chain(emission: impl Into<AnyEmission>) -> Hmm {
    let transition = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    Hmm::new(vec![0.6, 0.4], transition, emission.into()).unwrap()
}

fn counts() -> Hmm {
    chain(Poisson::new(vec![vec![1.5], vec![6.0]]).unwrap())
}

fn walk() -> LinearGaussian {
    LinearGaussian::from_rows(&[[0.9]], &[[0.3]], &[[1.5]], &[[0.7]]).unwrap()
}

fn leak() -> GenerativeModel<Linear> {
    let equations = Linear::ornstein_uhlenbeck(0.2);
    let theta = equations.defaults();
    let mut model = GenerativeModel::single(equations, &theta, 2.0, 3.0, 1.0, &[0.5]).unwrap();
    model.levels[0].output = NoisePrecision::unknown(1, 2.0, 0.5);
    model
}

fn white() -> CausalConfig {
    CausalConfig::from(Embedding {
        states: 1,
        causes: 0,
        smoothness: 0.0,
    })
}

fn pendulum() -> KalmanBucy {
    let scalar = |value| DMatrix::from_element(1, 1, value);
    let system = WhiteNoiseSystem {
        motion: scalar(-0.5),
        output: scalar(1.0),
        motion_noise: scalar(0.4),
        output_noise: scalar(0.1),
    };
    KalmanBucy::new(system, 0.05, CovarianceMode::Riccati).unwrap()
}

#[test]
fn every_filter_keeps_the_promises_of_the_trait() -> Result<()> {
    use Missing::{Falls, Nothing, Undefined};
    let y = &COUNTS;
    promises(
        "hmm",
        scotopic_filtering::hmm::Filter::new(counts()),
        y,
        Nothing,
    );
    for name in ["reversed", "decoupled-lag1", "frozen", "tied"] {
        let online = counts().online(&scotopic_filtering::hmm_factorisation(name)?)?;
        let loose = if name == "reversed" { Nothing } else { Falls };
        promises(name, online, y, loose);
    }
    promises("kalman", Kalman::new(walk())?, y, Nothing);
    for q in [
        GaussianFactorisation::Diagonal,
        GaussianFactorisation::Decoupled,
        GaussianFactorisation::FrozenMeanField,
    ] {
        promises("restricted", walk().online(q)?, y, Falls);
    }
    let learning = walk().learn_online(&GaussianLearn::default())?;
    promises("gaussian learning", learning, y, Nothing);
    let poisson = Ar1Poisson::new(0.9, 0.5, 0.2, 0.0, 1.0)?;
    for representation in [Representation::Quadratic, Representation::table()] {
        let config = NonlinearConfig {
            representation,
            ..NonlinearConfig::default()
        };
        let filter = NonlinearFilter::new(poisson.clone(), config.clone())?;
        promises("nonlinear", filter, y, Nothing);
        let learning = NonlinearLearning::new(poisson.clone(), config, LearningConfig::default())?;
        promises("nonlinear learning", learning, y, Nothing);
    }
    promises(
        "causal",
        CausalGeneralisedFilter::new(leak(), white(), None)?,
        y,
        Nothing,
    );
    promises(
        "odem",
        Odem::new(leak(), OdemConfig::default(), None)?,
        y,
        Nothing,
    );
    promises("dem", Dem::new(leak(), DemConfig::default())?, y, Undefined);
    promises("kalman-bucy", pendulum(), y, Undefined);
    let pull = GenerativeModel::single(Pullback { states: 1 }, &[], 1.0, 1.0, 1.0, &[0.0])?;
    promises(
        "network",
        PredictiveCoding::new(pull, Default::default())?,
        y,
        Undefined,
    );
    Ok(())
}

/// A neuron that follows one latent.
fn one_neuron() -> Result<Plds> {
    Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], &[[0.8]], &[0.5])
}

#[test]
fn a_filter_of_regimes_keeps_the_promises() -> Result<()> {
    let level = |q: f64| LinearGaussian::from_rows(&[[0.9]], &[[q]], &[[1.5]], &[[0.7]]);
    let rows = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    let model = Slds::new(vec![0.5, 0.5], rows, vec![level(0.1)?, level(3.0)?])?;
    promises(
        "slds",
        SldsFilter::new(model.clone())?,
        &COUNTS,
        Missing::Nothing,
    );
    let any = AnyFilter::new(AnyModel::Slds(Box::new(model.clone())), "reversed")?;
    assert_eq!(any.model(), AnyModel::Slds(Box::new(model)));
    promises("any slds", any, &COUNTS, Missing::Nothing);
    Ok(())
}

#[test]
fn any_filter_is_the_filter_that_it_holds() -> Result<()> {
    let poisson = AnyModel::Nonlinear(Ar1Poisson::new(0.9, 0.5, 0.2, 0.0, 1.0)?.into());
    for model in [
        AnyModel::Hmm(counts()),
        AnyModel::LinearGaussian(walk()),
        AnyModel::Plds(one_neuron()?),
        poisson,
    ] {
        for rule in AnyLearning::rules(&model).split(", ") {
            let how = AnyLearning::named(&model, Some(rule))?;
            let filter = AnyFilter::learning(model.clone(), &how, "reversed")?;
            promises(rule, filter, &COUNTS, Missing::Nothing);
        }
        let filter = AnyFilter::new(model.clone(), "reversed")?;
        assert_eq!(filter.model(), model);
        promises(model.kind(), filter, &COUNTS, Missing::Nothing);
        assert!(AnyFilter::new(model.clone(), "no such").is_err());
        assert!(AnyLearning::named(&model, Some("no such")).is_err());
    }
    Ok(())
}

/// The mean and variance of the next observation by the density that updates with each of `at` give it, which are
/// `step` apart.
fn by_updates<F: Filter + Clone>(filter: &F, at: impl Iterator<Item = f64>, step: f64) -> [f64; 3] {
    let (mut mass, mut mean, mut square) = (0.0, 0.0, 0.0);
    for y in at {
        let p = filter.clone().update(Some(&[y])).unwrap().increment.exp() * step;
        mass += p;
        mean += p * y;
        square += p * y * y;
    }
    [mass, mean, square - mean * mean]
}

/// The forecast before any observation, after some, and after a missing one, against that density.
fn forecasts<F: Filter + Clone>(name: &str, mut filter: F, continuous: bool, tolerance: f64) {
    for t in 0..5 {
        let predicted = filter.predicted_observation().unwrap();
        let Moments { mean, variance } = predicted.moments();
        let (mean, variance) = (mean[0], variance[0]);
        let [mass, m, v] = match (continuous, predicted) {
            (false, PredictedObservation::Symbol(p)) => {
                by_updates(&filter, (0..p.len()).map(|k| k as f64), 1.0)
            }
            (false, _) => by_updates(&filter, (0..400).map(f64::from), 1.0),
            (true, _) => {
                let step = 0.02 * variance.sqrt();
                let at = (-500..=500).map(|k| mean + f64::from(k) * step);
                by_updates(&filter, at, step)
            }
        };
        assert!((mass - 1.0).abs() < tolerance, "{name} {t}: mass {mass}");
        let scale = variance.sqrt();
        assert!(
            (mean - m).abs() < tolerance * scale,
            "{name} {t}: {mean} {m}"
        );
        assert!(
            (variance - v).abs() < tolerance * variance,
            "{name} {t}: {variance} {v}"
        );
        let row = [[2.0, 1.0, 0.0, 2.0, 1.0][t]];
        filter.update((t != 2).then_some(&row[..])).unwrap();
    }
}

#[test]
fn forecasts_are_the_moments_of_the_predictive_density() -> Result<()> {
    let exact = 1e-9;
    forecasts(
        "poisson",
        scotopic_filtering::hmm::Filter::new(counts()),
        false,
        exact,
    );
    let dice = Categorical::new(vec![vec![0.5, 0.3, 0.2], vec![0.1, 0.1, 0.8]])?;
    forecasts(
        "categorical",
        scotopic_filtering::hmm::Filter::new(chain(dice)),
        false,
        exact,
    );
    let normal = DiagonalGaussian::new(vec![vec![-1.0], vec![2.0]], vec![vec![0.5], vec![1.5]])?;
    forecasts(
        "diagonal",
        scotopic_filtering::hmm::Filter::new(chain(normal)),
        true,
        exact,
    );
    let full = FullGaussian::new(
        vec![vec![-1.0], vec![2.0]],
        vec![vec![vec![0.5]], vec![vec![1.5]]],
    )?;
    forecasts(
        "full",
        scotopic_filtering::hmm::Filter::new(chain(full)),
        true,
        exact,
    );
    forecasts("kalman", Kalman::new(walk())?, true, exact);
    forecasts(
        "gaussian learning",
        walk().learn_online(&GaussianLearn::default())?,
        true,
        exact,
    );
    forecasts(
        "causal",
        CausalGeneralisedFilter::new(leak(), white(), None)?,
        true,
        exact,
    );
    let smooth = CausalConfig::from(Embedding {
        states: 3,
        causes: 0,
        smoothness: 0.5,
    });
    forecasts(
        "smooth noise",
        CausalGeneralisedFilter::new(leak(), smooth, None)?,
        true,
        exact,
    );
    forecasts(
        "odem",
        Odem::new(leak(), OdemConfig::default(), None)?,
        true,
        exact,
    );
    let linear = DiagonalLinear::new(vec![0.9], vec![1.2], vec![0.3], vec![0.5])?;
    let filter = NonlinearFilter::new(linear, NonlinearConfig::default())?;
    // Up to where improving stops, 1e-5 nats.
    forecasts("linear", filter, true, 1e-4);
    let table = NonlinearConfig {
        representation: Representation::table(),
        ..NonlinearConfig::default()
    };
    // The density is that of a bound: Gaussian beliefs cost some hundredths of a nat.
    let poisson = Ar1Poisson::new(0.9, 0.5, 0.2, 0.0, 0.5)?;
    forecasts(
        "ar1-poisson",
        NonlinearFilter::new(poisson, table.clone())?,
        false,
        0.1,
    );
    // y = x + 0.2 x² + N(0, 0.25) of x ~ N(0, 0.3).
    let sine = NonlinearFilter::new(SinQuadratic::new(0.09, 0.25, 0.0, 0.3)?, table)?;
    let Moments { mean, variance } = sine.predicted_observation()?.moments();
    assert!((mean[0] - 0.06).abs() < 1e-12);
    assert!((variance[0] - (0.3 + 0.08 * 0.09 + 0.25)).abs() < 1e-12);
    Ok(())
}

#[test]
fn what_a_model_does_not_say_is_not_predicted() -> Result<()> {
    let refused = Dem::new(leak(), DemConfig::default())?.predicted_observation();
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
    let point = GenerativeModel::single(Pullback { states: 1 }, &[], 4.0, 1.0, 1.0, &[3.0])?;
    let network = PredictiveCoding::new(point, Default::default())?;
    let Moments { mean, variance } = network.predicted_observation()?.moments();
    assert_eq!((mean[0], variance[0]), (3.0, 0.25));
    let signal = pendulum().signal();
    let Moments { variance, .. } = pendulum().predicted_observation()?.moments();
    assert!((variance[0] - signal.variance[0] - 0.1 / 0.05).abs() < 1e-12);
    Ok(())
}

/// The signal is the mean of the observation under the belief now, without its noise.
#[test]
fn signals_are_what_the_belief_says_without_noise() -> Result<()> {
    let mut discrete = scotopic_filtering::hmm::Filter::new(counts());
    let mut linear = Kalman::new(walk())?;
    let mut moving = CausalGeneralisedFilter::new(leak(), white(), None)?;
    for y in [3.0, 1.0] {
        discrete.update(Some(&[y]))?;
        linear.update(Some(&[y]))?;
        moving.update(Some(&[y]))?;
    }
    let q = discrete.belief().to_vec();
    let Moments { mean, variance } = discrete.signal();
    assert!((mean[0] - 1.5 * q[0] - 6.0 * q[1]).abs() < 1e-12 && variance[0].is_nan());
    let Moments { mean, variance } = linear.signal();
    assert!((mean[0] - 1.5 * linear.mean()[0]).abs() < 1e-12);
    assert!((variance[0] - 2.25 * linear.covariance()[0]).abs() < 1e-12);
    let Moments { mean, variance } = moving.signal();
    assert!((mean[0] - moving.states()[0]).abs() < 1e-12);
    assert!((variance[0] - moving.state_covariance()[0]).abs() < 1e-12);
    Ok(())
}
