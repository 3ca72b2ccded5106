//! Models of every kind and data for them, without a pattern but the same at every run.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, FullGaussian, Hmm, Learnable, Poisson,
};

/// Numbers on (0, 1) without a pattern.
pub fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 * 0.998 + 0.001
    }
}

pub fn distribution(k: usize, rng: &mut impl FnMut() -> f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..k).map(|_| -rng().ln() + 0.02).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// A model of any kind: the seed decides.
pub fn random_model(seed: u64, k: usize) -> Hmm {
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
pub fn random_data(seed: u64, length: usize) -> Vec<Sequence> {
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

pub fn parameters(emission: &AnyEmission) -> Vec<f64> {
    match emission {
        AnyEmission::Categorical(e) => e.probabilities().to_vec(),
        AnyEmission::Poisson(e) => e.rates().to_vec(),
        AnyEmission::DiagonalGaussian(e) => [e.means(), e.variances()].concat(),
        AnyEmission::FullGaussian(e) => [e.means(), e.covariances()].concat(),
        other => other.state_parameters(),
    }
}
