//! KL in closed form against the sum or integral that it stands for.

use scotopic::posterior::{KlForm, Posterior};

use super::{ALL, Kind, PRECISION, THRESHOLD};
use crate::devices::Place;
use crate::numbers::{deviation, read};

/// Simpson's rule with h = 0.01 scales of a Laplace law, h⁴/180 a segment; all others are exact to rounding.
const QUADRATURE: f64 = 1e-9;

/// Units of f64 in the last place of the largest term, whose sum may be close to zero.
const CANCELLATION: f64 = 32.0 * f64::EPSILON;

const SHAPE: [usize; 2] = [20, 5];
const N: usize = SHAPE[0] * SHAPE[1];

/// ∫ f over [a, b].
fn simpson(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 8000;
    let h = (b - a) / STEPS as f64;
    let weight = |i: usize| match i {
        0 | STEPS => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let sum: f64 = (0..=STEPS).map(|i| weight(i) * f(a + h * i as f64)).sum();
    sum * h / 3.0
}

fn poisson(u: f64, prior: f64) -> f64 {
    let mut ln_factorial = 0.0;
    let terms = (0..400).map(|k| {
        let k = f64::from(k);
        ln_factorial += if k > 0.0 { k.ln() } else { 0.0 };
        let log = |u: f64| k * u - u.exp() - ln_factorial;
        log(u).exp() * (log(u) - log(prior))
    });
    terms.sum()
}

fn gaussian([mu, xi]: [f64; 2], [mu_p, xi_p]: [f64; 2]) -> f64 {
    let log = |x: f64, mu: f64, xi: f64| {
        -0.5 * ((x - mu) / xi.exp()).powi(2) - xi - 0.5 * std::f64::consts::TAU.ln()
    };
    let reach = 14.0 * xi.exp();
    simpson(mu - reach, mu + reach, |x| {
        log(x, mu, xi).exp() * (log(x, mu, xi) - log(x, mu_p, xi_p))
    })
}

fn laplace([mu, xi]: [f64; 2], [mu_p, xi_p]: [f64; 2]) -> f64 {
    let log = |x: f64, mu: f64, xi: f64| -(x - mu).abs() / xi.exp() - xi - 2f64.ln();
    let reach = 40.0 * xi.exp();
    // Cut at both kinks.
    let cuts = [mu - reach, mu.min(mu_p), mu.max(mu_p), mu + reach];
    let pieces = cuts.windows(2).map(|cut| {
        simpson(cut[0], cut[1], |x| {
            log(x, mu, xi).exp() * (log(x, mu, xi) - log(x, mu_p, xi_p))
        })
    });
    pieces.sum()
}

/// One term for each latent of a row.
fn categorical(logits: &[f64], prior: &[f64]) -> Vec<f64> {
    let softmax = |logits: &[f64]| -> Vec<f64> {
        let total: f64 = logits.iter().map(|l| l.exp()).sum();
        logits.iter().map(|l| l.exp() / total).collect()
    };
    let pairs = softmax(logits).into_iter().zip(softmax(prior));
    pairs.map(|(q, p)| q * (q / p).ln()).collect()
}

/// The cost of a point estimate: −ln of its prior, without what does not depend on it.
fn cost(kind: Kind, u: f64) -> f64 {
    match kind {
        Kind::Quadratic(_) => 0.5 * PRECISION * u * u,
        Kind::Soft if u.abs() > THRESHOLD => THRESHOLD * (u.abs() - THRESHOLD),
        Kind::Hard if u.abs() > THRESHOLD => 0.5 * THRESHOLD * THRESHOLD,
        _ => 0.0,
    }
}

fn oracle(kind: Kind, q: &[Vec<f64>], p: &[Vec<f64>]) -> Vec<f64> {
    if kind == Kind::Categorical {
        let rows = q[0].chunks(SHAPE[1]).zip(p[0].chunks(SHAPE[1]));
        return rows.flat_map(|(q, p)| categorical(q, p)).collect();
    }
    let of = |i: usize| match kind {
        Kind::Poisson => poisson(q[0][i], p[0][i]),
        Kind::Gaussian(_) => gaussian([q[0][i], q[1][i]], [p[0][i], p[1][i]]),
        Kind::Laplace => laplace([q[0][i], q[1][i]], [p[0][i], p[1][i]]),
        point => cost(point, q[0][i]),
    };
    (0..N).map(of).collect()
}

fn kl(kind: Kind, q: &[Vec<f64>], p: &[Vec<f64>]) -> Vec<f64> {
    let place = Place::reference();
    let [q, p] = [q, p].map(|parts| kind.belief(&place, parts, SHAPE));
    read(q.kl_from(&p, KlForm::Exact))
}

#[test]
fn is_the_sum_or_integral() {
    for kind in ALL {
        let (q, p) = (kind.drawn(601, N, 2.0), kind.drawn(603, N, 2.0));
        let off = deviation(&kl(kind, &q, &p), &oracle(kind, &q, &p));
        println!("{kind:?}: {off:e}");
        assert!(off < QUADRATURE, "{kind:?}: {off:e}");
    }
}

#[test]
fn is_never_negative_and_zero_at_the_prior() {
    for kind in ALL {
        for seed in 0..20 {
            let (q, p) = (
                kind.drawn(610 + seed, N, 6.0),
                kind.drawn(710 + seed, N, 6.0),
            );
            let mut values = kl(kind, &q, &p);
            if kind == Kind::Categorical {
                // Its terms have no meaning one by one.
                values = values
                    .chunks(SHAPE[1])
                    .map(|row| row.iter().sum())
                    .collect();
            }
            // e⁶·12 is the largest term of any family here.
            let rounding = CANCELLATION * 6f64.exp() * 12.0;
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            assert!(least >= -rounding, "{kind:?}: KL {least:e}");
            let largest = values.iter().copied().fold(0.0, f64::max);
            assert!(largest > 0.1, "{kind:?}: nothing but {largest:e}");
            if !kind.is_point() {
                assert!(kl(kind, &q, &q).iter().all(|kl| *kl == 0.0), "{kind:?}");
            }
        }
    }
}

/// A constant added to all logits of a datum is no other belief.
#[test]
fn of_a_categorical_does_not_see_a_constant() {
    let kind = Kind::Categorical;
    let (q, p) = (kind.drawn(620, N, 3.0), kind.drawn(621, N, 3.0));
    let moved: Vec<f64> = q[0].iter().map(|l| l + 2.5).collect();
    let off = deviation(&kl(kind, &[moved], &p), &kl(kind, &q, &p));
    assert!(off < 1e3 * f64::EPSILON, "{off:e}");
}
