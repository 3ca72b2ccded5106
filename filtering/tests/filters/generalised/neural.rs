//! Equations that are networks: against linear models, in files, exchanged in a running filter, and what beliefs
//! say of them.

use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Generation, NoiseShape, SmoothingLag,
    TransitionCollector,
};
use scotopic_filtering::generalised::model::{
    Activation, AnyEquations, Argument, Equations, GenerativeModel, Layer, Linear, ModelFile,
    Network, Neural, Point,
};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{Function, RegressionPoints};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Result};

/// Sums of a few products in another order.
const ROUNDING: f64 = 1e-12;
/// A flow that is linear but not known to be: moments to second order by differences of its flow, over a hundred bins.
const DIFFERENCES: f64 = 1e-9;
/// Fisher's identity over 3000 bins, of which the last five say nothing and the earlier ones have not seen all that
/// came later; the motion's own dependence on A through φ_1(A) is left out, which is of the order of A = 0.1.
/// Measured: 0.4 to 2.9 %, and 5.2 % for noise along polynomials.
const FISHER: f64 = 0.06;

fn matrix(rows: usize, columns: usize, values: &[f64]) -> DMatrix<f64> {
    DMatrix::from_row_slice(rows, columns, values)
}

/// The convolution model as a linear map, or beside a network that is 0.
fn convolution(hidden: bool) -> Neural {
    let linear = Linear::convolution();
    let theta = linear.defaults();
    let (a, rest) = theta.split_at(4);
    let (c, b) = rest.split_at(8);
    let both = [a, b].concat();
    let (drift, seen) = (
        DMatrix::from_column_slice(2, 3, &both),
        DMatrix::from_column_slice(4, 2, c),
    );
    let (flow, output) = match hidden {
        true => (
            Network::start(3, &[5], 2, Activation::Tanh, 1.0, 3)
                .unwrap()
                .with_linear(drift),
            Network::start(2, &[4], 4, Activation::Softplus, 1.0, 4)
                .unwrap()
                .with_linear(seen),
        ),
        false => (Network::linear(drift), Network::linear(seen)),
    };
    Neural::new(flow.unwrap(), output.unwrap()).unwrap()
}

#[test]
fn a_network_that_is_linear_is_filtered_as_the_linear_model() -> Result<()> {
    let linear = Linear::convolution();
    let theta = linear.defaults();
    let precise = f64::exp(8.0);
    let exact = GenerativeModel::single(linear, &theta, precise, precise, 1.0, &[0.0; 2])?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    let data = Generation::default().run(exact.clone(), 100, None, &mut rng)?;
    let settings = CausalConfig::default();
    let mut expected = CausalGeneralisedFilter::new(exact, settings, None)?;
    let mut ours = Vec::new();
    for hidden in [false, true] {
        let equations = convolution(hidden);
        assert_eq!(equations.is_linear(), !hidden);
        let model = GenerativeModel::single(equations, &[], precise, precise, 1.0, &[0.0; 2])?;
        ours.push(CausalGeneralisedFilter::new(model, settings, None)?);
    }
    for (t, y) in data.outputs.column_iter().enumerate() {
        let y = (t % 9 != 5).then_some(y.into_owned());
        expected.update(y.as_ref().map(|y| y.as_slice()))?;
        for (filter, tolerance) in ours.iter_mut().zip([ROUNDING, DIFFERENCES]) {
            filter.update(y.as_ref().map(|y| y.as_slice()))?;
            let pairs = [
                (filter.states(), expected.states()),
                (filter.state_covariance(), expected.state_covariance()),
                (filter.causes(), expected.causes()),
                (filter.cause_covariance(), expected.cause_covariance()),
            ];
            for (found, expected) in pairs {
                for (f, e) in found.iter().zip(expected) {
                    assert!(
                        (f - e).abs() < tolerance * (1.0 + e.abs()),
                        "bin {t}: {f} {e}"
                    );
                }
            }
        }
    }
    let evidence = expected.elbo();
    for filter in &ours {
        let error = (filter.elbo() - evidence).abs();
        assert!(error < DIFFERENCES * evidence.abs(), "{error:e}");
    }
    Ok(())
}

fn bent() -> Network {
    let layers = [
        Layer {
            weight: vec![vec![0.5, -1.0], vec![1.2, 0.4], vec![-0.6, 0.9]],
            bias: vec![0.1, -0.4, 0.3],
        },
        Layer {
            weight: vec![vec![0.8, -0.5, 0.6], vec![-0.3, 0.7, 1.1]],
            bias: vec![-0.2, 0.5],
        },
    ];
    let linear = matrix(2, 2, &[-0.3, 0.2, 0.1, -0.5]);
    Network::from_layers(&layers, Activation::Tanh)
        .unwrap()
        .with_linear(linear)
        .unwrap()
}

#[test]
fn a_network_is_its_formula() -> Result<()> {
    let (u, w): ([f64; 2], _) = ([0.7, -1.1], [[0.5, -1.0], [1.2, 0.4], [-0.6, 0.9]]);
    let hidden: Vec<f64> = w
        .iter()
        .zip([0.1, -0.4, 0.3])
        .map(|(w, b)| (w[0] * u[0] + w[1] * u[1] + b).tanh())
        .collect();
    let [a, b, c] = [hidden[0], hidden[1], hidden[2]];
    let expected = [
        0.8 * a - 0.5 * b + 0.6 * c - 0.2 - 0.3 * u[0] + 0.2 * u[1],
        -0.3 * a + 0.7 * b + 1.1 * c + 0.5 + 0.1 * u[0] - 0.5 * u[1],
    ];
    for (found, expected) in bent().of(&u)?.iter().zip(expected) {
        assert!((found - expected).abs() < ROUNDING);
    }
    // Softplus where e^a would overflow, and where it would vanish.
    let unit = |bias: f64| Layer {
        weight: vec![vec![0.0]],
        bias: vec![bias],
    };
    let one = Layer {
        weight: vec![vec![1.0]],
        bias: vec![0.0],
    };
    for (a, expected) in [(800.0, 800.0), (-800.0, 0.0), (0.0, std::f64::consts::LN_2)] {
        let network = Network::from_layers(&[unit(a), one.clone()], Activation::Softplus)?;
        assert!((network.of(&[1.0])?[0] - expected).abs() < ROUNDING);
    }
    // The rows of the file are the weights in one row.
    let again = Network::from_layers(&bent().layers(), Activation::Tanh)?;
    let part = bent().linear_part().unwrap().concat();
    assert_eq!([again.weights(), &part].concat(), bent().weights());
    Ok(())
}

/// Jacobians that are swept backwards are those of dual numbers, which the trait would take.
#[test]
fn swept_jacobians_are_those_of_dual_numbers() {
    /// The same equations without their own Jacobians.
    struct Plain(Neural);
    impl Equations for Plain {
        fn sizes(&self) -> scotopic_filtering::generalised::model::Sizes {
            self.0.sizes()
        }
        fn f<T: scotopic_filtering::generalised::model::Number>(
            &self,
            at: Point<'_, T>,
            out: &mut [T],
        ) {
            self.0.f(at, out);
        }
        fn g<T: scotopic_filtering::generalised::model::Number>(
            &self,
            at: Point<'_, T>,
            out: &mut [T],
        ) {
            self.0.g(at, out);
        }
    }
    // Three layers and causes, all inner weights not 0.
    for activation in [Activation::Tanh, Activation::Softplus] {
        let network = |inputs, outputs| {
            let start = Network::start(inputs, &[6, 3, 4], outputs, activation, 1.0, 8).unwrap();
            let wave = |k: usize| 0.6 * (1.7 * k as f64).sin();
            let weights: Vec<f64> = (0..start.weights().len()).map(wave).collect();
            start.with_weights(&weights).unwrap()
        };
        let neural = Neural::new(network(3, 2), network(3, 4)).unwrap();
        for neural in [neural.clone(), neural.with_free_weights()] {
            let theta = neural.defaults();
            let at = Point {
                x: &[0.4, -0.9],
                v: &[1.3],
                theta: &theta,
            };
            let sizes = neural.sizes();
            let plain = Plain(neural.clone());
            for by in [Argument::State, Argument::Cause, Argument::Parameter] {
                let room = |rows| [1.0, 2.0].map(|v| DMatrix::repeat(rows, sizes.of(by), v));
                let ([mut swept, mut duals], [mut g_swept, mut g_duals]) =
                    (room(sizes.states), room(sizes.outputs));
                neural.f_by(by, at, &mut swept);
                plain.f_by(by, at, &mut duals);
                neural.g_by(by, at, &mut g_swept);
                plain.g_by(by, at, &mut g_duals);
                assert!(
                    (swept - duals).iter().all(|d| d.abs() < ROUNDING),
                    "f by {by:?}"
                );
                assert!(
                    (g_swept - g_duals).iter().all(|d| d.abs() < ROUNDING),
                    "g by {by:?}"
                );
            }
        }
    }
}

#[test]
fn files_are_written_as_they_are_read_and_refused_by_name() {
    let good = serde_json::json!({
        "states": 2, "causes": 1,
        "flow": { "hidden": [4], "spread": 2.0, "seed": 3, "linear": [[0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]] },
        "output": { "linear": [[1.0, 0.0]] },
    });
    let read: Neural = serde_json::from_value(good.clone()).unwrap();
    assert_eq!(read.flow().layers().len(), 2);
    let again = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    assert_eq!(read, again);
    // Every state is seen where nothing is said.
    let mut all = good.clone();
    all.as_object_mut().unwrap().remove("output");
    let all: Neural = serde_json::from_value(all).unwrap();
    assert_eq!(all.output().of(&[3.0, 4.0]).unwrap(), [3.0, 4.0]);
    let mut free = good.clone();
    free["weights_are_parameters"] = true.into();
    let free: Neural = serde_json::from_value(free).unwrap();
    let again = serde_json::from_value(serde_json::to_value(&free).unwrap()).unwrap();
    assert_eq!((free.defaults().len(), &free), (16 + 10 + 6 + 2, &again));

    type Change = fn(&mut serde_json::Value);
    let cases: [(&str, Change); 11] = [
        ("states", |file| file["states"] = 0.into()),
        ("unknown field", |file| file["flaw"] = 1.into()),
        ("unknown field", |file| file["flow"]["width"] = 4.into()),
        ("layers[0]: units", |file| {
            file["flow"]["hidden"] = serde_json::json!([0])
        }),
        ("spread", |file| file["flow"]["spread"] = (-1.0).into()),
        ("flow.linear: a row", |file| {
            file["flow"]["linear"][0] = serde_json::json!([1.0])
        }),
        ("linear: rows", |file| {
            file["flow"]["linear"].as_array_mut().unwrap().pop();
        }),
        ("output", |file| {
            file["output"] = serde_json::json!({ "hidden": [3] })
        }),
        ("both `hidden` and `layers`", |file| {
            file["flow"]["layers"] =
                serde_json::json!([{ "weight": [[1.0, 2.0, 3.0]], "bias": [0.0] }]);
        }),
        ("layers[1].weight: a row", |file| {
            file["flow"] = serde_json::json!({ "layers": [
                { "weight": [[1.0, 2.0, 3.0]], "bias": [0.0] },
                { "weight": [[1.0, 2.0], [1.0, 2.0]], "bias": [0.0, 0.0] },
            ] });
        }),
        ("flow: outputs", |file| {
            file["flow"] =
                serde_json::json!({ "layers": [{ "weight": [[1.0, 2.0, 3.0]], "bias": [0.0] }] });
        }),
    ];
    for (word, change) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        let said = serde_json::from_value::<Neural>(bad)
            .unwrap_err()
            .to_string();
        assert!(said.contains(word), "{word}: {said}");
    }
    let nan = bent().with_weights(&[f64::NAN; 19]);
    assert!(
        nan.unwrap_err().to_string().starts_with("weights"),
        "NaN is no weight"
    );
}

fn file_model() -> GenerativeModel<AnyEquations> {
    let text = r#"{ "equations": { "kind": "neural", "states": 2, "flow": { "hidden": [6], "seed": 1 } },
        "output_precision": 25.0, "motion_precision": 100.0 }"#;
    serde_json::from_str::<ModelFile>(text)
        .unwrap()
        .build()
        .unwrap()
}

#[test]
fn a_filter_of_a_network_goes_on_from_a_snapshot() -> Result<()> {
    let mut filter = CausalGeneralisedFilter::new(file_model(), CausalConfig::default(), None)?;
    let seen = |t: i32| [(0.2 * f64::from(t)).sin(), (0.2 * f64::from(t)).cos()];
    for t in 0..30 {
        filter.update(Some(&seen(t)))?;
    }
    let kept = serde_json::to_value(&filter).unwrap();
    let mut other: CausalGeneralisedFilter<AnyEquations> =
        serde_json::from_value(kept.clone()).unwrap();
    for t in 30..40 {
        filter.update(Some(&seen(t)))?;
        other.update(Some(&seen(t)))?;
    }
    assert_eq!(filter.states(), other.states());
    assert_eq!(filter.elbo(), other.elbo());
    let mut bad = kept;
    bad["model"]["levels"][0]["equations"]["Neural"]["flow"]["layers"][0]["bias"] = [1.0].into();
    let refused = serde_json::from_value::<CausalGeneralisedFilter<AnyEquations>>(bad);
    assert!(refused.is_err(), "a layer with five units too few");
    Ok(())
}

#[test]
fn equations_are_exchanged_whole_or_not_at_all() -> Result<()> {
    let model = |equations| GenerativeModel::single(equations, &[], 25.0, 100.0, 1.0, &[0.0; 2]);
    let straight = convolution(false);
    let bent = convolution(true);
    // A last layer that is not 0, or nothing would bend.
    let weights = bent
        .flow()
        .weights()
        .iter()
        .map(|w| w + 0.3)
        .collect::<Vec<_>>();
    let flow = bent.flow().clone().with_weights(&weights)?;
    let curved = Neural::new(flow, bent.output().clone())?;
    let settings = CausalConfig::default();
    let mut filter = CausalGeneralisedFilter::new(model(straight.clone())?, settings, None)?;
    let seen = [0.1, 0.2, -0.1, 0.0];
    filter.update(Some(&seen))?;
    // From linear to bent and back: after each, what a filter of that model would do with this belief.
    for equations in [&curved, &straight] {
        filter.set_equations(0, equations.clone())?;
        let mut kept = serde_json::to_value(&filter).unwrap();
        let mut other: CausalGeneralisedFilter<Neural> =
            serde_json::from_value(kept.take()).unwrap();
        filter.update(Some(&seen))?;
        other.update(Some(&seen))?;
        assert_eq!(filter.states(), other.states());
        assert_eq!(filter.state_covariance(), other.state_covariance());
        assert_eq!(filter.last_log_density(), other.last_log_density());
    }
    let before = filter.clone();
    let identity = |n| Network::linear(DMatrix::identity(n, n)).unwrap();
    let other_size = Neural::new(identity(3), identity(3)).unwrap();
    assert!(matches!(
        filter.set_equations(0, other_size),
        Err(Error::Size { .. })
    ));
    let sees = Neural::new(
        straight.flow().clone(),
        Network::linear(DMatrix::zeros(4, 3))?,
    )?;
    assert!(matches!(
        filter.set_equations(0, sees),
        Err(Error::Unsupported { .. })
    ));
    assert!(filter.set_equations(1, straight.clone()).is_err());
    // A flow so fast that a bin of it is no number.
    let fast = Network::linear(DMatrix::repeat(2, 3, 1e200))?;
    let fast = Neural::new(fast, straight.output().clone())?;
    assert!(matches!(
        filter.set_equations(0, fast),
        Err(Error::NotFinite { .. })
    ));
    assert!(filter == before, "nothing is changed by what is refused");
    Ok(())
}

/// Of linear residuals e = x' − S(x, v) the expectation of e e' is that of the mean plus J P J'.
#[test]
fn points_of_a_belief_average_squares_exactly() -> Result<()> {
    let s = matrix(2, 3, &[-0.3, 0.2, 1.0, 0.1, -0.5, 0.4]);
    let root = DMatrix::from_fn(5, 5, |i, j| (1.0 + (3 * i + 7 * j) as f64).sin());
    let mean = DVector::from_column_slice(&[0.5, -1.0, 0.3, 0.2, 0.9]);
    let mut covariance = &root * root.transpose();
    // A direction that is known.
    covariance.row_mut(1).fill(0.0);
    covariance.column_mut(1).fill(0.0);
    let mut points = RegressionPoints::of_bins([2, 1, 1], 2)?;
    points.add(&mean, &covariance, Some(&[0.7]))?;
    let jacobian = {
        let mut j = DMatrix::zeros(2, 5);
        j.columns_mut(0, 3).copy_from(&-s.clone());
        j.columns_mut(3, 2).fill_with_identity();
        j
    };
    let error = &jacobian * &mean;
    let expected = &error * error.transpose() + &jacobian * &covariance * jacobian.transpose();
    let linear = Network::linear(s)?;
    let value = |u: &[f64], out: &mut [f64]| out.copy_from_slice(&linear.of(u).unwrap());
    let found = points.scatter(Function::Flow, value).unwrap();
    assert!((found - expected).amax() < ROUNDING);
    // g = x_1: (0.7 − 0.5)² + var x_1; a bin that was not seen says nothing, and the ring keeps two.
    let first = |u: &[f64], out: &mut [f64]| out[0] = u[0];
    let seen = 0.2_f64.powi(2) + covariance[(0, 0)];
    for kept in [1, 2, 2] {
        assert_eq!(points.bins(), kept);
        let found = points.scatter(Function::Output, first);
        assert!(found.is_none_or(|f| (f[(0, 0)] - seen).abs() < ROUNDING));
        points.add(&mean, &covariance, None)?;
    }
    assert!(points.scatter(Function::Output, first).is_none());
    assert!(points.add(&mean, &-covariance, None).is_err());
    assert!(
        points
            .add(
                &mean.rows(0, 4).into_owned(),
                &DMatrix::identity(4, 4),
                None
            )
            .is_err()
    );
    Ok(())
}

/// The slope of the evidence by A is minus that of the expected energy with beliefs held: Fisher's identity. An
/// independent check of the motion, of the window, of smoothing and of the whitening.
#[test]
fn the_energy_falls_where_the_evidence_rises() -> Result<()> {
    let truth = [-0.05, -0.1, 0.1, -0.05];
    let wrong = [-0.03, -0.13, 0.12, -0.08];
    let model = |a: &[f64]| {
        let flow = Network::linear(DMatrix::from_column_slice(2, 2, a)).unwrap();
        let output = Network::linear(DMatrix::identity(2, 2)).unwrap();
        let equations = Neural::new(flow, output).unwrap();
        GenerativeModel::single(equations, &[], 20.0, 10.0, 1.0, &[0.0; 2])
    };
    let smoothness = 0.5;
    for (shape, memory) in [
        (NoiseShape::White, 0),
        (
            NoiseShape::Sampled {
                smoothness: 0.0,
                order: 0,
            },
            0,
        ),
        (
            NoiseShape::Sampled {
                smoothness,
                order: 0,
            },
            1,
        ),
        (
            NoiseShape::Sampled {
                smoothness,
                order: 2,
            },
            14,
        ),
    ] {
        let correlated = memory > 0;
        let generation = Generation {
            smoothness: if correlated { smoothness } else { 0.0 },
            order: match shape {
                NoiseShape::Sampled { order, .. } => order,
                _ => 0,
            },
            steps: 1,
        };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let data = generation.run(model(&truth)?, 3000, None, &mut rng)?;
        let smoothing = SmoothingLag {
            lag: 4,
            noise_lags: memory,
        };
        let output = match correlated {
            true => Autocorrelation::SampledGaussian { smoothness },
            false => Autocorrelation::White,
        };
        let settings = smoothing.of(CausalConfig {
            output,
            ..CausalConfig::of_shape(
                NoiseShape::Sampled {
                    smoothness,
                    order: 2,
                },
                memory,
            )
        });
        let settings = CausalConfig {
            motion: shape,
            ..settings
        };
        let evidence = |a: &[f64]| -> Result<(f64, TransitionCollector)> {
            let mut filter = CausalGeneralisedFilter::new(model(a)?, settings, None)?;
            let mut collector = TransitionCollector::new(&filter, smoothing, usize::MAX)?;
            for y in data.outputs.column_iter() {
                filter.update(Some(y.as_slice()))?;
                collector.observe(&filter, Some(y.as_slice()))?;
            }
            Ok((filter.elbo(), collector))
        };
        let (_, collector) = evidence(&wrong)?;
        let points = collector.points();
        let energy = |a: &[f64]| {
            let a = DMatrix::from_column_slice(2, 2, a);
            let value = |u: &[f64], out: &mut [f64]| {
                let f = &a * DVector::from_column_slice(u);
                out.copy_from_slice(f.as_slice());
            };
            let scatter = points.scatter(Function::Flow, value).unwrap();
            0.5 * 10.0 * scatter.trace() * points.bins() as f64
        };
        let h = 1e-4;
        let (mut rise, mut fall) = ([0.0; 4], [0.0; 4]);
        for k in 0..4 {
            let moved = |by: f64| {
                let mut a = wrong;
                a[k] += by;
                a
            };
            rise[k] = (evidence(&moved(h))?.0 - evidence(&moved(-h))?.0) / (2.0 * h);
            fall[k] = -(energy(&moved(h)) - energy(&moved(-h))) / (2.0 * h);
        }
        let largest = rise.iter().fold(0.0_f64, |m, r| m.max(r.abs()));
        for (rise, fall) in rise.iter().zip(&fall) {
            println!("{shape:?} {memory}: {rise:.2} {fall:.2} of {largest:.2}");
            assert!(
                (rise - fall).abs() < FISHER * largest,
                "{shape:?}: {rise} {fall}"
            );
        }
    }
    Ok(())
}

/// A network of seven weights is learned along with the states, by the schemes that learn parameters.
#[test]
fn a_few_weights_are_learned_as_parameters() -> Result<()> {
    let truth = |x: f64| -0.4 * (2.0 * x).tanh();
    let network = |last: f64| {
        let layers = [
            Layer {
                weight: vec![vec![2.0]],
                bias: vec![0.0],
            },
            Layer {
                weight: vec![vec![last]],
                bias: vec![0.0],
            },
        ];
        let flow = Network::from_layers(&layers, Activation::Tanh).unwrap();
        let output = Network::linear(DMatrix::identity(1, 1)).unwrap();
        Neural::new(flow, output).unwrap()
    };
    let embedding = Embedding {
        states: 0,
        causes: 0,
        smoothness: 0.0,
    };
    let made = GenerativeModel::single(network(-0.4), &[], 25.0, 10.0, 1.0, &[0.0])?;
    let generation = Generation {
        smoothness: 0.0,
        order: 0,
        steps: 1,
    };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let data = generation.run(made, 4000, None, &mut rng)?;
    let start = network(0.0).with_free_weights();
    let theta = start.defaults();
    let mut model = GenerativeModel::single(start, &theta, 25.0, 10.0, 1.0, &[0.0])?;
    // All of f; the last weight is that of g.
    for i in 0..4 {
        model.levels[0].parameters.covariance[(i, i)] = 0.25;
    }
    let settings = OdemConfig {
        filter: CausalConfig::from(embedding),
        ..OdemConfig::default()
    };
    let mut odem = Odem::new(model, settings, None)?;
    for y in data.outputs.column_iter() {
        odem.update(Some(y.as_slice()))?;
    }
    let [w, b, last, bias] = odem.parameters() else {
        panic!("four weights are free: {:?}", odem.parameters());
    };
    // Where the states are: their deviation is near 0.4.
    for x in [-0.6_f64, -0.3, 0.0, 0.3, 0.6] {
        let learned = last * (w * x + b).tanh() + bias;
        assert!(
            (learned - truth(x)).abs() < 0.08,
            "{x}: {learned} for {}",
            truth(x)
        );
    }
    Ok(())
}
