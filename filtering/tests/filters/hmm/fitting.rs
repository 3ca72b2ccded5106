//! Fits that find the optimum: real spike trains against hmmlearn, and what a fit has to say of itself.

use std::path::{Path, PathBuf};

use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, Categorical, DiagonalGaussian, EmissionKind, FitSearch, FitSettings,
    FitWarning, Fitted, Hmm, Poisson,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Sequence};

/// A file of the sample series: in `$SCOTOPIC_DATA/series`, or beside the workspace. `None` says that the test is skipped.
fn sample(name: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("SCOTOPIC_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    };
    let path = root.join("series").join(name);
    if !path.is_file() {
        println!("skipped: no series/{name} in the data folder (set SCOTOPIC_DATA)");
        return None;
    }
    Some(path)
}

/// Spikes of both trials in bins of so many milliseconds, 10 s each.
fn grasshopper(milliseconds: f64) -> Option<Vec<Sequence>> {
    let trial = |n: u32| {
        let text =
            std::fs::read_to_string(sample(&format!("grasshopper_spike_times{n}.txt"))?).unwrap();
        let bins = (10_000.0 / milliseconds) as usize;
        let mut counts = vec![0.0; bins];
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        for line in lines {
            let microseconds: f64 = line.trim().parse().unwrap();
            counts[(microseconds / 1000.0 / milliseconds) as usize] += 1.0;
        }
        Some(Sequence::of_numbers(counts).unwrap())
    };
    Some(vec![trial(1)?, trial(2)?])
}

/// Fewer restarts than by default, for time.
fn quick() -> FitSettings {
    FitSettings {
        restarts: 4,
        ..FitSettings::default()
    }
}

/// The references are hmmlearn's best of ten starts (0.3.3); 0.1 nat is what no criterion tells apart.
#[test]
fn spike_trains_are_fitted_as_well_as_by_hmmlearn() {
    let (Some(fine), Some(coarse)) = (grasshopper(1.0), grasshopper(10.0)) else {
        return;
    };
    let settings = quick();
    let mut search = FitSearch::new(EmissionKind::Categorical, &fine, &settings).unwrap();
    for (states, reference) in [(2, -5866.3), (3, -5379.7)] {
        let fit = search.fit(states).unwrap();
        assert!(
            fit.converged && fit.log_evidence >= reference - 0.1,
            "{states} states: {}",
            fit.log_evidence
        );
    }
    let fit = Hmm::fit_states(EmissionKind::Poisson, 2, &coarse, &settings).unwrap();
    assert!(
        fit.converged && fit.log_evidence >= -2160.29 - 0.1,
        "{}",
        fit.log_evidence
    );
}

/// Counts over three decades with a cycle of ten years, as of the Canadian lynx: the likelihood has many maxima.
fn lynx() -> Sequence {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let mut counts = Vec::new();
    for t in 0..114 {
        let phase = std::f64::consts::TAU * f64::from(t) / 9.6;
        let noise = 0.6 * (f64::from(t * t) * 0.618_033_988_749_895).fract();
        let rate = (6.4 + 1.3 * phase.sin() + noise).exp();
        let one = Poisson::new(vec![vec![rate]]).unwrap();
        let one = Hmm::new(vec![1.0], vec![vec![1.0]], one).unwrap();
        counts.push(one.sample(1, &mut rng).unwrap().1.get(0).unwrap()[0]);
    }
    Sequence::of_numbers(counts).unwrap()
}

fn two_clouds(length: usize) -> Sequence {
    let emission = DiagonalGaussian::new(
        vec![vec![0.0, 1.0], vec![2.0, 0.0]],
        vec![vec![1.0, 0.5], vec![0.7, 2.0]],
    );
    let transition = vec![vec![0.9, 0.1], vec![0.2, 0.8]];
    let model = Hmm::new(vec![0.5; 2], transition, emission.unwrap()).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
    model.sample(length, &mut rng).unwrap().1
}

fn symbols() -> Sequence {
    let table = vec![vec![0.7, 0.2, 0.1], vec![0.1, 0.1, 0.8]];
    let transition = vec![vec![0.9, 0.1], vec![0.2, 0.8]];
    let model = Hmm::new(vec![0.5; 2], transition, Categorical::new(table).unwrap()).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    model.sample(400, &mut rng).unwrap().1
}

/// Rounding of a sum of a thousand terms.
const ROUNDING: f64 = 1e-8;

#[test]
fn the_evidence_never_falls_with_the_number_of_states() {
    let data = [
        (EmissionKind::Poisson, lynx()),
        (EmissionKind::DiagonalGaussian, two_clouds(300)),
        (EmissionKind::FullGaussian, two_clouds(300)),
        (EmissionKind::Categorical, symbols()),
    ];
    for (kind, data) in data {
        let (data, settings) = ([data], quick());
        let mut search = FitSearch::new(kind, &data, &settings).unwrap();
        let mut before = f64::NEG_INFINITY;
        for states in 1..=4 {
            let fit = search.fit(states).unwrap();
            let now = fit.log_evidence;
            assert!(
                now >= before - ROUNDING,
                "{kind:?}, {states} states: {now} after {before}"
            );
            before = now;
        }
    }
}

/// EM from there gains nothing: 1000 steps of it less than what the fit says is left, and a little rounding.
#[test]
fn at_the_end_the_gradient_is_small() {
    for (kind, data) in [
        (EmissionKind::Poisson, lynx()),
        (EmissionKind::DiagonalGaussian, two_clouds(300)),
        (EmissionKind::FullGaussian, two_clouds(300)),
        (EmissionKind::Categorical, symbols()),
    ] {
        let data = [data];
        let fit = Hmm::fit_states(kind, 2, &data, &quick()).unwrap();
        assert!(fit.converged, "{kind:?}");
        let em = BatchEm {
            max_iterations: 1000,
            tolerance: 0.0,
            pseudo_count: 0.0,
        };
        let further = fit.model.clone().fit(&data, &em).unwrap().log_evidence();
        // The tolerance is 1e-8 nats for each of 400 observations; a hundred times that for the error of the estimate of H.
        assert!(
            further - fit.log_evidence < 4e-4,
            "{kind:?}: {further} after {}",
            fit.log_evidence
        );
        let evidence: f64 = fit.model.log_evidence(&data[0]).unwrap();
        assert!((evidence - fit.log_evidence).abs() < ROUNDING);
    }
}

#[test]
fn a_fit_does_not_depend_on_the_number_of_threads_and_does_on_the_seed() {
    let data = [lynx()];
    let run = |threads: usize, seed: u64| -> Fitted<AnyEmission> {
        let settings = FitSettings {
            threads,
            seed,
            ..quick()
        };
        Hmm::fit_states(EmissionKind::Poisson, 3, &data, &settings).unwrap()
    };
    let one = run(1, 0);
    for threads in [2, 5] {
        assert_eq!(one, run(threads, 0), "{threads} threads");
    }
    // Another path to the optimum: some last bit differs.
    assert!((1..4).any(|seed| run(1, seed).model != one.model));
}

#[test]
fn a_fit_that_ends_early_says_so_and_is_not_ranked() {
    let data = [symbols()];
    let settings = FitSettings {
        max_iterations: 30,
        tolerance: 0.0,
        ..quick()
    };
    let fit = Hmm::fit_states(EmissionKind::Categorical, 3, &data, &settings).unwrap();
    assert!(!fit.converged && !fit.is_ranked());
    assert!(
        matches!(fit.warnings[0], FitWarning::EndedEarly { iterations, .. } if iterations >= 30)
    );
    assert!(fit.warnings[0].to_string().contains("not ranked"));
}

/// Equal values have a state of variance zero, at which ln p is infinite: no run that goes there is a fit.
#[test]
fn collapsed_runs_are_left_out_and_told() {
    let smooth = two_clouds(200);
    let mut rows: Vec<Vec<f64>> = smooth.iter().flatten().map(<[f64]>::to_vec).collect();
    // Twenty readings of a sensor that stood still.
    rows[40..60]
        .iter_mut()
        .for_each(|row| *row = vec![5.0, 5.0]);
    let data = [Sequence::of_rows(&rows).unwrap()];
    let settings = quick();
    let mut search = FitSearch::new(EmissionKind::DiagonalGaussian, &data, &settings).unwrap();
    let fit = search.fit(3).unwrap();
    match fit.is_ranked() {
        true => {
            assert!(
                fit.warnings
                    .iter()
                    .any(|w| matches!(w, FitWarning::Collapsed { .. })),
                "{:?}",
                fit.warnings
            );
            let AnyEmission::DiagonalGaussian(emission) = fit.model.emission() else {
                panic!("another kind");
            };
            // The variance of all data is of order 1.
            assert!(
                emission.variances().iter().all(|v| *v > 1e-6),
                "{:?}",
                emission.variances()
            );
        }
        false => assert!(
            fit.warnings
                .iter()
                .any(|w| matches!(w, FitWarning::AllCollapsed { .. }))
        ),
    }
}

/// From volts·1e-5 to 1e9: the same maximum, shifted by n ln u, to the tolerance of the fit.
#[test]
fn the_unit_of_the_data_does_not_matter() {
    let rows: Vec<Vec<f64>> = two_clouds(200)
        .iter()
        .flatten()
        .map(<[f64]>::to_vec)
        .collect();
    for kind in [EmissionKind::DiagonalGaussian, EmissionKind::FullGaussian] {
        let fit = |unit: f64| {
            let scaled = rows
                .iter()
                .map(|row| row.iter().map(|y| y * unit).collect::<Vec<_>>());
            let data = [Sequence::of_rows(scaled).unwrap()];
            Hmm::fit_states(kind, 2, &data, &quick()).unwrap()
        };
        let plain = fit(1.0);
        for unit in [1e-5, 1e9f64] {
            let scaled = fit(unit);
            let back = scaled.log_evidence + 400.0 * unit.ln();
            assert!(
                scaled.converged && (back - plain.log_evidence).abs() < 1e-5,
                "{kind:?}, {unit:e}: {back} {}",
                plain.log_evidence
            );
        }
    }
}

#[test]
fn a_model_is_fitted_further_from_where_it_is() {
    let data = [symbols()];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let guess = Hmm::initial_guess(EmissionKind::Categorical, 2, &data, &mut rng).unwrap();
    let em = BatchEm {
        max_iterations: 5000,
        tolerance: 1e-12,
        pseudo_count: 0.0,
    };
    let slow = guess.clone().fit(&data, &em).unwrap().log_evidence();
    let quick = guess.fit_from(&data, &FitSettings::default()).unwrap();
    assert!(
        quick.converged && quick.log_evidence > slow - 1e-4,
        "{} {slow}",
        quick.log_evidence
    );
    // What is impossible stays so, and is no parameter.
    let table = Categorical::new(vec![vec![0.6, 0.4, 0.0], vec![0.2, 0.2, 0.6]]).unwrap();
    let transition = vec![vec![1.0, 0.0], vec![0.5, 0.5]];
    let fixed = Hmm::new(vec![0.0, 1.0], transition, table).unwrap();
    let fixed = fixed.fit_from(
        &[Sequence::of_symbols([2, 0, 1, 2, 2, 0, 0, 1, 0]).unwrap()],
        &FitSettings::default(),
    );
    let fixed = fixed.unwrap();
    assert_eq!(fixed.model.transition()[1], 0.0);
    assert_eq!(fixed.model.emission().probabilities()[2], 0.0);
    assert_eq!(fixed.free_parameters, 7 - 3);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let data = [symbols()];
    let wrong = [
        (
            FitSettings {
                restarts: 0,
                ..FitSettings::default()
            },
            "restarts",
        ),
        (
            FitSettings {
                max_iterations: 0,
                ..FitSettings::default()
            },
            "max_iterations",
        ),
        (
            FitSettings {
                tolerance: -1.0,
                ..FitSettings::default()
            },
            "tolerance",
        ),
        (
            FitSettings {
                pseudo_count: f64::NAN,
                ..FitSettings::default()
            },
            "pseudo_count",
        ),
        (
            FitSettings {
                variance_floor: 1.0,
                ..FitSettings::default()
            },
            "variance_floor",
        ),
    ];
    for (settings, field) in wrong {
        let refused = Hmm::fit_states(EmissionKind::Categorical, 2, &data, &settings);
        assert!(
            matches!(refused, Err(Error::Setting { field: found, .. }) if found == field),
            "{field}"
        );
    }
    assert!(Hmm::fit_states(EmissionKind::Categorical, 0, &data, &FitSettings::default()).is_err());
}

/// Great discoveries of each year from 1860 to 1959 (The World Almanac, 1975), at most four, in four states. After 24 steps of EM the
/// run that ends highest is the twelfth; hmmlearn 0.3.3 comes to −129.080 from the best of ten starts.
#[test]
fn every_run_of_a_short_series_is_followed_to_its_end() {
    const DISCOVERIES: &str = "4302032341212133342440234434423442334243422404242334443440422243442244433022213422111214432141110020";
    let symbols = DISCOVERIES.bytes().map(|digit| usize::from(digit - b'0'));
    let data = [Sequence::of_symbols(symbols).unwrap()];
    let settings = FitSettings::default();
    let fit = Hmm::fit_states(EmissionKind::Categorical, 4, &data, &settings).unwrap();
    assert!(fit.log_evidence > -129.09, "{}", fit.log_evidence);
    assert!(fit.found_by.1 > settings.restarts, "{:?}", fit.found_by);
}

/// Two states that are far apart: no run has another maximum than the one above the truth, and a dozen of them are enough.
#[test]
fn a_search_ends_where_all_runs_agree() {
    let data = [two_clouds(1000)];
    let settings = FitSettings::default();
    let fit = Hmm::fit_states(EmissionKind::DiagonalGaussian, 2, &data, &settings).unwrap();
    let truth = DiagonalGaussian::new(
        vec![vec![0.0, 1.0], vec![2.0, 0.0]],
        vec![vec![1.0, 0.5], vec![0.7, 2.0]],
    );
    let transition = vec![vec![0.9, 0.1], vec![0.2, 0.8]];
    let truth = Hmm::new(vec![0.5; 2], transition, truth.unwrap()).unwrap();
    let above = truth.fit_from(&data, &settings).unwrap();
    // Twice the tolerance of 1e-8 nats an observation, with a hundred times that for the error of the estimate of H.
    assert!(
        fit.log_evidence > above.log_evidence - 2e-3,
        "{} {}",
        fit.log_evidence,
        above.log_evidence
    );
    let (found, followed) = fit.found_by;
    assert!(
        found >= 5 && followed <= 3 * settings.restarts,
        "{:?}",
        fit.found_by
    );
}
