//! Learning from whole sequences: gradients, recursive statistics, batch EM, variational Bayes. Long because each is
//! tested against recordings of every kind, a closed form and properties of random models.

use crate::reference::random::{distribution, numbers, parameters, random_data, random_model};
use crate::reference::{Recording, close, hmm, recordings};
use proptest::prelude::*;
use scotopic_filtering::hmm::{
    AnyEmission, BatchEm, Categorical, Concentrations, DiagonalGaussian, EmissionKind,
    FullGaussian, Hmm, Learnable, Poisson, RecursiveScore, RecursiveStatistics,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Error, Sequence};

/// Sums over hundreds of terms in another order than NumPy's.
const ROUNDING: f64 = 1e-10;

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
            let fit =
                Hmm::fit_guesses(EmissionKind::Poisson, states, &data, 20, &em, &mut rng).unwrap();
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
    let truths: Vec<(EmissionKind, AnyEmission)> = vec![
        (
            EmissionKind::Categorical,
            Categorical::from_flat(k, b).unwrap().into(),
        ),
        (
            EmissionKind::Poisson,
            Poisson::from_flat(k, vec![1.0, 6.0, 20.0]).unwrap().into(),
        ),
        (
            EmissionKind::DiagonalGaussian,
            DiagonalGaussian::from_flat(k, means.clone(), vec![1.0; 6])
                .unwrap()
                .into(),
        ),
        (
            EmissionKind::FullGaussian,
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
    for kind in [EmissionKind::Categorical, EmissionKind::Poisson] {
        let fit = Hmm::fit_guesses(kind, 2, &data, 2, &BatchEm::default(), &mut rng);
        assert!(
            matches!(fit.unwrap_err(), Error::Observation { .. }),
            "{kind:?}"
        );
    }
    assert!(Hmm::initial_guess(EmissionKind::Poisson, 0, &data, &mut rng).is_err());
    assert!(Hmm::initial_guess(EmissionKind::Poisson, 2, &[], &mut rng).is_err());
}
