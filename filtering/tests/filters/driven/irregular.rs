//! Continuous time seen at irregular times, against scipy (`tests/golden/irregular.py`) and closed forms.

use scotopic_filtering::gaussian::{
    DrivenFilter, DrivenGaussian, GaussianFit, Learned, LinearGaussian,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Sequence, SummarySettings};
use serde_json::{Value, json};

use super::{rows, sequence};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/irregular.json")).unwrap()
}

fn file(start: bool) -> DrivenGaussian {
    let golden = golden();
    let mut file = json!({"inputs": ["u"], "time": "t"});
    let keys = [
        "drift",
        "bias",
        "control",
        "diffusion",
        "observation",
        "offset",
        "direct",
        "observation_noise",
        "initial_mean",
        "initial_covariance",
    ];
    for key in &keys[..if start { 10 } else { 8 }] {
        file[key] = golden[key].clone();
    }
    serde_json::from_value(file).unwrap()
}

/// One number moved by the rates A and Q_c `[n, n]`, its first entry seen with noise 0.3.
fn rates(a: &[f64], q: &[f64]) -> DrivenGaussian {
    let n = a.len().isqrt();
    let square = |m: &[f64]| DMatrix::from_row_slice(n, n, m);
    let h = DMatrix::from_fn(1, n, |_, j| f64::from(u8::from(j == 0)));
    let base = LinearGaussian::new(square(a), square(q), h, DMatrix::from_element(1, 1, 0.3));
    DrivenGaussian::continuous(base.unwrap(), Vec::new(), "t").unwrap()
}

fn numbers(times: impl Iterator<Item = f64>) -> Sequence {
    Sequence::of_rows(times.map(|t| [(1.7 * t).sin() + 0.1 * t, t])).unwrap()
}

#[test]
fn evidence_and_smoothed_beliefs_are_those_of_matrix_exponentials() {
    let golden = golden();
    let data = sequence(&golden["rows"]);
    for model in [file(true), file(false)] {
        let evidence = model.log_evidence(&data).unwrap();
        let apart = evidence / golden["log_evidence"].as_f64().unwrap() - 1.0;
        assert!(apart.abs() < 1e-10, "{apart}");
        let smoothed = model.smooth(&data).unwrap();
        let (means, covariances) = (
            rows(&golden["smoothed_mean"]),
            rows(&golden["smoothed_covariance"]),
        );
        for (t, belief) in smoothed.smoothed().iter().enumerate() {
            // The smoother of the golden numbers inverts covariances, some of them after next to no time.
            let mean = belief.mean() - DVector::from_column_slice(&means[t]);
            let own = DMatrix::from_row_slice(2, 2, &covariances[t]);
            assert!(mean.amax() < 1e-8, "{t} {mean}");
            assert!((belief.covariance() - own).amax() < 1e-8, "{t}");
        }
    }
}

#[test]
fn equal_intervals_are_the_discrete_model() {
    let step = 0.8;
    let (level, slope, pull) = (0.4, 0.05, 2.5);
    // By hand: a level, a level with its slope, a fast and a slow decay.
    let decay = |a: f64| {
        let noise = level * (1.0 - (-2.0 * a * step).exp()) / (2.0 * a);
        (vec![-a], vec![level], vec![(-a * step).exp()], vec![noise])
    };
    let cubes = [
        level * step + slope * step.powi(3) / 3.0,
        slope * step * step / 2.0,
        slope * step * step / 2.0,
        slope * step,
    ];
    let cases = [
        (vec![0.0], vec![level], vec![1.0], vec![level * step]),
        (
            vec![0.0, 1.0, 0.0, 0.0],
            vec![level, 0.0, 0.0, slope],
            vec![1.0, step, 0.0, 1.0],
            cubes.to_vec(),
        ),
        decay(pull),
        decay(80.0),
        decay(1e-3),
    ];
    for (a, qc, f, q) in cases {
        let n = a.len().isqrt();
        let model = rates(&a, &qc);
        let square = |m: &[f64]| DMatrix::from_row_slice(n, n, m);
        let r = DMatrix::from_element(1, 1, 0.3);
        let h = model.base().observation().clone();
        let discrete = LinearGaussian::new(square(&f), square(&q), h, r).unwrap();
        let data = numbers((0..60).map(|t| step * f64::from(t)));
        let own = model.log_evidence(&data).unwrap();
        let y = Sequence::of_numbers(data.iter().flatten().map(|row| row[0])).unwrap();
        let other = discrete.log_evidence(&y).unwrap();
        assert!((own / other - 1.0).abs() < 1e-12, "{a:?}: {own} {other}");
    }
}

#[test]
fn a_row_of_which_nothing_is_seen_changes_nothing() {
    // The transition over two intervals is that over their sum.
    let model = rates(&[-0.2, 1.0, -1.0, -0.3], &[0.3, 0.1, 0.1, 0.2]);
    let data = numbers([0.0, 0.3, 2.0, 2.0, 9.5].into_iter());
    let mut more = Sequence::new(2).unwrap();
    for row in data.iter().flatten() {
        if row[1] == 9.5 {
            more.push(Some(&[f64::NAN, 4.321])).unwrap();
        }
        more.push(Some(row)).unwrap();
    }
    let (a, b) = (
        model.log_evidence(&data).unwrap(),
        model.log_evidence(&more).unwrap(),
    );
    assert!((a - b).abs() < 1e-12, "{a} {b}");
}

#[test]
fn forecasts_are_of_a_time() {
    let model = rates(&[-0.5], &[0.4]);
    let mut filter = DrivenFilter::new(model).unwrap();
    filter.update(Some(&[1.3, 10.0])).unwrap();
    let (m, p) = (filter.mean()[0], filter.covariance()[0]);
    let ahead = filter.predict_given(&[vec![12.0], vec![500.0]]).unwrap();
    let decay = (-1.0f64).exp();
    assert!((ahead[0].mean()[0] - decay * m).abs() < 1e-14);
    let variance = decay * decay * p + 0.4 * (1.0 - decay * decay) + 0.3;
    assert!((ahead[0].covariance()[(0, 0)] - variance).abs() < 1e-14);
    // Long after, the stationary distribution.
    assert!((ahead[1].covariance()[(0, 0)] - 0.7).abs() < 1e-12);
    // Not before the newest row, whose time is kept with a snapshot.
    let text = serde_json::to_string(&filter).unwrap();
    for mut filter in [filter, serde_json::from_str(&text).unwrap()] {
        let error = filter.update(Some(&[1.0, 9.9])).unwrap_err().to_string();
        assert!(
            error.contains("observation 1") && error.contains("sort"),
            "{error}"
        );
        assert!(filter.predict_given(&[vec![9.0]]).is_err());
        filter.update(Some(&[1.0, 10.0])).unwrap();
    }
}

#[test]
fn a_fit_finds_rates_in_any_unit_of_time() {
    let truth = rates(&[-0.4], &[0.8]);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
    let mut time = 0.0;
    let gap = |t: i32| 0.1 + 2.0 * (f64::from(t) * 0.618_033_988_749_895).fract();
    let times = (0..300).map(|t| {
        time += gap(t);
        [time]
    });
    let times = Sequence::of_rows(times).unwrap();
    let (_, data) = truth.sample_given(&times, &mut rng).unwrap();
    let settings = GaussianFit {
        max_iterations: 300,
        learned: Learned {
            bias: false,
            observation: false,
            offset: false,
            initial: false,
            ..Learned::default()
        },
        ..GaussianFit::default()
    };
    let start = rates(&[-1.0], &[1.0]);
    let fitted = start.maximum_likelihood(std::slice::from_ref(&data), &settings);
    let fitted = fitted.unwrap();
    assert!(fitted.converged, "{fitted:?}");
    assert!(fitted.log_evidence[1] > truth.log_evidence(&data).unwrap());
    let any = AnyModel::Driven(Box::new(fitted.model.clone()));
    let told = any
        .summary(std::slice::from_ref(&data), &SummarySettings::default())
        .unwrap();
    let drift = told
        .estimates
        .iter()
        .find(|e| e.name == "drift[1,1]")
        .unwrap();
    let z = (drift.value + 0.4) / drift.standard_error.unwrap();
    assert!(z.abs() < 3.0, "{drift:?}");
    // Seconds in place of days.
    let rows = data.iter().flatten().map(|row| [row[0], 86_400.0 * row[1]]);
    let seconds = Sequence::of_rows(rows).unwrap();
    let start = rates(&[-1.0 / 86_400.0], &[1.0 / 86_400.0]);
    let other = start.maximum_likelihood(&[seconds], &settings).unwrap();
    assert!((other.log_evidence[1] - fitted.log_evidence[1]).abs() < 1e-6);
    let ratio = other.model.base().transition()[(0, 0)] * 86_400.0
        / fitted.model.base().transition()[(0, 0)];
    assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
}

#[test]
fn a_file_of_continuous_time_has_its_own_keys() {
    let model = file(true);
    let text = serde_json::to_value(&model).unwrap();
    assert_eq!(text["time"], "t");
    assert!(text.get("transition").is_none() && text.get("drift").is_some());
    assert_eq!(
        serde_json::from_value::<DrivenGaussian>(text.clone()).unwrap(),
        model
    );
    // Without a start, that of the stationary distribution; diffuse where there is none.
    let own = file(false);
    let given = model.base().initial_covariance();
    assert!((own.base().initial_covariance() - given).amax() < 1e-12);
    assert!((own.base().initial_mean() - model.base().initial_mean()).amax() < 1e-12);
    let level = json!({"time": "t", "drift": [[0.0]], "diffusion": [[1.0]], "observation": [[1.0]],
        "observation_noise": [[1.0]]});
    let level: DrivenGaussian = serde_json::from_value(level).unwrap();
    assert_eq!(level.base().diffuse(), [true]);
    for (key, said) in [("time", "not drift"), ("drift", "drift in place of")] {
        let mut text = text.clone();
        text.as_object_mut().unwrap().remove(key);
        let error = serde_json::from_value::<DrivenGaussian>(text).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(said) || error.contains("and not drift"),
            "{error}"
        );
    }
}

/// The start of dx = −a x dt + √q dW that a file leaves out has the variance q/2a of whatever a and q are: minimisation by scipy 1.17 of
/// the density of all rows.
#[test]
fn a_start_that_is_left_out_stays_stationary() {
    let y = |t: f64| (0.7 * t).sin() + (0.31 * t * t).cos() + 2.0 * (0.05 * t).sin();
    let mut time = 0.0;
    let rows = (0..40).map(|t| {
        let t = f64::from(t);
        time += 1.0 + 0.8 * t.sin();
        [y(t), time]
    });
    let data = [Sequence::of_rows(rows).unwrap()];
    let learned = Learned {
        bias: false,
        observation: false,
        offset: false,
        initial: false,
        ..Learned::default()
    };
    let fit = GaussianFit {
        learned,
        max_iterations: 300,
        ..GaussianFit::default()
    };
    for a in [0.3, 20.0] {
        let file = json!({"time": "t", "drift": [[-a]], "diffusion": [[1.0]], "observation": [[1.0]], "observation_noise": [[0.1]]});
        let model: DrivenGaussian = serde_json::from_value(file).unwrap();
        let found = model.maximum_likelihood(&data, &fit).unwrap();
        let ends = found.log_evidence[1];
        assert!((ends + 61.230_783_130_340_61).abs() < 1e-5, "{a}: {ends}");
        let written = serde_json::to_value(&found.model).unwrap();
        assert!(written.get("initial_covariance").is_none(), "{written}");
    }
}
