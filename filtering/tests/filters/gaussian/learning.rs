//! Linear-Gaussian models that learn while they filter.

use scotopic_filtering::gaussian::{
    BlockOnlineEm, GaussianLearn, GaussianLearning, Learned, LinearGaussian, OnlineEm, Rmle,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::SeedableRng;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::{Error, Sequence};

fn rules(learned: Learned) -> [GaussianLearn; 3] {
    [
        GaussianLearn::BlockOnlineEm(BlockOnlineEm {
            learned,
            ..BlockOnlineEm::default()
        }),
        GaussianLearn::OnlineEm(OnlineEm {
            learned,
            ..OnlineEm::default()
        }),
        GaussianLearn::Rmle(Rmle {
            learned,
            ..Rmle::default()
        }),
    ]
}

fn truth() -> LinearGaussian {
    LinearGaussian::from_rows(
        &[[0.95, 0.1], [-0.1, 0.9]],
        &[[0.3, 0.05], [0.05, 0.2]],
        &[[1.0, 0.5], [0.0, 1.0]],
        &[[0.5, 0.1], [0.1, 0.4]],
    )
    .and_then(|m| m.with_bias(vec![0.2, -0.1].into(), vec![0.5, 1.0].into()))
    .unwrap()
}

fn guess() -> LinearGaussian {
    LinearGaussian::from_rows(
        &[[0.5, 0.0], [0.0, 0.5]],
        &[[1.0, 0.0], [0.0, 1.0]],
        &[[1.0, 0.0], [0.0, 1.0]],
        &[[1.0, 0.0], [0.0, 1.0]],
    )
    .unwrap()
}

/// Draws of a model, one in ten missing.
fn draws(model: &LinearGaussian, len: usize, seed: u64) -> Sequence {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (_, full) = model.sample(len, &mut rng).unwrap();
    let mut data = Sequence::new(full.width()).unwrap();
    for (t, y) in full.iter().enumerate() {
        data.push(y.filter(|_| t % 10 != 7)).unwrap();
    }
    data
}

fn per_observation(model: &LinearGaussian, data: &Sequence) -> f64 {
    model.log_evidence(data).unwrap() / data.len() as f64
}

#[test]
fn every_rule_comes_near_the_truth() {
    let (data, unseen) = (draws(&truth(), 12_000, 1), draws(&truth(), 12_000, 2));
    let best = per_observation(&truth(), &unseen);
    let start = best - per_observation(&guess(), &unseen);
    for rule in rules(Learned::default()) {
        let mut learning = guess().learn_online(&rule).unwrap();
        for y in data.iter() {
            learning.update(y).unwrap();
        }
        let excess = best - per_observation(learning.model(), &unseen);
        println!("{rule:?}: {start:.4} → {excess:.5}");
        // Some fifteen numbers that are determined from 12 000 observations cost half a nat each, over all:
        // below 0.001 an observation. The gain still leaves a few times that.
        assert!(excess < 0.01, "{rule:?}: {start} → {excess}");
        assert!(start > 0.3);
        // The prequential score is that of models learned from the past alone.
        let score = learning.filter().elbo() / data.len() as f64;
        assert!(score > per_observation(&guess(), &data));
    }
}

#[test]
fn held_parameters_stay() {
    let all = Learned::default();
    let data = draws(&truth(), 800, 3);
    for learned in [
        Learned {
            transition: false,
            observation_noise: false,
            ..all
        },
        Learned {
            observation: false,
            offset: false,
            process_noise: false,
            ..all
        },
    ] {
        for rule in rules(learned) {
            let mut learning = guess().learn_online(&rule).unwrap();
            for y in data.iter() {
                learning.update(y).unwrap();
            }
            let (now, before) = (learning.model(), guess());
            assert!(learning.steps() > 0);
            for (free, now, before) in [
                (learned.transition, now.transition(), before.transition()),
                (
                    learned.process_noise,
                    now.process_noise(),
                    before.process_noise(),
                ),
                (learned.observation, now.observation(), before.observation()),
                (
                    learned.observation_noise,
                    now.observation_noise(),
                    before.observation_noise(),
                ),
            ] {
                assert_eq!(free, now != before, "{rule:?}");
            }
            assert_eq!(learned.offset, now.offset() != before.offset());
            assert_eq!(now.initial_mean(), before.initial_mean());
        }
    }
}

#[test]
fn a_snapshot_goes_on_bit_for_bit() {
    let data = draws(&truth(), 700, 4);
    for rule in rules(Learned::default()) {
        let mut learning = guess().learn_online(&rule).unwrap();
        let mut other: Option<GaussianLearning> = None;
        for (t, y) in data.iter().enumerate() {
            if t == 333 {
                let saved = serde_json::to_value(&learning).unwrap();
                other = Some(serde_json::from_value(saved).unwrap());
            }
            let step = learning.update(y).unwrap();
            if let Some(other) = &mut other {
                assert_eq!(other.update(y).unwrap(), step, "{t}");
            }
        }
        assert_eq!(other, Some(learning));
    }
}

#[test]
fn an_update_that_fails_changes_nothing() {
    for rule in rules(Learned::default()) {
        let mut learning = guess().learn_online(&rule).unwrap();
        for y in draws(&truth(), 399, 5).iter() {
            learning.update(y).unwrap();
        }
        // The next observation ends a block.
        let before = learning.clone();
        for bad in [&[1.0][..], &[f64::NAN, f64::INFINITY], &[1e300, 1e300]] {
            assert!(learning.update(Some(bad)).is_err());
            assert_eq!(learning, before);
        }
        learning.update(Some(&[1.0, 1.0])).unwrap();
        assert!(learning.steps() > before.steps());
    }
}

/// R cannot be learned where nothing is ever seen of the noise: it shrinks to nothing, and the error comes
/// from the M-step, after the filter has taken the observation in.
#[test]
fn an_m_step_that_fails_changes_nothing() {
    let rule = GaussianLearn::BlockOnlineEm(BlockOnlineEm {
        block: 5,
        pseudo_count: 0.0,
        ..BlockOnlineEm::default()
    });
    let model = LinearGaussian::from_rows(&[[0.0]], &[[0.0]], &[[1.0]], &[[1.0]])
        .and_then(|m| m.with_initial(DVector::zeros(1), DMatrix::zeros(1, 1)))
        .unwrap();
    let mut learning = model.learn_online(&rule).unwrap();
    for _ in 0..4 {
        learning.update(Some(&[0.0])).unwrap();
    }
    let before = learning.clone();
    let error = learning.update(Some(&[0.0])).unwrap_err();
    assert!(
        matches!(error, Error::NotPositiveDefinite { .. }),
        "{error}"
    );
    assert_eq!(learning, before);
}

#[test]
fn large_models_need_blocks_or_a_diagonal() {
    let n = 10;
    let one = DMatrix::identity(n, n);
    let model =
        |f: f64| LinearGaussian::new(&one * f, &one * 0.3, one.clone(), &one * 0.5).unwrap();
    let data = draws(&model(0.8), 10_000, 6);
    let [block, em, rmle] = rules(Learned::default());
    for rule in [em, rmle] {
        assert!(matches!(
            model(0.3).learn_online(&rule),
            Err(Error::Unsupported { .. })
        ));
    }
    let diagonal = Learned {
        diagonal: true,
        ..Learned::default()
    };
    for rule in rules(diagonal).into_iter().chain([block]) {
        let mut learning = model(0.3).learn_online(&rule).unwrap();
        for y in data.iter() {
            learning.update(y).unwrap();
        }
        let now = learning.model();
        let mean = now.transition().diagonal().mean();
        // From 0.3; ten entries of a standard error of about 0.01 each, and what EM has still to go.
        assert!((mean - 0.8).abs() < 0.06, "{rule:?}: {mean}");
        let kept_diagonal =
            !matches!(&rule, GaussianLearn::BlockOnlineEm(r) if !r.learned.diagonal);
        assert_eq!(now.is_diagonal(), kept_diagonal);
    }
    assert!(matches!(
        truth().learn_online(&rules(diagonal)[0]),
        Err(Error::Setting {
            field: "learned.diagonal",
            ..
        })
    ));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let wrong = [
        r#"{"rule": "block-online-em", "block": 1}"#,
        r#"{"rule": "block-online-em", "gain": {"exponent": 0.4}}"#,
        r#"{"rule": "online-em", "every": 0}"#,
        r#"{"rule": "online-em", "pseudo_count": -1.0}"#,
        r#"{"rule": "rmle", "rate": 0.0}"#,
    ];
    for text in wrong {
        let rule: GaussianLearn = serde_json::from_str(text).unwrap();
        let refused = guess().learn_online(&rule).unwrap_err();
        assert!(matches!(refused, Error::Setting { .. }), "{refused}");
    }
    assert!(serde_json::from_str::<GaussianLearn>(r#"{"rule": "rmle", "rte": 1.0}"#).is_err());
}
