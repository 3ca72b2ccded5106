//! Error of learned parameters against the true ones, up to a permutation of the states.

use scotopic_filtering::hmm::{AnyEmission, Hmm};

/// Mean |A − A*| and mean |θ − θ*|, minimised over permutations of the states; `None` for models of different sizes.
pub(super) fn parameter_error(found: &Hmm, truth: &Hmm) -> Option<(f64, f64)> {
    if found.states() != truth.states() {
        return None;
    }
    let order = matching(found, truth)?;
    let found = found.relabelled(&order).ok()?;
    let mean = |a: &[f64], b: &[f64]| {
        (a.len() == b.len())
            .then(|| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64)
    };
    let transition = mean(found.transition(), truth.transition())?;
    Some((
        transition,
        mean(parameters(found.emission()), parameters(truth.emission()))?,
    ))
}

/// For each true state the most similar learned state, greedily: the closest pair first.
fn matching(found: &Hmm, truth: &Hmm) -> Option<Vec<usize>> {
    let k = truth.states();
    let (a, b) = (parameters(found.emission()), parameters(truth.emission()));
    if a.len() != b.len() || k == 0 {
        return None;
    }
    let width = a.len() / k;
    let distance = |i: usize, j: usize| -> f64 {
        let (x, y) = (
            &a[i * width..(i + 1) * width],
            &b[j * width..(j + 1) * width],
        );
        x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum()
    };
    let mut pairs: Vec<(f64, usize, usize)> = (0..k)
        .flat_map(|i| (0..k).map(move |j| (i, j)))
        .map(|(i, j)| (distance(i, j), i, j))
        .collect();
    pairs.sort_by(|p, q| p.0.total_cmp(&q.0));
    let (mut order, mut used) = (vec![usize::MAX; k], vec![false; k]);
    for (_, i, j) in pairs {
        if order[j] == usize::MAX && !used[i] {
            order[j] = i;
            used[i] = true;
        }
    }
    Some(order)
}

/// The emission parameters of each state: probabilities, rates or means.
fn parameters(emission: &AnyEmission) -> &[f64] {
    match emission {
        AnyEmission::Categorical(e) => e.probabilities(),
        AnyEmission::Poisson(e) => e.rates(),
        AnyEmission::DiagonalGaussian(e) => e.means(),
        AnyEmission::FullGaussian(e) => e.means(),
    }
}
