//! Inputs, exposure and outputs have units, and a fit none.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{EmissionKind, FitSettings, Hmm, Learnable};

use super::{Case, rows};

/// The data of a case with the first input in other units, the exposure too, and the output where it has one.
fn scaled(case: &Case, unit: f64) -> [Sequence; 1] {
    let mut all = rows(&case.golden["rows"]);
    for row in &mut all {
        row[1] *= unit;
        if let Some(exposure) = row.get_mut(3) {
            *exposure *= unit;
        }
        if case.kind == EmissionKind::LinearRegression {
            row[0] *= unit;
        }
    }
    [Sequence::of_rows(all).unwrap()]
}

#[test]
fn a_fit_is_the_same_in_other_units() {
    for case in Case::all() {
        let settings = FitSettings {
            restarts: 3,
            ..case.settings.clone()
        };
        let n = case.data[0].len() as f64;
        let fit =
            |unit: f64| Hmm::fit_states(case.kind, 2, &scaled(&case, unit), &settings).unwrap();
        let one = fit(1.0);
        for unit in [1e-9, 1e9] {
            let other = fit(unit);
            let jacobian = match case.kind {
                EmissionKind::LinearRegression => n * unit.ln(),
                _ => 0.0,
            };
            let found = other.log_evidence + jacobian;
            // As far as each is from its maximum: 1e-8 nats an observation.
            assert!(
                (found - one.log_evidence).abs() < 1e-4,
                "{:?} {unit}: {found} and {}",
                case.kind,
                one.log_evidence
            );
            let mean = |w: Vec<f64>| w[1].min(w[4]);
            let (a, b) = (
                mean(one.model.emission().state_parameters()),
                mean(other.model.emission().state_parameters()),
            );
            let back = match case.kind {
                EmissionKind::LinearRegression => b,
                _ => b * unit,
            };
            assert!(
                (a - back).abs() < 1e-2 * a.abs(),
                "{:?} {unit}: {a} and {back}",
                case.kind
            );
        }
    }
}

#[test]
fn a_model_of_a_file_is_fitted_in_any_units() {
    for case in Case::all() {
        let settings = FitSettings {
            restarts: 3,
            ..case.settings.clone()
        };
        let data = scaled(&case, 1e9);
        let fit = Hmm::fit_states(case.kind, 2, &data, &settings).unwrap();
        let text = serde_json::to_string(&fit.model).unwrap();
        let read: Hmm = serde_json::from_str(&text).unwrap();
        assert_eq!(read, fit.model);
        let again = read.fit_from(&data, &settings).unwrap();
        assert!(
            (again.log_evidence - fit.log_evidence).abs() < 1e-4,
            "{:?}",
            case.kind
        );
    }
}
