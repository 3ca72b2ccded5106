//! A filter of every kind, in the middle of a series.

use scotopic_filtering::gaussian::{GaussianLearn, Kalman, LinearGaussian};
use scotopic_filtering::generalised::dem::{Dem, DemConfig};
use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
use scotopic_filtering::generalised::predictive_coding::{
    Integrator, PredictiveCoding, PredictiveCodingConfig, Pullback, RungeKutta45,
};
use scotopic_filtering::generalised::{
    CovarianceMode, GeneralisedModel, KalmanBucy, WhiteNoiseSystem,
};
use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, FullGaussian, Hmm, Learn, Poisson,
};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::nonlinear::models::{
    AnyStateSpace, Ar1Poisson, DiagonalLinear, SinQuadratic, StochasticVolatility,
};
use scotopic_filtering::nonlinear::{
    LearningConfig, NonlinearConfig, NonlinearFilter, NonlinearLearning, Representation,
};
use scotopic_filtering::{
    AnyFilter, AnyLearning, AnyModel, ELBO_KINDS, Filter, GAUSSIAN_FACTORISATIONS,
    HMM_FACTORISATIONS,
};
use serde_json::json;

/// A filter, what it is, and rows that it can take.
pub struct Named {
    pub name: String,
    pub filter: AnyFilter,
    pub rows: Vec<Vec<f64>>,
}

/// Filters that are of no model of a file.
pub struct Schemes {
    pub dem: Dem<Linear>,
    pub kalman_bucy: KalmanBucy,
    pub network: PredictiveCoding<Pullback>,
    pub adaptive: PredictiveCoding<Pullback>,
    pub hmm: scotopic_filtering::hmm::Filter<AnyEmission>,
    pub kalman: Kalman,
    pub rows: Vec<Vec<f64>>,
}

fn counts() -> Vec<Vec<f64>> {
    [3.0, 1.0, 0.0, 7.0, 2.0, 4.0, 5.0]
        .map(|y| vec![y])
        .to_vec()
}

fn pairs() -> Vec<Vec<f64>> {
    let wave = |t: i32| vec![f64::from(t).sin(), (1.7 * f64::from(t)).cos()];
    (0..7).map(wave).collect()
}

fn symbols() -> Vec<Vec<f64>> {
    [0.0, 2.0, 1.0, 1.0, 0.0].map(|y| vec![y]).to_vec()
}

/// The filter after some rows, of which one is missing.
fn after<F: Filter>(mut filter: F, rows: &[Vec<f64>]) -> F {
    for (t, row) in rows.iter().cycle().take(11).enumerate() {
        filter.update((t != 4).then_some(row)).unwrap();
    }
    filter
}

fn hmms() -> Vec<(&'static str, Hmm, Vec<Vec<f64>>)> {
    let of = |emission: AnyEmission| {
        let transition = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
        Hmm::new(vec![0.6, 0.4], transition, emission).unwrap()
    };
    let means = vec![vec![-0.5, 0.2], vec![0.7, 100.0]];
    let tilted = vec![vec![1.0, 0.3], vec![0.3, 0.5]];
    let dice = Categorical::new(vec![vec![0.5, 0.3, 0.2], vec![0.1, 0.1, 0.8]]).unwrap();
    let quakes = Poisson::new(vec![vec![1.5], vec![6.0]]).unwrap();
    let diagonal = DiagonalGaussian::new(means.clone(), vec![vec![0.5, 0.01]; 2]).unwrap();
    let full = FullGaussian::new(means, vec![tilted.clone(), tilted]).unwrap();
    vec![
        ("categorical", of(dice.into()), symbols()),
        ("poisson", of(quakes.into()), counts()),
        ("diagonal-gaussian", of(diagonal.into()), pairs()),
        ("full-gaussian", of(full.into()), pairs()),
    ]
}

fn walk() -> LinearGaussian {
    let rows = |a: [[f64; 2]; 2]| a;
    LinearGaussian::from_rows(
        &rows([[0.9, 0.1], [-0.1, 0.8]]),
        &rows([[0.3, 0.1], [0.1, 0.2]]),
        &rows([[1.0, 0.0], [0.5, 1.0]]),
        &rows([[0.7, 0.0], [0.0, 0.4]]),
    )
    .unwrap()
}

fn diagonal_walk() -> LinearGaussian {
    let diagonal = |a: f64, b: f64| DMatrix::from_row_slice(2, 2, &[a, 0.0, 0.0, b]);
    LinearGaussian::new(
        diagonal(0.9, 0.8),
        diagonal(0.3, 0.2),
        diagonal(1.0, 2.0),
        diagonal(0.7, 0.4),
    )
    .unwrap()
}

fn nonlinear() -> Vec<(AnyStateSpace, Vec<Vec<f64>>)> {
    let two = |a: f64, b: f64| vec![a, b];
    let linear =
        DiagonalLinear::new(two(0.9, 0.8), two(1.2, 1.0), two(0.3, 0.2), two(0.5, 0.4)).unwrap();
    vec![
        (
            Ar1Poisson::new(0.9, 0.5, 0.2, 0.0, 1.0).unwrap().into(),
            counts(),
        ),
        (
            SinQuadratic::new(0.09, 0.25, 0.0, 0.3).unwrap().into(),
            counts(),
        ),
        (
            StochasticVolatility::stationary(0.95, 0.1, 0.6)
                .unwrap()
                .into(),
            counts(),
        ),
        (linear.into(), pairs()),
    ]
}

/// Models of continuous time with something to learn.
fn generalised() -> Vec<GeneralisedModel> {
    let equations = [
        json!({"kind": "linear", "a": [[-0.5, 1.0], [-1.0, -0.2]], "b": [[1.0], [0.0]], "c": [[1.0, 0.0], [0.0, 1.0]]}),
        json!({"kind": "lorenz"}),
        json!({"kind": "fitzhugh_nagumo", "time_step": 0.1}),
        json!({"kind": "neural", "states": 2, "flow": {"hidden": [3], "spread": 1.0, "seed": 1}}),
    ];
    let of = |equations| {
        let model = json!({
            "model": {
                "equations": equations, "output_precision": 2.0, "motion_precision": 3.0,
                "output_log_variance": 0.5, "motion_log_variance": 0.5
            },
            "embedding": {"states": 2, "causes": 1, "smoothness": 0.5},
            "start_variance": 0.5
        });
        serde_json::from_value(model).unwrap()
    };
    equations.into_iter().map(of).collect()
}

/// Every filter that a saved file can hold.
pub fn all() -> Vec<Named> {
    let mut all = Vec::new();
    let mut push = |name: String, filter: AnyFilter, rows: Vec<Vec<f64>>| {
        let filter = after(filter, &rows);
        all.push(Named { name, filter, rows });
    };
    for (name, model, rows) in hmms() {
        let model = AnyModel::Hmm(model);
        for factorisation in HMM_FACTORISATIONS.split(", ") {
            let filter = AnyFilter::new(model.clone(), factorisation).unwrap();
            push(format!("{name}, {factorisation}"), filter, rows.clone());
        }
        for rule in AnyLearning::rules(&model).split(", ") {
            // Short blocks and lags, so that some have ended.
            let mut how = json!({"rule": rule});
            match rule {
                "block-online-em" => how["block"] = 4.into(),
                "fixed-lag" => how["lag"] = 3.into(),
                _ => {}
            }
            let learn: Learn = serde_json::from_value(how).unwrap();
            let filter =
                AnyFilter::learning(model.clone(), &AnyLearning::Hmm(learn), "reversed").unwrap();
            push(format!("{name}, {rule}"), filter, rows.clone());
        }
    }
    for factorisation in GAUSSIAN_FACTORISATIONS.split(", ") {
        let model = match factorisation {
            "reversed" => walk(),
            _ => diagonal_walk(),
        };
        let filter = AnyFilter::new(AnyModel::LinearGaussian(model), factorisation).unwrap();
        push(format!("linear-gaussian, {factorisation}"), filter, pairs());
    }
    for how in [
        json!({"rule": "block-online-em", "block": 4}),
        json!({"rule": "online-em", "first": 2, "every": 2}),
        json!({"rule": "rmle", "first": 2}),
    ] {
        let name = format!("linear-gaussian, {}", how["rule"]);
        let learn: GaussianLearn = serde_json::from_value(how).unwrap();
        let learn = AnyLearning::LinearGaussian(learn);
        let filter =
            AnyFilter::learning(AnyModel::LinearGaussian(walk()), &learn, "reversed").unwrap();
        push(name, filter, pairs());
    }
    for (model, rows) in nonlinear() {
        for elbo in ELBO_KINDS.split(", ") {
            for representation in [Representation::Quadratic, Representation::table()] {
                let config = NonlinearConfig {
                    elbo: scotopic_filtering::elbo_kind(elbo).unwrap(),
                    representation,
                    ..NonlinearConfig::default()
                };
                let name = format!("{}, {elbo}, {representation:?}", model.kind());
                if let Ok(filter) = NonlinearFilter::new(model.clone(), config.clone()) {
                    push(name.clone(), AnyFilter::Nonlinear(filter), rows.clone());
                }
                if let Ok(filter) =
                    NonlinearLearning::new(model.clone(), config, LearningConfig::default())
                {
                    push(
                        name + ", learning",
                        AnyFilter::NonlinearLearning(filter),
                        rows.clone(),
                    );
                }
            }
        }
    }
    for model in generalised() {
        let rows = match model.sizes().1 {
            1 => counts(),
            2 => pairs(),
            _ => pairs()
                .into_iter()
                .map(|row| [&row[..], &[0.5]].concat())
                .collect(),
        };
        let name = format!("{:?}", model.model.equations);
        let name: String = name.chars().take(16).collect();
        let any = AnyModel::Generalised(Box::new(model));
        let filter = AnyFilter::new(any.clone(), "reversed").unwrap();
        push(format!("{name}, causal"), filter, rows.clone());
        let filter = AnyFilter::learning(any, &AnyLearning::Generalised(None), "reversed").unwrap();
        push(format!("{name}, odem"), filter, rows);
    }
    all
}

pub fn schemes() -> Schemes {
    let rows = counts();
    let scalar = |value| DMatrix::from_element(1, 1, value);
    let system = WhiteNoiseSystem {
        motion: scalar(-0.5),
        output: scalar(1.0),
        motion_noise: scalar(0.4),
        output_noise: scalar(0.1),
    };
    let equations = Linear::ornstein_uhlenbeck(0.2);
    let theta = equations.defaults();
    let mut leak = GenerativeModel::single(equations, &theta, 2.0, 3.0, 1.0, &[0.5]).unwrap();
    leak.levels[0].output = NoisePrecision::unknown(1, 2.0, 0.5);
    let point =
        || GenerativeModel::single(Pullback { states: 1 }, &[], 4.0, 1.0, 1.0, &[3.0]).unwrap();
    let adaptive = PredictiveCodingConfig {
        integrator: Integrator::RungeKutta(RungeKutta45::default()),
        ..PredictiveCodingConfig::default()
    };
    let poisson = hmms().swap_remove(1).1;
    let walk = LinearGaussian::from_rows(&[[0.9]], &[[0.3]], &[[1.5]], &[[0.7]]).unwrap();
    Schemes {
        dem: after(Dem::new(leak, DemConfig::default()).unwrap(), &rows),
        kalman_bucy: after(
            KalmanBucy::new(system, 0.05, CovarianceMode::Riccati).unwrap(),
            &rows,
        ),
        network: after(
            PredictiveCoding::new(point(), Default::default()).unwrap(),
            &rows,
        ),
        adaptive: after(PredictiveCoding::new(point(), adaptive).unwrap(), &rows),
        hmm: after(
            scotopic_filtering::hmm::Filter::new(poisson).with_lag(3),
            &rows,
        ),
        kalman: after(Kalman::new(walk).unwrap().with_lag(3).unwrap(), &rows),
        rows,
    }
}
