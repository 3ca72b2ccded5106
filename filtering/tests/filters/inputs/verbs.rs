//! What can be asked of a model with inputs, and what is refused.

use scotopic_filtering::hmm::{
    Covariates, FitSettings, FitWarning, Hmm, Learn, LogisticRegression, OnlineEm,
    PoissonRegression,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{
    AnyFilter, AnyModel, Belief, DiscreteResidual, Error, Filter, ForecastSettings, Sequence,
};

use super::{Case, names};

fn choices() -> Hmm {
    let emission =
        LogisticRegression::new(names(), vec![vec![0.3, 2.0, 0.5], vec![-1.0, 0.2, 0.0]]).unwrap();
    Hmm::new(
        vec![0.6, 0.4],
        vec![vec![0.9, 0.1], vec![0.2, 0.8]],
        emission.into(),
    )
    .unwrap()
}

const ROWS: [[f64; 3]; 4] = [
    [1.0, 0.5, 1.0],
    [0.0, -1.0, 0.5],
    [1.0, 0.1, -0.5],
    [1.0, 0.7, 0.0],
];

#[test]
fn a_choice_that_is_missing_is_summed_over() {
    let with = |y: f64| {
        let mut rows = ROWS;
        rows[2][0] = y;
        choices()
            .log_evidence(&Sequence::of_rows(rows).unwrap())
            .unwrap()
    };
    let sum = (with(0.0).exp() + with(1.0).exp()).ln();
    assert!((with(f64::NAN) - sum).abs() < 1e-14);
}

#[test]
fn a_forecast_is_the_mixture_over_the_states_given_the_inputs() {
    let model = choices();
    let mut filter = AnyFilter::new(AnyModel::Hmm(model.clone()), "reversed").unwrap();
    for row in ROWS {
        filter.update(Some(&row)).unwrap();
    }
    let Belief::Discrete(q) = filter.belief() else {
        panic!("states");
    };
    let q = q.to_vec();
    let next: Vec<f64> = (0..2)
        .map(|j| q[0] * model.transition()[j] + q[1] * model.transition()[2 + j])
        .collect();
    let sigmoid = |eta: f64| 1.0 / (1.0 + (-eta).exp());
    let expected = next[0] * sigmoid(0.3 + 2.0 * 0.4 - 0.5) + next[1] * sigmoid(-1.0 + 0.2 * 0.4);
    let settings = ForecastSettings {
        inputs: vec![vec![0.4, -1.0]],
        samples: 5,
        ..ForecastSettings::default()
    };
    let forecast = filter.forecast(&settings).unwrap();
    assert!((forecast.symbols().unwrap()[0][1] - expected).abs() < 1e-15);
    assert!((forecast.mean[0][0] - expected).abs() < 1e-15);
    assert_eq!(forecast.samples[0].get(0).unwrap()[1..], [0.4, -1.0]);
    let none = filter
        .forecast(&ForecastSettings::default())
        .unwrap_err()
        .to_string();
    assert!(none.contains("contrast, other"), "{none}");
}

#[test]
fn residuals_of_the_true_model_are_normal() {
    for case in Case::all() {
        let model = AnyModel::Hmm(case.truth());
        let residuals = model
            .residuals(&case.data[0], DiscreteResidual::Randomised(3), None)
            .unwrap();
        assert_eq!(residuals.standardised.len(), 1);
        let p = residuals.diagnostics[0].normality.p_value;
        assert!(p > 0.01, "{:?}: {p}", case.kind);
    }
}

#[test]
fn samples_given_inputs_have_the_law_of_the_model() {
    let counts = PoissonRegression::new(vec!["x".to_owned()], vec![vec![0.5, 1.0]]).unwrap();
    let counts = counts.with_exposure("time").unwrap();
    let model = Hmm::new(vec![1.0], vec![vec![1.0]], counts.into()).unwrap();
    let inputs = Sequence::of_rows((0..20_000).map(|_| [-0.5, 3.0])).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let (_, rows) = AnyModel::Hmm(model.clone())
        .sample_given(&inputs, &mut rng)
        .unwrap();
    let mean = rows.iter().flatten().map(|row| row[0]).sum::<f64>() / 20_000.0;
    // Four standard errors of a mean of 20 000 counts of rate 3.
    assert!(
        (mean - 3.0).abs() < 4.0 * (3.0f64 / 20_000.0).sqrt(),
        "{mean}"
    );
    assert!(model.sample(10, &mut rng).is_err());
}

#[test]
fn what_cannot_be_is_named() {
    let l = |row: &[f64]| {
        let error = choices()
            .log_evidence(&Sequence::of_rows([row]).unwrap())
            .unwrap_err();
        error.to_string()
    };
    assert!(l(&[0.5, 0.0, 0.0]).contains("0 or 1"));
    assert!(l(&[1.0, f64::NAN, 0.0]).contains("missing input"));
    let twice = LogisticRegression::new(vec!["a".to_owned(), "a".to_owned()], vec![vec![0.0; 3]]);
    assert!(twice.unwrap_err().to_string().contains("`a`"));
    // The second input is twice the first: their weights cannot be told apart.
    let data = [Sequence::of_rows((0..40).map(|t| {
        [
            f64::from(t % 3 / 2),
            f64::from(t % 7),
            f64::from(2 * (t % 7)),
        ]
    }))
    .unwrap()];
    let settings = FitSettings::default();
    let kind = scotopic_filtering::hmm::EmissionKind::LogisticRegression;
    let error = Hmm::fit_states(kind, 1, &data, &settings).unwrap_err();
    assert_eq!(
        error,
        Error::Dependent {
            columns: vec![1, 2]
        }
    );
    let with = FitSettings {
        covariates: Covariates {
            inputs: names(),
            exposure: None,
            lags: 0,
        },
        ..settings
    };
    let kind = scotopic_filtering::hmm::EmissionKind::Categorical;
    assert!(
        Hmm::fit_states(kind, 1, &data, &with)
            .unwrap_err()
            .to_string()
            .contains("inputs")
    );
}

#[test]
fn online_learning_climbs_and_rules_of_one_statistic_are_refused() {
    for case in Case::all() {
        let model = case.truth();
        let refused = model
            .clone()
            .learn_online(&Learn::OnlineEm(OnlineEm::default()));
        assert!(refused.is_err_and(|e| e.to_string().contains("online-em")));
        let mut learning = model.learn_online(&Learn::default()).unwrap();
        for _ in 0..4 {
            for row in case.data[0].iter() {
                learning.update(row).unwrap();
            }
        }
        assert!(learning.updates() > 0);
        // Near the optimum it is above where it began.
        let (before, after) = (
            case.truth().log_evidence(&case.data[0]).unwrap(),
            learning.model().log_evidence(&case.data[0]).unwrap(),
        );
        assert!(after > before, "{:?}: {after} and {before}", case.kind);
    }
}

#[test]
fn separated_choices_keep_finite_weights_with_pseudo_observations() {
    // The choice is the sign of the input: the likelihood has no maximum.
    let data = [Sequence::of_rows((0..50).map(|t| {
        let x = f64::from(t % 9) - 4.5;
        [f64::from(u8::from(x > 0.0)), x]
    }))
    .unwrap()];
    let kind = scotopic_filtering::hmm::EmissionKind::LogisticRegression;
    let fit = |count: f64| {
        let settings = FitSettings {
            pseudo_count: count,
            ..FitSettings::default()
        };
        let fit = Hmm::fit_states(kind, 1, &data, &settings).unwrap();
        scotopic_filtering::hmm::Learnable::state_parameters(fit.model.emission())[1]
    };
    // Without them the fit says so, and one with a single choice that the input does not tell has nothing to say.
    let told = |data: &[Sequence]| {
        let fit = Hmm::fit_states(kind, 1, data, &FitSettings::default()).unwrap();
        fit.warnings.contains(&FitWarning::Separated { state: 0 })
    };
    assert!(told(&data));
    let mut mixed = data.clone();
    mixed[0].push(Some(&[0.0, 1.0])).unwrap();
    assert!(!told(&mixed));
    let (weak, strong) = (fit(0.1), fit(10.0));
    assert!(
        strong > 0.1 && weak > strong && weak < 100.0,
        "{weak} {strong}"
    );
}
