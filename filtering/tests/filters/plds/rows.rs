//! Rows of every kind: missing in part, extreme, of other laws.

use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFilter};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyFilter, AnyModel, Error, Filter, ForecastSettings, Sequence};

use super::population;

/// Bounds of the same Gaussian by two ways differ by the last step of the ascent.
const SAME: f64 = 1e-7;

#[test]
fn a_missing_entry_is_a_neuron_that_is_not_there() {
    for law in [CountLaw::Poisson, CountLaw::Bernoulli] {
        let all = population(law, 5, 0.3);
        let some = all
            .with_loadings(
                all.loadings().rows(0, 3).into_owned(),
                all.offset().rows(0, 3).into_owned(),
            )
            .unwrap();
        let (_, y) = all
            .sample(30, &mut Xoshiro256PlusPlus::seed_from_u64(4))
            .unwrap();
        let (mut with, mut without) = (Sequence::new(5).unwrap(), Sequence::new(3).unwrap());
        for (t, row) in y.iter().flatten().enumerate() {
            let mut partial = row.to_vec();
            partial[3..].fill(f64::NAN);
            // A row of NaN alone is a missing row.
            if t == 7 {
                partial.fill(f64::NAN);
            }
            with.push(Some(&partial)).unwrap();
            without.push((t != 7).then_some(&row[..3])).unwrap();
        }
        let (a, b) = (all.smooth(&with).unwrap(), some.smooth(&without).unwrap());
        assert!((a.elbo() - b.elbo()).abs() < SAME);
        let (mut a, mut b) = (
            PldsFilter::new(all).unwrap(),
            PldsFilter::new(some).unwrap(),
        );
        for (x, y) in with.iter().zip(without.iter()) {
            let (x, y) = (a.update(x).unwrap(), b.update(y).unwrap());
            assert!((x.increment - y.increment).abs() < SAME);
        }
    }
}

/// The slope at the optimum, in standard deviations: steps end below 5e-6 of one, and shrink by a half where they are slowest.
const FLAT: f64 = 1e-4;

#[test]
fn counts_far_from_the_prediction_are_followed() {
    // From a rate of e^-6, of e^6 and under starts that know the rate to a factor of 1.1, e and e^10, to 0, 1 and a
    // million.
    for offset in [-6.0, 0.0, 6.0] {
        for variance in [0.01, 1.0, 100.0] {
            for count in [0.0, 1.0, 1e6] {
                let one =
                    Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.1]], &[[1.0]], &[offset]);
                let start = (DVector::zeros(1), DMatrix::from_element(1, 1, variance));
                let model = one.unwrap().with_initial(start.0, start.1).unwrap();
                let mut filter = PldsFilter::new(model).unwrap();
                let step = filter.update(Some(&[count])).unwrap();
                // The fixed point: (m⁻ − m)/v + y − r = 0, 1/s = 1/v + r.
                let (m, s) = (filter.mean()[0], filter.covariance()[0]);
                let rate = (offset + m + 0.5 * s).exp();
                assert!(step.increment.is_finite());
                let flat = (count - rate - m / variance).abs() / (1.0 / s).sqrt();
                assert!(flat < FLAT, "{offset} {variance} {count}: {flat}");
                assert!(((1.0 / variance + rate) * s - 1.0).abs() < FLAT);
            }
        }
    }
}

#[test]
fn exposure_is_a_shift_of_the_offset() {
    let model = population(CountLaw::Poisson, 4, 0.1);
    let (_, y) = model
        .sample(20, &mut Xoshiro256PlusPlus::seed_from_u64(5))
        .unwrap();
    let (c, d) = (
        model.loadings().clone(),
        model.offset().add_scalar(2f64.ln()),
    );
    let shifted = model.with_loadings(c, d).unwrap();
    let exposed = model.with_exposure(2.0).unwrap();
    let (a, b) = (shifted.smooth(&y).unwrap(), exposed.smooth(&y).unwrap());
    assert!((a.elbo() - b.elbo()).abs() < SAME);
}

#[test]
fn what_is_wrong_is_named() {
    let model = population(CountLaw::Bernoulli, 2, 0.1);
    let mut filter = PldsFilter::new(model.clone()).unwrap();
    filter.update(Some(&[0.0, 1.0])).unwrap();
    let before = filter.clone();
    let error = filter.update(Some(&[0.0, 3.0])).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Observation {
                index: 1,
                entry: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(filter, before);
    assert!(model.clone().with_exposure(0.5).is_err());
    let flat = DMatrix::zeros(2, 2);
    assert!(matches!(
        model.with_initial(DVector::zeros(2), flat),
        Err(Error::NotPositiveDefinite { .. })
    ));
}

#[test]
fn forecasts_have_the_moments_of_the_prediction() {
    for law in [CountLaw::Poisson, CountLaw::Bernoulli] {
        let model = AnyModel::Plds(population(law, 3, 0.2));
        let (_, y) = model
            .sample(25, &mut Xoshiro256PlusPlus::seed_from_u64(6))
            .unwrap();
        let mut filter = AnyFilter::new(model, "reversed").unwrap();
        y.iter().for_each(|row| {
            filter.update(row).unwrap();
        });
        let one = filter.predicted_observation().unwrap().moments();
        let ahead = filter
            .forecast(&ForecastSettings {
                ahead: 4,
                samples: 3,
                ..Default::default()
            })
            .unwrap();
        for i in 0..3 {
            // The nodes of the mixture are exact to rounding, those of the moments too.
            assert!((ahead.mean[0][i] / one.mean[i] - 1.0).abs() < 1e-9);
            assert!((ahead.variance[0][i] / one.variance[i] - 1.0).abs() < 1e-9);
        }
        assert_eq!(ahead.samples.len(), 3);
    }
}
