//! The unit of the data does not matter: a column times 10^k (models scaled alike) changes no posterior and shifts every
//! log-likelihood by −n k ln 10, n its observed values.

use scotopic_filtering::gaussian::{GaussianFit, GaussianLearn, LinearGaussian};
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::NoisePrecision;
use scotopic_filtering::hmm::{
    AnyEmission, Autoregression, BatchEm, DiagonalGaussian, Emission, EmissionKind, FullGaussian,
    Hmm, Learn, LinearRegression, StudentT,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::nonlinear::models::DiagonalLinear;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{
    AnyFilter, AnyModel, ELBO_KINDS, Filter, GAUSSIAN_FACTORISATIONS, Moments, Sequence,
};

/// Sums of some hundred terms in another unit: rounding, relative to the largest.
const ROUNDING: f64 = 1e-9;

/// Two columns of which the second is in another unit; a few rows are missing.
fn data(unit: f64) -> Sequence {
    let mut sequence = Sequence::new(2).unwrap();
    let mut x = 0.3f64;
    for t in 0..150 {
        x = 3.9 * x * (1.0 - x); // as good as noise
        let level = if (t / 25) % 2 == 0 { 0.0 } else { 3.0 };
        let row = [
            level + x,
            (2.0 * level - x * x + 0.1 * (t as f64).sin()) * unit,
        ];
        sequence.push((t % 17 != 5).then_some(&row)).unwrap();
    }
    sequence
}

fn observed(data: &Sequence) -> f64 {
    data.iter().flatten().count() as f64
}

/// Every unit with a tolerance: powers of ten, and of two, which only change exponents, so that what is not a logarithm can be `exact`.
fn units(exact: f64) -> Vec<(f64, f64)> {
    let tens = (-9..=9).map(|k| (10f64.powi(k), ROUNDING));
    let twos = [-40, -3, 7, 33].map(|k| (2f64.powi(k), exact));
    tens.chain(twos).collect()
}

#[track_caller]
fn same(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    for (a, b) in a.iter().zip(b) {
        assert!(
            (a - b).abs() <= tolerance * (1.0 + b.abs()),
            "{what}: {a} and {b}"
        );
    }
}

/// The log-likelihood is −n ln unit beside the one in the unit one; the shift itself is a rounded number.
#[track_caller]
fn shifted(there: f64, here: f64, unit: f64, n: f64, tolerance: f64, what: &str) {
    let shift = n * unit.ln();
    let room = tolerance.max(1e-12) * (1.0 + here.abs() + shift.abs());
    assert!(
        (there + shift - here).abs() <= room,
        "{what}: {there} + {shift} and {here}"
    );
}

fn hmms(unit: f64) -> [Hmm<AnyEmission>; 2] {
    let (s, q) = (unit, unit * unit);
    let diagonal = DiagonalGaussian::new(
        vec![vec![0.5, 0.0], vec![3.0, 5.0 * s]],
        vec![vec![0.5, q], vec![0.7, 2.0 * q]],
    );
    let full = FullGaussian::new(
        vec![vec![0.5, 0.0], vec![3.0, 5.0 * s]],
        vec![
            vec![vec![0.5, 0.1 * s], vec![0.1 * s, q]],
            vec![vec![0.7, -0.2 * s], vec![-0.2 * s, 2.0 * q]],
        ],
    );
    [diagonal.unwrap().into(), full.unwrap().into()].map(of_two_states)
}

fn of_two_states(emission: AnyEmission) -> Hmm<AnyEmission> {
    Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.9, 0.1], vec![0.2, 0.8]],
        emission,
    )
    .unwrap()
}

/// How often the second entry, which has the unit, is there in rows at these times.
fn second_entries(data: &Sequence, counts: impl Fn(usize) -> bool) -> f64 {
    let there = |t: &usize| data.get(*t).is_some_and(|row| !row[1].is_nan());
    (0..data.len()).filter(there).filter(|&t| counts(t)).count() as f64
}

/// What else has outputs with a unit: heavy tails, and regressions on the row before.
fn with_tails_or_lags(unit: f64) -> [Hmm<AnyEmission>; 2] {
    let (s, q) = (unit, unit * unit);
    let tails = StudentT::new(
        vec![vec![0.5, 0.0], vec![3.0, 5.0 * s]],
        vec![vec![0.7, s], vec![0.8, 1.4 * s]],
        vec![vec![4.0, 5.0], vec![6.0, 30.0]],
    );
    let lags = Autoregression::new(
        vec![vec![0.2, 0.1 * s], vec![1.0, 2.0 * s]],
        vec![
            vec![vec![vec![0.5, 0.1 / s], vec![0.2 * s, 0.3]]],
            vec![vec![vec![0.7, 0.0], vec![-0.1 * s, 0.6]]],
        ],
        vec![
            vec![vec![0.5, 0.1 * s], vec![0.1 * s, q]],
            vec![vec![0.7, -0.2 * s], vec![-0.2 * s, 2.0 * q]],
        ],
    );
    [tails.unwrap().into(), lags.unwrap().into()].map(of_two_states)
}

/// One column given another, in each state with a variance of its own.
fn regression(unit: f64) -> Hmm<AnyEmission> {
    let weights = vec![vec![0.5 * unit, 1.2 * unit], vec![2.0 * unit, -0.3 * unit]];
    let line = LinearRegression::new(vec!["x".into()], weights).unwrap();
    let line = line.with_variances(vec![0.6 * unit * unit, 1.5 * unit * unit]);
    of_two_states(line.unwrap().into())
}

#[test]
fn of_no_posterior_of_a_hidden_markov_model() {
    // The second column with the first as its input.
    let given = |unit: f64| {
        let all = data(unit);
        let mut sequence = Sequence::new(2).unwrap();
        for row in all.iter() {
            sequence
                .push(row.map(|r| [r[1], r[0]]).as_ref().map(|r| &r[..]))
                .unwrap();
        }
        sequence
    };
    // Entries are missing as well as rows.
    let holes = |unit: f64| {
        let mut sequence = Sequence::new(2).unwrap();
        for (t, row) in data(unit).iter().enumerate() {
            let row = row.map(|r| match t % 7 {
                2 => [f64::NAN, r[1]],
                4 => [r[0], f64::NAN],
                _ => [r[0], r[1]],
            });
            sequence.push(row.as_ref().map(|r| &r[..])).unwrap();
        }
        sequence
    };
    let cases = |unit: f64| -> Vec<(Hmm<AnyEmission>, Sequence)> {
        let [diagonal, full] = hmms(unit);
        let [tails, lags] = with_tails_or_lags(unit);
        let several = [diagonal, full, tails, lags].into_iter();
        let with_holes = several.map(|model| (model, holes(unit)));
        with_holes
            .chain([(regression(unit), given(unit))])
            .collect()
    };
    for (unit, tolerance) in units(0.0) {
        for ((model, there), (base, here)) in cases(unit).into_iter().zip(cases(1.0)) {
            let what = format!("{}, unit {unit:e}", model.emission().kind().name());
            let (scaled, plain) = (model.smooth(&there).unwrap(), base.smooth(&here).unwrap());
            for t in 0..here.len() {
                same(
                    scaled.marginal(t).unwrap(),
                    plain.marginal(t).unwrap(),
                    tolerance,
                    &what,
                );
            }
            // Rows whose lag is missing say nothing, and so count nothing of the unit.
            let n = match (model.emission().lags(), model.emission().inputs()) {
                (0, []) => second_entries(&here, |_| true),
                (0, _) => observed(&here),
                _ => second_entries(&here, |t| {
                    t > 0
                        && here
                            .get(t - 1)
                            .is_some_and(|r| r.iter().all(|x| !x.is_nan()))
                }),
            };
            shifted(
                model.log_evidence(&there).unwrap(),
                base.log_evidence(&here).unwrap(),
                unit,
                n,
                tolerance,
                &what,
            );
        }
    }
}

#[test]
fn of_no_hidden_markov_model_while_it_learns() {
    let rules = ["block-online-em", "online-em", "fixed-lag", "dirichlet"];
    for name in rules {
        let learn: Learn = serde_json::from_str(&format!("{{\"rule\": \"{name}\"}}")).unwrap();
        for which in 0..2 {
            let run = |unit: f64| {
                let (model, data) = (hmms(unit)[which].clone(), data(unit));
                let mut filter = model.learn_online(&learn).unwrap();
                let beliefs: Vec<f64> = data
                    .iter()
                    .flat_map(|row| {
                        filter.update(row).unwrap();
                        filter.belief().to_vec()
                    })
                    .collect();
                (beliefs, filter.elbo(), observed(&data))
            };
            let (beliefs, elbo, n) = run(1.0);
            for (unit, tolerance) in units(0.0) {
                let what = format!("{name}, emission {which}, unit {unit:e}");
                let there = run(unit);
                same(&there.0, &beliefs, tolerance, &what);
                shifted(there.1, elbo, unit, n, tolerance, &what);
            }
        }
    }
}

#[test]
fn of_no_fit_that_starts_from_the_data() {
    // The last steps of a fit compare values of ln p, whose rounding depends on the unit.
    for kind in [EmissionKind::DiagonalGaussian, EmissionKind::FullGaussian] {
        for pseudo_count in [0.0, 0.5] {
            let em = BatchEm {
                max_iterations: 15,
                tolerance: 0.0,
                pseudo_count,
            };
            let run = |unit: f64| {
                let data = data(unit);
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
                let fit = Hmm::fit_guesses(kind, 2, std::slice::from_ref(&data), 2, &em, &mut rng)
                    .unwrap();
                (
                    fit.model.transition().to_vec(),
                    fit.log_evidence(),
                    observed(&data),
                )
            };
            let (transition, evidence, n) = run(1.0);
            for (unit, tolerance) in units(ROUNDING) {
                let what = format!(
                    "{}, pseudo-count {pseudo_count}, unit {unit:e}",
                    kind.name()
                );
                let there = run(unit);
                same(&there.0, &transition, tolerance, &what);
                shifted(there.1, evidence, unit, n, tolerance, &what);
            }
        }
    }
}

/// A model of one dimension per column, the second in another unit.
fn linear(unit: f64) -> LinearGaussian {
    let u = DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, unit]));
    let scaled = |m: [f64; 4]| &u * DMatrix::from_row_slice(2, 2, &m) * &u;
    LinearGaussian::new(
        DMatrix::from_row_slice(2, 2, &[0.9, 0.1 / unit, -0.05 * unit, 0.8]),
        scaled([0.5, 0.1, 0.1, 0.7]),
        DMatrix::identity(2, 2),
        scaled([0.3, 0.05, 0.05, 0.4]),
    )
    .and_then(|model| {
        model.with_initial(
            DVector::from_vec(vec![0.0, 0.0]),
            scaled([1.0, 0.2, 0.2, 2.0]),
        )
    })
    .unwrap()
}

#[test]
fn of_no_linear_model_while_it_learns() {
    for name in ["block-online-em", "online-em"] {
        let learn: GaussianLearn =
            serde_json::from_str(&format!("{{\"rule\": \"{name}\"}}")).unwrap();
        let run = |unit: f64| {
            let data = data(unit);
            let mut filter = linear(unit).learn_online(&learn).unwrap();
            let means: Vec<f64> = data
                .iter()
                .flat_map(|row| {
                    filter.update(row).unwrap();
                    let mean = filter.filter().mean();
                    [mean[0], mean[1] / unit]
                })
                .collect();
            (means, filter.filter().elbo(), observed(&data))
        };
        let (means, elbo, n) = run(1.0);
        for (unit, tolerance) in units(0.0) {
            let what = format!("{name}, unit {unit:e}");
            let there = run(unit);
            same(&there.0, &means, tolerance, &what);
            shifted(there.1, elbo, unit, n, tolerance, &what);
        }
    }
}

/// A filter of a model in this unit, by each bound or factorisation, fixed or learning.
fn continuous(unit: f64) -> Vec<(String, AnyFilter)> {
    let (q, u) = (unit * unit, unit);
    let diagonal = |a: f64, b: f64| DMatrix::from_diagonal(&DVector::from_vec(vec![a, b]));
    let line = LinearGaussian::new(
        diagonal(0.9, 0.8),
        diagonal(0.5, 0.7 * q),
        diagonal(1.0, 1.0),
        diagonal(0.3, 0.4 * q),
    )
    .and_then(|model| model.with_initial(DVector::zeros(2), diagonal(1.0, 2.0 * q)))
    .unwrap();
    let mut all: Vec<(String, AnyFilter)> = GAUSSIAN_FACTORISATIONS
        .split(", ")
        .map(|name| {
            let model = AnyModel::LinearGaussian(line.clone());
            (name.to_owned(), AnyFilter::new(model, name).unwrap())
        })
        .collect();
    let rmle: GaussianLearn = serde_json::from_str("{\"rule\": \"rmle\"}").unwrap();
    let learning = line.learn_online(&rmle).unwrap();
    all.push(("rmle".to_owned(), AnyFilter::GaussianLearning(learning)));
    // Hidden states in units of their own: only what is seen changes.
    let seen = DiagonalLinear::new(
        vec![0.9, 0.8],
        vec![1.0, u],
        vec![0.5, 0.7],
        vec![0.3, 0.4 * q],
    )
    .unwrap();
    for bound in ELBO_KINDS.split(", ") {
        let model = AnyModel::Nonlinear(seen.clone().into());
        all.push((
            format!("diagonal-linear, {bound}"),
            AnyFilter::new(model, bound).unwrap(),
        ));
    }
    let smooth = serde_json::json!({
        "model": {
            "equations": {
                "kind": "linear", "a": [[-0.5, 1.0], [-1.0, -0.2]], "b": [[1.0], [0.0]],
                "c": [[1.0, 0.0], [0.0, u]]
            },
            "output_precision": 2.0, "motion_precision": 3.0
        },
        "embedding": {"states": 2, "causes": 1, "smoothness": 0.5},
        "start_variance": 0.0
    });
    let smooth: GeneralisedModel = serde_json::from_value(smooth).unwrap();
    let mut built = smooth.build().unwrap();
    built.levels[0].output = NoisePrecision::known(diagonal(2.0, 2.0 / q));
    let config = CausalConfig::from(smooth.embedding);
    let filter = CausalGeneralisedFilter::new(built, config, None).unwrap();
    all.push((
        "generalised".to_owned(),
        AnyFilter::Causal(filter, Box::new(smooth)),
    ));
    all
}

#[test]
fn of_no_filter_with_gaussian_outputs() {
    // What is predicted of the observation is the same in units of its deviation.
    let run = |filter: &mut AnyFilter, unit: f64| {
        let data = data(unit);
        let predictions: Vec<f64> = data
            .iter()
            .flat_map(|row| {
                let Moments { mean, variance } = filter.predicted_observation().unwrap().moments();
                filter.update(row).unwrap();
                let [a, b] = [variance[0].sqrt(), variance[1].sqrt()];
                [mean[0], mean[1] / unit, a, b / unit]
            })
            .collect();
        (predictions, filter.elbo(), observed(&data))
    };
    let here: Vec<_> = continuous(1.0)
        .into_iter()
        .map(|(_, mut filter)| run(&mut filter, 1.0))
        .collect();
    for (unit, tolerance) in units(ROUNDING) {
        for ((name, mut filter), (predictions, elbo, n)) in continuous(unit).into_iter().zip(&here)
        {
            let what = format!("{name}, unit {unit:e}");
            let there = run(&mut filter, unit);
            same(&there.0, predictions, tolerance, &what);
            shifted(there.1, *elbo, unit, *n, tolerance, &what);
        }
    }
}

#[test]
fn of_no_linear_fit_that_starts_from_the_data() {
    for (states, pseudo_count) in [(1, 0.0), (2, 0.0), (3, 0.1)] {
        let fit = GaussianFit {
            max_iterations: 10,
            tolerance: 0.0,
            pseudo_count,
            ..GaussianFit::default()
        };
        let run = |unit: f64| {
            let data = data(unit);
            let sequences = std::slice::from_ref(&data);
            let guess = LinearGaussian::initial_guess(states, sequences).unwrap();
            let fitted = guess.fit(sequences, &fit).unwrap();
            let transition = fitted.model.transition().as_slice().to_vec();
            (transition, fitted.log_evidence[10], observed(&data))
        };
        let (transition, evidence, n) = run(1.0);
        for (unit, tolerance) in units(0.0) {
            let what = format!("{states} states, pseudo-count {pseudo_count}, unit {unit:e}");
            let there = run(unit);
            same(&there.0, &transition, tolerance, &what);
            shifted(there.1, evidence, unit, n, tolerance, &what);
        }
    }
}
