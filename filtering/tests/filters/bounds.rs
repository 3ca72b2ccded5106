//! Bounds with confidence: unbiased estimates against sums over all paths, coverage on models whose evidence is known.

use scotopic_filtering::bounds::{
    BoundSettings, Confidence, DiscreteChain, KnownEvidence, NormalChain, PoissonLatents, Proposal,
    coverage_set, lower_bound, upper_bound,
};
use scotopic_filtering::gaussian::{GaussianFactorisation, LinearGaussian};
use scotopic_filtering::hmm::{AnyEmission, Factorisation, Hmm, Poisson};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::rand::{RngExt, SeedableRng};
use scotopic_filtering::{AnyModel, Error, SampledStates, Sequence};

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn counts() -> Hmm<AnyEmission> {
    let rates = Poisson::new(vec![vec![1.0], vec![4.0]]).unwrap();
    Hmm::new(
        vec![0.7, 0.3],
        vec![vec![0.9, 0.1], vec![0.3, 0.7]],
        rates.into(),
    )
    .unwrap()
}

/// That the mean of `values` is 1 up to five standard errors, which must be small: one failure in a million by chance.
fn mean_is_one(values: &[f64], precision: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    assert!(error < precision, "a test of no power: {error}");
    assert!((mean - 1.0).abs() < 5.0 * error, "{mean} ± {error}");
}

#[test]
fn with_the_exact_q_of_a_hidden_markov_model_every_run_is_the_evidence() {
    let model = counts();
    let (_, mut data) = model.sample(60, &mut rng(1)).unwrap();
    data.push(None).unwrap();
    let exact = model.log_evidence(&data).unwrap();
    for q in [Factorisation::Reversed, Factorisation::ForwardMarkov] {
        let chain = DiscreteChain::new(&model, &data, &q).unwrap();
        let settings = BoundSettings {
            particles: 10,
            ..BoundSettings::default()
        };
        let bound = lower_bound(&chain, &settings, &mut rng(2)).unwrap();
        // Sums of some hundred logarithms.
        for estimate in &bound.estimates {
            assert!((estimate - exact).abs() < 1e-9, "{estimate} {exact}");
        }
        let price = (1.0 / settings.delta).ln() / settings.runs as f64;
        assert!((bound.nats - (exact - price)).abs() < 1e-9);
    }
}

#[test]
fn runs_of_a_loose_q_are_unbiased_and_inverse_about_exact_samples() {
    let model = counts();
    // Surprising enough that particles are drawn anew on the way.
    let data = Sequence::of_symbols([0, 9, 1, 0, 7, 0]).unwrap();
    let exact = model.log_evidence(&data).unwrap();
    let chain = DiscreteChain::new(
        &model,
        &data,
        &Factorisation::FullyFactorised(Default::default()),
    )
    .unwrap();
    let (particles, mut rng) = (4, rng(3));
    let plain: Vec<f64> = (0..20_000)
        .map(|_| (chain.log_estimate(particles, &mut rng) - exact).exp())
        .collect();
    mean_is_one(&plain, 0.01);
    // Exact posterior samples: all 2⁶ paths by their joint probability.
    let paths: Vec<Vec<usize>> = (0..64usize)
        .map(|bits| (0..6).map(|t| bits >> t & 1).collect())
        .collect();
    let joint = |path: &Vec<usize>| {
        let rates = [1.0f64, 4.0];
        let start = [0.7f64, 0.3];
        let a = [[0.9f64, 0.1], [0.3, 0.7]];
        let mut p = start[path[0]];
        for t in 0..6 {
            let y = data.get(t).unwrap()[0];
            p *= (y * rates[path[t]].ln() - rates[path[t]]).exp()
                / (1..=y as u64).product::<u64>() as f64;
            if t > 0 {
                p *= a[path[t - 1]][path[t]];
            }
        }
        p
    };
    let weights: Vec<f64> = paths.iter().map(joint).collect();
    let total: f64 = weights.iter().sum();
    assert!((total.ln() - exact).abs() < 1e-12);
    let inverse: Vec<f64> = (0..20_000)
        .map(|_| {
            let mut left = rng.random::<f64>() * total;
            let at = weights.iter().position(|w| {
                left -= w;
                left < 0.0
            });
            let path = &paths[at.unwrap_or(63)];
            (exact - chain.log_estimate_about(path, particles, &mut rng)).exp()
        })
        .collect();
    mean_is_one(&inverse, 0.01);
}

#[test]
fn runs_of_normal_chains_are_unbiased_in_both_directions() {
    let model = LinearGaussian::from_rows(
        &[[0.8, 0.3], [-0.2, 0.9]],
        &[[0.3, 0.05], [0.05, 0.2]],
        &[[1.0, 0.5]],
        &[[0.4]],
    )
    .unwrap();
    let q = GaussianFactorisation::FrozenMeanField;
    let (mut plain, mut inverse) = (Vec::new(), Vec::new());
    for seed in 0..6_000 {
        let mut rng = rng(seed);
        // A missing observation in each.
        let (states, whole) = model.sample(5, &mut rng).unwrap();
        let mut data = Sequence::new(1).unwrap();
        for (t, row) in whole.iter().enumerate() {
            data.push(row.filter(|_| t != 2)).unwrap();
        }
        let exact = model.log_evidence(&data).unwrap();
        let chain = NormalChain::linear(&model, &data, q).unwrap();
        let states: Vec<Vec<f64>> = states.iter().map(|x| x.as_slice().to_vec()).collect();
        plain.push((chain.log_estimate(8, &mut rng) - exact).exp());
        inverse.push((exact - chain.log_estimate_about(&states, 8, &mut rng)).exp());
    }
    mean_is_one(&plain, 0.02);
    mean_is_one(&inverse, 0.02);
}

#[test]
fn annealed_chains_of_poisson_latents_are_unbiased_in_both_directions() {
    let map = DMatrix::from_row_slice(2, 2, &[1.0, 0.9, 0.2, 0.4]);
    let model = PoissonLatents::new(vec![0.4, 0.6], map, DVector::zeros(2), 0.4).unwrap();
    let (mut plain, mut inverse) = (Vec::new(), Vec::new());
    for seed in 0..6_000 {
        let mut rng = rng(seed);
        let (z, data) = model.sample(1, &mut rng).unwrap();
        let exact = model.enumerate(&data, 1e-10).unwrap().log_evidence;
        let q = model.proposal(&data).unwrap();
        plain.push((q.log_estimate(2, &mut rng) - exact).exp());
        inverse.push((exact - q.log_estimate_about(&z, 2, &mut rng)).exp());
    }
    mean_is_one(&plain, 0.02);
    mean_is_one(&inverse, 0.02);
}

#[test]
fn enumeration_is_the_sum_over_counts() {
    let map = DMatrix::from_row_slice(2, 2, &[1.0, 0.5, -0.3, 0.8]);
    let offset = DVector::from_column_slice(&[0.2, 0.1]);
    let model = PoissonLatents::new(vec![0.9, 1.7], map.clone(), offset.clone(), 0.7).unwrap();
    let (_, data) = model.sample(5, &mut rng(4)).unwrap();
    let mut expected = 0.0;
    for y in data.iter().flatten() {
        let mut sum = 0.0;
        for a in 0..40 {
            for b in 0..40 {
                let z = DVector::from_column_slice(&[f64::from(a), f64::from(b)]);
                let off = DVector::from_column_slice(y) - &map * z - &offset;
                let law =
                    |z: i32, rate: f64| (1..=z).fold((-rate).exp(), |p, n| p * rate / f64::from(n));
                let normal =
                    (-0.5 * off.norm_squared() / 0.49).exp() / (std::f64::consts::TAU * 0.49);
                sum += law(a, 0.9) * law(b, 1.7) * normal;
            }
        }
        expected += f64::ln(sum);
    }
    let found = model.enumerate(&data, 1e-10).unwrap();
    assert!(found.truncation <= 5.0 * 1e-10);
    assert!(
        (found.log_evidence - expected).abs() < 1e-9,
        "{found:?} {expected}"
    );
    let wide = PoissonLatents::new(
        vec![5.0; 10],
        DMatrix::identity(10, 10),
        DVector::zeros(10),
        1.0,
    )
    .unwrap();
    let (_, data) = wide.sample(1, &mut rng(5)).unwrap();
    let error = wide.enumerate(&data, 1e-10).unwrap_err().to_string();
    assert!(error.contains("enumerated"), "{error}");
}

/// δ = 2.5 % on either side: 95 % of the sets at least. The longer version is the experiment `bounds` of the program.
#[test]
fn both_bounds_hold_as_often_as_they_say() {
    for (kind, sets, length, particles) in [
        (KnownEvidence::Hmm, 200, 150, 50),
        (KnownEvidence::Kalman, 100, 150, 40),
        (KnownEvidence::Ar1Poisson, 24, 150, 40),
        (KnownEvidence::Poisson, 30, 20, 40),
    ] {
        let settings = BoundSettings {
            particles,
            runs: 5,
            ..BoundSettings::default()
        };
        let found: Vec<_> = (0..sets)
            .map(|seed| coverage_set(kind, length, seed, &settings).unwrap())
            .collect();
        let held = found.iter().filter(|set| set.brackets()).count();
        assert!(held as f64 >= 0.95 * sets as f64, "{kind:?}: {held}");
        if length >= 150 {
            let mut widths: Vec<f64> = found.iter().map(|set| set.width()).collect();
            widths.sort_by(f64::total_cmp);
            let median = widths[widths.len() / 2];
            assert!(median < 0.05, "{kind:?}: {median}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_bounds_and_units_do_not_matter() {
    let model = |unit: f64| {
        let (q, r) = (0.3 * unit * unit, 0.5 * unit * unit);
        let p0 = DMatrix::from_element(1, 1, unit * unit);
        AnyModel::LinearGaussian(
            LinearGaussian::from_rows(&[[0.9]], &[[q]], &[[1.0]], &[[r]])
                .unwrap()
                .with_initial(DVector::zeros(1), p0)
                .unwrap(),
        )
    };
    let found = |unit: f64| {
        let mut rng = rng(6);
        let (states, y) = model(unit).sample(40, &mut rng).unwrap();
        let settings = BoundSettings::default();
        model(unit)
            .certify(&y, "decoupled", Some(&states), &settings, &mut rng)
            .unwrap()
    };
    let one = found(1.0);
    assert_eq!(one, found(1.0));
    for unit in [1e-5, 1e9] {
        // ln p of T numbers in other units is T ln unit less; the rest is rounding.
        let other = found(unit);
        let shift = 40.0 * unit.ln();
        assert!((other.lower.nats + shift - one.lower.nats).abs() < 1e-6);
        let upper = |c: &scotopic_filtering::bounds::Certificate| c.upper.as_ref().unwrap().nats;
        assert!((upper(&other) + shift - upper(&one)).abs() < 1e-6);
    }
}

#[test]
fn bad_settings_and_states_are_refused() {
    let model = AnyModel::Hmm(counts());
    let (states, y) = model.sample(10, &mut rng(7)).unwrap();
    let certify = |states: Option<&SampledStates>, settings: BoundSettings| {
        model.certify(&y, "reversed", states, &settings, &mut rng(8))
    };
    let settings = BoundSettings::default;
    for bad in [
        BoundSettings {
            delta: 0.0,
            ..settings()
        },
        BoundSettings {
            delta: f64::NAN,
            ..settings()
        },
        BoundSettings {
            particles: 1,
            ..settings()
        },
        BoundSettings {
            runs: 0,
            ..settings()
        },
    ] {
        assert!(matches!(certify(None, bad), Err(Error::Setting { .. })));
    }
    assert!(certify(Some(&states), settings()).is_ok());
    let vectors = SampledStates::Vectors(vec![vec![0.0]; 10]);
    assert!(matches!(
        certify(Some(&vectors), settings()),
        Err(Error::Size { .. })
    ));
    let short = SampledStates::Discrete(vec![0; 9]);
    assert!(matches!(
        certify(Some(&short), settings()),
        Err(Error::Size { .. })
    ));
    let unknown = SampledStates::Discrete(vec![2; 10]);
    assert!(matches!(
        certify(Some(&unknown), settings()),
        Err(Error::Entry { .. })
    ));
    let chain = DiscreteChain::new(&counts(), &y, &Factorisation::Reversed).unwrap();
    let none = upper_bound(&chain, &[], &settings(), &mut rng(9));
    assert!(matches!(none, Err(Error::Size { .. })));
    let mean = BoundSettings {
        confidence: Confidence::Mean,
        ..settings()
    };
    let (mean, product) = (
        certify(None, mean).unwrap(),
        certify(None, settings()).unwrap(),
    );
    assert!(
        mean.lower.nats < product.lower.nats,
        "ln(1/δ) is paid once for all runs"
    );
}

#[test]
fn smoothed_probabilities_are_at_most_one() {
    let mut over = 0;
    for seed in 0..40 {
        let mut rng = rng(seed);
        let rates = Poisson::new(vec![vec![0.1], vec![30.0], vec![8.0]]).unwrap();
        let stay = 0.9 + 0.09 * rng.random::<f64>();
        let row = |i: usize| {
            (0..3)
                .map(|j| if i == j { stay } else { (1.0 - stay) / 2.0 })
                .collect()
        };
        let model = Hmm::new(
            vec![0.2, 0.5, 0.3],
            (0..3).map(row).collect(),
            AnyEmission::from(rates),
        )
        .unwrap();
        let (_, y) = model.sample(500, &mut rng).unwrap();
        let smoothed = model.smooth(&y).unwrap();
        assert!(smoothed.marginals().iter().all(|p| *p <= 1.0));
        over += smoothed.marginals().iter().filter(|p| **p == 1.0).count();
    }
    assert!(over > 0, "none came near: the test says nothing");
}
