//! The smoother's bound is below ln p, which importance sampling estimates; the filter's score is on average.

use scotopic_filtering::Sequence;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFilter, PldsSmoothed};
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::rand::{Rng, RngExt, SeedableRng};

use super::population;

/// One standard normal draw, by Box and Muller.
fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// x ~ N(mean, covariance), and ln of its density.
fn drawn(
    rng: &mut impl Rng,
    mean: &DVector<f64>,
    covariance: &DMatrix<f64>,
) -> (DVector<f64>, f64) {
    let factor = covariance.clone().cholesky().unwrap();
    let z = DVector::from_fn(mean.len(), |_, _| normal(rng));
    let x = mean + factor.l() * &z;
    (x, -0.5 * z.norm_squared() - 0.5 * log_det(covariance))
}

fn log_det(covariance: &DMatrix<f64>) -> f64 {
    (covariance * std::f64::consts::TAU).determinant().ln()
}

fn log_normal(x: &DVector<f64>, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> f64 {
    let residual = x - mean;
    let solved = covariance.clone().cholesky().unwrap().solve(&residual);
    -0.5 * residual.dot(&solved) - 0.5 * log_det(covariance)
}

fn log_likelihood(model: &Plds, x: &DVector<f64>, row: &[f64]) -> f64 {
    let eta = model.loadings() * x + model.offset();
    let each = eta.iter().zip(row).map(|(eta, y)| match model.law() {
        CountLaw::Poisson => {
            let log_factorial: f64 = (1..=*y as u32).map(|k| f64::from(k).ln()).sum();
            y * eta - eta.exp() - log_factorial
        }
        CountLaw::Bernoulli => y * eta - eta.exp().ln_1p(),
    });
    each.sum()
}

/// ln p(x, y)/q(x) of a path drawn from the smoother's q, backwards.
fn log_weight(model: &Plds, y: &Sequence, smoothed: &PldsSmoothed, rng: &mut impl Rng) -> f64 {
    let (f, b, q) = (model.transition(), model.bias(), model.process_noise());
    let last = smoothed.beliefs().last().unwrap();
    let (mut x, density) = drawn(rng, last.mean(), last.covariance());
    let mut weight = -density;
    for t in (0..y.len()).rev() {
        weight += log_likelihood(model, &x, y.get(t).unwrap());
        if t == 0 {
            weight += log_normal(&x, model.initial_mean(), model.initial_covariance());
            break;
        }
        let kernel = &smoothed.kernels()[t - 1];
        let mean = kernel.gain() * &x + kernel.offset();
        let (before, density) = drawn(rng, &mean, kernel.covariance());
        weight += log_normal(&x, &(f * &before + b), q) - density;
        x = before;
    }
    weight
}

/// ln p of a sequence by importance sampling from the smoother's q: the mean of ln weight, which is the smoother's bound; ln of
/// the mean weight; and the standard errors of both.
fn evidence(
    model: &Plds,
    y: &Sequence,
    smoothed: &PldsSmoothed,
    paths: usize,
    rng: &mut impl Rng,
) -> [(f64, f64); 2] {
    let weights: Vec<f64> = (0..paths)
        .map(|_| log_weight(model, y, smoothed, rng))
        .collect();
    let (mean, error) = mean_and_error(&weights);
    let ratios: Vec<f64> = weights.iter().map(|w| (w - mean).exp()).collect();
    let (ratio, spread) = mean_and_error(&ratios);
    [(mean, error), (mean + ratio.ln(), spread / ratio)]
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, (variance / count).sqrt())
}

/// A test statistic stays within so many standard errors.
const ERRORS: f64 = 4.0;

#[test]
fn the_bound_of_the_smoother_is_below_the_evidence() {
    for (law, seed) in [
        (CountLaw::Poisson, 1),
        (CountLaw::Poisson, 2),
        (CountLaw::Bernoulli, 3),
    ] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let model = population(law, 6, 0.2);
        let (_, y) = model.sample(40, &mut rng).unwrap();
        let smoothed = model.smooth(&y).unwrap();
        let [(bound, error), (evidence, spread)] = evidence(&model, &y, &smoothed, 4000, &mut rng);
        assert!((bound - smoothed.elbo()).abs() < ERRORS * error);
        assert!(spread < 0.01, "the estimate tells nothing: {spread}");
        assert!(smoothed.elbo() < evidence + ERRORS * spread);
        println!(
            "{law:?}: bound {}, ln p {evidence} ± {spread}",
            smoothed.elbo()
        );
    }
}

#[test]
fn the_score_of_the_filter_is_below_the_evidence_on_average() {
    for law in [CountLaw::Poisson, CountLaw::Bernoulli] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(17);
        let model = population(law, 3, 0.2);
        let excesses: Vec<f64> = (0..60)
            .map(|_| {
                let (_, y) = model.sample(30, &mut rng).unwrap();
                let smoothed = model.smooth(&y).unwrap();
                let [_, (evidence, _)] = evidence(&model, &y, &smoothed, 400, &mut rng);
                let mut filter = PldsFilter::new(model.clone()).unwrap();
                for row in y.iter() {
                    filter.update(row).unwrap();
                }
                filter.elbo() - evidence
            })
            .collect();
        let (mean, error) = mean_and_error(&excesses);
        // Of a single sequence the score may be above ln p: it is a bound in expectation.
        let greatest = excesses.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
        println!("{law:?}: mean {mean} ± {error}, greatest {greatest}");
        assert!(mean < ERRORS * error, "{mean} ± {error}");
    }
}

#[test]
fn an_increment_is_below_the_log_probability_of_its_row() {
    // ln ∫ N(x; m⁻, P⁻) p(y|x) dx in one dimension, by the trapezoidal rule over ten standard deviations.
    for law in [CountLaw::Poisson, CountLaw::Bernoulli] {
        let c = [[1.2], [-0.7]];
        let model = Plds::from_rows(law, &[[0.9]], &[[0.3]], &c, &[0.1, -0.4]).unwrap();
        let (_, y) = (model.sample(40, &mut Xoshiro256PlusPlus::seed_from_u64(8))).unwrap();
        let mut filter = PldsFilter::new(model.clone()).unwrap();
        for (t, row) in y.iter().flatten().enumerate() {
            let (mut m, mut p) = (filter.mean()[0], filter.covariance()[0]);
            if t > 0 {
                (m, p) = (0.9 * m, 0.81 * p + 0.3);
            }
            let steps = 2000;
            let node = |k: usize| 20.0 * k as f64 / steps as f64 - 10.0;
            let terms = (0..=steps).map(|k| {
                let x = DVector::from_element(1, m + p.sqrt() * node(k));
                (log_likelihood(&model, &x, row) - 0.5 * node(k).powi(2)).exp()
            });
            let sum = terms.sum::<f64>() * 20.0 / steps as f64;
            let log_probability = (sum / std::f64::consts::TAU.sqrt()).ln();
            let increment = filter.update(Some(row)).unwrap().increment;
            assert!(increment < log_probability, "{t}");
            assert!(increment > log_probability - 0.05, "{t}");
        }
    }
}
