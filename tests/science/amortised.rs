//! The filter whose value and score are carried by networks, against exact inference in linear-Gaussian models.

use burn::tensor::{Device, Tensor};
use scotopic::filtering::gaussian::{
    Gaussian, GaussianKernel, Kalman, LinearGaussian, Value, ValueRecursion,
};
use scotopic::filtering::nalgebra::{DMatrix, DVector};
use scotopic::filtering::nonlinear::{self, LearningConfig, Schedule, models};
use scotopic::filtering::{Error, Sequence};
use scotopic_models::filtering::{
    AmortisedFilter, AmortisedSettings, AmortisedSnapshot, AmortisedState, Ar1Poisson, Linear,
    NeuralTransition, TensorStateSpace, Theta,
};

use crate::devices::on_every_device;
use crate::numbers::read;
use crate::toy::numbers;

/// Beliefs, in standard deviations of the exact one: what a hundred steps of Adam leave of a start at the prediction.
/// Measured: 0.009 (the default, two hundred, leaves 0.00004).
const BELIEF: f64 = 0.02;

/// Nats in twenty observations. The average has no noise where V is quadratic, but q is off by the above; counts, where
/// it is not, leave that of 256 samples. Measured: 0.00003, and 0.003.
const BOUND: f64 = 0.005;

/// A linear value gradient, over its size: least squares in single precision, carried for twelve steps. Measured: 1e-7.
const SLOPE: f64 = 1e-4;

/// Of the largest entry. The score is exact for the factors that were fitted; what is left is theirs. Measured: 0.006.
const SCORE: f64 = 0.02;

/// Same numbers up to the rounding of devices, through a few steps of Adam.
const DEVICES: f64 = 2e-3;

fn place() -> Device {
    Device::flex()
}

fn fast() -> AmortisedSettings {
    AmortisedSettings {
        iterations: 100,
        network_samples: 256,
        network_iterations: 40,
        ..AmortisedSettings::default()
    }
}

/// Observations that wander, `[m]` each.
fn wandering(len: usize, m: usize) -> Vec<Vec<f64>> {
    let noise = numbers(31, len * m, -1.0, 1.0);
    let at = |(t, row): (usize, &[f64])| {
        let wave = 1.5 * (t as f64 * 0.4).sin();
        row.iter().map(|e| wave + e).collect()
    };
    noise.chunks(m).enumerate().map(at).collect()
}

fn run<M: TensorStateSpace>(filter: &AmortisedFilter<M>, data: &[Vec<f64>]) -> Vec<AmortisedState> {
    let mut states = vec![filter.start().expect("a state")];
    for y in data {
        let next = filter.update(&states[states.len() - 1], Some(y));
        states.push(next.expect("an update"));
    }
    states
}

/// F, q, H, r of the model in one dimension.
const WALK: [f64; 4] = [0.9, 0.2, 1.2, 0.5];

fn walk() -> (Linear, LinearGaussian) {
    let [f, q, h, r] = WALK;
    let model = Linear::new([f], [q], [h], [r]).expect("a model");
    let exact = LinearGaussian::from_rows(&[[f]], &[[q]], &[[h]], &[[r]]).expect("a model");
    (model, exact)
}

/// Two coordinates that are seen only as their sum: no q with a diagonal covariance is exact, and V is not flat.
fn sum_of_two() -> (Linear, LinearGaussian) {
    let model = Linear::new([0.95, 0.0, 0.0, 0.6], [0.1, 0.3], [1.0, 1.0], [0.1]);
    let exact = LinearGaussian::from_rows(
        &[[0.95, 0.0], [0.0, 0.6]],
        &[[0.1, 0.0], [0.0, 0.3]],
        &[[1.0, 1.0]],
        &[[0.1]],
    );
    (model.expect("a model"), exact.expect("a model"))
}

/// W_T and L_T of the factors that a filter fitted, by the recursion in closed form.
fn true_value(
    exact: &LinearGaussian,
    states: &[AmortisedState],
    data: &[Vec<f64>],
) -> (Value, f64) {
    let recursion = ValueRecursion::new(exact).expect("a recursion");
    let mut value = recursion.start(Some(&data[0])).expect("a value");
    for (state, y) in states[2..].iter().zip(&data[1..]) {
        let kernel = state.kernel().expect("a kernel");
        let n = exact.states();
        let spread = DVector::from_vec(read(kernel.variance()));
        let kernel = GaussianKernel::new(
            DMatrix::from_row_slice(n, n, &read(kernel.slope())),
            DVector::from_vec(read(kernel.offset())),
            DMatrix::from_diagonal(&spread),
        );
        let kernel = kernel.expect("a kernel");
        value = recursion
            .advance(&value, &kernel, Some(y))
            .expect("a value");
    }
    let last = &states[states.len() - 1];
    let belief = Gaussian::new(
        DVector::from_column_slice(last.mean()),
        DMatrix::from_diagonal(&DVector::from_column_slice(last.variance())),
    );
    let belief = belief.expect("a belief");
    let bound = value.elbo(&belief).expect("a bound");
    (value, bound)
}

#[test]
fn beliefs_and_bound_are_those_of_the_kalman_filter() {
    let (model, exact) = walk();
    let data = wandering(20, 1);
    let filter = AmortisedFilter::new(model, fast(), &place()).expect("a filter");
    let mut kalman = Kalman::new(exact).expect("a filter");
    let mut state = filter.start().expect("a state");
    assert_eq!((state.mean(), state.variance()), (&[0.0][..], &[1.0][..]));
    let unseen = filter.update(&state, None).expect("an update");
    assert!(unseen.elbo().abs() < BOUND && unseen.mean()[0].abs() < BELIEF);
    for (t, y) in data.iter().enumerate() {
        // One observation is missing.
        let y = (t != 7).then_some(&y[..]);
        state = filter.update(&state, y).expect("an update");
        let step = kalman.update(y).expect("an update");
        let (m, v) = (kalman.mean()[0], kalman.covariance()[0]);
        let (far, wide) = (state.mean()[0] - m, state.variance()[0] / v - 1.0);
        assert!(far.abs() < BELIEF * v.sqrt(), "mean at {t}: off by {far}");
        assert!(wide.abs() < BELIEF, "variance at {t}: off by {wide}");
        let gap = state.elbo() - step.elbo;
        assert!(gap.abs() < BOUND, "bound at {t}: off by {gap}");
    }
    assert_eq!(state.observations(), 20);
}

#[test]
fn the_value_gradient_is_that_of_the_factors_that_were_fitted() {
    let (model, exact) = sum_of_two();
    let data = wandering(12, 1);
    let filter = AmortisedFilter::new(model, fast(), &place()).expect("a filter");
    let states = run(&filter, &data);
    let (value, bound) = true_value(&exact, &states, &data);
    let last = &states[12];
    // x = μ + σ∘u, u within two deviations; ∇V = −Λx + h + Σ⁻¹(x − μ).
    let points: Vec<DVector<f64>> = numbers(5, 80, -2.0, 2.0)
        .chunks(2)
        .map(|u| {
            let at = |i: usize| last.mean()[i] + last.variance()[i].sqrt() * u[i];
            DVector::from_vec(vec![at(0), at(1)])
        })
        .collect();
    let flat: Vec<f32> = points
        .iter()
        .flat_map(|x| x.iter().map(|&v| v as f32))
        .collect();
    let x = Tensor::<1>::from_floats(flat.as_slice(), &place()).reshape([40, 2]);
    let ours = read(last.value_gradient(x).expect("a network"));
    let expected: Vec<f64> = points
        .iter()
        .flat_map(|x| {
            let mut slope = value.linear() - value.precision() * x;
            for i in 0..2 {
                slope[i] += (x[i] - last.mean()[i]) / last.variance()[i];
            }
            slope.as_slice().to_vec()
        })
        .collect();
    let alike = correlation(&ours, &expected);
    let (off, size) = (distance(&ours, &expected), distance(&expected, &[0.0; 80]));
    assert!(alike > 0.9999, "correlation {alike}");
    assert!(off < SLOPE * size, "off by {off} of {size}");
    // The estimate of the bound is that of the bound of these factors, which is below the evidence.
    assert!(
        (last.elbo() - bound).abs() < BOUND,
        "{} for {bound}",
        last.elbo()
    );
    let evidence = exact.log_evidence(&Sequence::of_rows(&data).expect("data"));
    assert!(bound < evidence.expect("evidence"), "{bound}");
}

#[test]
fn the_value_raises_the_bound_above_that_of_one_step() {
    let (model, exact) = sum_of_two();
    let data = wandering(12, 1);
    let reach = |value: bool| {
        let settings = AmortisedSettings { value, ..fast() };
        let filter = AmortisedFilter::new(model.clone(), settings, &place()).expect("a filter");
        true_value(&exact, &run(&filter, &data), &data).1
    };
    let (with, without) = (reach(true), reach(false));
    assert!(with > without + 0.05, "{with} with T̂, {without} without");
}

#[test]
fn the_score_is_the_gradient_of_the_log_evidence() {
    let (model, exact) = walk();
    let data = wandering(20, 1);
    let settings = AmortisedSettings {
        score: true,
        ..fast()
    };
    let filter = AmortisedFilter::new(model, settings, &place()).expect("a filter");
    let states = run(&filter, &data);
    let exact = exact.gradient(&Sequence::of_rows(&data).expect("data"));
    let exact = exact.expect("a gradient");
    let [_, q, _, r] = WALK;
    // By ln q and ln r: q and r times the slopes by q and r.
    let expected = [
        exact.transition[(0, 0)],
        exact.process_noise[(0, 0)] * q,
        exact.observation[(0, 0)],
        exact.observation_noise[(0, 0)] * r,
    ];
    let ours = states[20].score();
    let largest = expected.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    for (ours, expected) in ours.iter().zip(expected) {
        let off = (ours - expected).abs();
        assert!(off < SCORE * largest, "{ours} for {expected}");
    }
    let summed: f64 = states[1..].iter().map(|s| s.gradient()[0]).sum();
    assert!((summed - ours[0]).abs() < 1e-9, "{summed} for {}", ours[0]);
}

#[test]
fn learning_raises_the_evidence() {
    let data = wandering(25, 1);
    let sequence = Sequence::of_rows(&data).expect("data");
    let evidence = |theta: &[f64]| {
        let (q, r) = (theta[1].exp(), theta[3].exp());
        LinearGaussian::from_rows(&[[theta[0]]], &[[q]], &[[theta[2]]], &[[r]])
            .and_then(|model| model.log_evidence(&sequence))
            .expect("evidence")
    };
    let start = Linear::new([0.2], [1.5], [0.6], [2.0]).expect("a model");
    let settings = AmortisedSettings {
        iterations: 60,
        learn: Some(LearningConfig {
            schedule: Schedule {
                rate: 0.05,
                ..Schedule::default()
            },
            ..LearningConfig::default()
        }),
        ..fast()
    };
    let filter = AmortisedFilter::new(start, settings, &place()).expect("a filter");
    let states = run(&filter, &data);
    let (first, last) = (states[0].theta(), states[25].theta());
    assert_eq!(
        states[1].theta(),
        first,
        "the first observation is of an unknown x_1"
    );
    let risen = evidence(last) - evidence(first);
    assert!(risen > 1.0, "{first:?} to {last:?}: {risen} nats");
}

#[test]
fn counts_are_filtered_as_with_a_tabulated_value() {
    let counts = [3.0, 2.0, 5.0, 9.0, 7.0, 4.0, 0.0, 1.0, 0.0, 2.0];
    let model = Ar1Poisson::new(0.95, 1.0, 0.1, 0.0, 1.0).expect("a model");
    let settings = AmortisedSettings {
        kernel_hidden: 8,
        ..fast()
    };
    let filter = AmortisedFilter::new(model, settings, &place()).expect("a filter");
    let reference = models::Ar1Poisson::new(0.95, 1.0, 0.1, 0.0, 1.0).expect("a model");
    let settings = nonlinear::NonlinearConfig {
        representation: nonlinear::Representation::table(),
        ..nonlinear::NonlinearConfig::default()
    };
    let mut reference = nonlinear::NonlinearFilter::new(reference, settings).expect("a filter");
    let mut state = filter.start().expect("a state");
    for y in counts {
        state = filter.update(&state, Some(&[y])).expect("an update");
        reference.update(Some(&[y])).expect("an update");
        let v = reference.covariance()[0];
        let far = (state.mean()[0] - reference.mean()[0]) / v.sqrt();
        // A bent kernel is more than the linear one of the reference: the bound may be a little higher.
        let gap = state.elbo() - reference.elbo();
        assert!(far.abs() < 2.0 * BELIEF, "mean off by {far}");
        assert!(gap.abs() < BOUND, "bound off by {gap}");
    }
}

#[test]
fn a_state_goes_on_from_numbers_with_the_same_numbers() {
    let (model, _) = sum_of_two();
    let data = wandering(4, 1);
    let settings = AmortisedSettings {
        iterations: 10,
        network_iterations: 5,
        kernel_hidden: 3,
        learn: Some(LearningConfig::default()),
        ..AmortisedSettings::default()
    };
    let filter = AmortisedFilter::new(model.clone(), settings.clone(), &place()).expect("a filter");
    let states = run(&filter, &data);
    for from in 0..3 {
        let written = states[from].snapshot().expect("numbers");
        let mut state = filter.restore(&written).expect("a state");
        for y in &data[from..] {
            state = filter.update(&state, Some(y)).expect("an update");
        }
        assert_eq!(
            state.snapshot().expect("numbers"),
            states[4].snapshot().expect("numbers")
        );
    }
    // As text it keeps its shape; the last bit of a number is the reader's.
    let text = serde_json::to_string(&states[4].snapshot().expect("numbers")).expect("text");
    let read: AmortisedSnapshot = serde_json::from_str(&text).expect("a snapshot");
    let again = filter.restore(&read).expect("a state");
    assert_eq!(again.observations(), 4);
    assert!(distance(again.theta(), states[4].theta()) < 1e-12);
    // Of other settings it is refused.
    let other = AmortisedSettings {
        network_hidden: 7,
        ..settings
    };
    let other = AmortisedFilter::new(model, other, &place()).expect("a filter");
    let refused = other.restore(&states[2].snapshot().expect("numbers"));
    assert!(matches!(refused, Err(Error::Size { .. })), "{refused:?}");
}

#[test]
fn bad_input_is_an_error_that_names_it() {
    let model = Ar1Poisson::new(0.9, 0.0, 0.1, 0.0, 1.0).expect("a model");
    let filter = AmortisedFilter::new(model.clone(), fast(), &place()).expect("a filter");
    let first = filter.start().expect("a state");
    let state = filter.update(&first, Some(&[2.0])).expect("an update");
    let before = state.snapshot().expect("numbers");
    for bad in [&[-1.0][..], &[0.5], &[f64::NAN], &[1.0, 2.0], &[], &[1e300]] {
        let error = filter.update(&state, Some(bad)).expect_err("bad input");
        assert!(
            matches!(error, Error::Observation { index: 1, .. }),
            "{bad:?}: {error}"
        );
    }
    // Finite, but its log-likelihood in single precision is not.
    let error = filter.update(&state, Some(&[3e38])).expect_err("too large");
    assert!(
        matches!(error, Error::NotFinite { index: 1, .. }),
        "{error}"
    );
    assert_eq!(state.snapshot().expect("numbers"), before);
    for settings in [
        AmortisedSettings {
            iterations: 0,
            ..fast()
        },
        AmortisedSettings {
            samples: 3,
            ..fast()
        },
        AmortisedSettings {
            network_samples: 7,
            ..fast()
        },
        AmortisedSettings {
            rate: f64::NAN,
            ..fast()
        },
    ] {
        let refused = AmortisedFilter::new(model.clone(), settings, &place());
        assert!(matches!(refused, Err(Error::Setting { .. })), "{refused:?}");
    }
    assert!(Ar1Poisson::new(0.9, 0.0, -0.1, 0.0, 1.0).is_err());
    assert!(Linear::new([0.9, 0.0], [0.1], [1.0], [0.5]).is_err());
}

#[test]
fn a_row_of_parameters_for_each_sample_is_the_row_of_all() {
    let model = NeuralTransition::new(4, [0.1, 0.2], [1.0, 0.5], [0.3], 3).expect("a model");
    let theta: Vec<f64> = numbers(8, model.parameters().len(), -0.5, 0.5);
    let model = model.with_parameters(&theta).expect("a model");
    assert_eq!(model.parameter_names().len(), theta.len());
    let points = numbers(9, 12, -1.0, 1.0);
    let floats: Vec<f32> = points.iter().map(|&v| v as f32).collect();
    let x = Tensor::<1>::from_floats(floats.as_slice(), &place()).reshape([6, 2]);
    let y = Tensor::<2>::zeros([1, 1], &place());
    let shared = Theta::of(&theta, &place());
    let each = Theta(shared.0.clone().repeat_dim(0, 6));
    let score = |theta: &Theta| {
        let before = x.clone() * 0.5;
        let moved = model.log_transition(theta, before, x.clone());
        read(moved + model.log_likelihood(theta, y.clone(), x.clone()))
    };
    assert_eq!(score(&shared), score(&each));
    // By hand, at the first sample.
    let (a, b) = (points[0], points[1]);
    let (pa, pb) = (0.5 * a, 0.5 * b);
    let mut mean = [pa + theta[20], pb + theta[21]];
    for h in 0..4 {
        let unit = (theta[2 * h] * pa + theta[2 * h + 1] * pb + theta[8 + h]).tanh();
        mean[0] += theta[12 + h] * unit;
        mean[1] += theta[16 + h] * unit;
    }
    let normal = |e: f64, log_variance: f64| {
        -0.5 * (e * e / log_variance.exp() + log_variance + std::f64::consts::TAU.ln())
    };
    let expected = normal(a - mean[0], theta[22])
        + normal(b - mean[1], theta[23])
        + normal(a + 0.5 * b, theta[24]);
    let ours = score(&shared)[0];
    // Single precision.
    assert!((ours - expected).abs() < 1e-5, "{ours} for {expected}");
}

#[test]
fn a_network_that_moves_the_state_is_learnt_on_every_device() {
    let model = NeuralTransition::new(3, [0.1], [1.0], [0.3], 1).expect("a model");
    let settings = AmortisedSettings {
        iterations: 2,
        samples: 8,
        network_samples: 32,
        network_hidden: 4,
        network_iterations: 1,
        learn: Some(LearningConfig::default()),
        ..AmortisedSettings::default()
    };
    let data = wandering(2, 1);
    let last = |device: &Device| {
        let filter = AmortisedFilter::new(model.clone(), settings.clone(), device);
        run(&filter.expect("a filter"), &data).remove(2)
    };
    let reference = last(&place());
    assert_ne!(reference.theta(), model.parameters());
    on_every_device(|place| {
        let state = last(&place.autodiff().device);
        for (ours, expected) in [
            (state.mean(), reference.mean()),
            (state.variance(), reference.variance()),
            (state.gradient(), reference.gradient()),
            (&[state.elbo()], &[reference.elbo()]),
        ] {
            let off = distance(ours, expected) / distance(expected, &vec![0.0; expected.len()]);
            assert!(
                off < DEVICES,
                "{}: {ours:?} for {expected:?}",
                place.title()
            );
        }
    });
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    square.sum::<f64>().sqrt()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let dot = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let cross = dot(&|i| (a[i] - ma) * (b[i] - mb));
    cross / (dot(&|i| (a[i] - ma).powi(2)) * dot(&|i| (b[i] - mb).powi(2))).sqrt()
}
