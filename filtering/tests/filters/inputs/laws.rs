//! Bernoulli, negative binomial and Student t emissions, and counts of an exposure, against `tests/golden/emissions.py`: scipy.

use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, Bernoulli, Covariates, Emission, EmissionKind, FitSettings, Hmm,
    Learnable, NegativeBinomial, Poisson, StudentT,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Law, Predictive, Sequence, SummarySettings};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/emissions.json")).unwrap()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let numbers = |row: &Value| {
        row.as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect()
    };
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn one(emission: AnyEmission) -> Hmm {
    Hmm::new(vec![1.0], vec![vec![1.0]], emission).unwrap()
}

/// ln p to 1e-12 of its size, tails to 1e-10 of theirs: as many digits as their continued fractions keep.
fn check(emission: &AnyEmission, law: Law, y: f64, [log_p, below, above]: [f64; 3]) {
    let mut l = [0.0];
    emission.log_likelihood(&[y], &mut l).unwrap();
    assert!(
        (l[0] - log_p).abs() < 1e-12 * (1.0 + log_p.abs()) * 10.0,
        "{law:?} at {y}: {} and {log_p}",
        l[0]
    );
    let tails = Predictive::new(vec![(1.0, law)]).unwrap().tails(y);
    for (found, expected) in [(tails.0, below), (tails.1, above)] {
        assert!(
            (found - expected).abs() < 1e-10 * expected + 1e-16,
            "{law:?} at {y}: {found} and {expected}"
        );
    }
}

#[test]
fn the_laws_are_those_of_scipy() {
    for row in rows(&golden()["t"]) {
        let [location, scale, freedom, y] = [row[0], row[1], row[2], row[3]];
        let emission =
            StudentT::new(vec![vec![location]], vec![vec![scale]], vec![vec![freedom]]).unwrap();
        let law = Law::StudentT {
            location,
            scale,
            freedom,
        };
        check(&emission.into(), law, y, [row[4], row[5], row[6]]);
    }
    for row in rows(&golden()["negative_binomial"]) {
        let [mean, shape, y] = [row[0], row[1], row[2]];
        let emission = NegativeBinomial::new(vec![vec![mean]], vec![vec![shape]]).unwrap();
        check(
            &emission.into(),
            Law::NegativeBinomial { mean, shape },
            y,
            [row[3], row[4], row[5]],
        );
    }
}

#[test]
fn quantiles_of_a_mixture_with_heavy_tails_are_where_the_tails_say() {
    let t = |location: f64, freedom: f64| Law::StudentT {
        location,
        scale: 2.0,
        freedom,
    };
    let mixture = Predictive::new(vec![(0.3, t(-5.0, 0.7)), (0.7, t(4.0, 30.0))]).unwrap();
    for p in [1e-6, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-6] {
        let (below, above) = mixture.tails(mixture.quantile(p).unwrap());
        assert!(
            (below - p).abs() < 1e-12 && (above - (1.0 - p)).abs() < 1e-12,
            "{p}: {below}"
        );
    }
}

#[test]
fn one_state_is_the_best_fit_of_scipy() {
    let all = golden();
    let settings = FitSettings::default();
    let fit = &all["t_fit"];
    let y: Vec<f64> = rows(&Value::Array(vec![fit["y"].clone()])).remove(0);
    let data = [Sequence::of_numbers(y).unwrap()];
    let found = Hmm::fit_states(EmissionKind::StudentT, 1, &data, &settings).unwrap();
    let number = |fit: &Value, name: &str| fit[name].as_f64().unwrap();
    assert!(
        found.converged && (found.log_evidence - number(fit, "log_evidence")).abs() < 1e-6,
        "{found:?}"
    );
    let AnyEmission::StudentT(t) = found.model.emission() else {
        panic!("{found:?}")
    };
    // ln p is flat to 1e-6 nats within √(2e-6) of a standard error, a thousandth of each of these.
    for (a, name) in [
        (t.locations()[0], "location"),
        (t.scales()[0], "scale"),
        (t.freedoms()[0], "freedom"),
    ] {
        assert!((a / number(fit, name) - 1.0).abs() < 1e-3, "{name}: {a}");
    }
    let fit = &all["negative_binomial_fit"];
    let data = [Sequence::of_rows(rows(&fit["rows"])).unwrap()];
    let settings = FitSettings {
        covariates: Covariates {
            inputs: Vec::new(),
            exposure: Some("time".to_owned()),
            lags: 0,
        },
        ..settings
    };
    let found = Hmm::fit_states(EmissionKind::NegativeBinomial, 1, &data, &settings).unwrap();
    assert!(
        found.converged && (found.log_evidence - number(fit, "log_evidence")).abs() < 1e-6,
        "{found:?}"
    );
    let AnyEmission::NegativeBinomial(n) = found.model.emission() else {
        panic!("{found:?}")
    };
    assert!((n.means()[0] / number(fit, "mean") - 1.0).abs() < 1e-3);
    assert!((n.shapes()[0] / number(fit, "shape") - 1.0).abs() < 1e-3);
    // The rate of counts of an exposure is all counts over all of it.
    let found = Hmm::fit_states(EmissionKind::Poisson, 1, &data, &settings).unwrap();
    let sum = |d: usize| data[0].iter().flatten().map(|row| row[d]).sum::<f64>();
    let rate = found.model.emission().state_parameters()[0];
    assert!((rate / (sum(0) / sum(1)) - 1.0).abs() < 1e-9);
}

fn models() -> Vec<Hmm> {
    let two = |a: [f64; 2], b: [f64; 2]| vec![a.to_vec(), b.to_vec()];
    let of = |emission: AnyEmission| {
        Hmm::new(
            vec![0.5, 0.5],
            vec![vec![0.95, 0.05], vec![0.1, 0.9]],
            emission,
        )
        .unwrap()
    };
    vec![
        of(Bernoulli::new(two([0.9, 0.2], [0.3, 0.6])).unwrap().into()),
        of(
            NegativeBinomial::new(two([2.0, 5.0], [9.0, 1.0]), two([1.0, 3.0], [4.0, 2.0]))
                .unwrap()
                .into(),
        ),
        of(StudentT::new(
            two([0.0, 3.0], [4.0, -1.0]),
            two([1.0, 2.0], [0.5, 1.0]),
            two([2.5, 6.0], [4.0, 3.0]),
        )
        .unwrap()
        .into()),
    ]
}

/// A sample of 1500 rows of each; every seventh has no first entry.
fn samples() -> Vec<(Hmm, [Sequence; 1])> {
    let sample = |model: Hmm| {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        let (_, whole) = model.sample(1500, &mut rng).unwrap();
        let rows = whole.iter().flatten().enumerate();
        let rows = rows.map(|(t, row)| [if t % 7 == 3 { f64::NAN } else { row[0] }, row[1]]);
        let rows = Sequence::of_rows(rows).unwrap();
        (model, [rows])
    };
    models().into_iter().map(sample).collect()
}

#[test]
fn steps_of_em_climb_and_fits_end_above_the_truth() {
    for (model, data) in samples() {
        let kind = model.emission().kind();
        let em = BatchEm {
            max_iterations: 60,
            tolerance: 0.0,
            ..BatchEm::default()
        };
        let fit = model.clone().fit(&data, &em).unwrap();
        // Rounding of a sum of 1500 terms.
        assert!(
            fit.trace.windows(2).all(|w| w[1] >= w[0] - 1e-9),
            "{kind:?}"
        );
        let found = Hmm::fit_states(kind, 2, &data, &FitSettings::default()).unwrap();
        let truth = model.log_evidence(&data[0]).unwrap();
        let gain = found.log_evidence - truth;
        // Half of a χ² of as many degrees of freedom as parameters, at most 15: below 20 but for one in 10⁴.
        assert!(
            found.converged && gain > 0.0 && gain < 20.0,
            "{kind:?}: {gain}, {:?}",
            found.warnings
        );
        assert!(found.log_evidence > fit.log_evidence() - 1e-4, "{kind:?}");
        let summary = AnyModel::Hmm(found.model)
            .summary(&data, &SummarySettings::default())
            .unwrap();
        let named = summary
            .estimates
            .iter()
            .filter(|e| e.name.contains("[1,1]") && !e.name.starts_with("tr"));
        assert!(
            named.clone().count() > 0 && named.clone().all(|e| e.standard_error.is_some()),
            "{kind:?}"
        );
    }
}

#[test]
fn an_entry_that_is_missing_is_summed_or_integrated_over() {
    for (model, _) in samples() {
        let row = |y: f64| {
            let mut l = [0.0; 2];
            model.emission().log_likelihood(&[y, 1.0], &mut l).unwrap();
            l
        };
        let without = row(f64::NAN);
        if matches!(model.emission(), AnyEmission::StudentT(_)) {
            continue;
        }
        #[allow(clippy::needless_range_loop)] // a state of several tables
        for s in 0..2 {
            let most = if matches!(model.emission(), AnyEmission::Bernoulli(_)) {
                2
            } else {
                1000
            };
            let sum: f64 = (0..most).map(|y| row(f64::from(y))[s].exp()).sum();
            assert!(
                (sum.ln() - without[s]).abs() < 1e-12,
                "{:?}",
                model.emission().kind()
            );
        }
    }
}

#[test]
fn student_fits_are_the_same_in_other_units() {
    let (_, [rows]) = samples().pop().unwrap();
    let settings = FitSettings {
        restarts: 3,
        ..FitSettings::default()
    };
    let fit = |unit: f64| {
        let scaled = rows
            .iter()
            .flatten()
            .map(|row| [row[0] * unit, row[1] * unit]);
        let data = [Sequence::of_rows(scaled).unwrap()];
        Hmm::fit_states(EmissionKind::StudentT, 2, &data, &settings).unwrap()
    };
    let entries = rows
        .iter()
        .flatten()
        .flatten()
        .filter(|y| !y.is_nan())
        .count() as f64;
    let plain = fit(1.0);
    for unit in [1e-5, 1e9] {
        let other = fit(unit);
        let found = other.log_evidence + entries * unit.ln();
        // The same steps but for rounding, by which they part at most as far as each is from its maximum: 1e-8 nats an observation.
        assert!(
            (found - plain.log_evidence).abs() < 1e-5,
            "{unit}: {found} and {}",
            plain.log_evidence
        );
    }
}

/// Counts that vary less than Poisson ones, and numbers without tails: the likelihood rises to the limit of the family, and a fit
/// ends there.
#[test]
fn a_fit_whose_best_is_at_the_limit_of_the_family_ends() {
    for states in [1, 2] {
        let level = |t: u32| f64::from(t / 50 % states);
        let counts = (0..600).map(|t| [2.0 + f64::from(t * 7 % 3) + 12.0 * level(t)]);
        let numbers = (0..600).map(|t| [f64::from(t * 37 % 101) / 101.0 + 5.0 * level(t)]);
        let counts = [Sequence::of_rows(counts).unwrap()];
        let numbers = [Sequence::of_rows(numbers).unwrap()];
        for (kind, limit, data) in [
            (
                EmissionKind::NegativeBinomial,
                EmissionKind::Poisson,
                counts,
            ),
            (
                EmissionKind::StudentT,
                EmissionKind::DiagonalGaussian,
                numbers,
            ),
        ] {
            let settings = FitSettings::default();
            let fit = |kind| Hmm::fit_states(kind, states as usize, &data, &settings).unwrap();
            let (found, best) = (fit(kind), fit(limit));
            // Of the order of 10⁻⁵ an observation.
            assert!(
                found.converged && (found.log_evidence - best.log_evidence).abs() < 600.0 * 2e-5,
                "{kind:?} {states}: {} and {}, {:?}",
                found.log_evidence,
                best.log_evidence,
                found.warnings
            );
        }
    }
}

#[test]
fn counts_of_an_exposure_are_the_same_in_other_units_of_it() {
    let rates = Poisson::new(vec![vec![2.0], vec![9.0]])
        .unwrap()
        .with_exposure("time")
        .unwrap();
    let model: Hmm = Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.9, 0.1], vec![0.1, 0.9]],
        rates.into(),
    )
    .unwrap();
    let exposures = Sequence::of_rows((0..600).map(|t| [0.5 + f64::from(t % 5)])).unwrap();
    let (_, rows) = model
        .sample_given(&exposures, &mut Xoshiro256PlusPlus::seed_from_u64(2))
        .unwrap();
    for kind in [EmissionKind::Poisson, EmissionKind::NegativeBinomial] {
        let fit = |unit: f64| {
            let scaled = rows.iter().flatten().map(|row| [row[0], row[1] * unit]);
            let data = [Sequence::of_rows(scaled).unwrap()];
            let settings = FitSettings {
                restarts: 3,
                covariates: Covariates {
                    inputs: Vec::new(),
                    exposure: Some("time".to_owned()),
                    lags: 0,
                },
                ..FitSettings::default()
            };
            Hmm::fit_states(kind, 2, &data, &settings).unwrap()
        };
        let one = fit(1.0);
        let mut rates = one.model.emission().state_parameters();
        rates.sort_by(f64::total_cmp);
        // Four standard errors: rates of about 900 and 900 units of time.
        assert!(
            (rates[0] - 2.0).abs() < 0.2 && (rates[1] - 9.0).abs() < 0.4,
            "{kind:?}: {rates:?}"
        );
        for unit in [1e-9, 1e9] {
            let other = fit(unit);
            assert!(
                (other.log_evidence - one.log_evidence).abs() < 1e-4,
                "{kind:?} {unit}: {}",
                other.log_evidence
            );
        }
    }
}

#[test]
fn a_model_is_written_as_it_is_read() {
    for model in models() {
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Hmm>(&text).unwrap(), model);
    }
    let bad = |error: scotopic_filtering::Error| error.to_string();
    assert!(bad(Bernoulli::new(vec![vec![1.5]]).unwrap_err()).contains("probabilities[0][0]"));
    assert!(
        bad(NegativeBinomial::new(vec![vec![1.0]], vec![vec![0.0]]).unwrap_err())
            .contains("shapes[0][0]")
    );
    assert!(
        bad(StudentT::new(vec![vec![1.0]], vec![vec![-1.0]], vec![vec![1.0]]).unwrap_err())
            .contains("scales[0][0]")
    );
    let model = one(Poisson::new(vec![vec![1.0]])
        .unwrap()
        .with_exposure("time")
        .unwrap()
        .into());
    let error = model
        .log_evidence(&Sequence::of_rows([[2.0, -1.0]]).unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("exposure"), "{error}");
}

/// Large counts of shapes small and large, by mpmath with 50 digits: at r = 1e8, close to a Poisson law, ln Γ(y + r) − ln Γ(r) as
/// the difference of two would keep three digits.
#[test]
fn large_negative_binomial_counts_keep_their_digits() {
    for (y, mean, shape, expected) in [
        (1000.0, 1010.0, 1.3e8, -4.422_572_114_384_866),
        (65.0, 80.0, 40.0, -4.015_481_813_875_338),
        (5000.0, 4000.0, 1e15, -120.895_308_366_130_7),
        (200.0, 150.0, 33.0, -5.802_675_272_125_005),
        (1e6, 1e6, 1e5, -9.025_642_289_495_086),
    ] {
        let emission = NegativeBinomial::new(vec![vec![mean]], vec![vec![shape]]).unwrap();
        let mut l = [0.0];
        emission.log_likelihood(&[y], &mut l).unwrap();
        // Rounding of terms of the size y ln y.
        let rounding = 4.0 * f64::EPSILON * y * f64::ln(y);
        assert!(
            (l[0] - expected).abs() < rounding,
            "{y}: {} and {expected}",
            l[0]
        );
    }
}
