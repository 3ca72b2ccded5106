//! The natural gradient is the gradient in the metric of Fisher: F·(natural) = gradient.

use scotopic::posterior::{KlForm, Posterior};

use super::{ALL, Kind};
use crate::devices::Place;
use crate::numbers::{deviation, read};
use crate::toy::numbers;

const SHAPE: [usize; 2] = [3, 4];
const N: usize = SHAPE[0] * SHAPE[1];

/// A product with a matrix of this size in f64.
const ROUNDING: f64 = 1e-13;

/// Second differences over 10⁻⁴: rounding 10⁻¹⁶/10⁻⁸, and for Laplace laws, whose divergence has a kink in its
/// third derivative, the stride itself over b.
const STRIDE: f64 = 1e-4;
const SECOND_DIFFERENCE: f64 = 5e-4;

/// The Fisher information of one datum, over its components one after the other: rows of `parts·latents`.
fn fisher(kind: Kind, parts: &[Vec<f64>], row: usize) -> Vec<Vec<f64>> {
    let latents = SHAPE[1];
    let of = |part: usize, k: usize| parts[part][row * latents + k];
    let size = parts.len() * latents;
    let total: f64 = (0..latents).map(|k| of(0, k).exp()).sum();
    let entry = |i: usize, j: usize| {
        let (part, k) = (i / latents, i % latents);
        if kind == Kind::Categorical {
            let pi = |k: usize| of(0, k).exp() / total;
            let diagonal = if i == j { pi(k) } else { 0.0 };
            return diagonal - pi(i) * pi(j);
        }
        if i != j {
            return 0.0;
        }
        match (kind, part) {
            (Kind::Poisson, _) => of(0, k).exp(),
            (Kind::Gaussian(_) | Kind::Laplace, 0) => (-2.0 * of(1, k)).exp(),
            (Kind::Gaussian(_), _) => 2.0,
            (Kind::Laplace, _) => 1.0,
            // A point has no distribution: its metric is chosen to be the plain one.
            _ => 1.0,
        }
    };
    let line = |i: usize| (0..size).map(|j| entry(i, j)).collect();
    (0..size).map(line).collect()
}

/// One datum's components one after the other.
fn joined(parts: &[Vec<f64>], row: usize) -> Vec<f64> {
    let of = |part: &Vec<f64>| part[row * SHAPE[1]..(row + 1) * SHAPE[1]].to_vec();
    parts.iter().flat_map(of).collect()
}

#[test]
fn is_the_gradient_in_the_fisher_metric() {
    let place = Place::reference();
    for kind in ALL {
        let parts = kind.drawn(671, N, 1.2);
        let q = kind.belief(&place, &parts, SHAPE);
        let prior = kind.belief(&place, &kind.drawn(673, N, 1.2), SHAPE);
        let z = place.tensor(&numbers(675, N, -2.0, 2.0), SHAPE);
        let pulled = place.tensor(&numbers(676, N, -2.0, 2.0), SHAPE);
        let none = place.tensor::<2>(&[0.0; SHAPE[1]], [1, SHAPE[1]]);
        // The cost of a point is part of its energy, with weight 1.
        for beta in if kind.is_point() {
            [1.0, 1.0]
        } else {
            [0.0, 1.3]
        } {
            let leak = (beta > 0.0).then_some((beta, &prior));
            let natural = q.natural_gradient(&z, pulled.clone(), leak, none.clone());
            let natural: Vec<_> = natural.into_iter().map(read).collect();
            let gradient = q.gradient(&z, pulled.clone(), beta, &prior);
            let gradient: Vec<_> = gradient.into_iter().map(read).collect();
            for row in 0..SHAPE[0] {
                let direction = joined(&natural, row);
                let product = |line: Vec<f64>| -> f64 {
                    line.iter().zip(&direction).map(|(f, n)| f * n).sum()
                };
                let ours: Vec<f64> = fisher(kind, &parts, row).into_iter().map(product).collect();
                let off = deviation(&ours, &joined(&gradient, row));
                assert!(off < ROUNDING, "{kind:?}, β {beta}: {off:e}");
            }
        }
    }
}

/// The matrices above are no claims: Fisher's information is the curvature of KL[q' ‖ q] at q' = q.
#[test]
fn the_metric_is_the_curvature_of_the_divergence() {
    let place = Place::reference();
    for kind in ALL.into_iter().filter(|kind| !kind.is_point()) {
        let parts = kind.drawn(671, N, 1.2);
        let q = kind.belief(&place, &parts, SHAPE);
        let latents = SHAPE[1];
        let size = parts.len() * latents;
        // The divergence of datum 0 with two of its numbers moved.
        let moved = |i: usize, by_i: f64, j: usize, by_j: f64| -> f64 {
            let mut parts = parts.clone();
            parts[i / latents][i % latents] += by_i;
            parts[j / latents][j % latents] += by_j;
            let near = kind.belief(&place, &parts, SHAPE);
            read(near.kl_from(&q, KlForm::Exact).narrow(0, 0, 1))
                .iter()
                .sum()
        };
        let h = STRIDE;
        let entry = |i: usize, j: usize| {
            let same = moved(i, h, j, h) + moved(i, -h, j, -h);
            let opposite = moved(i, h, j, -h) + moved(i, -h, j, h);
            (same - opposite) / (4.0 * h * h)
        };
        let pairs = (0..size).flat_map(|i| (0..size).map(move |j| (i, j)));
        let curvature: Vec<f64> = pairs.map(|(i, j)| entry(i, j)).collect();
        let expected = fisher(kind, &parts, 0).concat();
        let off = deviation(&curvature, &expected);
        println!("{kind:?}: {off:e}");
        assert!(off < SECOND_DIFFERENCE, "{kind:?}: {off:e}");
    }
}

#[test]
fn homeostasis_is_added_to_the_state_alone() {
    let place = Place::reference();
    let cost = numbers(680, SHAPE[1], 0.1, 0.9);
    for kind in ALL {
        let q = kind.belief(&place, &kind.drawn(681, N, 1.2), SHAPE);
        let z = place.tensor(&numbers(683, N, -2.0, 2.0), SHAPE);
        let with = |cost: &[f64]| -> Vec<Vec<f64>> {
            let homeostasis = place.tensor(cost, [1, SHAPE[1]]);
            let natural = q.natural_gradient(&z, z.clone(), None, homeostasis);
            natural.into_iter().map(read).collect()
        };
        let (with, without) = (with(&cost), with(&[0.0; SHAPE[1]]));
        for (part, (with, without)) in with.iter().zip(&without).enumerate() {
            let difference: Vec<f64> = with.iter().zip(without).map(|(a, b)| a - b).collect();
            let expected: Vec<f64> = match part {
                0 => cost.iter().copied().cycle().take(N).collect(),
                _ => vec![0.0; N],
            };
            assert!(
                deviation(&difference, &expected) < ROUNDING,
                "{kind:?}, component {part}"
            );
        }
    }
}
