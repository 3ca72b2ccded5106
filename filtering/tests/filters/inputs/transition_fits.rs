//! Fits of weights in transitions: the optimum of an independent optimiser, recovery, units.

use scotopic_filtering::hmm::{
    Covariates, DrivenHmm, DrivenHmmFitted, EmissionKind, FitSettings, Hmm, Learnable, Poisson,
};
use scotopic_filtering::rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{AnyModel, Error, Sequence, SummarySettings};

use super::transitions::{golden, golden_rows};

/// Weights of two inputs on leaving each state.
const AWAY: [[f64; 2]; 2] = [[1.0, -0.8], [0.5, 1.2]];

fn names() -> Vec<String> {
    vec!["light".to_owned(), "sound".to_owned()]
}

/// Counts of two states; inputs are at `centre` with deviations `scale`.
fn simulated(length: usize, centre: f64, scale: f64, seed: u64) -> Sequence {
    let emission = Poisson::new(vec![vec![1.0], vec![6.0]]).unwrap();
    let transition = vec![vec![0.9, 0.1], vec![0.15, 0.85]];
    let base = Hmm::new(vec![0.5, 0.5], transition, emission.into()).unwrap();
    let unit = |w: [f64; 2]| w.map(|w| w / scale).to_vec();
    let none = vec![0.0; 2];
    let weights = vec![vec![none.clone(), unit(AWAY[0])], vec![unit(AWAY[1]), none]];
    let model = DrivenHmm::new(base, names()).unwrap();
    let model = model.with_weights(weights).unwrap();
    let model = model.with_origin(vec![centre; 2]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2 * seed);
    // Uniform, of variance 1.
    let mut input = || centre + scale * 12f64.sqrt() * (rng.random::<f64>() - 0.5);
    let inputs: Vec<[f64; 2]> = (0..length).map(|_| [input(), input()]).collect();
    let inputs = Sequence::of_rows(inputs).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2 * seed + 1);
    model.sample_given(&inputs, &mut rng).unwrap().1
}

fn fit(data: &[Sequence]) -> DrivenHmmFitted {
    let settings = FitSettings {
        restarts: 3,
        ..FitSettings::default()
    };
    DrivenHmm::fit_states(EmissionKind::Poisson, 2, &names(), data, &settings).unwrap()
}

#[test]
fn the_optimum_is_that_of_an_independent_optimiser() {
    let golden = golden();
    let data = [golden_rows(&golden)];
    let settings = FitSettings {
        covariates: Covariates {
            inputs: vec!["contrast".to_owned(), "previous".to_owned()],
            ..Covariates::default()
        },
        ..FitSettings::default()
    };
    let inputs = ["contrast", "reward"].map(str::to_owned);
    let kind = EmissionKind::LogisticRegression;
    let fit = DrivenHmm::fit_states(kind, 2, &inputs, &data, &settings).unwrap();
    let expected = golden["fit"]["log_evidence"].as_f64().unwrap();
    // The gradients of both end at about 1e-4 of a standard error; another start may come higher.
    assert!(
        fit.converged && fit.log_evidence > expected - 1e-4,
        "{fit:?}"
    );
    assert!(fit.log_evidence > fit.before);
    // From there nothing is gained.
    let again = fit.model.clone().fit_from(&data, &settings).unwrap();
    assert!((again.log_evidence - fit.log_evidence).abs() < 1e-3);
}

/// Errors of weights in standard errors, of six series of four weights each.
#[test]
fn weights_are_recovered_within_two_standard_errors() {
    let mut errors = Vec::new();
    for seed in 0..6 {
        let data = [simulated(1500, 0.0, 1.0, seed)];
        let fit = fit(&data);
        assert!(fit.converged, "{:?}", fit.warnings);
        // Against the model without inputs, by far more than the four parameters.
        assert!(fit.log_evidence > fit.before + 20.0);
        let rates = fit.model.base().emission().state_parameters();
        let order = if rates[0] < rates[1] { [0, 1] } else { [1, 0] };
        let model = AnyModel::DrivenHmm(Box::new(fit.model.clone()));
        let summary = model.summary(&data, &SummarySettings::default()).unwrap();
        assert_eq!(summary.free_parameters, fit.free_parameters);
        for (state, away) in AWAY.iter().enumerate() {
            let (i, j) = (order[state] + 1, order[1 - state] + 1);
            for (m, truth) in away.iter().enumerate() {
                let name = format!("transition_weights[{i},{j},{}]", m + 1);
                let found = summary.estimates.iter().find(|e| e.name == name).unwrap();
                errors.push((found.value - truth) / found.standard_error.unwrap());
            }
        }
    }
    // Of 24, 1.1 are farther off by chance; more than 3 are, with a probability of 2.5 %.
    let within = errors.iter().filter(|z| z.abs() < 2.0).count();
    assert!(within >= 21, "{errors:?}");
    // χ² of 24 degrees of freedom, between its quantiles of 0.5 and 99.5 %.
    let squares: f64 = errors.iter().map(|z| z * z).sum();
    assert!((9.9..45.6).contains(&squares), "{errors:?}");
}

#[test]
fn units_and_places_of_inputs_do_not_matter() {
    let one = fit(&[simulated(1000, 0.0, 1.0, 1)]);
    for (centre, scale) in [(3e-5, 1e-5), (-2e9, 1e9), (1e4, 1.0)] {
        let other = fit(&[simulated(1000, centre, scale, 1)]);
        // The inputs are rounded to 1e-16 of their centre: 1e-12 of a deviation at most.
        let off = (other.log_evidence - one.log_evidence).abs();
        assert!(off < 1e-4, "{centre}, {scale}: {off}");
    }
}

#[test]
fn what_cannot_be_told_apart_is_named() {
    let data = simulated(300, 0.0, 1.0, 1);
    let constant = Sequence::of_rows(data.iter().flatten().map(|r| [r[0], r[1], 7.0])).unwrap();
    let settings = FitSettings::default();
    let fit = |data: Sequence, settings: &FitSettings| {
        DrivenHmm::fit_states(EmissionKind::Poisson, 2, &names(), &[data], settings).unwrap_err()
    };
    assert_eq!(
        fit(constant, &settings),
        Error::Dependent { columns: vec![2] }
    );
    let mut gap = Sequence::of_rows(data.iter().flatten()).unwrap();
    gap.push(Some(&[1.0, f64::NAN, 0.0])).unwrap();
    assert!(fit(gap, &settings).to_string().contains("a missing input"));
    let pseudo = FitSettings {
        pseudo_count: 1.0,
        ..settings
    };
    assert!(
        fit(data, &pseudo)
            .to_string()
            .contains("pseudo-observations")
    );
}

#[test]
fn one_state_has_no_weights_to_learn() {
    let data = [simulated(200, 0.0, 1.0, 1)];
    let settings = FitSettings::default();
    let fit = DrivenHmm::fit_states(EmissionKind::Poisson, 1, &names(), &data, &settings).unwrap();
    assert_eq!(fit.free_parameters, 1);
    assert!(fit.converged && (fit.log_evidence - fit.before).abs() < 1e-6);
}
