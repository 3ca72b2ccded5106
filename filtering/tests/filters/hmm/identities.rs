//! What must hold of exact inference in any hidden Markov model, on random models with and without gaps.

use crate::reference::close;
use proptest::prelude::*;
use scotopic_filtering::hmm::{Categorical, DiagonalGaussian, Filter, FullGaussian, Hmm, Poisson};
use scotopic_filtering::rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Sequence, log_sum_exp};

/// Sums over at most a few thousand paths, and recursions over at most a few hundred steps.
const ROUNDING: f64 = 1e-11;

/// A random distribution; with `zeros`, about a third of its entries are 0.
fn distribution(n: usize, zeros: bool, rng: &mut impl Rng) -> Vec<f64> {
    let keep = rng.random_range(0..n);
    let mut p: Vec<f64> = (0..n)
        .map(|i| match zeros && i != keep && rng.random_bool(0.35) {
            true => 0.0,
            false => -(1.0 - rng.random::<f64>()).ln() + 1e-3,
        })
        .collect();
    let total: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= total);
    p
}

/// A random model of K states and M symbols, and a sequence drawn from it, with gaps.
fn drawn(seed: u64, k: usize, m: usize, t: usize, zeros: bool) -> (Hmm<Categorical>, Sequence) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rows = |rows: usize, n: usize| -> Vec<Vec<f64>> {
        (0..rows)
            .map(|_| distribution(n, zeros, &mut rng))
            .collect()
    };
    let (initial, transition, symbols) = (rows(1, k).concat(), rows(k, k), rows(k, m));
    let emission = Categorical::new(symbols).unwrap();
    let model = Hmm::new(initial, transition, emission).unwrap();
    let (_, full) = model.sample(t, &mut rng).unwrap();
    let mut sequence = Sequence::new(1).unwrap();
    for o in full.iter() {
        sequence.push(o.filter(|_| rng.random_bool(0.85))).unwrap();
    }
    (model, sequence)
}

/// Every path and ln p(path, observations).
fn paths(model: &Hmm<Categorical>, sequence: &Sequence) -> Vec<(Vec<usize>, f64)> {
    let (k, m) = (model.states(), model.emission().symbols());
    let b = model.emission().probabilities();
    (0..k.pow(sequence.len() as u32))
        .map(|n| {
            let path: Vec<usize> = (0..sequence.len())
                .map(|t| n / k.pow(t as u32) % k)
                .collect();
            let mut l = model.initial()[path[0]].ln();
            for (t, o) in sequence.iter().enumerate() {
                if t > 0 {
                    l += model.transition()[path[t - 1] * k + path[t]].ln();
                }
                if let Some(o) = o {
                    l += b[path[t] * m + o[0] as usize].ln();
                }
            }
            (path, l)
        })
        .collect()
}

fn small() -> impl Strategy<Value = (Hmm<Categorical>, Sequence)> {
    (any::<u64>(), 1..4usize, 1..4usize, 1..7usize, any::<bool>())
        .prop_map(|(seed, k, m, t, zeros)| drawn(seed, k, m, t, zeros))
}

fn larger() -> impl Strategy<Value = (Hmm<Categorical>, Sequence)> {
    (
        any::<u64>(),
        1..20usize,
        1..6usize,
        1..80usize,
        any::<bool>(),
    )
        .prop_map(|(seed, k, m, t, zeros)| drawn(seed, k, m, t, zeros))
}

proptest! {
    /// Identity 1, and every marginal of the same sum.
    #[test]
    fn sums_over_all_paths((model, sequence) in small()) {
        let (k, last) = (model.states(), sequence.len() - 1);
        let paths = paths(&model, &sequence);
        let logs: Vec<f64> = paths.iter().map(|(_, l)| *l).collect();
        let evidence = log_sum_exp(&logs);
        let smoothed = model.smooth(&sequence).unwrap();
        close("ln p", &[smoothed.log_evidence()], &[evidence], ROUNDING, ROUNDING);
        for t in 0..=last {
            let mut marginal = vec![0.0; k];
            let mut pairs = vec![0.0; k * k];
            for (path, l) in &paths {
                marginal[path[t]] += (l - evidence).exp();
                if t < last {
                    pairs[path[t] * k + path[t + 1]] += (l - evidence).exp();
                }
            }
            close("γ", smoothed.marginal(t).unwrap(), &marginal, ROUNDING, 0.0);
            if t < last {
                close("ξ", &smoothed.pairwise(t).unwrap(), &pairs, ROUNDING, 0.0);
            }
        }
        let (path, l) = model.viterbi(&sequence).unwrap();
        let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        close("best path", &[l], &[best], ROUNDING, ROUNDING);
        let of_path = paths.iter().find(|(p, _)| *p == path).unwrap().1;
        close("its probability", &[of_path], &[best], ROUNDING, ROUNDING);
    }

    /// Identity 10: γ_t[i] = Σ_j b_{t+1}[j][i] γ_{t+1}[j].
    #[test]
    fn kernels_smooth((model, sequence) in larger()) {
        let smoothed = model.smooth(&sequence).unwrap();
        let k = model.states();
        let mut gamma = smoothed.marginal(sequence.len() - 1).unwrap().to_vec();
        for t in (1..sequence.len()).rev() {
            let b = smoothed.filtered().kernel(t).unwrap();
            gamma = (0..k).map(|i| (0..k).map(|j| b[j * k + i] * gamma[j]).sum()).collect();
            close("γ", &gamma, smoothed.marginal(t - 1).unwrap(), ROUNDING, 0.0);
        }
    }

    /// Identity 8, for sequences of different lengths together.
    #[test]
    fn expectations_are_sums_of_marginals(
        (model, first) in larger(),
        cut in 1..80usize,
    ) {
        let (k, m) = (model.states(), model.emission().symbols());
        let sequences = [first.clone(), first.part(0, cut)];
        let found = model.expectations(&sequences).unwrap();
        let (mut initial, mut transitions) = (vec![0.0; k], vec![0.0; k * k]);
        let (mut emission, mut evidence) = (vec![0.0; k * m], 0.0);
        for sequence in &sequences {
            let smoothed = model.smooth(sequence).unwrap();
            evidence += smoothed.log_evidence();
            for (t, o) in sequence.iter().enumerate() {
                let gamma = smoothed.marginal(t).unwrap();
                if t == 0 {
                    initial.iter_mut().zip(gamma).for_each(|(n, g)| *n += g);
                } else {
                    let xi = smoothed.pairwise(t - 1).unwrap();
                    transitions.iter_mut().zip(xi).for_each(|(n, x)| *n += x);
                }
                if let Some(o) = o {
                    (0..k).for_each(|s| emission[s * m + o[0] as usize] += gamma[s]);
                }
            }
        }
        close("initial", &found.initial, &initial, ROUNDING, ROUNDING);
        close("transitions", &found.transitions, &transitions, ROUNDING, ROUNDING);
        close("emission", &found.emission, &emission, ROUNDING, ROUNDING);
        close("ln p", &[found.log_evidence], &[evidence], ROUNDING, ROUNDING);
    }

    /// Identity 13.
    #[test]
    fn other_numbers_for_the_states_change_nothing((model, sequence) in larger(), turn in 0..20usize) {
        let k = model.states();
        let order: Vec<usize> = (0..k).map(|s| (s + turn) % k).rev().collect();
        let (a, b) = (model.smooth(&sequence).unwrap(),
                      model.relabelled(&order).unwrap().smooth(&sequence).unwrap());
        close("ln p", &[a.log_evidence()], &[b.log_evidence()], ROUNDING, ROUNDING);
        for t in 0..sequence.len() {
            let expected: Vec<f64> = order.iter().map(|&s| a.marginal(t).unwrap()[s]).collect();
            close("γ", b.marginal(t).unwrap(), &expected, ROUNDING, 0.0);
        }
    }

    /// Identity 20, and what a stream says on the way; with a break in which it was only a value of serde.
    #[test]
    fn a_stream_is_the_batch_bit_for_bit((model, sequence) in larger(), pause in 0..80usize) {
        let filtered = model.filter(&sequence).unwrap();
        let k = model.states();
        let mut filter = Filter::new(model.clone()).with_lag(3);
        prop_assert_eq!(filter.belief(), model.initial());
        let (mut kernel, mut row) = (vec![0.0; k * k], vec![0.0; k]);
        for (t, o) in sequence.iter().enumerate() {
            if t == pause {
                let saved = serde_json::to_value(&filter).unwrap();
                let loaded: Filter<Categorical> = serde_json::from_value(saved).unwrap();
                prop_assert_eq!(&loaded, &filter);
                filter = loaded;
            }
            let step = filter.update(o).unwrap();
            prop_assert_eq!(step.increment, filtered.log_predictive()[t]);
            prop_assert_eq!(filter.belief(), filtered.belief(t).unwrap());
            prop_assert_eq!(filter.predicted(), &filtered.predicted(t).unwrap()[..]);
            if t > 0 {
                filter.kernel(&mut kernel).unwrap();
                prop_assert_eq!(&kernel, &filtered.kernel(t).unwrap());
            }
        }
        prop_assert_eq!(filter.elbo(), filtered.log_evidence());
        prop_assert_eq!(filter.elbo(), model.log_evidence(&sequence).unwrap());
        prop_assert_eq!(filter.observations(), sequence.len() as u64);
        let smoothed = model.smooth(&sequence).unwrap();
        for l in 0..sequence.len().min(4) {
            filter.lagged(l, &mut row).unwrap();
            let expected = smoothed.marginal(sequence.len() - 1 - l).unwrap();
            close("lagged", &row, expected, ROUNDING, 0.0);
        }
        prop_assert!(filter.lagged(sequence.len().min(4), &mut row).is_err());
    }

    /// Identity 14.
    #[test]
    fn gaps_only_predict((model, sequence) in larger(), gap in 1..30usize) {
        let k = model.states();
        let mut filter = Filter::new(model.clone());
        let mut expected = vec![0.0; k];
        let mut blank = Sequence::new(1).unwrap();
        for h in 1..=gap {
            filter.predict(1, &mut expected).unwrap();
            let step = filter.update(None).unwrap();
            prop_assert_eq!((step.increment, step.elbo), (0.0, 0.0));
            close("q", filter.belief(), &expected, 1e-15, 0.0);
            Filter::new(model.clone()).predict(h, &mut expected).unwrap();
            close("π A^(h−1)", filter.belief(), &expected, 1e-13, 0.0);
            blank.push(None).unwrap();
        }
        prop_assert_eq!(model.log_evidence(&blank).unwrap(), 0.0);
        let before = model.filter(&sequence).unwrap();
        let mut longer = sequence.clone();
        longer.push(None).unwrap();
        let after = model.filter(&longer).unwrap();
        prop_assert_eq!(before.log_evidence(), after.log_evidence());
    }

    /// Identity 16.
    #[test]
    fn one_state_is_no_state(numbers in prop::collection::vec(-9.0..9.0f64, 1..50), mean in -2.0..2.0f64, v in 0.2..4.0f64) {
        let emission = DiagonalGaussian::new(vec![vec![mean]], vec![vec![v]]).unwrap();
        let model = Hmm::new(vec![1.0], vec![vec![1.0]], emission).unwrap();
        let independent: f64 = numbers
            .iter()
            .map(|y| -0.5 * ((y - mean) * (y - mean) / v + (std::f64::consts::TAU * v).ln()))
            .sum();
        let found = model.log_evidence(&Sequence::of_numbers(numbers).unwrap()).unwrap();
        close("ln p", &[found], &[independent], ROUNDING, ROUNDING);
    }
}

/// Two states far apart, hardly any way between them.
fn distant(way: f64) -> Hmm<DiagonalGaussian> {
    let emission = DiagonalGaussian::new(vec![vec![0.0], vec![200.0]], vec![vec![1.0]; 2]).unwrap();
    let transition = vec![vec![1.0 - way, way], vec![0.0, 1.0]];
    Hmm::new(vec![1.0, 0.0], transition, emission).unwrap()
}

#[test]
fn an_outlier_in_the_only_state_there_is_counts_in_full() {
    // ℓ = −2·10⁴: zero as a double, next to the state that explains it but cannot be reached.
    let model = distant(0.0);
    let found = model
        .log_evidence(&Sequence::of_numbers([0.0, 200.0, 0.0]).unwrap())
        .unwrap();
    let expected = -1.5 * std::f64::consts::TAU.ln() - 2e4;
    close("ln p", &[found], &[expected], 0.0, 1e-14);
}

#[test]
fn a_transition_of_probability_1e_minus_250_is_found_again() {
    let way: f64 = 1e-250;
    let sequence = Sequence::of_numbers([0.0, 200.0, 200.0]).unwrap();
    let model = distant(way);
    let expected = -1.5 * std::f64::consts::TAU.ln() + way.ln();
    let smoothed = model.smooth(&sequence).unwrap();
    close("ln p", &[smoothed.log_evidence()], &[expected], 0.0, 1e-14);
    let expected = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0];
    close("γ", smoothed.marginals(), &expected, 1e-12, 0.0);
    // Only here is a ratio γ/pred out of the range that is multiplied with.
    let found = model.expectations(&[sequence]).unwrap();
    close("Σξ", &found.transitions, &[0.0, 1.0, 0.0, 1.0], 1e-12, 0.0);
    close("γ_1", &found.initial, &[1.0, 0.0], 1e-12, 0.0);
}

#[test]
fn marginals_of_a_long_sequence_still_sum_to_one() {
    let (model, sequence) = drawn(5, 6, 4, 100_000, false);
    let smoothed = model.smooth(&sequence).unwrap();
    let worst = smoothed
        .marginals()
        .chunks(6)
        .map(|row| (row.iter().sum::<f64>() - 1.0).abs())
        .fold(0.0, f64::max);
    assert!(worst < 1e-11, "{worst:e}");
    let transitions: f64 = model
        .expectations(&[sequence])
        .unwrap()
        .transitions
        .iter()
        .sum();
    assert!((transitions - 99_999.0).abs() < 1e-5, "{transitions}");
}

#[test]
fn a_failed_update_leaves_the_filter_as_it_was() {
    let symbols = Categorical::new(vec![vec![1.0, 0.0], vec![0.5, 0.5]]).unwrap();
    let model = Hmm::new(
        vec![1.0, 0.0],
        vec![vec![1.0, 0.0], vec![0.0, 1.0]],
        symbols,
    )
    .unwrap();
    let mut filter = Filter::new(model.clone()).with_lag(2);
    for _ in 0..3 {
        filter.update(Some(&[0.0])).unwrap();
    }
    let as_it_was = filter.clone();
    let refused = |e: &Error| matches!(e, Error::Observation { index: 3, .. });
    for bad in [
        &[][..],
        &[0.0, 0.0],
        &[f64::NAN, 0.0],
        &[f64::NEG_INFINITY],
        &[f64::INFINITY],
        &[2.0],
        &[0.5],
        &[-1.0],
    ] {
        let error = filter.update(Some(bad)).unwrap_err();
        assert!(refused(&error), "{bad:?}: {error}");
        assert_eq!(filter, as_it_was);
    }
    let error = filter.update(Some(&[1.0])).unwrap_err();
    assert_eq!(error, Error::Impossible { index: 3 });
    assert_eq!(filter, as_it_was);
    let sequence = Sequence::of_symbols([0, 0, 0, 1]).unwrap();
    assert_eq!(
        model.smooth(&sequence).unwrap_err(),
        Error::Impossible { index: 3 }
    );
    assert_eq!(
        model.viterbi(&sequence).unwrap_err(),
        Error::Impossible { index: 3 }
    );
    let strange = Sequence::of_symbols([0, 7]).unwrap();
    for error in [
        model.log_evidence(&strange).unwrap_err(),
        model.viterbi(&strange).unwrap_err(),
        model.expectations(&[strange]).unwrap_err(),
    ] {
        assert!(
            matches!(error, Error::Observation { index: 1, .. }),
            "{error}"
        );
    }
    let wide = Sequence::of_rows([[0.0, 1.0]]).unwrap();
    assert!(matches!(
        model.filter(&wide).unwrap_err(),
        Error::Observation { index: 0, .. }
    ));
    let nothing = Sequence::new(1).unwrap();
    assert!(matches!(
        model.viterbi(&nothing).unwrap_err(),
        Error::Size { .. }
    ));
    assert!(matches!(
        model.log_evidence(&nothing).unwrap_err(),
        Error::Size { .. }
    ));
}

#[test]
fn a_new_model_keeps_the_belief_and_the_old_kernel() {
    let (model, sequence) = drawn(11, 4, 3, 9, false);
    let (other, _) = drawn(12, 4, 3, 9, false);
    let mut filter = Filter::new(model).with_lag(2);
    sequence.iter().for_each(|o| {
        filter.update(o).unwrap();
    });
    let (belief, mut before, mut after) = (filter.belief().to_vec(), vec![0.0; 16], vec![0.0; 16]);
    filter.kernel(&mut before).unwrap();
    filter.replace_model(other.clone()).unwrap();
    filter.kernel(&mut after).unwrap();
    assert_eq!((filter.belief(), &after), (&belief[..], &before));
    let saved = serde_json::to_value(&filter).unwrap();
    assert_eq!(
        serde_json::from_value::<Filter<Categorical>>(saved).unwrap(),
        filter
    );
    filter.update(sequence.get(0)).unwrap();
    filter.kernel(&mut after).unwrap();
    let (a, q) = (other.transition(), filter.predicted());
    let expected: Vec<f64> = (0..16)
        .map(|n| belief[n % 4] * a[n % 4 * 4 + n / 4] / q[n / 4])
        .collect();
    close("new kernel", &after, &expected, 1e-14, 0.0);
    assert!(filter.replace_model(drawn(1, 3, 3, 1, false).0).is_err());
}

/// Identity 20: how many numbers a saved filter has does not depend on how much it saw.
#[test]
fn a_saved_filter_does_not_grow() {
    fn count(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => items.iter().map(count).sum(),
            serde_json::Value::Object(items) => items.values().map(count).sum(),
            _ => 1,
        }
    }
    let (model, sequence) = drawn(3, 5, 4, 100_000, false);
    let mut filter = Filter::new(model).with_lag(4);
    let mut sizes = Vec::new();
    for (t, o) in sequence.iter().enumerate() {
        filter.update(o).unwrap();
        if t == 9 || t == 99_999 {
            sizes.push(count(&serde_json::to_value(&filter).unwrap()));
        }
    }
    assert_eq!(sizes[0], sizes[1]);
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let (model, sequence) = drawn(4, 3, 3, 5, false);
    let mut filter = Filter::new(model).with_lag(2);
    sequence.iter().for_each(|o| {
        filter.update(o).unwrap();
    });
    let saved = serde_json::to_value(&filter).unwrap();
    let damages: [(&str, serde_json::Value); 5] = [
        ("belief", vec![0.5, 0.5].into()),
        ("belief", vec![0.5, 0.5, 0.5].into()),
        ("before", vec![-1.0, 1.0, 1.0].into()),
        ("step_transition", vec![1.0; 3].into()),
        ("model", 3.into()),
    ];
    for (field, wrong) in damages {
        let mut damaged = saved.clone();
        damaged[field] = wrong;
        assert!(
            serde_json::from_value::<Filter<Categorical>>(damaged).is_err(),
            "{field}"
        );
    }
    for (field, wrong) in [("kept", 3), ("next", 2), ("most", 9), ("size", 4)] {
        let mut damaged = saved.clone();
        damaged["lag"][field] = wrong.into();
        assert!(
            serde_json::from_value::<Filter<Categorical>>(damaged).is_err(),
            "lag.{field}"
        );
    }
}

/// Means of 40 000 draws of a unit variance are off by 0.02 once in 10⁴ tests; the seed is fixed.
#[test]
fn draws_have_the_moments_of_the_model() {
    const N: usize = 40_000;
    const OFF: f64 = 0.02;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let stay = || vec![vec![0.8, 0.2], vec![0.4, 0.6]];
    let start = || vec![2.0 / 3.0, 1.0 / 3.0]; // what `stay` settles at
    let tilted = vec![
        vec![vec![1.0, 0.5], vec![0.5, 1.0]],
        vec![vec![0.5, -0.3], vec![-0.3, 0.5]],
    ];
    let full = FullGaussian::new(vec![vec![0.0, 1.0], vec![-1.0, 2.0]], tilted.clone()).unwrap();
    let model = Hmm::new(start(), stay(), full).unwrap();
    let (states, sequence) = model.sample(N, &mut rng).unwrap();
    let share = states.iter().filter(|&&s| s == 0).count() as f64 / N as f64;
    assert!((share - 2.0 / 3.0).abs() < OFF, "{share}");
    for (s, covariance) in tilted.iter().enumerate() {
        let rows: Vec<&[f64]> = (0..N)
            .filter(|&t| states[t] == s)
            .map(|t| sequence.get(t).unwrap())
            .collect();
        let mean =
            |f: &dyn Fn(&[f64]) -> f64| rows.iter().map(|r| f(r)).sum::<f64>() / rows.len() as f64;
        let m = [[0.0, 1.0], [-1.0, 2.0]][s];
        close(
            "mean",
            &[mean(&|r| r[0]), mean(&|r| r[1])],
            &m,
            2.0 * OFF,
            0.0,
        );
        let spread = |i: usize, j: usize| mean(&|r| (r[i] - m[i]) * (r[j] - m[j]));
        let found = [spread(0, 0), spread(0, 1), spread(1, 1)];
        let expected = [covariance[0][0], covariance[0][1], covariance[1][1]];
        close("covariance", &found, &expected, 2.0 * OFF, 0.0);
    }
    let counts = Poisson::new(vec![vec![0.3, 30.0], vec![3.0, 5e8]]).unwrap();
    let (states, sequence) = Hmm::new(start(), stay(), counts)
        .unwrap()
        .sample(N, &mut rng)
        .unwrap();
    for (s, rates) in [[0.3, 30.0], [3.0, 5e8]].iter().enumerate() {
        let rows: Vec<&[f64]> = (0..N)
            .filter(|&t| states[t] == s)
            .map(|t| sequence.get(t).unwrap())
            .collect();
        for (d, rate) in rates.iter().enumerate() {
            let mean = rows.iter().map(|r| r[d]).sum::<f64>() / rows.len() as f64;
            assert!(
                (mean - rate).abs() < 2.0 * OFF * rate.sqrt(),
                "{s} {d}: {mean}"
            );
            assert!(rows.iter().all(|r| r[d] >= 0.0 && r[d].fract() == 0.0));
        }
    }
    let dice = Categorical::new(vec![vec![0.2, 0.0, 0.8], vec![0.0, 1.0, 0.0]]).unwrap();
    let (states, sequence) = Hmm::new(start(), stay(), dice)
        .unwrap()
        .sample(N, &mut rng)
        .unwrap();
    let ones = (0..N).filter(|&t| sequence.get(t).unwrap()[0] == 1.0);
    assert!(ones.eq((0..N).filter(|&t| states[t] == 1)));
}
