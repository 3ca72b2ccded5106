//! A model that was written and read learns as the one that was fitted: what scales its steps is in the file.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    BlockOnlineEm, Covariates, EmissionKind, FitSettings, Hmm, Learn, Rmle,
};

use super::Case;

/// Shortest decimals are read to the nearest number or its neighbour, and learning carries that on.
const DECIMALS: f64 = 1e-9;

fn same_learning(kind: EmissionKind, data: &Sequence, settings: &FitSettings) {
    let settings = FitSettings {
        restarts: 1,
        ..settings.clone()
    };
    let fit = Hmm::fit_states(kind, 2, std::slice::from_ref(data), &settings).unwrap();
    let text = serde_json::to_string(&fit.model).unwrap();
    let read: Hmm = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let rows = match settings.covariates.lags {
        0 => data.clone(),
        lags => data.with_lags(lags).unwrap(),
    };
    for learn in [
        Learn::BlockOnlineEm(BlockOnlineEm::default()),
        Learn::Rmle(Rmle::default()),
    ] {
        let [fitted, read] = [&fit.model, &read].map(|model| {
            let mut learning = model.clone().learn_online(&learn).unwrap();
            for row in rows.iter() {
                learning.update(row).unwrap();
            }
            learning.elbo()
        });
        assert!(
            (fitted - read).abs() < DECIMALS * fitted.abs(),
            "{kind:?} {learn:?}: {fitted} and {read}"
        );
    }
}

#[test]
fn learning_goes_on_alike_after_a_file() {
    for case in Case::all() {
        same_learning(case.kind, &case.data[0], &case.settings);
        let column = |i: usize| {
            let rows = case.data[0].iter();
            rows.map(move |row| row.map_or(f64::NAN, |row| row[i]))
        };
        let last = case.data[0].width() - 1;
        match case.kind {
            EmissionKind::PoissonRegression => {
                let rows = column(0).zip(column(last)).map(|(y, e)| [y, e]);
                let settings = FitSettings {
                    covariates: Covariates {
                        exposure: Some("time".to_owned()),
                        ..Covariates::default()
                    },
                    ..FitSettings::default()
                };
                let rows = Sequence::of_rows(rows).unwrap();
                same_learning(EmissionKind::Poisson, &rows, &settings);
            }
            EmissionKind::LinearRegression => {
                let settings = FitSettings {
                    covariates: Covariates {
                        lags: 2,
                        ..Covariates::default()
                    },
                    ..FitSettings::default()
                };
                let series = Sequence::of_numbers(column(0)).unwrap();
                same_learning(EmissionKind::Autoregression, &series, &settings);
            }
            _ => {}
        }
    }
}

#[test]
fn what_scales_no_steps_is_refused_by_its_key() {
    let refused = |emission: serde_json::Value, key: &str| {
        let model = serde_json::json!({
            "initial": [0.5, 0.5], "transition": [[0.9, 0.1], [0.1, 0.9]], "emission": emission,
        });
        let error = serde_json::from_value::<Hmm>(model)
            .unwrap_err()
            .to_string();
        assert!(error.contains(key), "{error}");
    };
    let logistic = |information: serde_json::Value| {
        serde_json::json!({
            "kind": "logistic-regression", "inputs": ["x"], "weights": [[0.0, 1.0], [1.0, 0.0]], "information": information,
        })
    };
    refused(
        logistic(serde_json::json!([[1.0, 0.0, 1.0]])),
        "information",
    );
    refused(
        logistic(serde_json::json!([[1.0, 0.0], [1.0, 0.0]])),
        "information",
    );
    refused(
        logistic(serde_json::json!([[1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])),
        "information[1][2]",
    );
    refused(
        serde_json::json!({ "kind": "poisson", "rates": [[1.0], [2.0]], "mean_exposure": 0.0 }),
        "mean_exposure",
    );
}
