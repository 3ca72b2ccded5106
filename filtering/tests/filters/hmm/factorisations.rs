//! Every factorisation on one scale: the recordings, the definition of the bound, what orders them.

use crate::reference::{Recording, close, hmm, recordings};
use proptest::prelude::*;
use scotopic_filtering::hmm::{
    Categorical, Decoupled, DecoupledStart, Factorisation, Hmm, Online, Sweeps, TiedKernel,
    TiedLearning, TiedStart,
};
use scotopic_filtering::{Error, Sequence};

/// Sums of T bounded terms in another order.
const ROUNDING: f64 = 1e-10;
/// The recorded ascents stop where a sweep gains less than 1e-12 nats.
const RECORDED_TOLERANCE: f64 = 1e-12;
/// Two ascents that stop there agree to this part of the bound.
const STOPPED: f64 = 1e-10;
/// Marginals are as exact as the root of the bound, in flat directions less.
const MARGINALS: f64 = 1e-4;
/// The recorded value recursion adds to W itself, of up to 10⁴ nats, for hundreds of steps.
const RECORDED: f64 = 1e-7;

fn recorded_sweeps() -> Sweeps {
    Sweeps {
        tolerance: RECORDED_TOLERANCE,
        ..Sweeps::default()
    }
}

fn naive() -> Factorisation {
    Factorisation::FullyFactorised(recorded_sweeps())
}

fn block(window: usize) -> Factorisation {
    Factorisation::Block {
        window,
        sweeps: recorded_sweeps(),
    }
}

fn decoupled(start: DecoupledStart) -> Factorisation {
    Factorisation::DecoupledLag1(Decoupled {
        start,
        ..Decoupled::default()
    })
}

fn tied(learning: Option<TiedLearning>) -> Factorisation {
    Factorisation::Tied(TiedKernel {
        learning,
        ..TiedKernel::default()
    })
}

/// One of each kind.
fn all() -> Vec<Factorisation> {
    vec![
        Factorisation::Reversed,
        Factorisation::ForwardMarkov,
        naive(),
        block(1),
        block(3),
        decoupled(DecoupledStart::Uniform),
        decoupled(DecoupledStart::Past),
        Factorisation::Frozen,
        tied(None),
        tied(Some(TiedLearning::default())),
        tied(Some(TiedLearning {
            natural: false,
            ..TiedLearning::default()
        })),
    ]
}

fn is_online(factorisation: &Factorisation) -> bool {
    !matches!(
        factorisation,
        Factorisation::ForwardMarkov
            | Factorisation::FullyFactorised(_)
            | Factorisation::Block { .. }
    )
}

fn case(r: &Recording) -> (Hmm, Sequence, f64) {
    let evidence = r.number("exact.log_evidence");
    (hmm::model(r, "params"), hmm::observations(r), evidence)
}

#[test]
fn fully_factorised_posteriors_are_those_recorded() {
    for r in recordings("hmm_") {
        let at = "factorisations.fully_factorised_batch";
        if !r.has(at) {
            continue;
        }
        let (model, sequence, _) = case(&r);
        let found = model.posterior(&sequence, &naive()).unwrap();
        let bound = r.number(&format!("{at}.bound"));
        close(&r.name, &[found.elbo()], &[bound], 0.0, STOPPED);
        let expected = r.numbers(&format!("{at}.bound_trace_first"));
        let first = &found.trace()[..expected.len()];
        close(&r.name, first, &expected, ROUNDING, STOPPED);
        let expected = r.numbers(&format!("{at}.marginals"));
        let first = &found.marginals()[..expected.len()];
        close(&r.name, first, &expected, MARGINALS, 0.0);
        // The recording's restarts are other draws: no fewer nats from the best of as many and more.
        let sweeps = Sweeps {
            restarts: 4,
            ..recorded_sweeps()
        };
        let best = model
            .posterior(&sequence, &Factorisation::FullyFactorised(sweeps))
            .unwrap();
        assert!(best.elbo() >= found.elbo(), "{}", r.name);
    }
}

#[test]
fn posteriors_in_windows_are_those_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence, _) = case(&r);
        for window in 1..64 {
            let at = format!("factorisations.block_{window}");
            if r.has(&at) {
                let found = model.posterior(&sequence, &block(window)).unwrap();
                let bound = r.number(&format!("{at}.bound"));
                close(
                    &format!("{} {at}", r.name),
                    &[found.elbo()],
                    &[bound],
                    0.0,
                    STOPPED,
                );
            }
        }
    }
}

#[test]
fn online_posteriors_are_those_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence, evidence) = case(&r);
        let mut kinds = vec![("online_frozen", Factorisation::Frozen)];
        if r.has("factorisations.online_decoupled_lag1") {
            let inner = r.size("factorisations.online_decoupled_lag1.inner");
            // The recording makes every one of its updates.
            let settings = Decoupled {
                inner,
                tolerance: 0.0,
                start: DecoupledStart::Uniform,
            };
            kinds.push((
                "online_decoupled_lag1",
                Factorisation::DecoupledLag1(settings),
            ));
        }
        for (name, factorisation) in kinds {
            let at = format!("factorisations.{name}");
            if !r.has(&at) {
                continue;
            }
            let bounds = r.numbers(&format!("{at}.bound"));
            let beliefs = r.rows(&format!("{at}.filter"));
            let mut online = model.clone().online(&factorisation).unwrap();
            for (t, o) in sequence.iter().enumerate() {
                let step = online.update(o).unwrap();
                let what = format!("{} {name} {t}", r.name);
                close(&what, &[step.elbo], &[bounds[t]], RECORDED, ROUNDING);
                if let Some(expected) = beliefs.get(t) {
                    close(&what, online.belief(), expected, 1e-9, 0.0);
                }
            }
            assert!(online.elbo() <= evidence);
        }
        let exact = model
            .posterior(&sequence, &Factorisation::Reversed)
            .unwrap();
        close(&r.name, &[exact.elbo()], &[evidence], ROUNDING, 1e-13);
        let bound = r.number("factorisations.reversed_optimal.bound");
        close(&r.name, &[exact.elbo()], &[bound], RECORDED, ROUNDING);
    }
}

#[test]
fn exact_factorisations_give_the_smoother() {
    for r in recordings("hmm_") {
        let (model, sequence, evidence) = case(&r);
        let smoothed = model.smooth(&sequence).unwrap();
        let whole = sequence.len();
        for factorisation in [
            Factorisation::Reversed,
            Factorisation::ForwardMarkov,
            block(whole),
            block(whole + 5),
            block(usize::MAX),
        ] {
            let found = model.posterior(&sequence, &factorisation).unwrap();
            let what = format!("{} {factorisation:?}", r.name);
            close(&what, &[found.elbo()], &[evidence], ROUNDING, 1e-12);
            close(&what, found.marginals(), smoothed.marginals(), 1e-9, 0.0);
            for t in 0..whole - 1 {
                let (pair, expected) = (found.pairwise(t).unwrap(), smoothed.pairwise(t).unwrap());
                close(&what, &pair, &expected, 1e-9, 0.0);
                // Kernels of states the smoother is never in may be anything.
                let kernel = found.kernel(t + 1).unwrap();
                let exact = smoothed.filtered().kernel(t + 1).unwrap();
                let k = model.states();
                for (j, p) in smoothed.marginal(t + 1).unwrap().iter().enumerate() {
                    if *p > 1e-6 {
                        let row = j * k..(j + 1) * k;
                        close(&what, &kernel[row.clone()], &exact[row], 1e-6, 0.0);
                    }
                }
            }
        }
    }
}

#[test]
fn every_bound_is_the_definition_of_it_and_below_the_evidence() {
    for r in recordings("hmm_") {
        let (model, sequence, evidence) = case(&r);
        for factorisation in all() {
            let what = format!("{} {factorisation:?}", r.name);
            let found = match model.posterior(&sequence, &factorisation) {
                Ok(found) => found,
                // Structural zeros: the two that do not fit their kernel to the observation.
                Err(Error::Unsupported { .. }) => {
                    match factorisation {
                        Factorisation::Frozen => {
                            assert!(model.transition().contains(&0.0), "{what}")
                        }
                        Factorisation::Tied(_) => {}
                        _ => panic!("{what}: no bound"),
                    }
                    continue;
                }
                Err(other) => panic!("{what}: {other}"),
            };
            let scale = 1e-12 * evidence.abs() * (sequence.len() as f64).sqrt();
            let bound = found.bound(&model, &sequence).unwrap();
            close(&what, &[found.elbo()], &[bound], ROUNDING + scale, 0.0);
            assert!(found.elbo() <= evidence + ROUNDING + scale, "{what}");
            let gap = found.gap(&model, &sequence).unwrap();
            close(
                &what,
                &[gap],
                &[evidence - found.elbo()],
                ROUNDING + scale,
                0.0,
            );
            for row in found.marginals().chunks(model.states()) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{what}");
            }
        }
    }
}

#[test]
fn windows_are_a_ladder_from_naive_to_exact() {
    for r in recordings("hmm_") {
        let (model, sequence, evidence) = case(&r);
        let naive = model.posterior(&sequence, &naive()).unwrap();
        let single = model.posterior_from(&sequence, &block(1), &naive).unwrap();
        close(
            &r.name,
            &[single.elbo()],
            &[naive.elbo()],
            ROUNDING,
            STOPPED,
        );
        let (mut before, mut window) = (single, 2);
        while window < 2 * sequence.len() {
            let next = model
                .posterior_from(&sequence, &block(window), &before)
                .unwrap();
            let what = format!("{} window {window}", r.name);
            assert!(next.elbo() >= before.elbo() - ROUNDING, "{what}");
            assert!(next.trace()[0] >= before.elbo() - ROUNDING, "{what}");
            (before, window) = (next, 2 * window);
        }
        close(&r.name, &[before.elbo()], &[evidence], ROUNDING, 1e-12);
    }
}

#[test]
fn what_cannot_run_online_says_what_can() {
    let r = recordings("hmm_").remove(0);
    let (model, ..) = case(&r);
    for factorisation in all() {
        match model.clone().online(&factorisation) {
            Ok(_) => assert!(is_online(&factorisation)),
            Err(error @ Error::Unsupported { .. }) => {
                assert!(!is_online(&factorisation));
                assert!(error.to_string().contains("Reversed"), "{error}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_failed_update_changes_nothing_and_a_snapshot_goes_on() {
    for r in recordings("hmm_") {
        let (model, sequence, _) = case(&r);
        for factorisation in all().iter().filter(|f| is_online(f)) {
            let what = format!("{} {factorisation:?}", r.name);
            let mut online = model.clone().online(factorisation).unwrap();
            let wrong = vec![0.5; model.width() + 1];
            for (t, o) in sequence.iter().enumerate().take(30) {
                let before = online.clone();
                assert!(
                    matches!(
                        online.update(Some(&wrong)),
                        Err(Error::Observation { index, .. }) if index == t as u64
                    ),
                    "{what}"
                );
                assert_eq!(online, before, "{what}");
                if online.update(o).is_err() {
                    assert_eq!(online, before, "{what}");
                    break;
                }
                let text = serde_json::to_string(&online).unwrap();
                let loaded: Online = serde_json::from_str(&text).unwrap();
                // As exact as the reader of the numbers, which may be off in the last digit.
                close(&what, loaded.belief(), online.belief(), 1e-13, 0.0);
                if t % 7 == 0 {
                    online = loaded;
                }
            }
            let text = serde_json::to_string(factorisation).unwrap();
            assert_eq!(
                serde_json::from_str::<Factorisation>(&text).unwrap(),
                *factorisation
            );
        }
    }
}

#[test]
fn an_impossible_observation_is_numbered_by_every_factorisation() {
    // Symbol 2 comes from no state; symbol 1 only from state 1, which is never left for state 0.
    let emission = vec![vec![1.0, 0.0, 0.0], vec![0.5, 0.5, 0.0]];
    for (transition, symbols) in [
        (vec![vec![0.5, 0.5], vec![0.5, 0.5]], [0, 1, 0, 2, 0]),
        (vec![vec![1.0, 0.0], vec![0.0, 1.0]], [0, 0, 0, 1, 0]),
    ] {
        let initial = if transition[0][1] == 0.0 {
            vec![1.0, 0.0]
        } else {
            vec![0.5, 0.5]
        };
        let emission = Categorical::new(emission.clone()).unwrap();
        let model = Hmm::new(initial, transition, emission).unwrap();
        let sequence = Sequence::of_symbols(symbols).unwrap();
        for factorisation in all() {
            let found = model.posterior(&sequence, &factorisation).unwrap_err();
            // One kernel for all times cannot leave out a state that only one observation rules out.
            let tied = matches!(factorisation, Factorisation::Tied(_));
            assert!(
                found == Error::Impossible { index: 3 }
                    || tied && matches!(found, Error::Unsupported { .. }),
                "{factorisation:?}: {found}"
            );
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let r = recordings("hmm_").remove(0);
    let (model, sequence, _) = case(&r);
    let sweeps = |max, tolerance| Sweeps {
        max,
        tolerance,
        ..Sweeps::default()
    };
    let start = TiedStart::Logits(vec![0.0; 1]);
    let learning = |rate, exponent| {
        tied(Some(TiedLearning {
            rate,
            exponent,
            natural: true,
        }))
    };
    for bad in [
        Factorisation::FullyFactorised(sweeps(0, 1e-9)),
        Factorisation::FullyFactorised(sweeps(9, f64::NAN)),
        block(0),
        Factorisation::DecoupledLag1(Decoupled {
            inner: 0,
            ..Decoupled::default()
        }),
        Factorisation::Tied(TiedKernel {
            start,
            learning: None,
        }),
        learning(0.0, 0.6),
        learning(0.1, f64::NAN),
    ] {
        let error = model.posterior(&sequence, &bad).unwrap_err();
        assert!(
            matches!(error, Error::Setting { .. } | Error::Size { .. }),
            "{bad:?}: {error}"
        );
    }
    let empty = Sequence::new(model.width()).unwrap();
    for factorisation in all() {
        model.posterior(&empty, &factorisation).unwrap_err();
    }
}

#[test]
fn a_tied_kernel_learns_from_a_long_stream() {
    for r in recordings("hmm_") {
        let (model, sequence, _) = case(&r);
        if model.transition().contains(&0.0) {
            continue;
        }
        let mut long = Sequence::new(sequence.width()).unwrap();
        for o in sequence.iter().cycle().take(2000) {
            long.push(o).unwrap();
        }
        let bound = |learning| {
            let start = TiedStart::Uniform;
            let factorisation = Factorisation::Tied(TiedKernel { start, learning });
            let mut online = model.clone().online(&factorisation).unwrap();
            for o in long.iter() {
                online.update(o).unwrap();
            }
            online.elbo()
        };
        let fixed = bound(None);
        for natural in [true, false] {
            let learned = bound(Some(TiedLearning {
                natural,
                ..TiedLearning::default()
            }));
            assert!(learned > fixed, "{} {natural}: {learned} {fixed}", r.name);
        }
    }
}

/// Symbols of an alphabet of 3 from K states, T observations, some missing.
fn drawn() -> impl Strategy<Value = (Hmm<Categorical>, Sequence)> {
    (1usize..5, 1usize..12).prop_flat_map(|(k, t)| {
        let weights =
            |n: usize, m: usize| prop::collection::vec(prop::collection::vec(0.01f64..1.0, m), n);
        (
            weights(1, k),
            weights(k, k),
            weights(k, 3),
            prop::collection::vec(prop::option::weighted(0.9, 0usize..3), t),
        )
            .prop_map(|(pi, a, b, symbols)| {
                let normal = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
                    let divide = |row: Vec<f64>| {
                        let total: f64 = row.iter().sum();
                        row.iter().map(|x| x / total).collect()
                    };
                    rows.into_iter().map(divide).collect()
                };
                let emission = Categorical::new(normal(b)).unwrap();
                let model = Hmm::new(normal(pi).remove(0), normal(a), emission).unwrap();
                let mut sequence = Sequence::new(1).unwrap();
                for symbol in symbols {
                    let row = symbol.map(|s| [s as f64]);
                    sequence.push(row.as_ref().map(|r| &r[..])).unwrap();
                }
                (model, sequence)
            })
    })
}

proptest! {
    #[test]
    fn no_bound_exceeds_the_evidence_at_any_time((model, sequence) in drawn()) {
        for factorisation in all() {
            let found = model.posterior(&sequence, &factorisation).unwrap();
            prop_assert!(found.gap(&model, &sequence).unwrap() > -ROUNDING, "{factorisation:?}");
            let bound = found.bound(&model, &sequence).unwrap();
            prop_assert!((bound - found.elbo()).abs() < ROUNDING, "{factorisation:?} {bound} {}", found.elbo());
            if is_online(&factorisation) {
                let mut online = model.clone().online(&factorisation).unwrap();
                let mut total = 0.0;
                for (t, o) in sequence.iter().enumerate() {
                    let step = online.update(o).unwrap();
                    total += step.increment;
                    prop_assert!((total - step.elbo).abs() < ROUNDING);
                    prop_assert_eq!(step.elbo, online.elbo());
                    let evidence = model.log_evidence(&sequence.part(0, t + 1)).unwrap();
                    prop_assert!(step.elbo <= evidence + ROUNDING, "{factorisation:?}");
                }
                prop_assert_eq!(total == 0.0 || online.elbo() == found.elbo(), true);
            }
        }
    }

    #[test]
    fn coordinate_ascent_never_falls((model, sequence) in drawn(), seed in 0u64..1000) {
        let sweeps = Sweeps { restarts: 2, seed, ..Sweeps::default() };
        let naive = Factorisation::FullyFactorised(sweeps.clone());
        for factorisation in [naive, Factorisation::Block { window: 3, sweeps }] {
            let found = model.posterior(&sequence, &factorisation).unwrap();
            for pair in found.trace().windows(2) {
                prop_assert!(pair[1] >= pair[0] - ROUNDING);
            }
        }
    }

    #[test]
    fn names_of_states_do_not_matter((model, sequence) in drawn(), by in 0usize..5) {
        let k = model.states();
        let order: Vec<usize> = (0..k).map(|s| (s + by) % k).collect();
        let renamed = model.relabelled(&order).unwrap();
        for factorisation in all() {
            let a = model.posterior(&sequence, &factorisation).unwrap();
            let b = renamed.posterior(&sequence, &factorisation).unwrap();
            prop_assert!((a.elbo() - b.elbo()).abs() < 1e-8, "{factorisation:?}");
            for (p, q) in a.marginals().chunks(k).zip(b.marginals().chunks(k)) {
                for (new, &old) in order.iter().enumerate() {
                    prop_assert!((p[old] - q[new]).abs() < MARGINALS, "{factorisation:?}");
                }
            }
        }
    }

    /// From one past, ascent that starts at m = q_{t−1} ends no lower than m = q_{t−1} itself. The past here
    /// is one observation, before which the two are the same; later it may be the other way round.
    #[test]
    fn ascent_from_the_frozen_kernel_does_not_lose((model, sequence) in drawn()) {
        let run = |f: &Factorisation| {
            let mut online = model.clone().online(f).unwrap();
            for o in sequence.iter().take(2) {
                online.update(o).unwrap();
            }
            online.elbo()
        };
        prop_assert!(run(&decoupled(DecoupledStart::Past)) >= run(&Factorisation::Frozen) - ROUNDING);
    }

    /// The decoupled posterior is a product over moments: the best product of all is no worse.
    #[test]
    fn an_online_product_starts_a_batch_ascent((model, sequence) in drawn()) {
        for factorisation in [Factorisation::Frozen, decoupled(DecoupledStart::Uniform)] {
            let online = model.posterior(&sequence, &factorisation).unwrap();
            prop_assert!(online.is_product());
            let batch = model.posterior_from(&sequence, &naive(), &online).unwrap();
            prop_assert!((batch.trace()[0] - online.elbo()).abs() < ROUNDING);
            prop_assert!(batch.elbo() >= online.elbo() - ROUNDING);
        }
    }
}
