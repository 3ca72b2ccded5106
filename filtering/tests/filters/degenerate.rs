//! Data of which no variance or covariance is the best: refused by the columns at fault, or regularised where asked; and single
//! values far from all others, which are no reason to refuse.

use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};
use scotopic_filtering::hmm::{BatchEm, EmissionKind, Fit, FitSettings, Hmm};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFit};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Result, Sequence};

const GAUSSIAN: [EmissionKind; 2] = [EmissionKind::DiagonalGaussian, EmissionKind::FullGaussian];

/// Fractions of multiples of the golden ratio: as good as noise.
fn noise(t: u32) -> f64 {
    (f64::from(t) * 0.618_033_988_749_895).fract() - 0.5
}

fn rows(row: impl Fn(f64, f64) -> Vec<f64>) -> Sequence {
    let rows = (1..=100).map(|t| row(noise(t), noise(31 * t + 7)));
    Sequence::of_rows(rows).unwrap()
}

fn hmm(
    kind: EmissionKind,
    states: usize,
    data: &Sequence,
    pseudo_count: f64,
) -> Result<Fit<scotopic_filtering::hmm::AnyEmission>> {
    let em = BatchEm {
        pseudo_count,
        ..BatchEm::default()
    };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    Hmm::fit_guesses(kind, states, std::slice::from_ref(data), 10, &em, &mut rng)
}

fn linear(states: usize, data: &Sequence, pseudo_count: f64) -> Result<f64> {
    let fit = GaussianFit {
        max_iterations: 30,
        pseudo_count,
        ..GaussianFit::default()
    };
    let data = std::slice::from_ref(data);
    let fitted = LinearGaussian::initial_guess(states, data)?.fit(data, &fit)?;
    Ok(fitted.log_evidence.last().copied().unwrap_or(f64::NAN))
}

/// The columns at fault.
#[track_caller]
fn at_fault<T>(result: Result<T>) -> Vec<usize> {
    match result {
        Err(error @ Error::Dependent { .. }) => {
            let said = error.to_string();
            assert!(said.contains("pseudo_count"), "{said}");
            match error {
                Error::Dependent { columns } => columns,
                _ => vec![],
            }
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn collinear_columns_are_named_or_regularised_where_asked() {
    for unit in [1e-9, 1.0, 1e9] {
        let twice = rows(|x, _| vec![x, 2.0 * x * unit]);
        let sum = rows(|x, y| vec![5.0 + x, y * unit, (5.0 + x) + y]);
        for states in [1, 2] {
            let fit =
                |data, pseudo_count| hmm(EmissionKind::FullGaussian, states, data, pseudo_count);
            assert_eq!(at_fault(fit(&twice, 0.0)), [0, 1]);
            assert_eq!(at_fault(fit(&sum, 0.0)), [0, 1, 2]);
            assert!(fit(&twice, 0.1).is_ok());
            assert!(fit(&sum, 0.1).is_ok());
            assert_eq!(at_fault(linear(states, &twice, 0.0)), [0, 1]);
            assert!(linear(states, &twice, 0.1).is_ok());
            // Independent variances have a best value.
            assert!(hmm(EmissionKind::DiagonalGaussian, 1, &twice, 0.0).is_ok());
        }
    }
}

#[test]
fn columns_that_do_not_vary_are_named_or_regularised_where_asked() {
    for value in [0.0, -3.7, 1e12, 1e-12] {
        let data = rows(|x, y| vec![x, value, y]);
        for kind in GAUSSIAN {
            assert_eq!(at_fault(hmm(kind, 2, &data, 0.0)), [1], "{value}");
            let fit = hmm(kind, 2, &data, 0.1).unwrap();
            assert!(fit.log_evidence().is_finite());
        }
        assert_eq!(at_fault(linear(2, &data, 0.0)), [1]);
        assert!(linear(2, &data, 0.1).unwrap().is_finite());
    }
}

#[test]
fn a_single_value_far_from_all_others_is_fitted() {
    for unit in [1e-9, 1.0, 1e9] {
        let mut data = Sequence::new(1).unwrap();
        for t in 1..=100 {
            data.push(Some(&[noise(t) * unit])).unwrap();
        }
        data.push(Some(&[1000.0 * unit])).unwrap();
        for kind in GAUSSIAN {
            let fit = hmm(kind, 2, &data, 0.0).unwrap();
            assert!(fit.pseudo_count > 0.0 && fit.converged);
            let emission = serde_json::to_value(fit.model.emission()).unwrap();
            let means = emission["means"].as_array().unwrap();
            let mean = |s: usize| means[s][0].as_f64().unwrap() / unit;
            // The mean of the hundred, and the one; a millionth of an observation moves neither by more.
            assert!(mean(0).abs() < 0.01, "{}", mean(0));
            assert!((mean(1) - 1000.0).abs() < 0.01, "{}", mean(1));
        }
    }
    let counts = (1..=100).map(|t| (10.0 * (noise(t) + 0.5)).floor());
    for far in [1e3, 1e6, 1e12] {
        let data = Sequence::of_numbers(counts.clone().chain([far])).unwrap();
        let fit = hmm(EmissionKind::Poisson, 2, &data, 0.0).unwrap();
        assert!(fit.log_evidence().is_finite() && fit.pseudo_count == 0.0);
        assert_eq!(fit.model.states(), 2);
    }
    // Numbers that are no counts are refused as such, with and without pseudo-observations.
    let data = rows(|x, _| vec![x]);
    for pseudo_count in [0.0, 1.0] {
        let refused = hmm(EmissionKind::Poisson, 2, &data, pseudo_count);
        assert!(matches!(refused, Err(Error::Observation { .. })));
    }
}

#[test]
fn what_is_impossible_is_no_parameter() {
    // A ring of six states: each stays or goes on, which is one free number a row; eight means and variances a state.
    let ring: Vec<Vec<f64>> = (0..6)
        .map(|i| {
            (0..6)
                .map(|j| {
                    if j == i {
                        0.8
                    } else if j == (i + 1) % 6 {
                        0.2
                    } else {
                        0.0
                    }
                })
                .collect()
        })
        .collect();
    let means: Vec<Vec<f64>> = (0..6)
        .map(|s| (0..8).map(|d| f64::from(s * d)).collect())
        .collect();
    let emission =
        scotopic_filtering::hmm::DiagonalGaussian::new(means, vec![vec![1.0; 8]; 6]).unwrap();
    let model = Hmm::new(vec![1.0 / 6.0; 6], ring, emission).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let data = [model.sample(300, &mut rng).unwrap().1];
    for pseudo_count in [0.0, 0.1] {
        let em = BatchEm {
            max_iterations: 2,
            pseudo_count,
            ..BatchEm::default()
        };
        let fit = model.clone().fit(&data, &em).unwrap();
        assert_eq!(fit.free_parameters, 5 + 6 + 6 * 16);
    }
    let coins =
        scotopic_filtering::hmm::Categorical::new(vec![vec![0.5, 0.5, 0.0], vec![0.1, 0.2, 0.7]])
            .unwrap();
    let model = Hmm::new(vec![1.0, 0.0], vec![vec![0.5, 0.5], vec![0.0, 1.0]], coins).unwrap();
    let data = [Sequence::of_symbols([0, 1, 1, 2]).unwrap()];
    for (pseudo_count, symbols) in [(0.0, 1 + 2), (0.5, 2 + 2)] {
        let em = BatchEm {
            max_iterations: 1,
            pseudo_count,
            ..BatchEm::default()
        };
        let fit = model.clone().fit(&data, &em).unwrap();
        assert_eq!(fit.free_parameters, 1 + symbols);
    }
}

/// The rank of the Jacobian of what observations tell, their means and covariances, is the number of free parameters.
#[test]
fn parameters_of_a_linear_model_are_those_that_observations_tell() {
    use scotopic_filtering::nalgebra::{DMatrix, DVector};
    const STEPS: usize = 8;
    const STEP: f64 = 1e-5;
    for (n, m) in [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (1, 2), (2, 3)] {
        let at = |k: usize| noise(17 * k as u32 + 3);
        let whole = |p: &[f64]| {
            let mut left = p.iter().copied();
            let mut full = |r: usize, c: usize| DMatrix::from_fn(r, c, |_, _| left.next().unwrap());
            let (f, h, b, d, m0) = (full(n, n), full(m, n), full(n, 1), full(m, 1), full(n, 1));
            let mut covariance = |k: usize| {
                let mut c = DMatrix::zeros(k, k);
                for i in 0..k {
                    for j in 0..=i {
                        c[(i, j)] = left.next().unwrap();
                        c[(j, i)] = c[(i, j)];
                    }
                }
                c + DMatrix::identity(k, k) * 2.0
            };
            let (q, p0, r) = (covariance(n), covariance(n), covariance(m));
            // Means and covariances of y_1 … y_T.
            let (mut told, mut mean, mut spread): (Vec<f64>, DVector<f64>, DMatrix<f64>) =
                (vec![], m0.column(0).into(), p0);
            for t in 0..STEPS {
                told.extend((&h * &mean + &d).iter());
                let mut ahead = &spread * h.transpose();
                let own = &h * &ahead + &r;
                told.extend(own.iter());
                for _ in t + 1..STEPS {
                    ahead = &f * ahead;
                    told.extend((&h * &ahead).iter());
                }
                mean = &f * mean + &b;
                spread = &f * spread * f.transpose() + &q;
            }
            told
        };
        let entries = n * n + m * n + 2 * n + m + n * (n + 1) + m * (m + 1) / 2;
        let point: Vec<f64> = (0..entries).map(|k| 0.8 * at(k)).collect();
        let columns: Vec<DVector<f64>> = (0..entries)
            .map(|k| {
                let moved = |by: f64| {
                    let mut p = point.clone();
                    p[k] += by;
                    DVector::from_vec(whole(&p))
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect();
        let jacobian = DMatrix::from_columns(&columns);
        let values = jacobian.singular_values();
        // Central differences of polynomials leave 1e-10; what is told at all is told to 1e-6 here.
        let rank = values.iter().filter(|v| **v > 1e-8 * values.max()).count();
        let one = |k: usize| DMatrix::<f64>::identity(k, k);
        let model = LinearGaussian::new(one(n), one(n), DMatrix::zeros(m, n), one(m)).unwrap();
        assert_eq!(
            model.free_parameters(),
            rank,
            "{n} states, {m} entries: {values:?}"
        );
    }
}

/// A regression on (y, x …).
fn on_inputs(data: &Sequence, pseudo_count: f64) -> Result<f64> {
    let settings = FitSettings {
        restarts: 2,
        pseudo_count,
        ..FitSettings::default()
    };
    let (kind, data) = (EmissionKind::LinearRegression, std::slice::from_ref(data));
    Ok(Hmm::fit_states(kind, 2, data, &settings)?.log_evidence)
}

#[test]
fn an_output_that_its_inputs_give_exactly_has_no_variance() {
    let constant = Sequence::of_rows((1..10).map(|x| [3.0, f64::from(x)])).unwrap();
    assert_eq!(at_fault(on_inputs(&constant, 0.0)), [0]);
    assert!(on_inputs(&constant, 1.0).unwrap().is_finite());
    let line = rows(|a, b| vec![2.0 - 3.0 * b, a, b]);
    assert_eq!(at_fault(on_inputs(&line, 0.0)), [0, 2]);
    assert!(on_inputs(&line, 1.0).unwrap().is_finite());
    let noisy = rows(|a, b| vec![2.0 - 3.0 * b + 1e-3 * (a * 40.0).sin(), b]);
    assert!(on_inputs(&noisy, 0.0).unwrap().is_finite());
}

/// A rate of what was never seen is an invention.
#[test]
fn a_neuron_that_was_never_seen_has_no_rate() {
    let row =
        |a: f64, b: f64, third: f64| vec![(4.0 + 4.0 * a).round(), (3.0 - 4.0 * b).round(), third];
    let fit = |data: Sequence| {
        let few = PldsFit {
            max_iterations: 2,
            ..PldsFit::default()
        };
        Plds::fit_latents(CountLaw::Poisson, 1, &[data], &few)
    };
    assert!(fit(rows(|a, b| row(a, b, 1.0))).is_ok());
    let error = fit(rows(|a, b| row(a, b, f64::NAN))).unwrap_err();
    assert!(
        matches!(&error, Error::Entry { at, .. } if *at == [2]),
        "{error}"
    );
    assert!(
        error.to_string().contains("leave this column out"),
        "{error}"
    );
    let none = fit(rows(|_, _| vec![f64::NAN; 3])).unwrap_err();
    assert!(matches!(none, Error::Size { .. }), "{none}");
    let model = fit(rows(|a, b| row(a, b, 1.0))).unwrap().model;
    let again = model.fit(&[rows(|a, b| row(a, b, f64::NAN))], &PldsFit::default());
    assert!(matches!(again, Err(Error::Entry { .. })));
}
