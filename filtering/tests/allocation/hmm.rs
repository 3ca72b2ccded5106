//! The streaming paths ask for no memory.

use crate::requests;
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, BlockOnlineEm, Categorical, Decoupled, DiagonalGaussian, Dirichlet, Factorisation,
    Filter, FixedLag, FullGaussian, Hmm, Learn, OnlineEm, Poisson, TiedKernel, TiedLearning,
};

/// A model of K states that seldom leaves one.
fn sticky(k: usize, emission: AnyEmission) -> Hmm {
    let away = 0.3 / k as f64;
    let row = |i: usize| {
        (0..k)
            .map(|j| away + if i == j { 0.7 } else { 0.0 })
            .collect()
    };
    Hmm::new(vec![1.0 / k as f64; k], (0..k).map(row).collect(), emission).unwrap()
}

#[test]
fn updates_and_what_is_read_of_them_ask_for_nothing() {
    let before = requests();
    drop(Vec::<u8>::with_capacity(1));
    assert_eq!(requests(), before + 1, "the count counts");
    for k in [2, 5, 16] {
        let rows = |d: usize| -> Vec<Vec<f64>> {
            (0..k)
                .map(|s| (0..d).map(|i| (s + i + 1) as f64).collect())
                .collect()
        };
        let unit = vec![vec![vec![1.0, 0.2], vec![0.2, 1.0]]; k];
        let emissions: [(usize, AnyEmission); 4] = [
            (1, Categorical::new(vec![vec![0.25; 4]; k]).unwrap().into()),
            (2, Poisson::new(rows(2)).unwrap().into()),
            (2, DiagonalGaussian::new(rows(2), rows(2)).unwrap().into()),
            (2, FullGaussian::new(rows(2), unit).unwrap().into()),
        ];
        for (width, emission) in emissions {
            for lag in [0, 4] {
                let mut filter = Filter::new(sticky(k, emission.clone())).with_lag(lag);
                let (mut row, mut kernel) = (vec![0.0; k], vec![0.0; k * k]);
                let before = requests();
                for t in 0..200usize {
                    let seen = [(t % 4) as f64, (t % 3) as f64];
                    filter
                        .update((t % 7 > 0).then_some(&seen[..width]))
                        .unwrap();
                    filter.predict(3, &mut row).unwrap();
                    if t > 0 {
                        filter.kernel(&mut kernel).unwrap();
                        filter.lagged(lag.min(t), &mut row).unwrap();
                    }
                }
                assert_eq!(requests(), before, "K = {k}, width {width}, lag {lag}");
            }
        }
    }
}

#[test]
fn the_evidence_of_a_sequence_asks_as_often_however_long_it_is() {
    let model = sticky(4, Categorical::new(vec![vec![0.25; 4]; 4]).unwrap().into());
    let asked_for = |length: usize| {
        let sequence = Sequence::of_symbols((0..length).map(|t| t % 4)).unwrap();
        let before = requests();
        model.log_evidence(&sequence).unwrap();
        requests() - before
    };
    assert_eq!(asked_for(10), asked_for(10_000));
}

#[test]
fn every_online_factorisation_asks_for_nothing_after_two_updates() {
    let learning = Some(TiedLearning::default());
    for factorisation in [
        Factorisation::Reversed,
        Factorisation::DecoupledLag1(Decoupled::default()),
        Factorisation::Frozen,
        Factorisation::Tied(TiedKernel::default()),
        Factorisation::Tied(TiedKernel {
            learning,
            ..TiedKernel::default()
        }),
    ] {
        let k = 4;
        let emission = Categorical::new(vec![vec![0.25; 4]; k]).unwrap().into();
        let mut online = sticky(k, emission).online(&factorisation).unwrap();
        let mut kernel = vec![0.0; k * k];
        let mut before = 0;
        for t in 0..200usize {
            if t == 2 {
                before = requests();
            }
            let seen = [(t % 4) as f64];
            online.update((t % 7 > 0).then_some(&seen[..])).unwrap();
            if t > 0 {
                online.kernel(&mut kernel).unwrap();
            }
        }
        assert_eq!(requests(), before, "{factorisation:?}");
    }
}

#[test]
fn learning_asks_for_nothing_from_one_m_step_to_the_next() {
    /// More than any window that is folded, and than what is seen here.
    const WINDOWS: usize = 200;
    const SELDOM: u64 = 1_000_000;
    let rules = [
        Learn::BlockOnlineEm(BlockOnlineEm {
            block: 4 * WINDOWS,
            ..Default::default()
        }),
        Learn::OnlineEm(OnlineEm {
            every: SELDOM,
            ..Default::default()
        }),
        Learn::FixedLag(FixedLag {
            every: SELDOM,
            ..Default::default()
        }),
        Learn::Dirichlet(Dirichlet {
            every: SELDOM,
            forgetting: 0.99,
            ..Default::default()
        }),
    ];
    for learn in rules {
        let model = sticky(5, Categorical::new(vec![vec![0.25; 4]; 5]).unwrap().into());
        let mut learning = model.learn_online(&learn).unwrap();
        let mut run = |from: usize| {
            let before = requests();
            for t in from..from + WINDOWS {
                let seen = [(t % 4) as f64];
                learning.update((t % 7 > 0).then_some(&seen[..])).unwrap();
            }
            requests() - before
        };
        run(0);
        assert_eq!((run(WINDOWS), run(2 * WINDOWS)), (0, 0), "{learn:?}");
    }
}
