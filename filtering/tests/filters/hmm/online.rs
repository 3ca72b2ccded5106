//! Learning while filtering: each rule against recorded trajectories, batch EM and the smoother. Long because every
//! promise (snapshots, failed updates, memory, labels) is held by all five rules, in the same words.

use crate::reference::random::{numbers, parameters, random_data, random_model};
use crate::reference::{self, Recording, close, hmm, recordings};
use proptest::prelude::*;
use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, BlockOnlineEm, Categorical, DiagonalGaussian, Dirichlet, Emission,
    FixedLag, Hmm, Learn, Learnable, Learning, OnlineEm, PseudoObservations, PseudoVariance, Rmle,
};
use scotopic_filtering::{Error, Gain, Sequence};

/// The trajectories are chaotic at the level of rounding; this is what the recordings promise.
const TRAJECTORY: f64 = 1e-8;

/// The model that the recorded trajectories start from.
fn start(r: &Recording) -> Hmm {
    hmm::model(r, "online_em.init")
}

fn follow(r: &Recording, learn: &Learn, field: &str) -> usize {
    let (path, sequence) = (format!("{field}.trajectory"), hmm::observations(r));
    let mut learning = start(r).learn_online(learn).unwrap();
    let mut done = 0;
    let checkpoints = r.at(&path).as_array().unwrap();
    for (n, checkpoint) in checkpoints.iter().enumerate() {
        let t = checkpoint["t"].as_u64().unwrap() as usize;
        for s in done..t {
            learning.update(sequence.get(s)).unwrap();
        }
        done = t;
        let what = format!("{} {field} at {t}", r.name);
        let near = |part: &str, found: &[f64], expected: &[f64]| {
            let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            close(
                &format!("{what} {part}"),
                found,
                expected,
                1e-2 * TRAJECTORY * scale,
                TRAJECTORY,
            );
        };
        near(
            "A",
            learning.model().transition(),
            &reference::numbers(&checkpoint["A"]),
        );
        let expected = emission_of(r, &checkpoint["emission"]);
        near(
            "emission",
            &parameters(learning.model().emission()),
            &expected,
        );
        if let Some(filter) = checkpoint.get("filter") {
            near("q", learning.belief(), &reference::numbers(filter));
        }
        let predictive = checkpoint["cum_log_pred"].as_f64().unwrap();
        near("ln p", &[learning.elbo()], &[predictive]);
        assert_eq!(learning.observations(), t as u64, "checkpoint {n}");
    }
    checkpoints.len()
}

fn emission_of(r: &Recording, value: &serde_json::Value) -> Vec<f64> {
    let names: &[&str] = match r.text("kind") {
        "categorical" => &["B"],
        "poisson" => &["rate"],
        "gaussian_diag" => &["mean", "var"],
        "gaussian_full" => &["mean", "cov"],
        other => panic!("{other}"),
    };
    names
        .iter()
        .flat_map(|n| reference::numbers(&value[n]))
        .collect()
}

#[test]
fn online_em_follows_the_recorded_trajectories() {
    let mut tested = 0;
    for r in recordings("hmm_")
        .iter()
        .filter(|r| r.has("online_em.trajectory"))
    {
        let settings = OnlineEm {
            gain: Gain {
                exponent: r.number("online_em.alpha"),
                offset: 1.0,
            },
            first: r.size("online_em.n_min") as u64,
            every: 1,
            pseudo_count: r.number("online_em.pseudo_count"),
            // The recordings were made with a variance of one.
            pseudo_variance: PseudoVariance::Number(1.0),
            average_from: 0,
        };
        tested += follow(r, &Learn::OnlineEm(settings), "online_em");
    }
    assert!(tested > 0);
}

#[test]
fn rmle_follows_the_recorded_trajectories() {
    let mut tested = 0;
    for r in recordings("hmm_")
        .iter()
        .filter(|r| r.has("rmle.trajectory"))
    {
        let settings = Rmle {
            rate: r.number("rmle.c"),
            gain: Gain {
                exponent: r.number("rmle.alpha"),
                offset: 1.0,
            },
            scaled: false,
            average_from: 0,
        };
        tested += follow(r, &Learn::Rmle(settings), "rmle");
    }
    assert!(tested > 0);
}

/// Each rule, quick enough to change something within fifty observations.
fn rules() -> Vec<Learn> {
    let gain = Gain {
        exponent: 0.7,
        offset: 20.0,
    };
    vec![
        Learn::BlockOnlineEm(BlockOnlineEm {
            block: 7,
            gain,
            pseudo_count: 1e-2,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 10,
        }),
        Learn::OnlineEm(OnlineEm {
            gain,
            first: 5,
            every: 1,
            pseudo_count: 1e-2,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 10,
        }),
        Learn::FixedLag(FixedLag {
            lag: 4,
            gain,
            every: 2,
            pseudo_count: 1e-2,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 10,
        }),
        Learn::Rmle(Rmle {
            rate: 0.05,
            gain,
            scaled: true,
            average_from: 10,
        }),
        Learn::Dirichlet(Dirichlet {
            transition_weight: 5.0,
            emission_weight: 5.0,
            forgetting: 0.95,
            every: 1,
            average_from: 10,
        }),
    ]
}

fn json(learning: &Learning<AnyEmission>) -> String {
    serde_json::to_string(learning).unwrap()
}

#[test]
fn a_saved_learner_goes_on_bit_for_bit() {
    for learn in rules() {
        for seed in 0..4 {
            let data = &random_data(seed, 150)[0];
            let mut whole = random_model(seed, 3).learn_online(&learn).unwrap();
            let mut parts = whole.clone();
            for (t, o) in data.iter().enumerate() {
                let step = whole.update(o).unwrap();
                assert_eq!(step, parts.update(o).unwrap(), "{learn:?} at {t}");
                if t % 11 == 5 {
                    // A value, not text: serde_json reads text to the nearest double but one.
                    let saved = serde_json::to_value(&parts).unwrap();
                    parts = serde_json::from_value(saved).unwrap();
                }
            }
            assert_eq!(whole, parts);
            assert_eq!(whole.averaged(), parts.averaged());
            assert!(whole.averaged().is_some());
        }
    }
}

#[test]
fn a_snapshot_with_wrong_sizes_is_refused() {
    for learn in rules() {
        let mut learning = random_model(0, 3).learn_online(&learn).unwrap();
        for o in random_data(0, 20)[0].iter() {
            learning.update(o).unwrap();
        }
        let mut value = serde_json::to_value(&learning).unwrap();
        let other = random_model(0, 2).learn_online(&learn).unwrap();
        value["model"] = serde_json::to_value(other.model()).unwrap();
        assert!(serde_json::from_value::<Learning<AnyEmission>>(value).is_err());
    }
}

#[test]
fn an_update_that_fails_changes_nothing() {
    for learn in rules() {
        for seed in 0..4 {
            let mut learning = random_model(seed, 3).learn_online(&learn).unwrap();
            for o in random_data(seed, 100)[0].iter() {
                let before = (learning.clone(), json(&learning));
                for bad in [
                    &[0.5, 0.5, 0.5][..],
                    &[f64::NEG_INFINITY],
                    &[f64::NAN, f64::INFINITY],
                    &[-1.0, f64::INFINITY],
                    &[],
                ] {
                    let error = learning.update(Some(bad)).unwrap_err();
                    let at = before.0.observations();
                    assert!(matches!(error, Error::Observation { index, .. } if index == at));
                    assert_eq!(json(&learning), before.1);
                }
                learning.update(o).unwrap();
            }
        }
    }
}

/// Constant observations without a pseudo-count leave no variance: the M-step fails, at every try.
#[test]
fn an_m_step_that_fails_changes_nothing() {
    let emission: AnyEmission = DiagonalGaussian::from_flat(2, vec![0.0, 1.0], vec![1.0, 1.0])
        .unwrap()
        .into();
    let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.5, 0.5]; 2], emission).unwrap();
    for learn in rules() {
        let learn = match learn {
            Learn::BlockOnlineEm(s) => Learn::BlockOnlineEm(BlockOnlineEm {
                gain: PLAIN_MEAN,
                pseudo_count: 0.0,
                pseudo_variance: PseudoVariance::OfData,
                ..s
            }),
            Learn::OnlineEm(s) => Learn::OnlineEm(OnlineEm {
                gain: PLAIN_MEAN,
                pseudo_count: 0.0,
                pseudo_variance: PseudoVariance::OfData,
                ..s
            }),
            Learn::FixedLag(s) => Learn::FixedLag(FixedLag {
                gain: PLAIN_MEAN,
                pseudo_count: 0.0,
                pseudo_variance: PseudoVariance::OfData,
                ..s
            }),
            _ => continue,
        };
        let mut learning = model.clone().learn_online(&learn).unwrap();
        let failed = (0..40).any(|_| {
            let before = (learning.clone(), json(&learning));
            match learning.update(Some(&[0.0])) {
                Ok(_) => false,
                Err(_) => {
                    assert!(
                        learning == before.0 && json(&learning) == before.1,
                        "{learn:?}"
                    );
                    assert!(learning.update(Some(&[0.0])).is_err());
                    assert_eq!(json(&learning), before.1);
                    // A different observation gives a spread, and learning continues; but behind the lag
                    // it does not count yet.
                    if !matches!(learn, Learn::FixedLag(_)) {
                        learning.update(Some(&[3.0])).unwrap();
                    }
                    true
                }
            }
        });
        assert!(failed, "{learn:?}");
    }
}

#[test]
fn settings_without_sense_are_refused() {
    let bad = [
        Learn::BlockOnlineEm(BlockOnlineEm {
            block: 0,
            ..Default::default()
        }),
        Learn::OnlineEm(OnlineEm {
            every: 0,
            ..Default::default()
        }),
        Learn::OnlineEm(OnlineEm {
            pseudo_count: -1.0,
            pseudo_variance: PseudoVariance::OfData,
            ..Default::default()
        }),
        Learn::FixedLag(FixedLag {
            gain: Gain {
                exponent: 0.5,
                offset: 1.0,
            },
            ..Default::default()
        }),
        Learn::Rmle(Rmle {
            rate: f64::NAN,
            ..Default::default()
        }),
        Learn::Dirichlet(Dirichlet {
            forgetting: 1.1,
            ..Default::default()
        }),
    ];
    for learn in bad {
        let error = random_model(0, 2).learn_online(&learn).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
    }
    let data = random_data(0, 10);
    let em = BatchEm {
        tolerance: f64::NAN,
        ..Default::default()
    };
    assert!(random_model(0, 2).fit(&data, &em).is_err());
}

#[test]
fn without_an_m_step_learning_is_filtering() {
    let (model, data) = (random_model(0, 3), &random_data(0, 40)[0]);
    let settings = FixedLag {
        lag: 0,
        gain: PLAIN_MEAN,
        every: 1_000_000,
        pseudo_count: 0.0,
        pseudo_variance: PseudoVariance::OfData,
        average_from: 0,
    };
    let mut counting = model
        .clone()
        .learn_online(&Learn::FixedLag(settings))
        .unwrap();
    let filtered = model.filter(data).unwrap();
    for o in data.iter() {
        counting.update(o).unwrap();
    }
    // No M-step: the model is the first one, the evidence that of the exact filter.
    assert_eq!(counting.model(), &model);
    assert!((counting.elbo() - filtered.log_evidence()).abs() < 1e-12);
}

/// Gains that make a running average a plain mean, and drop the initial model at once.
const PLAIN_MEAN: Gain = Gain {
    exponent: 1.0,
    offset: 1.0,
};

/// The model after all of `data`, with one M-step at the end.
fn learned(model: &Hmm, data: &Sequence, learn: Learn) -> Hmm {
    let mut learning = model.clone().learn_online(&learn).unwrap();
    for o in data.iter() {
        learning.update(o).unwrap();
    }
    learning.model().clone()
}

fn assert_same_parameters(what: &str, found: &Hmm, transition: &[f64], emission: &AnyEmission) {
    close(
        &format!("{what} A"),
        found.transition(),
        transition,
        1e-11,
        1e-11,
    );
    close(
        &format!("{what} emission"),
        &parameters(found.emission()),
        &parameters(emission),
        1e-10,
        1e-10,
    );
}

/// One M-step at the end, from a plain mean over everything, is a step of batch EM.
#[test]
fn block_and_recursive_em_of_everything_are_batch_em() {
    for seed in 0..12 {
        let (model, data) = (random_model(seed, 3), &random_data(seed, 90)[0]);
        let once = BatchEm {
            max_iterations: 1,
            ..BatchEm::default()
        };
        let batch = model
            .clone()
            .fit(std::slice::from_ref(data), &once)
            .unwrap()
            .model;
        let block = Learn::BlockOnlineEm(BlockOnlineEm {
            block: data.len(),
            gain: PLAIN_MEAN,
            pseudo_count: 0.0,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 0,
        });
        let recursive = Learn::OnlineEm(OnlineEm {
            gain: PLAIN_MEAN,
            first: 1,
            every: data.len() as u64,
            pseudo_count: 0.0,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 0,
        });
        for (what, learn) in [("block", block), ("recursive", recursive)] {
            let found = learned(&model, data, learn);
            assert_ne!(found, model);
            assert_same_parameters(what, &found, batch.transition(), batch.emission());
        }
    }
}

/// The second block is smoothed from the belief carried into it, and weighs as much as the first.
#[test]
fn a_second_block_goes_on_from_the_belief() {
    for seed in 0..8 {
        let (model, data) = (random_model(seed, 3), &random_data(seed, 60)[0]);
        let (k, half) = (3, 30);
        let settings = BlockOnlineEm {
            block: half,
            gain: PLAIN_MEAN,
            pseudo_count: 0.0,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 0,
        };
        let found = learned(&model, data, Learn::BlockOnlineEm(settings.clone()));
        let middle = learned(&model, &data.part(0, half), Learn::BlockOnlineEm(settings));
        let first = model.expectations(&[data.part(0, half)]).unwrap();
        // The second half as a sequence of its own, whose π is the prediction at the boundary.
        let filtered = model.filter(&data.part(0, half)).unwrap();
        let before = filtered.belief(half - 1).unwrap();
        let a = middle.transition();
        let predicted: Vec<f64> = (0..k)
            .map(|j| (0..k).map(|i| before[i] * a[i * k + j]).sum())
            .collect();
        let second =
            Hmm::from_flat(predicted.clone(), a.to_vec(), middle.emission().clone()).unwrap();
        let second = second.expectations(&[data.part(half, 2 * half)]).unwrap();
        let mut transitions = second.transitions.clone();
        for (n, x) in transitions.iter_mut().enumerate() {
            let (i, j) = (n / k, n % k);
            *x += before[i] * a[n] / predicted[j] * second.initial[j];
        }
        let mean: Vec<f64> = first
            .transitions
            .iter()
            .zip(&transitions)
            .map(|(x, y)| x / (half - 1) as f64 + y / half as f64)
            .collect();
        let transition: Vec<f64> = mean
            .chunks(k)
            .flat_map(|row| row.iter().map(|n| n / row.iter().sum::<f64>()))
            .collect();
        let statistics: Vec<f64> = first
            .emission
            .iter()
            .zip(&second.emission)
            .map(|(x, y)| x + y)
            .collect();
        let emission = middle
            .emission()
            .maximise(&statistics, PseudoObservations::NONE)
            .unwrap();
        assert_same_parameters("second block", &found, &transition, &emission);
    }
}

#[test]
fn fixed_lag_counts_what_the_smoother_says_of_a_few_steps_back() {
    for (seed, lag) in (0..8).flat_map(|seed| [(seed, 0), (seed, 1), (seed, 5)]) {
        let (model, data) = (random_model(seed, 3), &random_data(seed, 50)[0]);
        let (k, p) = (3, model.emission().statistic_len());
        let learn = Learn::FixedLag(FixedLag {
            lag,
            gain: PLAIN_MEAN,
            every: data.len() as u64,
            pseudo_count: 0.0,
            pseudo_variance: PseudoVariance::OfData,
            average_from: 0,
        });
        let found = learned(&model, data, learn);
        let (mut n, mut e, mut phi) = (vec![0.0; k * k], vec![0.0; k * p], vec![0.0; p]);
        for u in 0..data.len() - lag {
            let smoothed = model.smooth(&data.part(0, u + lag + 1)).unwrap();
            if u > 0 {
                let pairs = smoothed.pairwise(u - 1).unwrap();
                n.iter_mut().zip(pairs).for_each(|(n, x)| *n += x);
            }
            if let Some(o) = data.get(u) {
                model
                    .emission()
                    .accumulate(o, smoothed.marginal(u).unwrap(), &mut phi, &mut e);
            }
        }
        let transition: Vec<f64> = n
            .chunks(k)
            .flat_map(|row| row.iter().map(|n| n / row.iter().sum::<f64>()))
            .collect();
        let emission = model
            .emission()
            .maximise(&e, PseudoObservations::NONE)
            .unwrap();
        assert_same_parameters(&format!("lag {lag}"), &found, &transition, &emission);
    }
}

/// The numbers in a snapshot.
fn size(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => items.iter().map(size).sum(),
        serde_json::Value::Object(fields) => fields.values().map(size).sum(),
        _ => 1,
    }
}

#[test]
fn memory_is_constant() {
    /// A multiple of every block, lag and window.
    const ROUND: usize = 840;
    for learn in rules() {
        for seed in 0..4 {
            let data = &random_data(seed, ROUND)[0];
            let mut learning = random_model(seed, 3).learn_online(&learn).unwrap();
            let mut sizes = Vec::new();
            for _ in 0..4 {
                for o in data.iter() {
                    learning.update(o).unwrap();
                }
                sizes.push(size(&serde_json::to_value(&learning).unwrap()));
            }
            assert!(
                sizes[1..].iter().all(|s| *s == sizes[1]),
                "{learn:?}: {sizes:?}"
            );
        }
    }
}

#[test]
fn conjugate_counts_are_lag_one_pairs() {
    let (model, data) = (random_model(0, 3), &random_data(0, 80)[0]);
    let settings = Dirichlet {
        transition_weight: 4.0,
        emission_weight: 2.0,
        forgetting: 0.9,
        every: 1,
        average_from: 0,
    };
    let mut learning = model
        .clone()
        .learn_online(&Learn::Dirichlet(settings))
        .unwrap();
    let prior: Vec<f64> = model.transition().iter().map(|a| 4.0 * a).collect();
    let mut alpha = prior.clone();
    let k = model.states();
    for (t, o) in data.iter().enumerate() {
        let (old, before) = (learning.model().clone(), learning.belief().to_vec());
        learning.update(o).unwrap();
        alpha
            .iter_mut()
            .zip(&prior)
            .for_each(|(a, p)| *a = p + 0.9 * (*a - p));
        if t > 0 {
            let mut l = vec![0.0; k];
            if let Some(o) = o {
                old.emission().log_likelihood(o, &mut l).unwrap();
            }
            let mut xi: Vec<f64> = (0..k * k)
                .map(|n| before[n / k] * old.transition()[n] * l[n % k].exp())
                .collect();
            let total: f64 = xi.iter().sum();
            xi.iter_mut().for_each(|x| *x /= total);
            alpha.iter_mut().zip(&xi).for_each(|(a, x)| *a += x);
        }
        close(
            "α",
            learning.posterior().unwrap().transition(),
            &alpha,
            1e-12,
            1e-12,
        );
        for (row, alpha) in learning.model().transition().chunks(k).zip(alpha.chunks(k)) {
            let total: f64 = alpha.iter().sum();
            let mean: Vec<f64> = alpha.iter().map(|a| a / total).collect();
            close("A", row, &mean, 1e-12, 1e-12);
        }
    }
    let (low, high) = learning
        .posterior()
        .unwrap()
        .transition_interval(0, 1, 0.9)
        .unwrap();
    let mean = learning.model().transition()[1];
    assert!(0.0 < low && low < mean && mean < high && high < 1.0);
    assert!(
        learning
            .posterior()
            .unwrap()
            .transition_interval(0, 3, 0.9)
            .is_err()
    );
}

#[test]
fn impossible_transitions_stay_impossible() {
    let emission: AnyEmission =
        Categorical::from_flat(3, vec![0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8])
            .unwrap()
            .into();
    let circle = vec![
        vec![0.5, 0.5, 0.0],
        vec![0.0, 0.5, 0.5],
        vec![0.5, 0.0, 0.5],
    ];
    let model = Hmm::new(vec![1.0, 0.0, 0.0], circle, emission).unwrap();
    let mut rng = numbers(3);
    for learn in rules() {
        let mut learning = model.clone().learn_online(&learn).unwrap();
        for _ in 0..200 {
            learning.update(Some(&[(3.0 * rng()).floor()])).unwrap();
        }
        for n in [2, 3, 7] {
            assert_eq!(learning.model().transition()[n], 0.0, "{learn:?}");
            assert_eq!(learning.averaged().unwrap().transition()[n], 0.0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn relabelled_states_learn_relabelled_parameters(seed in 0u64..10_000, rule in 0usize..5) {
        let model = random_model(seed, 3);
        let order = [2, 0, 1];
        let learn = &rules()[rule];
        let run = |model: Hmm| {
            let mut learning = model.learn_online(learn).unwrap();
            for o in random_data(seed, 50)[0].iter() {
                learning.update(o).unwrap();
            }
            learning
        };
        let (one, other) = (run(model.clone()), run(model.relabelled(&order).unwrap()));
        prop_assert!((one.elbo() - other.elbo()).abs() < 1e-8 * one.elbo().abs());
        let one = one.model().relabelled(&order).unwrap();
        for (a, b) in one.transition().iter().zip(other.model().transition()) {
            prop_assert!((a - b).abs() < 1e-8);
        }
        for (a, b) in parameters(one.emission()).iter().zip(parameters(other.model().emission())) {
            prop_assert!((a - b).abs() < 1e-8 * (1.0 + b.abs()));
        }
    }
}
