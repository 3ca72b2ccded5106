//! Emissions whose statistics are expectations, or that are given inputs or an exposure.

mod autoregressions;
mod laws;
mod offsets;
mod regressions;
mod saved;
mod transition_fits;
mod transitions;
mod units;
mod verbs;

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, Covariates, EmissionKind, FitSettings, Hmm, LinearRegression, LogisticRegression,
    PoissonRegression,
};
use serde_json::Value;

/// A case of `tests/golden/regressions.json`.
struct Case {
    kind: EmissionKind,
    golden: Value,
    data: [Sequence; 1],
    settings: FitSettings,
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

impl Case {
    fn all() -> [Self; 3] {
        let golden: Value =
            serde_json::from_str(include_str!("../../golden/regressions.json")).unwrap();
        let case = |kind, name: &str, exposure: Option<&str>| Self {
            kind,
            golden: golden[name].clone(),
            data: [Sequence::of_rows(rows(&golden[name]["rows"])).unwrap()],
            settings: FitSettings {
                covariates: Covariates {
                    inputs: names(),
                    exposure: exposure.map(str::to_owned),
                    lags: 0,
                },
                ..FitSettings::default()
            },
        };
        [
            case(EmissionKind::LogisticRegression, "logistic", None),
            case(EmissionKind::PoissonRegression, "poisson", Some("time")),
            case(EmissionKind::LinearRegression, "linear", None),
        ]
    }

    fn weights(&self, weights: Vec<Vec<f64>>, variances: Vec<f64>) -> AnyEmission {
        match self.kind {
            EmissionKind::LogisticRegression => {
                LogisticRegression::new(names(), weights).unwrap().into()
            }
            EmissionKind::PoissonRegression => {
                let new = PoissonRegression::new(names(), weights).unwrap();
                new.with_exposure("time").unwrap().into()
            }
            _ => {
                let new = LinearRegression::new(names(), weights).unwrap();
                new.with_variances(variances).unwrap().into()
            }
        }
    }

    fn number(&self, of: &str, name: &str) -> f64 {
        self.golden[of][name].as_f64().unwrap()
    }

    /// The model that the data are from.
    fn truth(&self) -> Hmm {
        let of = |name: &str| numbers(&self.golden[name]);
        let emission = self.weights(rows(&self.golden["weights"]), of("variances"));
        Hmm::new(of("initial"), rows(&self.golden["transition"]), emission).unwrap()
    }
}

fn names() -> Vec<String> {
    vec!["contrast".to_owned(), "other".to_owned()]
}
