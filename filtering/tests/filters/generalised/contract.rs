//! What the causal filter promises besides its numbers: failures change nothing, snapshots go on, generalised
//! states are what they say.

use super::reference::convolution::{drawn, smooth};
use super::reference::joint_gaussian::convolution;
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::{
    Equations, GenerativeModel, Linear, Number, Point, Sizes,
};
use scotopic_filtering::{Error, Result};

/// Equations whose f or g leaves the numbers.
#[derive(Debug, Clone, PartialEq)]
struct Explosive {
    in_f: bool,
}

impl Equations for Explosive {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 1,
            causes: 0,
            outputs: 1,
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let grows = if self.in_f { 1e3 } else { 0.0 };
        out[0] = at.x[0].scaled(grows).exp();
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        let grows = if self.in_f { 0.0 } else { 1e3 };
        out[0] = at.x[0].scaled(grows).exp();
    }
}

#[test]
fn a_failed_update_changes_nothing_and_names_its_term() -> Result<()> {
    for (in_f, term) in [(true, "f ("), (false, "g (")] {
        let model = GenerativeModel::single(Explosive { in_f }, &[], 1.0, 1.0, 1.0, &[5.0])?;
        let mut filter = CausalGeneralisedFilter::new(model, smooth(2, 0.5), None)?;
        if in_f {
            filter.update(Some(&[0.0]))?;
        }
        let mean = (filter.states().to_vec(), filter.bins(), filter.elbo());
        match filter.update(Some(&[0.0])) {
            Err(Error::NotFinite { index, what, .. }) => {
                assert_eq!(index, u64::from(in_f));
                assert!(what.starts_with(term), "{what}");
            }
            other => panic!("{other:?}"),
        }
        let after = (filter.states().to_vec(), filter.bins(), filter.elbo());
        assert_eq!(mean, after);
    }
    // What follows a failure is what would have followed without it, bit for bit.
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(6, 0.5), None)?;
    let mut untouched = filter.clone();
    let data = drawn(0.5, 20, 1);
    for t in 0..data.outputs.ncols() {
        let y = data.outputs.column(t);
        assert!(filter.update(Some(&[1.0, 2.0])).is_err());
        assert!(filter.update(Some(&[f64::NAN; 4])).is_err());
        filter.update(Some(y.as_slice()))?;
        untouched.update(Some(y.as_slice()))?;
        assert_eq!(filter.states(), untouched.states());
        assert_eq!(filter.state_covariance(), untouched.state_covariance());
    }
    assert_eq!(filter.elbo(), untouched.elbo());
    Ok(())
}

#[test]
fn nothing_seen_is_no_evidence() {
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(4, 0.5), None).unwrap();
    for _ in 0..50 {
        filter.update(None).unwrap();
    }
    assert_eq!(filter.elbo(), 0.0);
    assert!(filter.states().iter().all(|&x| x == 0.0));
}

#[test]
fn generalised_states_are_the_taylor_series_of_the_prediction() {
    let data = drawn(0.5, 30, 4);
    let mut filter = CausalGeneralisedFilter::new(convolution(), smooth(6, 0.5), None).unwrap();
    for t in 0..data.outputs.ncols() {
        filter
            .update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
    }
    let orders = filter.generalised_states();
    let start = filter.states().to_vec();
    filter.update(None).unwrap();
    for (i, &predicted) in filter.states().iter().enumerate() {
        let mut weight = 1.0;
        let mut sum = 0.0;
        for (k, order) in orders.iter().enumerate() {
            weight /= k.max(1) as f64;
            sum += weight * order[i];
        }
        // Orders 0 to 7; the eighth is at most ‖A‖^8/8! ≈ 1e-4 of the state.
        let rest = 1e-3 * (start[0].abs() + start[1].abs());
        assert!(
            (sum - predicted).abs() < rest,
            "state {i}: {sum} {predicted}"
        );
    }
}

#[test]
fn a_filter_goes_on_from_a_snapshot_bit_for_bit() {
    let data = drawn(0.5, 40, 4);
    let settings = CausalConfig {
        lag: 1,
        ..smooth(6, 0.5)
    };
    let mut filter = CausalGeneralisedFilter::new(convolution(), settings, None).unwrap();
    for t in 0..20 {
        filter
            .update(Some(data.outputs.column(t).as_slice()))
            .unwrap();
    }
    // JSON as it is read here may change the last digit of a number.
    let text = serde_json::to_string(&filter).unwrap();
    let read: CausalGeneralisedFilter<Linear> = serde_json::from_str(&text).unwrap();
    for (a, b) in read.states().iter().zip(filter.states()) {
        assert!((a - b).abs() < 1e-12);
    }
    let mut again = CausalGeneralisedFilter::restore(filter.snapshot()).unwrap();
    for t in 20..40 {
        let y = data.outputs.column(t);
        filter.update(Some(y.as_slice())).unwrap();
        again.update(Some(y.as_slice())).unwrap();
        assert_eq!(filter.states(), again.states());
        assert_eq!(filter.causes(), again.causes());
        assert_eq!(filter.state_covariance(), again.state_covariance());
    }
    assert_eq!(filter.elbo(), again.elbo());
    // What does not fit is named.
    let mut kept = filter.snapshot();
    kept.mean.pop();
    let error = CausalGeneralisedFilter::restore(kept)
        .unwrap_err()
        .to_string();
    assert!(error.contains("mean"), "{error}");
}

#[test]
fn a_known_input_drives_the_states() {
    // x' = −x/2 + η from 0 with η = 1: x(t) = 2 (1 − e^{−t/2}); every noise is next to nothing.
    let equations = Linear::ornstein_uhlenbeck(0.5);
    let theta = equations.defaults();
    let model = GenerativeModel::single(equations, &theta, 1.0, 1e18, 1e18, &[0.0]).unwrap();
    let mut filter = CausalGeneralisedFilter::new(model, smooth(2, 0.5), None).unwrap();
    assert!(filter.set_input(&[1.0, 2.0]).is_err());
    assert!(filter.set_input(&[f64::NAN]).is_err());
    filter.set_input(&[1.0]).unwrap();
    for t in 0..10 {
        filter.update(Some(&[0.3])).unwrap();
        let expected = 2.0 * (1.0 - (-0.5 * f64::from(t)).exp());
        assert!((filter.states()[0] - expected).abs() < 1e-6, "bin {t}");
        assert!((filter.causes()[0] - 1.0).abs() < 1e-6);
    }
}

/// No states: y = v + v³ + z.
#[derive(Debug, Clone)]
struct Static;

impl Equations for Static {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 0,
            causes: 1,
            outputs: 1,
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, _: Point<'_, T>, _: &mut [T]) {}
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.v[0] + at.v[0].powi(3);
    }
}

#[test]
fn a_model_without_states_infers_its_causes() {
    let model = GenerativeModel::single(Static, &[], 1e4, 1.0, 1.0, &[]).unwrap();
    for noise_lags in [0, 3] {
        let settings = CausalConfig {
            noise_lags,
            iterations: 20,
            outlier_threshold: None,
            ..smooth(2, 1.0)
        };
        let mut filter = CausalGeneralisedFilter::new(model.clone(), settings, None).unwrap();
        for t in 0..60 {
            let v = 1.0 + 0.5 * (0.2 * f64::from(t)).sin();
            filter.update(Some(&[v + v.powi(3)])).unwrap();
            // The noise's deviation is 0.01 and g' at least 1.
            let error = (filter.causes()[0] - v).abs();
            assert!(error < 0.01, "noise lags {noise_lags}, bin {t}: {error}");
        }
    }
}

/// A filter of a linear model whose settings could not be changed is as it was, and continues as if nothing had
/// asked.
#[test]
fn changes_that_fail_change_nothing() {
    // e³ times a large input leaves the numbers.
    let model = |motion: f64| {
        let equations = Linear::ornstein_uhlenbeck(-3.0);
        let theta = equations.defaults();
        GenerativeModel::single(equations, &theta, 1.0, motion, 1.0, &[0.0]).unwrap()
    };
    let one = |value: f64| scotopic_filtering::nalgebra::DMatrix::from_element(1, 1, value);
    let untouched = CausalGeneralisedFilter::new(model(1.0), smooth(1, 0.5), None).unwrap();
    let mut filter = untouched.clone();
    let found = filter.set_input(&[1e308]);
    assert!(matches!(found, Err(Error::NotFinite { .. })), "{found:?}");
    assert!(filter == untouched);
    let found = filter.set_parameters(&[1e4, 1.0, 1.0]);
    assert!(matches!(found, Err(Error::NotFinite { .. })), "{found:?}");
    assert!(filter == untouched);
    let found = filter.set_precisions(&one(-1.0), &[one(2.0)]);
    assert!(
        matches!(found, Err(Error::NotPositiveDefinite { .. })),
        "{found:?}"
    );
    assert!(filter == untouched);
    filter.set_precisions(&one(4.0), &[one(2.0)]).unwrap();
    assert!(filter != untouched);
}
