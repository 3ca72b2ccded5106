//! Learning in hidden Markov models: gradients, EM, online rules, conjugate counting.

mod reference;

use proptest::prelude::*;
use reference::{Recording, close, hmm, recordings};
use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, BlockOnlineEm, Categorical, Concentrations, DiagonalGaussian, Dirichlet,
    FixedLag, FullGaussian, Gain, Hmm, Kind, Learn, Learnable, Learning, OnlineEm, Poisson,
    RecursiveScore, RecursiveStatistics, Rmle,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Sequence};

/// Sums over hundreds of terms in another order than NumPy's.
const ROUNDING: f64 = 1e-10;
/// The trajectories are chaotic at the level of rounding; this is what the recordings promise.
const TRAJECTORY: f64 = 1e-8;

/// The gradient with respect to the emission as recorded, laid out as `Learnable::score`.
fn recorded_emission_gradient(r: &Recording) -> Vec<f64> {
    let k = r.size("K");
    let names: &[&str] = match r.text("kind") {
        "categorical" => &["B_logits"],
        "poisson" => &["log_rate"],
        "gaussian_diag" => &["mean", "log_var"],
        "gaussian_full" => &["mean", "cov"],
        other => panic!("{other}"),
    };
    let parts: Vec<Vec<f64>> = names
        .iter()
        .map(|n| r.numbers(&format!("grad.{n}")))
        .collect();
    (0..k)
        .flat_map(|s| {
            parts
                .iter()
                .flat_map(move |part| part[s * part.len() / k..(s + 1) * part.len() / k].to_vec())
        })
        .collect()
}

#[test]
fn gradients_are_those_recorded() {
    let mut tested = 0;
    for r in recordings("hmm_").iter().filter(|r| r.has("grad")) {
        let model = hmm::model(r, "params");
        let found = model.gradient(&[hmm::observations(r)]).unwrap();
        let near = |what: &str, a: &[f64], b: &[f64]| {
            close(&format!("{} {what}", r.name), a, b, ROUNDING, ROUNDING);
        };
        near("π", &found.initial, &r.numbers("grad.pi_logits"));
        near("A", &found.transition, &r.numbers("grad.A_logits"));
        near("emission", &found.emission, &recorded_emission_gradient(r));
        close(
            "ln p",
            &[found.log_evidence],
            &[r.number("exact.log_evidence")],
            ROUNDING,
            1e-12,
        );
        tested += 1;
    }
    assert!(tested > 0);
}

/// Runs the filter and hands each kernel to a recursion.
fn kernels(model: &Hmm, sequence: &Sequence) -> (Vec<Vec<f64>>, Vec<f64>) {
    let filtered = model.filter(sequence).unwrap();
    let kernels = (1..sequence.len())
        .map(|t| filtered.kernel(t).unwrap())
        .collect();
    (
        kernels,
        filtered.belief(sequence.len() - 1).unwrap().to_vec(),
    )
}

fn statistics_of(model: &Hmm, sequence: &Sequence, kernels: &[Vec<f64>]) -> RecursiveStatistics {
    let mut phi = vec![0.0; model.emission().statistic_len()];
    let mut statistic = |t: usize| {
        sequence.get(t).map(|o| {
            model.emission().statistic(o, &mut phi);
            phi.clone()
        })
    };
    let first = statistic(0);
    let (k, p) = (model.states(), model.emission().statistic_len());
    let mut sums = RecursiveStatistics::start(k, p, first.as_deref()).unwrap();
    for (t, kernel) in kernels.iter().enumerate() {
        sums.advance(kernel, 1.0, 1.0, statistic(t + 1).as_deref())
            .unwrap();
    }
    sums
}

#[test]
fn recursive_statistics_expect_what_the_smoother_does() {
    for r in recordings("hmm_") {
        let (model, sequence) = (hmm::model(&r, "params"), hmm::observations(&r));
        let (kernels, last) = kernels(&model, &sequence);
        let found = statistics_of(&model, &sequence, &kernels)
            .expected(&last)
            .unwrap();
        let expected = r.numbers("exact.expected_transitions");
        close(
            &format!("{} N", r.name),
            &found.transitions,
            &expected,
            ROUNDING,
            ROUNDING,
        );
        let exact = model.expectations(&[sequence]).unwrap();
        close(
            &format!("{} γ_1", r.name),
            &found.initial,
            &exact.initial,
            ROUNDING,
            ROUNDING,
        );
        close(
            &format!("{} E", r.name),
            &found.emission,
            &exact.emission,
            ROUNDING,
            ROUNDING,
        );
    }
}

/// The recursion as it is written, table by table.
#[test]
fn recursive_statistics_are_the_plain_recursion_at_every_step() {
    let (k, p) = (3, 2);
    let mut rng = numbers(7);
    let mut sums = RecursiveStatistics::start(k, p, Some(&[1.0, 0.5])).unwrap();
    let mut n = vec![vec![0.0; k * k]; k];
    let mut e = vec![vec![0.0; k * p]; k];
    for (j, e) in e.iter_mut().enumerate() {
        e[j * p..(j + 1) * p].copy_from_slice(&[1.0, 0.5]);
    }
    for t in 0..100 {
        let kernel: Vec<f64> = (0..k).flat_map(|_| distribution(k, &mut rng)).collect();
        let phi = (t % 7 != 3).then(|| [rng(), rng()]);
        let gain = 0.2 * rng();
        sums.advance(&kernel, 1.0 - gain, gain, phi.as_ref().map(|x| &x[..]))
            .unwrap();
        let push = |table: &[Vec<f64>], j: usize| -> Vec<f64> {
            let column = |c: usize| (0..k).map(|i| kernel[j * k + i] * table[i][c]).sum::<f64>();
            (0..table[0].len())
                .map(|c| (1.0 - gain) * column(c))
                .collect()
        };
        let mut next: Vec<Vec<f64>> = (0..k).map(|j| push(&n, j)).collect();
        for (j, row) in next.iter_mut().enumerate() {
            for i in 0..k {
                row[i * k + j] += gain * kernel[j * k + i];
            }
        }
        n = next;
        let mut next: Vec<Vec<f64>> = (0..k).map(|j| push(&e, j)).collect();
        for (j, row) in next.iter_mut().enumerate() {
            for (into, x) in row[j * p..].iter_mut().zip(phi.unwrap_or_default()) {
                *into += gain * x;
            }
        }
        e = next;
        let q = distribution(k, &mut rng);
        let found = sums.expected(&q).unwrap();
        let mean = |table: &[Vec<f64>]| -> Vec<f64> {
            (0..table[0].len())
                .map(|c| (0..k).map(|j| q[j] * table[j][c]).sum())
                .collect()
        };
        close(
            &format!("N at {t}"),
            &found.transitions,
            &mean(&n),
            1e-13,
            1e-12,
        );
        close(
            &format!("E at {t}"),
            &found.emission,
            &mean(&e),
            1e-13,
            1e-12,
        );
    }
}

#[test]
fn scores_along_the_filter_are_the_gradient_at_every_time() {
    for r in recordings("hmm_")
        .iter()
        .filter(|r| r.has("grad") && r.size("T") <= 100)
    {
        let (model, sequence) = (hmm::model(r, "params"), hmm::observations(r));
        let filtered = model.filter(&sequence).unwrap();
        let mut score = RecursiveScore::start(&model, sequence.get(0)).unwrap();
        for t in 0..sequence.len() {
            if t > 0 {
                let kernel = filtered.kernel(t).unwrap();
                score.advance(&model, &kernel, sequence.get(t)).unwrap();
            }
            let found = score.expected(filtered.belief(t).unwrap()).unwrap();
            let exact = model.gradient(&[sequence.part(0, t + 1)]).unwrap();
            let near = |what: &str, a: &[f64], b: &[f64]| {
                // Relative to the largest entry: the terms of the outlier's variance are 1e4 each.
                let scale = b.iter().fold(1.0f64, |m, x| m.max(x.abs()));
                close(
                    &format!("{} {what} at {t}", r.name),
                    a,
                    b,
                    ROUNDING * scale,
                    0.0,
                );
            };
            near("π", &found.0, &exact.initial);
            near("A", &found.1, &exact.transition);
            near("emission", &found.2, &exact.emission);
        }
    }
}

#[test]
fn scores_along_any_kernels_are_those_recorded() {
    let mut tested = 0;
    for r in recordings("hmm_")
        .iter()
        .filter(|r| r.has("arbitrary_reversed.score_A_logits"))
    {
        let (model, sequence) = (hmm::model(r, "params"), hmm::observations(r));
        let mut score = RecursiveScore::start(&model, sequence.get(0)).unwrap();
        for (n, kernel) in r.rows("arbitrary_reversed.kernels").iter().enumerate() {
            score.advance(&model, kernel, sequence.get(n + 1)).unwrap();
        }
        let q = r.rows("arbitrary_reversed.q");
        let found = score.expected(q.last().unwrap()).unwrap();
        let near = |what: &str, a: &[f64], field: &str| {
            let expected = r.numbers(&format!("arbitrary_reversed.{field}"));
            close(
                &format!("{} {what}", r.name),
                a,
                &expected,
                ROUNDING,
                ROUNDING,
            );
        };
        near("π", &found.0, "score_pi_logits");
        near("A", &found.1, "score_A_logits");
        near("emission", &found.2, "score_emission_flat");
        tested += 1;
    }
    assert!(tested > 0);
}

#[test]
fn gradients_are_finite_differences() {
    /// Central differences of a function with third derivatives near 1.
    const STEP: f64 = 1e-5;
    const DIFFERENCE: f64 = 1e-7;
    for seed in 0..8 {
        let (model, data) = (random_model(seed, 3), random_data(seed, 12));
        let gradient = model.gradient(&data).unwrap();
        let evidence = |model: &Hmm| {
            data.iter()
                .map(|s| model.log_evidence(s).unwrap())
                .sum::<f64>()
        };
        let slope = |make: &dyn Fn(f64) -> Hmm| {
            (evidence(&make(STEP)) - evidence(&make(-STEP))) / (2.0 * STEP)
        };
        let k = model.states();
        let tilted = |row: &mut [f64], j: usize, d: f64| {
            row[j] *= d.exp();
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= total);
        };
        for i in 0..k {
            let found = slope(&|d| {
                let mut initial = model.initial().to_vec();
                tilted(&mut initial, i, d);
                Hmm::from_flat(
                    initial,
                    model.transition().to_vec(),
                    model.emission().clone(),
                )
                .unwrap()
            });
            close(
                &format!("π {seed}"),
                &[found],
                &[gradient.initial[i]],
                DIFFERENCE,
                DIFFERENCE,
            );
            for j in 0..k {
                let found = slope(&|d| {
                    let mut transition = model.transition().to_vec();
                    tilted(&mut transition[i * k..(i + 1) * k], j, d);
                    Hmm::from_flat(
                        model.initial().to_vec(),
                        transition,
                        model.emission().clone(),
                    )
                    .unwrap()
                });
                let expected = gradient.transition[i * k + j];
                close(
                    &format!("A {seed}"),
                    &[found],
                    &[expected],
                    DIFFERENCE,
                    DIFFERENCE,
                );
            }
        }
        let q = model.emission().parameters_len();
        for n in 0..k * q {
            // Covariances do not move along `ascended`; they are tested against recordings.
            if matches!(model.emission(), AnyEmission::FullGaussian(_)) && n % q >= model.width() {
                continue;
            }
            let found = slope(&|d| {
                let mut step = vec![0.0; k * q];
                step[n] = d;
                let emission = model.emission().ascended(&step).unwrap();
                Hmm::from_flat(
                    model.initial().to_vec(),
                    model.transition().to_vec(),
                    emission,
                )
                .unwrap()
            });
            let expected = gradient.emission[n];
            close(
                &format!("emission {seed}"),
                &[found],
                &[expected],
                DIFFERENCE,
                DIFFERENCE,
            );
        }
    }
}

#[test]
fn one_em_step_is_the_one_recorded() {
    for r in recordings("hmm_").iter().filter(|r| r.has("exact.em_step")) {
        let once = BatchEm {
            max_iterations: 1,
            ..BatchEm::default()
        };
        let fit = hmm::model(r, "params")
            .fit(&[hmm::observations(r)], &once)
            .unwrap();
        let expected = hmm::model(r, "exact.em_step");
        let near = |what: &str, a: &[f64], b: &[f64]| {
            close(&format!("{} {what}", r.name), a, b, ROUNDING, 1e-8);
        };
        near("π", fit.model.initial(), expected.initial());
        near("A", fit.model.transition(), expected.transition());
        near(
            "emission",
            &parameters(fit.model.emission()),
            &parameters(expected.emission()),
        );
        let after = r.number("exact.em_step.log_evidence_after");
        near("ln p", &[fit.log_evidence()], &[after]);
        close(
            "before",
            &fit.trace[..1],
            &[r.number("exact.log_evidence")],
            ROUNDING,
            1e-12,
        );
    }
}

fn parameters(emission: &AnyEmission) -> Vec<f64> {
    match emission {
        AnyEmission::Categorical(e) => e.probabilities().to_vec(),
        AnyEmission::Poisson(e) => e.rates().to_vec(),
        AnyEmission::DiagonalGaussian(e) => [e.means(), e.variances()].concat(),
        AnyEmission::FullGaussian(e) => [e.means(), e.covariances()].concat(),
    }
}

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
            average_from: 0,
        };
        tested += follow(r, &Learn::Rmle(settings), "rmle");
    }
    assert!(tested > 0);
}

#[test]
fn the_variational_step_is_the_one_recorded() {
    let mut tested = 0;
    for r in recordings("hmm_").iter().filter(|r| r.has("vb_estep")) {
        let k = r.size("K");
        let prior = Concentrations::flat(k, r.number("vb_estep.prior_conc"));
        let posterior = Concentrations {
            initial: r.numbers("vb_estep.alpha_pi"),
            transition: r.numbers("vb_estep.alpha_A"),
        };
        let model = hmm::model(r, "params");
        let step = model
            .variational_step(&[hmm::observations(r)], &prior, &posterior)
            .unwrap();
        let near = |what: &str, found: &[f64], field: &str| {
            let expected = r.numbers(&format!("vb_estep.{field}"));
            close(
                &format!("{} {what}", r.name),
                found,
                &expected,
                ROUNDING,
                ROUNDING,
            );
        };
        near("ln π̃", &step.log_initial, "log_pi_tilde");
        near("ln Ã", &step.log_transition, "log_A_tilde");
        near("N", &step.transitions, "expected_trans");
        near("q", &step.belief, "filt_last");
        let number = |field: &str| r.number(&format!("vb_estep.{field}"));
        close(
            "ln Z̃",
            &[step.log_partition],
            &[number("log_Z_tilde")],
            ROUNDING,
            ROUNDING,
        );
        close(
            "L",
            &[step.elbo],
            &[number("elbo_with_dirichlet_kl")],
            ROUNDING,
            ROUNDING,
        );
        tested += 1;
    }
    assert!(tested > 0);
}

#[test]
fn fits_reach_the_recorded_maxima() {
    /// EM stops short of the maximum by about the tolerance over the rate of convergence.
    const SHORT: f64 = 1e-3;
    for r in recordings("real_baselines")
        .iter()
        .filter(|r| r.has("earthquakes"))
    {
        let data = [Sequence::of_numbers(r.numbers("earthquakes")).unwrap()];
        let results = r.at("results").as_object().unwrap();
        let mut tested = 0;
        for (name, value) in results {
            let Some(states) = name.strip_prefix("earthquakes_K") else {
                continue;
            };
            let states = states.parse().unwrap();
            let em = BatchEm {
                max_iterations: 3000,
                tolerance: 1e-8,
                ..BatchEm::default()
            };
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
            let fit = Hmm::fit_guesses(Kind::Poisson, states, &data, 20, &em, &mut rng).unwrap();
            let recorded = value["loglik"].as_f64().unwrap();
            assert!(
                fit.log_evidence() > recorded - SHORT,
                "{name}: {} is below {recorded}",
                fit.log_evidence()
            );
            tested += 1;
        }
        assert!(tested > 0);
    }
}

/// Numbers on (0, 1) without a pattern.
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 * 0.998 + 0.001
    }
}

fn distribution(k: usize, rng: &mut impl FnMut() -> f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..k).map(|_| -rng().ln() + 0.02).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// A model of any kind: the seed decides.
fn random_model(seed: u64, k: usize) -> Hmm {
    let mut rng = numbers(seed + 1);
    let transition = (0..k).flat_map(|_| distribution(k, &mut rng)).collect();
    let initial = distribution(k, &mut rng);
    let emission: AnyEmission = match seed % 4 {
        0 => {
            let rows = (0..k).flat_map(|_| distribution(4, &mut rng)).collect();
            Categorical::from_flat(k, rows).unwrap().into()
        }
        1 => Poisson::from_flat(k, (0..k).map(|_| 0.5 + 6.0 * rng()).collect())
            .unwrap()
            .into(),
        2 => {
            let means = (0..2 * k).map(|_| 4.0 * rng() - 2.0).collect();
            let variances = (0..2 * k).map(|_| 0.5 + rng()).collect();
            DiagonalGaussian::from_flat(k, means, variances)
                .unwrap()
                .into()
        }
        _ => {
            let means = (0..2 * k).map(|_| 4.0 * rng() - 2.0).collect();
            let one = |rng: &mut dyn FnMut() -> f64| {
                let (a, b, c) = (1.0 + rng(), 1.0 + rng(), rng() - 0.5);
                vec![a, c, c, b]
            };
            let covariances = (0..k).flat_map(|_| one(&mut rng)).collect();
            FullGaussian::from_flat(k, means, covariances)
                .unwrap()
                .into()
        }
    };
    Hmm::from_flat(initial, transition, emission).unwrap()
}

/// Two ragged sequences of the kind of `random_model(seed, …)`, one in six observations missing.
fn random_data(seed: u64, length: usize) -> Vec<Sequence> {
    let mut rng = numbers(seed + 77);
    [length, length / 2 + 1]
        .into_iter()
        .map(|length| {
            let mut sequence = Sequence::new(if seed % 4 < 2 { 1 } else { 2 }).unwrap();
            for _ in 0..length {
                let row = match seed % 4 {
                    0 => vec![(4.0 * rng()).floor()],
                    1 => vec![(8.0 * rng()).floor()],
                    _ => vec![5.0 * rng() - 2.5, 5.0 * rng() - 2.5],
                };
                let seen = rng() > 1.0 / 6.0;
                sequence.push(seen.then_some(&row[..])).unwrap();
            }
            sequence
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn em_never_decreases_the_evidence(seed in 0u64..10_000, k in 1usize..4) {
        let (model, data) = (random_model(seed, k), random_data(seed, 60));
        let em = BatchEm { max_iterations: 12, tolerance: 0.0, ..BatchEm::default() };
        // A state left with one observation has no spread: that is an error, said as such.
        match model.fit(&data, &em) {
            Ok(fit) => {
                prop_assert_eq!(fit.trace.len(), fit.iterations + 1);
                for pair in fit.trace.windows(2) {
                    prop_assert!(pair[1] >= pair[0] - 1e-10 * pair[0].abs(), "{:?}", fit.trace);
                }
            }
            Err(error) => prop_assert!(seed % 4 > 1, "{error}"),
        }
    }

    #[test]
    fn variational_bayes_never_decreases_its_bound(seed in 0u64..10_000, k in 1usize..4) {
        let (model, data) = (random_model(seed, k), random_data(seed, 60));
        let em = BatchEm { max_iterations: 12, tolerance: 0.0, ..BatchEm::default() };
        let prior = Concentrations::flat(k, 1.5);
        match model.fit_variational(&data, &prior, &em) {
            Ok(fit) => {
                for pair in fit.trace.windows(2) {
                    prop_assert!(pair[1] >= pair[0] - 1e-10 * pair[0].abs(), "{:?}", fit.trace);
                }
                let seen: usize = data.iter().map(Sequence::len).sum();
                let counted: f64 = fit.posterior.transition.iter().sum();
                let expected = (seen - data.len()) as f64 + 1.5 * (k * k) as f64;
                prop_assert!((counted - expected).abs() < 1e-9 * expected);
            }
            Err(error) => prop_assert!(seed % 4 > 1, "{error}"),
        }
    }

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
            average_from: 10,
        }),
        Learn::OnlineEm(OnlineEm {
            gain,
            first: 5,
            every: 1,
            pseudo_count: 1e-2,
            average_from: 10,
        }),
        Learn::FixedLag(FixedLag {
            lag: 4,
            gain,
            every: 2,
            pseudo_count: 1e-2,
            average_from: 10,
        }),
        Learn::Rmle(Rmle {
            rate: 0.05,
            gain,
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
                    &[f64::NAN],
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
                ..s
            }),
            Learn::OnlineEm(s) => Learn::OnlineEm(OnlineEm {
                gain: PLAIN_MEAN,
                pseudo_count: 0.0,
                ..s
            }),
            Learn::FixedLag(s) => Learn::FixedLag(FixedLag {
                gain: PLAIN_MEAN,
                pseudo_count: 0.0,
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
                    // A different observation gives a spread, and learning goes on; but behind the lag
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

/// Gains that make a running average a plain mean, and forget the initial model at once.
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
            average_from: 0,
        });
        let recursive = Learn::OnlineEm(OnlineEm {
            gain: PLAIN_MEAN,
            first: 1,
            every: data.len() as u64,
            pseudo_count: 0.0,
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
        let emission = middle.emission().maximise(&statistics, 0.0).unwrap();
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
        let emission = model.emission().maximise(&e, 0.0).unwrap();
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
fn guesses_from_data_are_enough_to_find_the_model_again() {
    /// Half the number of free parameters is what a fit gains on the truth; this is what it may lose.
    const SHORT: f64 = 5.0;
    let (k, length) = (3, 600);
    let a = vec![0.9, 0.05, 0.05, 0.1, 0.8, 0.1, 0.05, 0.15, 0.8];
    let unit = |v: f64| vec![v, 0.0, 0.0, v];
    let b = vec![
        0.7, 0.1, 0.1, 0.1, 0.1, 0.7, 0.1, 0.1, 0.05, 0.05, 0.45, 0.45,
    ];
    let means = vec![-4.0, 0.0, 0.0, 3.0, 4.0, 0.0];
    let truths: Vec<(Kind, AnyEmission)> = vec![
        (
            Kind::Categorical,
            Categorical::from_flat(k, b).unwrap().into(),
        ),
        (
            Kind::Poisson,
            Poisson::from_flat(k, vec![1.0, 6.0, 20.0]).unwrap().into(),
        ),
        (
            Kind::DiagonalGaussian,
            DiagonalGaussian::from_flat(k, means.clone(), vec![1.0; 6])
                .unwrap()
                .into(),
        ),
        (
            Kind::FullGaussian,
            FullGaussian::from_flat(k, means, unit(1.0).repeat(3))
                .unwrap()
                .into(),
        ),
    ];
    for (n, (kind, emission)) in truths.into_iter().enumerate() {
        let truth = Hmm::from_flat(vec![1.0, 0.0, 0.0], a.clone(), emission).unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(n as u64);
        let data = [truth.sample(length, &mut rng).unwrap().1];
        let em = BatchEm::default();
        let fit = Hmm::fit_guesses(kind, k, &data, 5, &em, &mut rng).unwrap();
        let least = truth.log_evidence(&data[0]).unwrap() - SHORT;
        assert!(
            fit.log_evidence() > least,
            "{kind:?}: {} {least}",
            fit.log_evidence()
        );
        assert!(fit.converged);
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let data = [Sequence::of_numbers([0.5, 1.0]).unwrap()];
    for kind in [Kind::Categorical, Kind::Poisson] {
        let fit = Hmm::fit_guesses(kind, 2, &data, 2, &BatchEm::default(), &mut rng);
        assert!(
            matches!(fit.unwrap_err(), Error::Observation { .. }),
            "{kind:?}"
        );
    }
    assert!(Hmm::initial_guess(Kind::Poisson, 0, &data, &mut rng).is_err());
    assert!(Hmm::initial_guess(Kind::Poisson, 2, &[], &mut rng).is_err());
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
                scotopic_filtering::hmm::Emission::log_likelihood(old.emission(), o, &mut l)
                    .unwrap();
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
