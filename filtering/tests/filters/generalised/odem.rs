//! Online triple estimation on data of its own making, and on data of another model.

use scotopic_filtering::Filter as _;
use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::causal::{CausalConfig, Generation, NoiseShape};
use scotopic_filtering::generalised::model::{
    GeneralisedLotkaVolterra, GenerativeModel, Linear, Lorenz, LorenzOutput, NoisePrecision,
};
use scotopic_filtering::generalised::odem::{Odem, OdemConfig, triple_estimation};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// Mean squared error of the raw observations in the published run, which the estimate has to beat.
const RAW: f64 = 0.0090;

/// Lorenz's system with ρ and both precisions unknown, watching something that it is not.
fn lorenz(time_step: f64) -> GenerativeModel<Lorenz> {
    let equations = Lorenz {
        doubled: false,
        time_step,
        output: LorenzOutput::Each,
    };
    let theta = [10.0, 1.0, 8.0 / 3.0];
    let mut model = GenerativeModel::single(equations, &theta, 1.0, 1.0, 1.0, &[0.3; 3]).unwrap();
    let level = &mut model.levels[0];
    level.parameters.covariance[(1, 1)] = 10.0;
    level.output = NoisePrecision::unknown(3, 3.0, 4.0);
    level.motion = NoisePrecision::unknown(3, 3.0, 4.0);
    model
}

#[test]
fn a_wrong_model_still_sees_more_than_the_raw_observations() {
    // Three species in a cycle, 600 bins of 0.1, each seen with noise of standard deviation 0.1; white, and
    // smooth with s = ½.
    for seed in 1..=3 {
        for smoothness in [0.0, 0.5] {
            let world = GeneralisedLotkaVolterra::cycle();
            let theta = world.defaults();
            let start = [0.2, 0.3, 0.4];
            let world = GenerativeModel::single(world, &theta, 100.0, 1e12, 1.0, &start).unwrap();
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let generation = Generation {
                smoothness,
                order: 6,
                steps: 4,
            };
            let data = generation.run(world, 600, None, &mut rng).unwrap();
            let each = data.states.len() as f64;
            let raw = (&data.outputs - &data.states).norm_squared() / each;
            for (bin, order) in [(0.02, 2), (0.02, 3), (0.05, 2)] {
                let shape = NoiseShape::Sampled {
                    smoothness: 2.0,
                    order,
                };
                let base = OdemConfig::default();
                let filter = CausalConfig {
                    motion: shape,
                    noise_lags: order + 1,
                    ..base.filter
                };
                let settings = OdemConfig { filter, ..base };
                let start = DMatrix::identity(3, 3) * 0.1;
                let mut odem = Odem::new(lorenz(bin), settings, Some(&start)).unwrap();
                let mut error = 0.0;
                for t in 0..data.outputs.ncols() {
                    odem.update(Some(data.outputs.column(t).as_slice()))
                        .unwrap();
                    let truth = data.states.column(t);
                    let squares = odem
                        .filter()
                        .states()
                        .iter()
                        .zip(truth.iter())
                        .map(|(a, b)| (a - b).powi(2));
                    error += squares.sum::<f64>() / each;
                }
                let (rho, h) = (odem.parameters()[0], odem.log_precisions());
                println!(
                    "seed {seed} s {smoothness} bin {bin} order {order}: raw {raw:.5}, estimate {error:.5}, \
                     rho {rho:.2} ± {:.2}, log precisions {h:.2?}",
                    odem.parameter_variances()[0].sqrt(),
                );
                assert!(error < RAW && error < raw, "{error} {raw}");
                // What was learned: the observations' precision, ln 100 = 4.6, and that ρ is not 1 ± 3.
                assert!((h[0] - 4.6).abs() < 0.4, "{h:?}");
                assert!(odem.parameter_variances()[0] < 1.0);
                assert!((h[1] - 3.0).abs() > 0.3, "{h:?}");
            }
        }
    }
}

#[test]
fn a_right_model_finds_its_parameters_and_precisions() {
    // The convolution model, A_21 and C_11 free as in the published demonstration, precisions from e^6.
    let truth = Linear::convolution();
    let theta = truth.defaults();
    let e8 = f64::exp(8.0);
    let world = GenerativeModel::single(truth, &theta, e8, e8, 1.0, &[0.0, 0.0]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let data = Generation::default()
        .run(world.clone(), 3000, None, &mut rng)
        .unwrap();
    let mut model = world;
    let level = &mut model.levels[0];
    for i in [1, 4] {
        level.parameters.mean[i] = 0.0;
        level.parameters.covariance[(i, i)] = 1.0;
    }
    level.output = NoisePrecision::unknown(4, 6.0, 4.0);
    level.motion = NoisePrecision::unknown(2, 6.0, 4.0);
    let filter = CausalConfig::default();
    let settings = OdemConfig {
        filter,
        ..OdemConfig::default()
    };
    let mut odem = Odem::new(model, settings, None).unwrap();
    for t in 0..data.outputs.ncols() {
        odem.update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
    }
    let spread = odem.log_precision_covariance().unwrap();
    let variances = odem.parameter_variances();
    println!(
        "parameters {:?} ± {:?}, log precisions {:?} ± {:?}",
        odem.parameters(),
        variances.iter().map(|v| v.sqrt()).collect::<Vec<_>>(),
        odem.log_precisions(),
        [spread[(0, 0)].sqrt(), spread[(1, 1)].sqrt()],
    );
    // Within five carried standard deviations; those are small.
    for (i, expected) in [theta[1], theta[4]].into_iter().enumerate() {
        let deviation = (odem.parameters()[i] - expected).abs() / variances[i].sqrt();
        assert!(
            deviation < 5.0 && variances[i].sqrt() < 0.05,
            "parameter {i}: {deviation}"
        );
    }
    for i in 0..2 {
        let deviation = (odem.log_precisions()[i] - 8.0).abs() / spread[(i, i)].sqrt();
        assert!(
            deviation < 5.0 && spread[(i, i)].sqrt() < 0.3,
            "log precision {i}: {deviation}"
        );
    }
}

#[test]
fn passes_over_a_recording_raise_its_evidence() {
    let truth = Linear::ornstein_uhlenbeck(0.4);
    let theta = truth.defaults();
    let world = GenerativeModel::single(truth, &theta, 16.0, 4.0, 100.0, &[0.0]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let data = Generation::default()
        .run(world.clone(), 300, None, &mut rng)
        .unwrap();
    let rows = data
        .outputs
        .column_iter()
        .map(|y| y.iter().copied().collect::<Vec<_>>());
    let sequence = Sequence::of_rows(rows).unwrap();
    let mut model = world;
    model.levels[0].parameters.mean[0] = -1.5;
    model.levels[0].parameters.covariance[(0, 0)] = 1.0;
    model.levels[0].output = NoisePrecision::unknown(1, 0.0, 4.0);
    let filter = CausalConfig::default();
    let settings = OdemConfig {
        filter,
        ..OdemConfig::default()
    };
    let passes = triple_estimation(&model, &sequence, settings, None, 4).unwrap();
    println!("{passes:?}");
    assert!(passes[1].log_evidence > passes[0].log_evidence);
    assert!(passes[3].log_evidence > passes[1].log_evidence - 0.5);
    assert!((passes[3].parameters[0] + 0.4).abs() < 0.3);
}

#[test]
fn a_failed_update_changes_nothing() {
    let mut odem = Odem::new(lorenz(0.02), OdemConfig::default(), None).unwrap();
    odem.update(Some(&[0.3, 0.3, 0.2])).unwrap();
    let mut untouched = odem.clone();
    assert!(odem.update(Some(&[0.1])).is_err());
    // Squares of this overflow.
    assert!(odem.update(Some(&[1e200, 0.0, 0.0])).is_err());
    for y in [[0.3, 0.2, 0.2], [0.35, 0.25, 0.2]] {
        odem.update(Some(&y)).unwrap();
        untouched.update(Some(&y)).unwrap();
        assert_eq!(odem.filter().states(), untouched.filter().states());
        assert_eq!(odem.log_precisions(), untouched.log_precisions());
        assert_eq!(odem.parameters(), untouched.parameters());
    }
}
