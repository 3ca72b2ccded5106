//! Data far from zero, and data that never vary: learning must not depend on where zero is, nor fail where there
//! is nothing to count.

use crate::reference::close;
use crate::reference::random::{random_data, random_model};
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, BlockOnlineEm, DiagonalGaussian, Dirichlet, EmissionKind, FixedLag,
    FullGaussian, Hmm, Learn, Learnable, OnlineEm, Poisson, Rmle,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// Numbers near 10⁶ are rounded to 10⁻¹⁰; learning adds these up.
const SHIFTED: f64 = 1e-6;

fn add(sequence: &Sequence, c: f64) -> Sequence {
    let rows: Vec<Vec<f64>> = sequence
        .iter()
        .map(|row| row.unwrap().iter().map(|y| y + c).collect())
        .collect();
    Sequence::of_rows(rows.iter().map(Vec::as_slice)).unwrap()
}

/// Two clusters of two entries, drawn.
fn data(len: usize) -> Sequence {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let emission = DiagonalGaussian::new(
        vec![vec![-1.0, 0.5], vec![2.0, -1.5]],
        vec![vec![1.0, 0.5], vec![0.7, 2.0]],
    )
    .unwrap();
    let model = Hmm::new(vec![0.5; 2], vec![vec![0.9, 0.1], vec![0.2, 0.8]], emission).unwrap();
    model.sample(len, &mut rng).unwrap().1
}

/// The start of learning, its means moved by c.
fn starts(c: f64) -> Vec<Hmm<AnyEmission>> {
    let means = vec![vec![c - 0.5, c], vec![c + 1.0, c - 1.0]];
    let full = vec![vec![vec![1.5, 0.2], vec![0.2, 1.5]]; 2];
    let emissions: [AnyEmission; 2] = [
        DiagonalGaussian::new(means.clone(), vec![vec![1.5; 2]; 2])
            .unwrap()
            .into(),
        FullGaussian::new(means, full).unwrap().into(),
    ];
    emissions
        .into_iter()
        .map(|e| Hmm::new(vec![0.5; 2], vec![vec![0.7, 0.3], vec![0.3, 0.7]], e).unwrap())
        .collect()
}

/// Means less c, spreads, and A.
fn learned(model: &Hmm<AnyEmission>, c: f64) -> Vec<f64> {
    let (means, spreads) = match model.emission() {
        AnyEmission::DiagonalGaussian(g) => (g.means(), g.variances()),
        AnyEmission::FullGaussian(g) => (g.means(), g.covariances()),
        _ => unreachable!(),
    };
    let means = means.iter().map(|m| m - c);
    means
        .chain(spreads.iter().copied())
        .chain(model.transition().iter().copied())
        .collect()
}

#[test]
fn em_on_data_moved_by_a_million_moves_the_means_and_nothing_else() {
    let here = data(400);
    for c in [1e6, -1e6] {
        let there = add(&here, c);
        for pseudo_count in [0.0, 2.0] {
            let em = BatchEm {
                max_iterations: 5,
                tolerance: 0.0,
                pseudo_count,
            };
            for (near, far) in starts(0.0).into_iter().zip(starts(c)) {
                let near = near.fit(std::slice::from_ref(&here), &em).unwrap().model;
                let far = far.fit(std::slice::from_ref(&there), &em).unwrap().model;
                close(
                    "EM",
                    &learned(&far, c),
                    &learned(&near, 0.0),
                    SHIFTED,
                    SHIFTED,
                );
            }
        }
    }
}

#[test]
fn learning_online_on_data_moved_by_a_million_moves_the_means_and_nothing_else() {
    let (here, c) = (data(1200), 1e6);
    let there = add(&here, c);
    let rules = [
        Learn::BlockOnlineEm(BlockOnlineEm {
            average_from: 300,
            ..BlockOnlineEm::default()
        }),
        Learn::OnlineEm(OnlineEm {
            average_from: 300,
            ..OnlineEm::default()
        }),
        Learn::FixedLag(FixedLag {
            average_from: 300,
            ..FixedLag::default()
        }),
        Learn::Rmle(Rmle {
            average_from: 300,
            rate: 0.5,
            ..Rmle::default()
        }),
        Learn::Dirichlet(Dirichlet {
            average_from: 300,
            ..Dirichlet::default()
        }),
    ];
    for rule in rules {
        for (near, far) in starts(0.0).into_iter().zip(starts(c)) {
            let run = |model: Hmm<AnyEmission>, data: &Sequence| {
                let mut learning = model.learn_online(&rule).unwrap();
                for y in data.iter() {
                    learning.update(y).unwrap();
                }
                (learning.model().clone(), learning.averaged().unwrap())
            };
            let (near, far) = (run(near, &here), run(far, &there));
            let what = format!("{rule:?}");
            close(
                &what,
                &learned(&far.0, c),
                &learned(&near.0, 0.0),
                SHIFTED,
                SHIFTED,
            );
            close(
                &what,
                &learned(&far.1, c),
                &learned(&near.1, 0.0),
                SHIFTED,
                SHIFTED,
            );
        }
    }
}

/// Numbers near 10⁹ are rounded to 10⁻⁷, so their variance is right to about as much.
#[test]
fn unit_variance_is_found_a_thousand_million_away() {
    let (here, c) = (data(400), 1e9);
    let there = add(&here, c);
    let one = |m: f64, v: f64| -> [AnyEmission; 2] {
        [
            DiagonalGaussian::new(vec![vec![m; 2]], vec![vec![v; 2]])
                .unwrap()
                .into(),
            FullGaussian::new(vec![vec![m; 2]], vec![vec![vec![v, 0.0], vec![0.0, v]]])
                .unwrap()
                .into(),
        ]
    };
    for (near, far) in one(0.0, 1.0).into_iter().zip(one(c + 1e4, 1e8)) {
        let start = |e| Hmm::new(vec![1.0], vec![vec![1.0]], e).unwrap();
        let near = start(near)
            .fit(std::slice::from_ref(&here), &BatchEm::default())
            .unwrap()
            .model;
        let far = start(far)
            .fit(std::slice::from_ref(&there), &BatchEm::default())
            .unwrap()
            .model;
        close(
            "far",
            &learned(&far, c),
            &learned(&near, 0.0),
            SHIFTED,
            SHIFTED,
        );
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for kind in [EmissionKind::DiagonalGaussian, EmissionKind::FullGaussian] {
        let guess = Hmm::initial_guess(kind, 2, std::slice::from_ref(&there), &mut rng).unwrap();
        let fit = guess
            .fit(std::slice::from_ref(&there), &BatchEm::default())
            .unwrap();
        let spreads = &learned(&fit.model, c)[4..];
        assert!(spreads.iter().all(|v| v.abs() < 10.0), "{spreads:?}");
    }
}

#[test]
fn a_model_far_from_zero_is_the_same_from_its_file_and_an_old_file_is_read() {
    for (near, far) in starts(0.0).into_iter().zip(starts(1e6)) {
        let text = serde_json::to_string(&near).unwrap();
        assert!(!text.contains("origin"), "{text}");
        let text = serde_json::to_string(&far).unwrap();
        assert_eq!(
            serde_json::from_str::<Hmm<AnyEmission>>(&text).unwrap(),
            far
        );
        let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(
            old["emission"]
                .as_object_mut()
                .unwrap()
                .remove("origin")
                .is_some()
        );
        let old: Hmm<AnyEmission> = serde_json::from_value(old).unwrap();
        let mut statistic = vec![0.0; old.emission().statistic_len()];
        old.emission().statistic(&[1.0, 2.0], &mut statistic);
        assert_eq!(statistic[..3], [1.0, 1.0, 2.0]);
        let mut broken: serde_json::Value = serde_json::from_str(&text).unwrap();
        broken["emission"]["origin"] = serde_json::json!([1.0]);
        assert!(serde_json::from_value::<Hmm<AnyEmission>>(broken).is_err());
    }
}

/// Counts with a silent last channel, and counts without any.
#[test]
fn channels_that_never_fire_are_learned() {
    let loud: Vec<Vec<f64>> = (0..200)
        .map(|t| vec![f64::from(t / 20 % 2 * 6 + t % 3), f64::from(t % 2), 0.0])
        .collect();
    let silent = vec![vec![0.0; 3]; 200];
    for rows in [loud, silent] {
        let data = Sequence::of_rows(rows.iter().map(Vec::as_slice)).unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        for pseudo_count in [0.0, 0.5] {
            let em = BatchEm {
                pseudo_count,
                ..BatchEm::default()
            };
            let guess = Hmm::initial_guess(
                EmissionKind::Poisson,
                2,
                std::slice::from_ref(&data),
                &mut rng,
            )
            .unwrap();
            let fit = guess.fit(std::slice::from_ref(&data), &em).unwrap();
            let AnyEmission::Poisson(counts) = fit.model.emission() else {
                unreachable!()
            };
            assert!(fit.log_evidence().is_finite());
            for row in counts.rates().chunks(3) {
                assert!(row[2] > 0.0 && row[2] < 1e-6, "{row:?}");
            }
        }
        let start = Poisson::new(vec![vec![1.0, 1.0, 0.1], vec![5.0, 1.0, 0.2]]).unwrap();
        let start = Hmm::new(vec![0.5; 2], vec![vec![0.9, 0.1], vec![0.1, 0.9]], start).unwrap();
        let rule = OnlineEm {
            pseudo_count: 0.0,
            ..OnlineEm::default()
        };
        let mut learning = start.learn_online(&Learn::OnlineEm(rule)).unwrap();
        for y in data.iter() {
            learning.update(y).unwrap();
        }
    }
}

/// Pseudo-counts as large as these pull the evidence down while what EM raises goes up.
#[test]
fn em_with_many_pseudo_counts_goes_on_through_falls_of_the_evidence() {
    let em = BatchEm {
        pseudo_count: 5.0,
        max_iterations: 2000,
        ..BatchEm::default()
    };
    let mut fell = 0;
    for seed in 0..40 {
        let data = random_data(seed, 100);
        let observations: usize = data.iter().map(Sequence::len).sum();
        let fit = random_model(seed, 3).fit(&data, &em).unwrap();
        assert!(fit.converged, "{seed}: {} iterations", fit.iterations);
        let [.., before, last] = fit.trace[..] else {
            unreachable!()
        };
        let moved = (last - before).abs();
        assert!(
            moved <= em.tolerance * observations as f64,
            "{seed}: moved by {moved}"
        );
        let falls = fit.trace.windows(2).any(|pair| pair[1] < pair[0] - 0.01);
        if falls {
            fell += 1;
            assert!(fit.iterations > 3, "{seed}: {:?}", fit.trace);
        }
    }
    assert!(fell >= 5, "only {fell} runs had a fall to go through");
}

/// From the model that made them, counts of tens must not lead away: the score of a log-rate is as large as the
/// counts.
#[test]
fn ascent_with_its_defaults_stays_near_the_best_rates() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let counts = Poisson::new(vec![vec![15.0], vec![26.0], vec![60.0]]).unwrap();
    let transition = vec![
        vec![0.9, 0.05, 0.05],
        vec![0.05, 0.9, 0.05],
        vec![0.05, 0.05, 0.9],
    ];
    let model = Hmm::new(vec![1.0 / 3.0; 3], transition, counts).unwrap();
    let data = model.sample(300, &mut rng).unwrap().1;
    let end = |scaled: bool| {
        let rule = Learn::Rmle(Rmle {
            scaled,
            ..Rmle::default()
        });
        let mut learning = model.clone().learn_online(&rule).unwrap();
        for y in data.iter() {
            learning.update(y)?;
        }
        learning.model().log_evidence(&data)
    };
    let start = model.log_evidence(&data).unwrap();
    let (safe, plain) = (end(true).unwrap(), end(false));
    // A twentieth of a nat an observation: what steps of this size wander.
    assert!(safe > start - 15.0, "{start} {safe} {plain:?}");
    assert!(
        plain.is_err() || plain.unwrap() < start - 50.0,
        "the plain step is no longer a danger"
    );
}
