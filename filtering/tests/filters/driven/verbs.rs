//! Forecasts, samples, residuals, summaries.

use scotopic_filtering::gaussian::{DrivenGaussian, LinearGaussian};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{
    AnyFilter, AnyModel, DiscreteResidual, Filter, ForecastSettings, Sequence, SummarySettings,
};

use super::{known, walk};

#[test]
fn forecasts_follow_the_inputs() {
    // x_{T+h} = x_T f^h + Σ f^{h−k} B u_k, y = x + D u.
    let base = LinearGaussian::from_rows(&[[0.5]], &[[0.1]], &[[1.0]], &[[0.2]]).unwrap();
    let model = DrivenGaussian::new(base, vec!["u".to_owned()])
        .unwrap()
        .with_control(DMatrix::from_element(1, 1, 3.0))
        .unwrap()
        .with_direct(DMatrix::from_element(1, 1, -1.0))
        .unwrap();
    let mut filter = AnyFilter::new(AnyModel::Driven(Box::new(model)), "reversed").unwrap();
    filter.update(Some(&[0.7, 0.2])).unwrap();
    let belief = filter.belief().gaussian().unwrap();
    let (m, p) = (belief.mean[0], belief.covariance[0]);
    let settings = ForecastSettings {
        ahead: 2,
        inputs: vec![vec![1.0], vec![2.0]],
        samples: 4000,
        seed: 5,
        ..ForecastSettings::default()
    };
    let forecast = filter.forecast(&settings).unwrap();
    let first = 0.5 * m + 3.0;
    let second = 0.5 * first + 6.0;
    let spread = 0.25 * (0.25 * p + 0.1) + 0.1 + 0.2;
    assert!((forecast.mean[0][0] - (first - 1.0)).abs() < 1e-12);
    assert!((forecast.mean[1][0] - (second - 2.0)).abs() < 1e-12);
    assert!((forecast.variance[1][0] - spread).abs() < 1e-12);
    let drawn = forecast.samples.iter().map(|s| s.get(1).unwrap()[0]);
    let mean = drawn.sum::<f64>() / 4000.0;
    // Five standard errors.
    let room = 5.0 * (spread / 4000.0).sqrt();
    assert!((mean - (second - 2.0)).abs() < room, "{mean}");
    // A row of inputs for each step, and a number for each input.
    for inputs in [vec![], vec![vec![1.0]], vec![vec![1.0], vec![]]] {
        let wrong = ForecastSettings {
            inputs,
            ..settings.clone()
        };
        assert!(filter.forecast(&wrong).is_err());
    }
}

#[test]
fn samples_have_the_moments_of_the_model() {
    let (model, data, _) = known();
    let mut inputs = Sequence::new(2).unwrap();
    data.iter()
        .flatten()
        .take(6)
        .for_each(|row| inputs.push(Some(&row[2..])).unwrap());
    // The exact mean: the forecast of a filter that has seen nothing.
    let filter = scotopic_filtering::gaussian::DrivenFilter::new(model.clone()).unwrap();
    let given: Vec<Vec<f64>> = inputs.iter().flatten().map(<[f64]>::to_vec).collect();
    let exact = filter.predict_given(&given).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    const DRAWS: usize = 4000;
    let mut sum = vec![DVector::zeros(2); 6];
    for _ in 0..DRAWS {
        let (_, drawn) = model.sample_given(&inputs, &mut rng).unwrap();
        for (t, row) in drawn.iter().flatten().enumerate() {
            assert_eq!(row[2..], given[t]);
            sum[t] += DVector::from_column_slice(&row[..2]);
        }
    }
    for (t, (belief, sum)) in exact.iter().zip(&sum).enumerate() {
        for (i, total) in sum.iter().enumerate() {
            let room = 5.0 * (belief.covariance()[(i, i)] / DRAWS as f64).sqrt();
            let apart = total / DRAWS as f64 - belief.mean()[i];
            assert!(apart.abs() < room, "{t} {i}: {apart}");
        }
    }
    // Without inputs nothing can be drawn.
    let any = AnyModel::Driven(Box::new(model));
    assert!(any.sample(5, &mut rng).is_err());
    assert!(any.sample_given(&inputs, &mut rng).is_ok());
}

#[test]
fn residuals_are_standardised_innovations() {
    let model = AnyModel::Driven(Box::new(walk(2.0)));
    let rows = Sequence::of_rows([[1.0 + 2.0 * 0.5, 0.5], [f64::NAN, 0.1], [2.0, 3.0]]).unwrap();
    let residuals = model
        .residuals(&rows, DiscreteResidual::default(), Some(1))
        .unwrap();
    let z = &residuals.standardised[0];
    // The first is 1 under N(0, 1 + 0.5).
    assert!((z[0] - 1.0 / 1.5f64.sqrt()).abs() < 1e-14);
    assert!(z[1].is_nan() && z[2].is_finite());
}

#[test]
fn a_direct_effect_has_the_standard_error_of_least_squares() {
    // A state that is known to be 0: y = D u + N(0, r), whose standard error is √(r/Σu²).
    let base = LinearGaussian::from_rows(&[[0.0]], &[[1e-12]], &[[1.0]], &[[0.5]])
        .unwrap()
        .with_initial(DVector::zeros(1), DMatrix::zeros(1, 1))
        .unwrap();
    let row = |t: i32| {
        let u = (0.7 * f64::from(t)).sin();
        [2.0 * u + 0.5 * (f64::from(t * t)).cos(), u]
    };
    let rows = Sequence::of_rows((0..60).map(row)).unwrap();
    let squares: f64 = rows.iter().flatten().map(|row| row[1] * row[1]).sum();
    let products: f64 = rows.iter().flatten().map(|row| row[0] * row[1]).sum();
    let model = DrivenGaussian::new(base, vec!["u".to_owned()])
        .unwrap()
        .with_direct(DMatrix::from_element(1, 1, products / squares))
        .unwrap();
    let settings = SummarySettings {
        hold: vec!["process_noise".to_owned(), "observation_noise".to_owned()],
        ..SummarySettings::default()
    };
    let summary = AnyModel::Driven(Box::new(model))
        .summary(&[rows], &settings)
        .unwrap();
    let of = |name: &str| summary.estimates.iter().find(|e| e.name == name).unwrap();
    let error = of("direct[1,1]").standard_error.unwrap();
    // ln p is a parabola here: only rounding is left of the differences.
    assert!(
        (error / (0.5 / squares).sqrt() - 1.0).abs() < 1e-6,
        "{error}"
    );
    assert_eq!(of("control[1,1]").remark, Some("held"));
    assert_eq!(summary.free_parameters, 1);
    assert!(summary.shortfall < 1e-6);
}
