use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::*;

/// Rounding of erfc, lgamma and of sums of a few terms.
const ROUNDING: f64 = 1e-12;

fn normal(mean: f64, variance: f64) -> Law {
    Law::Normal { mean, variance }
}

/// Golden numbers of scipy 1.x: norm.cdf, brentq on the mixture's cdf, poisson.cdf and poisson.ppf.
#[test]
fn cdfs_and_quantiles_of_the_usual_laws() {
    let one = Predictive::new(vec![(1.0, normal(3.0, 4.0))]).unwrap();
    assert!((one.quantile(0.975).unwrap() - (3.0 + 2.0 * 1.959_963_984_540_054)).abs() < ROUNDING);
    assert!((one.cdf(1.0) - 0.158_655_253_931_457_05).abs() < ROUNDING);
    let counts = Predictive::new(vec![(1.0, Law::Poisson { rate: 4.0 })]).unwrap();
    assert!((counts.cdf(3.0) - 0.433_470_120_366_709).abs() < ROUNDING);
    assert!((counts.strict_tails(4.0).0 - counts.cdf(3.0)).abs() < ROUNDING);
    for (p, k) in [
        (0.01, 0.0),
        (0.1, 2.0),
        (0.5, 4.0),
        (0.9, 7.0),
        (0.999, 11.0),
    ] {
        assert_eq!(counts.quantile(p).unwrap(), k, "{p}");
    }
}

#[test]
fn quantiles_invert_the_cdf_of_a_mixture_in_any_units() {
    for unit in [1e-9, 1.0, 1e12] {
        let parts = [(0.3, -2.0, 0.25), (0.6, 1.0, 1.0), (0.1, 40.0, 9.0)];
        let scaled = parts.map(|(w, m, v)| (w, normal(m * unit, v * unit * unit)));
        let law = Predictive::new(scaled.to_vec()).unwrap();
        for p in [1e-9, 0.01, 0.3, 0.5, 0.9, 0.95, 1.0 - 1e-9] {
            let y = law.quantile(p).unwrap();
            let (below, above) = law.tails(y);
            assert!((below - p).abs() < ROUNDING, "{unit} {p} {below}");
            assert!((above / (1.0 - p) - 1.0).abs() < 1e-6, "{unit} {p} {above}");
        }
    }
}

#[test]
fn quantiles_of_whole_numbers_are_the_first_that_reach() {
    let parts = vec![
        (0.5, Law::Poisson { rate: 0.3 }),
        (0.5, Law::Poisson { rate: 1e5 }),
    ];
    let law = Predictive::new(parts).unwrap();
    for p in [0.001, 0.2, 0.49, 0.51, 0.9, 0.999] {
        let k = law.quantile(p).unwrap();
        assert!(
            law.cdf(k) >= p && (k == 0.0 || law.cdf(k - 1.0) < p),
            "{p}: {k}"
        );
    }
    let dice = Predictive::symbols(&[1.0 / 6.0; 6]).unwrap();
    assert_eq!(dice.quantile(0.5).unwrap(), 2.0);
    assert_eq!(dice.quantile(0.99).unwrap(), 5.0);
    assert_eq!(dice.mean(), 2.5);
}

#[test]
fn tails_say_how_surprising_an_observation_is() {
    let one = Predictive::normal(0.0, 1.0).unwrap();
    assert!((one.tail_probability(-1.959_963_984_540_054) - 0.05).abs() < ROUNDING);
    assert_eq!(one.tail_probability(0.0), 1.0);
    let biased = Predictive::symbols(&[0.9, 0.02, 0.08]).unwrap();
    assert!((biased.tail_probability(2.0) - 0.1).abs() < ROUNDING);
    assert!((biased.tail_probability(1.0) - 0.02).abs() < ROUNDING);
    let counts = Predictive::new(vec![(1.0, Law::Poisson { rate: 4.0 })]).unwrap();
    // 2 P(Y ≤ 0) = 2 e⁻⁴
    assert!((counts.tail_probability(0.0) - 2.0 * (-4.0f64).exp()).abs() < ROUNDING);
}

#[test]
fn draws_have_the_moments() {
    let law = Predictive::new(vec![(0.25, normal(-3.0, 1.0)), (0.75, normal(5.0, 4.0))]).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let draws: Vec<f64> = (0..40_000).map(|_| law.draw(&mut rng)).collect();
    let mean = draws.iter().sum::<f64>() / 4e4;
    // Five standard errors.
    assert!((mean - law.mean()).abs() < 5.0 * (law.variance() / 4e4).sqrt());
}

#[test]
fn where_nothing_is_known_every_value_will_do() {
    let nothing = Predictive::normal(3.0, f64::INFINITY).unwrap();
    assert_eq!(nothing.quantile(0.1).unwrap(), f64::NEG_INFINITY);
    assert_eq!(nothing.quantile(0.9).unwrap(), f64::INFINITY);
    assert_eq!(nothing.tail_probability(1e9), 1.0);
}

#[test]
fn what_is_no_distribution_is_refused() {
    for parts in [
        vec![],
        vec![(0.5, normal(0.0, 1.0))],
        vec![(1.0, normal(f64::NAN, 1.0))],
        vec![(1.0, normal(0.0, -1.0))],
        vec![(0.5, normal(0.0, 1.0)), (0.5, Law::Symbol(1.0))],
    ] {
        assert!(Predictive::new(parts).is_err());
    }
    assert!(Predictive::normal(0.0, 1.0).unwrap().quantile(1.0).is_err());
}

/// Student's law has a mean for ν > 1 and a variance for ν > 2.
#[test]
fn moments_that_do_not_exist_are_no_numbers() {
    let of = |freedom: f64| {
        let law = Law::StudentT {
            location: 3.0,
            scale: 2.0,
            freedom,
        };
        Predictive::new(vec![(1.0, law)]).unwrap()
    };
    for freedom in [0.3, 1.0] {
        let law = of(freedom);
        assert!(
            law.mean().is_nan() && law.variance().is_infinite(),
            "{freedom}"
        );
        assert!((law.quantile(0.5).unwrap() - 3.0).abs() < 1e-9, "{freedom}");
    }
    assert!(of(1.5).mean() == 3.0 && of(1.5).variance().is_infinite());
    assert!((of(4.0).variance() - 8.0).abs() < 1e-12);
    // A part of no weight takes nothing away.
    let calm = Law::Normal {
        mean: 1.0,
        variance: 2.0,
    };
    let cauchy = of(1.0).parts()[0].1;
    let only = Predictive::new(vec![(1.0, calm), (0.0, cauchy)]).unwrap();
    assert_eq!((only.mean(), only.variance()), (1.0, 2.0));
}

/// (q − λ)/√λ of a Poisson law of rate λ is the quantile of N(0, 1), to the correction (z² − 1)/6√λ and a whole number.
#[test]
fn quantiles_of_counts_of_any_size() {
    for rate in [1e4, 1e8, 1e10, 1e13, 1e16, 1e20, 1e25] {
        let law = Predictive::new(vec![(1.0, Law::Poisson { rate })]).unwrap();
        for (p, z) in [
            (0.1, -1.281_551_565_544_600_5),
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_5),
        ] {
            let found = (law.quantile(p).unwrap() - rate) / rate.sqrt();
            let room = 1.2 / rate.sqrt() + 2.0 * rate.sqrt() * f64::EPSILON;
            assert!((found - z).abs() < room, "{rate} {p}: {found}");
        }
    }
    // To the rounding of the rate where the deviation is below it.
    let law = Predictive::new(vec![(1.0, Law::Poisson { rate: 1e300 })]).unwrap();
    assert!((law.quantile(0.9).unwrap() / 1e300 - 1.0).abs() < 4.0 * f64::EPSILON);
}

/// scipy 1.17: nbinom.ppf; of a large shape they are those of Poisson.
#[test]
fn quantiles_of_negative_binomial_counts_near_poisson() {
    for shape in [1e3, 1e6, 1e9, 1e12, 1e14, 1e16, 1e200] {
        let law = Law::NegativeBinomial { mean: 5.0, shape };
        let law = Predictive::new(vec![(1.0, law)]).unwrap();
        let found = [0.1, 0.5, 0.9].map(|p| law.quantile(p).unwrap());
        assert_eq!(found, [2.0, 5.0, 8.0], "{shape}");
        // mpmath with 50 digits, of a shape of 1e14.
        if shape > 1e13 {
            assert!((law.cdf(5.0) - 0.615_960_654_833_063_1).abs() < 1e-14);
        }
    }
}

/// A mixture over forty powers of ten, as counts of a wide state are: some hundred evaluations, whatever their size.
#[test]
fn quantiles_of_wide_mixtures_take_no_time() {
    let rate = |x: f64| Law::Poisson { rate: x.exp() };
    let law = Predictive::over_normal(1.0, 200.0, rate).unwrap();
    let begun = std::time::Instant::now();
    for (p, z) in [
        (0.1, -1.281_551_565_544_600_5),
        (0.5, 0.0),
        (0.9, 1.281_551_565_544_600_5),
        (0.999, 3.090_232_306_167_813),
    ] {
        let right = (1.0 + z * 200f64.sqrt()).exp();
        let found = law.quantile(p).unwrap();
        // Nodes are 1/16 of a deviation apart: a factor of e to the 0.9.
        let off = (found + 1.0).ln() - (right + 1.0).ln();
        assert!(off.abs() < 1.0, "{p}: {found} {right}");
        assert!(
            law.cdf(found) >= p - 1e-12
                && (found == 0.0 || law.cdf(found * (1.0 - 1e-9) - 1.0) < p)
        );
    }
    assert!(begun.elapsed().as_secs_f64() < 5.0);
}
