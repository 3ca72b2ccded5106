//! Of forecasts by the model that made the data, intervals of 80 and 95 % hold 78–82 and 94–96 % of what came.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::{DiagonalGaussian, Hmm, Poisson};
use scotopic_filtering::nonlinear::models::{Ar1Poisson, SinQuadratic, StochasticVolatility};
use scotopic_filtering::{AnyFilter, AnyModel, DiscreteResidual, Filter, Sequence};

/// The steps of which a forecast is made, and how many forecasts a kind has at least.
const AHEAD: [usize; 2] = [1, 4];
const FORECASTS: usize = 10_000;

/// How often y_{t+h} lay within the central interval of each level: counts cover at least, so randomised ranks decide.
fn covered(model: &AnyModel, seed: u64) -> Vec<[f64; 2]> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (_, y) = model.sample(FORECASTS + 10, &mut rng).unwrap();
    let mut filter = AnyFilter::new(model.clone(), "reversed").unwrap();
    let mut inside = vec![[0.0; 2]; AHEAD.len()];
    for t in 0..FORECASTS {
        filter.update(y.get(t)).unwrap();
        for (k, h) in AHEAD.iter().enumerate() {
            let law = &filter.predictive(*h).unwrap()[0];
            let seen = y.get(t + h).unwrap()[0];
            let (below, _) = law.tails(seen);
            let (less, _) = law.strict_tails(seen);
            let u = match law.is_discrete() {
                true => less + rand::RngExt::random::<f64>(&mut rng) * (below - less),
                false => below,
            };
            for (c, level) in [0.8, 0.95].iter().enumerate() {
                inside[k][c] += f64::from(u8::from((u - 0.5).abs() <= 0.5 * level));
            }
        }
    }
    let share = |counts: [f64; 2]| counts.map(|n| 100.0 * n / FORECASTS as f64);
    inside.into_iter().map(share).collect()
}

fn models() -> Vec<(&'static str, AnyModel)> {
    let level = LinearGaussian::from_rows(
        &[[0.95, 0.2], [0.0, 0.8]],
        &[[0.5, 0.1], [0.1, 0.3]],
        &[[1.0, 0.5]],
        &[[2.0]],
    );
    let counts = Poisson::new(vec![vec![2.0], vec![9.0], vec![30.0]]).unwrap();
    let sticky = vec![
        vec![0.9, 0.08, 0.02],
        vec![0.1, 0.8, 0.1],
        vec![0.05, 0.15, 0.8],
    ];
    let counts = Hmm::new(vec![0.4, 0.3, 0.3], sticky, counts.into()).unwrap();
    let normal =
        DiagonalGaussian::new(vec![vec![-1.0], vec![3.0]], vec![vec![1.0], vec![4.0]]).unwrap();
    let normal = Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.9, 0.1], vec![0.2, 0.8]],
        normal.into(),
    )
    .unwrap();
    vec![
        ("linear-gaussian", AnyModel::LinearGaussian(level.unwrap())),
        ("hmm of counts", AnyModel::Hmm(counts)),
        ("hmm of normals", AnyModel::Hmm(normal)),
        (
            "ar1-poisson",
            AnyModel::Nonlinear(Ar1Poisson::new(0.9, 1.0, 0.1, 0.0, 0.5).unwrap().into()),
        ),
        (
            "stochastic-volatility",
            AnyModel::Nonlinear(
                StochasticVolatility::stationary(0.95, 0.1, 0.6)
                    .unwrap()
                    .into(),
            ),
        ),
        (
            "sin-quadratic",
            AnyModel::Nonlinear(SinQuadratic::new(0.09, 0.25, 0.0, 1.0).unwrap().into()),
        ),
    ]
}

#[test]
fn intervals_hold_what_they_say() {
    for (k, (name, model)) in models().into_iter().enumerate() {
        for (h, [eighty, ninety_five]) in AHEAD.iter().zip(covered(&model, 11 + k as u64)) {
            println!("{name}, {h} ahead: {eighty:.2} % and {ninety_five:.2} %");
            assert!(
                (78.0..=82.0).contains(&eighty),
                "{name}, {h} ahead: {eighty} % in 80 %"
            );
            assert!(
                (94.0..=96.0).contains(&ninety_five),
                "{name}, {h} ahead: {ninety_five} % in 95 %"
            );
        }
    }
}

/// Quantiles of joint samples are those of the distribution: within five standard errors of a binomial count.
#[test]
fn samples_of_a_forecast_have_its_distribution() {
    for (name, model) in models() {
        let (_, y) = model
            .sample(30, &mut Xoshiro256PlusPlus::seed_from_u64(5))
            .unwrap();
        let mut filter = AnyFilter::new(model, "reversed").unwrap();
        for row in y.iter() {
            filter.update(row).unwrap();
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let samples: Vec<Sequence> = (0..4000)
            .map(|_| filter.simulate(3, &mut rng).unwrap())
            .collect();
        for h in 1..=3 {
            let law = &filter.predictive(h).unwrap()[0];
            for p in [0.1, 0.5, 0.9] {
                let q = law.quantile(p).unwrap();
                let p = law.cdf(q);
                let below = samples
                    .iter()
                    .filter(|s| s.get(h - 1).unwrap()[0] <= q)
                    .count() as f64;
                let error = (p * (1.0 - p) / 4000.0).sqrt();
                // The sine map bends: its state ahead is normal by moments only.
                let bend = if name == "sin-quadratic" {
                    0.02 * (h - 1) as f64
                } else {
                    0.0
                };
                let off = (below / 4000.0 - p).abs();
                assert!(
                    off < 5.0 * error + bend,
                    "{name} {h} {p}: {}",
                    below / 4000.0
                );
            }
        }
    }
}

/// Under the model, residuals pass its tests: p-values below 1e-4 are one chance in 10⁴ each.
#[test]
fn residuals_of_the_true_model_are_independent_and_normal() {
    for (name, model) in models()
        .into_iter()
        .filter(|(name, _)| *name != "sin-quadratic")
    {
        let (_, y) = model
            .sample(2000, &mut Xoshiro256PlusPlus::seed_from_u64(8))
            .unwrap();
        let residuals = model
            .residuals(&y, DiscreteResidual::Randomised(1), None)
            .unwrap();
        let d = &residuals.diagnostics[0];
        for (what, test) in [
            ("independence", d.independence),
            ("normality", d.normality),
            ("heteroscedasticity", d.heteroscedasticity),
        ] {
            assert!(test.p_value > 1e-4, "{name}: {what} {test:?}");
        }
        assert!(
            d.mean.abs() < 5.0 / 2000f64.sqrt() && (d.variance - 1.0).abs() < 0.16,
            "{name} {d:?}"
        );
    }
}
